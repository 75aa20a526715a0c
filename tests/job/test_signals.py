"""Signals and kills: what ends, what is left, and what is not lost."""

import json
import subprocess
import sys

import pytest
from run_files import rows


def trials_of(folder):
    (run,) = (folder / "runs").iterdir()
    return {path.name: path for path in (run / "trials").iterdir()}


def check_end(stopped, code, signal_name):
    """It ended by this signal with one line; that it did so within 10 seconds was seen to where it was stopped."""
    assert stopped.said.code == code
    assert signal_name in stopped.said.error
    assert "Traceback" not in stopped.said.out
    assert stopped.left == []


def check_attempt(folder):
    """The trial that was in training has an attempt with its log, and no result; the other was not begun."""
    trials = trials_of(folder)
    assert list(trials) == ["l1-n2"]
    (attempt,) = trials["l1-n2"].iterdir()
    lines = [json.loads(line) for line in (attempt / "log.jsonl").read_text().splitlines()]
    assert all(line["trial"] == "l1-n2" for line in lines)
    assert any(line.get("epoch") == 1 for line in lines)
    assert lines[-1]["severity"] == "WARNING"
    assert "stopped" in lines[-1]["message"]


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_signal_while_the_program_imports_ends_it_without_a_word(name, code):
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Finder:\n"
        "    def find_spec(self, module, *_):\n"
        f"        if module == 'click': signal.raise_signal(signal.{name})\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import job.__main__\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (code, "", "")


def test_after_the_imports_ctrl_c_ends_what_was_begun_in_order_again():
    program = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import job.__main__\n"
        "assert signal.getsignal(signal.SIGINT) == signal.default_int_handler"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_sigterm_ends_a_sweep_that_trains_with_code_143_and_its_log_is_kept(stopped_sweep):
    check_end(stopped_sweep, 143, "SIGTERM")
    check_attempt(stopped_sweep.folder)


def test_sigterm_ends_a_trial_that_trains_with_code_143_and_its_log_is_kept(stopped_trial):
    check_end(stopped_trial, 143, "SIGTERM")
    check_attempt(stopped_trial.folder)


def test_sigterm_ends_a_trial_while_tensorflow_starts_and_nothing_is_written(stopped_start):
    check_end(stopped_start, 143, "SIGTERM")
    assert list(stopped_start.folder.iterdir()) == []


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_where_there_is_nothing_to_save_a_signal_ends_the_process_though_a_library_swallows_every_error(name, code):
    program = (
        "import signal, sys, time\n"
        "from job.signals import StopRequest\n"
        "def show(error): print(error, error.exit_code, file=sys.stderr)\n"
        "with StopRequest(show) as stop, stop.exit_immediately():\n"
        "    while True:\n"
        "        try:\n"
        f"            signal.raise_signal(signal.{name})\n"
        "            time.sleep(60)\n"
        "        except BaseException:\n"
        "            print('swallowed')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert ended.stderr == f"stopped by {name}; finished work is kept {code}\n"


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_unwinds_a_block_once_and_a_second_one_does_not_interrupt_the_cleaning_up(name, code):
    program = (
        "import signal, sys\n"
        "from job.errors import InterruptedRunError\n"
        "from job.signals import unwind_on_signals\n"
        "try:\n"
        "    with unwind_on_signals():\n"
        "        try:\n"
        "            try:\n"
        f"                signal.raise_signal(signal.{name})\n"
        "            except Exception:\n"
        "                print('swallowed')\n"
        "        finally:\n"
        "            signal.raise_signal(signal.SIGTERM)\n"
        "            print('cleaned up')\n"
        "except InterruptedRunError as error:\n"
        "    print(error)\n"
        "    sys.exit(error.exit_code)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert (ended.returncode, ended.stderr) == (code, "")
    assert ended.stdout == f"cleaned up\nstopped by {name}\n"


def test_sigterm_ends_a_sweep_while_its_workers_start_and_nothing_is_written(stopped_sweep_start):
    check_end(stopped_sweep_start, 143, "SIGTERM")
    assert list(stopped_sweep_start.folder.iterdir()) == []


def test_ctrl_c_ends_a_sweep_and_its_workers_with_code_130_and_its_log_is_kept(interrupted_sweep):
    check_end(interrupted_sweep, 130, "SIGINT")
    check_attempt(interrupted_sweep.folder)


def test_a_sweep_that_is_killed_while_it_trains_leaves_no_process_behind(killed_training):
    assert killed_training.workers == 1
    assert killed_training.left == []


def test_a_killed_sweep_that_is_started_again_trains_only_what_is_missing(killed_sweep, finished):
    assert [name.split("/")[3] for name in killed_sweep.before if name.endswith("result.json")] == ["l1-n8"]
    again = killed_sweep.again
    assert (again.code, again.err) == (0, "")
    assert "trials to train: 1, already done: 1" in again.log[0]["message"]
    assert {line["trial"] for line in again.log if "epoch" in line} == {"l1-n32"}
    assert killed_sweep.after.items() >= killed_sweep.before.items()
    (run,) = (killed_sweep.folder / "runs").iterdir()
    for trial in ("l1-n8", "l1-n32"):
        assert rows(run, trial) == rows(finished.run, trial)
