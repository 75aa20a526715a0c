"""The documentation is what the program says of itself."""

import re
from pathlib import Path

import click
import pytest

from job.cli.main import cli
from job.settings.sweep import Settings
from tools import docs as make

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs/reference.md").read_text()
README = (ROOT / "README.md").read_text()
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/reference.md", "charts/xor-sweep/README.md"]


def parameters():
    for name, command in make.commands().items():
        for parameter in command.params:
            yield pytest.param(name, parameter, id=f"{name} {parameter.opts[0]}")


def test_the_reference_page_is_the_one_that_the_program_makes():
    assert make.reference() == REFERENCE, "make docs writes it again"


def test_contributing_has_a_line_for_every_file_of_the_program():
    assert make.file_table() in make.CONTRIBUTING.read_text(), "make docs writes it again"


@pytest.mark.parametrize(("command", "parameter"), list(parameters()))
def test_every_option_and_argument_with_its_environment_variable_is_in_the_reference(command, parameter):
    section = re.search(rf"## xor-sweep {command}\n(.*?)(\n## |\Z)", REFERENCE, re.DOTALL)[1]
    names = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or []
    is_option = isinstance(parameter, click.Option)
    assert names or not is_option, f"{command} {parameter.opts[0]} has no environment variable"
    words = [*parameter.opts, *parameter.secondary_opts] if is_option else [parameter.human_readable_name]
    for word in [*words, *names]:
        assert f"`{word}`" in section


def test_every_variable_that_the_program_reads_is_in_the_reference():
    code = "".join(path.read_text() for package in ("job", "k8s") for path in (ROOT / package).rglob("*.py"))
    names = set(re.findall(r'environ(?:\.get\(|\[)"(XOR_SWEEP_\w+)"', code))
    assert "XOR_SWEEP_POD_UID" in names
    for name in names:
        assert f"`{name}`" in REFERENCE


@pytest.mark.parametrize("command", cli.list_commands(click.Context(cli)))
def test_every_command_is_shown_in_the_readme(command):
    assert f"xor-sweep {command}" in README


@pytest.mark.parametrize("line", re.findall(r"^\.venv/bin/xor-sweep (.*?)(?:  +#.*)?$", README, re.MULTILINE))
def test_every_command_line_of_the_readme_is_one_that_the_program_takes(line):
    name, *words = line.split()
    context = make.commands()[name].make_context(name, words)
    settings = {key: value for key, value in context.params.items() if key in Settings.model_fields}
    assert settings


def test_the_readmes_sweep_file_is_valid():
    assert "learning_rate" in make.sweep_file_example()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_to_one(page):
    path = ROOT / page
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("room", sorted(path.name for path in (ROOT / "job").iterdir() if path.name[0] not in "_."))
def test_every_folder_of_the_program_is_in_the_developers_layout(room):
    assert room == "py.typed" or room in (ROOT / "CONTRIBUTING.md").read_text()


@pytest.mark.parametrize("target", ["sweep", "test"])
def test_the_two_commands_of_the_readme_are_there_and_in_the_makefile(target):
    assert f"make {target}" in README
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()


def test_writing_a_block_leaves_the_rest_of_the_page_alone(tmp_path, monkeypatch):
    page = tmp_path / "README.md"
    page.write_text("a\n<!-- one -->\n<!-- end -->\nb\n<!-- two -->\nold\n<!-- end -->\nc\n")
    monkeypatch.setattr(make, "README", page)
    for text in ("first", "second"):
        make.replace_block("one", text)
    make.replace_block("two", "new")
    assert page.read_text() == "a\n<!-- one -->\nsecond\n<!-- end -->\nb\n<!-- two -->\nnew\n<!-- end -->\nc\n"
    with pytest.raises(ValueError, match="0 blocks"):
        make.replace_block("three", "x")


def test_the_default_sweep_gives_the_medians_that_the_readme_shows(tmp_path):
    board = make.sweep_leaderboard({"output": str(tmp_path)})
    shown = re.search(r"<!-- default sweep -->(.*?)<!-- end -->", README, re.DOTALL)[1]
    for row in board.rows:
        median = re.search(rf"{row.trial} .*? (>?\d+) \(", shown)[1]
        numbers = row.outcome
        if numbers.median is None:
            assert median == ">1000"
        else:
            assert numbers.median_low <= int(median) <= (numbers.median_high or 1000)
