"""TensorBoard opens a run: its own program and its own reader say what they see."""

import csv
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from programs import SMALL
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboards import opened

from job.runs.layout import EVENTS, SHOWN_EVENTS
from job.runs.run import find_run
from job.settings.grid import trial_at, trials
from job.settings.validation import make_settings
from job.statistics.survival import EpochsToSolve, estimate_outcome
from job.training.devices import start_tensorflow
from k8s.commands.export import export

start_tensorflow("cpu")

from job.attempt.tensorboard import CURVES, MOST_POINTS, shown_epochs, write_events

TRIALS = ("l1-n2", "l1-n8", "l1-n32")


def history_of(run, trial):
    result = json.loads((run / "trials" / trial / "result.json").read_text())
    with (run / "trials" / trial / result["attempt"] / "history.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="session")
def boards(finished, tmp_path_factory):
    """What TensorBoard shows of the run's folder, of its results as they are copied for people, and of all runs."""
    folder = tmp_path_factory.mktemp("boards")
    export(find_run(str(finished.run), "."), folder / "exported")
    folders = {"run": finished.run, "exported": folder / "exported", "runs": finished.run.parent}
    with ThreadPoolExecutor() as threads:
        shown = {name: threads.submit(opened, logdir, folder / f"{name}.log") for name, logdir in folders.items()}
    return {name: board.result() for name, board in shown.items()}


@pytest.fixture(params=["run", "exported", "runs"])
def board(request, boards):
    return boards[request.param]


def test_each_trial_is_one_run_in_tensorboard(boards, finished):
    assert sorted(boards["run"].runs) == sorted(f"trials/{trial}" for trial in TRIALS)
    assert sorted(boards["exported"].runs) == sorted(TRIALS)
    assert sorted(boards["runs"].runs) == sorted(f"{finished.run.name}/trials/{trial}" for trial in TRIALS)


@pytest.mark.parametrize("trial", TRIALS)
def test_the_curves_are_those_of_the_history(board, finished, trial):
    (name,) = (run for run in board.runs if run.endswith(trial))
    history = history_of(finished.run, trial)
    scalars = board.scalars[name]
    assert set(scalars) - {"median_epochs_to_solve"} == {*CURVES, "share_solved"}
    for tag, column in {**CURVES, "share_solved": "solved"}.items():
        assert len(scalars[tag]) <= MOST_POINTS
        assert [*scalars[tag]][:10] == [*range(1, 11)]
        assert max(scalars[tag]) == len(history)
        for step, value in scalars[tag].items():
            stored = float(history[step - 1][column]) / (16 if tag == "share_solved" else 1)
            assert value == pytest.approx(stored, rel=1e-6)


def test_the_table_has_each_trials_axes_and_metrics_and_no_number_that_the_data_do_not_reach(board, finished, say):
    rows = json.loads(say("leaderboard", finished.run, "--format", "json").out)["trials"]
    assert any(row["median"] is None for row in rows)
    groups = {group["name"]: group for group in board.groups}
    assert len(board.groups) == len(rows)
    for row in rows:
        group = groups[f"{row['trial']} ({finished.run.name})"]
        axes = ("layers", "neurons", "activation", "loss", "optimizer", "learning_rate")
        assert group["hparams"] == {axis: row[axis] for axis in axes}
        metrics = {value["name"]["tag"]: value["value"] for value in group["metricValues"]}
        assert metrics.pop("share_solved") == pytest.approx(row["share_solved"])
        assert metrics == ({} if row["median"] is None else {"median_epochs_to_solve": row["median"]})
    # Sorted by the median, those without one come last.
    assert board.groups[0]["hparams"]["neurons"] == 32
    assert board.groups[-1]["hparams"]["neurons"] == 2


def test_the_table_says_which_axes_vary_and_what_an_empty_median_means(board):
    differ = {info["name"]: info["differs"] for info in board.experiment["hparamInfos"]}
    assert [axis for axis, differs in differ.items() if differs] == ["neurons"]
    median, share = board.experiment["metricInfos"]
    assert (median["displayName"], share["displayName"]) == ("median epochs to solve", "share solved")
    assert "fewer than half of the starts solved XOR within 400 epochs" in median["description"]


def test_an_attempt_that_does_not_count_is_not_shown(copy):
    (counts,) = copy.glob(f"trials/l1-n2/*/{EVENTS}")
    shutil.copytree(counts.parent, counts.parent.with_name("0123456789abcdef"))
    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(copy))
    multiplexer.Reload()
    assert set(multiplexer.Runs()) == {f"trials/{trial}" for trial in TRIALS}


@pytest.mark.parametrize("words", [("trial", "--name", "l1-n8"), ("sweep",)])
def test_a_trial_that_died_before_tensorboard_could_see_it_is_shown_once_it_is_asked_for_again(copy, say, words):
    shown = copy / "trials" / "l1-n8" / SHOWN_EVENTS
    (counts,) = copy.glob(f"trials/l1-n8/*/{EVENTS}")
    shown.unlink()
    said = say(*words, *SMALL, "--output", "out")
    assert said.code == 0
    assert shown.read_bytes() == counts.read_bytes()


@pytest.mark.parametrize("epochs", [1, 2, 7, 299, 1000, 1_000_000])
def test_a_curve_has_few_points_and_both_its_ends(epochs):
    shown = shown_epochs(epochs).tolist()
    assert shown == sorted(set(shown))
    assert (shown[0], shown[-1]) == (1, epochs)
    assert len(shown) <= MOST_POINTS
    assert shown[:10] == [*range(1, 11)][:epochs]


def test_a_trial_of_a_million_epochs_gives_a_small_file(tmp_path):
    config = make_settings({"epochs": 1_000_000, "replicates": 16})
    epochs = np.arange(1, 1_000_001)
    history = {column: np.linspace(1, 0, len(epochs)) for column in CURVES.values()}
    history |= {"epoch": epochs, "solved": np.zeros(len(epochs), "int64")}
    numbers = estimate_outcome(EpochsToSolve(np.full(16, 1_000_000), np.zeros(16, "bool")))
    path = tmp_path / SHOWN_EVENTS
    write_events(path, "long", config, trial_at(config, 0), history, numbers, seconds=1)
    assert path.stat().st_size < 100_000
    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(tmp_path))
    multiplexer.Reload()
    (run,) = multiplexer.Runs()
    steps = [event.step for event in multiplexer.Tensors(run, "loss/chosen")]
    assert steps == shown_epochs(1_000_000).tolist()


def test_where_the_optimizers_vary_so_may_their_own_learning_rates(tmp_path):
    from tensorboard.plugins.hparams import metadata

    config = make_settings({"optimizer": ["adam", "sgd"]})
    assert len({trial.architecture.learning_rate for trial in trials(config)}) == 2
    history = dict.fromkeys([*CURVES.values(), "epoch", "solved"], np.ones(1))
    numbers = estimate_outcome(EpochsToSolve(np.ones(16, "int64"), np.ones(16, "bool")))
    write_events(tmp_path / SHOWN_EVENTS, "two", config, trial_at(config, 0), history, numbers, seconds=1)
    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(tmp_path))
    multiplexer.Reload()
    content = multiplexer.SummaryMetadata(".", metadata.EXPERIMENT_TAG).plugin_data.content
    infos = metadata.parse_experiment_plugin_data(content).hparam_infos
    assert {info.name for info in infos if info.differs} == {"layers", "neurons", "optimizer", "learning_rate"}
