"""The status of a sweep as a table of its trials."""

from collections.abc import Iterator
from datetime import UTC, datetime

from job.wording import duration_words, median_interval_words
from k8s.commands.status import Status
from k8s.commands.status_results import TrialStatus
from k8s.observe.trials import FAILED


def table_lines(status: Status) -> Iterator[str]:
    """Yield the lines of a table of all trials."""
    limit = status.sweep.settings.epochs
    width = max(len(item.trial.name) for item in status.trials())
    yield status.headline()
    for row in status.results.rows(status.trials()):
        yield f"{row.trial.trial.name:{width}}  {row.trial.state:7}  {trial_details(row, limit)}".rstrip()
    if status.results.problem:
        yield f"Some medians are missing: {status.results.problem}"


def trial_details(row: TrialStatus, limit: int, now: datetime | None = None) -> str:
    """Return the details of a trial: its median, how long it has been running, or why it is pending or failed."""
    trial, numbers = row.trial, row.numbers
    if numbers:
        return f"median {median_interval_words(numbers.median, numbers.median_low, numbers.median_high, limit)}"
    if trial.since and trial.state != FAILED:
        seconds = int(((now or datetime.now(UTC)) - datetime.fromisoformat(trial.since)).total_seconds())
        attempt = f", attempt {trial.pod.attempt}" if trial.pod and trial.pod.attempt > 1 else ""
        return f"since {trial.since} ({duration_words(max(seconds, 0), digits=0)}){attempt}"
    return trial.cause.text if trial.cause else ""
