"""The gallery of the starts that never solved it."""

from collections.abc import Sequence
from dataclasses import dataclass

from job.errors import NothingToDrawError
from job.problems import Problem
from job.report.answers import wrong_words
from job.report.reading import Detail, Report
from job.report.sentences import NO_NETWORKS, require_networks
from job.report.svg.boundary import draw_plane, require_plane
from job.report.svg.elements import Drawing
from job.report.svg.sheet import side_by_side
from job.runs.snapshots import Unsolved

MOST_GROUPS_SHOWN = 24
"""The most groups of starts in the gallery, unless trials are named."""


@dataclass(frozen=True)
class UnsolvedGroup:
    """The starts of a trial that never solved the problem and end with the same answers."""

    trial: str
    count: int
    """How many there are."""
    unsolved: int
    """How many starts of the trial never solved it."""
    seed: int
    """The seed of the first of them."""
    words: str
    """Which of their answers are wrong."""
    plane: Drawing | None
    """The plane of the first; None if the problem has none."""


def draw_unsolved(report: Report, trials: Sequence[Detail]) -> Drawing:
    """Draw the gallery of these trials, or the most frequent groups of all trials.

    Raises:
        NothingToDrawError: it is empty, or the networks of one of these trials are not known.
    """
    require_plane(report.problem)
    require_networks(trials)
    shown = unsolved_groups(report.problem, trials or report.details, None if trials else MOST_GROUPS_SHOWN)
    drawings = [group.plane for group in shown if group.plane]
    if not drawings:
        outcomes = [detail.row.outcome for detail in trials or report.details]
        solved = all(outcome.solved == outcome.replicates for outcome in outcomes)
        raise NothingToDrawError("every start solved it" if solved else NO_NETWORKS)
    names = [f"{group.trial}: {group.count} of {group.unsolved}" for group in shown]
    return side_by_side(drawings, names, title=f"Starts that never solved {report.problem.title}")


def unsolved_groups(problem: Problem, details: Sequence[Detail], most: int | None = None) -> list[UnsolvedGroup]:
    """Return the starts of these trials that never solved the problem, in at most `most` groups.

    The most frequent group of every trial comes first, then the second of every trial, and so on.
    """
    groups = [
        (rank, place, detail, group)
        for place, detail in enumerate(details)
        if detail.networks is not None
        for rank, group in enumerate(detail.networks.unsolved)
    ]
    groups.sort(key=lambda item: item[:2])
    shown = sorted(groups[:most], key=lambda item: (item[1], item[0]))
    return [_group(problem, detail, group) for _, _, detail, group in shown]


def _group(problem: Problem, detail: Detail, group: Unsolved) -> UnsolvedGroup:
    words = wrong_words(problem, group)
    title = f"{detail.row.trial}: a start that never solved {problem.title}"
    description = f"Seed {group.seed}, one of {group.count} that {words}."
    return UnsolvedGroup(
        trial=detail.row.trial,
        count=group.count,
        unsolved=detail.row.outcome.replicates - detail.row.outcome.solved,
        seed=group.seed,
        words=words,
        plane=draw_plane(problem, group.plane, title, description, side=132.0) if group.plane else None,
    )
