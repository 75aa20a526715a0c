"""The status of a sweep as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from k8s.commands.status import Status
from k8s.commands.status_results import TrialStatus
from k8s.observe.causes import Cause


def json_lines(status: Status) -> Iterator[str]:
    """Yield the lines of one JSON object, with one trial per line."""
    job = status.state.job
    about = {
        "release": status.sweep.release,
        "run": job.name,
        "namespace": status.sweep.job["metadata"]["namespace"],
        "outcome": job.outcome,
        "why": (status.waiting or job.cause or Cause("", "")).text or None,
        "started": job.started,
        "ended": job.ended,
        "counts": status.counts(),
    }
    yield json.dumps(about, indent=2)[:-2] + ',\n  "trials": ['
    before = ""
    for row in status.results.rows(status.trials()):
        if before:
            yield f"{before},"
        before = f"    {json.dumps(_record(row), ensure_ascii=False)}"
    yield before
    yield f'  ],\n  "results": {json.dumps(status.results.problem or "readable", ensure_ascii=False)}\n}}'


def _record(row: TrialStatus) -> dict[str, Any]:
    trial, pod = row.trial, row.trial.pod
    record: dict[str, Any] = {"trial": trial.trial.name, "index": trial.trial.index, "state": trial.state}
    if trial.since:
        record["since"] = trial.since
    if trial.cause:
        record |= {"reason": trial.cause.reason, "why": trial.cause.text}
        if trial.cause.exit_code is not None:
            record["exit_code"] = trial.cause.exit_code
    if pod:
        record |= {"pod": pod.name, "node": pod.node, "attempt": pod.attempt}
    if row.numbers:
        record |= asdict(row.numbers)
    return record
