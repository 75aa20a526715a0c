"""TensorBoard as a process, asked over HTTP as its page asks it."""

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from programs import ENVIRONMENT, PATIENCE_SECONDS

TENSORBOARD = Path(sys.executable).with_name("tensorboard")
HPARAMS = "/experiment/defaultExperimentId/data/plugin/hparams"


def opened(logdir, log):
    """Open a folder in TensorBoard; return its runs, their scalars and the HParams table."""
    with _running(logdir, log) as url:
        tags = _ask(url, "/data/plugin/scalars/tags")
        scalars = {run: {tag: _scalars(url, run, tag) for tag in tags[run]} for run in tags}
        experiment = _ask(url, f"{HPARAMS}/experiment", {"experimentName": "", "includeMetrics": True})
        columns = [{"hparam": info["name"], "includeInResult": True} for info in experiment["hparamInfos"]]
        columns += [{"metric": info["name"]} for info in experiment["metricInfos"]]
        columns[-2] |= {"order": "ORDER_ASC"}
        table = {
            "experimentName": "",
            "allowedStatuses": ["STATUS_SUCCESS"],
            "colParams": columns,
            "startIndex": 0,
            "sliceSize": 100,
        }
        groups = _ask(url, f"{HPARAMS}/session_groups", table)["sessionGroups"]
        runs = _ask(url, "/data/runs")
    return SimpleNamespace(runs=runs, scalars=scalars, experiment=experiment, groups=groups)


def _scalars(url, run, tag):
    """Return the steps and the values of one curve."""
    rows = _ask(url, f"/data/plugin/scalars/scalars?{urllib.parse.urlencode({'run': run, 'tag': tag})}")
    return {step: value for _, step, value in rows}


@contextmanager
def _running(logdir, log):
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [TENSORBOARD, "--logdir", logdir, "--port", "0"], env=ENVIRONMENT, stdout=stream, stderr=stream
        )
    try:
        url = _until(lambda: re.search(r"at (http://\S+?)/? ", log.read_text()), process, log)[1]
        _until(lambda: _has_read_all(url), process, log)
        yield url
    finally:
        process.terminate()
        process.wait()


def _has_read_all(url):
    """Say whether each run's last value is there: TensorBoard shows what it has, and reads on."""
    tags = _ask(url, "/data/plugin/scalars/tags")
    time.sleep(1)
    return tags and tags == _ask(url, "/data/plugin/scalars/tags")


def _until(answer, process, log):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := answer()):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return found


def _ask(url, path, content=None):
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
