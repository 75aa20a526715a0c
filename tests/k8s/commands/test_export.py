"""A run's results in a folder, from a local folder and from a bucket; again, and elsewhere."""

import json
import re

import pytest
from jobs import create, finished_run, kubectl, sweep_job, winner
from layouts import layout, names_in
from run_files import content

from job.settings.validation import make_settings
from job.statistics.champion import challenge
from job.storage import open_storage

TWO_OF_THREE = {"l1-n1", "l1-n3"}


@pytest.fixture(scope="module")
def settings(namespace):
    """The sweep of the release "kept", whose Job never runs: its run is made by each test."""
    objects = sweep_job("kept", "exit 0", neurons=[1, 2, 3], suspend=True)
    create(namespace, objects)
    return json.loads(objects[0]["data"]["sweep.yaml"])


@pytest.fixture
def output(settings, tmp_path):
    """A local output with the release's run: two of its three trials are done."""
    finished_run(tmp_path / "output", "kept-r1", settings, TWO_OF_THREE)
    return tmp_path / "output"


@pytest.fixture
def fetch(xor_sweep, output):
    return lambda folder, *words: xor_sweep("results", "kept", folder, "--output", output, *words)


def test_the_layout_is_for_people(fetch, output, tmp_path):
    said = fetch("here")
    assert said.code == 0
    assert said.log[-1]["message"] == "here has 2 trials of kept-r1, 2 of them new"
    here = tmp_path / "here"
    assert names_in(here) == layout(TWO_OF_THREE)
    assert {path.name for path in tmp_path.iterdir()} == {"here", "output"}
    assert (here.stat().st_mode & 0o777) == 0o755
    first = output / "runs/kept-r1/trials/l1-n1"
    assert (here / "l1-n1/model.keras").read_bytes() == (first / "first/model.keras").read_bytes()
    assert json.loads((here / "l1-n1/result.json").read_text()) == json.loads((first / "result.json").read_text())
    assert [line.split(",")[1] for line in (here / "leaderboard.csv").read_text().splitlines()] == [
        "trial",
        "l1-n1",
        "l1-n3",
    ]


def test_the_page_leads_to_the_files_beside_it(fetch, tmp_path):
    assert fetch("here").code == 0
    here = tmp_path / "here"
    links = set(re.findall(r'href="([^"#:]+)"', (here / "index.html").read_text()))
    assert links == {"leaderboard.csv", "l1-n1/model.keras", "l1-n3/model.keras"}
    assert all((here / link).is_file() for link in links)


def test_an_empty_folder_is_filled(fetch, tmp_path):
    (tmp_path / "empty").mkdir()
    assert fetch("empty").code == 0
    assert names_in(tmp_path / "empty") == layout(TWO_OF_THREE)


def test_into_a_folder_of_the_same_run_come_the_trials_that_it_lacks(fetch, output, settings, tmp_path):
    assert fetch("here").code == 0
    mine = tmp_path / "here/l1-n1/notes.txt"
    mine.write_text("keep me")
    before = content(tmp_path / "here/l1-n1")
    assert fetch("here").log[-1]["message"] == "here has 2 trials of kept-r1, 0 of them new"
    assert content(tmp_path / "here/l1-n1") == before

    finished_run(tmp_path / "later", "kept-r1", settings, {"l1-n2"})
    (tmp_path / "later/runs/kept-r1/trials/l1-n2").rename(output / "runs/kept-r1/trials/l1-n2")
    (output / "runs/kept-r1/report").mkdir()
    (output / "runs/kept-r1/report/summary.json").write_text('{"failed": []}')
    assert fetch("here").log[-1]["message"] == "here has 3 trials of kept-r1, 1 of them new"
    assert content(tmp_path / "here/l1-n1") == before
    mine.unlink()
    assert names_in(tmp_path / "here") == layout({"l1-n1", "l1-n2", "l1-n3"}, "summary.json")
    assert len((tmp_path / "here/leaderboard.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize("kind", ["another run", "something else", "a file"])
def test_a_folder_with_anything_else_is_left_alone(fetch, settings, tmp_path, kind):
    target = tmp_path / "taken"
    if kind == "a file":
        target.write_text("mine")
    else:
        target.mkdir()
        other = (
            {"run": "other-r1", "config_hash": make_settings(settings).hash} if kind == "another run" else "mine"
        )
        (target / "sweep.json").write_text(json.dumps(other))
    before = content(tmp_path)
    said = fetch("taken")
    assert (said.code, said.out) == (2, "")
    assert said.error == (
        "taken is not a folder"
        if kind == "a file"
        else "taken is not empty and holds no results of this run: name another folder"
    )
    assert content(tmp_path) == before


def test_a_folder_that_cannot_be_made_is_refused(fetch, tmp_path):
    (tmp_path / "file").write_text("")
    said = fetch("file/here")
    assert (said.code, said.error) == (2, "file/here cannot be written: File exists")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda trial: (trial / "first/model.keras").write_bytes(b"x"), "first/model.keras is damaged"),
        (lambda trial: (trial / "first/model.keras").unlink(), "first/model.keras"),
        (lambda trial: (trial / "result.json").write_text("{"), "result.json is damaged"),
        (lambda trial: rename_in_result(trial, "../model.keras"), "result.json is damaged"),
    ],
    ids=["changed", "gone", "no result", "another folder's"],
)
def test_what_is_damaged_is_refused_and_nothing_is_written(fetch, output, tmp_path, damage, words):
    damage(output / "runs/kept-r1/trials/l1-n3")
    said = fetch("here")
    assert (said.code, said.out) == (1, "")
    assert words in said.error
    assert {path.name for path in tmp_path.iterdir()} == {"output"}


def rename_in_result(trial, name):
    result = json.loads((trial / "result.json").read_text())
    result["files"][2]["name"] = name
    (trial / "result.json").write_text(json.dumps(result))


@pytest.mark.usefixtures("settings")
def test_a_run_that_has_not_begun_has_no_results(xor_sweep, tmp_path):
    said = xor_sweep("results", "kept", "here", "--output", tmp_path)
    assert (said.code, said.error) == (1, "kept-r1 has no results yet")
    assert not (tmp_path / "here").exists()


def test_of_a_run_that_no_trial_has_begun_the_drivers_report_comes(settings, xor_sweep, tmp_path):
    report = tmp_path / "output/runs/kept-r1/report"
    report.mkdir(parents=True)
    failed = [{"trial": "l1-n1", "why": "Unschedulable: no node", "log": []}]
    (report / "summary.json").write_text(json.dumps({"run": "kept-r1", "failed": failed}))
    for _ in range(2):
        said = xor_sweep("results", "kept", "here", "--output", tmp_path / "output")
        assert said.code == 0, said.err
    assert names_in(tmp_path / "here") == {
        "index.html",
        "leaderboard.csv",
        "summary.json",
        "pictures/activations.svg",
    }
    assert "Unschedulable: no node" in (tmp_path / "here/index.html").read_text()
    finished_run(tmp_path / "output", "kept-r1", settings, TWO_OF_THREE)
    said = xor_sweep("results", "kept", "here", "--output", tmp_path / "output")
    assert said.code == 0, said.err
    assert names_in(tmp_path / "here") >= layout(TWO_OF_THREE)


def test_from_a_bucket_the_same_files_come(namespace, gcs_server, gs_url, xor_sweep, tmp_path):
    objects = sweep_job("bucket", "exit 0", neurons=[1, 2, 3], settings={"output": gs_url}, suspend=True)
    create(namespace, objects)
    finished_run(gs_url, "bucket-r1", json.loads(objects[0]["data"]["sweep.yaml"]), TWO_OF_THREE)
    said = xor_sweep("results", "bucket", "here", STORAGE_EMULATOR_HOST=gcs_server)
    assert said.code == 0, said.err
    assert names_in(tmp_path / "here") == layout(TWO_OF_THREE)


def test_the_champion_in_a_releases_bucket_is_read_from_here(namespace, gcs_server, gs_url, xor_sweep):
    objects = sweep_job("crowned", "exit 0", neurons=[1], settings={"output": gs_url}, suspend=True)
    create(namespace, objects)
    challenge(open_storage(gs_url), winner("crowned-r1", 10))
    said = xor_sweep("champion", "show", "--release", "crowned", STORAGE_EMULATOR_HOST=gcs_server)
    assert said.out.startswith("l1-n2 of crowned-r1 "), said.err


def test_a_bucket_that_has_no_run_yet_is_asked_and_no_pod_is(namespace, xor_sweep, gs_url, gcs_server):
    objects = sweep_job("early", "exit 0", neurons=[1], suspend=True, settings={"output": gs_url})
    create(namespace, objects)
    said = xor_sweep("results", "early", "here", STORAGE_EMULATOR_HOST=gcs_server)
    assert (said.code, said.error) == (1, "early-r1 has no results yet")
    assert (
        kubectl("get", "events", "-n", namespace, "--field-selector", "involvedObject.kind=Pod").count("early") == 0
    )
