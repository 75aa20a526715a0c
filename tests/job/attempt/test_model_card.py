"""The model card beside a trial's model: what Hugging Face's own reader finds in it, and that it is true."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from huggingface_hub import ModelCard
from programs import ENVIRONMENT
from run_files import attempt_of, result_of

from job.attempt.model_card import CardReplicate, model_card
from job.runs.layout import CARD
from job.runs.results import ChosenReplicate
from job.settings.grid import trial_at
from job.settings.validation import make_settings

TRIALS = ("l1-n2", "l1-n8", "l1-n32")
WORDS = "half of the starts solve XOR by epoch 9"


def blocks(card, language):
    return re.findall(rf"^```{language}\n(.*?)^```", card, re.DOTALL | re.MULTILINE)


def predictions(text):
    """Return the inputs, the answer and the number behind it, of each line."""
    found = re.findall(r"^(\d) xor (\d) = (\d)  \((.+)\)$", text, re.MULTILINE)
    return [(int(first), int(second), int(answer)) for first, second, answer, _ in found], [
        float(number) for *_, number in found
    ]


@pytest.mark.parametrize("trial", TRIALS)
def test_hugging_face_reads_the_front_matter(finished, trial):
    attempt = attempt_of(finished.run, trial)
    data = ModelCard.load(attempt / CARD).data
    assert data.get("library_name") == "keras"
    assert data.license == "apache-2.0"
    assert data.pipeline_tag == "tabular-classification"
    assert "xor" in data.tags
    assert data.model_name == f"xor-{trial}"
    (result,) = data.eval_results
    assert (result.task_type, result.dataset_type) == ("tabular-classification", "xor")
    assert "XOR" in result.dataset_name
    assert (result.metric_type, result.metric_value) == ("accuracy", 1.0)


def test_the_code_in_the_card_loads_the_model_and_prints_what_the_card_says(finished):
    attempt = attempt_of(finished.run, "l1-n32")
    card = (attempt / CARD).read_text()
    (code,) = blocks(card, "python")
    (shown,) = blocks(card, "text")
    said = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=attempt,
        env={**ENVIRONMENT, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=True,
    )
    answers, numbers = predictions(said.stdout)
    assert answers == [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    assert predictions(shown)[0] == answers
    assert predictions(shown)[1] == pytest.approx(numbers, abs=0.002)


@pytest.mark.parametrize("trial", TRIALS)
def test_the_card_says_what_the_trial_did(finished, trial):
    attempt, result = attempt_of(finished.run, trial), result_of(finished.run, trial)
    card, summary = (attempt / CARD).read_text(), result["summary"]
    said = json.loads((attempt / "log.jsonl").read_text().splitlines()[-1])["message"]
    words = said.removeprefix(f"{trial}: ")
    assert f"{words[0].upper()}{words[1:]}.\n" in card
    assert f"{summary['solved']} of 16 solved" in card
    assert f"run `{finished.run.name}`" in " ".join(card.split())
    assert f"seed {summary['chosen_seed']}: " in card
    assert f"100% accuracy in epoch {summary['chosen_epochs_to_solve']}." in card


def test_the_same_trial_gives_the_same_card(finished, single_trial):
    first, second = attempt_of(finished.run, "l1-n8"), attempt_of(single_trial.run, "l1-n8")
    assert (first / CARD).read_bytes() == (second / CARD).read_bytes()


def test_the_card_of_a_network_that_never_solved_says_so():
    config = make_settings({})
    chosen = CardReplicate(ChosenReplicate(7, None, 1000), np.array([0.1, 0.9, 0.4, np.nan], "float32"))
    card = model_card("a-run", config, trial_at(config, 0), chosen, WORDS)
    assert "no start's final network gets all 4 rows right (this one gets 2)" in " ".join(card.split())
    assert "it never reached 100% accuracy." in card
    assert ModelCard(card).data.eval_results[0].metric_value == 0.5
    assert predictions(card)[0] == [(0, 0, 0), (0, 1, 1), (1, 0, 0), (1, 1, 0)]


def test_a_name_that_looks_like_a_number_stays_a_name():
    config = make_settings({"run": "1e3"})
    chosen = CardReplicate(ChosenReplicate(7, 9, 1000), np.array([0.1, 0.9, 0.9, 0.1], "float32"))
    card = model_card(config.run_name, config, trial_at(config, 0), chosen, WORDS)
    assert "run `1e3`" in " ".join(card.split())
    assert "{" not in re.sub(r"```python.*?```", "", card, flags=re.DOTALL)
    assert ModelCard(card).data.model_name == "xor-l1-n2"
