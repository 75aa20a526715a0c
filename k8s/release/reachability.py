"""Whether a run can be read from this machine, or only from the pods that mount its volume."""

from pathlib import Path

from job.errors import ConfigError
from job.runs.run import Run

VOLUME = Path("/output")
"""Where the chart mounts the volume claim."""


def is_readable_here(run: Run) -> bool:
    """Say whether the run is in a bucket, or in a folder that is here; else it is on a volume of its pods."""
    return run.storage.local_root is None or (_is_mounted(run.storage.local_root) and run.check())


def check_reachable(run: Run) -> None:
    """Find out whether the run's output can be seen from here.

    Raises:
        ConfigError: it is a folder of the pods that is not here.
    """
    if run.storage.local_root and not _is_mounted(run.storage.local_root):
        raise ConfigError(
            f"the sweep's output {run.storage.url} is in its pods, not here: `xor-sweep results` copies it, "
            "or --output names it where the volume is mounted here"
        )


def _is_mounted(output: Path) -> bool:
    """Say whether the output's folder is here; below the volume's, it is made with the first result."""
    return (VOLUME if output.is_relative_to(VOLUME) else output).is_dir()
