"""The vectorised loop against `keras.Model.fit`: replicate by replicate, epoch by epoch."""

import numpy as np
import pytest

from job.training.devices import start_tensorflow

start_tensorflow("cpu")

import keras
import tensorflow as tf

from job.attempt.choice import choose_replicate, worth_keeping
from job.errors import TrialError
from job.problems import problem_of
from job.runs.snapshots import unsolved_patterns
from job.settings.axes import ACTIVATIONS, LEARNING_RATES, LOSSES
from job.settings.grid import Architecture
from job.training.loop import Hooks, train
from job.training.networks import as_plain_model, initial_weights, plain_model

EPOCHS = 100
XOR = problem_of("xor")


def fit(architecture, seed, epochs, problem=XOR):
    """Train the plain model as anyone would; return loss and accuracy per epoch."""
    model = plain_model(architecture, seed)
    batch = tf.data.Dataset.from_tensors(
        (problem.features, problem.targets)
    )  # The four rows as one batch: half the time of arrays.
    history = model.fit(batch, epochs=epochs, shuffle=False, verbose=0).history
    return np.array(history["loss"]), np.array(history["binary_accuracy"])


def first_solved(accuracy):
    return int(np.argmax(accuracy == 1)) + 1 if (accuracy == 1).any() else None


def assert_equal_to_fit(architecture, training, position, problem=XOR):
    loss, accuracy = fit(architecture, int(training.seeds[position]), len(training.loss), problem)
    np.testing.assert_allclose(training.loss[:, position], loss, rtol=1e-5)
    solved = int(training.epochs[position]) if training.solved[position] else None
    assert solved == first_solved(accuracy)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("layers", "neurons"), [(1, 16), (2, 8), (3, 18)])
def test_each_replicate_goes_through_the_epochs_of_fit(layers, neurons, loss, optimizer):
    rate = {"adam": 0.01, "rmsprop": 0.001, "sgd": 0.1}[optimizer]
    architecture = Architecture(layers, neurons, loss=loss, optimizer=optimizer, learning_rate=rate)
    training = train(XOR, architecture, range(40, 60), EPOCHS, keep_training=True)
    assert training.solved.any()
    assert_equal_to_fit(architecture, training, 17)


@pytest.mark.parametrize("data", ["parity:3", "parity:8"])
def test_each_replicate_learns_another_problem_as_fit_does(data):
    problem = problem_of(data)
    architecture = Architecture(2, 8, learning_rate=0.01, inputs=len(problem.inputs))
    training = train(problem, architecture, range(40, 60), EPOCHS, keep_training=True)
    assert training.predictions.shape == (len(problem.rows), 20)
    assert_equal_to_fit(architecture, training, 17, problem)


@pytest.mark.parametrize("data", ["xor", "parity:3"])
def test_without_a_hidden_layer_it_is_trained_as_fit_does_and_never_solves_parity(data):
    problem = problem_of(data)
    architecture = Architecture(0, 0, None, learning_rate=0.05, inputs=len(problem.inputs))
    assert architecture.widths == (len(problem.inputs), 1)
    training = train(problem, architecture, range(32), 300)
    assert not training.solved.any()
    assert_equal_to_fit(architecture, training, 17, problem)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_trained_as_fit_does(activation):
    architecture = Architecture(2, 5, activation=activation, learning_rate=0.01)
    assert_equal_to_fit(architecture, train(XOR, architecture, [11, 12], 30, keep_training=True), 1)


@pytest.mark.parametrize(("optimizer", "rate"), LEARNING_RATES.items())
def test_every_optimizer_is_trained_as_fit_does_with_keras_own_default_rate(optimizer, rate):
    assert float(keras.optimizers.get(optimizer).learning_rate) == pytest.approx(rate)
    architecture = Architecture(1, 6, optimizer=optimizer, learning_rate=rate)
    assert_equal_to_fit(architecture, train(XOR, architecture, [5, 6], 30, keep_training=True), 1)


def test_initial_weights_are_those_of_the_plain_model_with_the_replicates_seed():
    architecture = Architecture(3, 7)
    seeds = np.array([0, 1, 99, 2**31 - 3])
    weights = initial_weights(architecture, seeds)
    for position, seed in enumerate(seeds.tolist()):
        for ours, plain in zip(weights, plain_model(architecture, seed).get_weights(), strict=True):
            np.testing.assert_array_equal(ours[..., position], plain)


def test_a_replicate_trains_the_same_in_any_block():
    architecture = Architecture(2, 6, learning_rate=0.01)
    whole = train(XOR, architecture, range(100), 150)
    for block in (16, 37):
        parts = train(XOR, architecture, range(100), 150, block=block)
        np.testing.assert_array_equal(parts.solved, whole.solved)
        np.testing.assert_array_equal(parts.epochs[parts.solved], whole.epochs[whole.solved])
        for position in range(100):
            both = min(parts.trained[position], whole.trained[position])
            np.testing.assert_array_equal(parts.loss[:both, position], whole.loss[:both, position])


def test_one_seed_alone_replays_its_replicate_exactly():
    architecture = Architecture(2, 16)
    whole = train(XOR, architecture, range(1000, 1040), 200)
    alone = train(XOR, architecture, [1007], 200)
    np.testing.assert_array_equal(alone.loss[:, 0], whole.loss[: len(alone.loss), 7])
    assert alone.solved[0] == whole.solved[7]
    if alone.solved[0]:
        assert alone.epochs[0] == whole.epochs[7]


def test_training_stops_in_the_epoch_in_which_the_last_replicate_is_solved():
    training = train(XOR, Architecture(1, 32, learning_rate=0.02), range(20), 2000)
    assert training.solved.all()
    assert len(training.loss) == training.epochs.max() < 2000


def test_keep_training_goes_on_to_the_limit_and_changes_no_epochs_to_solve():
    architecture = Architecture(1, 32, learning_rate=0.02)
    stopped, kept = (
        train(XOR, architecture, range(20), 600),
        train(XOR, architecture, range(20), 600, keep_training=True),
    )
    assert len(kept.loss) == 600
    np.testing.assert_array_equal(stopped.epochs, kept.epochs)


def test_a_replicate_that_does_not_get_there_is_censored_at_the_limit():
    training = train(XOR, Architecture(1, 2), range(50), 40)
    assert not training.solved.all()
    assert (training.epochs[~training.solved] == 40).all()
    assert not (training.accuracy[:, ~training.solved] == 1).any()


def test_the_model_that_is_kept_predicts_as_the_replicate_does():
    architecture = Architecture(2, 8, learning_rate=0.01)
    training = train(XOR, architecture, range(16), 300)
    model = as_plain_model(architecture, training.weights[5])
    np.testing.assert_allclose(model.predict(XOR.features, verbose=0)[:, 0], training.predictions[:, 5], rtol=1e-5)


def test_of_all_blocks_the_weights_of_those_that_will_be_shown_are_kept_and_of_few_others():
    architecture = Architecture(1, 2, learning_rate=0.02)
    everything = train(XOR, architecture, range(96), 200, block=32)
    training = train(XOR, architecture, range(96), 200, block=32, hooks=Hooks(keep=worth_keeping(XOR)))
    assert list(everything.weights) == [*range(96)]
    unsolved = [position for position, _ in unsolved_patterns(training.predictions, training.solved)]
    assert {choose_replicate(XOR, training), *unsolved} <= set(training.weights)
    assert len(unsolved) > 1
    assert len(training.weights) <= 3 * (1 + 16)
    for at, weights in training.weights.items():
        for one, other in zip(weights, everything.weights[at], strict=True):
            np.testing.assert_array_equal(one, other)


def test_numbers_that_are_not_finite_in_any_replicate_are_a_trial_that_cannot_succeed():
    architecture = Architecture(3, 8, "linear", "binary_crossentropy", "sgd", learning_rate=1000.0)
    with pytest.raises(TrialError, match="smaller learning rate"):
        train(XOR, architecture, range(8), 200)


def test_it_stops_between_two_segments_when_told_to():
    seen = []
    training = train(XOR, Architecture(1, 2), range(16), 10_000, hooks=Hooks(seen.append, lambda: len(seen) == 3))
    assert training.stopped
    assert len(training.loss) == seen[-1].epoch < 10_000


def test_the_report_counts_every_replicate_epoch_once():
    seen = []
    training = train(XOR, Architecture(1, 2), range(40), 250, hooks=Hooks(seen.append), block=16)
    assert sum(progress.replicate_epochs for progress in seen) == training.replicate_epochs
