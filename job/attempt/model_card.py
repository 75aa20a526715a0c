"""The model card of a trial's chosen network: README.md beside model.keras, as Hugging Face's Hub reads it.

https://huggingface.co/docs/hub/model-cards has the front matter's keys.
"""

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML

from job.problems import THRESHOLD, Problem
from job.runs.results import ChosenReplicate
from job.settings.axes import AXES
from job.settings.grid import Trial
from job.settings.sweep import Sweep
from job.wording import count_words, hidden_layers_words, limit_words, value_words

MOST_ROWS = 8
"""The most rows of the problem that the card's program asks for."""


@dataclass(frozen=True)
class CardReplicate:
    """The replicate whose network is kept, and what its network answers."""

    chosen: ChosenReplicate
    predictions: NDArray[np.float32]
    """(rows,) its answers in the problem's rows, from 0 to 1."""


def model_card(run: str, sweep: Sweep, trial: Trial, replicate: CardReplicate, outcome: str) -> str:
    """Return a model card; the same trial gives the same card.

    Args:
        run: the run's name.
        sweep: the sweep.
        trial: the trial.
        replicate: the replicate whose network lies beside the card.
        outcome: the trial's numbers in words.
    """
    problem, rows = sweep.problem, len(sweep.problem.rows)
    right = int(problem.right(replicate.predictions).sum())
    shown = min(rows, MOST_ROWS)
    return _CARD.format(
        front_matter=_front_matter(problem, trial, right / rows),
        title=_capitalised(problem.title),
        trial=trial.name,
        run=run,
        network=f"a network with {hidden_layers_words(trial.architecture.layers, trial.architecture.neurons)}",
        task=problem.task,
        inputs=count_words(len(problem.inputs), "number"),
        rows_shown="" if shown == rows else f"  # the first {shown} of {rows}",
        row_values=json.dumps(problem.rows[:shown]),
        row_names=json.dumps(problem.row_names[:shown]),
        predictions=_predictions(problem, replicate, shown),
        starts=count_words(sweep.replicates, "random start"),
        epochs=limit_words(sweep.epochs),
        picked=f"It was picked after the training, out of {sweep.replicates}. " if sweep.replicates > 1 else "",
        seed=replicate.chosen.seed,
        how=_how_it_was_chosen(replicate.chosen, right, rows),
        outcome=_capitalised(outcome),
        settings="\n".join(
            f"| {axis.name} | {value_words(getattr(trial.architecture, axis.name))} |" for axis in AXES
        ),
        rows=rows,
    )


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _front_matter(problem: Problem, trial: Trial, accuracy: float) -> str:
    table = f"{problem.title}: all {len(problem.rows)} rows (also the training data)"
    task = {"type": "tabular-classification", "name": problem.title}
    dataset = {"type": problem.name.replace(":", "-"), "name": table}
    metric = {"type": "accuracy", "name": "Accuracy", "value": accuracy}
    keys: dict[str, Any] = {
        "library_name": "keras",
        "license": "apache-2.0",
        "pipeline_tag": task["type"],
        "tags": ["keras", dataset["type"], "xor-sweep"],
        "metrics": ["accuracy"],
        "model-index": [
            {
                "name": f"{dataset['type']}-{trial.name}",
                "results": [{"task": task, "dataset": dataset, "metrics": [metric]}],
            }
        ],
    }
    text = io.StringIO()
    YAML().dump(keys, text)
    return text.getvalue().rstrip()


def _predictions(problem: Problem, replicate: CardReplicate, shown: int) -> str:
    return "\n".join(
        f"{name} = {int(prediction > THRESHOLD)}  ({prediction:.3f})"
        for name, prediction in zip(problem.row_names[:shown], replicate.predictions[:shown], strict=True)
    )


def _how_it_was_chosen(chosen: ChosenReplicate, right: int, rows: int) -> str:
    if right == rows:
        best = f"of those whose final network gets all {rows} rows right, it had the lowest loss in its last epoch"
    else:
        best = (
            f"no start's final network gets all {rows} rows right (this one gets {right}), and of all starts it "
            "had the lowest loss in its last epoch"
        )
    if chosen.epochs_to_solve is None:
        return f"{best}; it never reached 100% accuracy"
    return f"{best}; it first reached 100% accuracy in epoch {chosen.epochs_to_solve}"


_CARD = """\
---
{front_matter}
---

# {title}: network {trial}

This is {network} that was trained to {task}. `model.keras` is a plain Keras `Sequential`: {inputs} in, one
number from 0 to 1 out. It comes from trial `{trial}` of run `{run}` of xor-sweep.

## How to load it

In the folder of `model.keras`:

```python
import keras
import numpy as np

model = keras.models.load_model("model.keras")
rows = np.array({row_values}){rows_shown}
names = {row_names}
for name, prediction in zip(names, model.predict(rows, verbose=0)[:, 0]):
    print(f"{{name}} = {{int(prediction > 0.5)}}  ({{prediction:.3f}})")
```

It prints, up to rounding:

```text
{predictions}
```

## How it was chosen

The trial trained the network from {starts}, each for at most {epochs}. This is the one with
seed {seed}: {how}.

## How well the trial did

{outcome}.

| setting | value |
|---|---|
{settings}

## Limits

- It was trained on all {rows} rows, and its accuracy is measured on the same rows. Inputs between 0 and 1 have no
  right answer.
- {picked}The trial's numbers show what to expect of a single start.
- Those numbers hold for these settings. The run's leaderboard shows whether another network needs fewer epochs.
- The license is xor-sweep's; you may publish the network under another.
"""
