"""What the buckets of all services have in common as `Storage`; each service has one file beside this one.

Every write has a condition: that the object does not exist yet, or that it still has the version that was read.
So two writers cannot both win, and every request may be repeated. A write whose answer was lost meets its own
object when it is repeated, and recognises it: a new object by its content, a swapped one by its stamp.
"""

import mimetypes
import os
import shlex
import uuid
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import BinaryIO

from job.errors import ConflictError, ObjectNotFoundError, StorageError, StorageUnavailableError, SweepError
from job.storage.base import Storage, check_name, is_name, split_bucket_url
from job.storage.files import write_file

PIECE = 8 << 20
"""An object larger than this is uploaded in pieces of this size, each held in memory."""
LONGEST_RETRY_PAUSE = 10.0
"""The pauses between tries, at random, double from a second up to this; a minute would use up most of the time."""
STAMP = "xor-sweep-write"
"""The metadata that distinguishes a write from every other one, even if their contents are equal."""
NAMES_ASKED = 1000
"""How many names are asked for at a time, which is the most that the services allow."""


@dataclass(frozen=True)
class Upload:
    """A conditional write of one object."""

    key: str
    source: BufferedIOBase
    """Its content, from the source's start to its end."""
    size: int
    """How many bytes that is."""
    version: str | None = None
    """The version that it replaces; None if there must not be such an object yet."""
    stamp: str | None = None
    """The value of its `STAMP`; None for a new object, which needs none."""

    @property
    def content_type(self) -> str:
        """Its content type: a browser shows an object as a page only if that is HTML."""
        return mimetypes.guess_type(self.key)[0] or "application/octet-stream"

    @property
    def metadata(self) -> dict[str, str]:
        """Its metadata: the stamp, if it has one."""
        return {STAMP: self.stamp} if self.stamp else {}


@dataclass(frozen=True)
class Stat:
    """What a bucket says of an object without its content."""

    size: int | None
    stamp: str | None
    """The stamp of the write that made it, if that was a swap."""
    md5: str | None = None
    """The MD5 checksum of its content in base64, where the bucket knows it."""


class BucketStorage(Storage):
    """A bucket, or what lies below a prefix of it, as `Storage`, which says what the methods do.

    A subclass says how its service makes the requests (`_upload`, `_fetch`, `_stat`, `_keys`, `_has_content`
    and `_try_write`, which retry for `_retry_seconds`) and what its library's errors mean
    (`_is_from_library`, `_refusal_of` and `_said`). A key is an object's name after the prefix.
    """

    _copy_command: str
    """The shell command that copies an object, without its arguments."""

    _server: str
    """Who is asked, for the error if there is no answer."""

    def __init__(self, url: str, *, retry_seconds: float) -> None:
        """Split the URL; nothing is sent to the bucket.

        Args:
            url: scheme://bucket or scheme://bucket/prefix.
            retry_seconds: how long a request that fails temporarily is retried.

        Raises:
            ConfigError: `url` has no bucket, or an invalid prefix.
        """
        self._bucket_name, prefix = split_bucket_url(url)
        self._bucket_url = f"{url.partition('://')[0]}://{self._bucket_name}"
        self.url = f"{self._bucket_url}/{prefix}".rstrip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._retry_seconds = retry_seconds
        self._bucket_seen = False

    def fetch_command(self, name: str) -> str:
        """See `Storage.fetch_command`."""
        return f"{self._copy_command} {shlex.quote(self.url_of(name))} ."

    def check_writable(self, folder: str = "") -> None:
        """List one name, then try a write that leaves nothing behind.

        Raises:
            StorageError: the bucket does not exist, or refuses to be listed or written.
            StorageUnavailableError: it did not answer.
        """
        probe = self._key(f"{folder}/writable-{uuid.uuid4().hex}".lstrip("/"))
        with self._errors():
            self._see_bucket()
            self._try_write(probe)

    def create(self, name: str, data: bytes) -> None:
        """See `Storage.create`."""
        self._create(name, BytesIO(data), len(data))

    def create_from_file(self, name: str, path: Path) -> None:
        """See `Storage.create_from_file`."""
        with path.open("rb") as source:
            self._create(name, source, os.fstat(source.fileno()).st_size)

    def _create(self, name: str, source: BufferedIOBase, size: int) -> None:
        upload = Upload(self._key(name), source, size)
        with self._errors():
            # The condition of a large upload is checked after its last byte: ask before the first.
            if (size <= PIECE or self._stat(upload.key) is None) and self._sent(upload):
                return
            # Perhaps this is our own first try, whose answer was lost: then the content is ours.
            same = self._is_same(upload)
        if not same:
            raise ConflictError(f"{self.url_of(name)} already exists with different content")

    def replace(self, name: str, data: bytes, version: str | None) -> None:
        """See `Storage.replace`."""
        upload = Upload(self._key(name), BytesIO(data), len(data), version, uuid.uuid4().hex)
        with self._errors():
            if self._sent(upload):
                return
            # Perhaps this is our own first try, whose answer was lost. Equal content would not show that: two
            # writers that both count from 5 to 6 must not both succeed.
            now = self._stat(upload.key)
        if now is None or now.stamp != upload.stamp:
            raise ConflictError(f"{self.url_of(name)} has changed since it was read: another process wrote it")

    def _sent(self, upload: Upload) -> bool:
        sent = self._upload(upload)
        self._bucket_seen |= sent
        return sent

    def _is_same(self, upload: Upload) -> bool:
        """Return whether the bucket has the object with the content that was to be uploaded."""
        found = self._stat(upload.key)
        if found is None or found.size != upload.size:
            return False
        upload.source.seek(0)
        return self._has_content(upload.key, found, upload.source)

    def read(self, name: str) -> bytes:
        """See `Storage.read`."""
        return self.read_with_version(name)[0]

    def read_with_version(self, name: str) -> tuple[bytes, str]:
        """See `Storage.read_with_version`."""
        content = BytesIO()
        version = self._download(name, content)
        return content.getvalue(), version

    def download(self, name: str, path: Path) -> None:
        """See `Storage.download`."""
        write_file(path, lambda file: self._download(name, file))

    def _download(self, name: str, file: BinaryIO) -> str:
        """Write an object's content to a file, and return the version that was read."""
        key = self._key(name)
        with self._errors():
            version = self._fetch(key, file)
        if version is None:
            raise ObjectNotFoundError(f"{self.url_of(name)} does not exist")
        self._bucket_seen = True
        return version

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
        with self._errors():
            for key in self._keys(below):
                name = key.removeprefix(self._prefix)
                # Others may have put there what is no name, such as the placeholders of folders.
                if is_name(name):
                    yield name

    def _key(self, name: str) -> str:
        return self._prefix + check_name(name)

    def _see_bucket(self) -> None:
        """Raise the library's error if there is no bucket: most answers say only that there is no object."""
        if not self._bucket_seen:
            next(self._keys("", page=1), None)
            self._bucket_seen = True

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the errors of the library into one line each."""
        try:
            yield
        except Exception as error:
            if not self._is_from_library(error):
                raise
            raise self._our_error(error) from error

    def _our_error(self, error: Exception) -> SweepError:
        if refusal := self._refusal_of(error):
            return StorageError(f"{self._bucket_url} {refusal}")
        tries = f"asked {self._server} for {self._retry_seconds:g} s"
        return StorageUnavailableError(f"{self._bucket_url} is not available: {self._said(error)} ({tries})")

    @abstractmethod
    def _try_write(self, key: str) -> None:
        """Find out whether an object that does not exist could be written; leave nothing behind.

        Raises:
            StorageError: the bucket ignores conditions.
        """

    @abstractmethod
    def _upload(self, upload: Upload) -> bool:
        """Write an object, whole or not at all; return False if its condition did not hold."""

    @abstractmethod
    def _fetch(self, key: str, file: BinaryIO) -> str | None:
        """Write an object's content to a file.

        Returns:
            The version of exactly that content; None if the bucket is there, but not the object.
        """

    @abstractmethod
    def _stat(self, key: str) -> Stat | None:
        """Return what is known of an object; None if there is none, or no bucket."""

    @abstractmethod
    def _has_content(self, key: str, found: Stat, source: BufferedIOBase) -> bool:
        """Return whether an object has the content of a local source, whose size it has."""

    @abstractmethod
    def _keys(self, prefix: str, page: int = NAMES_ASKED) -> Iterator[str]:
        """Yield the keys that begin with a prefix, sorted, asking for so many at a time."""

    @abstractmethod
    def _is_from_library(self, error: Exception) -> bool:
        """Return whether an error is about the bucket; any other is a bug, or about a local file."""

    @abstractmethod
    def _refusal_of(self, error: Exception) -> str | None:
        """Return why storage refuses permanently and what to do about it; None if another try may help."""

    @abstractmethod
    def _said(self, error: Exception) -> str:
        """Return what storage answered, on one short line; the error's name if it did not answer."""
