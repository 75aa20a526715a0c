"""The log of an attempt: each line names the trial, goes to the sink, and is kept for log.jsonl."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from job import logs
from job.runs.layout import LOG
from job.training.loop import Progress

MILESTONES = tuple(10**power * step for power in range(6) for step in (1, 2, 5))
"""The epochs whose accuracy is logged: growing, so that a log stays short however long the training is."""


class Milestone(NamedTuple):
    """An epoch that is logged: loss and accuracy averaged over a block, and how many of it are solved."""

    epoch: int
    loss: float
    accuracy: float
    solved: int


def milestones(progress: Progress) -> Iterator[Milestone]:
    """Yield those epochs of a segment that are in `MILESTONES`."""
    first = progress.epoch - len(progress.accuracy) + 1
    for epoch in MILESTONES:
        if first <= epoch <= progress.epoch:
            at = epoch - first
            yield Milestone(epoch, float(progress.loss[at]), float(progress.accuracy[at]), int(progress.solved[at]))


class AttemptLog:
    """The log lines of one attempt."""

    def __init__(self, sink: logs.Sink, trial: str) -> None:
        """Take the sink for each line, and the name of the trial."""
        self._sink = sink
        self._trial = trial
        self._lines: list[logs.Event] = []

    def say(self, message: str, *, severity: str = "INFO", **fields: Any) -> None:
        """Log a message with any further fields that JSON can hold."""
        line = logs.event(f"{self._trial}: {message}", severity=severity, trial=self._trial, **fields)
        self._lines.append(line)
        self._sink(line)

    def say_progress(self, progress: Progress) -> None:
        """Log the milestones of a segment."""
        block = f"block {progress.block} of {progress.blocks}, " if progress.blocks > 1 else ""
        for milestone in milestones(progress):
            self.say(
                f"{block}epoch {milestone.epoch}: accuracy {milestone.accuracy:.3f}, "
                f"{milestone.solved} of {progress.replicates} solved",
                epoch=milestone.epoch,
                accuracy=round(milestone.accuracy, 6),
                loss=round(milestone.loss, 6),
                solved=milestone.solved,
                replicates=progress.replicates,
                block=progress.block,
            )

    def write(self, folder: Path) -> None:
        """Write all lines so far as log.jsonl into a local folder.

        Raises:
            OSError: it cannot be written.
        """
        text = "".join(logs.event_json(line) + "\n" for line in self._lines)
        (folder / LOG).write_text(text, encoding="utf-8")
