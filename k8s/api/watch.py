"""Follows objects of a kind through closed connections, expired versions and restarts of the API server."""

import queue
import random
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from job.errors import SweepError
from k8s.api.client import Cluster, Object
from k8s.api.errors import ExpiredError, UnavailableError

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
PATIENCE_SECONDS = 600.0
"""How long the cluster may be silent: an upgrade of a managed control plane takes minutes."""

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"
"""The API's own types of changes to an object."""
BEGIN, END = "LISTING", "LISTED"
"""Between these two, all existing objects arrive; any object known before that does not arrive is gone."""
SILENT, ANSWERS = "SILENT", "ANSWERS"
"""The cluster does not answer and is asked again; the cluster answers again."""
TICK = "TICK"
"""Nothing has happened for a while."""


@dataclass(frozen=True)
class Change:
    """Something that happened; `type` is one of the constants above."""

    type: str
    kind: str = ""
    object: Object = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True)
class WatchTarget:
    """The objects to follow."""

    kind: str
    labels: str = ""
    fields: str = ""


class Backoff:
    """Exponential backoff with jitter, so that a thousand clients do not come back at the same moment."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        """Take how long to keep trying, in seconds."""
        self._patience = patience
        self.tries = 0
        self._since = 0.0

    def reset(self) -> bool:
        """Start over, since the cluster has answered; return whether it had been silent for more than one try."""
        silent, self.tries = self.tries > 1, 0
        return silent

    def next(self, error: SweepError) -> float:
        """Return the seconds to wait before the next try.

        Raises:
            SweepError: the given error, if it has persisted for too long.
        """
        self._since = self._since if self.tries else time.monotonic()
        if time.monotonic() - self._since > self._patience:
            raise error
        pause = min(FIRST_PAUSE * 2.0**self.tries, LONGEST_PAUSE)
        self.tries += 1
        return pause * random.uniform(0.5, 1.0)  # noqa: S311


def follow(
    cluster: Cluster,
    target: WatchTarget,
    sleep: Callable[[float], object] = time.sleep,
    backoff: Backoff | None = None,
) -> Iterator[Change]:
    """Yield all existing objects, then their changes, without end.

    Raises:
        RefusedError: the credentials do not allow it.
        UnavailableError: the cluster has not answered for `PATIENCE_SECONDS`.
    """
    backoff = backoff or Backoff()
    version = ""
    while True:
        asked = time.monotonic()
        try:
            if not version:
                version = yield from _listed_objects(cluster, target)
            for change in cluster.watch(target.kind, version, labels=target.labels, fields=target.fields):
                if backoff.reset():
                    yield Change(ANSWERS)
                version = change["object"]["metadata"]["resourceVersion"]
                if change["type"] != "BOOKMARK":
                    yield Change(change["type"], target.kind, change["object"])
            # Do not flood a server that ends each watch immediately.
            sleep(max(0.0, FIRST_PAUSE - (time.monotonic() - asked)))
        except ExpiredError as error:
            version = ""
            sleep(backoff.next(error))
        except UnavailableError as error:
            if backoff.tries:
                yield Change(SILENT, words=str(error))
            sleep(backoff.next(error))


def _listed_objects(cluster: Cluster, target: WatchTarget) -> Generator[Change, None, str]:
    """Yield all existing objects; return the version from which a watch continues."""
    version = ""
    yield Change(BEGIN, target.kind)
    for page in cluster.list_pages(target.kind, labels=target.labels, fields=target.fields):
        version = page.version
        yield from (Change(ADDED, target.kind, item) for item in page.items)
    yield Change(END, target.kind)
    return version


def list_all(cluster: Cluster, target: WatchTarget) -> Iterator[Object]:
    """Yield all existing objects; if the cluster does not answer, it is asked again, and some may come twice.

    Raises:
        RefusedError: the credentials do not allow it.
        UnavailableError: the cluster has not answered for `PATIENCE_SECONDS`.
    """
    backoff = Backoff()
    while True:
        try:
            yield from cluster.list_objects(target.kind, labels=target.labels, fields=target.fields)
        except (ExpiredError, UnavailableError) as error:
            time.sleep(backoff.next(error))
        else:
            return


class Follower:
    """Follows several kinds at the same time, each in a thread of its own; use it as a context manager.

    The threads wait while nobody takes the changes, so that a list of any length needs little memory.
    """

    def __init__(self, cluster: Cluster, targets: Sequence[WatchTarget]) -> None:
        """Take what to follow; no request is sent yet."""
        self._cluster = cluster
        self._targets = targets
        self._queue: queue.Queue[Change | Exception] = queue.Queue(maxsize=1000)
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        """Start the threads."""
        for target in self._targets:
            threading.Thread(target=self._run, args=(target,), daemon=True, name=f"watch {target.kind}").start()
        return self

    def __exit__(self, *_: object) -> None:
        """Tell the threads to end; each does so at the next change or the end of its watch."""
        self._stop.set()

    def changes(self, tick: float = 1.0) -> Iterator[Change]:
        """Yield the changes, and TICK whenever `tick` seconds pass without one; without end.

        Raises:
            SweepError: any error that `follow` raises in one of the threads.
        """
        while True:
            try:
                item = self._queue.get(timeout=tick)
            except queue.Empty:
                yield Change(TICK)
                continue
            if isinstance(item, Exception):
                raise item
            yield item

    def _run(self, target: WatchTarget) -> None:
        try:
            for change in follow(self._cluster, target, self._stop.wait):
                if not self._put(change):
                    return
        except Exception as error:
            self._put(error)

    def _put(self, item: Change | Exception) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=1)
            except queue.Full:
                continue
            return True
        return False
