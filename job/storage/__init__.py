"""Where results are kept: named objects in a local folder or a bucket, one file for each backend.

`open_storage` chooses the backend by the URL's scheme; nobody outside this folder knows a scheme.
"""

import pkgutil
import re
from pathlib import Path

from job.errors import ConfigError
from job.storage.base import Storage

__all__ = ["PLACES", "RETRY_SECONDS", "SCHEMES", "Storage", "is_url", "is_within_reach", "open_storage"]

# The backend of each scheme. It is imported when a URL asks for it: a cloud's library takes half a second,
# which --help and local runs need not spend.
_BACKENDS = {
    "gs": "job.storage.gcs:GcsStorage",
    "s3": "job.storage.s3:S3Storage",
}

SCHEMES = tuple(_BACKENDS)
"""The schemes of the URLs that name a bucket."""

RETRY_SECONDS = 60.0
"""How long a request is retried before its failure reaches the run.

A minute holds about a dozen tries: it outlives the usual burst of 429 and 503, and is short enough that a pod
without a network fails, and is started elsewhere, instead of occupying its machine.
"""

PLACES = f"a folder, or a bucket URL such as {' or '.join(f'{scheme}://bucket/prefix' for scheme in _BACKENDS)}"
"""What can be given as an output, for help texts and errors."""

_LIKE_A_URL = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:/|({'|'.join(_BACKENDS)}):", re.IGNORECASE)


def is_url(word: str) -> bool:
    """Return whether a word is a backend's URL, not the path of a local folder; it may still name no bucket."""
    return word.partition("://")[0] in _BACKENDS and "://" in word


def is_within_reach(url: str, name: str) -> bool:
    """Return whether an object, or a folder of objects, of an output can be sought from this machine; send nothing.

    Args:
        url: the output, as `open_storage` takes it.
        name: the object or the folder.

    Returns:
        True if the output is a bucket, whatever is in it, or if there is such a file or folder on this machine.
    """
    return is_url(url) or Path(url, name).exists()


def open_storage(url: str, *, retry_seconds: float = RETRY_SECONDS) -> Storage:
    """Open the storage that a URL names; nothing is read or written yet.

    Args:
        url: a bucket's URL, such as "gs://bucket" or "gs://bucket/prefix", or the path of a local folder.
        retry_seconds: how long a request to a bucket is retried if it fails temporarily.

    Returns:
        The storage; `check_writable` says whether it is there.

    Raises:
        ConfigError: `url` names no place that could exist, or the backend's library is not installed.
        StorageError: there are no credentials for the bucket.
    """
    if not url or url != url.strip() or not url.isprintable():
        raise ConfigError(f"{url!r} is not a valid output: give {PLACES}")
    if is_url(url):
        backend = _BACKENDS[url.partition("://")[0]]
    elif _LIKE_A_URL.match(url):
        raise ConfigError(f"{url!r} is not a valid output: give {PLACES}")
    else:
        backend = "job.storage.local:LocalStorage"
    opened: Storage = pkgutil.resolve_name(backend)(url, retry_seconds=retry_seconds)
    return opened
