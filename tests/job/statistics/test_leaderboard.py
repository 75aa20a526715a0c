"""The leaderboard's numbers, computed once more from the rows by plain Python, and how they are shown."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from recomputed import expected_rows
from rich.console import Console

from job.execution.sweep import run_sweep
from job.report.table import print_leaderboard
from job.runs.run import Run, find_run
from job.settings.grid import trials
from job.settings.validation import make_settings
from job.statistics.leaderboard import leaderboard_of, make_leaderboard
from job.statistics.survival import EpochsToSolve
from job.storage import open_storage

NUMBERS = ("replicates", "solved", "share_solved", "share_low", "share_high")
EPOCHS = ("median", "median_low", "median_high", "q10", "q90")


@pytest.mark.parametrize("table_format", ["json", "csv"])
def test_every_number_follows_from_the_rows(finished, say, table_format):
    said = say("leaderboard", finished.run, "--format", table_format)
    assert (said.code, said.err) == (0, "")
    shown = (
        json.loads(said.out)["trials"] if table_format == "json" else list(csv.DictReader(io.StringIO(said.out)))
    )
    expected = list(expected_rows(finished.run))
    assert [row["trial"] for row in shown] == [row["trial"] for row in expected]
    settings = {"activation", "loss", "optimizer", "learning_rate"}
    for row, right in zip(shown, expected, strict=True):
        assert set(row) == set(right) | settings
        assert (row["activation"], row["loss"], row["optimizer"]) == ("relu", "mean_squared_error", "adam")
        assert float(row["learning_rate"]) == 0.001
        for name, value in right.items():
            if isinstance(value, float):
                assert float(row[name]) == pytest.approx(value, rel=1e-6), name
            elif table_format == "csv":
                assert row[name] == ("" if value is None else str(value)), name
            else:
                assert row[name] == value, name


def test_the_numbers_reach_all_cases(finished):
    """Guards the test above: a median in reach and one that is not, all solved and nearly none."""
    rows = {row["trial"]: row for row in expected_rows(finished.run)}
    assert rows["l1-n2"]["median"] is None
    assert 0 < rows["l1-n2"]["solved"] < 8
    assert all(rows["l1-n8"][name] for name in ("median", "median_low", "median_high", "q10"))
    assert rows["l1-n8"]["q90"] is None
    assert rows["l1-n32"]["solved"] == 16
    assert rows["l1-n32"]["q90"]


def test_the_json_says_who_won_and_what_is_missing(finished, say):
    board = json.loads(say("leaderboard", finished.run, "--format", "json").out)
    assert board["run"] == finished.run.name
    assert board["epochs"] == 400
    assert board["winner"] == "l1-n32"
    assert board["missing"] == []
    apart = [row["trial"] for row in board["trials"] if row["standing"] == "not told apart"]
    assert board["not_told_apart"] == apart
    winner = board["trials"][0]
    assert board["verdict"].startswith("l1-n32 (1 hidden layer of 32 neurons) is fastest: ")
    assert f"half of its starts solve XOR by epoch {winner['median']} " in board["verdict"]
    assert f"(95% interval {winner['median_low']} to {winner['median_high']})" in board["verdict"]


def test_the_stored_leaderboard_is_the_csv_that_is_shown(finished, say):
    shown = say("leaderboard", finished.run, "--format", "csv").out
    assert (finished.run / "report" / "leaderboard.csv").read_text() == shown


def test_the_table_shows_each_trial_its_numbers_and_the_verdict(finished, say):
    shown = say("leaderboard", finished.run).out
    lines = [line for line in shown.splitlines() if "fastest" not in line]
    board = json.loads(say("leaderboard", finished.run, "--format", "json").out)
    for row in board["trials"]:
        (line,) = [line for line in lines if row["trial"] in line.split()]
        median, low, high = (row[name] or ">400" for name in ("median", "median_low", "median_high"))
        assert f"{median} ({low} to {high})" in line
        assert f"{row['share_solved']:.1%} ({row['share_low']:.1%} to {row['share_high']:.1%})" in line
        assert ("★" in line) == (row["standing"] == "winner")
    assert board["verdict"] in " ".join(shown.split())


def test_a_run_is_found_by_its_folder_by_its_url_and_by_its_name(copy, here, say, monkeypatch):
    expected = say("leaderboard", copy, "--format", "csv").out
    assert expected
    for words in (
        (f"out/runs/{copy.name}",),
        (f"./out/runs/{copy.name}/",),
        (copy.name, "--output", "out"),
        (copy.name, "--output", here / "out"),
    ):
        assert say("leaderboard", *words, "--format", "csv").out == expected
    assert say("leaderboard", copy.name, XOR_SWEEP_OUTPUT="out", XOR_SWEEP_LEADERBOARD_FORMAT="csv").out == expected
    monkeypatch.chdir(here / "out")
    assert say("leaderboard", copy.name, "--format", "csv").out == expected
    assert say("leaderboard", f"runs/{copy.name}", "--format", "csv").out == expected


@pytest.mark.parametrize("command", ["leaderboard", "report"])
def test_a_run_is_found_where_its_path_has_links(copy, here, say, command):
    (here / "out" / "runs").rename(here / "disk")
    (here / "out" / "runs").symlink_to(here / "disk")
    (here / "latest").symlink_to(here / "disk" / copy.name)
    (here / "other").mkdir()
    (here / "other" / "link").symlink_to(here / "out" / "runs" / copy.name)
    said = say(command, f"out/runs/{copy.name}")
    assert (said.code, said.err) == (0, "")
    assert f"{here}/out/runs/{copy.name}" in said.out if command == "report" else copy.name in said.out
    (here / "out" / "runs").unlink()
    (here / "disk").rename(here / "out" / "runs")
    (here / "latest").unlink()
    (here / "latest").symlink_to(here / "out" / "runs" / copy.name)
    for link in ("./latest", "other/link"):
        assert say(command, link).out == said.out


def test_a_run_that_is_not_there_is_refused_and_those_that_are_are_named(copy, say):
    for words in (("nowhere", "--output", "out"), ("out/runs/nowhere",)):
        said = say("leaderboard", *words)
        assert said.code == 2
        assert "nowhere" in said.error
        assert copy.name in said.error


@pytest.mark.parametrize(
    "where", ["out", "/", "..", ".", "", "/etc/passwd", "gs://", "out/runs/a b", "az://b/runs/x"]
)
def test_what_is_no_run_is_refused(copy, say, where):  # noqa: ARG001
    said = say("leaderboard", where)
    assert said.code == 2
    assert said.error


def test_an_unfinished_run_says_what_is_missing(copy, say):
    shutil.rmtree(copy / "trials" / "l1-n8")
    board = json.loads(say("leaderboard", copy, "--format", "json").out)
    assert board["missing"] == ["l1-n8"]
    assert [row["trial"] for row in board["trials"]] == ["l1-n32", "l1-n2"]
    assert "1 of 3 trials has no result" in board["verdict"]
    assert "every other trial with a result is slower" in board["verdict"]
    expected = {row["trial"]: row["p_adjusted"] for row in expected_rows(copy)}
    assert board["trials"][1]["p_adjusted"] == pytest.approx(expected["l1-n2"])


def test_one_trial_alone_is_not_called_the_fastest(copy, say):
    for trial in ("l1-n8", "l1-n2"):
        shutil.rmtree(copy / "trials" / trial)
    board = json.loads(say("leaderboard", copy, "--format", "json").out)
    assert board["verdict"].startswith(
        "l1-n32 (1 hidden layer of 32 neurons): half of its starts solve XOR by epoch "
    )
    assert "fast" not in board["verdict"]
    assert "slower" not in board["verdict"]


def test_a_run_without_any_result_says_so(copy, say):
    shutil.rmtree(copy / "trials")
    shown = say("leaderboard", copy)
    assert shown.code == 0
    assert "No trial has a result" in shown.out
    board = json.loads(say("leaderboard", copy, "--format", "json").out)
    assert (board["winner"], board["trials"]) == (None, [])
    assert board["missing"] == ["l1-n2", "l1-n8", "l1-n32"]
    (header,) = say("leaderboard", copy, "--format", "csv").out.splitlines()
    assert header == (copy / "report" / "leaderboard.csv").read_text().splitlines()[0]


def test_where_no_start_of_any_trial_solves_there_is_no_winner_and_nothing_is_compared_with_it(tmp_path):
    board = make_leaderboard(
        run_sweep(
            make_settings(
                {
                    "layers": 1,
                    "neurons": [2, 3],
                    "activation": "linear",
                    "replicates": 4,
                    "epochs": 5,
                    "workers": 1,
                    "output": str(tmp_path),
                }
            )
        ).run
    )
    assert "No start of any trial solved XOR" in board.verdict
    assert {row.standing for row in board.rows} == {"unranked"}
    console = Console(file=io.StringIO(), width=120)
    print_leaderboard(board, console)
    assert not set("★≈") & set(console.file.getvalue())


@pytest.mark.parametrize("width", [80, 100, 120])
def test_on_a_narrow_terminal_each_trial_keeps_its_line_and_the_numbers_that_matter(finished, width):
    shown = io.StringIO()
    board = make_leaderboard(find_run(str(finished.run), "."))
    print_leaderboard(board, Console(file=shown, width=width))
    lines = [line for line in shown.getvalue().splitlines() if "fastest" not in line]
    for row in board.rows:
        (line,) = [line for line in lines if row.trial in line.split()]
        assert f"{row.outcome.median or '>400'} (" in line
        assert f"{row.outcome.share_high:.1%})" in line
    assert ("neurons  weights" in shown.getvalue()) == (width == 120)


MANY_AXES = make_settings(
    {
        "layers": [1],
        "neurons": [2, 16],
        "activation": ["relu", "tanh"],
        "loss": ["binary_crossentropy", "mean_squared_error"],
        "optimizer": ["adam", "sgd"],
        "learning_rate": [0.00001, 0.01],
    }
)


def board_of(config, done=None):
    """The leaderboard of a run the first of whose trials are done, all alike."""
    names = [trial.name for trial in trials(config)][:done]
    data = {name: EpochsToSolve(np.arange(1, 10), np.ones(9, bool)) for name in names}
    return leaderboard_of(Run(open_storage("nowhere"), config, "run"), data)


def printed(board, width):
    """The heads of the columns, the lines of the table, and the rest as one text."""
    console = Console(file=io.StringIO(), width=width)
    print_leaderboard(board, console)
    title, *lines = console.file.getvalue().splitlines()
    assert title == "Leaderboard of run"
    assert max(map(len, lines)) <= width
    end = next(at for at, line in enumerate(lines) if line.startswith("★ winner"))
    start = next(at for at, line in enumerate(lines) if line.startswith("★"))
    return " ".join(lines[:start]), lines[start:end], " ".join(" ".join(lines[end:]).split())


@pytest.mark.parametrize("width", [45, 50, 60, 72, 80, 110, 120, 160])
def test_however_many_axes_vary_each_trial_has_its_whole_name_broken_at_a_hyphen_at_most(width):
    board = board_of(MANY_AXES)
    _, table, _ = printed(board, width)
    parts = [line[3:].split("  ")[0].strip() for line in table]
    names = "\n".join(parts).replace("-\n", "-").split("\n")
    assert sorted(names) == sorted(row.trial for row in board.rows)
    assert sum("5 (1 to 8)" in line for line in table) == len(board.rows)


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (120, ["layers", "weights", "10% to 90%", "solved (95%)", "p against"]),
        (88, ["weights", "10% to 90%", "solved (95%)", "p against"]),
        (77, ["10% to 90%", "solved (95%)", "p against"]),
        (64, ["solved (95%)", "p against"]),
        (53, ["solved (95%)"]),
        (30, []),
    ],
)
def test_the_narrower_the_terminal_the_fewer_numbers_stand_beside_the_names(width, columns):
    board = board_of(make_settings({"layers": [1, 2], "neurons": [2, 16]}))
    head, table, rest = printed(board, width)
    known = ("layers", "weights", "10% to 90%", "solved (95%)", "p against")
    assert [column for column in known if column in head] == columns
    assert [line.split()[-1 if line[0] == " " else 1] for line in table] == [row.trial for row in board.rows]
    assert ("p is corrected" in rest) == ("p against" in columns)


def test_one_trial_alone_has_no_p_and_nothing_is_said_of_it():
    head, _, rest = printed(board_of(make_settings({}), done=1), 120)
    assert "p against" not in head
    assert "p is corrected" not in rest


@pytest.mark.parametrize(("missing", "end"), [(20, "n21"), (21, "n21 and 1 more"), (99, "n21 and 79 more")])
def test_of_many_trials_without_a_result_the_others_are_counted(missing, end):
    _, _, rest = printed(
        board_of(make_settings({"layers": 1, "neurons": list(range(1, missing + 2))}), done=1), 120
    )
    assert rest.endswith(end)


def test_of_trials_that_cannot_be_told_apart_the_smallest_network_is_named(finished):
    board = make_leaderboard(find_run(str(finished.run), "."))
    assert "smallest" not in board.verdict
    alike = [EpochsToSolve(np.arange(place, 9 + place), np.ones(9, bool)) for place in (1, 2, 3)]
    few = dict(zip((row.trial for row in board.rows), alike, strict=True))
    verdict = leaderboard_of(find_run(str(finished.run), "."), few).verdict
    assert "l1-n8 and l1-n2 cannot be told apart from it; of these, l1-n2 is the smallest network." in verdict


def test_a_network_without_hidden_layers_has_no_neurons_and_no_activation_in_the_table():
    board = board_of(make_settings({"layers": [0, 1], "neurons": 4, "activation": "relu"}))
    heads, lines, _ = printed(board, 120)
    assert "activation" not in heads
    (line,) = [line for line in lines if " l0 " in line]
    assert line.split()[1:5] == ["l0", "0", "–", "3"]  # noqa: RUF001
