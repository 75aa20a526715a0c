"""The program as a process, with its own console script: run, talked to, and watched."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from typing import NamedTuple

PROGRAM = Path(sys.executable).with_name("xor-sweep")

# A person's environment, kept before any test changes it: the threads below start processes while tests run.
OUR_VARIABLES = ("XOR_SWEEP_", "_XOR_SWEEP", "JOB_COMPLETION_INDEX", "STORAGE_EMULATOR_HOST", "TF_", "XLA_")
# GNU readline, which pytest imports, sets these in its worker processes; they would hide a terminal's own size.
OUR_VARIABLES += ("LINES", "COLUMNS")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(OUR_VARIABLES)}
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


def run_program(*arguments, cwd, env=None):
    """Run the program until it ends."""
    return Running(*arguments, cwd=cwd, env=env).end()


class OnATerminal:
    """A program that runs on a terminal of 40 lines; its standard error may go elsewhere."""

    def __init__(self, *arguments, cwd, columns=140, stderr=None):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.process = subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=cwd,
            env={**ENVIRONMENT, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=stderr or theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.sent = b""
        self.reader = threading.Thread(target=self._read, args=(ours,), daemon=True)
        self.reader.start()

    def _read(self, ours):
        try:
            while part := os.read(ours, 1 << 16):
                self.sent += part
        except OSError:
            pass  # Linux says so when the last process has closed the terminal.
        finally:
            os.close(ours)

    def wait_until(self, words):
        """Return when the terminal has got these words."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words.encode() not in self.sent:
            assert self.process.poll() is None, f"ended too soon: {self.sent.decode()}"
            assert time.monotonic() < deadline, f"waited in vain for {words!r}: {self.sent.decode()}"
            time.sleep(0.02)

    def end(self):
        """Return its exit code and all that the terminal got."""
        code = self.process.wait(PATIENCE_SECONDS)
        self.reader.join()
        return code, self.sent.decode()


def run_on_a_terminal(*arguments, cwd, **how):
    """Run the program on a terminal; return its exit code and all that the terminal got."""
    return OnATerminal(*arguments, cwd=cwd, **how).end()
