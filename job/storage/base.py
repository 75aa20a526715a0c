"""What every storage backend promises, and the rules that they share.

Objects are created once and never seen half-written; the few that change are swapped, each writer proving
that it saw the version it replaces. That is all that concurrent, restarted and killed runs need from storage.

To add a backend: one file beside this one with a subclass of `Storage` (for a bucket, of `BucketStorage`), one
line in `job.storage`'s table of schemes, and one fixture in tests/conftest.py, `<scheme>_url`, which puts it
through the tests of all backends.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from job.errors import ConfigError

# One part of a name: no leading dot (such files are hidden), no separator, no control character, no
# half of a surrogate pair (a file name that is not UTF-8).
_PART = re.compile(r"[^./\\\x00-\x1f\x7f\ud800-\udfff][^/\\\x00-\x1f\x7f\ud800-\udfff]*")
# File systems allow 255 bytes in a part, and a lock file's name has six more than its object's; buckets allow 1024
# in a name with its prefix.
_PART_BYTES, _NAME_BYTES = 240, 700


def is_name(name: str) -> bool:
    """Return whether every backend can hold an object of that name, and list it again.

    Local folders have the narrowest rules; they hold for buckets too, so that results can be copied either way.
    """
    parts = name.split("/")
    # The pattern comes first: it refuses what cannot be encoded.
    return (
        all(_PART.fullmatch(part) and len(part.encode()) <= _PART_BYTES for part in parts)
        and len(name.encode()) <= _NAME_BYTES
    )


def check_name(name: str) -> str:
    """Return `name` unchanged, or raise ValueError: names are the program's own, so a wrong one is a bug."""
    if not is_name(name):
        raise ValueError(
            f"{name!r} cannot name an object: it takes parts joined by '/', none of them empty, starting with"
            f" a dot, with a backslash or a control character, or longer than {_PART_BYTES} bytes"
        )
    return name


def split_bucket_url(url: str) -> tuple[str, str]:
    """Split scheme://bucket/prefix into the bucket and the prefix, which is "" if there is none.

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

    Every method may also raise StorageError, if storage refuses permanently (no permission, no bucket, a
    full disk), and StorageUnavailableError, if another try may help. A single instance may be shared by
    threads; another process opens its own.
    """

    url: str
    """The place as users write it: "./out" or "gs://bucket/prefix"."""

    local_root: Path | None = None
    """The folder of this machine that holds the objects; None if they are elsewhere."""

    @abstractmethod
    def __init__(self, url: str, *, retry_seconds: float) -> None:
        """Take the place that `url` names; nothing is read or written yet.

        Args:
            url: the place, as users write it.
            retry_seconds: how long a request that fails temporarily is retried.

        Raises:
            ConfigError: `url` names no place that could exist.
            StorageError: there are no credentials.
        """

    def url_of(self, name: str) -> str:
        """Return an object, or a folder of objects, as users write it: "gs://bucket/prefix/runs/demo"."""
        return f"{self.url.rstrip('/')}/{name}"

    def fetch_command(self, name: str) -> str | None:  # noqa: ARG002
        """Return the shell command that copies an object into the current folder; None if there is none."""
        return None

    @abstractmethod
    def check_writable(self, folder: str = "") -> None:
        """Check before a run that objects can be written below a folder; leave nothing behind.

        Raises:
            ConfigError: the local folder cannot be written.
            StorageError: the bucket does not exist or refuses.
            StorageUnavailableError: the bucket did not answer; the file system of the folder failed.
        """

    @abstractmethod
    def create(self, name: str, data: bytes) -> None:
        """Write a new object, whole or not at all; nothing happens if it exists with the same content.

        So it is safe to repeat: a try whose answer was lost is distinguished from another writer's object.

        Raises:
            ConflictError: it already exists with different content.
        """

    @abstractmethod
    def create_from_file(self, name: str, path: Path) -> None:
        """Like `create`, with the content of a local file, of any size, in bounded memory.

        Raises:
            ConflictError: the object already exists with different content.
            OSError: the local file cannot be read.
        """

    @abstractmethod
    def replace(self, name: str, data: bytes, version: str | None) -> None:
        """Replace an object's content, if nobody has written it since that version was read.

        Of several writers that hold the same version exactly one succeeds, whatever they write. The others read
        again; rarely, one finds that its own write had succeeded before somebody else's.

        Args:
            name: the object.
            data: its new content.
            version: what `read_with_version` gave, or None if the object must not exist yet.

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
        """Return an object's content and the version of exactly that content, for `replace`.

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
        """Return whether there is an object of that name."""

    @abstractmethod
    def list(self, folder: str = "") -> Iterator[str]:
        """Yield the names of all objects below a folder, sorted by their UTF-8 bytes, page by page.

        Args:
            folder: as "trials/0001", which is not "trials/00012"; "" for all. If absent, there are no names.

        Returns:
            Names as the other methods take them. Whatever could not have such a name (dot-files) is left out.
        """
