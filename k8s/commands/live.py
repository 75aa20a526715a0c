"""Shows a live table of a release's trials on a terminal."""

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from job.wording import more_words
from k8s.api import watch as watching
from k8s.api.client import Cluster
from k8s.commands.status import Status
from k8s.commands.status_results import SweepResults, TrialStatus
from k8s.commands.status_table import trial_details
from k8s.observe.state import UNDONE, JobState, parse_job
from k8s.observe.trials import DONE, FAILED, PENDING, RUNNING, TrialState
from k8s.release.sweeps import ReleaseSweep

REFRESH_SECONDS = 1.0
STATUS_SECONDS = 10.0
"""How often to ask what a Job is waiting for, and which trials are done that the Job does not show yet."""

_MOST_URGENT_FIRST = (FAILED, RUNNING, PENDING, DONE)
"""Which trials to show first if the terminal has too few lines for all of them."""
_STYLES = {FAILED: "red", RUNNING: "cyan", PENDING: "dim", DONE: "green"}


def show_live_table(cluster: Cluster, sweep: ReleaseSweep, results: SweepResults, console: Console) -> None:
    """Show the table until the Job has ended or the user stops the program."""
    state = JobState(parse_job(sweep.job))
    targets = [
        watching.WatchTarget("jobs", fields=f"metadata.name={sweep.name}"),
        watching.WatchTarget("pods", labels=sweep.pod_labels, fields=UNDONE),
    ]
    table = _LiveTable(cluster, sweep, state, results, console)
    listed = False
    with (
        Live(console=console, auto_refresh=False, vertical_overflow="crop") as live,
        watching.Follower(cluster, targets) as follower,
    ):
        for change in follower.changes(REFRESH_SECONDS):
            state.apply(change)
            listed = listed or (change.kind, change.type) == ("pods", watching.END)
            ended = state.gone or bool(state.job.outcome)
            table.silent = {watching.SILENT: change.words, watching.ANSWERS: ""}.get(change.type, table.silent)
            if listed and table.is_due(at_once=ended):
                live.update(table.draw(refresh_status=ended), refresh=True)
            if listed and ended:
                return


class _LiveTable:
    def __init__(
        self, cluster: Cluster, sweep: ReleaseSweep, state: JobState, results: SweepResults, console: Console
    ) -> None:
        self.silent = ""
        self._new_status: Callable[[], Status] = lambda: Status(cluster, sweep, state, results)
        self._results = results
        self._console = console
        self._status: Status | None = None
        self._asked = self._drawn = 0.0
        self._rows: dict[str, TrialStatus] = {}

    def is_due(self, *, at_once: bool) -> bool:
        return at_once or time.monotonic() - self._drawn >= REFRESH_SECONDS

    def draw(self, *, refresh_status: bool) -> Group:
        self._drawn = time.monotonic()
        if refresh_status or self._status is None or self._drawn - self._asked >= STATUS_SECONDS:
            self._status, self._asked = self._new_status(), self._drawn
        shown, more = self._chosen(self._status)
        table = Table(box=None, pad_edge=False, show_header=False, expand=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        now = datetime.now(UTC)
        for item in shown:
            words = trial_details(self._row(item), self._status.sweep.settings.epochs, now)
            table.add_row(item.trial.name, Text(item.state, _STYLES[item.state]), Text(words))
        notes = [Text(f"{more_words(more)} (--once shows all)", "dim")] if more else []
        notes += [Text(words, "yellow") for words in (self.silent, self._results.problem) if words]
        return Group(Text(self._status.headline(), "bold"), table, *notes)

    def _row(self, item: TrialState) -> TrialStatus:
        """Return the status of a trial; a result never changes, and is read only once."""
        if item.state != DONE:
            return self._results.row(item)
        name = item.trial.name
        if name not in self._rows or not self._rows[name].numbers:
            self._rows[name] = self._results.row(item)
        return self._rows[name]

    def _chosen(self, status: Status) -> tuple[list[TrialState], int]:
        """Return the trials that fit on the terminal, and the number of those that do not."""
        room, total = max(self._console.height - 5, 1), 0
        by_state: dict[str, list[TrialState]] = defaultdict(list)
        for item in status.trials():
            total += 1
            if len(by_state[item.state]) < room:
                by_state[item.state].append(item)
        chosen = [item for state in _MOST_URGENT_FIRST for item in by_state[state]][:room]
        return sorted(chosen, key=lambda item: item.trial.index), total - len(chosen)
