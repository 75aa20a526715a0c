"""A pod's termination message: the results of its trials, which Kubernetes keeps in the pod's status.

This makes them visible from anywhere, even if the run is on a cluster volume:
https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from job.runs.results import Outcome

FILE = Path("/dev/termination-log")
"""Where Kubernetes looks for the message; the file exists in its containers."""

MOST_MESSAGE_BYTES = 4096
"""Kubernetes truncates a longer message."""


@dataclass(frozen=True)
class KeyNumbers:
    """What `xor-sweep status` shows about a trial that is done; an epoch of None is beyond the limit."""

    median: int | None
    median_low: int | None
    median_high: int | None
    share_solved: float | None

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """Return the key numbers of an outcome."""
        return cls(outcome.median, outcome.median_low, outcome.median_high, outcome.share_solved)


def write_message(outcomes: Mapping[str, Outcome]) -> None:
    """Write as many of the pod's trial results as there is room for; outside a pod, do nothing.

    Args:
        outcomes: the trial's name -> its outcome.
    """
    text = "{}"
    kept: dict[str, dict[str, object]] = {}
    for trial, outcome in outcomes.items():
        kept[trial] = asdict(KeyNumbers.of(outcome))
        longer = json.dumps(kept, separators=(",", ":"))
        if len(longer) > MOST_MESSAGE_BYTES:
            break
        text = longer
    # Not write_text: that would create the file if there is none.
    with suppress(OSError), FILE.open("r+") as file:
        file.truncate()
        file.write(text)


def read_message(message: str) -> dict[str, KeyNumbers]:
    """Return what `write_message` wrote: the trial's name -> its numbers; nothing for any other message."""
    names = KeyNumbers.__dataclass_fields__
    try:
        found = json.loads(message)
        return {trial: KeyNumbers(**{name: of[name] for name in names}) for trial, of in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
