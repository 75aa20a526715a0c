"""The image, run as the README runs it: by a user without rights, read-only, stopped, with a volume."""

import json
import os
import re
import subprocess
import time
import tomllib
import uuid
from pathlib import Path

import pytest

from job.runs.run import find_run
from job.statistics.leaderboard import make_leaderboard

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
TINY = {"XOR_SWEEP_LAYERS": "1,2", "XOR_SWEEP_NEURONS": "2", "XOR_SWEEP_REPLICATES": "8", "XOR_SWEEP_EPOCHS": "20"}
LOCKED_DOWN = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none"]
NEVER_ENDING = ["sweep", "--layers", "1", "--neurons", "2", "--epochs", "900000", "--keep-training"]


@pytest.fixture
def run(docker, image):
    """Run the image once, with the command's words, the container's options and the environment."""

    def run_once(*words, options=(), code=0, **environment):
        settings = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
        done = subprocess.run(
            [docker, "run", "--rm", *options, *settings, image, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    return run_once


@pytest.fixture
def inside(run):
    """Run lines of Python in the image."""
    return lambda program: run("-c", program, options=["--entrypoint", "python"]).strip()


@pytest.fixture(scope="module")
def description(docker, image):
    return json.loads(subprocess.check_output([docker, "image", "inspect", image]))[0]["Config"]


@pytest.fixture
def container(docker, image):
    """Start the image in the background; gives what runs docker's own commands on the container."""
    name = f"xor-sweep-test-{uuid.uuid4().hex[:12]}"

    def start(*words):
        subprocess.run([docker, "run", "--detach", "--name", name, image, *words], check=True, capture_output=True)
        return lambda *command: (
            subprocess.run(
                [docker, *command, name], check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ).stdout
        )

    yield start
    subprocess.run([docker, "rm", "--force", "--volumes", name], capture_output=True, check=False)


def messages(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_version_is_the_projects(run):
    assert run("--version").split()[-1] == PROJECT["version"]


def test_without_words_it_shows_its_help(run):
    assert run().startswith("Usage: xor-sweep ")


def test_the_labels_are_the_projects(description):
    label = {key.removeprefix("org.opencontainers.image."): value for key, value in description["Labels"].items()}
    assert label["title"] == PROJECT["name"]
    assert label["description"] == PROJECT["description"]
    assert label["licenses"] == PROJECT["license"]
    assert label["version"] == PROJECT["version"]


def test_its_user_is_a_number_that_kubernetes_knows_is_not_root(description, inside):
    assert description["User"] == "65532:65532"
    assert inside("import os; print(os.getuid(), os.getgid())") == "65532 65532"


def test_python_is_started_by_no_shell(description):
    assert description["Entrypoint"] == ["xor-sweep"]


@pytest.mark.parametrize("module", ["pip", "ensurepip", "setuptools", "grpc", "pytest", "mypy", "tests", "docs"])
def test_what_installs_builds_and_tests_is_not_in_it(inside, module):
    assert inside(f"import importlib.util as u; print(u.find_spec('{module}'))") == "None"


def test_no_installer_compiler_or_header_is_in_it(inside):
    assert inside("import shutil; print(*filter(shutil.which, ['pip', 'pip3', 'uv', 'gcc', 'strip']))") == ""
    site = "import sysconfig, pathlib; site = pathlib.Path(sysconfig.get_path('purelib'))"
    assert inside(f"{site}; print(*site.glob('tensorflow/include'), *site.rglob('*.a'))") == ""


def test_its_environment_has_no_command_but_python_and_its_own(inside):
    commands = set(inside("import os; print(*os.listdir('/opt/xor-sweep/bin'))").split())
    assert {name for name in commands if not name.startswith("python")} == {"xor-sweep"}


def test_no_program_in_it_gives_more_rights_than_its_caller_has(inside):
    walk = "import os, stat; files = (os.path.join(at, name) for at, _, names in os.walk('/usr') for name in names)"
    raising = "os.lstat(file).st_mode & (stat.S_ISUID | stat.S_ISGID)"
    assert inside(f"{walk}; print([file for file in files if {raising}])") == "[]"


def test_bytecode_is_compiled_since_nobody_could_write_it(inside):
    lacking = (
        "import sys, os, importlib.util as u, json, job.cli.main, numpy, scipy.stats, k8s;"
        "print([m.__name__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)"
        " and m.__file__.endswith('.py') and not os.path.exists(u.cache_from_source(m.__file__))])"
    )
    assert inside(lacking) == "[]"


def test_a_sweep_of_the_environments_settings_needs_no_flag_and_no_right(run):
    log = messages(run("sweep", options=LOCKED_DOWN, **TINY))
    assert {row["trial"] for row in log[-1]["leaderboard"]["trials"]} == {"l1-n2", "l2-n2"}


def test_train_shows_the_four_predictions(run):
    shown = run("train", "--epochs", "5", "--log-format", "text", options=LOCKED_DOWN)
    assert re.findall(r"^([01]) xor ([01]) = \d", shown, re.MULTILINE) == [*zip("0011", "0101", strict=True)]


def test_a_volume_keeps_the_results_as_the_callers_own(run, tmp_path):
    user = os.getuid() or 1234  # root's own files would show nothing
    if not os.getuid():
        os.chown(tmp_path, user, user)
    options = ["--user", f"{user}:{user}", "--volume", f"{tmp_path}:/runs", *LOCKED_DOWN]
    run("sweep", "--run", "kept", options=options, **TINY)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.stat().st_uid for path in files} == {user}
    assert tmp_path / "kept/report/leaderboard.csv" in files

    again = messages(run("sweep", "--run", "kept", options=options, **TINY))
    assert any("nothing to train" in line["message"] for line in again)

    (tmp_path / "runs").symlink_to(tmp_path)
    assert {row.trial for row in make_leaderboard(find_run("kept", str(tmp_path))).rows} == {"l1-n2", "l2-n2"}


def test_a_folder_that_its_user_may_not_write_is_refused_in_words(run, tmp_path):
    tmp_path.chmod(0o755)
    run("sweep", options=["--volume", f"{tmp_path}:/runs"], code=2, **TINY)
    assert not [*tmp_path.iterdir()]


def test_as_many_workers_as_it_may_use_cores(run):
    log = messages(run("sweep", options=["--cpus", "1"], **TINY))
    assert [line["workers"] for line in log if "workers" in line] == [1]


def test_docker_stop_ends_it_in_time_with_the_signals_exit_code(container):
    command = container(*NEVER_ENDING)
    while "epoch 1:" not in command("logs"):
        assert command("inspect", "--format", "{{.State.Status}}").strip() == "running", command("logs")
        time.sleep(0.2)
    command("stop", "-t", "10")  # then it would be killed, and the exit code 137
    assert command("inspect", "--format", "{{.State.ExitCode}}").strip() == "143"
    assert "stopped by SIGTERM" in command("logs")
