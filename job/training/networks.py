"""An architecture as a plain Keras model, and as its replicated twin, which trains many starts at once."""

import functools
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from job.settings.grid import Architecture

Weights = list[NDArray[np.float32]]
"""Kernel and bias of each layer in turn, as `keras.Model.get_weights` orders them."""


def plain_model(architecture: Architecture, seed: int | None = None) -> keras.Sequential:
    """Return the network as anyone would write it: a compiled `Sequential` of `Dense` layers, ready for `fit`.

    Args:
        architecture: the network and how it is trained.
        seed: draws the initial weights of the replicate with this seed; None draws any weights.

    Each layer draws its kernel from Keras's default initialiser (Glorot uniform; the biases are 0), all from one
    `keras.random.SeedGenerator`, which gives each layer the next draw:
    https://keras.io/api/random/seed_generator/
    """
    generator = None if seed is None else keras.random.SeedGenerator(seed)
    *hidden, _ = itertools.pairwise(architecture.widths)
    model = keras.Sequential([keras.Input((architecture.widths[0],))])
    for number, _ in enumerate(hidden, start=1):
        model.add(_dense(architecture.neurons, architecture.activation, generator, f"hidden_{number}"))
    model.add(_dense(architecture.widths[-1], "sigmoid", generator, "output"))
    model.compile(
        loss=architecture.loss, optimizer=optimizer(architecture), metrics=[keras.metrics.BinaryAccuracy()]
    )
    return model


def _dense(
    units: int, activation: str | None, generator: keras.random.SeedGenerator | None, name: str
) -> keras.layers.Dense:
    initializer = keras.initializers.GlorotUniform(seed=generator)
    return keras.layers.Dense(units, activation=activation, kernel_initializer=initializer, name=name)


def optimizer(architecture: Architecture) -> keras.optimizers.Optimizer:
    """Return a new Keras optimizer with the architecture's learning rate, and Keras's defaults for the rest."""
    settings = {"learning_rate": architecture.learning_rate}
    return keras.optimizers.get({"class_name": architecture.optimizer, "config": settings})


class ReplicatedDense(keras.layers.Layer):
    """`Dense` for R replicates at once: the replicate is the last axis of the kernel, the bias and the values.

    With the replicates last, every operation runs over R neighbours in memory: the loop over inputs and units is
    scalar, and the loop over replicates is vectorised.
    """

    def __init__(self, units: int, activation: str | None) -> None:
        super().__init__()
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int, int, int]) -> None:
        """Make the kernel (inputs, units, R) and the bias (units, R) for values of (rows, inputs, R)."""
        _, inputs, replicates = input_shape
        self.kernel = self.add_weight(shape=(inputs, self.units, replicates), initializer="zeros")
        self.bias = self.add_weight(shape=(self.units, replicates), initializer="zeros")

    def call(self, values: Any) -> Any:
        """Map (rows, inputs, R) to (rows, units, R)."""
        return self.activation(_contract(values, self.kernel.value) + self.bias)


UNROLLED = 16
"""XLA's compiler unrolls a sum of up to 16 terms and then vectorises it over the replicates; a longer sum stays a
scalar loop, which is far slower. So longer sums are sums of sums."""


def _with_gradient(values: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """Multiply (rows, inputs, R) by (inputs, units, R), replicate by replicate, to (rows, units, R).

    The gradient is written out because its sum over the units needs the same care as the sum over the inputs.
    """
    rows, inputs, units = values[:, :, None, :], kernel.shape[0], kernel.shape[1]
    outputs = _sum_by_parts(lambda part: tf.reduce_sum(rows[:, part] * kernel[part], axis=1), inputs)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        wide = upstream[:, None, :, :]
        by_values = _sum_by_parts(lambda part: tf.reduce_sum(wide[:, :, part] * kernel[:, part], axis=2), units)
        by_kernel = tf.reduce_sum(rows * wide, axis=0)
        return by_values, by_kernel

    return outputs, gradient


_contract = tf.custom_gradient(_with_gradient)


def _sum_by_parts(partial_sum: Callable[[slice], tf.Tensor], terms: int) -> tf.Tensor:
    parts = [partial_sum(slice(start, min(start + UNROLLED, terms))) for start in range(0, terms, UNROLLED)]
    return functools.reduce(operator.add, parts)


def replicated_model(architecture: Architecture, rows: int, replicates: int) -> keras.Sequential:
    """Return R copies of the network as one model that maps (rows, inputs, R) to (rows, 1, R), weights 0."""
    model = keras.Sequential([keras.Input(batch_shape=(rows, architecture.widths[0], replicates))])
    for _ in range(architecture.layers):
        model.add(ReplicatedDense(architecture.neurons, architecture.activation))
    model.add(ReplicatedDense(architecture.widths[-1], "sigmoid"))
    return model


def initial_weights(architecture: Architecture, seeds: NDArray[np.int64]) -> Weights:
    """Draw the weights that `plain_model(architecture, seed)` starts from, for R seeds at once.

    Args:
        architecture: the network.
        seeds: (R,), each from 0 to `grid.SEED_SPAN` - 1.

    Returns:
        The weights of `replicated_model`: as the plain model's, with the replicate as last axis.
    """
    generator = keras.random.SeedGenerator(0)
    initializer = keras.initializers.GlorotUniform(seed=generator)
    shapes = list(itertools.pairwise(architecture.widths))

    def draw(all_seeds: tf.Tensor) -> list[tf.Tensor]:
        def one(seed: tf.Tensor) -> list[tf.Tensor]:
            generator.state.assign(tf.stack([seed, tf.zeros_like(seed)]))
            return [initializer(shape) for shape in shapes]

        kernels: list[tf.Tensor] = tf.map_fn(one, all_seeds, fn_output_signature=[tf.float32] * len(shapes))
        return kernels

    # On the CPU and not compiled by XLA, whose random numbers differ: the draws are then those of `plain_model`.
    with tf.device("CPU:0"):
        kernels = tf.function(draw)(tf.constant(seeds, generator.state.dtype))
    weights: Weights = []
    for kernel, (_, units) in zip(kernels, shapes, strict=True):
        weights += [np.moveaxis(kernel.numpy(), 0, -1), np.zeros((units, len(seeds)), "float32")]
    return weights


def as_plain_model(architecture: Architecture, weights: Weights) -> keras.Sequential:
    """Return one replicate as the plain model that users load; `weights` are its own."""
    model = plain_model(architecture)
    model.set_weights(weights)
    # Otherwise Keras warns when the model is loaded that its optimizer's variables are missing.
    model.optimizer.build(model.trainable_variables)
    return model


def outputs_of(
    architecture: Architecture, networks: Iterable[Weights], inputs: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Yield the outputs (N,) of one network after the other for (N, inputs)."""
    model = plain_model(architecture)
    for weights in networks:
        model.set_weights(weights)
        yield model(inputs).numpy()[:, 0]
