"""`python -m job` is the console script `xor-sweep`."""

import os
import signal

# During the imports, which take most of a second: process 1 of a container does not die of SIGTERM by itself,
# and Ctrl-C would print a traceback.
signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
on_interrupt = signal.getsignal(signal.SIGINT)
if on_interrupt != signal.SIG_IGN:
    signal.signal(signal.SIGINT, lambda number, _: os._exit(128 + number))

from job.cli.main import main  # noqa: E402

signal.signal(signal.SIGINT, on_interrupt)

if __name__ == "__main__":
    main()
