"""templates/NOTES.txt: the exact commands for this release."""

import re
import shlex

import pytest

from job.settings.grid import trials_of_pod
from job.settings.validation import make_settings

GRIDS = [
    {},
    {"layers": 2, "neurons": 4},
    {"activation": ["relu", "tanh"], "neurons": [2, 4], "trials_per_pod": 5},
    {
        "layers": 1,
        "neurons": [8],
        "loss": ["mean_squared_error", "binary_crossentropy"],
        "optimizer": ["sgd", "adam"],
    },
    {"layers": 1, "neurons": 8, "learning_rate": [0.0001, 1e-05, 2.5e-07, 0.1, 1, 12.5, 1000]},
    {"neurons": 8, "learning_rate": 0.1, "trials_per_pod": 2},
    {"layers": 0, "neurons": [2, 4], "activation": ["relu", "tanh"]},
    {"layers": [0, 1, 2], "trials_per_pod": 2},
    {"layers": [2, 0, 1], "neurons": [2, 4], "optimizer": ["sgd", "adam"], "activation": ["relu", "tanh"]},
    {
        "layers": [1, 0],
        "neurons": 3,
        "loss": ["mean_squared_error", "binary_crossentropy"],
        "learning_rate": [1, 0.1],
    },
    {"layers": [0], "optimizer": ["sgd", "adam", "lion"], "learning_rate": 0.01},
    {"data": "parity:3", "layers": [0, 1]},
]


@pytest.mark.parametrize("grid", GRIDS)
def test_the_notes_say_which_index_trains_which_trial(chart, grid):
    settings = make_settings(grid)
    shown = re.findall(r"^  (\d+) +(l\d\S*)$", chart.notes(sweep=grid), re.MULTILINE)
    assert shown == [
        (str(index), trial.name) for index in range(settings.pod_count) for trial in trials_of_pod(settings, index)
    ]


def test_the_notes_of_a_large_grid_stay_short(chart):
    grid = {"layers": list(range(1, 11)), "neurons": list(range(1, 101)), "trials_per_pod": 3}
    notes = chart.notes(sweep=grid)
    assert "The last index, 333,\nends with l10-n100." in notes
    assert len(notes.splitlines()) < 30


def test_the_notes_have_the_commands_for_this_release(chart):
    notes = chart.notes(release="mine", namespace="lab")
    labels = "batch.kubernetes.io/job-name=mine-xor-sweep-r1"
    for command in (
        "xor-sweep status mine --namespace lab",
        "xor-sweep logs mine l1-n2 --namespace lab",
        "xor-sweep results mine mine-xor-sweep-r1 --namespace lab",
        "kubectl --namespace lab get job mine-xor-sweep-r1 --watch",
        f"kubectl --namespace lab logs --selector {labels},batch.kubernetes.io/job-completion-index=0 --tail -1",
        "helm test mine --namespace lab",
    ):
        assert f"\n  {command}\n" in f"{notes}\n"


def test_the_notes_lead_to_the_driver_where_there_is_one(chart):
    command = "until kubectl --namespace lab logs job/demo-xor-sweep-r1-driver --follow | grep .; do sleep 1; done"
    assert f"\n  {command}\n" in chart.notes()
    assert "-driver" not in chart.notes(driver={"enabled": False})


def test_the_notes_of_a_retraining_say_how_to_start_one_and_what_it_decides(chart):
    assert "etraining" not in chart.notes()
    notes = chart.notes(
        retrain={"schedule": "0 3 * * 0", "timeZone": "Europe/Berlin"}, sweep={"output": "gs://bucket/p/"}
    )
    assert "Retraining is scheduled (0 3 * * 0, Europe/Berlin). Start one now, and see what it decides:" in notes
    for command in (
        "now=demo-xor-sweep-now-$(date +%s)",
        "kubectl --namespace lab create job $now --from=cronjob/demo-xor-sweep-retrain",
        "until kubectl --namespace lab logs job/$now --follow | grep .; do sleep 1; done",
        "xor-sweep champion show --output gs://bucket/p",
    ):
        assert f"\n  {command}\n" in notes


def test_the_notes_lead_to_the_champion_on_a_claim_through_the_release(chart):
    notes = chart.notes(retrain={"schedule": "0 3 * * 0"})
    assert "\n  xor-sweep champion show --release demo --namespace lab\n" in notes


@pytest.mark.parametrize(
    "output", ["gs://bucket/a prefix", "gs://bucket/pre#fix", "s3://bucket/it's", "gs://bucket/$HOME"]
)
def test_the_notes_quote_an_output_that_a_shell_would_take_apart(chart, output):
    notes = chart.notes(sweep={"output": output}, retrain={"schedule": "@daily"})
    commands = [line for line in notes.splitlines() if line.startswith(("  xor-sweep lead", "  xor-sweep champ"))]
    assert [shlex.split(command)[-1] for command in commands] == [f"{output}/runs/demo-xor-sweep-r1", output]


def test_the_notes_warn_that_uninstall_removes_the_results_where_it_does(chart):
    warning = "helm uninstall removes the claim demo-xor-sweep"
    assert warning in chart.notes()
    for values in ({"claim": {"keep": True}}, {"claim": {"existing": "x"}}, {"sweep": {"output": "gs://bucket"}}):
        assert warning not in chart.notes(**values)


def test_the_notes_of_a_bucket_lead_to_the_run_in_it(chart):
    notes = chart.notes(sweep={"output": "gs://bucket/prefix/"})
    assert "xor-sweep leaderboard gs://bucket/prefix/runs/demo-xor-sweep-r1\n" in notes


def test_the_notes_tell_a_queued_sweep_where_it_waits(chart):
    assert "until the queue gpus has room" in chart.notes(kueue={"queueName": "gpus"})
