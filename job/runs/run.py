"""A run's objects in storage: their names, the order in which they are written, and what "done" means.

    runs/<run>/sweep.json                           the validated sweep and where it came from; create-once
    runs/<run>/trials/<trial>/<attempt>/<file>      what one attempt wrote
    runs/<run>/trials/<trial>/result.json           written last, create-once: it exists = the trial is done
    runs/<run>/trials/<trial>/events.out.tfevents   a copy of that attempt's, for TensorBoard
    runs/<run>/report/<file>                        what people read; a newer one replaces an older one

An attempt that died half-way is in nobody's way: its name is its own, and no result.json points to it.
"""

import json
import os
from collections.abc import Iterator
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from job.errors import ConfigError, ConflictError, ObjectNotFoundError, SweepError
from job.settings.sweep import SweepConfig
from job.storage import Storage, is_url, open_storage

REPLICATES = "replicates.csv"
HISTORY = "history.csv"
MODEL = "model.keras"
CARD = "README.md"
EVENTS = "tensorboard.tfrecord"
SHOWN_EVENTS = "events.out.tfevents"
"""TensorBoard reads each file with `tfevents` in its name: an attempt's own has none, since it may not count."""
LOG = "log.jsonl"

REPORT = "report"
LEADERBOARD = f"{REPORT}/leaderboard.csv"
SUMMARY = f"{REPORT}/summary.json"


class StoredFile(BaseModel):
    """A file of the attempt that counts."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Its name in the attempt's folder."""
    size: int
    """In bytes."""
    sha256: str
    """Its content's checksum, in hexadecimal."""


class TrialResult(BaseModel):
    """What result.json holds: the trial's summary, and the files that it rests on."""

    model_config = ConfigDict(frozen=True)

    trial: str
    """The trial's name."""
    index: int
    """The trial's index in the grid."""
    attempt: Annotated[str, Field(pattern=r"^[\w-]+$")]
    """The attempt that counts."""
    config_hash: str
    """`SweepConfig.hash` of the sweep that it belongs to."""
    summary: dict[str, Any]
    """The numbers of the trial, for people and logs; the leaderboard computes its own from replicates.csv."""
    files: tuple[StoredFile, ...]
    """The attempt's files."""


class Run:
    """One sweep's objects: written by its trials, read by whoever asks for the outcome."""

    def __init__(self, storage: Storage, config: SweepConfig, name: str) -> None:
        """Take the run of this name, which may not exist yet; nothing is read or written."""
        self.storage = storage
        self.config = config
        self.name = name
        self.folder = f"runs/{name}"

    @property
    def url(self) -> str:
        """Where the run lies, as a person writes it."""
        return self.storage.url_of(self.folder)

    def check(self) -> bool:
        """Say whether the run has begun.

        Raises:
            ConfigError: a run of this name belongs to another sweep.
        """
        try:
            stored = _parse(self.storage.read(f"{self.folder}/sweep.json"), f"{self.url}/sweep.json")
        except ObjectNotFoundError:
            return False
        if stored.get("config_hash") != self.config.hash:
            raise ConfigError(
                f"{self.url} holds another sweep (its hash is {stored.get('config_hash')}, this one's "
                f"{self.config.hash}): give this sweep another --run or --output; with the chart, another "
                "release name or sweep.output"
            )
        return True

    def begin(self, provenance: dict[str, Any]) -> bool:
        """Write sweep.json, unless the run has begun already; say whether this call began it.

        Args:
            provenance: where the run comes from: versions, host, image, time.

        Raises:
            ConfigError: a run of this name belongs to another sweep.
        """
        if self.check():
            return False
        settings = self.config.model_dump(mode="json")
        sweep = {"run": self.name, "config": settings, "config_hash": self.config.hash, **provenance}
        try:
            self.storage.create(f"{self.folder}/sweep.json", _pretty(sweep))
        except ConflictError:
            self.check()
            return False
        return True

    def finished(self) -> set[str]:
        """Return the names of the trials that are done."""
        return self._trials_with("result.json")

    def _trials_with(self, file: str) -> set[str]:
        return {
            parts[3]
            for name in self.storage.list(f"{self.folder}/trials")
            if len(parts := name.split("/")) == 5 and parts[4] == file
        }

    def is_finished(self, trial: str) -> bool:
        """Say whether one trial is done."""
        return self.storage.exists(f"{self.folder}/trials/{trial}/result.json")

    def result(self, trial: str) -> TrialResult:
        """Read the result of a trial.

        Raises:
            ObjectNotFoundError: the trial is not done.
            SweepError: its result is damaged, or belongs to another sweep.
        """
        name = f"{self.folder}/trials/{trial}/result.json"
        where = self.storage.url_of(name)
        try:
            result = TrialResult.model_validate(_object(self.storage.read(name)))
        except ValidationError as error:
            raise damage(trial, f"{where} is damaged: {error.errors()[0]['msg']}") from None
        except ValueError as error:
            raise damage(trial, f"{where} is damaged: {error}") from None
        if result.config_hash != self.config.hash:
            raise damage(trial, f"{where} belongs to another sweep, whose hash is {result.config_hash}")
        if result.trial != trial:
            raise damage(trial, f"{where} is damaged: it is the result of {result.trial!r}")
        return result

    def failures(self) -> dict[str, dict[str, Any]]:
        """Return what the driver's summary says of the trials that failed, by name; each has `why` and `log`.

        What is damaged counts as not there.

        Raises:
            StorageError, StorageUnavailableError: it cannot be read.
        """
        try:
            failed = json.loads(self.storage.read(f"{self.folder}/{SUMMARY}"))["failed"]
            return {
                str(item["trial"]): {
                    **item,
                    "why": str(item["why"]),
                    "log": tuple(map(str, item.get("log") or ())),
                }
                for item in failed
            }
        except (ObjectNotFoundError, ValueError, KeyError, TypeError, RecursionError):
            return {}

    def read_file(self, result: TrialResult, name: str) -> bytes:
        """Read a file of the attempt that counts.

        Raises:
            SweepError: the file is gone or is not the one that the trial wrote.
        """
        path = f"{self.folder}/trials/{result.trial}/{result.attempt}/{name}"
        stored = next((file for file in result.files if file.name == name), None)
        if stored is None:
            where = f"{self.url}/trials/{result.trial}/result.json"
            raise damage(result.trial, f"{where} is damaged: it names no {name}")
        where = self.storage.url_of(path)
        try:
            data = self.storage.read(path)
        except ObjectNotFoundError:
            raise damage(result.trial, f"{where} is gone") from None
        if sha256(data).hexdigest() != stored.sha256:
            raise damage(result.trial, f"{where} is damaged: its checksum is not its result's")
        return data

    def save_attempt(self, trial: str, attempt: str, folder: Path) -> tuple[StoredFile, ...]:
        """Store all files of a local folder as an attempt's; the trial is not done by that.

        Raises:
            ConflictError: the attempt has such a file with other content.
            StorageError, StorageUnavailableError: a file cannot be written.
        """
        files = []
        for path in sorted(folder.iterdir()):
            self.storage.create_from_file(f"{self.folder}/trials/{trial}/{attempt}/{path.name}", path)
            with path.open("rb") as stream:
                digest = file_digest(stream, "sha256").hexdigest()
            files.append(StoredFile(name=path.name, size=path.stat().st_size, sha256=digest))
        return tuple(files)

    def put(self, name: str, data: bytes) -> None:
        """Write an object that may change, such as report/leaderboard.csv: a newer one replaces an older one.

        Raises:
            StorageError, StorageUnavailableError: it cannot be written.
        """
        path = f"{self.folder}/{name}"
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
        """Make a trial done; where another attempt was first, its result counts and is returned.

        Raises:
            SweepError: the other attempt's result is damaged.
            StorageError, StorageUnavailableError: the result cannot be written.
        """
        try:
            self.storage.create(
                f"{self.folder}/trials/{result.trial}/result.json", _pretty(result.model_dump(mode="json"))
            )
        except ConflictError:
            result = self.result(result.trial)
        self.show(result)
        return result

    def show(self, result: TrialResult) -> None:
        """Put the events of the attempt that counts where TensorBoard finds them, unless they are there.

        Raises:
            SweepError: they are gone or damaged.
            StorageError, StorageUnavailableError: they cannot be read or written.
        """
        name = f"{self.folder}/trials/{result.trial}/{SHOWN_EVENTS}"
        if any(file.name == EVENTS for file in result.files) and not self.storage.exists(name):
            self.storage.create(name, self.read_file(result, EVENTS))

    def show_finished(self) -> dict[str, SweepError]:
        """Do as `show` for each trial that is done and whose process died before it could.

        Returns:
            The trials of which that cannot be done, as what it takes is gone or damaged, and why.

        Raises:
            StorageError, StorageUnavailableError: the storage refuses, or does not answer.
        """
        damaged = {}
        for trial in sorted(self.finished() - self._trials_with(SHOWN_EVENTS)):
            try:
                self.show(self.result(trial))
            except SweepError as error:
                if error.__class__ is not SweepError:
                    raise
                damaged[trial] = error
        return damaged


def damage(trial: str, what: str) -> SweepError:
    """Return the error of a trial whose result is there and cannot be used; what is done is never overwritten."""
    return SweepError(f"{what}; to train it again, remove trials/{trial}/result.json and run the sweep again")


def open_run(where: str, output: str) -> Run:
    """Open a run that has begun.

    Args:
        where: its name in `output`, or the folder or bucket URL that holds its sweep.json.
        output: the output of the sweep.

    Raises:
        ConfigError: there is no such run.
        SweepError: its sweep.json is damaged.
    """
    storage, name = _located(where, output)
    path = storage.url_of(f"runs/{name}/sweep.json")
    try:
        stored = _parse(storage.read(f"runs/{name}/sweep.json"), path)
    except (ObjectNotFoundError, ValueError):
        known = ", ".join(run_names(storage)) or "none"
        raise ConfigError(f"there is no run '{name}' in {storage.url}; its runs: {known}") from None
    try:
        config = SweepConfig.model_validate_json(json.dumps(stored.get("config")))
    except ValidationError as error:
        raise SweepError(f"{path} is damaged: {error.errors()[0]['msg']}") from None
    return Run(storage, config, name)


def _located(where: str, output: str) -> tuple[Storage, str]:
    """Return the storage and the name of a run, given by its name or its own folder or URL."""
    if "/" not in where and where != ".":
        return open_storage(output), where
    # As it is named, then where its links lead: a link may be the folder `runs` itself, or lead to a run.
    paths = [where.rstrip("/")] if is_url(where) else [os.path.abspath(where), os.path.realpath(where)]
    split = [path.rpartition("/runs/") for path in paths]
    runs = [(output or "/", name) for output, slash, name in split if slash and name and "/" not in name]
    if not runs:
        raise ConfigError(f"{where} is not a run: a run's folder is <output>/runs/<name>")
    begun = (run for run in runs if os.path.exists("{}/runs/{}/sweep.json".format(*run)))
    output, name = next(begun, runs[0])
    return open_storage(output), name


def run_names(storage: Storage) -> Iterator[str]:
    """Yield the names of the runs that have begun."""
    for name in storage.list("runs"):
        if len(parts := name.split("/")) == 3 and parts[2] == "sweep.json":
            yield parts[1]


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
