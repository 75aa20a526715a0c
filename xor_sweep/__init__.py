"""xor-sweep in Python: run a sweep, or open an earlier one, and explore what it found.

import xor_sweep

run = xor_sweep.sweep(layers=[1, 2], neurons=[8, 16])
run.leaderboard               # a table in a notebook; .to_pandas() gives a DataFrame
run.picture("survival")       # an SVG picture in a notebook; .save("survival.svg") writes it
run.model("l2-n16")           # the Keras model

xor_sweep.open_run("gs://bucket/prefix/runs/sweep-f572acc9")
"""

from job.errors import (
    ConfigError,
    DamagedResultError,
    DeviceError,
    NothingToDrawError,
    ObjectNotFoundError,
    StorageError,
    StorageUnavailableError,
    SweepError,
)
from xor_sweep.leaderboard import LeaderboardTable
from xor_sweep.picture import SvgPicture
from xor_sweep.run import SweepRun, open_run, sweep

__all__ = [
    "ConfigError",
    "DamagedResultError",
    "DeviceError",
    "LeaderboardTable",
    "NothingToDrawError",
    "ObjectNotFoundError",
    "StorageError",
    "StorageUnavailableError",
    "SvgPicture",
    "SweepError",
    "SweepRun",
    "open_run",
    "sweep",
]
