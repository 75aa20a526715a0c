"""Where results are kept: one small interface over a local folder and a gs:// bucket.

Objects are created once and never half seen; the few that change are swapped, each writer proving that it
saw the version it replaces. That is all that concurrent, restarted and killed runs need from storage, and
both kinds give it: https://cloud.google.com/storage/docs/consistency and, for folders, link(2) and rename(2).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from job.errors import ConfigError
from job.storage.local import LocalStorage

# How long a request is tried again before the run hears of it. A minute holds about a dozen tries: it
# outlives the usual burst of 429 and 503, and is short enough that a pod with no network fails, and is
# started elsewhere, instead of holding its machine. (The library's own limit is two minutes.)
# https://cloud.google.com/storage/docs/retry-strategy
RETRY_SECONDS = 60.0


class Storage(Protocol):
    """Named objects, in a folder or a bucket; both kinds pass the same tests.

    A name is parts joined by "/", as in "trials/0001/metrics.csv". No part is empty, longer than 240 bytes,
    starts with a dot or holds a backslash or a control character: any other name raises ValueError. One
    object's name must not be the folder of another's, which a bucket would allow and a folder cannot hold.

    Every method may also raise StorageError, where storage refuses for good (no permission, no bucket, a
    full disk), and StorageUnavailableError, where another try may help. A single instance may be shared by
    threads; another process opens its own.
    """

    url: str
    """What a person calls this place: "./out" or "gs://bucket/prefix"."""

    def check_writable(self, folder: str = "") -> None:
        """Find out before a run whether objects could be written below a folder; leave nothing behind.

        Raises:
            ConfigError: the local folder cannot be written.
            StorageError: the bucket does not exist or refuses.
            StorageUnavailableError: the bucket did not answer; the file system of the folder failed.
        """

    def create(self, name: str, data: bytes) -> None:
        """Write a new object, whole or not at all; nothing happens where it exists with the same content.

        That makes it safe to repeat: a try whose answer was lost is told from another's object.

        Raises:
            ConflictError: it exists already, with other content.
        """

    def create_from_file(self, name: str, path: Path) -> None:
        """Do as `create` with the content of a local file, of any size, in bounded memory.

        Raises:
            ConflictError: the object exists already, with other content.
            OSError: the local file cannot be read.
        """

    def replace(self, name: str, data: bytes, version: str | None) -> None:
        """Swap an object's content, if nobody has written it since that version was read.

        Of several writers that hold the same version just one succeeds, whatever they write. The loser reads
        again: it may, rarely, find that its own write had landed before somebody else's.

        Args:
            name: the object.
            data: its new content.
            version: what `read_with_version` gave, or None where the object must not exist yet.

        Raises:
            ConflictError: the object has another version, or exists, or is gone.
        """

    def read(self, name: str) -> bytes:
        """Return an object's content.

        Raises:
            ObjectNotFoundError: there is no such object.
        """

    def read_with_version(self, name: str) -> tuple[bytes, str]:
        """Return an object's content and the version of just that content, for `replace`.

        Raises:
            ObjectNotFoundError: there is no such object.
        """

    def download(self, name: str, path: Path) -> None:
        """Copy an object, of any size and in bounded memory, to a local file, whole or not at all.

        Raises:
            ObjectNotFoundError: there is no such object; a file at `path` stays as it was.
            StorageError: the local file cannot be written.
        """

    def exists(self, name: str) -> bool:
        """Say whether there is an object of that name."""

    def list(self, folder: str = "") -> Iterator[str]:
        """Yield the names of all objects below a folder, sorted by their UTF-8 bytes, page by page.

        Args:
            folder: as "trials/0001", which is not "trials/00012"; "" for all. If absent, there are no names.

        Returns:
            Names as the other methods take them. What could not be such a name (dot-files) is left out.
        """


def open_storage(url: str, *, retry_seconds: float = RETRY_SECONDS) -> Storage:
    """Choose the storage that a URL means; reads and writes nothing yet.

    Args:
        url: "gs://bucket", "gs://bucket/prefix" or the path of a local folder.
        retry_seconds: for gs://, how long a request that fails for a passing reason is tried again.

    Returns:
        The storage; `check_writable` says whether it is there.

    Raises:
        ConfigError: `url` is neither, or begins with the home folder of nobody, or STORAGE_EMULATOR_HOST is no URL.
        StorageError: gs:// without credentials, or with a bucket name that cannot be.
    """
    if not url or url != url.strip() or not url.isprintable():
        raise ConfigError(f"{url!r} is not a place for results: name a folder, or gs://bucket/prefix")
    if url.startswith("gs://"):
        # Half a second of imports that --help and local runs do without.
        from job.storage.gcs import GcsStorage

        return GcsStorage(url, retry_seconds=retry_seconds)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/|gs:", url, re.IGNORECASE):
        raise ConfigError(f"{url!r} is not a place for results: it must be a folder or gs://bucket/prefix")
    return LocalStorage(url)
