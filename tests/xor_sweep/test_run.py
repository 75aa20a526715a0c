"""What a run answers in Python: pictures, models, and words for what is not there."""

import inspect
import re
import shutil
from typing import Any, get_type_hints

import pytest

import xor_sweep
from job.settings.axes import AXIS_NAMES


@pytest.fixture(scope="module")
def run(finished):
    return xor_sweep.open_run(finished.run)


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished run, to be damaged."""
    return shutil.copytree(finished.run, tmp_path / "runs" / finished.run.name)


def drawn(picture):
    """The trials that a picture names."""
    return set(re.findall(r"l\d+-n\d+", picture.svg))


def test_one_trial_is_drawn_by_its_name_and_several_by_a_list_or_a_tuple(run):
    one = run.picture("survival", trials="l1-n8")
    assert drawn(one) == {"l1-n8"}
    assert run.picture("survival", ["l1-n8"]).svg == run.picture("survival", ("l1-n8",)).svg == one.svg
    assert drawn(run.picture("survival", ["l1-n8", "l1-n2"])) == {"l1-n8", "l1-n2"}


def test_a_trial_that_cannot_be_drawn_is_refused_without_a_word_of_the_command_line(run):
    with pytest.raises(xor_sweep.ConfigError) as error:
        run.picture("survival", "l9-n9")
    expected = "trials: 'l9-n9' has no result that can be drawn; those that have one: l1-n32, l1-n8 and l1-n2"
    assert str(error.value) == expected


def test_no_trials_can_be_named_for_a_picture_of_the_whole_run(run):
    with pytest.raises(xor_sweep.ConfigError) as error:
        run.picture("heatmap", trials=["l1-n8"])
    assert str(error.value).startswith("trials: 'heatmap' shows the whole run; trials can be chosen for survival, ")


def test_a_picture_with_nothing_to_show_says_why(run):
    with pytest.raises(xor_sweep.NothingToDrawError, match=r"nothing to draw for 'unsolved': every start solved"):
        run.picture("unsolved", "l1-n32")


@pytest.mark.parametrize("name", ["x", "l9-n9", "", "../x", "l1-n2/a"])
def test_a_model_that_is_not_there_is_refused_with_the_trials_that_have_one(run, name):
    with pytest.raises(xor_sweep.ObjectNotFoundError) as error:
        run.model(name)
    expected = f"no trial {name!r} has a result; those that have one: l1-n2, l1-n8 and l1-n32"
    assert str(error.value) == expected


def test_a_trial_of_the_grid_without_a_result_has_no_model(copy):
    (copy / "trials" / "l1-n8" / "result.json").unlink()
    with pytest.raises(xor_sweep.ObjectNotFoundError, match=r"no trial 'l1-n8' .* one: l1-n2 and l1-n32$"):
        xor_sweep.open_run(copy).model("l1-n8")
    shutil.rmtree(copy / "trials")
    with pytest.raises(xor_sweep.ObjectNotFoundError, match=r"those that have one: none$"):
        xor_sweep.open_run(copy).model("l1-n8")


def test_every_error_that_a_docstring_names_can_be_caught():
    named = set()
    for documented in (*vars(xor_sweep.SweepRun).values(), xor_sweep.sweep, xor_sweep.open_run):
        named |= set(re.findall(r"\b\w+Error\b", inspect.getdoc(documented) or ""))
    assert len(named) > 5
    assert named <= set(xor_sweep.__all__)


def test_every_axis_of_a_sweep_has_a_type():
    hints = get_type_hints(xor_sweep.sweep)
    assert set(AXIS_NAMES) < set(hints)
    assert Any not in hints.values()
