"""Generates what the documentation shows: `make docs` runs the sweeps below and writes their tables and pictures.

The README's blocks between `<!-- NAME -->` and `<!-- end -->`, docs/leaderboard.svg, docs/report*.png and
docs/reference.md come from here. The screenshots of the report are taken in Debian's chromium.
"""

import ast
import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from job.cli.main import cli
from job.cli.options import OF_THE_POD
from job.errors import EXIT_CODES
from job.execution.sweep import run_sweep
from job.report import pictures as plots
from job.report.page import write_report
from job.report.reading import read_report
from job.report.table import print_leaderboard
from job.runs.layout import PAGE
from job.runs.run import Run
from job.settings.file import read_sweep_file
from job.settings.validation import make_settings
from job.statistics.leaderboard import Leaderboard, make_leaderboard
from tools import chart

DOCS = Path(__file__).parents[1] / "docs"
README = DOCS.parent / "README.md"
CONTRIBUTING = DOCS.parent / "CONTRIBUTING.md"
SWEEPS: dict[str, dict[str, object]] = {
    "tutorial sweep": {"layers": [1, 2], "neurons": [16, 32], "replicates": 1000},
    "no hidden layer": {"layers": [0, 1, 2], "neurons": [16]},
    "parity of three bits": {
        "data": "parity:3",
        "layers": [0, 1, 2],
        "neurons": [8, 16],
        "learning_rate": [0.01],
    },
}
"""The README's blocks with a leaderboard, besides the default sweep's -> the settings of the sweep."""


def main() -> None:
    """Run the sweeps and write everything; with the argument `reference`, only what needs no run."""
    write_reference()
    if sys.argv[1:] == ["reference"]:
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        run = run_on_cpu({})
        replace_block("default sweep", as_text(make_leaderboard(run)))
        (DOCS / "leaderboard.svg").write_text(plots.draw(read_report(run), "intervals"))
        for block, settings in SWEEPS.items():
            replace_block(block, as_text(sweep_leaderboard(settings)))
        write_report(run)
        take_screenshots(Path(folder, run.folder, PAGE))


def run_on_cpu(settings: dict[str, object]) -> Run:
    """Run a sweep on the CPU."""
    return run_sweep(make_settings({**settings, "device": "cpu"})).run


def sweep_leaderboard(settings: dict[str, object]) -> Leaderboard:
    """Run a sweep on the CPU and return its leaderboard."""
    return make_leaderboard(run_on_cpu(settings))


def take_screenshots(page: Path) -> None:
    """Take the README's screenshots of a report's page: its top, and one trial up close in dark mode.

    Raises:
        FileNotFoundError: there is no chromium.
    """
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise FileNotFoundError("the README's pictures need chromium; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        for name, scheme, address, height in (
            ("report", "light", "", 960),
            ("report-trial", "dark", "#trial-l1-n16", 1040),
        ):
            size = {"width": 1100, "height": height}
            view = browser.new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
            view.goto(page.as_uri() + address)
            view.screenshot(path=DOCS / f"{name}.png")
        browser.close()


def as_text(board: Leaderboard) -> str:
    """Return the leaderboard as a terminal shows it."""
    console = Console(file=io.StringIO(), width=116)
    print_leaderboard(board, console)
    lines = console.file.getvalue().splitlines()
    return "```text\n" + "\n".join(line.rstrip() for line in lines) + "\n```"


def replace_block(name: str, text: str, page: Path | None = None) -> None:
    """Put a text into a block of a page, by default the README.

    Raises:
        ValueError: the page has no block of this name, or several.
    """
    page = page or README
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    changed, count = pattern.subn(lambda found: f"{found[1]}{text}\n{found[2]}", page.read_text())
    if count != 1:
        raise ValueError(f"{page.name} has {count} blocks named {name}")
    page.write_text(changed)


def file_table() -> str:
    """Return a table of all files of the program, each with the first line of its docstring."""
    rows = ["| file | what it is for |", "|---|---|"]
    for package in ("job", "k8s", "xor_sweep"):
        for path in sorted((DOCS.parent / package).rglob("*.py"), key=lambda path: (path.parent, path.name)):
            docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
            name = path.relative_to(DOCS.parent)
            shown = f"**{name.parent}/**" if path.name == "__init__.py" else f"{name.parent}/**{name.name}**"
            rows.append(f"| {shown} | {docstring.partition(chr(10))[0]} |")
    return "\n".join(rows)


def write_reference() -> None:
    """Write what follows from the program's text: docs/reference.md, the table of its files, the chart's schema."""
    (DOCS / "reference.md").write_text(reference())
    replace_block("files", file_table(), CONTRIBUTING)
    chart.write()


def reference() -> str:
    """Return the reference page: every command, option and environment variable, and the exit codes."""
    known = commands()
    parts = [
        "# Reference",
        "Generated from the program by `make reference`.",
        "## Commands",
        "| command | what it does |\n|---|---|",
    ]
    parts[-1] += "".join(
        f"\n| [`{name}`](#xor-sweep-{name.replace(' ', '-')}) | {_first_line(command)} |"
        for name, command in known.items()
    )
    parts += [_command(name, click.Context(command, info_name=name)) for name, command in known.items()]
    parts += [
        "## In a pod",
        "The chart sets these for the program.",
        "| environment variable | meaning |\n|---|---|",
    ]
    parts[-1] += "".join(f"\n| `{name}` | {meaning} |" for name, meaning in OF_THE_POD.items())
    parts += ["## Exit codes", "| code | meaning |\n|---|---|"]
    parts[-1] += "".join(f"\n| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    return "\n\n".join(parts) + "\n"


def commands() -> dict[str, click.Command]:
    """Return every command by its words after `xor-sweep`, including those of k8s/ and those within groups."""
    context = click.Context(cli)
    found: dict[str, click.Command] = {}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            inner = {name: command.get_command(context, name) for name in command.list_commands(context)}
            found |= {f"{name} {word}": one for word, one in inner.items() if one}
        elif command:
            found[name] = command
    return found


def _first_line(command: click.Command) -> str:
    return (command.help or "").splitlines()[0]


def _command(name: str, context: click.Context) -> str:
    command = context.command
    usage = " ".join(command.collect_usage_pieces(context))
    rows = [_parameter(parameter) for parameter in command.params]
    examples = re.findall(r"^ *(xor-sweep .*)$", command.help or "", re.MULTILINE)
    return "\n\n".join(
        [
            f"## xor-sweep {name}",
            f"`xor-sweep {name} {usage}`: {_first_line(command)}",
            *(["```sh\n" + "\n".join(examples) + "\n```"] if examples else []),
            "| option | environment variable | meaning |\n|---|---|---|\n" + "\n".join(rows),
        ]
    )


def _parameter(parameter: click.Parameter) -> str:
    names = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or []
    variables = ", ".join(f"`{name}`" for name in names)
    choices = f" One of {', '.join(parameter.type.choices)}." if isinstance(parameter.type, click.Choice) else ""
    if not isinstance(parameter, click.Option):
        return f"| `{parameter.human_readable_name}` | {variables} | Required.{choices} |"
    flags = ", ".join(f"`{flag}`" for flag in [*parameter.opts, *parameter.secondary_opts])
    required = " Required." if parameter.required else ""
    default = f" (default: {parameter.default})" if parameter.show_default is True else ""
    return f"| {flags} | {variables} | {parameter.help}{required}{choices}{default} |"


def sweep_file_example() -> str:
    """Return the README's sweep file, which a test reads as the program does."""
    found = re.search(r"```yaml\n# sweep.yaml\n(.*?)```", README.read_text(), re.DOTALL)
    if not found:
        raise ValueError("the README shows no sweep.yaml")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sweep.yaml"
        path.write_text(found[1])
        make_settings(*read_sweep_file(path))
    return found[1]


if __name__ == "__main__":
    main()
