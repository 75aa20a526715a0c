"""Makes what the documentation shows: `make docs` runs the sweeps below and writes their tables and pictures.

The README's blocks between `<!-- NAME -->` and `<!-- end -->`, docs/*.svg and docs/reference.md come from here.
"""

import io
import re
import tempfile
from pathlib import Path

import click
import matplotlib as mpl
from matplotlib.figure import Figure
from rich.console import Console

from docs import chart
from job.cli import cli
from job.config import make_config
from job.config_file import read_config_file
from job.errors import EXIT_CODES
from job.leaderboard import Leaderboard, make_leaderboard
from job.sweep import run_sweep
from job.tables import print_leaderboard

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
TUTORIAL = {"layers": [1, 2], "neurons": [16, 32], "replicates": 1000}


def main() -> None:
    """Run the sweeps and write everything."""
    write_reference()
    chart.write()
    with tempfile.TemporaryDirectory() as folder:
        board = sweep({"output": folder})
        replace_block("default sweep", as_text(board))
        picture(board).savefig(DOCS / "leaderboard.svg", metadata={"Date": None})
        replace_block("tutorial sweep", as_text(sweep({**TUTORIAL, "output": folder})))


def sweep(settings: dict[str, object]) -> Leaderboard:
    """Run a sweep on the CPU and return its leaderboard."""
    return make_leaderboard(run_sweep(make_config({**settings, "device": "cpu"})).run)


def as_text(board: Leaderboard) -> str:
    """Return the leaderboard as a terminal shows it."""
    console = Console(file=io.StringIO(), width=116)
    print_leaderboard(board, console)
    lines = console.file.getvalue().splitlines()
    return "```text\n" + "\n".join(line.rstrip() for line in lines) + "\n```"


def replace_block(name: str, text: str) -> None:
    """Put a text into one of the README's blocks."""
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    changed, count = pattern.subn(lambda found: f"{found[1]}{text}\n{found[2]}", README.read_text())
    if count != 1:
        raise ValueError(f"the README has {count} blocks named {name}")
    README.write_text(changed)


def picture(board: Leaderboard) -> Figure:
    """Draw each trial's median with its 95 % interval, and the span from its 10 % to its 90 % quantile."""
    with mpl.rc_context({"svg.hashsalt": "xor-sweep", "svg.fonttype": "none", "font.size": 11}):
        figure = Figure(figsize=(8.5, 5), layout="constrained")
        axes = figure.subplots()
        limit = board.epochs
        for height, row in enumerate(reversed(board.rows)):
            numbers = row.outcome
            colour = {"winner": "#0b6e4f", "not told apart": "#0072b2"}.get(row.standing, "#777777")
            axes.plot([numbers.q10 or limit, numbers.q90 or limit], [height] * 2, color=colour, linewidth=1)
            low, high = numbers.median_low or limit, numbers.median_high or limit
            axes.plot([low, high], [height] * 2, color=colour, linewidth=5, solid_capstyle="butt")
            if numbers.median:
                axes.plot(numbers.median, height, "o", color=colour, markeredgecolor="white", markersize=8)
        axes.axvline(limit, color="#777777", linestyle=":")
        axes.set_xscale("log")
        axes.set_yticks(range(len(board.rows)), [row.trial for row in reversed(board.rows)])
        axes.set_xlabel(
            "epochs to solve XOR (dot: median, thick: its 95 % interval, thin: 10 % to 90 % of the starts)"
        )
        axes.set_title("Green: the winner. Blue: cannot be told apart from it. Dotted: the limit.", fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
        return figure


def write_reference() -> None:
    """Write docs/reference.md."""
    (DOCS / "reference.md").write_text(reference())


def reference() -> str:
    """Return the reference page: every command, option and environment variable, and the exit codes."""
    known = commands()
    parts = [
        "# Reference",
        "Made from the program by `make docs`.",
        "## Commands",
        "| command | what it does |\n|---|---|",
    ]
    parts[-1] += "".join(
        f"\n| [`{name}`](#xor-sweep-{name.replace(' ', '-')}) | {_first_line(command)} |"
        for name, command in known.items()
    )
    parts += [_command(name, click.Context(command, info_name=name)) for name, command in known.items()]
    parts += ["## Exit codes", "| code | meaning |\n|---|---|"]
    parts[-1] += "".join(f"\n| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    return "\n\n".join(parts) + "\n"


def commands() -> dict[str, click.Command]:
    """Return every command by its words after `xor-sweep`, those of k8s/ and those within groups included."""
    context = click.Context(cli)
    found: dict[str, click.Command] = {}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": command.commands[inner] for inner in command.commands}
        elif command:
            found[name] = command
    return found


def _first_line(command: click.Command) -> str:
    return (command.help or "").splitlines()[0]


def _command(name: str, context: click.Context) -> str:
    command = context.command
    usage = " ".join(command.collect_usage_pieces(context))
    rows = [_option(option) for option in command.params if isinstance(option, click.Option)]
    examples = re.findall(r"^ *(xor-sweep .*)$", command.help or "", re.MULTILINE)
    return "\n\n".join(
        [
            f"## xor-sweep {name}",
            f"`xor-sweep {name} {usage}`: {_first_line(command)}",
            "```sh\n" + "\n".join(examples) + "\n```" if examples else "",
            "| option | environment variable | meaning |\n|---|---|---|\n" + "\n".join(rows),
        ]
    )


def _option(option: click.Option) -> str:
    flags = ", ".join(f"`{flag}`" for flag in [*option.opts, *option.secondary_opts])
    names = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
    choices = f" One of {', '.join(option.type.choices)}." if isinstance(option.type, click.Choice) else ""
    default = f" (default: {option.default})" if option.show_default is True else ""
    return f"| {flags} | {', '.join(f'`{name}`' for name in names)} | {option.help}{choices}{default} |"


def sweep_file_example() -> str:
    """Return the README's sweep file, which a test reads as the program does."""
    found = re.search(r"```yaml\n# sweep.yaml\n(.*?)```", README.read_text(), re.DOTALL)
    if not found:
        raise ValueError("the README shows no sweep.yaml")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sweep.yaml"
        path.write_text(found[1])
        make_config(*read_config_file(path))
    return found[1]


if __name__ == "__main__":
    main()
