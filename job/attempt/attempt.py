"""One attempt at one trial: train its replicates, write what they did, commit the result."""

import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from job import logs
from job.attempt.choice import choose_replicate, worth_keeping
from job.attempt.files import write_history, write_networks, write_replicates
from job.attempt.log import AttemptLog
from job.attempt.model_card import CardReplicate, model_card
from job.attempt.tensorboard import write_events
from job.errors import StorageUnavailableError, TrialError
from job.runs.layout import CARD, EVENTS, MODEL
from job.runs.results import ChosenReplicate, Outcome, Seconds, StoredFile, Summary, TrialResult
from job.runs.run import Run
from job.settings.grid import Trial, replicate_seeds
from job.signals import StopRequest
from job.statistics.survival import EpochsToSolve, estimate_outcome
from job.statistics.verdict import outcome_words
from job.training.loop import Hooks, Progress, Training, train
from job.training.networks import as_plain_model
from job.wording import count_words, limit_words


def new_attempt() -> str:
    """Return a unique name for this attempt: the pod's uid in a pod, otherwise a random word."""
    return os.environ.get("XOR_SWEEP_POD_UID") or uuid.uuid4().hex


def run_trial(
    run: Run,
    trial: Trial,
    *,
    device: str,
    stop: StopRequest,
    sink: logs.Sink,
    start_seconds: float = 0.0,
    report: Callable[[Progress], None] = lambda _: None,
) -> TrialResult:
    """Train a trial and commit its result; if another attempt is done already, return its result.

    Args:
        run: the run, which has begun.
        trial: a trial of its grid.
        device: where TensorFlow was started, `cpu` or `gpu`.
        stop: asked after each segment whether to stop.
        sink: takes each log line; the lines are stored with the attempt, too.
        start_seconds: how long this process took to start TensorFlow, if this is its first trial.
        report: called after each segment of the training.

    Returns:
        The trial's result: this attempt's, or another's that finished first.

    Raises:
        TrialError: the trial can never succeed; the attempt's log is stored.
        InterruptedRunError: it was told to stop; the attempt's files so far are stored, and the trial is not done.
        DamagedResultError: another attempt finished first, and its result is damaged.
        StorageError, StorageUnavailableError: the result could not be stored.
    """
    log = AttemptLog(sink, trial.name)
    if run.is_finished(trial.name):
        result = run.result(trial.name)
        run.publish_events(result)
        log.say("its result already exists", result=result.summary.record())
        return result
    attempt = _Attempt(run, trial, new_attempt(), device, log)
    with tempfile.TemporaryDirectory(prefix="xor-sweep-") as folder:
        return attempt.execute(Path(folder), stop, report, start_seconds)


@dataclass(frozen=True)
class _Attempt:
    run: Run
    trial: Trial
    name: str
    device: str
    log: AttemptLog

    def execute(
        self, folder: Path, stop: StopRequest, report: Callable[[Progress], None], start_seconds: float
    ) -> TrialResult:
        """Train, write all files into a local folder, store them, and commit the result."""
        started = time.monotonic()
        self._say_begin()
        training = self._train(folder, stop, report)
        chosen = choose_replicate(self.run.settings.problem, training)
        numbers = estimate_outcome(EpochsToSolve(training.epochs, training.solved))
        with _local_errors(folder):
            write_replicates(folder, training)
            # A process that was told to stop has seconds left, too few for the curves of a long training.
            if not training.stopped:
                self._write_details(folder, training, chosen, numbers)
        if training.stopped:
            self.log.say("stopped early; the attempt's files so far are stored", severity="WARNING")
            self._store(folder)
            raise stop.error()
        summary = _summary(training, numbers, chosen, self.device, _seconds(training, start_seconds, started))
        words = outcome_words(numbers, self.run.settings.epochs, self.run.settings.problem.title)
        self.log.say(words, result=summary.record())
        return self._commit(folder, summary)

    def _say_begin(self) -> None:
        settings = self.run.settings
        self.log.say(
            f"training {count_words(settings.replicates, 'replicate')} for at most {limit_words(settings.epochs)} "
            f"on the {self.device}",
            run=self.run.name,
            attempt=self.name,
            architecture=asdict(self.trial.architecture),
        )

    def _train(self, folder: Path, stop: StopRequest, report: Callable[[Progress], None]) -> Training:
        settings = self.run.settings

        def each_segment(progress: Progress) -> None:
            self.log.say_progress(progress)
            report(progress)

        try:
            return train(
                settings.problem,
                self.trial.architecture,
                replicate_seeds(settings, self.trial.architecture),
                settings.epochs,
                keep_training=settings.keep_training,
                hooks=Hooks(each_segment, stop, worth_keeping(settings.problem)),
            )
        except TrialError as error:
            self.log.say(str(error), severity="ERROR", exit_code=error.exit_code)
            self._store(folder)
            raise

    def _write_details(self, folder: Path, training: Training, chosen: int, numbers: Outcome) -> None:
        run, trial, settings = self.run, self.trial, self.run.settings
        history = write_history(folder, training, chosen)
        seconds = training.compile_seconds + training.train_seconds
        write_events(folder / EVENTS, run.name, settings, trial, history, numbers, seconds)
        write_networks(folder, settings.problem, training, trial.architecture, chosen)
        as_plain_model(trial.architecture, training.weights[chosen]).save(folder / MODEL)
        replicate = CardReplicate(_chosen_replicate(training, chosen), training.predictions[:, chosen])
        words = outcome_words(numbers, settings.epochs, settings.problem.title)
        (folder / CARD).write_text(model_card(run.name, settings, trial, replicate, words), encoding="utf-8")

    def _commit(self, folder: Path, summary: Summary) -> TrialResult:
        files = self._store(folder)
        return self.run.commit(
            TrialResult(
                trial=self.trial.name,
                index=self.trial.index,
                attempt=self.name,
                config_hash=self.run.settings.hash,
                summary=summary,
                files=files,
            )
        )

    def _store(self, folder: Path) -> tuple[StoredFile, ...]:
        """Store all files of the local folder, and the log so far, as the attempt's."""
        with _local_errors(folder):
            self.log.write(folder)
        return self.run.save_attempt(self.trial.name, self.name, folder)


@contextmanager
def _local_errors(folder: Path) -> Iterator[None]:
    """Report where a local file could not be written, since the output itself is not full.

    Raises:
        StorageUnavailableError: instead of an OSError; another machine may have room.
    """
    try:
        yield
    except OSError as error:
        reason = f"cannot write a trial's files into {folder.parent}: {error.strerror or error}"
        raise StorageUnavailableError(f"{reason}; make room there, or name another folder in TMPDIR") from error


def _summary(training: Training, numbers: Outcome, chosen: int, device: str, seconds: Seconds) -> Summary:
    return Summary(
        outcome=numbers,
        replicate_epochs=training.replicate_epochs,
        chosen=_chosen_replicate(training, chosen),
        device=device,
        seconds=seconds,
    )


def _chosen_replicate(training: Training, chosen: int) -> ChosenReplicate:
    return ChosenReplicate(
        seed=int(training.seeds[chosen]),
        epochs_to_solve=int(training.epochs[chosen]) if training.solved[chosen] else None,
        epochs_trained=int(training.trained[chosen]),
    )


def _seconds(training: Training, start: float, started: float) -> Seconds:
    """Return how long each part took, given the attempt's monotonic start time."""
    spent = time.monotonic() - started
    trained = training.compile_seconds + training.train_seconds
    return Seconds(
        start=start, compile=training.compile_seconds, train=training.train_seconds, other=spent - trained
    )
