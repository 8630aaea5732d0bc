"""The plain network of several seeds, stacked: one variable has all their parameters, a row for each seed.

The network is the plain one, mapped over the rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from samestep.experiment import controls
from samestep.experiment.plan import Plan
from samestep.experiment.programs import engines
from tf_impl import model, training


class Stacked:
    """The networks, and the one optimizer that updates them all.

    parameters : shape (seeds, parameters of a network).
    """

    def __init__(self, plan: Plan, seeds: int) -> None:
        self.x, self.y = training.data(plan)
        self.number, self.precision, self.clock = seeds, plan.precision, plan.clock
        self.network = model.build(plan, 0, self.x.shape[1])
        self.shapes = [tuple(each.shape) for each in self.network.trainable_variables]
        self.sizes = [math.prod(shape) for shape in self.shapes]
        self.parameters = keras.Variable(np.zeros((seeds, sum(self.sizes)), plan.precision))
        self.told = _Told()
        self.optimizer = training.optimizer(plan, self.told)
        self.optimizer.build([self.parameters])
        self.fresh = [each.numpy() for each in self.optimizer.variables]
        self.eval_inputs = training.nothing_dropped(plan, self.x)
        self.together = engines.together(len(self.x), plan.network.hidden)
        self.kept = controls.kept(plan)
        # a sum with these is the mean over the rows of a batch; rows that only fill the last batch up have none
        sizes = self.clock.batch_sizes[:, np.newaxis]
        self.weights = ((np.arange(self.clock.batch_size) < sizes) / sizes).astype(plan.precision)
        self.summed = keras.losses.MeanSquaredError(reduction="sum")
        self.mean = keras.losses.MeanSquaredError()
        self.used: Any = None
        self.optimizer.update_step = self._noting(self.optimizer.update_step)
        self.traced: Any = None

    def begin(self, plan: Plan, seeds: Sequence[int]) -> None:
        """Back to the start of a training, with the weights of these seeds."""
        self.parameters.assign(np.stack([self._start(plan, seed) for seed in seeds]))
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)

    def _start(self, plan: Plan, seed: int) -> np.ndarray:
        features = self.x.shape[1]
        if plan.controls.weights == plan.controls.masks == "shared":
            arrays = [each for layer in controls.weights(plan, seed, features) for each in layer]
        else:
            fresh = model.build(plan, seed, features)
            arrays = [each.numpy() for each in fresh.trainable_variables]
            for variable, value in zip(self._states, fresh.non_trainable_variables, strict=True):
                variable.assign(value)
        return np.concatenate([each.ravel() for each in arrays])

    @property
    def _states(self) -> list[Any]:
        """Where the generators of Keras' Dropout are."""
        return list(self.network.non_trainable_variables)

    def train(self, count: Any, rates: Any, *rows: Any) -> dict[str, Any]:
        """Train `count` epochs.

        rates : float64, shape (epochs, steps per epoch).
        rows : y, x, and where each layer's units are kept; each of shape (epochs, seeds, rows, ...).
        Returns `lr` of shape (updates,), `loss` of shape (updates, seeds), and `parameters` after each epoch, of shape
        (epochs, seeds, parameters of a network).
        """
        epochs, steps = rates.shape
        arrays = (
            tf.TensorArray(tf.float64, epochs * steps, element_shape=()),
            tf.TensorArray(self.precision, epochs * steps, element_shape=(self.number,)),
            tf.TensorArray(self.precision, epochs, element_shape=self.parameters.shape),
        )

        def one_epoch(epoch: Any, lr: Any, loss: Any, parameters: Any) -> tuple[Any, ...]:
            here = [each[epoch] for each in rows]

            def one_batch(batch: Any, lr: Any, loss: Any) -> tuple[Any, ...]:
                step = epoch * steps + batch
                used, losses = self._update(rates[epoch, batch], batch, here)
                return batch + 1, lr.write(step, used), loss.write(step, losses)

            _, lr, loss = tf.while_loop(lambda batch, *_: batch < steps, one_batch, (0, lr, loss))
            return epoch + 1, lr, loss, parameters.write(epoch, tf.convert_to_tensor(self.parameters))

        _, *arrays = tf.while_loop(lambda epoch, *_: epoch < tf.cast(count, tf.int32), one_epoch, (0, *arrays))
        return {name: each.stack() for name, each in zip(("lr", "loss", "parameters"), arrays, strict=True)}

    def _update(self, rate: Any, batch: Any, rows: Sequence[Any]) -> tuple[Any, Any]:
        """One update of all seeds. Returns the rate that was used and the loss of each seed."""
        size = self.clock.batch_size
        y, x, *kept = (tf.slice(each, [0, batch * size, 0], [self.number, size, each.shape[-1]]) for each in rows)
        masks = [tf.cast(each, self.precision) * self.kept for each in kept]
        weights = tf.constant(self.weights)[batch]
        states = [] if self.number > 1 else self._states

        def of_one(given: Sequence[Any]) -> tuple[Any, Any, Any]:
            values, targets, *inputs = given
            with tf.GradientTape() as tape:
                tape.watch(values)
                outputs, after = self._call(values, inputs, training=True)
                loss = self.summed(targets, outputs, sample_weight=weights)
            return loss, tape.gradient(loss, values), after

        values = self._values(tf.convert_to_tensor(self.parameters))
        losses, gradients, after = _each(of_one, [values, y, x, *masks])
        for variable, value in zip(states, after, strict=True):
            variable.assign(value[0])
        self.told.rate = rate
        flat = tf.concat([tf.reshape(each, (self.number, -1)) for each in gradients], axis=1)
        self.optimizer.apply([flat], [self.parameters])
        return tf.cast(self.used, tf.float64), losses

    def evaluate(self, parameters: Any) -> Any:
        """The loss on all data, with nothing dropped, of networks as they were.

        parameters : shape (networks, parameters of a network), always as many networks. Returns shape (networks,).
        """
        if self.traced is None:
            like = tf.TensorSpec(parameters.shape, parameters.dtype)
            self.traced = tf.function(self._evaluated, autograph=False).get_concrete_function(like)
        return self.traced(parameters)

    def _evaluated(self, parameters: Any) -> Any:
        number = parameters.shape[0]
        some = min(self.together, number)
        begins = [min(begin, number - some) for begin in range(0, number, some)]  # the last ones may be looked at twice

        def of_one(values: Sequence[Any]) -> Any:
            outputs, _ = self._call(values, self.eval_inputs, training=False)
            return self.mean(self.y, outputs)

        def part(place: Any, losses: Any) -> tuple[Any, Any]:
            begin = tf.constant(begins)[place]
            values = self._values(tf.slice(parameters, [begin, 0], [some, parameters.shape[1]]))
            return place + 1, losses.write(place, _each(of_one, values))

        losses = tf.TensorArray(self.precision, len(begins), element_shape=(some,))
        _, losses = tf.while_loop(lambda place, _: place < len(begins), part, (0, losses))
        told = losses.stack()
        return tf.concat([tf.reshape(told[:-1], (-1,)), told[-1, len(begins) * some - number :]], axis=0)

    def _values(self, parameters: Any) -> list[Any]:
        """Rows of parameters in the shapes of the network's variables: each of shape (rows, ...)."""
        parts = tf.split(parameters, self.sizes, axis=1)
        return [tf.reshape(part, (-1, *shape)) for part, shape in zip(parts, self.shapes, strict=True)]

    def _call(self, values: Sequence[Any], inputs: Sequence[Any], training: bool) -> Any:
        """The plain network with the parameters of one seed."""
        return self.network.stateless_call(values, self._states, list(inputs), training=training)

    def _noting(self, update_step: Callable[..., None]) -> Callable[..., None]:
        def noting(gradient: Any, variable: Any, learning_rate: Any) -> None:
            self.used = learning_rate
            update_step(gradient, variable, learning_rate)

        return noting


class _Told(keras.optimizers.schedules.LearningRateSchedule):
    """The rate that the optimizer uses next, as the arm's own schedule gave it."""

    rate: Any = None

    def __call__(self, step: Any) -> Any:
        """The rate: float64."""
        return self.rate


def _each(of_one: Callable[[Sequence[Any]], Any], stacked: Sequence[Any]) -> Any:
    """What a function of one network gives for each."""
    if tf.nest.flatten(stacked)[0].shape[0] > 1:
        return tf.vectorized_map(of_one, stacked, fallback_to_while_loop=False)
    first = tf.nest.map_structure(lambda each: each[0], stacked)
    return tf.nest.map_structure(lambda each: each[tf.newaxis], of_one(first))
