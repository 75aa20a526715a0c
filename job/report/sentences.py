"""The report's sentences, computed from the run's data."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from job.errors import NothingToDrawError
from job.report.reading import Detail, Report
from job.runs.results import ChosenReplicate, Outcome
from job.runs.snapshots import Network, Plane, Unsolved
from job.settings.grid import Architecture
from job.statistics.comparison import SIGNIFICANCE_LEVEL, Comparison, log_rank_test
from job.statistics.rows import NOT_TOLD_APART, WINNER, LeaderboardRow
from job.statistics.survival import EpochsToSolve
from job.wording import count_words, epochs_words, median_words, p_equation, share_words

SIGNS = {WINNER: "★", NOT_TOLD_APART: "≈"}
"""What marks a trial's standing, beside any colour."""

CLAIMED_SLOWER, CLAIMED_FASTER = 32, 16
"""The tutorial: a hidden layer of 32 neurons is slower than one of 16."""


def claim(report: Report) -> str | None:
    """Hold the tutorial's claim, that 32 neurons are slower than 16, against the run's data.

    The pair was named before this run's data were seen, so its p-value needs no correction. Both networks
    have the fewest hidden layers for which the grid has both, and are trained as the tutorial does.

    Returns:
        The sentence; None where the run has no such pair.
    """
    pair = _claimed_pair({row.architecture: report.data[row.trial] for row in report.board.rows})
    if pair is None:
        return None
    layers, test = pair
    where = f"{layers} hidden layer{'' if layers == 1 else 's'}"
    said = f"The tutorial's claim that {CLAIMED_SLOWER} neurons are slower than {CLAIMED_FASTER} ({where})"
    p = p_equation(test.p_value)
    if test.p_value >= SIGNIFICANCE_LEVEL:
        return f"{said} is neither confirmed nor refuted by this run ({p})."
    return f"{said} does not hold: they are faster ({p})." if test.z > 0 else f"{said} holds ({p})."


def _claimed_pair(data: Mapping[Architecture, EpochsToSolve]) -> tuple[int, Comparison] | None:
    for layers in sorted({architecture.layers for architecture in data}):
        faster = Architecture(layers, CLAIMED_FASTER)
        slower = replace(faster, neurons=CLAIMED_SLOWER)
        if faster in data and slower in data:
            return layers, log_rank_test(data[slower], data[faster])
    return None


def median_of(numbers: Outcome, limit: int) -> str:
    """Write a trial's median with its interval, as `22 (20 to 23)`."""
    return median_words(numbers.median, numbers.median_low, numbers.median_high, limit)


def share_of(numbers: Outcome) -> str:
    """Write the share of a trial's starts that solved, with its interval, as `97.7% (95.0% to 98.9%)`."""
    return share_words(numbers.share_solved, numbers.share_low, numbers.share_high)


def spread_of(numbers: Outcome, limit: int) -> str:
    """Write the epochs by which 10 % and 90 % of a trial's starts have solved, as `8 to 46`."""
    return epochs_words(numbers.q10, numbers.q90, limit)


def chosen_words(start: ChosenReplicate, right: bool | None, limit: int) -> str:
    """Say which start it is, how long it was trained, and why it was chosen.

    Args:
        start: the chosen start.
        right: whether its final network gets all four rows right; None where that is not known.
        limit: the epoch limit.
    """
    trained = f"trained for {count_words(start.epochs_trained, 'epoch')}"
    solved = (
        f"within {limit} it never solved XOR"
        if start.epochs_to_solve is None
        else f"it solved XOR in epoch {start.epochs_to_solve}"
    )
    among = {
        True: " Of all starts whose final network gets the four rows right, it ended with the lowest loss.",
        False: " No start's final network gets the four rows right; of all, it ended with the lowest loss.",
    }
    why = "" if right is None else among[right]
    return f"The chosen start (seed {start.seed}), {trained}: {solved}.{why}"


def replay(architecture: Architecture, start: ChosenReplicate) -> str:
    """Return the command that trains the chosen start again."""
    usual = Architecture(architecture.layers, architecture.neurons)
    axes = ("activation", "loss", "optimizer", "learning_rate")
    more = [
        f" --{axis.replace('_', '-')} {getattr(architecture, axis)}"
        for axis in axes
        if getattr(architecture, axis) != getattr(usual, axis)
    ]
    return (
        f"xor-sweep train --layers {architecture.layers} --neurons {architecture.neurons}{''.join(more)} "
        f"--seed {start.seed} --epochs {start.epochs_trained} --keep-training"
    )


def trial_words(row: LeaderboardRow, limit: int) -> str:
    """Say one trial's numbers in one line."""
    numbers = row.outcome
    return (
        f"{row.trial}: median {median_of(numbers, limit)} epochs, {share_of(numbers)} of "
        f"{count_words(numbers.replicates, 'start')} solved"
    )


TARGETS = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))
"""XOR: first input, second input, target."""


def has_no_number(plane: Plane) -> bool:
    """Say whether a network answers nothing that is a number, as after weights that grew without bound."""
    return all(value is None for row in plane for value in row)


def predictions_words(group: Unsolved) -> str:
    """Say which of XOR's rows are wrong, as `say 0 xor 0 = 1`."""
    if group.plane and has_no_number(group.plane):
        return "answer nothing that is a number"
    wrong = [
        f"{first} xor {second} = {int(said)}"
        for (first, second, target), said in zip(TARGETS, group.predictions, strict=True)
        if said != bool(target)
    ]
    return f"say {' and '.join(wrong)}" if wrong else "are right after the last epoch's update"


def answers(network: Network) -> list[str]:
    """Say what a network answers at XOR's four points, as `0 xor 1: 0.93`."""
    return [
        f"{first} xor {second}: {'not a number' if value is None else _answer(value)}"
        for (first, second, _), value in zip(TARGETS, network.predictions, strict=True)
    ]


def is_right(network: Network) -> bool:
    """Say whether a network answers right at all of XOR's four points."""
    said = zip(TARGETS, network.predictions, strict=True)
    return all(value is not None and (value > 0.5) == bool(target) for (*_, target), value in said)


def _answer(value: float) -> str:
    """Write an output so that its side of one half can be seen."""
    texts = [format(value, f".{digits}f") for digits in (2, 4, 6, 8)]
    return next((text for text in texts if float(text) != 0.5), texts[0])


NO_NETWORKS = "networks.json is missing or damaged"
"""Why a trial's networks are not known."""


def require_networks(details: Sequence[Detail]) -> None:
    """Find out whether the networks of each of these trials are known.

    Raises:
        NothingToDrawError: those of one are not.
    """
    for detail in details:
        if detail.networks is None:
            raise NothingToDrawError(f"{detail.row.trial}: {NO_NETWORKS}")
