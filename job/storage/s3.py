"""Results in an Amazon S3 bucket, or in any store that speaks its protocol and honours If-Match.

A write that creates an object carries `If-None-Match: *`, one that replaces it `If-Match` with the ETag that was
read, so two writers cannot both win and every request may be repeated
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html). Credentials, region and
endpoint come from where every AWS tool looks for them: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_S3 and so on.
"""

import hashlib
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from io import BufferedIOBase
from typing import Any, BinaryIO, TypeVar

from job.errors import ConfigError, StorageError
from job.storage.bucket import LONGEST_RETRY_PAUSE, NAMES_ASKED, PIECE, STAMP, BucketStorage, Stat, Upload
from job.storage.files import COPY_BYTES
from job.wording import MOST_SAID, one_line

try:
    from botocore import exceptions
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
    from botocore.session import Session
except ModuleNotFoundError as missing:
    raise ConfigError(f"s3:// needs {missing.name}, which is not installed: install xor-sweep[s3]") from None

_Answer = TypeVar("_Answer")

# S3 takes an upload in 10,000 parts at most, each of 5 MiB to 5 GiB.
_MOST_PARTS = 10_000
# Seconds to connect and seconds without a byte.
_CONNECT_SECONDS, _READ_SECONDS = 10, 60
_ERRORS = (BotoCoreError, ClientError, ResponseParserError)
# What a 4xx answer says if another try may help; after 429 and 5xx, except 501 (Not Implemented), it always may.
_PASSING_CODES = {
    "ConditionalRequestConflict",
    "OperationAborted",
    "RequestTimeout",
    "RequestTimeoutException",
    "Throttling",
    "ThrottlingException",
}
_CREDENTIAL_CODES = {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"}
# These name files that the library opens when it signs a request.
_TOKEN_FILES = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
_LOGIN = "run 'aws configure' or 'aws sso login', set AWS_PROFILE, or run as a role"
_PERMISSIONS = "s3:ListBucket, s3:GetObject, s3:PutObject and s3:AbortMultipartUpload"


class S3Storage(BucketStorage):
    """A bucket, or what lies under a prefix of it, as `Storage`, which says what the methods do.

    The version of an object is its ETag. Without customer-managed encryption that is a checksum of the content:
    content that changes and changes back counts as unchanged, as in a local folder.
    """

    _copy_command = "aws s3 cp"

    def __init__(self, url: str, *, retry_seconds: float) -> None:
        """Find credentials; nothing is sent to the bucket.

        Args:
            url: s3://bucket or s3://bucket/prefix.
            retry_seconds: how long a request that fails temporarily is retried.

        Raises:
            ConfigError: `url` has no bucket, or an invalid prefix; AWS_PROFILE or AWS_ENDPOINT_URL is wrong.
            StorageError: there are no credentials.
        """
        super().__init__(url, retry_seconds=retry_seconds)
        self._client = self._open_client()
        self._server = self._client.meta.endpoint_url

    def _open_client(self) -> Any:
        # We retry ourselves, for a time: the library counts tries.
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=32,
        )
        session = Session()
        try:
            # The library reads AWS_DEFAULT_REGION only, and every other AWS tool AWS_REGION first.
            client = session.create_client("s3", region_name=os.environ.get("AWS_REGION"), config=config)
        except (exceptions.ProfileNotFound, exceptions.ConfigParseError, exceptions.InvalidRegionError) as error:
            raise ConfigError(
                f"{self._bucket_url}: {error}; correct AWS_PROFILE, AWS_REGION or ~/.aws/config"
            ) from None
        except ValueError as error:
            raise ConfigError(
                f"{self._bucket_url}: {error}; AWS_ENDPOINT_URL must begin with http:// or https://"
            ) from None
        except BotoCoreError as error:
            raise StorageError(
                f"{self._bucket_url} needs AWS credentials: {self._said(error)}; {_LOGIN}"
            ) from error
        if session.get_credentials() is None:
            raise StorageError(f"{self._bucket_url} needs AWS credentials, and there are none: {_LOGIN}")
        return client

    def _try_write(self, key: str) -> None:
        """Replace an object that does not exist, which a store that honours conditions refuses to do."""
        try:
            self._send("put_object", Key=key, Body=b"", IfMatch=f'"{"0" * 32}"')
        except ClientError as error:
            if _code(error) not in ("NoSuchKey", "PreconditionFailed"):
                raise
            return
        self._send("delete_object", Key=key)
        raise StorageError(
            f"{self._bucket_url} ignores If-Match, so two writers could both win: choose a store that honours it"
        )

    def _upload(self, upload: Upload) -> bool:
        is_new = upload.stamp is None
        try:
            if is_new and upload.size > PIECE:
                self._upload_in_parts(upload)
            else:
                self._upload_at_once(upload)
        except ClientError as error:
            # NoSuchUpload: the upload in parts is complete, and the answer was lost. NoSuchKey: there is nothing
            # to replace.
            if _code(error) not in ("PreconditionFailed", "NoSuchUpload" if is_new else "NoSuchKey"):
                raise
            return False
        return True

    def _upload_at_once(self, upload: Upload) -> None:
        self._send(
            "put_object",
            Key=upload.key,
            Body=upload.source.read(),
            ContentType=upload.content_type,
            Metadata=upload.metadata,
            **({"IfNoneMatch": "*"} if upload.version is None else {"IfMatch": upload.version}),
        )

    def _upload_in_parts(self, upload: Upload) -> None:
        """Upload a large object, which shows nothing before its last part."""
        started = self._send("create_multipart_upload", Key=upload.key, ContentType=upload.content_type)
        target = {"Key": upload.key, "UploadId": started["UploadId"]}
        part_size = max(PIECE, -(-upload.size // _MOST_PARTS))
        parts: list[dict[str, Any]] = []
        try:
            while data := upload.source.read(part_size):
                number = len(parts) + 1
                sent = self._send("upload_part", PartNumber=number, Body=data, **target)
                # A bucket that was given the parts' checksums requires them again.
                checksum = {"ChecksumCRC32": sent["ChecksumCRC32"]} if "ChecksumCRC32" in sent else {}
                parts.append({"PartNumber": number, "ETag": sent["ETag"], **checksum})
            self._send("complete_multipart_upload", MultipartUpload={"Parts": parts}, IfNoneMatch="*", **target)
        except BaseException:
            # The parts of an unfinished upload are invisible, but cost money; after a kill, the bucket's lifecycle
            # rule removes them.
            with suppress(*_ERRORS):
                self._client.abort_multipart_upload(Bucket=self._bucket_name, **target)
            raise

    def _fetch(self, key: str, file: BinaryIO) -> str | None:
        try:
            return self._retry(lambda: self._fetch_once(key, file))
        except ClientError as error:
            if _code(error) != "NoSuchKey":
                raise
            return None

    def _fetch_once(self, key: str, file: BinaryIO) -> str:
        # Discard what an earlier try wrote.
        file.seek(0)
        file.truncate()
        answer = self._client.get_object(Bucket=self._bucket_name, Key=key)
        with closing(answer["Body"]) as body:
            shutil.copyfileobj(body, file, COPY_BYTES)
        return str(answer["ETag"])

    def _stat(self, key: str) -> Stat | None:
        try:
            found = self._send("head_object", Key=key)
        except ClientError as error:
            if _status(error) != 404:
                raise
            return None
        return Stat(found.get("ContentLength"), found.get("Metadata", {}).get(STAMP))

    def _has_content(self, key: str, found: Stat, source: BufferedIOBase) -> bool:  # noqa: ARG002
        """Compare the SHA-256 checksums; the object has to be downloaded for that."""
        return self._retry(lambda: self._digest(key)) == hashlib.file_digest(source, "sha256").hexdigest()

    def _digest(self, key: str) -> str:
        checksum = hashlib.sha256()
        with closing(self._client.get_object(Bucket=self._bucket_name, Key=key)["Body"]) as body:
            for chunk in iter(lambda: body.read(COPY_BYTES), b""):
                checksum.update(chunk)
        return checksum.hexdigest()

    def _keys(self, prefix: str, page: int = NAMES_ASKED) -> Iterator[str]:
        token: dict[str, str] = {}
        while True:
            answer = self._send("list_objects_v2", Prefix=prefix, MaxKeys=page, **token)
            for item in answer.get("Contents", ()):
                yield item["Key"]
            if "NextContinuationToken" not in answer:
                return
            token = {"ContinuationToken": answer["NextContinuationToken"]}

    def _send(self, operation: str, **arguments: Any) -> Any:
        return self._retry(lambda: getattr(self._client, operation)(Bucket=self._bucket_name, **arguments))

    def _retry(self, request: Callable[[], _Answer]) -> _Answer:
        """Make a request again and again while it fails temporarily, for `retry_seconds`."""
        deadline, longest_pause = None, 1.0
        while True:
            try:
                return request()
            except _ERRORS as error:
                deadline = deadline or time.monotonic() + self._retry_seconds
                pause = random.uniform(0, longest_pause)  # noqa: S311 - so that many pods do not ask at once
                if self._refusal_of(error) or time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            longest_pause = min(2 * longest_pause, LONGEST_RETRY_PAUSE)

    def _is_from_library(self, error: Exception) -> bool:
        return isinstance(error, _ERRORS) or _is_about_token(error)

    def _refusal_of(self, error: Exception) -> str | None:
        match error:
            case ClientError():
                return self._refusal_of_server(error)
            case exceptions.ParamValidationError() if "bucket name" in str(error):
                return f"is not a valid bucket name: {self._said(error)}; correct it"
            case (
                exceptions.NoCredentialsError()
                | exceptions.ParamValidationError()  # of the request for a role
                | exceptions.PartialCredentialsError()
                | exceptions.SSOError()
                | exceptions.TokenRetrievalError()
            ):
                return f"needs AWS credentials, and the ones found cannot be used: {self._said(error)}; {_LOGIN}"
            case OSError() if _is_about_token(error):
                why = f"{error.strerror}: {error.filename}"
                return f"needs AWS credentials, and the ones found cannot be used: {why}; {_LOGIN}"
            case _:
                return None

    def _refusal_of_server(self, error: ClientError) -> str | None:
        status, code = _status(error), _code(error)
        if (status >= 500 and status != 501) or status == 429 or code in _PASSING_CODES:
            return None
        if code == "NoSuchBucket":
            return "does not exist: create it, or correct its name"
        if code in _CREDENTIAL_CODES:
            return f"does not accept these AWS credentials: {self._said(error)}; {_LOGIN}"
        if status in (401, 403):
            return f"refuses: {self._said(error)}; give this account {_PERMISSIONS} on the bucket"
        return f"refuses: {self._said(error)}; correct the name of the bucket or its settings"

    def _said(self, error: Exception) -> str:
        if isinstance(error, ClientError):
            answer = error.response.get("Error", {})
            said = f"{_status(error)} {answer.get('Message') or answer.get('Code')}"
        else:
            said = f"{type(error).__name__}: {error}"
        return one_line(said)[:MOST_SAID]


def _code(error: ClientError) -> str:
    """Return the word that S3 has for an error; a number if the answer had no body."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return {"404": "NoSuchKey", "412": "PreconditionFailed"}.get(code, code)


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _is_about_token(error: Exception) -> bool:
    """Return whether an error is about one of the files that the library opens when it signs a request."""
    name = error.filename if isinstance(error, OSError) else None
    return name is not None and name in map(os.environ.get, _TOKEN_FILES)
