"""Where a sweep's settings come from, and how a wrong sweep file is refused."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from job.errors import ConfigError
from job.settings.sweep import Settings
from job.settings.validation import make_settings

# A setting, a value that cannot be, one that can (both as a flag and in YAML), and what the refusal says.
SETTINGS = [
    ("layers", "-1", "0,2", "from 0 to 100"),
    ("neurons", "4097", "4,8", "from 1 to 4096"),
    ("activation", "rellu", "relu,tanh", "'relu'"),
    ("loss", "mse", "binary_crossentropy", "'mean_squared_error'"),
    ("optimizer", "adamm", "sgd", "'adam'"),
    ("learning_rate", "-1", "0.1,0.01", "above 0"),
    ("replicates", "0", "16", "from 1"),
    ("epochs", "0", "100", "from 1"),
    ("seed", "-1", "7", "from 0"),
    ("data", "or", "parity:3", "known problems: xor, parity:N (N from 2 to 8; parity:2 is xor)"),
    ("device", "tpu", "cpu", "cpu"),
    ("run", "Not/Good", "good", "a-z"),
]

# No grid has this trial: whoever gets so far has accepted every setting.
NO_SUCH_TRIAL = ("trial", "--index", "99999")


@pytest.mark.parametrize(("name", "bad", "good", "right"), SETTINGS, ids=[setting[0] for setting in SETTINGS])
def test_a_flag_goes_before_the_environment_before_the_file_before_the_default(say, here, name, bad, good, right):
    flag, variable = "--" + name.replace("_", "-"), f"XOR_SWEEP_{name.upper()}"
    file = ("--config", "sweep.yaml")

    def place(*arguments, **environment):
        """Return the place that the program calls wrong."""
        said = say(*NO_SUCH_TRIAL, *arguments, **environment)
        assert said.code == 2
        if "99999 is not in the grid" in said.error:
            return None
        assert right in said.error
        return said.error.partition(": ")[0]

    (here / "sweep.yaml").write_text(f"\n{name}: {bad}\n")
    assert place() is None
    assert place(*file) == "sweep.yaml:2:1"
    assert place(*file, **{variable: good}) is None
    assert place(*file, **{variable: bad}) == variable
    assert place(*file, flag, good, **{variable: bad}) is None
    (here / "sweep.yaml").write_text(f"{name}: [{good}]\n" if "," in good else f"{name}: {good}\n")
    assert place(*file) is None
    assert place(*file, **{variable: bad}) == variable
    assert place(*file, flag, bad, **{variable: good}) == flag


def test_the_three_places_are_joined_in_the_stored_sweep(finished):
    stored = json.loads((finished.run / "sweep.json").read_text())["config"]
    assert stored["neurons"] == [2, 8, 32]  # the file alone
    assert stored["replicates"] == 16  # the environment before the file
    assert stored["epochs"] == 400  # the flag before the environment before the file
    assert stored["layers"] == [1]  # the flag before the file
    assert stored["activation"] == ["relu"]  # the default


def test_the_sweep_file_may_be_named_by_the_environment(say, here):
    (here / "sweep.yaml").write_text("layers: [1, 2]\nneurons: [3, 4, 5]\nactivation: [relu, tanh]\n")
    assert "0 to 11" in say(*NO_SUCH_TRIAL, XOR_SWEEP_CONFIG="sweep.yaml").error


def test_a_single_value_needs_no_list_and_an_empty_file_is_the_default_sweep(say, here):
    (here / "sweep.yaml").write_text("# nothing but words\n")
    assert "0 to 14" in say(*NO_SUCH_TRIAL, "--config", "sweep.yaml").error
    (here / "sweep.yaml").write_text("neurons: 8\nlearning_rate: 1e-3\nkeep_training: true\n")
    assert "0 to 2" in say(*NO_SUCH_TRIAL, "--config", "sweep.yaml").error


@pytest.mark.parametrize(
    "text",
    [
        "neurons: &small [2, 4]\n",
        "base: &base {neurons: 2}\n<<: *base\n",
        "<<: {neurons: [2]}\n",
        "keep_training: &yes true\n",
    ],
)
def test_yaml_anchors_and_merges_are_read_or_refused_with_their_place(say, here, text):
    (here / "sweep.yaml").write_text(text)
    said = say(*NO_SUCH_TRIAL, "--config", "sweep.yaml")
    assert said.code == 2
    assert said.error.startswith(("--index: 99999", "sweep.yaml:"))


def test_a_trial_is_chosen_by_flag_before_environment(say):
    assert "JOB_COMPLETION_INDEX: 77" in say("trial", JOB_COMPLETION_INDEX="77").error
    assert "XOR_SWEEP_INDEX: 78" in say("trial", JOB_COMPLETION_INDEX="77", XOR_SWEEP_INDEX="78").error
    assert "--index: 79" in say("trial", "--index", 79, JOB_COMPLETION_INDEX="77", XOR_SWEEP_INDEX="78").error
    assert "l1-n3" in say("trial", XOR_SWEEP_NAME="l1-n3").error
    assert "l1-n5" in say("trial", "--name", "l1-n5", XOR_SWEEP_NAME="l1-n3").error
    assert "l1-n5" in say("trial", "--name", "l1-n5", JOB_COMPLETION_INDEX="77").error
    assert "--index: 79" in say("trial", "--index", 79, XOR_SWEEP_NAME="l1-n3").error


# Each list is the one before, ten times over.
ALIASES = [f"&{name} [{', '.join(['*' + before] * 10)}]" for before, name in pairwise("abcdefghi")]

WRONG_FILES = [  # the text, and what the line must say
    # values that YAML's own tags refuse
    ("layers: !!int abc", "sweep.yaml", "cannot be read"),
    ("layers: !!float abc", "sweep.yaml", "cannot be read"),
    ("seed: !!timestamp 2020-99-99", "sweep.yaml", "cannot be read"),
    (f"layers: [1{'0' * 5000}]", "sweep.yaml", "cannot be read"),
    ("? - !!int 0x\n: 1", "sweep.yaml", "cannot be read"),
    # keys
    ("neuron: 8", "sweep.yaml:1:1", "neuron", "'neurons'"),
    ("layers: 1\n\n  # words\nneuronss: 8", "sweep.yaml:4:1", "'neurons'"),
    ("learning-rate: 0.1", "sweep.yaml:1:1", "'learning_rate'"),
    ("{layers: 1, epoch: 5}", "sweep.yaml:1:13", "'epochs'"),
    ("1: 2", "sweep.yaml:1:1", "did you mean"),
    ("? [a, b]\n: c", "sweep.yaml:1:3", "did you mean"),
    ("neurons: 2\nneurons: 3", "sweep.yaml:2:1", "duplicate", "neurons"),
    # values
    ("neurons: many", "sweep.yaml:1:1", "many", "whole numbers"),
    ("epochs: 5\nneurons: [2, two]", "sweep.yaml:2:1", "two", "whole numbers"),
    ("neurons: [8, 8]", "sweep.yaml:1:1", "8", "twice"),
    ("neurons: {a: 1}", "sweep.yaml:1:1", "whole numbers"),
    ("neurons: [[1]]", "sweep.yaml:1:1", "whole numbers"),
    ("neurons: [1.0]", "sweep.yaml:1:1", "1.0", "whole numbers"),
    ("layers: []", "sweep.yaml:1:1", "empty", "from 0 to 100"),
    ("layers: null", "sweep.yaml:1:1", "null", "from 0 to 100"),
    ("layers:", "sweep.yaml:1:1", "null", "from 0 to 100"),
    ("layers: ''", "sweep.yaml:1:1", "from 0 to 100"),
    ("epochs: 1.5", "sweep.yaml:1:1", "1.5", "whole number"),
    ('epochs: "100"', "sweep.yaml:1:1", '"100"', "whole number"),
    ("epochs: true", "sweep.yaml:1:1", "true", "whole number"),
    ("epochs: null", "sweep.yaml:1:1", "null", "whole number"),
    ("epochs: 2024-01-01", "sweep.yaml:1:1", "2024-01-01", "whole number"),
    ("keep_training: 1", "sweep.yaml:1:1", "true or false"),
    ("keep_training: perhaps", "sweep.yaml:1:1", "perhaps", "true or false"),
    ("learning_rate: .nan", "sweep.yaml:1:1", "above 0"),
    ("learning_rate: .inf", "sweep.yaml:1:1", "above 0"),
    ("activation: [relu, rellu]", "sweep.yaml:1:1", "rellu", "'relu'"),
    ("run: 5", "sweep.yaml:1:1", "5", "a-z"),
    ("output: [a]", "sweep.yaml:1:1", "folder"),
    ("workers: 0", "sweep.yaml:1:1", "from 1 to 1024"),
    ("replicates: 1000\nepochs: 1000000", "1000", "250000000"),
    # not a sweep file at all
    ("- neurons", "sweep.yaml", "neurons: [2, 4, 8]"),
    ("neurons", "sweep.yaml", "neurons: [2, 4, 8]"),
    ("3", "sweep.yaml", "neurons: [2, 4, 8]"),
    # no YAML
    ("layers: [1, 2", "sweep.yaml:1:14", "YAML"),
    ("layers: 1\nneurons: 2: 3", "sweep.yaml:2:11", "YAML"),
    ("\tneurons: 3", "sweep.yaml:1:1", "YAML"),
    ("neurons: *nobody", "sweep.yaml:1:10", "YAML", "nobody"),
    ("--- \nneurons: 2\n---\nlayers: 1", "sweep.yaml:3:1", "YAML", "one document"),
    ("layers: 1\nneu\x01rons: 2", "sweep.yaml:2:4", "YAML", "U+0001"),
    (b"\x00\x01\x02", "sweep.yaml", "YAML"),
    (b"\x89PNG\r\n\x1a\n\xff", "sweep.yaml", "text file"),
    ("neurons: 2".encode("utf-16"), "sweep.yaml", "UTF-8"),
    (f"neurons: {'[' * 500}{']' * 500}", "sweep.yaml"),
    # too much
    (f"# {'x' * 1_000_000}", "sweep.yaml", "larger than 1,000,000 bytes"),
    (f"neurons: [&a [1, 2], {', '.join(ALIASES)}]", "100000"),
    ("neurons: &a [*a]", "sweep.yaml:1:1"),
    (f"run: {'x' * 200_000}", "sweep.yaml:1:1", "xxx… (200,002 characters)", "a-z"),
    (f"neurons: [1, {'x' * 200_000}]", "sweep.yaml:1:1", "characters)", "whole numbers"),
    (f"activation: {'x' * 200_000}", "sweep.yaml:1:1", "characters)", "did you mean"),
    (f"neurons: !!float {'x' * 200_000}", "cannot be read", "characters)"),
    (f"neurons: *{'x' * 200_000}", "sweep.yaml:1:10", "characters)"),
    (f"? {'x' * 200_000}\n: 1", "sweep.yaml:1:3", "characters)", "did you mean"),
]


@pytest.mark.parametrize(
    ("text", "expected"), [pytest.param(text, words, id=str(text)[:40]) for text, *words in WRONG_FILES]
)
def test_a_wrong_sweep_file_gets_one_line_and_exit_code_2_and_nothing_is_written(say, here, text, expected):
    (here / "sweep.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    said = say("sweep", "--config", "sweep.yaml")
    assert said.code == 2
    assert "Traceback" not in said.err
    assert [word for word in expected if word.lower() not in said.error.lower()] == [], said.error
    assert len(said.error) < 500
    assert [path.name for path in here.iterdir()] == ["sweep.yaml"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nowhere.yaml", "No such file"),
        (".", "directory"),
        ("sweep.yaml/x", "Not a directory"),
        ("/dev/zero", "larger than 1,000,000 bytes"),
    ],
)
def test_a_sweep_file_that_is_none_is_refused(say, here, path, why):
    (here / "sweep.yaml").touch()
    said = say("sweep", "--config", path)
    assert said.code == 2
    assert why in said.error
    assert path in said.error


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("neurons", np.array([2, 4]), (2, 4)),
        ("neurons", np.int64(4), (4,)),
        ("neurons", [np.int32(4), 8], (4, 8)),
        ("neurons", range(2, 5), (2, 3, 4)),
        ("neurons", (2, 4), (2, 4)),
        ("learning_rate", np.float64(0.1), (0.1,)),
        ("learning_rate", np.logspace(-2, 0, 3), (0.01, 0.1, 1.0)),
        ("activation", np.array(["relu", "tanh"]), ("relu", "tanh")),
        ("replicates", np.uint8(16), 16),
        ("keep_training", np.bool_(True), True),
        ("output", Path("out"), "out"),
    ],
)
def test_a_notebook_may_give_what_it_has(name, value, expected):
    found = getattr(make_settings({name: value}), name)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"neurons": {2, 3}}, "neurons: {2, 3} (set) is not possible. Neurons in each hidden layer: whole numbers"),
        ({"neurons": len}, "neurons: <built-in function len> (builtin_function_or_method) is not possible"),
        ({"neurons": np.array([1.5])}, "neurons: 1.5 is not possible"),
        ({"neurons": np.array([[1, 2]])}, "neurons: [1, 2] is not possible"),
        (
            {"neurons": range(10**12)},
            "neurons: too many values (1000000000000); at most 100000 trials are possible",
        ),
        ({"neurons": np.arange(10**6)}, "neurons: too many values (1000000); at most 100000 trials"),
        ({"epochs": np.float32(10)}, "epochs: 10.0 is not possible"),
        ({1: 2}, "1: no such setting: the name of a setting is a word, such as 'neurons'"),
        ({("a",): 2}, '["a"]: no such setting'),
        ([("neurons", 2)], 'the settings must be a dict of names and values, not [["neurons", 2]]'),
        (None, "the settings must be a dict of names and values, not null"),
    ],
)
def test_what_a_notebook_cannot_give_is_refused_in_words(settings, expected):
    with pytest.raises(ConfigError) as caught:
        make_settings(settings)
    assert str(caught.value).startswith(expected)


def test_many_values_are_looked_at_in_a_moment():
    with pytest.raises(ConfigError, match="twice"):
        make_settings({"learning_rate": [*np.linspace(0.1, 1, 99_999), 1.0]})


def test_every_setting_can_stand_in_the_sweep_file(say, here, finished):
    stored = json.loads((finished.run / "sweep.json").read_text())["config"]
    assert set(stored) == set(Settings.model_fields)
    (here / "sweep.yaml").write_text(json.dumps(stored))  # JSON is YAML
    said = say(*NO_SUCH_TRIAL, "--config", "sweep.yaml")
    assert said.error.startswith("--index: 99999 is not in the grid: give a whole number from 0 to 2")


def test_the_default_sweeps_run_keeps_its_name():
    assert make_settings({}).run_name == "sweep-f572acc9"  # Existing runs are found by it.
