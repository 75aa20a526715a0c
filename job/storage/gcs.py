"""Results in a Google Cloud Storage bucket.

Every write carries a precondition on the object's generation, so two writers cannot both win and every
request may be repeated (https://cloud.google.com/storage/docs/request-preconditions). With
STORAGE_EMULATOR_HOST set, the client library talks to that server, without credentials.

Importing this module imports the client library, half a second: `job.storage.open_storage` does it late.
"""

import base64
import hashlib
import os
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any, BinaryIO

from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from job.errors import ConfigError, StorageError
from job.storage.bucket import LONGEST_RETRY_PAUSE, NAMES_ASKED, PIECE, STAMP, BucketStorage, Stat, Upload
from job.wording import MOST_SAID, one_line

# Seconds to connect and seconds without a byte.
_TIMEOUT = (10, 60)
_ERRORS = (exceptions.GoogleAPIError, GoogleAuthError, DataCorruption, InvalidResponse)
_LOGIN = "run 'gcloud auth application-default login', or run as a service account"


class GcsStorage(BucketStorage):
    """A bucket, or what lies under a prefix of it, as `Storage`, which says what the methods do.

    The version of an object is its generation: https://cloud.google.com/storage/docs/metadata.
    """

    _copy_command = "gcloud storage cp"

    def __init__(self, url: str, *, retry_seconds: float) -> None:
        """Find credentials; nothing is sent to the bucket.

        Args:
            url: gs://bucket or gs://bucket/prefix.
            retry_seconds: how long a request that fails temporarily is retried.

        Raises:
            ConfigError: `url` has no bucket, or an invalid prefix; STORAGE_EMULATOR_HOST is not a URL.
            StorageError: there are no credentials, or the bucket's name is not valid.
        """
        super().__init__(url, retry_seconds=retry_seconds)
        server = os.environ.get("STORAGE_EMULATOR_HOST")
        if server and not server.startswith(("http://", "https://")):
            raise ConfigError(f"STORAGE_EMULATOR_HOST must begin with http:// or https://: {server!r} does not")
        self._server = server or "storage.googleapis.com"
        # Passed with every call: the library repeats conditional uploads only if it is told to.
        self._policy: dict[str, Any] = {
            "retry": DEFAULT_RETRY.with_delay(maximum=LONGEST_RETRY_PAUSE).with_timeout(retry_seconds),
            "timeout": _TIMEOUT,
        }
        with self._errors():
            # project=None: objects need none, and the library would refuse to start without.
            self._client = Client(project=None)
        try:
            self._bucket = self._client.bucket(self._bucket_name)
        except ValueError as error:
            reason = str(error).rstrip(".")
            raise StorageError(f"{self._bucket_url} is not a valid bucket name: {reason}; correct it") from error

    def _try_write(self, key: str) -> None:
        # A resumable upload shows nothing before its last byte, and expires in a week:
        # https://cloud.google.com/storage/docs/resumable-uploads
        self._bucket.blob(key).create_resumable_upload_session(size=1, if_generation_match=0, **self._policy)

    def _upload(self, upload: Upload) -> bool:
        blob = self._bucket.blob(upload.key)
        if upload.metadata:
            blob.metadata = upload.metadata
        # The library's own pieces are 100 MiB, each held in memory.
        blob.chunk_size = PIECE
        try:
            blob.upload_from_file(
                upload.source,
                size=upload.size,
                content_type=upload.content_type,
                if_generation_match=int(upload.version or 0),
                **self._policy,
            )
        except exceptions.PreconditionFailed:
            return False
        return True

    def _fetch(self, key: str, file: BinaryIO) -> str | None:
        blob = self._bucket.blob(key)
        try:
            blob.download_to_file(file, **self._policy)
        except exceptions.NotFound:
            self._see_bucket()
            return None
        return str(blob.generation)

    def _stat(self, key: str) -> Stat | None:
        blob = self._bucket.get_blob(key, **self._policy)
        if blob is None:
            return None
        return Stat(blob.size, (blob.metadata or {}).get(STAMP), blob.md5_hash)

    def _has_content(self, key: str, found: Stat, source: BufferedIOBase) -> bool:  # noqa: ARG002
        """Compare the MD5 checksums: the bucket has one for every object that we write."""
        digest = hashlib.file_digest(source, lambda: hashlib.md5(usedforsecurity=False)).digest()
        return found.md5 == base64.b64encode(digest).decode()

    def _keys(self, prefix: str, page: int = NAMES_ASKED) -> Iterator[str]:
        fields = "items(name),nextPageToken"
        for blob in self._client.list_blobs(
            self._bucket, prefix=prefix or None, page_size=page, fields=fields, **self._policy
        ):
            yield blob.name

    def _is_from_library(self, error: Exception) -> bool:
        # requests raises OSErrors without a number; one with a number is a local file's.
        return isinstance(error, _ERRORS) or (isinstance(error, OSError) and error.errno is None)

    def _refusal_of(self, error: Exception) -> str | None:
        match error:
            case exceptions.NotFound() if "upload_id=" not in str(error):  # with one, an upload's session is lost
                return "does not exist: create it, or correct its name"
            case exceptions.Forbidden() | exceptions.Unauthorized():
                return f"refuses: {self._said(error)}; give this account roles/storage.objectUser on the bucket"
            case exceptions.BadRequest():
                return f"refuses: {self._said(error)}; correct the name of the bucket or its settings"
            case DefaultCredentialsError():
                return f"needs Google credentials, and there are none: {_LOGIN}"
            case RefreshError() if not (error.retryable or isinstance(error.__cause__, TransportError)):
                return f"needs Google credentials, and the ones found are not accepted: {_LOGIN}"
            case _:
                return None

    def _said(self, error: Exception) -> str:
        reason = error.cause if isinstance(error, exceptions.RetryError) else error
        response = getattr(reason, "response", None)
        if response is None or response.ok:
            return type(reason).__name__
        try:
            said = response.json()["error"]["message"]
        except (LookupError, TypeError, ValueError):
            said = response.reason
        return one_line(f"{response.status_code} {said}")[:MOST_SAID]
