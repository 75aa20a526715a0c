"""The model card of a trial's chosen network: README.md beside model.keras, as Hugging Face's Hub reads it.

https://huggingface.co/docs/hub/model-cards has the front matter's keys.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML

from job.problems.parity import FEATURES, TARGETS
from job.settings.grid import Trial
from job.settings.sweep import AXES, SweepConfig
from job.wording import count_words, limit_words


@dataclass(frozen=True)
class Chosen:
    """The replicate whose network is kept."""

    seed: int
    """Of its initial weights."""
    epochs_to_solve: int | None
    """None where it is censored."""
    predictions: NDArray[np.float32]
    """(4,) what its network says for XOR's rows."""

    @property
    def right(self) -> int:
        """How many of the four rows it gets right."""
        said = (self.predictions > 0.5) == (TARGETS[:, 0] > 0.5)
        return int((said & np.isfinite(self.predictions)).sum())


def model_card(run: str, config: SweepConfig, trial: Trial, chosen: Chosen, outcome: str) -> str:
    """Return a model card; the same trial gives the same card.

    Args:
        run: the run's name.
        config: the sweep.
        trial: the trial.
        chosen: the replicate whose network lies beside the card.
        outcome: the trial's numbers in words.
    """
    layers, neurons = trial.architecture.layers, trial.architecture.neurons
    return _CARD.format(
        front_matter=_front_matter(trial, chosen),
        trial=trial.name,
        run=run,
        layers=count_words(layers, "hidden layer"),
        neurons=count_words(neurons, "neuron"),
        weights=trial.architecture.weights,
        predictions=_predictions(chosen),
        starts=count_words(config.replicates, "random start"),
        epochs=limit_words(config.epochs),
        picked=f"It was picked after the training, out of {config.replicates}: w" if config.replicates > 1 else "W",
        chosen=_how_it_was_chosen(chosen),
        outcome=outcome[0].upper() + outcome[1:],
        settings="\n".join(f"| {axis} | {getattr(trial.architecture, axis)} |" for axis in AXES),
        seed=chosen.seed,
    )


def _front_matter(trial: Trial, chosen: Chosen) -> str:
    task = {"type": "tabular-classification", "name": "XOR of two bits"}
    dataset = {"type": "xor", "name": "XOR's truth table (its four rows are the training data, too)"}
    metric = {"type": "accuracy", "name": "Accuracy", "value": chosen.right / len(TARGETS)}
    keys: dict[str, Any] = {
        "library_name": "keras",
        "license": "apache-2.0",
        "pipeline_tag": task["type"],
        "tags": ["keras", "xor", "xor-sweep"],
        "metrics": ["accuracy"],
        "model-index": [
            {"name": f"xor-{trial.name}", "results": [{"task": task, "dataset": dataset, "metrics": [metric]}]}
        ],
    }
    text = io.StringIO()
    YAML().dump(keys, text)
    return text.getvalue().rstrip()


def _predictions(chosen: Chosen) -> str:
    return "\n".join(
        f"{first} xor {second} = {int(prediction > 0.5)}  ({prediction:.3f})"
        for (first, second), prediction in zip(FEATURES.astype(int), chosen.predictions, strict=True)
    )


def _how_it_was_chosen(chosen: Chosen) -> str:
    if chosen.right == len(TARGETS):
        best = "of those whose final network gets all four rows right, it had the lowest loss in its last epoch"
    else:
        best = (
            f"no start's final network gets all four rows right (this one: {chosen.right}), and of all it had "
            "the lowest loss in its last epoch"
        )
    if chosen.epochs_to_solve is None:
        return f"{best}; it never reached 100 % accuracy"
    return f"{best}; it first reached 100 % accuracy in epoch {chosen.epochs_to_solve}"


_CARD = """\
---
{front_matter}
---

# XOR network {trial}

A network with {layers} of {neurons} ({weights} weights) that was trained to say whether two bits differ.
`model.keras` is a plain Keras `Sequential`: two numbers in, one from 0 to 1 out. It comes from trial `{trial}` of
run `{run}` of xor-sweep.

## How to load it

In the folder of `model.keras`:

```python
import keras
import numpy as np

model = keras.models.load_model("model.keras")
rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
for (first, second), prediction in zip(rows, model.predict(rows, verbose=0)[:, 0]):
    print(f"{{first}} xor {{second}} = {{int(prediction > 0.5)}}  ({{prediction:.3f}})")
```

It prints, to rounding:

```text
{predictions}
```

## How it was chosen

The trial trained the network from {starts}, each for at most {epochs}. This is the one of
seed {seed}: {chosen}.

## How well the trial did

{outcome}.

| setting | value |
|---|---|
{settings}

## Limits

- It has seen four rows, all that there are, and its accuracy is that on the same rows. Between 0 and 1 nothing says
  what would be right.
- {picked}hat to expect of one start, the trial's numbers say.
- Those numbers hold for these settings. Whether another network needs fewer epochs, the run's leaderboard says.
- The license is that of xor-sweep; who publishes the network may choose another.
"""
