"""Results in a local folder: each object is a file, and each file appears whole or not at all.

A new file is written under a temporary dot-name in the folder where it belongs, flushed to disk with fsync, and
then given its name in one step: link(2), which fails if the name is taken
(https://man7.org/linux/man-pages/man2/link.2.html), or rename(2) under a lock. At whatever line the process is
killed, the worst that it leaves is a dot-file, and `LocalStorage.list` shows none of those.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BytesIO
from pathlib import Path

from job.errors import ConfigError, ConflictError, ObjectNotFoundError, StorageUnavailableError
from job.storage.base import Storage, check_name, is_name
from job.storage.files import COPY_BYTES, REMEDIES, os_errors, staged, sync_folder, write_file

# What link(2) answers on a file system that has no hard links.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Hold the lock that all writers of `target` take: https://man7.org/linux/man-pages/man2/flock.2.html."""
    # The lock file stays: if it were removed, a third process could lock a new one while a second still waits.
    descriptor = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _name_new(temporary: Path, target: Path) -> bool:
    """Give a finished file its name, unless a file already has it; return whether it did."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        if target.is_file():
            return False
        raise  # A folder, or a link to nothing, is not an object: nobody will read or replace it.
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with _locked(target):
            if target.exists():
                return False
            temporary.replace(target)
    sync_folder(target.parent)
    return True


def _swap(temporary: Path, target: Path, version: str) -> bool:
    """Replace `target` if it still has this version; return whether it did."""
    with _locked(target):
        try:
            with target.open("rb") as file:
                unchanged = _digest(file) == version
        except FileNotFoundError:
            return False
        if unchanged:
            temporary.replace(target)
            sync_folder(target.parent)
        return unchanged


def _digest(file: BufferedIOBase) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()


def _names_below(folder: Path, prefix: str) -> Iterator[str]:
    """Yield the names of the objects below `folder`, each after `prefix`, in the order of a bucket."""
    try:
        with os.scandir(folder) as entries:
            # A bucket sorts whole names: "a-b" comes before "a/b", so a folder sorts with its slash.
            names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if name.endswith("/"):
            if not name.startswith("."):
                yield from _names_below(folder / name, prefix + name)
        elif is_name(prefix + name):
            yield prefix + name


class LocalStorage(Storage):
    """A folder of this machine as `Storage`, which says what each method does.

    Any number of processes and threads may write at once, on one machine or over a network file system
    that has locks. The version of an object is the SHA-256 of its content: content that changes and
    changes back counts as unchanged.
    """

    def __init__(self, url: str, *, retry_seconds: float = 0) -> None:  # noqa: ARG002
        """Keep the folder's path, where a leading "~" is the home folder; nothing is read or created.

        Raises:
            ConfigError: it begins with "~" and a name that no user has.
        """
        self.url = url
        path = os.path.expanduser(url)
        if path.startswith("~"):
            user = url.partition("/")[0]
            raise ConfigError(f"{url!r}: there is no user {user}; for a local folder of that name, write './{url}'")
        # Absolute, so that a later change of the current folder moves nothing.
        self.local_root: Path = Path(os.path.abspath(path))

    def check_writable(self, folder: str = "") -> None:
        """Write and remove an unnamed file in that folder, or in its nearest parent that exists.

        Raises:
            ConfigError: no file can be written there; the error says why.
            StorageUnavailableError: none can be written there now.
        """
        place = self.local_root / folder
        try:
            while not _is_there(place):
                place = place.parent
            # If the system supports it, this file never has a name: a kill leaves nothing.
            with tempfile.TemporaryFile(dir=place) as file:
                file.write(b"x")
        except OSError as error:
            reason = f"results cannot be written to {self.url}: {place}: {error.strerror}"
            if remedy := REMEDIES.get(error.errno or 0):
                raise ConfigError(f"{reason}; {remedy}") from error
            raise StorageUnavailableError(reason) from error

    def create(self, name: str, data: bytes) -> None:
        """See `Storage.create`."""
        self._create(name, BytesIO(data))

    def create_from_file(self, name: str, path: Path) -> None:
        """See `Storage.create_from_file`."""
        with path.open("rb") as source:
            self._create(name, source)

    def _create(self, name: str, source: BufferedIOBase) -> None:
        target = self._path(name)
        with os_errors("write", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with staged(target, lambda file: shutil.copyfileobj(source, file, COPY_BYTES)) as temporary:
                if _name_new(temporary, target):
                    return
            source.seek(0)
            with target.open("rb") as existing:
                same = _digest(source) == _digest(existing)
        if not same:
            raise ConflictError(f"{target} already exists with different content")

    def replace(self, name: str, data: bytes, version: str | None) -> None:
        """See `Storage.replace`."""
        target = self._path(name)
        with os_errors("write", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with staged(target, lambda file: file.write(data)) as temporary:
                swapped = _name_new(temporary, target) if version is None else _swap(temporary, target, version)
        if not swapped:
            raise ConflictError(f"{target} has changed since it was read: another process wrote it")

    def read(self, name: str) -> bytes:
        """See `Storage.read`."""
        with self._open(name) as file:
            return file.read()

    def read_with_version(self, name: str) -> tuple[bytes, str]:
        """See `Storage.read_with_version`."""
        data = self.read(name)
        return data, _digest(BytesIO(data))

    def download(self, name: str, path: Path) -> None:
        """See `Storage.download`."""
        with self._open(name) as source:
            write_file(path, lambda file: shutil.copyfileobj(source, file, COPY_BYTES))

    def exists(self, name: str) -> bool:
        """See `Storage.exists`."""
        path = self._path(name)
        with os_errors("read", path):
            return path.is_file()

    def list(self, folder: str = "") -> Iterator[str]:
        """See `Storage.list`."""
        below = check_name(folder) + "/" if folder else ""
        with os_errors("read", self.local_root / below):
            yield from _names_below(self.local_root / below, below)

    @contextmanager
    def _open(self, name: str) -> Iterator[BufferedIOBase]:
        path = self._path(name)
        with os_errors("read", path):
            try:
                file = path.open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise ObjectNotFoundError(f"{path} does not exist") from None
            with file:
                yield file

    def _path(self, name: str) -> Path:
        return self.local_root / check_name(name)


def _is_there(path: Path) -> bool:
    """Return whether there is anything at a path; unlike `os.path.lexists`, distinguish absence from an error."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True
