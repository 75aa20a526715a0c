"""`python -m job` is the console script `xor-sweep`."""

import os
import signal

# Before the imports, which take most of a second: process 1 of a container does not die of SIGTERM by itself.
signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))

from job.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
