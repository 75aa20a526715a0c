"""A run's files, as tests read, compare and damage them."""

import csv
import difflib
import json

from job.runs.results import ChosenReplicate, Outcome, Summary
from job.settings.grid import trials


def summary_of(median=None):
    """Return a summary whose trial has this median, and an interval of one epoch below it."""
    low = median and median - 1
    outcome = Outcome(8, 4, 0.5, 0.2, 0.8, median=median, median_low=low, median_high=None, q10=None, q90=None)
    return Summary(outcome=outcome, replicate_epochs=80, chosen=ChosenReplicate(7, median, 10), device="cpu")


def result_of(run, trial):
    """Return what a trial's result.json holds."""
    return json.loads((run / "trials" / trial / "result.json").read_text())


def attempt_of(run, trial):
    """Return the folder of the attempt that counts."""
    return run / "trials" / trial / result_of(run, trial)["attempt"]


def under_other_names(run, names, settings, folder):
    """Make a run of another grid whose results are those of trials of a run, in turn, without networks.json."""
    sweep = json.loads((run / "sweep.json").read_text())
    folder.mkdir(parents=True)
    (folder / "sweep.json").write_text(
        json.dumps({**sweep, "config": settings.model_dump(mode="json"), "config_hash": settings.hash})
    )
    results = [result_of(run, name) for name in names]
    for trial in trials(settings):
        result = {**results[trial.index % len(results)], "config_hash": settings.hash}
        place = folder / "trials" / trial.name
        place.mkdir(parents=True)
        (place / result["attempt"]).symlink_to(attempt_of(run, result["trial"]))
        result["files"] = [file for file in result["files"] if file["name"] != "networks.json"]
        (place / "result.json").write_text(json.dumps({**result, "trial": trial.name, "index": trial.index}))


def rows_of(run, trial, name="replicates.csv"):
    """Return the rows of a table of the attempt that counts."""
    with (attempt_of(run, trial) / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def rows(run, trial):
    """Return what replicates.csv holds of the attempt that counts."""
    return (attempt_of(run, trial) / "replicates.csv").read_bytes()


def content(folder):
    """Return what each file below a folder holds, and when it was last written."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def changes(before, after):
    """Return the files of two `content`s that differ, with the lines that do, at most five of each, cut short."""
    return {
        name: [line[:300] for line in _lines(before, after, name)][:5]
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def _lines(before, after, name):
    old, new = (side.get(name, (b"", 0))[0].decode(errors="replace").splitlines() for side in (before, after))
    return [line for line in difflib.ndiff(old, new) if line[0] in "+-"]


def damaged(folder, name, change):
    """Change what the one file of this name in a folder holds, or remove the file; return its path."""
    (path,) = folder.glob(name)
    if change:
        path.write_bytes(change(path.read_bytes()))
    else:
        path.unlink()
    return path
