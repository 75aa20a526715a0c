"""The program as its users meet it: real processes, a real terminal, and sweeps that many tests look at.

A process that trains needs six seconds for TensorFlow alone. So the programs below run once each, two at a
time, ahead of the tests that look at what they left: `@ahead` makes a session fixture of a function.
"""

import fcntl
import inspect
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from job.cli import main
from job.config import SweepConfig
from job.grid import Architecture, replicate_seeds

PROGRAM = Path(sys.executable).with_name("xor-sweep")

# A person's environment, kept before any test changes it: the threads below start processes while tests run.
_OURS = ("XOR_SWEEP_", "_XOR_SWEEP", "JOB_COMPLETION_INDEX", "STORAGE_EMULATOR_HOST", "TF_", "XLA_")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
ENVIRONMENT["CUDA_VISIBLE_DEVICES"] = "-1"  # Also where there is a GPU, the tests' rows are those of the CPU.

# Who waits for longer waits for something that will never come.
PATIENCE_SECONDS = 180

SMALL = ("--layers", "1", "--neurons", "2,8,32", "--replicates", "16", "--epochs", "400")
"""Three trials: hardly any start of the first solves XOR, most of the second do, all of the third."""

SMALLER = ("--layers", "1", "--neurons", "8,32", "--replicates", "16", "--epochs", "400", "--workers", "1")
"""The last two of these trials, one after the other."""

ENDLESS = ("--layers", "1", "--neurons", "2,3", "--replicates", "64", "--epochs", "1000000", "--keep-training")
"""Two trials that train for longer than any test waits."""

DIVERGING = (
    *("--layers", "2", "--neurons", "8", "--activation", "linear", "--loss", "binary_crossentropy"),
    *("--optimizer", "sgd", "--learning-rate", "1000,0.01", "--replicates", "16", "--epochs", "50"),
)
"""Two trials: with the first learning rate, no start's numbers stay finite."""


class Ended(NamedTuple):
    """A program that has ended."""

    code: int
    out: str
    err: str

    @property
    def log(self):
        """Its log: standard output is one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self):
        """Its error: the one line on standard error, which is a JSON object where that is no terminal."""
        assert len(self.err.splitlines()) == 1, self.err
        error = json.loads(self.err)
        assert (error["severity"], error["exit_code"]) == ("ERROR", self.code)
        return error["message"]


class Running:
    """A program that runs, in a process group of its own."""

    def __init__(self, *arguments, cwd, env=None):
        self.process = subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=cwd,
            env={**ENVIRONMENT, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.out, self.err = [], []
        streams = ((self.process.stdout, self.out), (self.process.stderr, self.err))
        self.readers = [threading.Thread(target=_keep, args=pair, daemon=True) for pair in streams]
        for reader in self.readers:
            reader.start()

    def has_said(self, words):
        return any(words in line for line in self.out)

    def wait_until(self, is_so):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert self.process.poll() is None, f"ended too soon: {''.join(self.out + self.err)}"
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.005)

    def end(self, timeout=PATIENCE_SECONDS):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        for reader in self.readers:
            reader.join()
        return Ended(code, "".join(self.out), "".join(self.err))

    def processes(self):
        """Return those of its group that are alive: the program and its workers."""
        shown = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True)
        rows = [line.split() for line in shown.stdout.splitlines()]
        return [int(pid) for pid, group, state in rows if int(group) == self.process.pid and state[0] != "Z"]


def _keep(stream, lines):
    with stream:
        for line in stream:
            lines.append(line)


def rows(run, trial):
    """Return what replicates.csv holds of the attempt that counts."""
    folder = run / "trials" / trial
    attempt = json.loads((folder / "result.json").read_text())["attempt"]
    return (folder / attempt / "replicates.csv").read_bytes()


def content(folder):
    """Return what each file below a folder holds, and when it was last written."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def _run(*arguments, cwd, env=None):
    return Running(*arguments, cwd=cwd, env=env).end()


@pytest.fixture
def xor_sweep(tmp_path):
    """The program as a process, in an empty folder; returns when it has ended."""

    def run(*arguments, cwd=None, env=None):
        folder = cwd or tmp_path / "here"
        folder.mkdir(exist_ok=True)
        return _run(*arguments, cwd=folder, env=env)

    return run


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, which is the working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def say(here, monkeypatch, capsys):  # noqa: ARG001
    """The program's own `main` in this process, in an empty folder: quick, for whatever trains nothing."""
    for name in os.environ:
        if name.startswith(_OURS):
            monkeypatch.delenv(name)

    def call(*arguments, **environment):
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["xor-sweep", *map(str, arguments)])
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = capsys.readouterr()
        return Ended(ended.value.code or 0, out, err)

    return call


@pytest.fixture
def on_a_terminal(tmp_path):
    """The program on a terminal of 140 columns; returns its exit code and all that the terminal got."""

    def run(*arguments):
        return _on_a_terminal(*arguments, cwd=tmp_path)

    return run


def _on_a_terminal(*arguments, cwd):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    process = subprocess.Popen(
        [PROGRAM, *arguments],
        cwd=cwd,
        env={**ENVIRONMENT, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 1 << 16):
            shown += part
    except OSError:
        pass  # Linux says so when the last process has closed the terminal.
    finally:
        os.close(ours)
    return process.wait(PATIENCE_SECONDS), shown.decode()


_AHEAD = {}


def ahead(program):
    """Make a session fixture of a function that takes an empty folder, runs programs and returns what is to see."""
    _AHEAD[program.__name__] = program

    @pytest.fixture(scope="session", name=program.__name__)
    def result(_running_ahead):
        return _running_ahead[program.__name__].result()

    return result


@pytest.fixture(scope="session", autouse=True)
def _running_ahead(request, tmp_path_factory):
    """All programs that the chosen tests will look at, two at a time."""
    wanted = [name for item in request.session.items for name in item.fixturenames if name in _AHEAD]
    with ThreadPoolExecutor(2) as threads:
        running = {}
        for name in dict.fromkeys(wanted):
            _, *needed = inspect.signature(_AHEAD[name]).parameters
            others = map(request.getfixturevalue, needed)
            running[name] = threads.submit(_AHEAD[name], tmp_path_factory.mktemp(name), *others)
        yield running
        threads.shutdown(cancel_futures=True)


@ahead
def finished(folder):
    """SMALL, said in three ways at once: by a sweep file, by the environment, and by flags."""
    (folder / "sweep.yaml").write_text("neurons: [2, 8, 32]\nlayers: 3\nreplicates: 99\nepochs: 7\n")
    environment = {"XOR_SWEEP_REPLICATES": "16", "XOR_SWEEP_EPOCHS": "8"}
    said = _run(
        *("sweep", "--config", "sweep.yaml", "--layers", "1", "--epochs", "400", "--output", "out"),
        cwd=folder,
        env=environment,
    )
    (run,) = (folder / "out" / "runs").iterdir()
    return SimpleNamespace(folder=folder, output=folder / "out", run=run, said=said)


@pytest.fixture
def copy(finished, here):
    """The finished run, to do with as one likes; its output is the folder `out` of the working folder."""
    output = here / "out"
    shutil.copytree(finished.output, output)
    return output / "runs" / finished.run.name


@ahead
def single_trial(folder):
    """The second of SMALL's trials alone, as in a pod; then, by its name, once more."""
    said = _run("trial", *SMALL, cwd=folder, env={"JOB_COMPLETION_INDEX": "1"})
    (run,) = (folder / "runs").iterdir()
    before = content(folder)
    again = _run("trial", *SMALL, "--name", "l1-n8", cwd=folder, env={"JOB_COMPLETION_INDEX": "2"})
    return SimpleNamespace(run=run, said=said, again=again, before=before, after=content(folder))


@ahead
def diverged_sweep(folder):
    """A sweep one of whose trials can never succeed."""
    return SimpleNamespace(folder=folder, said=_run("sweep", *DIVERGING, "--workers", "1", cwd=folder))


@ahead
def diverged_trial(folder):
    """A trial that can never succeed."""
    return SimpleNamespace(folder=folder, said=_run("trial", *DIVERGING, "--index", "0", cwd=folder))


@ahead
def no_gpu(folder):
    """A sweep for a GPU that is not there."""
    return SimpleNamespace(folder=folder, said=_run("sweep", "--device", "gpu", *SMALL, cwd=folder))


@ahead
def two_sweeps(folder):
    """SMALLER, started twice at once into one folder."""
    both = [Running("sweep", *SMALLER, cwd=folder) for _ in range(2)]
    said = [program.end() for program in both]
    (run,) = (folder / "runs").iterdir()
    return SimpleNamespace(run=run, said=said)


def _killed(program):
    """Kill the program (SIGKILL), and give its workers a few seconds to see that it is gone."""
    workers = len(program.processes()) - 1
    program.process.kill()
    program.process.wait()
    deadline = time.monotonic() + 15
    while (left := program.processes()) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in left:
        os.kill(process, signal.SIGKILL)
    return workers, left


@ahead
def killed_training(folder):
    """A sweep that was killed in a training that does not end by itself."""
    program = Running("sweep", *ENDLESS, "--workers", "1", cwd=folder)
    program.wait_until(lambda: program.has_said("epoch 1:"))
    workers, left = _killed(program)
    return SimpleNamespace(workers=workers, left=left)


@ahead
def killed_sweep(folder):
    """SMALLER, killed after its first result; then started again."""
    program = Running("sweep", *SMALLER, cwd=folder)
    program.wait_until(lambda: any(folder.glob("runs/*/trials/*/result.json")))
    _killed(program)
    before = content(folder)
    again = _run("sweep", *SMALLER, cwd=folder)
    return SimpleNamespace(folder=folder, before=before, again=again, after=content(folder))


def _stopped(program, number):
    """Send a signal; the program must end in time: a spot node gives a pod 15 seconds, the promise is 10."""
    os.kill(program.process.pid, number)
    said = program.end(timeout=10)
    return said, program.processes()


@ahead
def stopped_sweep(folder):
    """A sweep that got SIGTERM while it trained."""
    program = Running("sweep", *ENDLESS, "--workers", "1", cwd=folder)
    program.wait_until(lambda: program.has_said("epoch 1:"))
    said, left = _stopped(program, signal.SIGTERM)
    return SimpleNamespace(folder=folder, said=said, left=left)


@ahead
def stopped_trial(folder):
    """A trial that got SIGTERM while it trained."""
    program = Running("trial", *ENDLESS, "--index", "0", cwd=folder)
    program.wait_until(lambda: program.has_said("epoch 1:"))
    said, left = _stopped(program, signal.SIGTERM)
    return SimpleNamespace(folder=folder, said=said, left=left)


@ahead
def stopped_start(folder):
    """A trial that got SIGTERM while TensorFlow started."""
    program = Running("trial", *ENDLESS, "--index", "0", cwd=folder)
    program.wait_until(lambda: program.has_said("l1-n2"))
    time.sleep(1)  # TensorFlow's start takes several.
    said, left = _stopped(program, signal.SIGTERM)
    return SimpleNamespace(folder=folder, said=said, left=left)


@ahead
def stopped_sweep_start(folder):
    """A sweep that got SIGTERM while its workers started TensorFlow."""
    program = Running("sweep", *ENDLESS, cwd=folder)
    program.wait_until(lambda: program.has_said("2 trials to train"))
    time.sleep(1)
    said, left = _stopped(program, signal.SIGTERM)
    return SimpleNamespace(folder=folder, said=said, left=left)


@ahead
def interrupted_sweep(folder):
    """A sweep that got Ctrl-C, which goes to the program and its workers alike, while it trained."""
    program = Running("sweep", *ENDLESS, "--workers", "1", cwd=folder)
    program.wait_until(lambda: program.has_said("epoch 1:"))
    os.killpg(program.process.pid, signal.SIGINT)
    said = program.end(timeout=10)
    return SimpleNamespace(folder=folder, said=said, left=program.processes())


@ahead
def terminal_sweep(folder):
    """SMALLER on a terminal: its exit code and all that the terminal got."""
    return _on_a_terminal("sweep", *SMALLER, cwd=folder)


@ahead
def single_train(folder):
    """The first replicate of SMALL's last trial, replayed; nothing is stored."""
    seed = replicate_seeds(SweepConfig(replicates=16), Architecture(layers=1, neurons=32))[0]
    said = _run("train", "--neurons", "32", "--epochs", "400", "--seed", str(seed), cwd=folder)
    return SimpleNamespace(folder=folder, seed=seed, said=said)


@ahead
def cloud_sweep(folder, gcs_server):
    """SMALLER, into a bucket."""
    environment = {"STORAGE_EMULATOR_HOST": gcs_server}
    url = f"gs://results/{uuid.uuid4().hex}/prefix"
    said = _run("sweep", *SMALLER, "--output", url, cwd=folder, env=environment)
    return SimpleNamespace(folder=folder, url=url, environment=environment, said=said)
