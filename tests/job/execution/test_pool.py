"""Processes that train when things go wrong: what becomes of the other trials."""

import io
import signal
import sys

import pytest
from programs import run_program
from rich.console import Console
from run_files import summary_of

from job.cli.progress import TerminalWatcher
from job.errors import SweepError
from job.execution.pool import Pool, Watcher
from job.runs.run import Run
from job.settings.grid import trials
from job.settings.validation import make_settings
from job.storage import open_storage

# Speaks as job.worker does. What it does with a trial: `ends` names how its process ends there; else it is done.
WORKER = """#!{python}
import json, os, signal, sys, time
ends = {ends!r}
def say(text):
    os.write(1, text.encode())
json.loads(sys.stdin.readline())
say('{{"kind": "ready", "device": "cpu"}}\\n')
while index := sys.stdin.readline().strip():
    result = {{"trial": {names!r}[int(index)], "index": int(index), "attempt": "a", "config_hash": "", "files": []}}
    result["summary"] = {summary!r}
    if ends.get(index) == "in the middle of a line":
        say('{{"kind": "done", "tri')
    if ends.get(index) in ("in the middle of a line", "killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1 if ends.get(index) == "slow" else 0)
    say(json.dumps({{"kind": "done", "trial": result["trial"], "result": result}}) + "\\n")
    if ends.get(index) == "killed afterwards":
        os.kill(os.getpid(), signal.SIGKILL)
"""


class Told(Watcher):
    def __init__(self):
        self.ready_for, self.finished = [], []

    def ready(self, device, workers):  # noqa: ARG002
        self.ready_for.append(device)

    def done(self, result):
        self.finished.append(result.trial)


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Let a pool of so many workers do a grid of four trials, which end as it is said of their indexes."""

    def call(ends, workers, begun=False):
        config = make_settings({"layers": [1], "neurons": [1, 2, 3, 4], "device": "cpu", "workers": workers})
        names = [trial.name for trial in trials(config)]
        program = tmp_path / "worker"
        program.write_text(
            WORKER.format(python=sys.executable, ends=ends, names=names, summary=summary_of().record())
        )
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        run = Run(open_storage(str(tmp_path / "out")), config, "run")
        if begun:
            run.begin({})
        watcher = Told()
        pool = Pool(run, trials(config), watcher=watcher, stop=None, provenance=lambda _: {}, debug=False)
        return *pool.work(), watcher

    return call


@pytest.mark.parametrize("end", ["killed", "in the middle of a line"])
def test_a_worker_that_is_killed_costs_its_trial_only(work, end):
    trained, failed, watcher = work({"1": end}, workers=1)
    assert trained == watcher.finished == ["l1-n1", "l1-n3", "l1-n4"]
    assert list(failed) == ["l1-n2"]
    assert "SIGKILL" in str(failed["l1-n2"])


def test_the_worker_in_a_killed_ones_place_goes_on_and_nothing_begins_anew(work):
    # Another sweep has begun the run: this one goes from the last trial to the first.
    trained, failed, watcher = work({"2": "killed"}, workers=1, begun=True)
    assert trained == ["l1-n4", "l1-n2", "l1-n1"]
    assert list(failed) == ["l1-n3"]
    assert watcher.ready_for == ["cpu"]


def test_a_worker_that_dies_with_nothing_to_do_is_in_nobodys_way(work):
    trained, failed, _ = work({"0": "slow", "3": "killed afterwards"}, workers=2)
    assert sorted(trained) == ["l1-n1", "l1-n2", "l1-n3", "l1-n4"]
    assert failed == {}


BROKEN = """
import os, job.runs.run
saves = job.runs.run.Run.save_attempt
def save_attempt(self, trial, attempt, folder):
    if trial == "l1-n8":
        {end}
    return saves(self, trial, attempt, folder)
job.runs.run.Run.save_attempt = save_attempt
"""
GRID = ("--layers", "1", "--neurons", "4,8,16", "--replicates", "4", "--epochs", "20")


@pytest.fixture
def broken(tmp_path):
    """What makes the program end in this way at the trial l1-n8."""

    def call(end):
        (tmp_path / "sitecustomize.py").write_text(BROKEN.format(end=end))
        return {"PYTHONPATH": str(tmp_path)}

    return call


def test_an_unexpected_error_of_one_trial_fails_that_trial_and_the_others_go_on(broken, xor_sweep):
    env = broken('raise MemoryError("Unable to allocate [8 GiB]")')
    said = xor_sweep("sweep", *GRID, "--workers", "1", env=env)
    assert said.code == 1
    assert said.error == "1 of 3 trials failed: l1-n8: MemoryError: Unable to allocate [8 GiB]"
    board = said.log[-1]["leaderboard"]
    assert sorted(trial["trial"] for trial in board["trials"]) == ["l1-n16", "l1-n4"]
    assert board["missing"] == ["l1-n8"]
    (line,) = [line for line in said.log if line["severity"] == "ERROR"]
    assert (line["trial"], line["exit_code"]) == ("l1-n8", 1)


def test_of_a_pods_trials_one_that_kills_the_pod_keeps_the_others_back_only_once(broken, tmp_path):
    env = broken("os.kill(os.getpid(), 9)")
    pod = ("trial", *GRID, "--trials-per-pod", "3", "--index", "0", "--output", "out")
    done = []
    for failures in ("0", "1"):
        said = run_program(*pod, cwd=tmp_path, env={**env, "XOR_SWEEP_FAILURE_COUNT": failures})
        assert said.code == -signal.SIGKILL
        done.append({path.parent.name for path in tmp_path.glob("out/runs/*/trials/*/result.json")})
    assert done == [{"l1-n4"}, {"l1-n4", "l1-n16"}]


def test_on_a_terminal_brackets_in_an_error_and_in_a_path_are_shown_as_they_are(tmp_path):
    shown = io.StringIO()
    watcher = TerminalWatcher(Console(file=shown, width=400))
    config = make_settings({"layers": [1], "neurons": [1]})
    with watcher:
        watcher.begun(Run(open_storage(str(tmp_path / "[draft] x")), config, "run"), 1, 0)
        watcher.failed("l1-n1", SweepError("cannot open [/job:localhost/device:GPU:0]"))
    assert "[draft] x/runs/run" in shown.getvalue()
    assert "l1-n1 failed: cannot open [/job:localhost/device:GPU:0]" in shown.getvalue()
