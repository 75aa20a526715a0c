"""Whether a run can be read from this machine, or only from the pods that mount its volume."""

from pathlib import Path

from job.errors import ConfigError
from job.runs.run import Run

VOLUME = Path("/output")
"""Where the chart mounts the volume claim."""


def is_readable_here(run: Run) -> bool:
    """Return whether the run is in a bucket or a folder on this machine, rather than on a volume of its pods."""
    return run.storage.local_root is None or (_is_mounted(run.storage.local_root) and run.check())


def check_reachable(run: Run) -> None:
    """Check that the run's output can be read from this machine.

    Raises:
        ConfigError: it is a folder of the pods that is not mounted here.
    """
    if run.storage.local_root and not _is_mounted(run.storage.local_root):
        raise ConfigError(
            f"the sweep's output {run.storage.url} can be reached only from its pods: copy it with `xor-sweep "
            "results`, or, if its volume is mounted here, name its folder with --output"
        )


def _is_mounted(output: Path) -> bool:
    """Return whether the output's folder is mounted here; in the volume's folder, the first result creates it."""
    return (VOLUME if output.is_relative_to(VOLUME) else output).is_dir()
