"""The settings of a sweep: what is asked for, and where and how it runs.

The command line, the sweep file, the chart and sweep.json share these models.
"""

import difflib
import json
import math
from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from job.problems import DEFAULT, Problem, families, problem_of
from job.settings.axes import ACTIVATIONS, AXES, LEARNING_RATES, LOSSES
from job.wording import shortened

MAX_TRIALS = 100_000
"""The most trials of one grid: as many indexes as a Kubernetes Indexed Job allows with per-index retries."""

MAX_REPLICATE_EPOCHS = 250_000_000
"""The most replicates x epochs of one trial: their curves (loss and accuracy, 4 bytes each) take 2 GB."""

_OTHER_NAMES = {"mse": "mean_squared_error", "bce": "binary_crossentropy", "swish": "silu"}


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that looks most like `name` (or the one for which `name` is Keras's alias)."""
    alias = _OTHER_NAMES.get(name.lower())
    known = list(known)
    close = difflib.get_close_matches(shortened(name.lower()), known, n=1, cutoff=0)
    return alias if alias in known else close[0]


def _known(kind: str, names: Iterable[str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names:
            raise PydanticCustomError(
                "unknown_name",
                "unknown {kind} '{name}'; did you mean '{nearest}'? Known are {known}",
                {"kind": kind, "name": shortened(name), "nearest": nearest(name, names), "known": ", ".join(names)},
            )
        return name

    return AfterValidator(check)


def _one_or_many(value: object) -> object:
    """Turn a single value, or a list from YAML or JSON, into the tuple that is stored."""
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, tuple) else (value,)


def _each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    seen = set()
    for value in values:
        if value in seen:
            raise PydanticCustomError("twice", "{value} is listed twice: list each value once", {"value": value})
        seen.add(value)
    return values


def _canonical(data: str) -> str:
    """Return the problem's own name: `parity:2` is `xor`."""
    try:
        return problem_of(data).name
    except ValueError as error:
        raise PydanticCustomError(
            "unknown_data", "'{data}': {why}", {"data": shortened(data), "why": str(error)}
        ) from None


_Value = TypeVar("_Value")
AxisValues = Annotated[
    tuple[_Value, ...], Field(min_length=1), BeforeValidator(_one_or_many), AfterValidator(_each_once)
]
"""The values of one axis of the grid: at least one, each once; a single value needs no list."""

_Layers = Annotated[int, Field(ge=0, le=100)]
_Neurons = Annotated[int, Field(ge=1, le=4096)]
_LearningRate = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
_Activation = Annotated[str, _known("activation", ACTIVATIONS)]
_Loss = Annotated[str, _known("loss", LOSSES)]
_Optimizer = Annotated[str, _known("optimizer", LEARNING_RATES)]
_Data = Annotated[str, AfterValidator(_canonical)]

# Fields that came after the first runs: at their defaults, they are not in the hash, so older runs keep theirs.
_ADDED_LATER = ("data",)

_RUN_NAME = r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Sweep(_Part):
    """What is asked for: the problem, the grid, and how each trial is trained. It decides every result."""

    layers: AxisValues[_Layers] = (1, 2, 3)
    """Hidden layers: whole numbers from 0 to 100. With 0, one sigmoid unit sees the inputs themselves."""

    neurons: AxisValues[_Neurons] = (2, 4, 8, 16, 32)
    """Neurons in each hidden layer: whole numbers from 1 to 4096."""

    activation: AxisValues[_Activation] = ("relu",)
    """Activation of the hidden layers: names of element-wise Keras activations."""

    loss: AxisValues[_Loss] = ("mean_squared_error",)
    """Loss: mean_squared_error or binary_crossentropy."""

    optimizer: AxisValues[_Optimizer] = ("adam",)
    """Optimizer: names of element-wise Keras optimizers."""

    learning_rate: AxisValues[_LearningRate] | None = None
    """Learning rate: numbers above 0, up to 1000. If left out, each optimizer's own default in Keras."""

    data: _Data = Field(
        default=DEFAULT, description=f"What the networks learn: {', '.join(family.words for family in families())}."
    )

    replicates: int = Field(default=256, ge=1, le=1_000_000)
    """Random starts of each trial: a whole number from 1 to 1000000."""

    epochs: int = Field(default=1000, ge=1, le=1_000_000)
    """The limit, in epochs: a whole number from 1 to 1000000. A start not solved by then is censored."""

    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    """The seed from which every replicate's own seed is derived: a whole number from 0 to 4294967295."""

    keep_training: bool = False
    """Train up to the limit even after every start has solved: true or false."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.trial_count > MAX_TRIALS:
            raise PydanticCustomError(
                "grid_too_large",
                "the grid has {count} trials; at most {most} are possible: give the axes fewer values",
                {"count": self.trial_count, "most": MAX_TRIALS},
            )
        if self.replicates * self.epochs > MAX_REPLICATE_EPOCHS:
            raise PydanticCustomError(
                "trial_too_long",
                "{replicates} replicates x {epochs} epochs are more than {most}: reduce one of them",
                {"replicates": self.replicates, "epochs": self.epochs, "most": MAX_REPLICATE_EPOCHS},
            )
        return self

    @property
    def problem(self) -> Problem:
        """What the networks learn."""
        return problem_of(self.data)

    @property
    def trial_count(self) -> int:
        """How many trials the grid has; without hidden layers, neurons and activation make no difference."""
        with_hidden, without = (
            math.prod(
                len(getattr(self, axis.name) or (None,)) for axis in AXES[1:] if hidden or not axis.hidden_only
            )
            for hidden in (True, False)
        )
        return sum(with_hidden if layers else without for layers in self.layers)

    @property
    def hash(self) -> str:
        """16 hexadecimal digits that are equal for two sweeps only if they ask for the same rows."""
        asked = self.model_dump(mode="json", include=set(Sweep.model_fields))
        for name in _ADDED_LATER:
            if getattr(self, name) == Sweep.model_fields[name].default:
                del asked[name]
        return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


class Placement(_Part):
    """Where and how a sweep runs, which changes none of its rows (except that GPUs and CPUs round differently)."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to train: auto (a GPU if there is one), cpu or gpu."""

    output: str = Field(default=".", min_length=1)
    """Where to write the run: a folder, or a bucket's URL. The run's files are in its runs/NAME/."""

    run: str | None = Field(default=None, pattern=_RUN_NAME)
    """The run's name: up to 63 of a-z, 0-9, '-' and '.'. If left out, it is derived from the sweep's hash."""

    workers: int | None = Field(default=None, ge=1, le=1024)
    """Processes that train side by side: a whole number from 1 to 1024. If left out, one for each core (or
    for a GPU, one)."""

    trials_per_pod: int = Field(default=1, ge=1, le=100_000)
    """Trials that one pod trains, one after the other: a whole number from 1 to 100000."""


class Settings(Placement, Sweep):
    """A sweep and its placement: all that a sweep file, the flags and the environment can set.

    Every field can be set in the sweep file under its own name, on the command line as `--its-name`, and in the
    environment as `XOR_SWEEP_ITS_NAME`.
    """

    @property
    def pod_count(self) -> int:
        """How many pods train the grid: the completions of the sweep's Job."""
        return -(-self.trial_count // self.trials_per_pod)

    @property
    def run_name(self) -> str:
        """The name that was given, or one derived from the hash, so that the same sweep finds its run again."""
        return self.run or f"sweep-{self.hash[:8]}"
