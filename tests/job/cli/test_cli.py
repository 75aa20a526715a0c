"""The command line: its words, its help, and how it says no."""

import json
import os
import subprocess
import sys

import pytest
from programs import ENVIRONMENT, PROGRAM, SMALL, run_program

from job.cli.main import cli

COMMANDS = ("sweep", "trial", "train", "leaderboard", "report", "plot", "champion")
COMMANDS += ("driver", "retrain", "status", "logs", "results")
HEAVY = {"tensorflow", "keras", "scipy", "google"}


def test_version_and_commands_are_those_of_the_package(xor_sweep):
    version = xor_sweep("--version")
    assert (version.code, version.err) == (0, "")
    assert version.out.startswith("xor-sweep")
    assert any(character.isdigit() for character in version.out)
    assert set(cli.commands) == set(COMMANDS)


def test_python_m_job_is_the_same_program():
    shown = subprocess.run(
        [sys.executable, "-m", "job", "--help"], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    assert shown.stdout.startswith("Usage: xor-sweep ")


def test_without_words_it_shows_its_help(xor_sweep):
    said = xor_sweep()
    assert (said.code, said.err) == (0, "")
    assert all(command in said.out for command in COMMANDS)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_help_imports_neither_tensorflow_nor_scipy_nor_google(command):
    program = (
        "import sys; sys.argv[0] = 'xor-sweep'\n"
        "from job.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=ENVIRONMENT,
    )
    assert shown.stdout.startswith("Usage: xor-sweep")
    assert "job" in shown.stderr.split()
    assert not HEAVY & set(shown.stderr.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_has_an_environment_variable_and_its_help_names_it(say, name):
    shown = "".join(say(name, "--help").out.split())
    for option in cli.commands[name].params:
        if option.param_type_name == "option":
            variable = f"XOR_SWEEP_{option.name.replace('table', name).upper()}"
            assert variable in shown, f"{option.opts[0]} of {name}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion_script(say, shell):
    said = say(_XOR_SWEEP_COMPLETE=f"{shell}_source")
    assert (said.code, said.err) == (0, "")
    assert f"_XOR_SWEEP_COMPLETE={shell}_complete" in said.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("sw", {"sweep"}),
        ("sweep --activation rel", {"relu", "relu6"}),
        ("sweep --activation tanh,leaky", {"tanh,leaky_relu"}),
        ("sweep --optimizer ada", {"adadelta", "adagrad", "adam", "adamax", "adamw"}),
        ("train --loss m", {"mean_squared_error"}),
        ("trial --device ", {"auto", "cpu", "gpu"}),
        ("leaderboard x --format j", {"json"}),
        ("sweep --repl", {"--replicates"}),
    ],
)
def test_names_are_completed(say, words, expected):
    environment = {
        "_XOR_SWEEP_COMPLETE": "bash_complete",
        "COMP_WORDS": f"xor-sweep {words}",
        "COMP_CWORD": str(len(f"xor-sweep {words}x".split()) - 1),
    }
    said = say(**environment)
    assert (said.code, said.err) == (0, "")
    assert {line.partition(",")[2] for line in said.out.splitlines()} == expected


def many(count):
    return ",".join(map(str, range(1, count + 1)))


WRONG = [  # the words, and what the line must say: what is wrong, and what would be right
    # a name
    ("sweep --activation rellu", "--activation", "rellu", "'relu'"),
    ("trial --index 0 --activation sigmoidd", "--activation", "sigmoidd", "'sigmoid'"),
    ("train --activation TanH", "--activation", "TanH", "'tanh'"),
    ("sweep --activation relu,tanhh", "--activation", "tanhh", "'tanh'"),
    ("sweep --activation softmax", "--activation", "softmax", "relu"),
    ("sweep --loss mean_squared_eror", "--loss", "mean_squared_eror", "'mean_squared_error'"),
    ("sweep --loss mse", "--loss", "mse", "'mean_squared_error'"),
    ("sweep --loss bce", "--loss", "bce", "'binary_crossentropy'"),
    ("sweep --optimizer adamm", "--optimizer", "adamm", "'adam'"),
    ("train --optimizer SGDD", "--optimizer", "SGDD", "'sgd'"),
    ("sweep --activation 3", "--activation", "3", "element-wise"),
    ("sweep --device tpu", "--device", "tpu", "cpu", "gpu", "auto"),
    ("sweep --log-format xml", "--log-format", "xml", "json", "text"),
    ("leaderboard x --format xml", "--format", "xml", "json", "csv"),
    # a number
    ("sweep --neurons 0", "--neurons", "0", "from 1 to 4096"),
    ("sweep --neurons -8", "--neurons", "-8", "from 1 to 4096"),
    ("sweep --neurons 8,0", "--neurons", "0", "from 1 to 4096"),
    ("sweep --neurons 4097", "--neurons", "4097", "from 1 to 4096"),
    (f"sweep --neurons {'9' * 30}", "--neurons", "9" * 30, "from 1 to 4096"),
    (f"sweep --neurons {'9' * 6000}", "--neurons", "from 1 to 4096"),
    ("sweep --neurons many", "--neurons", "many", "whole numbers"),
    ("sweep --neurons 1.5", "--neurons", "1.5", "whole numbers"),
    ("sweep --neurons 8;16", "--neurons", "8;16", "whole numbers"),
    ("train --neurons 0", "--neurons", "0", "from 1 to 4096"),
    ("train --neurons 8,16", "--neurons", "8,16", "one value"),
    ("sweep --layers -1", "--layers", "-1", "from 0 to 100"),
    ("sweep --layers 101", "--layers", "101", "from 0 to 100"),
    ("train --layers two", "--layers", "two", "from 0 to 100"),
    ("sweep --learning-rate 0", "--learning-rate", "0", "above 0"),
    ("sweep --learning-rate -1", "--learning-rate", "-1", "above 0"),
    ("sweep --learning-rate nan", "--learning-rate", "nan", "above 0"),
    ("sweep --learning-rate inf", "--learning-rate", "inf", "above 0"),
    ("sweep --learning-rate fast", "--learning-rate", "fast", "above 0"),
    ("sweep --learning-rate 1e9", "--learning-rate", "1000000000", "up to 1000"),
    ("sweep --epochs 0", "--epochs", "0", "from 1 to 1000000"),
    ("sweep --epochs -1", "--epochs", "-1", "from 1 to 1000000"),
    ("sweep --epochs 1000001", "--epochs", "1000001", "from 1 to 1000000"),
    ("sweep --epochs soon", "--epochs", "soon", "whole number"),
    ("sweep --replicates 0", "--replicates", "0", "from 1 to 1000000"),
    ("sweep --replicates 1000001", "--replicates", "1000001", "from 1 to 1000000"),
    ("sweep --replicates 1000 --epochs 1000000", "1000", "1000000", "250000000"),
    ("sweep --seed -1", "--seed", "-1", "from 0 to 4294967295"),
    ("sweep --seed 4294967296", "--seed", "4294967296", "from 0 to 4294967295"),
    ("train --seed 2147483646", "--seed", "2147483646", "from 0 to 2147483645"),
    ("train --seed 99999999999", "--seed", "99999999999", "from 0"),
    ("sweep --workers 0", "--workers", "0", "from 1 to 1024"),
    ("sweep --workers -1", "--workers", "-1", "from 1 to 1024"),
    ("sweep --workers all", "--workers", "all", "from 1 to 1024"),
    # the grid
    (["sweep", "--layers", ""], "--layers", "empty", "from 0 to 100"),
    (["sweep", "--neurons", ","], "--neurons", "from 1 to 4096"),
    ("sweep --layers 1,,2", "--layers", "empty", "comma too many", "from 0 to 100"),
    ("sweep --activation relu,tanh,", "--activation", "empty", "comma too many"),
    (["sweep", "--activation", ""], "--activation", "empty"),
    ("sweep --neurons 8,16,8", "--neurons", "8", "twice"),
    ("sweep --activation relu,relu", "--activation", "relu", "twice"),
    ("sweep --learning-rate 0.1,0.10", "--learning-rate", "0.1", "twice"),
    (f"sweep --layers {many(100)} --neurons {many(1001)}", "100100", "100000"),
    # the trial
    ("trial --index 15", "15", "0 to 14"),
    (f"trial --index {'9' * 30}", "9" * 30, "0 to 14"),
    ("trial --index -1", "--index", "-1", "0"),
    ("trial --index first", "--index", "first", "whole number"),
    ("trial --index 1.5", "--index", "1.5", "whole number"),
    ("trial --name l2-n17", "l2-n17", "'l2-n16'"),
    ("trial --name 3", "'3'", "l1-n2 to l3-n32"),
    ("trial --index 1 --name l1-n2", "--index", "--name", "one of them"),
    ("trial", "--index", "--name", "JOB_COMPLETION_INDEX"),
    # the place
    ("sweep --output az://bucket/prefix", "az://bucket/prefix", "gs://bucket/prefix or s3://bucket/prefix"),
    ("trial --index 0 --output https://host/x", "https://host/x", "gs://bucket/prefix"),
    ("sweep --output file:///tmp/x", "file:///tmp/x", "folder"),
    ("sweep --output gs://", "gs://", "gs://bucket"),
    ("sweep --output gs:bucket/prefix", "gs:bucket/prefix", "gs://bucket/prefix"),
    ("sweep --output ~nosuchuser/zz", "~nosuchuser", "'./~nosuchuser/zz'"),
    ("sweep --output gs:///prefix", "gs:///prefix", "gs://bucket"),
    (["sweep", "--output", ""], "--output", "empty", "folder"),
    (["sweep", "--output", "two\nlines"], "folder"),
    ("sweep --output /dev/null/x", "/dev/null/x", "Not a directory", "folder"),
    ("trial --index 0 --output /dev/null/x", "/dev/null/x", "Not a directory", "folder"),
    ("sweep --output /proc/x", "/proc/x", "choose another"),
    (f"sweep --output /tmp/{'x' * 300}", "too long", "shorter"),
    ("sweep --run Mine", "--run", "Mine", "a-z, 0-9"),
    ("sweep --run ../mine", "--run", "../mine", "a-z, 0-9"),
    ("sweep --run a/b", "--run", "a/b", "a-z, 0-9"),
    (["sweep", "--run", ""], "--run", "a-z, 0-9"),
    (f"sweep --run {'x' * 64}", "--run", "up to 63"),
    # the words themselves
    ("swep", "swep", "sweep"),
    ("sweep --neuron 8", "--neuron", "--neurons"),
    ("sweep --neurons", "--neurons"),
    ("sweep now", "now"),
    ("train --replicates 3", "--replicates"),
    ("leaderboard", "RUN"),
    ("--nope", "--nope"),
]


@pytest.mark.parametrize(
    ("words", "expected"),
    [pytest.param(words, expected, id=str(words)[:60]) for words, *expected in WRONG],
)
def test_wrong_words_get_one_line_and_exit_code_2_and_nothing_is_written(say, here, words, expected):
    said = say(*(words.split() if isinstance(words, str) else words))
    assert said.code == 2
    assert "Traceback" not in said.err
    message = said.error.lower()
    assert [word for word in expected if word.lower() not in message] == [], message
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "value", "command", "expected"),
    [
        ("XOR_SWEEP_NEURONS", "0", "sweep", "from 1 to 4096"),
        ("XOR_SWEEP_ACTIVATION", "rellu", "train", "'relu'"),
        ("XOR_SWEEP_LAYERS", "1,2,", "sweep", "comma too many"),
        ("XOR_SWEEP_KEEP_TRAINING", "perhaps", "sweep", "true"),
        ("XOR_SWEEP_LOG_FORMAT", "xml", "sweep", "json"),
        ("XOR_SWEEP_REPLICATE_SEED", "2147483646", "train", "2147483645"),
        ("XOR_SWEEP_INDEX", "first", "trial", "whole number"),
        ("JOB_COMPLETION_INDEX", "first", "trial", "whole number"),
    ],
)
def test_a_wrong_environment_variable_is_named(say, here, variable, value, command, expected):
    said = say(command, **{variable: value})
    assert said.code == 2
    assert variable in said.error
    assert expected in said.error
    assert list(here.iterdir()) == []


def test_an_emulator_of_storage_without_a_scheme_is_refused_at_once(say):
    said = say("sweep", "--output", "gs://bucket/prefix", STORAGE_EMULATOR_HOST="localhost:4443")
    assert said.code == 2
    assert said.error == "STORAGE_EMULATOR_HOST must begin with http:// or https://: 'localhost:4443' does not"


@pytest.mark.parametrize("command", ["sweep", "trial", "train"])
def test_a_mistyped_variable_is_refused_with_the_right_one(say, here, command):
    said = say(command, XOR_SWEEP_NEURON="3")
    assert (said.code, said.error) == (2, "XOR_SWEEP_NEURON: no such variable; did you mean XOR_SWEEP_NEURONS?")
    assert list(here.iterdir()) == []


def test_the_variables_of_a_service_and_of_the_pod_are_taken(say):
    pod = {"XOR_SWEEP_POD_UID": "a", "XOR_SWEEP_FAILURE_COUNT": "1", "XOR_SWEEP_IMAGE": "b"}
    said = say(
        "sweep", "--neurons", "0", XOR_SWEEP_SERVICE_HOST="10.0.0.1", XOR_SWEEP_PORT="tcp://10.0.0.1:80", **pod
    )
    assert said.error.startswith("--neurons: 0 is not possible")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--layers 1,2", "--layers: '1,2' is a list: give one value"),
        ("--optimizer sgd,adam", "--optimizer: 'sgd,adam' is a list"),
        (
            "--seed -3",
            "--seed: -3 is not possible: the seed of initial weights is a whole number from 0 to 2147483645",
        ),
        (
            "--seed abc",
            '--seed: "abc" is not possible: the seed of initial weights is a whole number from 0 to 21474',
        ),
        (
            "--seed 1.5",
            "--seed: 1.5 is not possible: the seed of initial weights is a whole number from 0 to 2147483",
        ),
    ],
)
def test_train_says_what_it_takes_one_of(say, words, expected):
    said = say("train", *words.split())
    assert said.code == 2
    assert said.error.startswith(expected)


def test_what_standard_output_cannot_hold_is_replaced(finished, xor_sweep):
    said = xor_sweep("leaderboard", finished.run, env={"PYTHONIOENCODING": "latin-1"})
    assert (said.code, said.err) == (0, "")
    assert "?  l1-n32 " in said.out
    assert "? winner" in said.out


def test_with_standard_input_and_error_closed_training_goes_on(here):
    command = f'exec "{PROGRAM}" train --epochs 1 <&- 2>&-'
    said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert said.returncode == 0
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    assert [line["inputs"] for line in lines if "inputs" in line] == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert "not solved within 1 epoch" in [line["message"] for line in lines]
    assert list(here.iterdir()) == []


def test_with_a_closed_standard_output_a_command_ends_without_a_word(finished):
    command = f'exec "{PROGRAM}" leaderboard "{finished.run}" >&-'
    said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize(
    "words",
    [
        "sweep --neurons 0",
        "trial --index 15",
        "train --activation rellu",
        "leaderboard nowhere",
        "swep",
        "sweep --x",
    ],
)
def test_a_wrong_word_ends_the_real_program_with_code_2(xor_sweep, tmp_path, words):
    said = xor_sweep(*words.split())
    assert said.code == 2
    assert said.error
    assert said.out == ""
    assert list((tmp_path / "here").iterdir()) == []


def test_on_a_terminal_an_error_is_in_words(on_a_terminal, tmp_path):
    code, shown = on_a_terminal("sweep", "--activation", "rellu")
    assert code == 2
    assert shown.startswith("Error: --activation: ")
    assert "'relu'" in shown
    assert "{" not in shown
    assert list(tmp_path.iterdir()) == []


def test_an_output_below_a_file_is_refused_and_the_file_stays(say, here):
    (here / "file").write_text("mine")
    said = say("sweep", "--output", "file/runs")
    assert said.code == 2
    assert "file" in said.error
    assert [path.read_text() for path in here.iterdir()] == ["mine"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_output_is_refused(say, here):
    (here / "locked").mkdir(mode=0o555)
    said = say("sweep", "--output", "locked")
    assert said.code == 2
    assert "locked" in said.error


def test_a_reader_that_goes_away_ends_the_program_without_a_traceback(finished):
    command = f"{PROGRAM} leaderboard {finished.run} --format csv | true; echo ${{PIPESTATUS[0]}}"
    shown = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert shown.stdout.strip() in {"0", "1"}
    assert shown.stderr == ""


@pytest.mark.parametrize("command", ["sweep", "trial --index 0", "leaderboard x"])
def test_a_bucket_that_is_not_there_is_refused_for_good(say, here, gcs_server, command):
    missing = ("--output", "gs://missing/prefix")
    said = say(*command.split(), *missing, STORAGE_EMULATOR_HOST=gcs_server)
    assert said.code == 5
    assert "gs://missing" in said.error
    assert "create it" in said.error
    assert list(here.iterdir()) == []


def test_a_run_folder_of_another_sweep_is_refused_and_stays_as_it_is(say, copy):
    before = sorted(copy.rglob("*"))
    for command in (["sweep"], ["trial", "--index", "0"]):
        said = say(*command, *SMALL, "--seed", "1", "--output", "out", "--run", copy.name)
        assert said.code == 2
        assert copy.name in said.error
        assert "another sweep" in said.error
        assert "--run" in said.error
    assert sorted(copy.rglob("*")) == before


def test_a_gpu_that_is_not_there_ends_the_program_with_code_4(no_gpu):
    said = no_gpu.said
    assert said.code == 4
    assert "GPU" in said.error
    assert "TensorFlow" in said.error  # what was looked for
    assert "CUDA_VISIBLE_DEVICES -1" in said.error
    assert "--device cpu" in said.error  # the remedy
    assert list(no_gpu.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("XOR_SWEEP_SEED", "no hidden layer, 3 weights, seed 0"),
        ("XOR_SWEEP_REPLICATE_SEED", "no hidden layer, 3 weights, seed 5"),
    ],
)
def test_a_sweeps_seed_in_the_environment_is_not_that_of_one_networks_weights(here, variable, expected):
    said = run_program("train", "--layers", "0", "--epochs", "1", cwd=here, env={variable: "5"})
    assert said.log[0]["message"] == expected


def test_train_shows_what_one_network_learns_and_stores_nothing(single_train):
    said = single_train.said
    assert (said.code, said.err) == (0, "")
    assert list(single_train.folder.iterdir()) == []
    for line in said.log:
        assert {"severity", "message", "time"} <= set(line)
    epochs = [line for line in said.log if "epoch" in line]
    assert [line["epoch"] for line in epochs] == sorted({line["epoch"] for line in epochs})
    assert epochs[0]["epoch"] == 1
    assert all(0 <= line["accuracy"] <= 1 and line["loss"] >= 0 for line in epochs)
    (solved,) = [line["epochs_to_solve"] for line in said.log if "epochs_to_solve" in line]
    assert solved >= epochs[-1]["epoch"]
    predictions = {tuple(line["inputs"]): line["prediction"] for line in said.log if "inputs" in line}
    assert {bits: round(value) for bits, value in predictions.items()} == {
        (0, 0): 0,
        (0, 1): 1,
        (1, 0): 1,
        (1, 1): 0,
    }


def test_debug_shows_the_traceback(copy, xor_sweep, tmp_path):
    next(copy.glob("trials/*/*/replicates.csv")).write_text("damaged")
    here = tmp_path / "here"
    for how in ({"env": {"XOR_SWEEP_DEBUG": "1"}}, {}):
        flag = [] if how else ["--debug"]
        said = xor_sweep("leaderboard", f"out/runs/{copy.name}", *flag, cwd=here, **how)
        assert said.code == 1
        assert "Traceback" in said.err
        assert "damaged" in said.err


def test_logs_are_words_where_words_are_wanted(say, finished):
    words = ("sweep", *SMALL, "--output", str(finished.output))
    text = say(*words, "--log-format", "text").out
    assert "Leaderboard of" in text
    assert [json.loads(line) for line in say(*words, "--log-format", "json").out.splitlines()]
    assert say(*words, XOR_SWEEP_LOG_FORMAT="text").out == text
    assert say(*words, "--log-format", "json", XOR_SWEEP_LOG_FORMAT="text").out.startswith("{")
