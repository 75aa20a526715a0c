"""The leaderboard in a notebook says what it says on a terminal."""

import numpy as np
from pages import parse

from job.runs.run import Run
from job.settings.grid import trials
from job.settings.validation import make_settings
from job.statistics.leaderboard import leaderboard_of
from job.statistics.survival import EpochsToSolve
from job.storage import open_storage
from xor_sweep import LeaderboardTable


def table_of(apart=5, **settings):
    """The leaderboard of a grid each trial of which needs this many epochs more than the one before it."""
    config = make_settings({"epochs": 50, **settings})
    data = {
        trial.name: EpochsToSolve(np.minimum(50, np.arange(1, 31) + apart * trial.index), np.ones(30, bool))
        for trial in trials(config)
    }
    return LeaderboardTable(leaderboard_of(Run(open_storage("nowhere"), config, "run"), data))


def shown(table):
    """The table in a notebook: its heads, its rows of cells, and the paragraphs below."""
    root = parse(f"<div>{table._repr_html_()}</div>")
    heads, *rows = ([cell.text for cell in row.children] for row in root.each("tr"))
    return heads, rows, [paragraph.text for paragraph in root.each("p")]


def test_a_notebook_shows_the_columns_and_the_legend_of_the_terminal():
    table = table_of(layers=[1, 2], neurons=[4, 8])
    heads, rows, (legend, verdict) = shown(table)
    title, first_heads, last_heads, *lines = repr(table).splitlines()
    assert title == "Leaderboard of run"
    assert heads[:5] == ["", "trial", "layers", "neurons", "weights"]
    assert sorted(" ".join(heads).split()) == sorted(f"{first_heads} {last_heads}".split())
    for row, line in zip(rows, lines, strict=False):
        assert " ".join(row).split() == line.split()
    assert legend == ", ".join(lines[len(rows)].split("  "))
    assert legend.startswith("★ winner, ")
    assert ">50 not reached by the data" in legend
    assert verdict == table.verdict


def test_an_axis_has_a_column_where_the_trials_differ_on_it():
    heads, rows, _ = shown(table_of(layers=1, neurons=4, learning_rate=[0.01, 1.0]))
    assert heads[2:6] == ["layers", "neurons", "learning rate", "weights"]
    assert {row[4] for row in rows} == {"0.01", "1"}


def test_trials_that_cannot_be_told_apart_have_a_sign_that_the_legend_explains():
    _, rows, (legend, _) = shown(table_of(apart=0, layers=1, neurons=[4, 8]))
    assert {row[0] for row in rows} == {"★", "≈"}
    assert legend.startswith("★ winner, ≈ cannot be told apart from it, ")


def test_a_network_without_hidden_layers_has_neither_neurons_nor_an_activation():
    table = table_of(layers=[0, 1], neurons=4, activation=["relu", "tanh"])
    heads, rows, _ = shown(table)
    (linear,) = (dict(zip(heads, row, strict=True)) for row in rows if row[1] == "l0")
    assert (linear["layers"], linear["neurons"], linear["activation"]) == ("0", "–", "–")  # noqa: RUF001
    assert repr(table).count("–") == 2  # noqa: RUF001
    (record,) = (record for record in table.to_records() if record["trial"] == "l0")
    assert (record["neurons"], record["activation"]) == (0, None)


def test_without_a_result_there_is_only_the_verdict():
    config = make_settings({})
    table = LeaderboardTable(leaderboard_of(Run(open_storage("nowhere"), config, "run"), {}))
    assert table._repr_html_() == f"<p>{table.verdict}</p>"
