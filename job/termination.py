"""A pod's termination message: the results of its trials, which Kubernetes keeps in the pod's status.

So they can be seen from anywhere, also where the run lies on a volume of the cluster:
https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

FILE = Path("/dev/termination-log")
"""Where Kubernetes looks for the message; in a container of its own making, the file is there."""

MOST_BYTES = 4096
"""What is longer, Kubernetes cuts off."""

NUMBERS = ("median", "median_low", "median_high", "share_solved")
"""What is kept of a trial's result."""


def write(summaries: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the results of the pod's trials; of many, as many as there is room for. Elsewhere nothing happens.

    Args:
        summaries: the trial's name -> its result's summary.
    """
    text = "{}"
    kept: dict[str, dict[str, Any]] = {}
    for trial, summary in summaries.items():
        kept[trial] = {name: summary.get(name) for name in NUMBERS}
        longer = json.dumps(kept, separators=(",", ":"))
        if len(longer) > MOST_BYTES:
            break
        text = longer
    # Not write_text: that would make the file where there is none.
    with suppress(OSError), FILE.open("r+") as file:
        file.truncate()
        file.write(text)


def read(message: str) -> dict[str, dict[str, Any]]:
    """Return what `write` has written: the trial's name -> its numbers; nothing where a message is another."""
    try:
        found = json.loads(message)
        return {trial: {name: numbers[name] for name in NUMBERS} for trial, numbers in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
