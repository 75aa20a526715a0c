"""Copies a run's results into a local folder, in a layout for people.

    DIR/index.html, sweep.json, leaderboard.csv, summary.json
    DIR/pictures/*.svg
    DIR/<trial>/result.json, replicates.csv, history.csv, model.keras, README.md, log.jsonl, events.out.tfevents

The folder appears complete: it is built under a temporary name next to the target and then renamed. If the target
already holds the same run, each further trial is moved there complete.
"""

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path, PurePosixPath

from job.errors import ConfigError, ObjectNotFoundError, SweepError
from job.report.page import render
from job.report.pictures import drawable
from job.report.reading import read_report
from job.runs.layout import EVENTS, LEADERBOARD, PAGE, RESULT, SHOWN_EVENTS, SUMMARY, SWEEP, attempt_file, result_of
from job.runs.results import TrialResult
from job.runs.run import Run
from job.statistics.formats import leaderboard_csv

EXPORTED_SWEEP, EXPORTED_LEADERBOARD, EXPORTED_SUMMARY, EXPORTED_PAGE = (
    PurePosixPath(name).name for name in (SWEEP, LEADERBOARD, SUMMARY, PAGE)
)
PICTURES_FOLDER = "pictures"
PARALLEL_DOWNLOADS = 16
"""How many files are downloaded at the same time: a bucket takes tens of milliseconds for each."""


@contextmanager
def sibling_folder(target: Path) -> Iterator[Path]:
    """Yield a hidden temporary folder next to the target; it is removed after the block.

    Raises:
        ConfigError: no folder can be made there.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}") from error
    with made as folder:
        yield Path(folder)


def check_target(target: Path, run: str) -> None:
    """Check, before anything is fetched, that a folder can take the results of a run.

    Raises:
        ConfigError: it is not a folder, or holds anything else.
    """
    names = _folder_names(target)
    if names:
        # A run that was copied before any trial had begun has no sweep.json.
        file = EXPORTED_SWEEP if EXPORTED_SWEEP in names else EXPORTED_SUMMARY
        try:
            same = json.loads((target / file).read_bytes())["run"] == run
        except (OSError, ValueError, KeyError, TypeError):
            same = False
        if not same:
            raise _not_ours(target)


def export(run: Run, target: Path) -> tuple[int, int]:
    """Copy the results of all trials that are done into a folder.

    Args:
        run: the run.
        target: a folder that does not exist, is empty, or holds results of the same run.

    Returns:
        The number of trials that are new in the folder, and the number that it has now.

    Raises:
        ConfigError: the folder holds anything else; it is left as it is.
        SweepError: a result is damaged.
        StorageError, StorageUnavailableError: the results cannot be read.
    """
    sweep, summary = _read_object(run, SWEEP), _read_object(run, SUMMARY)
    if sweep is None and summary is None:
        raise SweepError(f"{run.name} has no results yet")
    here = _present(target, run, sweep)
    finished = sorted(run.finished())
    wanted = [trial for trial in finished if trial not in here]
    try:
        with sibling_folder(target) as folder:
            _fill(run, folder, wanted)
            if sweep:
                (folder / EXPORTED_SWEEP).write_bytes(sweep)
            _write_exported_report(run, folder)
            if summary:
                (folder / EXPORTED_SUMMARY).write_bytes(summary)
            _move(folder, target)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}") from error
    return len(wanted), len(finished)


def _present(target: Path, run: Run, sweep: bytes | None) -> set[str]:
    """Return the trials that the folder has; it must be empty or hold the same run."""
    check_target(target, run.name)
    names = _folder_names(target)
    if EXPORTED_SWEEP in names and json.loads((target / EXPORTED_SWEEP).read_bytes()) != json.loads(sweep or b"{}"):
        raise _not_ours(target)
    return {name for name in names if (target / name / RESULT).is_file()}


def _folder_names(target: Path) -> set[str]:
    if not target.exists():
        return set()
    if not target.is_dir():
        raise ConfigError(f"{target} is not a folder")
    return {path.name for path in target.iterdir()}


def _not_ours(target: Path) -> ConfigError:
    return ConfigError(f"{target} is not empty and holds no results of this run: name another folder")


def _fill(run: Run, folder: Path, trials: list[str]) -> None:
    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as threads:
        copies = [threads.submit(_copy, run, folder / trial, trial) for trial in trials]
        try:
            for copy in copies:
                copy.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


def _copy(run: Run, folder: Path, trial: str) -> None:
    folder.mkdir()
    result = run.result(trial)
    for file in result.files:
        path = folder / _exported(file.name)
        if path.parent != folder:
            raise SweepError(f"{run.url_of(result_of(trial))} is damaged: {file.name!r} is not the name of a file")
        name = attempt_file(trial, result.attempt, file.name)
        run.storage.download(run.object_name(name), path)
        with path.open("rb") as stream:
            if file_digest(stream, "sha256").hexdigest() != file.sha256:
                raise SweepError(f"{run.url_of(name)} is damaged")
    files = tuple(file.model_copy(update={"name": _exported(file.name)}) for file in result.files)
    (folder / RESULT).write_text(_result_text(result.model_copy(update={"files": files})))


def _exported(name: str) -> str:
    """Return the exported name of an attempt's file: TensorBoard must recognise its events."""
    return SHOWN_EVENTS if name == EVENTS else name


def _result_text(result: TrialResult) -> str:
    return json.dumps(result.model_dump(mode="json"), indent=2) + "\n"


def _write_exported_report(run: Run, folder: Path) -> None:
    """Write the current page, pictures and leaderboard; the run's own may be older, and link to other places."""
    report = read_report(run)
    (folder / EXPORTED_PAGE).write_text(render(report, exported=True), encoding="utf-8")
    (folder / EXPORTED_LEADERBOARD).write_text(leaderboard_csv(report.board))
    (folder / PICTURES_FOLDER).mkdir()
    for kind, picture in drawable(report).items():
        (folder / PICTURES_FOLDER / f"{kind}.svg").write_text(picture, encoding="utf-8")


def _read_object(run: Run, name: str) -> bytes | None:
    try:
        return run.storage.read(run.object_name(name))
    except ObjectNotFoundError:
        return None


def _move(folder: Path, target: Path) -> None:
    if not target.exists() or not any(target.iterdir()):
        folder.chmod(0o755)
        folder.rename(target)
        folder.mkdir()  # TemporaryDirectory removes it.
        return
    (target / PICTURES_FOLDER).mkdir(exist_ok=True)
    for path in (*folder.iterdir(), *(folder / PICTURES_FOLDER).iterdir()):
        place = target / path.relative_to(folder)
        if path.is_file() and path.name != EXPORTED_SWEEP:
            path.replace(place)
        elif not place.exists():
            path.rename(place)
