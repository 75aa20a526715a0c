"""SIGTERM and Ctrl-C: save what can be saved, then end, within 10 seconds whatever the process is busy with."""

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
"""A spot node gives a pod about 15 seconds, and the promise is 10: past 6 the process ends unsaved."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Turns SIGTERM and SIGINT into a question that the training asks between two segments.

    Use it as a context manager in the main thread. Python runs a signal's handler only when C++ code
    (a compilation, say) gives control back; the byte that the interpreter writes to the wakeup socket
    comes at once, so a thread that waits for it can end the process in time.
    """

    def __init__(self, last_words: Callable[[InterruptedRunError], None] = lambda _: None) -> None:
        """Take what prints the error's line when the process must end in the middle of something."""
        self.last_words = last_words
        self.signal_number: int | None = None
        self._at_once = False

    def __call__(self) -> bool:
        """Say whether the process was told to stop."""
        return self.signal_number is not None

    def error(self) -> InterruptedRunError:
        """Return the error that ends the process with the signal's exit code."""
        number = self.signal_number or signal.SIGTERM
        return InterruptedRunError(f"stopped by {signal.Signals(number).name}; what was finished is kept", number)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within, a signal ends the process immediately: there is nothing to save yet.

        No exception is raised there: imports of other libraries swallow those, and go on half done.

        Raises:
            InterruptedRunError: it was told to stop before.
        """
        before, self._at_once = self._at_once, True
        try:
            if self():
                raise self.error()
            yield
        finally:
            self._at_once = before

    def __enter__(self) -> Self:
        """Take over the two signals."""
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._old_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._old_handlers = [signal.signal(number, self._handle) for number in _SIGNALS]
        threading.Thread(target=self._watch, daemon=True, name="stop request").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the two signals back."""
        for number, handler in zip(_SIGNALS, self._old_handlers, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        self._writer.close()

    def _handle(self, number: int, _: FrameType | None) -> None:
        self.signal_number = self.signal_number or number

    def _end_now(self) -> None:
        self.last_words(self.error())
        os._exit(self.error().exit_code)

    def _watch(self) -> None:
        while byte := self._reader.recv(1):
            if byte[0] in _SIGNALS:
                self.signal_number = self.signal_number or byte[0]
                if self._at_once:
                    self._end_now()
                ending = threading.Timer(GRACE_SECONDS, self._end_now)
                ending.daemon = True
                ending.start()
        self._reader.close()
