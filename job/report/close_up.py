"""One trial up close: what the page shows of this trial alone."""

import json
import posixpath
from dataclasses import dataclass

from job.report import sentences as words
from job.report.answers import RowAnswer, hardest_first, row_answers
from job.report.reading import Detail, Report
from job.report.svg.accuracy import draw_accuracy, has_dots, start_words
from job.report.svg.boundary import draw_chosen
from job.report.svg.elements import Drawing
from job.report.svg.network import draw_network, network_words, why_not_drawn
from job.runs.layout import CARD, MODEL, REPORT, attempt_folder
from job.statistics.rows import LeaderboardRow

MOST_ANSWERS = 32
"""The most answers of a network that are listed, if its problem cannot be drawn as a plane."""

MOST_ASKED = 8
"""The most rows that the program that loads a model passes to it."""


@dataclass(frozen=True)
class CloseUp:
    """What the page shows of one trial alone."""

    row: LeaderboardRow
    words: str
    chosen: str
    """Which start it is, how long it was trained, and why it was chosen."""
    trained: int
    """The number of epochs after which its network is shown."""
    replay: str
    """The command that trains the chosen start again."""
    accuracy: Drawing | None
    accuracy_words: str
    lines: int
    """How many single starts are drawn as lines."""
    dots: bool
    """Whether dots mark where they solved it."""
    plane: Drawing | None
    answers: list[RowAnswer]
    """Its answers for all rows of the problem; empty if they are not known."""
    right: int
    """How many of them are right."""
    hardest: list[RowAnswer]
    """Those that the page lists."""
    network: Drawing | None
    network_words: str
    model: str | None
    """The path of the model file relative to the page; None if the file is gone or damaged."""
    card: str | None
    """The same for its model card."""
    loading: str
    """The program that loads it."""
    problems: tuple[str, ...]


def close_up(report: Report, detail: Detail, exported: bool) -> CloseUp:
    """Return what the page shows of a trial.

    Args:
        report: what is known about the run.
        detail: the trial.
        exported: whether the page's links lead to the files as `xor-sweep results` lays them out.
    """
    why_not = why_not_drawn(detail)
    within = attempt_folder(detail.row.trial, detail.result.attempt)
    folder = detail.row.trial if exported else posixpath.relpath(within, REPORT)
    on_a_disk = exported or report.run.storage.local_root is not None
    chosen = detail.result.summary.chosen
    answers = row_answers(report.problem, detail.networks.chosen) if detail.networks else []
    is_right = all(answer.right for answer in answers) if answers else None
    found = detail.history or detail.networks
    files = {file.name for file in detail.result.files}
    return CloseUp(
        row=detail.row,
        words=words.trial_words(detail.row, report.limit),
        chosen=words.chosen_words(chosen, report.problem, is_right),
        trained=chosen.epochs_trained,
        replay=words.replay_command(detail.row.architecture, report.problem, chosen),
        accuracy=draw_accuracy(report, detail) if found else None,
        accuracy_words=start_words(report, detail),
        lines=len(detail.networks.first) if detail.networks else 0,
        dots=has_dots(detail),
        plane=draw_chosen(report.problem, detail),
        answers=answers,
        right=sum(answer.right for answer in answers),
        hardest=hardest_first(answers, MOST_ANSWERS),
        network=draw_network(report.problem, detail),
        network_words=f"Not drawn: {why_not}." if why_not else network_words(detail),
        model=None if MODEL in detail.unusable else f"{folder}/{MODEL}",
        card=f"{folder}/{CARD}" if CARD in files.difference(detail.unusable) else None,
        loading=_loading(report, f"{within}/{MODEL}", f"{folder}/{MODEL}" if on_a_disk else None),
        problems=(
            *detail.damaged,
            *(
                f"The run was made without {name}, so everything drawn from it is missing."
                for name in detail.lacking
            ),
        ),
    )


def _loading(report: Report, name: str, path: str | None) -> str:
    """Return the program that loads a model and runs it on the rows, ready to copy.

    Args:
        report: what is known about the run.
        name: the model's name in the run.
        path: the model's path relative to the page, which the page makes absolute when it is opened from a disk;
            None if both are in a bucket, which Keras cannot read.
    """
    run, rows = report.run, report.problem.rows
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
        f"model.predict(numpy.array({json.dumps(rows[:MOST_ASKED])}))",
    ]
    return "\n".join(lines)
