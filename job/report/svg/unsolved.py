"""The gallery of the starts that never solved it."""

from collections.abc import Sequence
from dataclasses import dataclass

from job.errors import NothingToDrawError
from job.report.reading import Detail, Report
from job.report.sentences import NO_NETWORKS, predictions_words, require_networks
from job.report.svg.boundary import draw_plane
from job.report.svg.elements import Drawing
from job.report.svg.sheet import beside

MOST_FAILURES = 24
"""The most networks in the gallery of those that never solved it."""


@dataclass(frozen=True)
class Failure:
    """A way in which starts of a trial did not solve XOR."""

    trial: str
    count: int
    unsolved: int
    seed: int
    words: str
    picture: Drawing


def draw_unsolved(report: Report, trials: Sequence[Detail]) -> Drawing:
    """Draw the gallery of these trials, or the most frequent of all.

    Raises:
        NothingToDrawError: it is empty, or the networks of one of these trials are not known.
    """
    require_networks(trials)
    shown = failures(trials) if trials else failures(report.details, MOST_FAILURES)
    if not shown:
        solved = all(
            detail.row.outcome.solved == detail.row.outcome.replicates for detail in trials or report.details
        )
        raise NothingToDrawError("every start solved it" if solved else NO_NETWORKS)
    names = [f"{item.trial}: {item.count} of {item.unsolved}" for item in shown]
    return beside([item.picture for item in shown], names, title="Starts that never solved XOR")


def failures(details: Sequence[Detail], most: int | None = None) -> list[Failure]:
    """Return the gallery of the starts of these trials that never solved it, at most so many pictures.

    Of every trial its most frequent way is taken first, then of every trial the second, and so on.
    """
    groups = [
        (rank, place, detail, group)
        for place, detail in enumerate(details)
        if detail.networks is not None
        for rank, group in enumerate(detail.networks.unsolved)
    ]
    groups.sort(key=lambda item: item[:2])
    shown = sorted(groups[:most], key=lambda item: (item[1], item[0]))
    gallery = []
    for _, _, detail, group in shown:
        words = predictions_words(group)
        trial = detail.row.trial
        title = f"{trial}: a start that never solved XOR"
        gallery.append(
            Failure(
                trial=trial,
                count=group.count,
                unsolved=detail.row.outcome.replicates - detail.row.outcome.solved,
                seed=group.seed,
                words=words,
                picture=draw_plane(
                    group.plane or [], title, f"Seed {group.seed}, one of {group.count} that {words}.", side=132.0
                ),
            )
        )
    return gallery
