"""What a sweep and its worker processes tell each other, one line of JSON at a time.

The parent sends an `Order`, then one trial's index per line, and finally an empty line; the worker sends messages.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from job.runs.results import TrialResult
from job.settings.sweep import Settings


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True)


class Order(_Line):
    """What a worker is told first."""

    settings: Settings
    run: str
    """The run's name."""
    output: str
    """Where the run is stored."""
    debug: bool


class Ready(_Line):
    """TensorFlow has started."""

    kind: Literal["ready"] = "ready"
    device: str
    """Where the worker trains, `cpu` or `gpu`."""


class Logged(_Line):
    """A trial has logged a line."""

    kind: Literal["log"] = "log"
    line: dict[str, Any]
    """The log line, as `job.logs` has it."""


class Trained(_Line):
    """A segment of a trial was trained."""

    kind: Literal["trained"] = "trained"
    replicate_epochs: int
    """How many epochs, summed over the replicates."""


class Done(_Line):
    """A trial has a result."""

    kind: Literal["done"] = "done"
    result: TrialResult


class Failed(_Line):
    """A trial has failed, or the worker."""

    kind: Literal["failed"] = "failed"
    trial: str | None
    """The trial's name; None if every trial would fail in the same way, and the worker has ended."""
    error: str
    """The name of the class of the error, one of `job.errors`."""
    message: str
    traceback: str


Message = Annotated[Ready | Logged | Trained | Done | Failed, Field(discriminator="kind")]
"""What a worker sends."""

messages: TypeAdapter[Message] = TypeAdapter(Message)
"""Parses a line of a worker."""
