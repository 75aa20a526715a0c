"""What a trial's result.json holds, as types."""

import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from job.errors import DamagedResultError
from job.runs.layout import result_of

MOST_SECONDS = 1e9
"""More seconds than anything takes: a larger number is not a duration."""


@dataclass(frozen=True)
class Outcome:
    """The numbers of one trial; an epoch of None is beyond what was observed.

    Attributes:
        replicates: how many random starts were trained.
        solved: how many of them solved the problem.
        share_solved: solved / replicates.
        share_low: lower end of the share's 95% interval.
        share_high: upper end of the share's 95% interval.
        median: first epoch by which half of the replicates have solved it.
        median_low: lower end of the median's 95% interval, in epochs.
        median_high: upper end of the median's 95% interval, in epochs.
        q10: first epoch by which 10% have solved it.
        q90: first epoch by which 90% have solved it.
    """

    replicates: int
    solved: int
    share_solved: float
    share_low: float
    share_high: float
    median: int | None
    median_low: int | None
    median_high: int | None
    q10: int | None
    q90: int | None


@dataclass(frozen=True)
class ChosenReplicate:
    """The replicate whose network is kept as the trial's model."""

    seed: int
    """The seed of its initial weights."""
    epochs_to_solve: int | None
    """None if it is censored."""
    epochs_trained: int


def _seconds(value: object) -> float | None:
    is_time = isinstance(value, int | float) and 0 <= value < MOST_SECONDS
    return float(value) if is_time and isinstance(value, int | float) else None


_Time = Annotated[float | None, BeforeValidator(_seconds), PlainSerializer(lambda value: value and round(value, 3))]


class Seconds(BaseModel):
    """How long the parts of an attempt took, in seconds; None is unknown."""

    model_config = ConfigDict(frozen=True)

    start: _Time = None
    """Starting TensorFlow, if the trial was the first in its process."""
    compile: _Time = None
    """Tracing and compiling the training loop."""
    train: _Time = None
    """The training itself."""
    other: _Time = None
    """Drawing the initial weights, writing the files."""

    @property
    def total(self) -> float:
        """The sum of the known parts."""
        return math.fsum(self.parts.values())

    @property
    def parts(self) -> dict[str, float]:
        """The known parts, in chronological order: name -> seconds."""
        return {part: value for part in Seconds.model_fields if (value := getattr(self, part)) is not None}


class Summary(BaseModel):
    """The numbers of a trial, for people and logs; the leaderboard computes its own from replicates.csv.

    In result.json and in logs it is one flat object, in which the names of the chosen replicate's numbers begin
    with `chosen_`, and those of the times end with `_seconds`.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    replicate_epochs: int
    """How many epochs were trained, summed over the replicates."""
    chosen: ChosenReplicate
    device: str
    """Where it was trained: `cpu` or `gpu`."""
    seconds: Seconds = Seconds()

    @model_validator(mode="before")
    @classmethod
    def _from_flat(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "outcome" in value:
            return value
        return {
            "outcome": {name: value[name] for name in Outcome.__dataclass_fields__ if name in value},
            "chosen": {
                name.removeprefix("chosen_"): of for name, of in value.items() if name.startswith("chosen_")
            },
            "seconds": {
                name.removesuffix("_seconds"): of for name, of in value.items() if name.endswith("_seconds")
            },
            **{name: value[name] for name in ("replicate_epochs", "device") if name in value},
        }

    @model_serializer(mode="wrap")
    def _to_flat(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        parts = handler(self)
        return {
            **parts["outcome"],
            "replicate_epochs": self.replicate_epochs,
            **{f"chosen_{name}": of for name, of in parts["chosen"].items()},
            "device": self.device,
            **{f"{name}_seconds": of for name, of in parts["seconds"].items() if of is not None},
        }

    def record(self) -> dict[str, Any]:
        """Return it as the flat object that result.json and the logs hold."""
        return self.model_dump(mode="json")


class StoredFile(BaseModel):
    """A file of the attempt that counts."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Its name in the attempt's folder."""
    size: int
    """In bytes."""
    sha256: str
    """Its content's checksum, in hexadecimal."""


class TrialResult(BaseModel):
    """What result.json holds: the trial's summary, and the files behind it."""

    model_config = ConfigDict(frozen=True)

    trial: str
    """The trial's name."""
    index: int
    """The trial's index in the grid."""
    attempt: Annotated[str, Field(pattern=r"^[\w-]+$")]
    """The attempt that counts."""
    config_hash: str
    """`Settings.hash` of the sweep that it belongs to."""
    summary: Summary
    files: tuple[StoredFile, ...]
    """The attempt's files."""


class FailedTrial(BaseModel):
    """A trial without a result, as the driver's summary.json lists it."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    trial: str
    """The trial's name."""
    index: int | None = None
    """The trial's index in the grid."""
    reason: str | None = None
    """One word, for programs: Kubernetes's own if it has one, such as OOMKilled."""
    why: str
    """One line, for people."""
    exit_code: int | None = None
    """The exit code of the container that failed."""
    attempt: int | None = None
    """The attempt that failed last; the first is 1."""
    pod: str | None = None
    """That attempt's pod."""
    node: str | None = None
    """Where it ran."""
    log: tuple[str, ...] = ()
    """The last lines of its log."""


def damaged_result(trial: str, what: str) -> DamagedResultError:
    """Return the error for a trial whose result exists but cannot be used; what is done is never overwritten.

    Args:
        trial: the trial's name.
        what: what is wrong with its result, and where that is.
    """
    return DamagedResultError(f"{what}; to train it again, remove {result_of(trial)} and run the sweep again")
