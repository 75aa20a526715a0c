"""The axes of the grid: what the trials of a sweep differ in."""

from dataclasses import dataclass

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
"""Keras's element-wise activations: only those keep the replicates separate.

selu is not among them: XLA computes its gradient at exactly 0 (XOR's first row, in the first epoch) differently
from `fit`, so a replicate would not follow it.
"""

LOSSES = ("binary_crossentropy", "mean_squared_error")
"""Keras's losses for one sigmoid output."""

LEARNING_RATES = {
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
"""Keras's element-wise optimizers, each with the learning rate that Keras gives it by default."""


@dataclass(frozen=True)
class Axis:
    """One axis of the grid: a field of `Sweep` with its values, and a field of `Architecture` with one of them."""

    name: str
    """The name of both fields, and of the key in the sweep file."""
    title: str
    """Its name in a sentence or at the head of a column."""
    short: str
    """What precedes its value in a trial's name, such as `n` in `l2-n16`."""
    kind: type[int] | type[float] | type[str]
    """The type of its values."""
    known: tuple[str, ...] = ()
    """The names that its values may be, if they are names."""
    hidden_only: bool = False
    """It is about the hidden layers only: a network without one has no such value."""

    @property
    def flag(self) -> str:
        """Its option on the command line."""
        return f"--{self.name.replace('_', '-')}"


AXES = (
    Axis("layers", "layers", "l", int),
    Axis("neurons", "neurons", "n", int, hidden_only=True),
    Axis("activation", "activation", "", str, ACTIVATIONS, hidden_only=True),
    Axis("loss", "loss", "", str, LOSSES),
    Axis("optimizer", "optimizer", "", str, tuple(LEARNING_RATES)),
    Axis("learning_rate", "learning rate", "lr", float),
)
"""The axes, the slowest first: this order numbers the trials."""

OPTIONAL_AXES = AXES[2:]
"""The axes that a trial's name has only if the grid varies them; layers and neurons are part of every name."""

AXIS_NAMES = tuple(axis.name for axis in AXES)
