"""One finished sweep and other programs that have ended, for all tests to look at.

A process that trains needs six seconds for TensorFlow alone. So the programs below run once each, two at a
time, ahead of the tests that look at what they left: `@ahead` makes a session fixture of a function.
"""

import inspect
import os
import shutil
import signal
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from pages import parse
from playwright.sync_api import sync_playwright
from programs import (
    DIVERGING,
    ENDLESS,
    OUR_VARIABLES,
    SMALL,
    SMALLER,
    Ended,
    Running,
    run_on_a_terminal,
    run_program,
)
from run_files import content

from job.cli.main import main
from job.settings.grid import Architecture, replicate_seeds
from job.settings.sweep import Settings
from job.storage import SCHEMES


@pytest.fixture
def xor_sweep(tmp_path):
    """The program as a process, in an empty folder; returns when it has ended."""

    def run(*arguments, cwd=None, env=None):
        folder = cwd or tmp_path / "here"
        folder.mkdir(exist_ok=True)
        return run_program(*arguments, cwd=folder, env=env)

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
        if name.startswith(OUR_VARIABLES):
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
        return run_on_a_terminal(*arguments, cwd=tmp_path)

    return run


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
    said = run_program(
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
    said = run_program("trial", *SMALL, cwd=folder, env={"JOB_COMPLETION_INDEX": "1"})
    (run,) = (folder / "runs").iterdir()
    before = content(folder)
    again = run_program("trial", *SMALL, "--name", "l1-n8", cwd=folder, env={"JOB_COMPLETION_INDEX": "2"})
    return SimpleNamespace(run=run, said=said, again=again, before=before, after=content(folder))


@ahead
def diverged_sweep(folder):
    """A sweep one of whose trials can never succeed."""
    return SimpleNamespace(folder=folder, said=run_program("sweep", *DIVERGING, "--workers", "1", cwd=folder))


@ahead
def diverged_trial(folder):
    """A trial that can never succeed."""
    return SimpleNamespace(folder=folder, said=run_program("trial", *DIVERGING, "--index", "0", cwd=folder))


@ahead
def no_gpu(folder):
    """A sweep for a GPU that is not there."""
    return SimpleNamespace(folder=folder, said=run_program("sweep", "--device", "gpu", *SMALL, cwd=folder))


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
    again = run_program("sweep", *SMALLER, cwd=folder)
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
    program.wait_until(lambda: program.has_said("trials to train: 2"))
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
    return run_on_a_terminal("sweep", *SMALLER, cwd=folder)


@ahead
def single_train(folder):
    """The first replicate of SMALL's last trial, replayed; nothing is stored."""
    seed = replicate_seeds(Settings(replicates=16), Architecture(layers=1, neurons=32))[0]
    said = run_program("train", "--neurons", "32", "--epochs", "400", "--seed", str(seed), cwd=folder)
    return SimpleNamespace(folder=folder, seed=seed, said=said)


def _into_a_bucket(folder, scheme, environment):
    url = f"{scheme}://results/{uuid.uuid4().hex}/prefix"
    said = run_program("sweep", *SMALLER, "--output", url, cwd=folder, env=environment)
    return SimpleNamespace(folder=folder, url=url, environment=environment, said=said)


@ahead
def gs_sweep(folder, gs_environment):
    """SMALLER, into a bucket of Google's."""
    return _into_a_bucket(folder, "gs", gs_environment)


@ahead
def s3_sweep(folder, s3_environment):
    """SMALLER, into a bucket of S3's."""
    return _into_a_bucket(folder, "s3", s3_environment)


@pytest.fixture(params=SCHEMES)
def cloud_sweep(request, gs_sweep, s3_sweep):
    """SMALLER, into a bucket of each kind."""
    return {"gs": gs_sweep, "s3": s3_sweep}[request.param]


@ahead
def paneled_sweep(folder):
    """Eight trials on three axes, with the tutorial's two networks among them."""
    words = (
        "--neurons",
        "16,32",
        "--layers",
        "1,2",
        "--activation",
        "relu,tanh",
        "--replicates",
        "24",
        "--epochs",
        "300",
    )
    said = run_program("sweep", *words, "--run", "paneled", cwd=folder)
    return SimpleNamespace(folder=folder, run=folder / "runs" / "paneled", said=said)


@ahead
def parity_sweep(folder):
    """The parity of three bits, with and without a hidden layer, on two axes."""
    words = ("--data", "parity:3", "--layers", "0,1", "--neurons", "4,8", "--activation", "relu,tanh")
    said = run_program(
        *("sweep", *words, "--learning-rate", "0.01", "--replicates", "12", "--epochs", "200", "--run", "parity"),
        cwd=folder,
    )
    return SimpleNamespace(folder=folder, run=folder / "runs" / "parity", said=said)


@ahead
def linear_sweep(folder):
    """The parity of eight bits, without a hidden layer: a grid of one trial."""
    words = ("--data", "parity:8", "--layers", "0", "--replicates", "4", "--epochs", "20", "--run", "linear")
    said = run_program("sweep", *words, cwd=folder)
    return SimpleNamespace(folder=folder, run=folder / "runs" / "linear", said=said)


@pytest.fixture(scope="session")
def text(finished):
    """The finished run's report, as HTML."""
    return (finished.run / "report" / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def page(text):
    """The same, parsed."""
    return parse(text)


@pytest.fixture
def write(copy, say):
    """Write the report of the copied run again; gives what was said, and the parsed page."""

    def call(code=0):
        said = say("report", copy)
        assert said.code == code, said.err
        return said, parse((copy / "report" / "index.html").read_text(encoding="utf-8"))

    return call


@pytest.fixture(scope="module")
def chromium():
    """Debian's chromium, driven by playwright."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium here (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # A container's root has no user namespaces for chromium's sandbox; the page is our own.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def look(chromium):
    """Open the report of a run; at the end, neither the console nor the network may have had any trouble."""
    troubles, contexts = [], []

    def call(run, width=1200, **how):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **how)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("requestfailed", lambda request: troubles.append(request.url))
        address = (run / "report" / "index.html").as_uri()
        page.on(
            "request",
            lambda request: None if request.url.startswith((address, "data:")) else troubles.append(request.url),
        )
        page.goto(address)
        return page

    yield call
    for context in contexts:
        context.close()
    assert not troubles
