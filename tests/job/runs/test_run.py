"""What a run leaves behind: its files, what they say, and what happens where one is damaged."""

import csv
import hashlib
import json
import platform
import subprocess
import sys

import pytest
from programs import ENVIRONMENT, PROGRAM
from run_files import attempt_of, damaged, result_of, rows_of

FILES = {
    *("replicates.csv", "history.csv", "networks.json", "model.keras", "README.md", "log.jsonl"),
    "tensorboard.tfrecord",
}
TRIALS = ("l1-n2", "l1-n8", "l1-n32")


def test_a_run_holds_its_sweep_its_trials_and_its_report_and_nothing_else(finished):
    assert {path.name for path in finished.folder.iterdir()} == {"sweep.yaml", "out"}
    assert {path.name for path in finished.run.iterdir()} == {"sweep.json", "trials", "report"}
    assert {path.name for path in (finished.run / "trials").iterdir()} == set(TRIALS)
    for trial in TRIALS:
        attempt = attempt_of(finished.run, trial)
        assert {path.name for path in attempt.parent.iterdir()} == {
            "result.json",
            "events.out.tfevents",
            attempt.name,
        }
        assert {path.name for path in attempt.iterdir()} == FILES


@pytest.mark.parametrize("trial", TRIALS)
def test_a_result_names_each_file_of_its_attempt_with_its_size_and_checksum(finished, trial):
    result = result_of(finished.run, trial)
    assert result["trial"] == trial
    assert result["index"] == TRIALS.index(trial)
    assert {file["name"] for file in result["files"]} == FILES
    for file in result["files"]:
        data = (attempt_of(finished.run, trial) / file["name"]).read_bytes()
        assert file["size"] == len(data)
        assert file["sha256"] == hashlib.sha256(data).hexdigest()


def test_the_stored_sweep_says_what_was_asked_for_and_where_it_ran(finished):
    stored = json.loads((finished.run / "sweep.json").read_text())
    assert stored["run"] == finished.run.name
    assert stored["config"]["seed"] == 0
    assert stored["config"]["neurons"] == [2, 8, 32]
    assert stored["config_hash"] == result_of(finished.run, "l1-n2")["config_hash"]
    assert finished.run.name == f"sweep-{stored['config_hash'][:8]}"
    assert stored["host"] == platform.node()
    assert stored["device"] == "cpu"
    assert stored["created"].endswith("Z")
    assert stored["versions"]["python"] == platform.python_version()
    assert {"xor-sweep", "tensorflow", "keras", "numpy"} < set(stored["versions"])
    assert all(stored["versions"].values())


@pytest.mark.parametrize("trial", TRIALS)
def test_a_row_per_replicate_says_its_seed_and_when_it_solved(finished, trial):
    rows = rows_of(finished.run, trial)
    seeds = [int(row["seed"]) for row in rows]
    assert len(set(seeds)) == 16
    assert all(0 <= seed < 2**31 - 2 for seed in seeds)
    for row in rows:
        assert 0 <= float(row["last_accuracy"]) <= 1
        if row["epochs_to_solve"]:
            assert 1 <= int(row["epochs_to_solve"]) <= int(row["epochs_trained"]) <= 400
        else:
            assert int(row["epochs_trained"]) == 400  # censored: watched up to the limit


def test_trials_start_from_different_seeds(finished):
    seeds = [row["seed"] for trial in TRIALS for row in rows_of(finished.run, trial)]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("trial", TRIALS)
def test_the_history_agrees_with_the_rows_epoch_by_epoch(finished, trial):
    rows = rows_of(finished.run, trial)
    with (attempt_of(finished.run, trial) / "history.csv").open(newline="") as stream:
        history = list(csv.DictReader(stream))
    longest = max(int(row["epochs_trained"]) for row in rows)
    assert [int(line["epoch"]) for line in history] == list(range(1, longest + 1))
    solved_at = [int(row["epochs_to_solve"]) for row in rows if row["epochs_to_solve"]]
    for line in history:
        epoch = int(line["epoch"])
        assert int(line["solved"]) == sum(at <= epoch for at in solved_at)
        assert int(line["in_training"]) == sum(int(row["epochs_trained"]) >= epoch for row in rows)
        for name in ("loss", "accuracy"):
            low, middle, high = (float(line[f"{name}_{part}"]) for part in ("q10", "median", "q90"))
            assert low <= middle <= high
    mean = sum(float(row["last_accuracy"]) for row in rows) / len(rows)
    assert float(history[-1]["accuracy_mean"]) == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize("trial", TRIALS)
def test_the_summary_agrees_with_the_rows(finished, trial):
    rows, summary = rows_of(finished.run, trial), result_of(finished.run, trial)["summary"]
    assert summary["replicates"] == len(rows)
    assert summary["solved"] == sum(row["epochs_to_solve"] != "" for row in rows)
    assert summary["replicate_epochs"] == sum(int(row["epochs_trained"]) for row in rows)
    (chosen,) = [row for row in rows if int(row["seed"]) == summary["chosen_seed"]]
    assert str(summary["chosen_epochs_to_solve"] or "") == chosen["epochs_to_solve"]


def test_the_stored_log_is_what_the_sweep_said_of_the_trial(finished):
    for trial in TRIALS:
        stored = (attempt_of(finished.run, trial) / "log.jsonl").read_text().splitlines()
        said = [line for line in finished.said.log if line.get("trial") == trial]
        assert [json.loads(line) for line in stored] == said


def test_the_stored_model_of_a_solved_trial_predicts_xor_in_plain_keras(finished):
    program = (
        "import sys, numpy, keras\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "print(*model.predict(numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]]), verbose=0).ravel())"
    )
    shown = subprocess.run(
        [sys.executable, "-P", "-c", program, str(attempt_of(finished.run, "l1-n32") / "model.keras")],
        capture_output=True,
        text=True,
        check=True,
        env={**ENVIRONMENT, "KERAS_BACKEND": "tensorflow"},
    )
    assert [float(value) > 0.5 for value in shown.stdout.split()] == [False, True, True, False]


def test_train_replays_a_replicate_by_its_seed(finished, single_train):
    (row,) = [row for row in rows_of(finished.run, "l1-n32") if int(row["seed"]) == single_train.seed]
    (epochs,) = [line["epochs_to_solve"] for line in single_train.said.log if "epochs_to_solve" in line]
    assert epochs == int(row["epochs_to_solve"])


def test_where_the_folder_for_temporary_files_has_no_room_it_is_named_and_not_the_output(here):
    """A limit on the size of a file (of 4 or 8 KiB) stands for a disk that is full: history.csv is larger."""
    (here / "small").mkdir()
    words = "trial --index 0 --layers 1 --neurons 2 --replicates 300 --epochs 200 --log-format text"
    said = subprocess.run(
        ["sh", "-c", f'ulimit -f 8; exec "{PROGRAM}" {words}'],
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "TMPDIR": str(here / "small")},
        check=False,
    )
    assert said.returncode == 1
    assert f"cannot write a trial's files into {here}/small: File too large; " in said.stderr
    assert "TMPDIR" in said.stderr
    assert list((here / "small").glob("xor-sweep-*")) == []
    # More replicates than a block has: each block's epochs begin at 1 again.
    assert "l1-n2: training 300 replicates for at most 200 epochs on the cpu" in said.stdout
    for block in (1, 2):
        assert f"l1-n2: block {block} of 2, epoch 1: accuracy" in said.stdout


DAMAGES = {
    "result.json is empty": ("result.json", lambda _: b""),
    "result.json is cut off": ("result.json", lambda data: data[: len(data) // 2]),
    "result.json is a list": ("result.json", lambda _: b"[]"),
    "result.json lacks all": ("result.json", lambda _: b"{}"),
    "result.json lacks its files": (
        "result.json",
        lambda data: json.dumps({**json.loads(data), "files": []}).encode(),
    ),
    "result.json is of another sweep": ("result.json", lambda data: data.replace(b'_hash": "', b'_hash": "0')),
    "result.json is binary": ("result.json", lambda _: b"\x80\xff\x00"),
    "result.json names no real attempt": (
        "result.json",
        lambda data: data.replace(b'"attempt": "', b'"attempt": "../'),
    ),
    "replicates.csv is empty": ("*/replicates.csv", lambda _: b""),
    "replicates.csv is cut off": ("*/replicates.csv", lambda data: data[:-20]),
    "replicates.csv has another number": ("*/replicates.csv", lambda data: data.replace(b",400,", b",399,", 1)),
    "replicates.csv is gone": ("*/replicates.csv", None),
    "sweep.json is cut off": ("../../sweep.json", lambda data: data[: len(data) // 2]),
    "sweep.json lacks all": ("../../sweep.json", lambda _: b"{}"),
    "sweep.json holds no sweep": ("../../sweep.json", lambda data: data.replace(b'"epochs": 400', b'"epochs": -4')),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_gets_a_clear_line_and_exit_code_1(copy, say, damage):
    path = damaged(copy / "trials" / "l1-n2", *DAMAGES[damage])
    said = say("leaderboard", f"out/runs/{copy.name}")
    assert said.code == 1
    assert path.name in said.error
    assert any(word in said.error for word in ("damaged", "does not exist", "another sweep"))
    assert "Error:" not in said.error  # no exception's name
    remedy = "; to train it again, remove trials/l1-n2/result.json and run the sweep again"
    assert said.error.endswith(remedy) == (path.name != "sweep.json")
    assert said.out == ""


def test_a_file_of_an_attempt_that_does_not_count_is_in_nobodys_way(copy, say, finished):
    stray = copy / "trials" / "l1-n2" / "0123456789abcdef"
    stray.mkdir()
    (stray / "replicates.csv").write_text("half")
    (copy / "trials" / "l9-n9").mkdir()
    (copy / "trials" / "l1-n8" / ".half.tmp").write_text("{")
    shown = say("leaderboard", f"out/runs/{copy.name}", "--format", "csv")
    assert shown.out == (finished.run / "report" / "leaderboard.csv").read_text()
