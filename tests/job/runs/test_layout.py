"""The names of all objects: what is built is parsed again."""

import pytest

from job.runs import layout
from job.runs.layout import TrialObject


def test_the_names_are_those_of_the_readme():
    assert layout.in_run("r", layout.SWEEP) == "runs/r/sweep.json"
    assert layout.in_run("r", layout.result_of("l1-n2")) == "runs/r/trials/l1-n2/result.json"
    assert layout.in_run("r", layout.attempt_file("l1-n2", "a", "log.jsonl")) == "runs/r/trials/l1-n2/a/log.jsonl"
    assert layout.in_run("r", layout.shown_events_of("l1-n2")) == "runs/r/trials/l1-n2/events.out.tfevents"
    assert layout.in_run("r", layout.picture_of("heatmap")) == "runs/r/report/heatmap.svg"
    assert layout.in_run("r", layout.failure_of(7)) == "runs/r/report/failures/7.json"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (layout.result_of("l1-n2"), TrialObject("l1-n2", None, "result.json")),
        (layout.shown_events_of("l1-n2"), TrialObject("l1-n2", None, "events.out.tfevents")),
        (layout.attempt_file("l1-n2", "a", "log.jsonl"), TrialObject("l1-n2", "a", "log.jsonl")),
        (layout.PAGE, None),
        ("trials/l1-n2", None),
        ("trials/l1-n2/a/b/c", None),
        ("other/l1-n2/result.json", None),
    ],
)
def test_an_object_of_a_trial_is_told_by_its_name(name, found):
    assert layout.parse_trial_object(name) == found


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("runs/r/sweep.json", "r"),
        ("runs/r/trials/sweep.json", None),
        ("runs/sweep.json", None),
        ("x/r/sweep.json", None),
    ],
)
def test_a_run_has_begun_where_its_sweep_is_stored(name, run):
    assert layout.begun_run(name) == run


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("out/runs/r", ("out", "r")),
        ("/runs/r", ("/", "r")),
        ("gs://b/p/runs/r", ("gs://b/p", "r")),
        ("out/runs/runs/r", ("out/runs", "r")),
        ("out/runs/r/trials", None),
        ("out/r", None),
        ("out/runs/", None),
    ],
)
def test_the_url_of_a_run_is_split_into_its_output_and_its_name(url, found):
    assert layout.split_run_url(url) == found
