"""Results in an Amazon S3 bucket, or in any store that speaks its protocol and honours If-Match.

A write that creates an object carries `If-None-Match: *`, one that replaces it `If-Match` with the ETag that was
read, so two writers cannot both win and every request may be repeated
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html). Credentials, region and
endpoint come from where every AWS tool looks for them: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_S3 and so on.
"""

import hashlib
import mimetypes
import os
import random
import shlex
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from job.errors import (
    ConfigError,
    ConflictError,
    ObjectNotFoundError,
    StorageError,
    StorageUnavailableError,
    SweepError,
)
from job.storage.base import Storage, check_name, is_name, split_bucket_url
from job.storage.files import write_file

try:
    from botocore import exceptions
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
    from botocore.session import Session
except ModuleNotFoundError as missing:
    raise ConfigError(f"s3:// needs {missing.name}, which is not installed: install xor-sweep[s3]") from None

_Answer = TypeVar("_Answer")

# An upload of more than this goes in parts of this size, each held in memory; S3 takes 5 MiB to 5 GiB a part,
# and 10,000 parts.
_PART, _MOST_PARTS = 8 << 20, 10_000
_CHUNK = 1 << 20
# Seconds to connect and seconds without a byte.
_CONNECT_SECONDS, _READ_SECONDS = 10, 60
_LONGEST_PAUSE = 10.0
# The metadata that tells a write from every other one, equal content or not.
_STAMP = "xor-sweep-write"
# What a 4xx answer says where another try may help; 429 and 5xx always may, but for 501 (Not Implemented).
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


class S3Storage(Storage):
    """A bucket, or what lies under a prefix of it, as `Storage`, which says what the methods do.

    The version of an object is its ETag. Without encryption by a key of one's own that is a checksum of the
    content: content that changes and changes back counts as unchanged, as in a local folder.
    """

    def __init__(self, url: str, *, retry_seconds: float) -> None:
        """Find credentials; nothing is sent to the bucket.

        Args:
            url: s3://bucket or s3://bucket/prefix.
            retry_seconds: how long a request that fails for a passing reason is retried.

        Raises:
            ConfigError: `url` has no bucket, or an invalid prefix; AWS_PROFILE or AWS_ENDPOINT_URL is wrong.
            StorageError: there are no credentials.
        """
        self._bucket, prefix = split_bucket_url(url)
        self._bucket_url = f"s3://{self._bucket}"
        self.url = f"{self._bucket_url}/{prefix}".rstrip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._retry_seconds = retry_seconds
        self._bucket_seen = False
        self._client = _open_client(self._bucket_url)

    def fetch_command(self, name: str) -> str:
        """See `Storage.fetch_command`."""
        return f"aws s3 cp {shlex.quote(self.url_of(name))} ."

    def check_writable(self, folder: str = "") -> None:
        """List one name, then replace an object that does not exist.

        Raises:
            StorageError: the bucket does not exist, refuses to be listed or written, or ignores conditions.
            StorageUnavailableError: it did not answer.
        """
        probe = self._key(f"{folder}/writable-{uuid.uuid4().hex}".lstrip("/"))
        with self._errors():
            self._see_bucket()
            try:
                self._send("put_object", Key=probe, Body=b"", IfMatch=f'"{"0" * 32}"')
            except ClientError as error:
                if _code(error) not in ("NoSuchKey", "PreconditionFailed"):
                    raise
                return
            self._send("delete_object", Key=probe)
        raise StorageError(
            f"{self._bucket_url} ignores If-Match, so two writers could both win: choose a store that honours it"
        )

    def create(self, name: str, data: bytes) -> None:
        """See `Storage.create`."""
        self._create(name, BytesIO(data), len(data))

    def create_from_file(self, name: str, path: Path) -> None:
        """See `Storage.create_from_file`."""
        with path.open("rb") as source:
            self._create(name, source, os.fstat(source.fileno()).st_size)

    def _create(self, name: str, source: BufferedIOBase, size: int) -> None:
        key = self._key(name)
        with self._errors():
            try:
                if size <= _PART:
                    self._put(key, source.read(), IfNoneMatch="*")
                    return
                # The condition of a large upload counts after its last part: ask before the first.
                if self._stat(key) is None:
                    self._upload_in_parts(key, source, size)
                    return
            except ClientError as error:
                # Perhaps our own first try, whose answer was lost: then the content is ours.
                if _code(error) not in ("PreconditionFailed", "NoSuchUpload"):
                    raise
            source.seek(0)
            same = self._same_content(key, source, size)
        if not same:
            raise ConflictError(f"{self.url_of(name)} exists already, with other content")

    def replace(self, name: str, data: bytes, version: str | None) -> None:
        """See `Storage.replace`."""
        key, stamp = self._key(name), uuid.uuid4().hex
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        with self._errors():
            try:
                self._put(key, data, Metadata={_STAMP: stamp}, **condition)
                return
            except ClientError as error:
                if _code(error) not in ("PreconditionFailed", "NoSuchKey"):
                    raise
                # Perhaps our own first try, whose answer was lost. Equal content would not show that: two
                # writers that both count from 5 to 6 must not both succeed.
                now = self._stat(key)
        if now is None or now["Metadata"].get(_STAMP) != stamp:
            raise ConflictError(f"{self.url_of(name)} is not what it was when it was read: somebody else wrote it")

    def _put(self, key: str, data: bytes, **conditions: Any) -> None:
        self._send("put_object", Key=key, Body=data, ContentType=_content_type(key), **conditions)
        self._bucket_seen = True

    def _upload_in_parts(self, key: str, source: BufferedIOBase, size: int) -> None:
        """Upload a large object, which shows nothing before its last part."""
        started = self._send("create_multipart_upload", Key=key, ContentType=_content_type(key))
        upload = {"Key": key, "UploadId": started["UploadId"]}
        part_size = max(_PART, -(-size // _MOST_PARTS))
        parts: list[dict[str, Any]] = []
        try:
            while data := source.read(part_size):
                number = len(parts) + 1
                sent = self._send("upload_part", PartNumber=number, Body=data, **upload)
                # A bucket that got the parts' checksums wants to see them again.
                checksum = {"ChecksumCRC32": sent["ChecksumCRC32"]} if "ChecksumCRC32" in sent else {}
                parts.append({"PartNumber": number, "ETag": sent["ETag"], **checksum})
            self._send("complete_multipart_upload", MultipartUpload={"Parts": parts}, IfNoneMatch="*", **upload)
        except BaseException:
            # What is left of an upload is invisible, and paid for: a kill leaves it to the bucket's lifecycle rule.
            with suppress(BotoCoreError, ClientError, ResponseParserError):
                self._client.abort_multipart_upload(Bucket=self._bucket, **upload)
            raise

    def _same_content(self, key: str, source: BufferedIOBase, size: int) -> bool:
        """Compare an object with a local source."""

        def digest() -> str:
            checksum = hashlib.sha256()
            with closing(self._client.get_object(Bucket=self._bucket, Key=key)["Body"]) as body:
                for chunk in iter(lambda: body.read(_CHUNK), b""):
                    checksum.update(chunk)
            return checksum.hexdigest()

        found = self._stat(key)
        if found is None or found["ContentLength"] != size:
            return False
        return self._retry(digest) == hashlib.file_digest(source, "sha256").hexdigest()

    def read(self, name: str) -> bytes:
        """See `Storage.read`."""
        return self.read_with_version(name)[0]

    def read_with_version(self, name: str) -> tuple[bytes, str]:
        """See `Storage.read_with_version`."""
        content = BytesIO()
        etag = self._download(name, content)
        return content.getvalue(), etag

    def download(self, name: str, path: Path) -> None:
        """See `Storage.download`."""
        write_file(path, lambda file: self._download(name, file))

    def _download(self, name: str, file: BinaryIO) -> str:
        """Write an object's content to a file and return its ETag; each try begins anew."""
        key = self._key(name)

        def fetch() -> str:
            file.seek(0)
            file.truncate()
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            with closing(answer["Body"]) as body:
                shutil.copyfileobj(body, file, _CHUNK)
            return str(answer["ETag"])

        with self._errors():
            try:
                etag = self._retry(fetch)
            except ClientError as error:
                if _code(error) != "NoSuchKey":
                    raise
                raise ObjectNotFoundError(f"{self.url_of(name)} does not exist") from None
        self._bucket_seen = True
        return etag

    def exists(self, name: str) -> bool:
        """See `Storage.exists`."""
        key = self._key(name)
        with self._errors():
            found = self._stat(key) is not None
            if not found:
                self._see_bucket()
        return found

    def list(self, folder: str = "") -> Iterator[str]:
        """See `Storage.list`."""
        below = self._prefix + (check_name(folder) + "/" if folder else "")
        page: dict[str, str] = {}
        while True:
            with self._errors():
                answer = self._send("list_objects_v2", Prefix=below, **page)
            for item in answer.get("Contents", ()):
                name = item["Key"].removeprefix(self._prefix)
                # The placeholders of folders, and what others may have put there.
                if is_name(name):
                    yield name
            if "NextContinuationToken" not in answer:
                return
            page = {"ContinuationToken": answer["NextContinuationToken"]}

    def _key(self, name: str) -> str:
        return self._prefix + check_name(name)

    def _stat(self, key: str) -> Any:
        """Return what is known of an object, or None."""
        try:
            return self._send("head_object", Key=key)
        except ClientError as error:
            if _status(error) != 404:
                raise
            return None

    def _see_bucket(self) -> None:
        """Raise the library's NoSuchBucket where the bucket is missing, which looks like a missing object."""
        if not self._bucket_seen:
            self._send("list_objects_v2", MaxKeys=1)
            self._bucket_seen = True

    def _send(self, operation: str, **arguments: Any) -> Any:
        return self._retry(lambda: getattr(self._client, operation)(Bucket=self._bucket, **arguments))

    def _retry(self, request: Callable[[], _Answer]) -> _Answer:
        """Make a request again and again while it fails for a passing reason, for `retry_seconds`."""
        deadline, longest_pause = None, 1.0
        while True:
            try:
                return request()
            except (BotoCoreError, ClientError, ResponseParserError) as error:
                deadline = deadline or time.monotonic() + self._retry_seconds
                pause = random.uniform(0, longest_pause)  # noqa: S311 - so that many pods do not ask at once
                if _refusal(error) or time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            longest_pause = min(2 * longest_pause, _LONGEST_PAUSE)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the errors of the library into one line each."""
        try:
            yield
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise self._our_error(error) from error
        except OSError as error:
            if error.filename is None or error.filename not in map(os.environ.get, _TOKEN_FILES):
                raise
            what = f"needs AWS credentials, and those here are not usable: {error.strerror}: {error.filename}"
            raise StorageError(f"{self._bucket_url} {what}; {_LOGIN}") from error

    def _our_error(self, error: Exception) -> SweepError:
        if refusal := _refusal(error):
            return StorageError(f"{self._bucket_url} {refusal}")
        server = self._client.meta.endpoint_url
        tries = f"asked {server} for {self._retry_seconds:g} s"
        return StorageUnavailableError(f"{self._bucket_url} is not available: {_said(error)} ({tries})")


def _open_client(bucket_url: str) -> Any:
    """Return the library's client; the errors are those of `S3Storage`."""
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
        raise ConfigError(f"{bucket_url}: {error}; correct AWS_PROFILE, AWS_REGION or ~/.aws/config") from None
    except ValueError as error:
        raise ConfigError(f"{bucket_url}: {error}; AWS_ENDPOINT_URL must begin with http:// or https://") from None
    except BotoCoreError as error:
        raise StorageError(f"{bucket_url} needs AWS credentials: {_said(error)}; {_LOGIN}") from error
    if session.get_credentials() is None:
        raise StorageError(f"{bucket_url} needs AWS credentials, and there are none: {_LOGIN}")
    return client


def _refusal(error: Exception) -> str | None:
    """Say why storage refuses for good and what to do about it; None where another try may help."""
    match error:
        case ClientError():
            return _refusal_of_server(error)
        case exceptions.ParamValidationError() if "bucket name" in str(error):
            return f"cannot be a bucket: {_said(error)}; correct the name"
        case (
            exceptions.NoCredentialsError()
            | exceptions.ParamValidationError()  # of the request for a role
            | exceptions.PartialCredentialsError()
            | exceptions.SSOError()
            | exceptions.TokenRetrievalError()
        ):
            return f"needs AWS credentials, and those here are not usable: {_said(error)}; {_LOGIN}"
        case _:
            return None


def _refusal_of_server(error: ClientError) -> str | None:
    status, code = _status(error), _code(error)
    if (status >= 500 and status != 501) or status == 429 or code in _PASSING_CODES:
        return None
    if code == "NoSuchBucket":
        return "does not exist: create it, or correct its name"
    if code in _CREDENTIAL_CODES:
        return f"does not accept these AWS credentials: {_said(error)}; {_LOGIN}"
    if status in (401, 403):
        return f"refuses: {_said(error)}; give this account {_PERMISSIONS} on the bucket"
    return f"refuses: {_said(error)}; correct the name of the bucket or its settings"


def _code(error: ClientError) -> str:
    """Return the word that S3 has for an error; a number where the answer had no body."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return {"404": "NoSuchKey", "412": "PreconditionFailed"}.get(code, code)


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _said(error: Exception) -> str:
    """Return what storage answered, on one short line; what the library says where it did not answer."""
    if isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        said = f"{_status(error)} {answer.get('Message') or answer.get('Code')}"
    else:
        said = f"{type(error).__name__}: {error}"
    return " ".join(said.split())[:200]


def _content_type(key: str) -> str:
    # A browser shows a page only where its type says that it is one.
    return mimetypes.guess_type(key)[0] or "application/octet-stream"
