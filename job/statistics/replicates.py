"""A trial's replicates as stored in its run, as censored data."""

import csv
import io

import numpy as np

from job.runs.layout import REPLICATES, attempt_file
from job.runs.results import TrialResult, damaged_result
from job.runs.run import Run
from job.statistics.survival import EpochsToSolve


def read_epochs_to_solve(run: Run, result: TrialResult) -> EpochsToSolve:
    """Read what was observed of a trial's replicates from its replicates.csv.

    Raises:
        DamagedResultError: the file is gone or damaged.
    """
    data = run.read_file(result, REPLICATES)
    try:
        rows = csv.DictReader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline=""))
        # Row by row into an array: as Python objects, a million replicates would take 600 MB.
        seen = np.fromiter(
            ((int(row["epochs_to_solve"] or row["epochs_trained"]), row["epochs_to_solve"] != "") for row in rows),
            [("epochs", "int64"), ("solved", "bool")],
        )
        limit, replicates = run.settings.epochs, run.settings.replicates
        if len(seen) != replicates or (seen["epochs"] > limit).any():
            raise ValueError(f"it must have {replicates} replicates of at most {limit} epochs")
        return EpochsToSolve(seen["epochs"], seen["solved"])
    except (ValueError, KeyError, TypeError, OverflowError, csv.Error) as error:
        where = run.url_of(attempt_file(result.trial, result.attempt, REPLICATES))
        raise damaged_result(result.trial, f"{where} is damaged: {error}") from None
