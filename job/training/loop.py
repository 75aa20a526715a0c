"""The vectorised training loop: every replicate of a trial in one program.

The loss is summed over the replicates, never averaged: the gradient of each weight is then its own
replicate's gradient, and an element-wise optimizer treats each replicate as if it were alone. So replicate k
goes through the same epochs as `keras.Model.fit` on the plain model with the same initial weights.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from job.errors import TrialError
from job.problems import THRESHOLD, Problem
from job.settings.grid import Architecture
from job.training.networks import Weights, initial_weights, optimizer, replicated_model

BLOCK = 256
"""The most replicates of one program: 64 to 512 train about equally fast; more of them wait for memory."""

BLOCK_NUMBERS = 2**24
"""The most weights of one block (16 million, 64 MiB): a larger network trains in smaller blocks."""

LANES = 16
"""Blocks are filled up to a multiple of 16, the floats in one AVX-512 register, so that each replicate goes
through the same instructions, and so the same rounding, whichever block it is in."""

SEGMENT = 100
"""The most epochs between two calls of the hooks: to report progress, and to ask whether to stop."""

SEGMENT_SECONDS = 0.5
"""A segment has fewer epochs if that many would take longer than this."""


@dataclass(frozen=True)
class Training:
    """The outcome of training R replicates for up to E epochs; epochs count from 1.

    Loss and accuracy are those that `fit`'s History shows: of the weights before the epoch's update.
    """

    seeds: NDArray[np.int64]
    """(R,) the seed of each replicate's initial weights."""
    epochs: NDArray[np.int64]
    """(R,) the first epoch at 100% accuracy, or the last epoch trained if it was never reached."""
    solved: NDArray[np.bool_]
    """(R,) whether 100% accuracy was reached; if not, `epochs` is censored."""
    trained: NDArray[np.int64]
    """(R,) how many epochs each replicate was trained."""
    loss: NDArray[np.float32]
    """(E, R) loss in each epoch; after a replicate's last epoch, the last one again."""
    accuracy: NDArray[np.float32]
    """(E, R) binary accuracy in each epoch, from 0 to 1; after a replicate's last epoch, the last one again."""
    weights: Mapping[int, Weights]
    """The weights after the last update of each replicate that was kept, by its position."""
    predictions: NDArray[np.float32]
    """(rows, R) what the network with these weights answers in the problem's rows."""
    compile_seconds: float
    """Seconds until the end of each block's first epoch: tracing and compilation."""
    train_seconds: float
    """Seconds in all other epochs."""
    stopped: bool
    """Whether it was stopped early on request."""

    @property
    def replicate_epochs(self) -> int:
        """How many epochs were trained, summed over the replicates."""
        return int(self.trained.sum())


Keep = Callable[[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]], Iterable[int]]
"""Chooses the replicates of a block of R whose weights are kept, by their positions, from what they predict in the
problem's rows (rows, R), their last loss (R,) and whether they were solved (R,)."""


@dataclass(frozen=True)
class Progress:
    """How far the training has come; all numbers are about the replicates of the running block."""

    block: int
    """The running block, from 1."""
    blocks: int
    """How many blocks there are; they are trained one after another."""
    epoch: int
    """The last epoch trained."""
    accuracy: NDArray[np.float32]
    """(epochs since the last report,) accuracy in each, averaged over the block's replicates."""
    loss: NDArray[np.float32]
    """(epochs since the last report,) loss in each, averaged over the block's replicates."""
    solved: NDArray[np.int64]
    """(epochs since the last report,) how many of the block's replicates had solved by then."""
    replicates: int
    """How many replicates the block has."""

    @property
    def replicate_epochs(self) -> int:
        """How many epochs were trained since the last report, summed over the replicates."""
        return self.replicates * len(self.accuracy)


@dataclass(frozen=True)
class Hooks:
    """What the training calls as it goes on."""

    report: Callable[[Progress], None] = lambda _: None
    """Called after each segment of at most 100 epochs."""
    should_stop: Callable[[], bool] = lambda: False
    """Asked after each segment; True ends the training there."""
    keep: Keep = lambda _, loss, __: range(len(loss))
    """Chooses the replicates whose final weights are returned; by default, all."""


def train(
    problem: Problem,
    architecture: Architecture,
    seeds: Sequence[int],
    epochs: int,
    *,
    keep_training: bool = False,
    hooks: Hooks = Hooks(),
    block: int = BLOCK,
) -> Training:
    """Train an architecture from many initial weights at once, on all rows of a problem as one batch.

    Args:
        problem: what is learned.
        architecture: the network and how it is trained.
        seeds: R seeds of initial weights, each from 0 to `grid.SEED_SPAN` - 1.
        epochs: the epoch limit, at least 1.
        keep_training: go on to the limit even after all replicates of a block are solved.
        hooks: what to call as the training goes on.
        block: the most replicates to train in one program.

    Returns:
        Each replicate's epochs to solve, curves, and final weights if it was kept.

    Raises:
        TrialError: the numbers of every replicate stopped being finite.
    """
    size = _block_size(architecture, len(seeds), block)
    program = _Program(problem, architecture, size, -(-len(seeds) // size), epochs, keep_training)
    parts = []
    for start in range(0, len(seeds), size):
        parts.append(program.train(np.array(seeds[start : start + size], "int64"), hooks))
        if parts[-1].stopped:
            break
    training = _joined(parts)
    if not np.isfinite(training.loss[-1]).any():
        raise TrialError(
            "the loss of every replicate is no longer a finite number; a smaller learning rate than "
            f"{architecture.learning_rate:g} may help"
        )
    return training


def _block_size(architecture: Architecture, replicates: int, most: int) -> int:
    fits = max(1, BLOCK_NUMBERS // architecture.weights)
    size = min(most, fits, replicates)
    filled = -(-size // LANES) * LANES
    return filled if filled <= fits else size


@dataclass(frozen=True)
class _Clock:
    """When a block started, when its first epoch ended, and when its last one did, in seconds."""

    started: float
    compiled: float
    ended: float


class _Program:
    """One compiled program that trains block after block of the same size."""

    def __init__(
        self,
        problem: Problem,
        architecture: Architecture,
        size: int,
        blocks: int,
        limit: int,
        keep_training: bool,
    ) -> None:
        self.architecture = architecture
        self.size = size
        self.blocks = blocks
        self.limit = limit
        self.keep_training = keep_training
        self.block = 0
        self.model = replicated_model(architecture, len(problem.rows), size)
        self.optimizer = optimizer(architecture)
        self.optimizer.build(self.model.trainable_variables)
        self.fresh_optimizer = [variable.numpy() for variable in self.optimizer.variables]
        self.features = tf.constant(np.repeat(problem.features[:, :, None], size, axis=2))
        self.targets = tf.constant(np.repeat(problem.targets[:, :, None], size, axis=2))
        self.run_segment = tf.function(self._segment, jit_compile=True)

    def train(self, seeds: NDArray[np.int64], hooks: Hooks) -> Training:
        """Train one block from these seeds; if there are too few, the block is padded with copies."""
        self.block += 1
        self._start_from(np.resize(seeds, self.size))
        loss: list[NDArray[np.float32]] = []
        accuracy: list[NDArray[np.float32]] = []
        solved = np.zeros((1, len(seeds)), bool)
        epochs = 0
        stopped = False
        started = time.monotonic()
        compiled = started
        for segment_loss, segment_accuracy in self._segments(len(seeds)):
            if not loss:
                compiled = time.monotonic()
            solved = solved[-1] | np.logical_or.accumulate(segment_accuracy == 1)
            hooks.report(self._progress(epochs, solved, segment_loss, segment_accuracy))
            epochs += len(segment_loss)
            loss.append(segment_loss)
            accuracy.append(segment_accuracy)
            if hooks.should_stop():
                stopped = True
                break
        clock = _Clock(started, compiled, time.monotonic())
        return self._result(seeds, np.concatenate(loss), np.concatenate(accuracy), hooks.keep, clock, stopped)

    def _progress(
        self,
        epochs_before: int,
        solved: NDArray[np.bool_],
        loss: NDArray[np.float32],
        accuracy: NDArray[np.float32],
    ) -> Progress:
        """Return the report of a segment; the arrays are (epochs, replicates), `solved` by each epoch."""
        return Progress(
            block=self.block,
            blocks=self.blocks,
            epoch=epochs_before + len(loss),
            accuracy=accuracy.mean(axis=1),
            loss=loss.mean(axis=1),
            solved=solved.sum(axis=1),
            replicates=loss.shape[1],
        )

    def _start_from(self, seeds: NDArray[np.int64]) -> None:
        self.model.set_weights(initial_weights(self.architecture, seeds))
        for variable, value in zip(self.optimizer.variables, self.fresh_optimizer, strict=True):
            variable.assign(value)

    def _segments(self, replicates: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Yield loss and accuracy, (epochs, replicates) each, segment by segment until the block is done."""
        solved = tf.zeros(self.size, tf.bool)
        epoch, steps = 0, 1
        while epoch < self.limit and (self.keep_training or not np.all(solved)):
            started = time.monotonic()
            done, solved, loss, accuracy = self.run_segment(tf.constant(min(steps, self.limit - epoch)), solved)
            yield loss.numpy()[:done, :replicates], accuracy.numpy()[:done, :replicates]
            seconds = time.monotonic() - started
            # The first segment is one epoch: its time is mostly the compiler's, and says nothing about the next.
            steps = _next_steps(steps, seconds) if epoch else 10
            epoch += int(done)

    def _segment(self, steps: tf.Tensor, solved: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Train up to `steps` epochs, or until all replicates have solved: the loop itself, compiled by XLA."""

        def goes_on(epoch: tf.Tensor, solved: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
            return (epoch < steps) & (self.keep_training | ~tf.reduce_all(solved))

        def one_epoch(
            epoch: tf.Tensor, solved: tf.Tensor, losses: tf.Tensor, accuracies: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            with tf.GradientTape() as tape:
                outputs = self.model(self.features, training=True)
                loss = tf.reduce_mean(_LOSSES[self.architecture.loss](self.targets, outputs), axis=(0, 1))
                total = tf.reduce_sum(loss)
            weights = self.model.trainable_variables
            self.optimizer.apply(tape.gradient(total, [weight.value for weight in weights]), weights)
            right = tf.equal(outputs > THRESHOLD, self.targets > THRESHOLD)
            accuracy = tf.reduce_mean(tf.cast(right, tf.float32), axis=(0, 1))
            losses = tf.tensor_scatter_nd_update(losses, [[epoch]], [loss])
            accuracies = tf.tensor_scatter_nd_update(accuracies, [[epoch]], [accuracy])
            return epoch + 1, solved | (accuracy == 1), losses, accuracies

        curves = tf.zeros((SEGMENT, self.size))
        result: tuple[tf.Tensor, ...] = tf.while_loop(goes_on, one_epoch, (0, solved, curves, curves))
        return result

    def _result(
        self,
        seeds: NDArray[np.int64],
        loss: NDArray[np.float32],
        accuracy: NDArray[np.float32],
        keep: Keep,
        clock: "_Clock",
        stopped: bool,
    ) -> Training:
        count = len(seeds)
        solved = (accuracy == 1).any(axis=0)
        epochs = np.where(solved, (accuracy == 1).argmax(axis=0) + 1, len(accuracy))
        predictions = self.model(self.features).numpy()[:, 0, :count]
        return Training(
            seeds=seeds,
            epochs=epochs,
            solved=solved,
            trained=np.full(count, len(loss)),
            loss=loss,
            accuracy=accuracy,
            weights=self._weights(keep(predictions, loss[-1], solved)),
            predictions=predictions,
            compile_seconds=clock.compiled - clock.started,
            train_seconds=clock.ended - clock.compiled,
            stopped=stopped,
        )

    def _weights(self, kept: Iterable[int]) -> dict[int, Weights]:
        all_weights = self.model.get_weights()
        return {at: [weight[..., at].copy() for weight in all_weights] for at in kept}


# `keras.losses` average over the last axis, which here is the replicates: these are the losses before that.
_LOSSES: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "binary_crossentropy": keras.ops.binary_crossentropy,
    "mean_squared_error": lambda targets, outputs: keras.ops.square(targets - outputs),
}


def _next_steps(steps: int, seconds: float) -> int:
    return max(1, min(SEGMENT, int(steps * SEGMENT_SECONDS / max(seconds, 1e-6))))


def _joined(parts: list[Training]) -> Training:
    if len(parts) == 1:
        return parts[0]
    longest = max(len(part.loss) for part in parts)
    starts = [0, *itertools.accumulate(len(part.seeds) for part in parts)]

    def curves(name: str) -> NDArray[np.float32]:
        columns = [getattr(part, name) for part in parts]
        return np.hstack([np.pad(column, ((0, longest - len(column)), (0, 0)), "edge") for column in columns])

    def values(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)

    return Training(
        **{name: values(name) for name in ("seeds", "epochs", "solved", "trained", "predictions")},  # type: ignore[arg-type]
        loss=curves("loss"),
        accuracy=curves("accuracy"),
        weights={
            start + at: weights
            for start, part in zip(starts, parts, strict=False)
            for at, weights in part.weights.items()
        },
        compile_seconds=sum(part.compile_seconds for part in parts),
        train_seconds=sum(part.train_seconds for part in parts),
        stopped=parts[-1].stopped,
    )
