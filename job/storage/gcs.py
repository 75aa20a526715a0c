"""Results in a Google Cloud Storage bucket.

Every write carries a precondition on the object's generation, so two writers cannot both win and every
request may be repeated (https://cloud.google.com/storage/docs/request-preconditions). With
STORAGE_EMULATOR_HOST set, the client library talks to that server, without credentials.

Importing this module imports the client library, half a second: `job.storage.open_storage` does it late.
"""

import base64
import hashlib
import mimetypes
import os
import shlex
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

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

# The library sends up to 8 MiB in one request and more in pieces, each held in memory; its own are 100 MiB.
_CHUNK = 8 << 20
# Seconds to connect and seconds without a byte.
_TIMEOUT = (10, 60)
# The library's pauses double from a second to a minute, at random: the last would eat half of the time.
_LONGEST_PAUSE = 10.0
# The metadata that tells a write from every other one, equal content or not.
_STAMP = "xor-sweep-write"
_LOGIN = "run 'gcloud auth application-default login', or run as a service account"


class GcsStorage(Storage):
    """A bucket, or what lies under a prefix of it, as `Storage`, which says what the methods do.

    The version of an object is its generation: https://cloud.google.com/storage/docs/metadata.
    """

    def __init__(self, url: str, *, retry_seconds: float) -> None:
        """Find credentials; nothing is sent to the bucket.

        Args:
            url: gs://bucket or gs://bucket/prefix.
            retry_seconds: how long a request that fails for a passing reason is tried again.

        Raises:
            ConfigError: `url` has no bucket, or a prefix that cannot be; STORAGE_EMULATOR_HOST is no URL.
            StorageError: there are no credentials, or the bucket's name cannot be one.
        """
        bucket, prefix = split_bucket_url(url)
        server = os.environ.get("STORAGE_EMULATOR_HOST")
        if server and not server.startswith(("http://", "https://")):
            raise ConfigError(f"STORAGE_EMULATOR_HOST must begin with http:// or https://: {server!r} does not")
        self.url = f"gs://{bucket}/{prefix}".rstrip("/")
        self._bucket_url = f"gs://{bucket}"
        self._prefix = f"{prefix}/" if prefix else ""
        self._retry_seconds = retry_seconds
        # Said at each call: the library repeats conditional uploads only when it is told to.
        self._policy: dict[str, Any] = {
            "retry": DEFAULT_RETRY.with_delay(maximum=_LONGEST_PAUSE).with_timeout(retry_seconds),
            "timeout": _TIMEOUT,
        }
        self._bucket_seen = False
        with self._errors():
            # project=None: objects need none, and the library would refuse to start without.
            self._client = Client(project=None)
        try:
            self._bucket = self._client.bucket(bucket)
        except ValueError as error:
            raise StorageError(f"{self._bucket_url} cannot be a bucket: {error} Correct the name.") from error

    def fetch_command(self, name: str) -> str:
        """See `Storage.fetch_command`."""
        return f"gcloud storage cp {shlex.quote(self.url_of(name))} ."

    def check_writable(self, folder: str = "") -> None:
        """List one name, then ask for an upload that is never made.

        Raises:
            StorageError: the bucket does not exist, or refuses to be listed or written.
            StorageUnavailableError: it did not answer.
        """
        with self._errors():
            self._see_bucket()
            # A resumable upload shows nothing before its last byte, and expires in a week:
            # https://cloud.google.com/storage/docs/resumable-uploads
            probe = self._blob(f"{folder}/writable-{uuid.uuid4().hex}".lstrip("/"))
            probe.create_resumable_upload_session(size=1, if_generation_match=0, **self._policy)

    def create(self, name: str, data: bytes) -> None:
        """See `Storage.create`."""
        self._create(name, BytesIO(data), len(data))

    def create_from_file(self, name: str, path: Path) -> None:
        """See `Storage.create_from_file`."""
        with path.open("rb") as source:
            self._create(name, source, os.fstat(source.fileno()).st_size)

    def _create(self, name: str, source: BufferedIOBase, size: int) -> None:
        with self._errors():
            # The precondition of a large upload counts after its last byte: ask before the first.
            if size <= _CHUNK or not self._blob(name).exists(**self._policy):
                try:
                    self._upload(self._blob(name), source, size, generation=0)
                    return
                except exceptions.PreconditionFailed:
                    # Perhaps our own first try, whose answer was lost: then the content is ours.
                    source.seek(0)
            same = self._same_content(name, source, size)
        if not same:
            raise ConflictError(f"{self.url_of(name)} exists already, with other content")

    def replace(self, name: str, data: bytes, version: str | None) -> None:
        """See `Storage.replace`."""
        generation = 0 if version is None else int(version)
        blob = self._blob(name)
        blob.metadata = {_STAMP: uuid.uuid4().hex}
        stamp = dict(blob.metadata)
        with self._errors():
            try:
                self._upload(blob, BytesIO(data), len(data), generation=generation)
                return
            except exceptions.PreconditionFailed:
                # Perhaps our own first try, whose answer was lost. Equal content would not show that: two
                # writers that both count from 5 to 6 must not both succeed.
                now = self._stat(name)
        if now is None or now.metadata != stamp:
            raise ConflictError(f"{self.url_of(name)} is not what it was when it was read: somebody else wrote it")

    def _upload(self, blob: Any, source: BufferedIOBase, size: int, *, generation: int) -> None:
        blob.chunk_size = _CHUNK
        # A browser shows a page only where its type says that it is one.
        kind = mimetypes.guess_type(blob.name)[0]
        blob.upload_from_file(source, size=size, content_type=kind, if_generation_match=generation, **self._policy)
        self._bucket_seen = True

    def _same_content(self, name: str, source: BufferedIOBase, size: int) -> bool:
        """Compare an object with a local source by size and MD5, which every object that we write has."""
        blob = self._stat(name)
        if blob is None or blob.size != size or blob.md5_hash is None:
            return False
        digest = hashlib.file_digest(source, lambda: hashlib.md5(usedforsecurity=False)).digest()
        return bool(blob.md5_hash == base64.b64encode(digest).decode())

    def read(self, name: str) -> bytes:
        """See `Storage.read`."""
        return self.read_with_version(name)[0]

    def read_with_version(self, name: str) -> tuple[bytes, str]:
        """See `Storage.read_with_version`."""
        content = BytesIO()
        blob = self._download(name, content)
        return content.getvalue(), str(blob.generation)

    def download(self, name: str, path: Path) -> None:
        """See `Storage.download`."""
        write_file(path, lambda file: self._download(name, file))

    def _download(self, name: str, file: BinaryIO) -> Any:
        """Write an object's content to a file and return it, with the generation that was read."""
        blob = self._blob(name)
        with self._errors():
            try:
                blob.download_to_file(file, **self._policy)
            except exceptions.NotFound:
                self._see_bucket()
                raise ObjectNotFoundError(f"{self.url_of(name)} does not exist") from None
        self._bucket_seen = True
        return blob

    def exists(self, name: str) -> bool:
        """See `Storage.exists`."""
        with self._errors():
            found = bool(self._blob(name).exists(**self._policy))
            if not found:
                self._see_bucket()
        return found

    def list(self, folder: str = "") -> Iterator[str]:
        """See `Storage.list`."""
        below = self._prefix + (check_name(folder) + "/" if folder else "")
        with self._errors():
            for blob in self._client.list_blobs(
                self._bucket,
                prefix=below or None,
                page_size=1000,
                fields="items(name),nextPageToken",
                **self._policy,
            ):
                name = blob.name.removeprefix(self._prefix)
                # The placeholders of folders, and what others may have put there.
                if is_name(name):
                    yield name

    def _blob(self, name: str) -> Any:
        return self._bucket.blob(self._prefix + check_name(name))

    def _stat(self, name: str) -> Any:
        """Return an object with its metadata, or None."""
        return self._bucket.get_blob(self._prefix + name, **self._policy)

    def _see_bucket(self) -> None:
        """Raise the library's NotFound where the bucket is missing, which looks like a missing object."""
        if not self._bucket_seen:
            list(self._client.list_blobs(self._bucket, max_results=1, **self._policy))
            self._bucket_seen = True

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the errors of the library into one line each."""
        try:
            yield
        except (exceptions.GoogleAPIError, GoogleAuthError, DataCorruption, InvalidResponse, OSError) as error:
            # requests raises OSErrors without a number; one with a number is a local file's.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise self._our_error(error) from error

    def _our_error(self, error: Exception) -> SweepError:
        refusal = _refusal(error)
        if refusal:
            return StorageError(f"{self._bucket_url} {refusal}")
        reason = error.cause if isinstance(error, exceptions.RetryError) else error
        server = os.environ.get("STORAGE_EMULATOR_HOST", "storage.googleapis.com")
        tries = f"asked {server} for {self._retry_seconds:g} s"
        return StorageUnavailableError(f"{self._bucket_url} is not available: {_said(reason)} ({tries})")


def _refusal(error: Exception) -> str | None:
    """Say why storage refuses for good and what to do about it; None where another try may help."""
    match error:
        case exceptions.NotFound() if "upload_id=" not in str(error):  # with one, an upload's session is lost
            return "does not exist: create it, or correct its name"
        case exceptions.Forbidden() | exceptions.Unauthorized():
            return f"refuses: {_said(error)}; give this account roles/storage.objectUser on the bucket"
        case exceptions.BadRequest():
            return f"refuses: {_said(error)}; correct the name of the bucket or its settings"
        case DefaultCredentialsError():
            return f"needs Google credentials, and there are none: {_LOGIN}"
        case RefreshError() if not (error.retryable or isinstance(error.__cause__, TransportError)):
            return f"needs Google credentials, and those here are not accepted: {_LOGIN}"
        case _:
            return None


def _said(error: BaseException | None) -> str:
    """Return what storage answered, on one short line; the error's name where it did not answer."""
    response = getattr(error, "response", None)
    if response is None or response.ok:
        return type(error).__name__
    try:
        said = response.json()["error"]["message"]
    except (LookupError, TypeError, ValueError):
        said = response.reason
    return " ".join(f"{response.status_code} {said}".split())[:200]
