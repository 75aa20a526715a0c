"""How a command responds to a signal: training saves what it can; a command that has begun something undoes it."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

from job.errors import InterruptedRunError

GRACE_SECONDS = 6.0
"""A spot node gives a pod about 15 seconds, and we promise 10: after 6, the process ends without saving."""

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_UNWINDING = (signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Turns SIGTERM and SIGINT into a request that training checks for between segments.

    Use it as a context manager in the main thread. The process ends within 10 seconds, whatever it is doing:
    Python runs a signal's handler only when C++ code (such as a compilation) returns, but the interpreter writes a
    byte to the wakeup socket immediately, so a thread waiting for the byte can end the process in time.
    """

    def __init__(self, print_error: Callable[[InterruptedRunError], None] = lambda _: None) -> None:
        """Keep the function that prints the error if the process has to end in the middle of something."""
        self.print_error = print_error
        self.signal_number: int | None = None
        self._exits_immediately = False

    def __call__(self) -> bool:
        """Return whether the process was told to stop."""
        return self.signal_number is not None

    def error(self) -> InterruptedRunError:
        """Return the error that ends the process with the signal's exit code."""
        number = self.signal_number or signal.SIGTERM
        return InterruptedRunError(f"stopped by {signal.Signals(number).name}; finished work is kept", number)

    @contextmanager
    def exit_immediately(self) -> Iterator[None]:
        """Let a signal end the process immediately within the block, which has nothing to save.

        The block sees no exception: other libraries' imports would swallow it and continue half done.

        Raises:
            InterruptedRunError: the process was told to stop before the block began.
        """
        before, self._exits_immediately = self._exits_immediately, True
        try:
            if self():
                raise self.error()
            yield
        finally:
            self._exits_immediately = before

    def __enter__(self) -> Self:
        """Take over the two signals."""
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._old_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._old_handlers = [signal.signal(number, self._handle) for number in _STOPPING]
        threading.Thread(target=self._watch, daemon=True, name="stop request").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the previous signal handlers."""
        for number, handler in zip(_STOPPING, self._old_handlers, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        self._writer.close()

    def _handle(self, number: int, _: FrameType | None) -> None:
        self.signal_number = self.signal_number or number

    def _end_now(self) -> None:
        self.print_error(self.error())
        os._exit(self.error().exit_code)

    def _watch(self) -> None:
        while byte := self._reader.recv(1):
            if byte[0] in _STOPPING:
                self.signal_number = self.signal_number or byte[0]
                if self._exits_immediately:
                    self._end_now()
                ending = threading.Timer(GRACE_SECONDS, self._end_now)
                ending.daemon = True
                ending.start()
        self._reader.close()


class _Unwinding(BaseException):
    """Raised by a signal; like KeyboardInterrupt, it passes `except Exception`."""


@contextmanager
def unwind_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the block as Ctrl-C does, so that it removes the pod or folder it has created.

    Only the first signal does so: cleanup is not interrupted.

    Raises:
        InterruptedRunError: one of the two signals arrived.
    """
    received: list[int] = []

    def unwind(number: int, _: FrameType | None) -> None:
        if not received:
            received.append(number)
            raise _Unwinding

    # A signal that is already ignored (nohup) stays ignored.
    heeded = [number for number in _UNWINDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, unwind) for number in heeded}
    try:
        yield
    except _Unwinding:
        raise InterruptedRunError(f"stopped by {signal.Signals(received[0]).name}", received[0]) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
