"""The report's page, one self-contained file, and writing it into the run."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from job.errors import NothingToDrawError
from job.report import pictures
from job.report import sentences as words
from job.report.close_up import close_up
from job.report.pictures import PICTURES, Picture, drawing_of
from job.report.reading import Report, read_report
from job.report.svg import boundary, heatmap, survival
from job.report.svg.activations import activations_in_use
from job.report.svg.elements import Drawing, tag
from job.report.svg.heatmap_cells import METRICS
from job.report.svg.intervals import draw_intervals, draw_sparkline
from job.report.svg.lines import slot
from job.report.svg.unsolved import MOST_GROUPS_SHOWN, unsolved_groups
from job.report.undone import Undone
from job.runs.layout import LEADERBOARD, PAGE, picture_of
from job.runs.run import Run
from job.settings.axes import AXES, OPTIONAL_AXES
from job.settings.grid import trials
from job.statistics.columns import Column, shown_columns
from job.statistics.formats import leaderboard_csv
from job.statistics.rows import SIGNS, LeaderboardRow
from job.wording import count_words, listed, value_words

MOST_TABLE_ROWS = 1000
"""The most rows of the page's leaderboard; leaderboard.csv has all of them."""

MOST_UNBROKEN = 16
"""The longest name that fits on one line on a phone, in letters."""

FEW_INTERVALS = 15
"""The most trials in the picture of the medians next to the heat map."""

FIRST_PLANES = 20
"""This many decision boundaries are visible at first; the others can be expanded."""


def write_report(run: Run, known: Iterable[Undone] = ()) -> Report:
    """Read a run and write its report into it.

    Args:
        run: the run; it may be unfinished.
        known: trials without a result for which the caller knows the reason.

    Returns:
        What the report shows, including what could not be read.

    Raises:
        StorageError, StorageUnavailableError: it cannot be read or written.
    """
    report = read_report(run, known)
    store(report)
    return report


def store(report: Report) -> None:
    """Write report/index.html, the SVG files and leaderboard.csv, replacing older ones.

    Raises:
        StorageError, StorageUnavailableError: they cannot be written.
    """
    run = report.run
    for kind, drawn in pictures.drawable(report).items():
        run.put(picture_of(kind), drawn.encode())
    if report.board.rows:
        run.put(LEADERBOARD, leaderboard_csv(report.board).encode())
    run.put(PAGE, render(report).encode())


def render(report: Report, *, exported: bool = False) -> str:
    """Return the page.

    Args:
        report: what it shows.
        exported: whether its links lead to the files as `xor-sweep results` lays them out, not as the run does.

    Returns:
        One HTML document. It depends neither on where the run's folder is nor on how the folder was named.
    """
    style = pictures.style() + _resource("page.css")
    script = _resource("page.js")
    page: str = (
        _environment(report)
        .from_string(_resource("page.html.jinja"))
        .render(
            report=report,
            board=report.board,
            settings=report.run.settings,
            problem=report.problem,
            signs=SIGNS,
            style=style,
            script=script,
            policy=_policy(style, script),
            claim=words.claim(report),
            unfinished=[name for name in report.board.missing if name not in report.failed],
            trials=[close_up(report, detail, exported) for detail in report.details],
            **_grid(report),
            **_survival(report),
            **_learned(report),
            **_table(report),
            sections=[_section(report, picture) for picture in PICTURES if not picture.in_template],
            settings_table=list(_settings_table(report)),
        )
    )
    # A file of the run may hold half a surrogate pair, which cannot be written to a file.
    return page.encode(errors="replace").decode()


def _environment(report: Report) -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["count"] = count_words
    environment.filters["listed"] = listed
    environment.filters["unbroken"] = lambda sentence: _unbroken(sentence, report)
    return environment


def _unbroken(sentence: str, report: Report) -> Markup:
    """Return a sentence in which no number and no trial's name, unless it is long, breaks across two lines."""
    names = {row.trial for row in report.board.rows if len(row.trial) <= MOST_UNBROKEN}
    parts = [
        tag("span", part, class_="name") if part in names or " " in part.strip() else escape(part)
        for part in re.split(r"(p [<=] \d\.\d+|[\w.-]*\w)", sentence)
    ]
    return Markup("").join(parts)


def _grid(report: Report) -> dict[str, Any]:
    """Return what the page shows of the grid: its heat maps, and the medians next to them."""
    panels, more_panels = heatmap.panels(report)
    return {
        "metrics": METRICS,
        "scales": [scale for metric in METRICS if (scale := heatmap.draw_scale(report, metric))],
        "panels": [(panel.name, heatmap.draw_panel(report, panel, links=True)) for panel in panels],
        "more_panels": more_panels,
        "linear_everywhere": 0 in report.run.settings.layers and any(axis.hidden_only for axis in report.varied),
        "beyond": any(row.outcome.median is None for row in report.board.rows),
        "intervals": draw_intervals(report, most=FEW_INTERVALS) if len(report.board.rows) > 1 else None,
    }


def _survival(report: Report) -> dict[str, Any]:
    """Return the survival curves, and the trials that a reader can pick, with the styles of those shown."""
    picks = survival.default_picks(report)
    slots = {name: slot(place) for place, name in enumerate(picks)}
    return {
        "survival": survival.draw_survival(report, picks, all_of_them=True) if report.details else None,
        "picks": [(detail.row, slots.get(detail.row.trial)) for detail in report.details],
        "picked": slots,
    }


def _learned(report: Report) -> dict[str, Any]:
    """Return what networks learned: planes, activations, and the starts that never solved it."""
    groups = unsolved_groups(report.problem, report.details, MOST_GROUPS_SHOWN)
    never_solved = sum(row.outcome.replicates - row.outcome.solved for row in report.board.rows)
    return {
        "first_planes": FIRST_PLANES,
        "side": boundary.SIDE_LENGTH,
        "grey": any(boundary.is_partly_none(detail) for detail in report.details),
        "activations": activations_in_use(report),
        "groups": groups,
        "more_unsolved": never_solved - sum(group.count for group in groups),
    }


@dataclass(frozen=True)
class _Section:
    """A picture with a section of its own."""

    kind: str
    title: str
    drawing: Drawing | None
    words: str
    """What the drawing shows, or why there is none."""


def _section(report: Report, picture: Picture) -> _Section:
    try:
        drawing = drawing_of(report, picture)
    except NothingToDrawError as error:
        reason = str(error)
        return _Section(picture.kind, picture.title, None, f"{reason[:1].upper()}{reason[1:]}.")
    return _Section(picture.kind, picture.title, drawing, drawing.description)


def _table(report: Report) -> dict[str, Any]:
    """Return the rows of the leaderboard's table."""
    indexes = {trial.name: trial.index for trial in trials(report.run.settings)}
    columns = shown_columns(report.board.rows)
    return {
        "size": [axis for axis in AXES if axis not in OPTIONAL_AXES],
        "axes": report.varied,
        "columns": columns,
        "rows": [
            _table_row(report, row, indexes[row.trial], columns) for row in report.board.rows[:MOST_TABLE_ROWS]
        ],
        "more_rows": len(report.board.rows) - MOST_TABLE_ROWS,
    }


def _table_row(report: Report, row: LeaderboardRow, index: int, columns: list[Column]) -> dict[str, Any]:
    return {
        "row": row,
        "index": index,
        "detailed": row.place <= len(report.details),
        "sparkline": draw_sparkline(row, report.limit),
        "numbers": [(column.value(row), column.words(row, report.limit)) for column in columns],
    }


def _settings_table(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what the sweep was, and where and when it ran, as far as sweep.json records it."""
    settings, sweep = report.run.settings, report.sweep
    yield "problem", report.problem.name
    for axis in AXES:
        if axis.hidden_only and not any(settings.layers):
            continue
        said = ", ".join(map(value_words, getattr(settings, axis.name) or ()))
        yield axis.title, said or "each optimizer's own default in Keras"
    yield "starts per trial", f"{settings.replicates:,}"
    yield "epoch limit", f"{settings.epochs:,}"
    yield "seed", str(settings.seed)
    versions = sweep.get("versions")
    if isinstance(versions, dict):
        yield "versions", ", ".join(f"{name} {version}" for name, version in versions.items())
    for name in ("device", "image", "created"):
        if value := sweep.get(name):
            yield name, str(value)
    if report.run.storage.local_root is None:
        yield "run", report.run.url


def _resource(name: str) -> str:
    return files("job.report").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return the page's content security policy: its own style and script, by checksum, and nothing else."""
    own = {
        kind: base64.b64encode(sha256(content.encode()).digest()).decode()
        for kind, content in (("style", style), ("script", script))
    }
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{own['style']}'; "
        f"script-src 'sha256-{own['script']}'; base-uri 'none'; form-action 'none'"
    )
