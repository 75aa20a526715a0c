"""A leaderboard's numbers, computed once more from the rows alone: exact fractions, no scipy, nothing of job/."""

import itertools
import math
from fractions import Fraction
from statistics import NormalDist

from run_files import rows_of

Z = NormalDist().inv_cdf(0.975)


def read_rows(run, trial):
    """Return (epoch, solved) of each replicate of the attempt that counts."""
    return [
        (int(row["epochs_to_solve"] or row["epochs_trained"]), row["epochs_to_solve"] != "")
        for row in rows_of(run, trial)
    ]


def survival_curve(rows):
    """Yield (epoch, share left, Greenwood's sum) after each epoch at which a replicate solved."""
    left, greenwood = Fraction(1), Fraction(0)
    for epoch in sorted({epoch for epoch, solved in rows if solved}):
        at_risk = sum(other >= epoch for other, _ in rows)
        solved = sum(row == (epoch, True) for row in rows)
        left *= 1 - Fraction(solved, at_risk)
        greenwood = greenwood + Fraction(solved, at_risk * (at_risk - solved)) if left else None
        yield epoch, left, greenwood


def first(pairs, level):
    """Return the first epoch whose share is at the level or below."""
    return next((epoch for epoch, share in pairs if share <= level), None)


def band(left, greenwood, solved):
    """Return the 95% band of one point of the curve: log-log, and exact where nobody is left."""
    if not left:
        return 0.0, 1 - 0.025 ** (1 / solved)
    width = Z * math.sqrt(greenwood) / abs(math.log(left))
    return float(left) ** math.exp(width), float(left) ** math.exp(-width)


def numbers_of(rows):
    count, solved = len(rows), sum(solved for _, solved in rows)
    share = solved / count
    centre = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z / (1 + Z * Z / count) * math.sqrt(share * (1 - share) / count + (Z / (2 * count)) ** 2)
    curve = list(survival_curve(rows))
    bands = [(epoch, *band(left, greenwood, solved)) for epoch, left, greenwood in curve]
    shares = [(epoch, left) for epoch, left, _ in curve]
    return {
        "replicates": count,
        "solved": solved,
        "share_solved": share,
        "share_low": centre - half,
        "share_high": centre + half,
        "median": first(shares, Fraction(1, 2)),
        "median_low": first([(epoch, low) for epoch, low, _ in bands], 0.5),
        "median_high": first([(epoch, high) for epoch, _, high in bands], 0.5),
        "q10": first(shares, Fraction(9, 10)),
        "q90": first(shares, Fraction(1, 10)),
    }


def log_rank(rows, others):
    """Return z (positive where `rows` solve sooner) and the two-sided p-value."""
    difference, variance = Fraction(0), Fraction(0)
    for epoch in sorted({epoch for epoch, solved in rows + others if solved}):
        ours, theirs = (sum(other >= epoch for other, _ in group) for group in (rows, others))
        mine, hers = (sum(row == (epoch, True) for row in group) for group in (rows, others))
        both, solved = ours + theirs, mine + hers
        difference += mine - Fraction(solved * ours, both)
        if both > 1:
            variance += Fraction(ours * theirs * solved * (both - solved), both * both * (both - 1))
    z = float(difference) / math.sqrt(variance)
    return z, 2 * NormalDist().cdf(-abs(z))


def weights_of(layers, neurons):
    widths = [2, *[neurons] * layers, 1]
    return sum(inputs * units + units for inputs, units in itertools.pairwise(widths))


def expected_rows(run):
    """Compute the whole leaderboard from the rows alone."""
    data = {path.name: read_rows(run, path.name) for path in (run / "trials").iterdir()}
    numbers = {name: numbers_of(rows) for name, rows in data.items()}
    neurons = {name: int(name.partition("-n")[2]) for name in data}
    order = sorted(
        data,
        key=lambda name: (
            numbers[name]["median"] is None,
            numbers[name]["median"] or 0,
            -numbers[name]["share_solved"],
            weights_of(1, neurons[name]),
        ),
    )
    pairs = len(order) * (len(order) - 1) // 2
    for place, name in enumerate(order, start=1):
        row = {"place": place, "trial": name, "layers": 1, "neurons": neurons[name], **numbers[name]}
        row["weights"] = weights_of(1, neurons[name])
        row["standing"], row["p_adjusted"] = "winner", None
        if place > 1:
            z, p = log_rank(data[order[0]], data[name])
            row["p_adjusted"] = min(1.0, p * pairs)
            row["standing"] = "worse" if z > 0 and row["p_adjusted"] < 0.05 else "not told apart"
        yield row
