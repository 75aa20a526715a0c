"""The lines of the log of a pod, and what each of them says."""

import json

from job.errors import SweepError
from k8s.api.client import Cluster, Object
from k8s.observe.containers import TRIAL

MOST_BYTES = 8192
"""So much of a log's end is read for its last lines: one line may be of any length."""
LOG_REMOVED = b"unable to retrieve container logs for "
"""So the kubelet says, as if it were the log, that it has removed the container."""


def last_lines(cluster: Cluster, pod: Object, lines: int) -> tuple[str, ...]:
    """Return the end of a pod's log; nothing where it is not to be had."""
    try:
        found = list(cluster.log(pod["metadata"]["name"], container=TRIAL, tailLines=lines, limitBytes=MOST_BYTES))
    except SweepError:
        return ()
    return tuple(line.decode(errors="replace") for line in found if not line.startswith(LOG_REMOVED))


def message_of(line: str) -> tuple[str, str | None]:
    """Return a log line's message, which is the line itself where it is no JSON, and the trial that it names."""
    try:
        event = json.loads(line)
        return str(event["message"]), event.get("trial")
    except (ValueError, KeyError, TypeError, AttributeError):
        return line, None
