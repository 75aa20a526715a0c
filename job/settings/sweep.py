"""What a sweep is made of: the one model that the command line, the sweep file and the chart share."""

import difflib
import json
import math
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from job.errors import ConfigError
from job.wording import quoted, shortened

MAX_TRIALS = 100_000
"""The most trials of one grid: as many indexes as a Kubernetes Indexed Job allows with per-index retries."""

MAX_REPLICATE_EPOCHS = 250_000_000
"""The most replicates x epochs of one trial: their curves (loss and accuracy, 4 bytes each) take 2 GB."""

ACTIVATIONS = (
    "elu",
    "gelu",
    "hard_sigmoid",
    "leaky_relu",
    "linear",
    "mish",
    "relu",
    "relu6",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "tanh",
)
"""Keras's element-wise activations: only those leave each replicate alone.

Not among them is selu, whose gradient at exactly 0 (XOR's first row, in the first epoch) XLA computes otherwise
than `fit` does, so that a replicate would not follow it.
"""

LOSSES = ("binary_crossentropy", "mean_squared_error")

OPTIMIZERS = {
    "adadelta": 0.001,
    "adagrad": 0.001,
    "adam": 0.001,
    "adamax": 0.001,
    "adamw": 0.001,
    "ftrl": 0.001,
    "lion": 0.001,
    "nadam": 0.001,
    "rmsprop": 0.001,
    "sgd": 0.01,
}
"""Keras's element-wise optimisers, each with Keras's own default learning rate."""

AXES = ("layers", "neurons", "activation", "loss", "optimizer", "learning_rate")
"""The axes of the grid, the slowest first: this order numbers the trials."""

HOW_TO_RUN = frozenset({"device", "output", "run", "trials_per_pod", "workers"})
"""Settings that change where and how a sweep runs, not what is trained; a GPU rounds otherwise than a CPU."""

_OTHER_NAMES = {"mse": "mean_squared_error", "bce": "binary_crossentropy", "swish": "silu"}


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that looks most like `name` (or that Keras knows as its alias)."""
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
    """Take `relu` for `[relu]`, and a list (as YAML and JSON have it) for the tuple that is stored."""
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, tuple) else (value,)


def _each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    seen = set()
    for value in values:
        if value in seen:
            raise PydanticCustomError("twice", "{value} stands there twice: give each value once", {"value": value})
        seen.add(value)
    return values


_Value = TypeVar("_Value")
Axis = Annotated[tuple[_Value, ...], Field(min_length=1), BeforeValidator(_one_or_many), AfterValidator(_each_once)]
"""The values of one axis of the grid: at least one, each once; a single value may stand without a list."""

_Layers = Annotated[int, Field(ge=1, le=100)]
_Neurons = Annotated[int, Field(ge=1, le=4096)]
_LearningRate = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
_Activation = Annotated[str, _known("activation", ACTIVATIONS)]
_Loss = Annotated[str, _known("loss", LOSSES)]
_Optimizer = Annotated[str, _known("optimizer", OPTIMIZERS)]

_RUN_NAME = r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"


class SweepConfig(BaseModel):
    """A sweep: the grid, how each trial is trained, and where.

    Every field can stand in the sweep file under its own name, on the command line as `--its-name`
    and in the environment as `XOR_SWEEP_ITS_NAME`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    layers: Axis[_Layers] = (1, 2, 3)
    """Hidden layers: whole numbers from 1 to 100."""

    neurons: Axis[_Neurons] = (2, 4, 8, 16, 32)
    """Neurons in each hidden layer: whole numbers from 1 to 4096."""

    activation: Axis[_Activation] = ("relu",)
    """Activation of the hidden layers: names of element-wise Keras activations."""

    loss: Axis[_Loss] = ("mean_squared_error",)
    """Loss: mean_squared_error or binary_crossentropy."""

    optimizer: Axis[_Optimizer] = ("adam",)
    """Optimizer: names of element-wise Keras optimizers."""

    learning_rate: Axis[_LearningRate] | None = None
    """Learning rate: numbers above 0, up to 1000; left out, each optimizer's own default in Keras."""

    replicates: int = Field(default=256, ge=1, le=1_000_000)
    """Random starts of each trial: a whole number from 1 to 1000000."""

    epochs: int = Field(default=1000, ge=1, le=1_000_000)
    """The limit, in epochs: a whole number from 1 to 1000000. A start not solved by then is censored."""

    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    """The seed that every replicate's own seed comes from: a whole number from 0 to 4294967295."""

    keep_training: bool = False
    """Train up to the limit, also when all starts are solved: true or false."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to train: auto (a GPU where there is one), cpu or gpu."""

    output: str = Field(default=".", min_length=1)
    """Where to write the run: a folder, or a bucket URL such as gs://bucket/prefix. Its files lie in runs/NAME/."""

    run: str | None = Field(default=None, pattern=_RUN_NAME)
    """The run's name: up to 63 of a-z, 0-9, '-' and '.'. Left out, it is made of the sweep's hash."""

    workers: int | None = Field(default=None, ge=1, le=1024)
    """Processes that train side by side: a whole number from 1 to 1024. Left out: one a core, one for a GPU."""

    trials_per_pod: int = Field(default=1, ge=1, le=100_000)
    """Trials that one pod trains, one after the other: a whole number from 1 to 100000."""

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
                "{replicates} replicates x {epochs} epochs are more than {most}: give fewer of one",
                {"replicates": self.replicates, "epochs": self.epochs, "most": MAX_REPLICATE_EPOCHS},
            )
        return self

    @property
    def trial_count(self) -> int:
        """How many trials the grid has: the product of its axes' lengths."""
        return math.prod(len(getattr(self, axis) or (None,)) for axis in AXES)

    @property
    def pod_count(self) -> int:
        """How many pods train the grid: the completions of the sweep's Job."""
        return -(-self.trial_count // self.trials_per_pod)

    @property
    def hash(self) -> str:
        """16 hexadecimal digits that are equal for two sweeps only where they ask for the same rows."""
        settings = self.model_dump(mode="json", exclude=set(HOW_TO_RUN))
        return sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def run_name(self) -> str:
        """The name that was given, or one made of the hash, so that the same sweep finds its run again."""
        return self.run or f"sweep-{self.hash[:8]}"


def make_config(settings: Mapping[str, Any], where: Mapping[str, str] | None = None) -> SweepConfig:
    """Validate a sweep's settings.

    Args:
        settings: field name -> value; a field left out has its default. The values of an axis may be a list, a
            tuple, a range or a NumPy array, numbers may be NumPy's, and the output may be a path.
        where: field name -> what a person calls its place, such as `--neurons` or `sweep.yaml:3`.

    Returns:
        The validated sweep.

    Raises:
        ConfigError: one line that says which setting is wrong, and what would be right.
    """
    if not isinstance(settings, Mapping):
        raise ConfigError(f"the settings must be a dict of names and values, not {quoted(settings)}")
    if wrong := [name for name in settings if not isinstance(name, str)]:
        raise ConfigError(
            f"{quoted(wrong[0])}: no such setting: the name of a setting is a word, such as 'neurons'"
        )
    places = where or {}
    plain = {name: _plain(value, places.get(name, name)) for name, value in settings.items()}
    try:
        return SweepConfig.model_validate(plain)
    except ValidationError as error:
        raise ConfigError(_in_words(error.errors()[0], places)) from None


def _plain(value: Any, place: str) -> Any:
    """Turn what a notebook has (NumPy's numbers and arrays, ranges, paths) into Python's own values."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    many = isinstance(value, list | tuple | range) or (hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0)
    if many and len(value) > MAX_TRIALS:
        raise ConfigError(f"{place}: {len(value)} values are too many: at most {MAX_TRIALS} trials are possible")
    # NumPy's method, also of a single number; to import NumPy itself would slow down --help.
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(item, place) for item in value] if many else value


def _in_words(error: ErrorDetails, where: Mapping[str, str]) -> str:
    if not error["loc"]:
        return error["msg"]
    field = str(error["loc"][0])
    place = where.get(field, field)
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown setting; did you mean '{nearest(field, SweepConfig.model_fields)}'?"
    right = SweepConfig.model_fields[field].description
    if error["input"] == "" and len(error["loc"]) > 1:
        return f"{place}: one of the values is empty: is there a comma too many? {right}"
    if error["type"] in ("unknown_name", "twice"):
        return f"{place}: {error['msg']}"
    problem = "is empty" if error["type"] in ("too_short", "string_too_short") else "is not possible"
    return f"{place}: {quoted(error['input'])} {problem}. {right}"
