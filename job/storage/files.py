"""Local files that appear whole or not at all, and the errors of the file system, one line each."""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from job.errors import StorageError, StorageUnavailableError

COPY_BYTES = 1 << 20
"""How much of a file is copied at a time."""

# What to do about each error that the same call would meet again. Any other error may be temporary.
_NAME_TAKEN = "another file or folder already has that name: move it, or choose another folder"
_NO_LOCKS = "choose a folder on a file system with locks (flock)"
REMEDIES = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "give this user access or choose another folder"),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space or choose another folder"),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST, errno.EISDIR), _NAME_TAKEN),
    **dict.fromkeys((errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS), _NO_LOCKS),
    errno.EROFS: "choose a folder that is not read-only",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f)",
    errno.ENOENT: "no folder can be made there: choose another one",
    errno.ENAMETOOLONG: "choose a folder with a shorter path",
    errno.ELOOP: "its symbolic links form a loop: choose another folder",
}


@contextmanager
def os_errors(action: str, path: Path) -> Iterator[None]:
    """Turn an OSError of the block into one line: StorageError, or StorageUnavailableError if it may be temporary.

    The line says what was tried, `action` being "read" or "write", and on which `path`.
    """
    try:
        yield
    except OSError as error:
        reason = f"cannot {action} {path}: {error.strerror or type(error).__name__}"
        if remedy := REMEDIES.get(error.errno or 0):
            raise StorageError(f"{reason}; {remedy}") from error
        raise StorageUnavailableError(reason) from error


@contextmanager
def staged(target: Path, fill: Callable[[BinaryIO], object]) -> Iterator[Path]:
    """Give the path of a finished, synced temporary file beside `target`; it is removed after the block."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        # Not mkstemp: its mode 0600 would outlive the renaming. "x" takes the umask's mode.
        with temporary.open("xb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def write_file(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Write a local file with what `fill` writes, whole or not at all, replacing any that is there.

    Raises:
        StorageError: the file cannot be written there.
        StorageUnavailableError: it could not be written now.
    """
    with os_errors("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with staged(path, fill) as temporary:
            temporary.replace(path)
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush the folder's entries to disk, if the file system supports it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)
