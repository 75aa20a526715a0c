"""The report's page: one file that needs nothing else, and writing it into the run."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from job.report import pictures as plots
from job.report import sentences as words
from job.report.reading import Detail, Report, Undone, read_report
from job.report.svg import (
    accuracy,
    activations,
    boundary,
    elements,
    heatmap,
    intervals,
    network,
    survival,
    times,
    unsolved,
)
from job.runs.run import CARD, LEADERBOARD, MODEL, REPORT, Run
from job.settings.grid import trials
from job.statistics.leaderboard import Row, as_csv
from job.wording import count_words, value_words

INDEX = f"{REPORT}/index.html"

MOST_ROWS = 1000
"""The most rows of the page's leaderboard; leaderboard.csv has them all."""

MOST_UNBROKEN = 16
"""The longest name that has room in a line on a telephone."""

FIRST_PLANES = 20
"""So many decision boundaries are seen at once; the others can be opened."""

_AXES = {"activation": "activation", "loss": "loss", "optimizer": "optimizer", "learning_rate": "learning rate"}


def write_report(run: Run, known: Iterable[Undone] = ()) -> Report:
    """Read a run and write its report into it.

    Args:
        run: the run; it may be unfinished.
        known: trials without a result of which the caller knows why.

    Returns:
        What the report shows, with what could not be read.

    Raises:
        StorageError, StorageUnavailableError: it cannot be read or written.
    """
    report = read_report(run, known)
    store(report)
    return report


def store(report: Report) -> None:
    """Write report/index.html, the SVG files and leaderboard.csv; newer ones replace older ones.

    Raises:
        StorageError, StorageUnavailableError: they cannot be written.
    """
    run = report.run
    for kind, picture in plots.drawable(report).items():
        run.put(f"{REPORT}/{kind}.svg", picture.encode())
    if report.board.rows:
        run.put(LEADERBOARD, as_csv(report.board).encode())
    run.put(INDEX, render(report).encode())


def render(report: Report, *, exported: bool = False) -> str:
    """Return the page.

    Args:
        report: what it shows.
        exported: its links lead to the files as `xor-sweep results` lays them out, not as they lie in the run.

    Returns:
        One HTML document. It does not depend on where the run's folder is, nor on how that was named.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["count"] = count_words
    environment.filters["named"] = words.named
    environment.filters["unbroken"] = lambda sentence: _unbroken(sentence, report)
    style = plots.style() + _resource("page.css")
    script = _resource("page.js")
    gallery = unsolved.failures(report.details, unsolved.MOST_FAILURES)
    never_solved = sum(row.outcome.replicates - row.outcome.solved for row in report.board.rows)
    panels, more_panels = heatmap.panels(report)
    picks = survival.default_picks(report)
    indexes = {trial.name: trial.index for trial in trials(report.run.config)}
    page: str = environment.from_string(
        _resource("page.html.jinja")
    ).render(
        report=report,
        board=report.board,
        config=report.run.config,
        style=Markup(style),  # noqa: S704 - this program's own files
        script=Markup(script),  # noqa: S704
        policy=_policy(style, script),
        claim=words.claim(report),
        metrics=heatmap.METRICS,
        intervals=intervals.draw_intervals(report, most=15) if len(report.board.rows) > 1 else None,
        scales=[scale for metric in heatmap.METRICS if (scale := heatmap.draw_scale(report, metric))],
        beyond=any(row.outcome.median is None for row in report.board.rows),
        panels=[(panel.name, heatmap.draw_panel(report, panel, links=True)) for panel in panels],
        more_panels=more_panels,
        picks=[
            (detail.row, survival.slot(picks.index(name)) if (name := detail.row.trial) in picks else None)
            for detail in report.details
        ],
        picked=[(name, survival.slot(place)) for place, name in enumerate(picks)],
        survival=survival.draw_survival(report, picks, all_of_them=True) if report.details else None,
        trials=[_close_up(report, detail, exported) for detail in report.details],
        gallery=gallery,
        more_failures=never_solved - sum(item.count for item in gallery),
        first_planes=FIRST_PLANES,
        unfinished=[name for name in report.board.missing if name not in report.failed],
        grey=any(boundary.is_partly_none(detail) for detail in report.details),
        side=boundary.SIDE_LENGTH,
        activations=activations.draw_activations(report),
        axes={axis: _AXES[axis] for axis in report.varied},
        rows=[_table_row(report, row, indexes[row.trial]) for row in report.board.rows[:MOST_ROWS]],
        more_rows=len(report.board.rows) - MOST_ROWS,
        times=times.draw_times(report),
        time_words=times.time_words(report),
        slowest=len(times.slowest(report)),
        settings=list(_settings(report)),
    )
    # A file of the run may hold half a surrogate pair, which no file can be written with.
    return page.encode(errors="replace").decode()


def _unbroken(sentence: str, report: Report) -> Markup:
    """Return a sentence in which no trial's name, unless it is long, and no number is broken over two lines."""
    names = {row.trial for row in report.board.rows if len(row.trial) <= MOST_UNBROKEN}
    parts = [
        elements.tag("span", part, class_="name") if part in names or " " in part.strip() else escape(part)
        for part in re.split(r"(\d+ %|p [<=] \d\.\d+|[\w.-]*\w)", sentence)
    ]
    return Markup("").join(parts)


@dataclass(frozen=True)
class _CloseUp:
    """What the page shows of one trial by itself."""

    row: Row
    words: str
    chosen: str
    """Which start it is, how long it was trained, and why it was chosen."""
    trained: int | None
    """After how many epochs its network is shown."""
    replay: str | None
    """The command that trains the chosen start again."""
    accuracy: elements.Drawing | None
    accuracy_words: str
    lines: int
    """Of how many single starts the drawing has lines."""
    dots: bool
    """Whether it has dots where they solved it."""
    plane: elements.Drawing | None
    answers: list[str]
    network: elements.Drawing | None
    network_words: str
    model: str | None
    """The model file, as seen from the page; None where it is gone or damaged."""
    card: str | None
    """Its model card, as seen from the page."""
    loading: str
    """The program that loads it."""
    problems: tuple[str, ...]


def _close_up(report: Report, detail: Detail, exported: bool) -> _CloseUp:
    why_not = network.why_not_drawn(detail)
    within = f"trials/{detail.row.trial}/{detail.result.attempt}"
    folder = detail.row.trial if exported else f"../{within}"
    on_a_disk = exported or report.run.storage.local_root is not None
    chosen = words.chosen(detail)
    right = words.is_right(detail.networks.chosen) if detail.networks else None
    found = detail.history or detail.networks
    files = {file.name for file in detail.result.files}
    return _CloseUp(
        row=detail.row,
        words=words.trial_words(detail.row, report.limit),
        chosen=words.chosen_words(chosen, right, report.limit),
        trained=chosen.trained,
        replay=words.replay(detail.row.architecture, chosen),
        accuracy=accuracy.draw_accuracy(report, detail) if found else None,
        accuracy_words=accuracy.start_words(report, detail),
        lines=len(detail.networks.first) if detail.networks else 0,
        dots=accuracy.has_dots(detail),
        plane=boundary.draw_chosen(detail),
        answers=words.answers(detail.networks.chosen) if detail.networks else [],
        network=network.draw_network(detail),
        network_words=f"Not drawn: {why_not}." if why_not else network.network_words(detail),
        model=None if MODEL in detail.unusable else f"{folder}/{MODEL}",
        card=f"{folder}/{CARD}" if CARD in files.difference(detail.unusable) else None,
        loading=_loading(report.run, f"{within}/{MODEL}", f"{folder}/{MODEL}" if on_a_disk else None),
        problems=(
            *detail.damaged,
            *(f"The run was made without {name}: what is drawn from it is missing." for name in detail.lacking),
        ),
    )


def _loading(run: Run, name: str, path: str | None) -> str:
    """Return the program that loads a model and asks it, ready to copy.

    Args:
        run: the run.
        name: the model's name in the run.
        path: the model's path as seen from the page, which the page makes whole by itself where it is opened
            from a disk; None if both are in a bucket, which Keras cannot read.
    """
    note = "in the folder of this page"
    if path is None:
        path = name.rpartition("/")[2]
        name = f"{run.folder}/{name}"
        command = run.storage.fetch_command(name)
        note = f"first, in a shell: {command}" if command else f"first, copy {run.storage.url_of(name)} here"
    lines = [
        f"# {note}",
        "import keras, numpy",
        f"model = keras.models.load_model({json.dumps(path, ensure_ascii=False)})",
        "model.predict(numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]]))",
    ]
    return "\n".join(lines)


def _table_row(report: Report, row: Row, index: int) -> dict[str, Any]:
    numbers, limit = row.outcome, report.limit
    return {
        "row": row,
        "index": index,
        "sign": words.SIGNS.get(row.standing, ""),
        "detailed": row.place <= len(report.details),
        "median": words.median_words(numbers, limit),
        "spread": words.spread_words(numbers, limit),
        "solved": words.share_words(numbers),
        "p": "" if row.p_adjusted is None else words.p_words(row.p_adjusted).removeprefix("p ").removeprefix("= "),
        "sparkline": intervals.draw_sparkline(row, limit),
        "axes": {axis: value_words(getattr(row.architecture, axis)) for axis in report.varied},
    }


def _settings(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what the sweep was, where and when, as far as sweep.json says it."""
    config, sweep = report.run.config, report.sweep
    for axis in ("layers", "neurons", "activation", "loss", "optimizer", "learning_rate"):
        said = ", ".join(map(value_words, getattr(config, axis) or ()))
        yield axis.replace("_", " "), said or "each optimizer's own default in Keras"
    yield "starts of each trial", f"{config.replicates:,}"
    yield "epoch limit", f"{config.epochs:,}"
    yield "seed", str(config.seed)
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
    """Return the page's content security policy: its own style and script by their checksums, nothing else."""
    own = {
        kind: base64.b64encode(sha256(content.encode()).digest()).decode()
        for kind, content in (("style", style), ("script", script))
    }
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{own['style']}'; "
        f"script-src 'sha256-{own['script']}'; base-uri 'none'; form-action 'none'"
    )
