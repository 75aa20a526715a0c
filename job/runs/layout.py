"""The names of all objects in an output: each is built and parsed here, and nowhere else.

    runs/<run>/sweep.json                           the validated sweep and where it came from; create-once
    runs/<run>/trials/<trial>/<attempt>/<file>      what one attempt wrote
    runs/<run>/trials/<trial>/result.json           written last, create-once; if it exists, the trial is done
    runs/<run>/trials/<trial>/events.out.tfevents   a copy of that attempt's events, for TensorBoard
    runs/<run>/report/<file>                        what people read; a newer file replaces an older one
    champion.json                                   the model in use, and every decision about it

Names within a run's folder are relative to it; `in_run` makes them names in the output.
"""

import re
from dataclasses import dataclass

CHAMPION = "champion.json"

RUNS = "runs"
SWEEP = "sweep.json"
TRIALS = "trials"
RESULT = "result.json"

REPLICATES = "replicates.csv"
HISTORY = "history.csv"
NETWORKS = "networks.json"
MODEL = "model.keras"
CARD = "README.md"
EVENTS = "tensorboard.tfrecord"
SHOWN_EVENTS = "events.out.tfevents"
"""TensorBoard reads each file with `tfevents` in its name: an attempt's own lacks it, since it may not count."""
LOG = "log.jsonl"

REPORT = "report"
PAGE = f"{REPORT}/index.html"
LEADERBOARD = f"{REPORT}/leaderboard.csv"
SUMMARY = f"{REPORT}/summary.json"


@dataclass(frozen=True)
class TrialObject:
    """The parts of the name of an object below `trials/`."""

    trial: str
    attempt: str | None
    """None for what belongs to the trial itself, such as its result."""
    file: str


def run_folder(run: str) -> str:
    """Return a run's folder in the output."""
    return f"{RUNS}/{run}"


def in_run(run: str, name: str) -> str:
    """Return the name that an object of a run has in the output."""
    return f"{run_folder(run)}/{name}"


def begun_run(name: str) -> str | None:
    """Return the run whose sweep.json has this name in the output; None for any other name."""
    found = re.fullmatch(f"{RUNS}/([^/]+)/{re.escape(SWEEP)}", name)
    return found[1] if found else None


def split_run_url(url: str) -> tuple[str, str] | None:
    """Split the URL or path of a run's folder into the output's and the run's name; None for any other."""
    output, separator, run = url.rpartition(f"/{RUNS}/")
    return (output or "/", run) if separator and run and "/" not in run else None


def trial_folder(trial: str) -> str:
    """Return the name of a trial's folder."""
    return f"{TRIALS}/{trial}"


def result_of(trial: str) -> str:
    """Return the name of a trial's result."""
    return f"{trial_folder(trial)}/{RESULT}"


def shown_events_of(trial: str) -> str:
    """Return the name of the events that TensorBoard shows for a trial."""
    return f"{trial_folder(trial)}/{SHOWN_EVENTS}"


def attempt_folder(trial: str, attempt: str) -> str:
    """Return the name of an attempt's folder."""
    return f"{trial_folder(trial)}/{attempt}"


def attempt_file(trial: str, attempt: str, file: str) -> str:
    """Return the name of an attempt's file."""
    return f"{attempt_folder(trial, attempt)}/{file}"


def picture_of(kind: str) -> str:
    """Return the name of one of the report's pictures."""
    return f"{REPORT}/{kind}.svg"


def failure_of(index: int) -> str:
    """Return the name of the record of why an attempt at a completion index failed."""
    return f"{REPORT}/failures/{index}.json"


def parse_trial_object(name: str) -> TrialObject | None:
    """Return the parts of the name of an object within a run; None unless it is below a trial."""
    match name.split("/"):
        case [folder, trial, file] if folder == TRIALS:
            return TrialObject(trial, None, file)
        case [folder, trial, attempt, file] if folder == TRIALS:
            return TrialObject(trial, attempt, file)
    return None
