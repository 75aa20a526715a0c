"""What every storage backend promises, and the rules that they share.

Objects are created once and never seen half-written; the few that change are swapped, each writer proving
that it saw the version it replaces. That is all that concurrent, restarted and killed runs need from storage.

To add a backend: one file beside this one with a subclass of `Storage`, one line in `job.storage`'s table of
schemes, and one fixture in tests/conftest.py, `<scheme>_url`, which puts it through the tests of all backends.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from job.errors import ConfigError

# One part of a name: no leading dot (such files are hidden), no separator, no control character, no
# half of a surrogate pair (a file name that is not UTF-8).
_PART = re.compile(r"[^./\\\x00-\x1f\x7f\ud800-\udfff][^/\\\x00-\x1f\x7f\ud800-\udfff]*")
# File systems allow 255 bytes a part, and the lock file needs six; buckets allow 1024 a name, prefix included.
_PART_BYTES, _NAME_BYTES = 240, 700


def is_name(name: str) -> bool:
    """Say whether every backend can hold an object of that name, and list it again.

    Local folders have the narrowest rules; they hold for buckets too, so that results can be copied either way.
    """
    parts = name.split("/")
    # The pattern comes first: it refuses what cannot be encoded.
    return (
        all(_PART.fullmatch(part) and len(part.encode()) <= _PART_BYTES for part in parts)
        and len(name.encode()) <= _NAME_BYTES
    )


def check_name(name: str) -> str:
    """Return `name` as it is, or raise ValueError: names are the program's own, so a wrong one is a bug."""
    if not is_name(name):
        raise ValueError(
            f"{name!r} cannot name an object: it takes parts joined by '/', none of them empty, starting with"
            f" a dot, with a backslash or a control character, or longer than {_PART_BYTES} bytes"
        )
    return name


def split_bucket_url(url: str) -> tuple[str, str]:
    """Split scheme://bucket/prefix into the bucket and the prefix, which is "" where there is none.

    Raises:
        ConfigError: `url` has no bucket, or a prefix that no object's name could begin with.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.rstrip("/").partition("/")
    if not bucket:
        raise ConfigError(f"{url!r} names no bucket: write {scheme}://bucket or {scheme}://bucket/prefix")
    if prefix and not is_name(prefix):
        raise ConfigError(
            f"{url!r} has an invalid prefix: write {scheme}://bucket/prefix, as in {scheme}://bucket/a/b, with no"
            " empty part and none that starts with a dot"
        )
    return bucket, prefix


class Storage(ABC):
    """Named objects in a folder or a bucket; all backends pass the same tests.

    A name is parts joined by "/", as in "trials/0001/metrics.csv". No part is empty, longer than 240 bytes,
    starts with a dot or holds a backslash or a control character: any other name raises ValueError. One
    object's name must not be the folder of another's, which a bucket would allow and a folder cannot hold.

    Every method may also raise StorageError, where storage refuses for good (no permission, no bucket, a
    full disk), and StorageUnavailableError, where another try may help. A single instance may be shared by
    threads; another process opens its own.
    """

    url: str
    """What a person calls this place: "./out" or "gs://bucket/prefix"."""

    local_root: Path | None = None
    """The folder of this machine that holds the objects; None where they are elsewhere."""

    @abstractmethod
    def __init__(self, url: str, *, retry_seconds: float) -> None:
        """Take the place that `url` names; nothing is read or written yet.

        Args:
            url: the place, as a person writes it.
            retry_seconds: how long a request that fails for a passing reason is retried.

        Raises:
            ConfigError: `url` names no place that could exist.
            StorageError: there are no credentials.
        """

    def url_of(self, name: str) -> str:
        """Return what a person calls an object, or a folder of objects: "gs://bucket/prefix/runs/demo"."""
        return f"{self.url.rstrip('/')}/{name}"

    def fetch_command(self, name: str) -> str | None:  # noqa: ARG002
        """Return the shell command that copies an object into the current folder; None where there is none."""
        return None

    @abstractmethod
    def check_writable(self, folder: str = "") -> None:
        """Find out before a run whether objects could be written below a folder; leave nothing behind.

        Raises:
            ConfigError: the local folder cannot be written.
            StorageError: the bucket does not exist or refuses.
            StorageUnavailableError: the bucket did not answer; the file system of the folder failed.
        """

    @abstractmethod
    def create(self, name: str, data: bytes) -> None:
        """Write a new object, whole or not at all; nothing happens where it exists with the same content.

        That makes it safe to repeat: a try whose answer was lost is told from another's object.

        Raises:
            ConflictError: it exists already, with other content.
        """

    @abstractmethod
    def create_from_file(self, name: str, path: Path) -> None:
        """Do as `create` with the content of a local file, of any size, in bounded memory.

        Raises:
            ConflictError: the object exists already, with other content.
            OSError: the local file cannot be read.
        """

    @abstractmethod
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

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return an object's content.

        Raises:
            ObjectNotFoundError: there is no such object.
        """

    @abstractmethod
    def read_with_version(self, name: str) -> tuple[bytes, str]:
        """Return an object's content and the version of just that content, for `replace`.

        Raises:
            ObjectNotFoundError: there is no such object.
        """

    @abstractmethod
    def download(self, name: str, path: Path) -> None:
        """Copy an object, of any size and in bounded memory, to a local file, whole or not at all.

        Raises:
            ObjectNotFoundError: there is no such object; a file at `path` stays as it was.
            StorageError: the local file cannot be written.
        """

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Say whether there is an object of that name."""

    @abstractmethod
    def list(self, folder: str = "") -> Iterator[str]:
        """Yield the names of all objects below a folder, sorted by their UTF-8 bytes, page by page.

        Args:
            folder: as "trials/0001", which is not "trials/00012"; "" for all. If absent, there are no names.

        Returns:
            Names as the other methods take them. What could not be such a name (dot-files) is left out.
        """
