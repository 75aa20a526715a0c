"""SIGTERM and SIGHUP for commands that have something to take back: a pod, a folder."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from job.errors import InterruptedRunError

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class _StoppedError(BaseException):
    """Passes by what handles errors, as KeyboardInterrupt does."""


@contextmanager
def unwound() -> Iterator[None]:
    """Within, the two signals end the block as Ctrl-C does: what it has begun is taken back, once and in peace.

    Raises:
        InterruptedRunError: one of them came.
    """
    came: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        if not came:
            came.append(number)
            raise _StoppedError

    # Who ignores a signal already (nohup) goes on doing so.
    heeded = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heeded}
    try:
        yield
    except _StoppedError:
        raise InterruptedRunError(f"stopped by {signal.Signals(came[0]).name}", came[0]) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
