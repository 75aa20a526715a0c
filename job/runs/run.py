"""A run in storage: the order in which its objects are written, and what "done" means.

sweep.json is created first, once. Each attempt writes files under a name of its own; result.json, created once and
last, says which attempt counts: if it exists, the trial is done. An attempt that died halfway does no harm, since
no result.json points to it. Newer content may replace what people read in report/.
"""

import json
import os
from collections.abc import Iterator
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from job.errors import ConfigError, ConflictError, DamagedResultError, ObjectNotFoundError, SweepError
from job.runs import layout
from job.runs.layout import TrialObject
from job.runs.results import FailedTrial, StoredFile, TrialResult, damaged_result
from job.settings.sweep import Settings
from job.storage import Storage, is_url, is_within_reach, open_storage


class Run:
    """One sweep's objects: written by its trials, read by whoever asks for the outcome."""

    def __init__(self, storage: Storage, settings: Settings, name: str) -> None:
        """Refer to a run, which may not exist yet; nothing is read or written."""
        self.storage = storage
        self.settings = settings
        self.name = name
        self.folder = layout.run_folder(name)

    @property
    def url(self) -> str:
        """Where the run is, as a person writes it."""
        return self.storage.url_of(self.folder)

    def object_name(self, name: str) -> str:
        """Return the name that an object of this run has in the output."""
        return layout.in_run(self.name, name)

    def url_of(self, name: str) -> str:
        """Return where an object of this run is, as a person writes it."""
        return f"{self.url}/{name}"

    def check(self) -> bool:
        """Return whether the run has begun.

        Raises:
            ConfigError: a run of this name belongs to another sweep.
        """
        try:
            stored = _parse(self.storage.read(self.object_name(layout.SWEEP)), self.url_of(layout.SWEEP))
        except ObjectNotFoundError:
            return False
        if stored.get("config_hash") != self.settings.hash:
            raise ConfigError(
                f"{self.url} holds another sweep (its hash is {stored.get('config_hash')}, this one's "
                f"{self.settings.hash}): give this sweep another --run or --output; with the chart, another "
                "release name or sweep.output"
            )
        return True

    def begin(self, provenance: dict[str, Any]) -> bool:
        """Write sweep.json unless the run has already begun; return whether this call began it.

        Args:
            provenance: where the run comes from: versions, host, image, time.

        Raises:
            ConfigError: a run of this name belongs to another sweep.
        """
        if self.check():
            return False
        stored = self.settings.model_dump(mode="json")
        sweep = {"run": self.name, "config": stored, "config_hash": self.settings.hash, **provenance}
        try:
            self.storage.create(self.object_name(layout.SWEEP), _pretty(sweep))
        except ConflictError:
            self.check()
            return False
        return True

    def trial_objects(self, trial: str | None = None) -> Iterator[TrialObject]:
        """Yield the parsed names of one trial's objects, or of all trials', sorted by name.

        Raises:
            StorageError, StorageUnavailableError: they cannot be listed.
        """
        for name in self.storage.list(self.object_name(layout.trial_folder(trial) if trial else layout.TRIALS)):
            if found := layout.parse_trial_object(name.removeprefix(f"{self.folder}/")):
                yield found

    def finished(self) -> set[str]:
        """Return the names of the trials that are done."""
        return self._trials_with(layout.RESULT)

    def _trials_with(self, file: str) -> set[str]:
        return {found.trial for found in self.trial_objects() if found.attempt is None and found.file == file}

    def is_finished(self, trial: str) -> bool:
        """Return whether a trial is done."""
        return self.storage.exists(self.object_name(layout.result_of(trial)))

    def result(self, trial: str) -> TrialResult:
        """Read the result of a trial.

        Raises:
            ObjectNotFoundError: the trial is not done.
            DamagedResultError: its result is damaged, or belongs to another sweep.
        """
        name = layout.result_of(trial)
        where = self.url_of(name)
        try:
            result = TrialResult.model_validate(_object(self.storage.read(self.object_name(name))))
        except ValidationError as error:
            raise damaged_result(trial, f"{where} is damaged: {_first_error(error)}") from None
        except ValueError as error:
            raise damaged_result(trial, f"{where} is damaged: {error}") from None
        if result.config_hash != self.settings.hash:
            raise damaged_result(trial, f"{where} belongs to another sweep, whose hash is {result.config_hash}")
        if result.trial != trial:
            raise damaged_result(trial, f"{where} is damaged: it is the result of {result.trial!r}")
        return result

    def failures(self) -> dict[str, FailedTrial]:
        """Return the failed trials in the driver's summary, by name; none if it is missing or damaged.

        Raises:
            StorageError, StorageUnavailableError: it cannot be read.
        """
        try:
            failed = json.loads(self.storage.read(self.object_name(layout.SUMMARY)))["failed"]
            return {trial.trial: trial for trial in map(FailedTrial.model_validate, failed)}
        except (ObjectNotFoundError, ValueError, KeyError, TypeError, RecursionError):
            return {}

    def read_file(self, result: TrialResult, name: str) -> bytes:
        """Read a file of the attempt that counts.

        Raises:
            DamagedResultError: the file is gone or is not the one that the trial wrote.
        """
        stored = next((file for file in result.files if file.name == name), None)
        if stored is None:
            where = self.url_of(layout.result_of(result.trial))
            raise damaged_result(result.trial, f"{where} is damaged: it does not list {name}")
        path = layout.attempt_file(result.trial, result.attempt, name)
        try:
            data = self.storage.read(self.object_name(path))
        except ObjectNotFoundError:
            raise damaged_result(result.trial, f"{self.url_of(path)} is gone") from None
        if sha256(data).hexdigest() != stored.sha256:
            reason = f"{self.url_of(path)} is damaged: its checksum differs from its result's"
            raise damaged_result(result.trial, reason)
        return data

    def save_attempt(self, trial: str, attempt: str, folder: Path) -> tuple[StoredFile, ...]:
        """Store all files of a local folder as an attempt's; this does not make the trial done.

        Raises:
            ConflictError: the attempt already has one of these files with different content.
            StorageError, StorageUnavailableError: a file cannot be written.
        """
        files = []
        for path in sorted(folder.iterdir()):
            name = layout.attempt_file(trial, attempt, path.name)
            self.storage.create_from_file(self.object_name(name), path)
            with path.open("rb") as stream:
                digest = file_digest(stream, "sha256").hexdigest()
            files.append(StoredFile(name=path.name, size=path.stat().st_size, sha256=digest))
        return tuple(files)

    def put(self, name: str, data: bytes) -> None:
        """Write an object that may change, such as report/leaderboard.csv: a newer one replaces an older one.

        Raises:
            StorageError, StorageUnavailableError: it cannot be written.
        """
        path = self.object_name(name)
        while True:
            try:
                stored, version = self.storage.read_with_version(path)
            except ObjectNotFoundError:
                stored, version = b"", None
            if stored == data:
                return
            try:
                self.storage.replace(path, data, version)
            except ConflictError:
                continue  # Another writer of this run has just written: read again.
            return

    def commit(self, result: TrialResult) -> TrialResult:
        """Mark a trial as done; if another attempt was first, its result counts and is returned.

        Raises:
            DamagedResultError: the other attempt's result is damaged.
            StorageError, StorageUnavailableError: the result cannot be written.
        """
        name = self.object_name(layout.result_of(result.trial))
        try:
            self.storage.create(name, _pretty(result.model_dump(mode="json")))
        except ConflictError:
            result = self.result(result.trial)
        self.publish_events(result)
        return result

    def publish_events(self, result: TrialResult) -> None:
        """Copy the events of the attempt that counts to where TensorBoard finds them, unless already there.

        Raises:
            DamagedResultError: they are gone or damaged.
            StorageError, StorageUnavailableError: they cannot be read or written.
        """
        name = self.object_name(layout.shown_events_of(result.trial))
        if any(file.name == layout.EVENTS for file in result.files) and not self.storage.exists(name):
            self.storage.create(name, self.read_file(result, layout.EVENTS))

    def publish_all_events(self) -> dict[str, DamagedResultError]:
        """Publish the events of each trial that is done but whose process died before publishing them.

        Returns:
            The trials whose events are gone or damaged, and why.

        Raises:
            StorageError, StorageUnavailableError: the storage refuses, or does not answer.
        """
        damaged = {}
        for trial in sorted(self.finished() - self._trials_with(layout.SHOWN_EVENTS)):
            try:
                self.publish_events(self.result(trial))
            except DamagedResultError as error:
                damaged[trial] = error
        return damaged


def find_run(where: str, output: str) -> Run:
    """Open a run that has begun.

    Args:
        where: its name in `output`, or the folder or bucket URL that holds its sweep.json.
        output: the output of the sweep.

    Raises:
        ConfigError: there is no such run.
        SweepError: its sweep.json is damaged.
    """
    storage, name = _located(where, output)
    sweep = layout.in_run(name, layout.SWEEP)
    path = storage.url_of(sweep)
    try:
        stored = _parse(storage.read(sweep), path)
    except (ObjectNotFoundError, ValueError):
        known = ", ".join(run_names(storage)) or "none"
        raise ConfigError(f"there is no run '{name}' in {storage.url}; its runs: {known}") from None
    try:
        settings = Settings.model_validate_json(json.dumps(stored.get("config")))
    except ValidationError as error:
        raise SweepError(f"{path} is damaged: {_first_error(error)}") from None
    return Run(storage, settings, name)


def _located(where: str, output: str) -> tuple[Storage, str]:
    """Return the storage and the name of a run, given by its name or its own folder or URL."""
    if "/" not in where and where != ".":
        return open_storage(output), where
    # First the path as given, then with its links resolved: `runs` itself may be a link, or a link may lead to a
    # run.
    paths = [where.rstrip("/")] if is_url(where) else [os.path.abspath(where), os.path.realpath(where)]
    runs = [found for path in paths if (found := layout.split_run_url(path))]
    if not runs:
        raise ConfigError(f"{where} is not a run: a run's folder is <output>/runs/<name>")
    begun = ((output, name) for output, name in runs if is_within_reach(output, layout.in_run(name, layout.SWEEP)))
    output, name = next(begun, runs[0])
    return open_storage(output), name


def run_names(storage: Storage) -> Iterator[str]:
    """Yield the names of the runs that have begun."""
    for name in storage.list(layout.RUNS):
        if run := layout.begun_run(name):
            yield run


def _first_error(error: ValidationError) -> str:
    return error.errors()[0]["msg"]


def _pretty(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _parse(data: bytes, where: str) -> dict[str, Any]:
    try:
        return _object(data)
    except ValueError as error:
        raise SweepError(f"{where} is damaged: {error}") from None


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except RecursionError as error:
        raise ValueError(str(error)) from None
    if not isinstance(value, dict):
        raise ValueError("it must be a JSON object")
    return value
