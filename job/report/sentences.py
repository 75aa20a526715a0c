"""The report's sentences, computed from the run's data."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from job.errors import NothingToDrawError
from job.problems import DEFAULT, Problem
from job.report.reading import Detail, Report
from job.runs.results import ChosenReplicate, Outcome
from job.settings.axes import AXES, OPTIONAL_AXES
from job.settings.grid import Architecture
from job.statistics.comparison import SIGNIFICANCE_LEVEL, Comparison, log_rank_test
from job.statistics.rows import LeaderboardRow
from job.statistics.survival import EpochsToSolve
from job.wording import count_words, epochs_words, median_words, p_equation, share_words, value_words

CLAIMED_SLOWER, CLAIMED_FASTER = 32, 16
"""The tutorial claims that a hidden layer of 32 neurons is slower than one of 16."""

CLAIMED_FOR = "xor"
"""The problem that the tutorial's networks learn."""


def claim(report: Report) -> str | None:
    """Test the tutorial's claim that 32 neurons are slower than 16 on the run's data.

    The pair was named before this run's data were seen, so its p-value needs no correction. Both networks
    have the fewest hidden layers for which the grid has both, and are trained as in the tutorial.

    Returns:
        The sentence; None if the run has no such pair, or its problem is not the tutorial's.
    """
    if report.problem.name != CLAIMED_FOR:
        return None
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
    """Write the epochs by which 10% and 90% of a trial's starts have solved, as `8 to 46`."""
    return epochs_words(numbers.q10, numbers.q90, limit)


def chosen_words(start: ChosenReplicate, problem: Problem, right: bool | None) -> str:
    """Return which start was chosen, how long it was trained, and why it was chosen.

    Args:
        start: the chosen start.
        problem: what it learned.
        right: whether its final network gets every row right; None if that is not known.
    """
    trained = f"was trained for {count_words(start.epochs_trained, 'epoch')}"
    solved = (
        f"never solved {problem.title}"
        if start.epochs_to_solve is None
        else f"solved {problem.title} in epoch {start.epochs_to_solve}"
    )
    among = {
        None: "",
        True: " Of all starts whose final network gets every row right, it ended with the lowest loss.",
        False: " No start's final network gets every row right; of all starts, it ended with the lowest loss.",
    }
    return f"The chosen start (seed {start.seed}) {trained} and {solved}.{among[right]}"


def replay_command(architecture: Architecture, problem: Problem, start: ChosenReplicate) -> str:
    """Return the command that trains the chosen start again."""
    usual = Architecture(architecture.layers, architecture.neurons)
    data = [] if problem.name == DEFAULT else [f"--data {problem.name}"]
    axes = [
        f"{axis.flag} {value_words(value)}"
        for axis in AXES
        if (value := getattr(architecture, axis.name)) != getattr(usual, axis.name) or axis not in OPTIONAL_AXES
        if architecture.has(axis)
    ]
    how = [f"--seed {start.seed}", f"--epochs {start.epochs_trained}", "--keep-training"]
    return " ".join(["xor-sweep train", *data, *axes, *how])


def trial_words(row: LeaderboardRow, limit: int) -> str:
    """Return one trial's numbers in one line."""
    numbers = row.outcome
    return (
        f"{row.trial}: median {median_of(numbers, limit)} epochs, {share_of(numbers)} of "
        f"{count_words(numbers.replicates, 'start')} solved"
    )


NO_NETWORKS = "networks.json is missing or damaged"
"""Why a trial's networks are not known."""


def require_networks(details: Sequence[Detail]) -> None:
    """Check that the networks of each of these trials are known.

    Raises:
        NothingToDrawError: the networks of a trial are not known.
    """
    for detail in details:
        if detail.networks is None:
            raise NothingToDrawError(f"{detail.row.trial}: {NO_NETWORKS}")
