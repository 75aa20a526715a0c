"""The lines of the log of a pod, and what each of them says."""

import json
from dataclasses import dataclass

from job.errors import SweepError
from k8s.api.client import Cluster, Object
from k8s.observe.containers import TRIAL_CONTAINER

MOST_LOG_BYTES = 8192
"""How many bytes to read for the last lines of a log: a line may have any length."""
LOG_REMOVED = b"unable to retrieve container logs for "
"""How the kubelet's message begins, in place of the log, when it has removed the container."""


def last_lines(cluster: Cluster, pod: Object, lines: int) -> tuple[str, ...]:
    """Return the last lines of the log of the trial in a pod, or none if they cannot be read."""
    name = pod["metadata"]["name"]
    try:
        found = list(cluster.log(name, container=TRIAL_CONTAINER, tailLines=lines, limitBytes=MOST_LOG_BYTES))
    except SweepError:
        return ()
    return tuple(line.decode(errors="replace") for line in found if not line.startswith(LOG_REMOVED))


@dataclass(frozen=True)
class LogLine:
    """What a line of a pod's log says."""

    message: str
    trial: str | None
    """The trial that it is about, if it names one."""


def parse_log_line(line: str) -> LogLine:
    """Parse an event of this program; for any other line, the message is the line itself."""
    try:
        event = json.loads(line)
        return LogLine(str(event["message"]), event.get("trial"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return LogLine(line, None)
