"""Unpacks a tar archive as it arrives from a pod."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from job.errors import ConfigError
from k8s.api.errors import UnavailableError


def unpack_archive(parts: Iterator[bytes], folder: Path) -> None:
    """Unpack an archive as it arrives.

    Raises:
        UnavailableError: the transfer broke off.
        ConfigError: the folder cannot be written.
    """
    try:
        with tarfile.open(fileobj=_Stream(parts), mode="r|") as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if member.isfile() and not name.is_absolute() and ".." not in name.parts:
                    _write_member(archive, member, folder / name)
        for _ in parts:  # Only the end of the stream shows whether the command failed.
            pass
    except tarfile.TarError as error:
        raise UnavailableError(f"the transfer from the cluster broke off: {error}") from error
    except OSError as error:
        raise ConfigError(f"{folder.parent} cannot be written: {error.strerror}") from error


def _write_member(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    stream = archive.extractfile(member)
    with target.open("wb") as copy:
        while stream and (part := stream.read(1 << 20)):
            copy.write(part)


class _Stream(io.RawIOBase):
    """A file whose content arrives in parts."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes; b"" at the end."""
        while not self._rest and (part := next(self._parts, None)) is not None:
            self._rest = part
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        return data
