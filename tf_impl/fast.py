"""The training of `training`, in less time: whole epochs of updates in one call, and many seeds side by side.

Keras' `fit` runs a `train_step` that makes all the updates of several epochs. The network is the plain one, mapped over
the seeds; its parameters lie in one variable, with a row for each seed, which one optimizer of Keras updates.

The rates come from the arm's own schedule, asked update by update in a compiled graph, as in the plain training, and
not within XLA: that divides by multiplying with a rounded reciprocal, which bends smooth schedules and may change the
rate of a staircase at another step. Nor all updates at once: arrays are rounded otherwise than single numbers.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from experiment import controls, engines
from experiment.engines import Engine, Trained
from experiment.plan import Arm, Plan
from tf_impl import model, schedules, training

_BYTES_PER_CALL = 2**24
"""What one call of `train_step` is given at most, where an epoch is not more."""

_LONG = 14_000
"""Updates of all arms, which share what is compiled, from which on XLA is the quicker way.

Measured on the default plan: 0.5 s more to compile, 30 to 40 µs less for each update, be it of one seed or of 100."""

_AHEAD = 4
"""Calls that are drawn ahead of the one that trains."""

_KNOWN = 2**15
"""Updates whose rates are asked in one call, ahead of the calls that train."""

_ASKED = 4
"""Updates whose rates are asked in one turn of a loop: a turn costs TensorFlow more than a look-up."""


def bytes_per_seed(plan: Plan) -> int:
    """What training one more seed side by side with others takes, in bytes of `free_memory`.

    Parameters, gradients, moments; what the calls under way and drawn ahead are given; what an epoch's rows leave
    between layers; the trace.
    """
    clock, hidden, number = plan.clock, plan.network.hidden, np.dtype(plan.precision).itemsize
    features = training.data(plan)[0].shape[1] if len(plan.seeds) > 1 else 1
    parameters = plan.network.parameters(features)
    given = clock.samples * (number * (features + 1) + (sum(hidden) if plan.controls.masks == "shared" else 0))
    between = number * (clock.samples * 3 * max(hidden, default=1) + clock.batch_size * 9 * (features + sum(hidden)))
    return 8 * number * parameters + (_AHEAD + 4) * given + between + 24 * plan.steps


def free_memory() -> int:
    """Memory that is free where the seeds are trained, in bytes; of a GPU TensorFlow does not tell."""
    return engines.free_memory()


def train(
    plan: Plan, arm: Arm, seeds: Sequence[int], on_epochs: Callable[[int], None], engine: Engine
) -> list[Trained]:
    """Train one arm with several seeds, side by side.

    on_epochs : called with how many epochs were done since the last call, those of all seeds added up.
    engine : how the updates are compiled; with dropout of Keras' own always as a graph, since XLA draws other numbers.
    Returns what each seed gives, in their order: the rates to the bit, and the losses within rounding, of
    `training.train`.
    """
    # Keras' Dropout draws for one network, and not for several side by side
    parts = [[seed] for seed in seeds] if _draws(plan) else [list(seeds)]
    return [each for part in parts for each in _side_by_side(plan, arm, part, on_epochs, engine)]


def _side_by_side(
    plan: Plan, arm: Arm, seeds: Sequence[int], on_epochs: Callable[[int], None], engine: Engine
) -> list[Trained]:
    calls = _Calls(plan, arm, seeds, on_epochs)
    network = _compiled(plan, len(seeds), _is_xla(plan, engine))
    network.seeds.begin(plan, seeds)
    network.fit(tf.data.Dataset.range(calls.number), shuffle=False, callbacks=[calls], verbose=0)
    return calls.trained()


def _draws(plan: Plan) -> bool:
    """Whether Keras' own Dropout draws masks."""
    return plan.controls.masks == "native" and plan.network.dropout > 0 and bool(plan.network.hidden)


def _is_xla(plan: Plan, engine: Engine) -> bool:
    """Whether XLA is the quicker way: it takes half a second more to compile, and less for each update afterwards."""
    if _draws(plan):
        return False
    if engine in ("graph", "xla"):
        return engine == "xla"
    return len(plan.arms) * plan.steps > _LONG


@functools.lru_cache(maxsize=1)
def _compiled(plan: Plan, seeds: int, xla: bool) -> _Epochs:
    """The network to train, kept from arm to arm: it is traced and compiled once."""
    network = _Epochs(plan, seeds, xla)
    network.compile(network.seeds.optimizer)
    return network


class _Epochs(keras.Model):
    """A `train_step` that makes all the updates of several epochs.

    given : what it trains on, as `_Calls` says; `_Seeds.train` takes it.
    """

    def __init__(self, plan: Plan, seeds: int, xla: bool) -> None:
        super().__init__()
        self.seeds = _Seeds(plan, seeds)
        self.given = [tf.Variable(tf.zeros(*each), trainable=False) for each in _Shapes(plan, seeds).all]
        # Keras' own `jit_compile` refuses where bits must be the same from run to run; here XLA keeps them
        self.updates = tf.function(self.seeds.train, jit_compile=True, autograph=False) if xla else self.seeds.train
        self.built = True

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train; returns the rates and losses of the updates, and the losses on all data."""
        return self.updates(*(tf.convert_to_tensor(each) for each in self.given))


class _Shapes:
    """What one call of `train_step` is given.

    epochs : of a call, the last of which may have fewer. rows : of an epoch, in whole batches.
    all : shape and type of each array that `_Seeds.train` takes.
    """

    def __init__(self, plan: Plan, seeds: int) -> None:
        clock, widths = plan.clock, plan.network.hidden if plan.controls.masks == "shared" else ()
        x, y = training.data(plan)
        kinds = [(1, y.dtype), (x.shape[1], x.dtype), *((width, np.dtype(bool)) for width in widths)]
        self.rows = clock.steps_per_epoch * clock.batch_size
        per_epoch = seeds * self.rows * sum(width * kind.itemsize for width, kind in kinds)
        self.epochs = max(1, min(plan.epochs, _BYTES_PER_CALL // per_epoch))
        self.all: list[tuple[tuple[int, ...], Any]] = [
            ((), np.dtype(np.int64)),
            ((self.epochs, clock.steps_per_epoch), np.dtype(np.float64)),
            *(((self.epochs, seeds, self.rows, width), kind) for width, kind in kinds),
        ]


class _Told(keras.optimizers.schedules.LearningRateSchedule):
    """The rate that the optimizer uses next, as the arm's own schedule gave it."""

    rate: Any = None

    def __call__(self, step: Any) -> Any:
        """The rate: float64."""
        return self.rate


class _Seeds:
    """The plain network of several seeds, and the optimizer that updates them all.

    parameters : shape (seeds, parameters of a network).
    """

    def __init__(self, plan: Plan, seeds: int) -> None:
        self.x, self.y = training.data(plan)
        self.number, self.precision, self.clock = seeds, plan.precision, plan.clock
        self.network = model.build(plan, 0, self.x.shape[1])
        self.ends = np.cumsum([0] + [int(np.prod(each.shape)) for each in self.network.trainable_variables])
        self.parameters = keras.Variable(np.zeros((seeds, self.ends[-1]), plan.precision))
        self.told = _Told()
        self.optimizer = training.optimizer(plan, self.told)
        self.optimizer.build([self.parameters])
        self.fresh = [each.numpy() for each in self.optimizer.variables]
        self.eval_inputs = training.nothing_dropped(plan, self.x)
        self.kept = controls.kept(plan)
        # a sum with these is the mean over the rows of a batch; rows that only fill the last batch up have none
        sizes = self.clock.batch_sizes[:, np.newaxis]
        self.weights = ((np.arange(self.clock.batch_size) < sizes) / sizes).astype(plan.precision)
        self.summed = keras.losses.MeanSquaredError(reduction="sum")
        self.mean = keras.losses.MeanSquaredError()
        self.used: Any = None
        self.optimizer.update_step = self._noting(self.optimizer.update_step)

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
        """
        epochs, steps = rates.shape
        arrays = (
            tf.TensorArray(tf.float64, epochs * steps, element_shape=()),
            tf.TensorArray(self.precision, epochs * steps, element_shape=(self.number,)),
            tf.TensorArray(self.precision, epochs, element_shape=(self.number,)),
        )

        def one_epoch(epoch: Any, lr: Any, loss: Any, eval_loss: Any) -> tuple[Any, ...]:
            here = [each[epoch] for each in rows]

            def one_batch(batch: Any, lr: Any, loss: Any) -> tuple[Any, ...]:
                step = epoch * steps + batch
                used, losses = self._update(rates[epoch, batch], batch, here)
                return batch + 1, lr.write(step, used), loss.write(step, losses)

            _, lr, loss = tf.while_loop(lambda batch, *_: batch < steps, one_batch, (0, lr, loss))
            return epoch + 1, lr, loss, eval_loss.write(epoch, self._evaluate())

        _, *arrays = tf.while_loop(lambda epoch, *_: epoch < tf.cast(count, tf.int32), one_epoch, (0, *arrays))
        return {name: each.stack() for name, each in zip(("lr", "loss", "eval_loss"), arrays, strict=True)}

    def _update(self, rate: Any, batch: Any, rows: Sequence[Any]) -> tuple[Any, Any]:
        """One update of all seeds. Returns the rate that was used and the loss of each seed."""
        size = self.clock.batch_size
        y, x, *kept = (tf.slice(each, [0, batch * size, 0], [self.number, size, each.shape[-1]]) for each in rows)
        masks = [tf.cast(each, self.precision) * self.kept for each in kept]
        weights = tf.constant(self.weights)[batch]
        states = [] if self.number > 1 else self._states

        def of_one(given: Sequence[Any]) -> tuple[Any, Any, Any]:
            parameters, targets, *inputs = given
            with tf.GradientTape() as tape:
                tape.watch(parameters)
                outputs, after = self._call(parameters, inputs, training=True)
                loss = self.summed(targets, outputs, sample_weight=weights)
            return loss, tape.gradient(loss, parameters), after

        losses, gradients, after = self._each(of_one, [self._now, y, x, *masks])
        for variable, value in zip(states, after, strict=True):
            variable.assign(value[0])
        self.told.rate = rate
        self.optimizer.apply([gradients], [self.parameters])
        return tf.cast(self.used, tf.float64), losses

    def _evaluate(self) -> Any:
        """The loss of each seed on all data, with nothing dropped."""

        def of_one(given: Sequence[Any]) -> Any:
            outputs, _ = self._call(given[0], self.eval_inputs, training=False)
            return self.mean(self.y, outputs)

        return self._each(of_one, [self._now])

    def _call(self, parameters: Any, inputs: Sequence[Any], training: bool) -> Any:
        """The plain network with the parameters of one seed."""
        variables = self.network.trainable_variables
        values = [
            tf.reshape(parameters[begin:end], variable.shape)
            for variable, (begin, end) in zip(variables, pairwise(self.ends), strict=True)
        ]
        return self.network.stateless_call(values, self._states, list(inputs), training=training)

    def _each(self, of_one: Callable[[Sequence[Any]], Any], stacked: Sequence[Any]) -> Any:
        """What a function of one seed gives for each."""
        if self.number > 1:
            return tf.vectorized_map(of_one, stacked, fallback_to_while_loop=False)
        return tf.nest.map_structure(lambda each: each[tf.newaxis], of_one([each[0] for each in stacked]))

    @property
    def _now(self) -> Any:
        return tf.convert_to_tensor(self.parameters)

    def _noting(self, update_step: Callable[..., None]) -> Callable[..., None]:
        def noting(gradient: Any, variable: Any, learning_rate: Any) -> None:
            self.used = learning_rate
            update_step(gradient, variable, learning_rate)

        return noting


class _Calls(keras.callbacks.Callback):
    """Gives each call of `train_step` what it trains on, and keeps what it returned.

    What the next calls are given is drawn by a thread while one trains. It is one thread: several of them only wait
    for Python's lock.
    """

    def __init__(self, plan: Plan, arm: Arm, seeds: Sequence[int], on_epochs: Callable[[int], None]) -> None:
        super().__init__()
        self.plan, self.seeds, self.on_epochs = plan, seeds, on_epochs
        self.x, self.y = training.data(plan)
        self.shapes = _Shapes(plan, len(seeds))
        self.number = -(-plan.epochs // self.shapes.epochs)
        self.rates, self.draws = _Rates(plan, arm), controls.Draws(plan)
        native = plan.controls.order == "native"
        self.natives = [training.epochs(plan, seed, self.x, self.y) for seed in seeds] if native else []
        self.thread = ThreadPoolExecutor(1)
        self.drawing = deque(self.thread.submit(self._drawn, call) for call in range(min(_AHEAD, self.number)))
        self.kept: dict[str, list[np.ndarray]] = {"lr": [], "loss": [], "eval_loss": []}

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this before each call of `train_step`."""
        for variable, array in zip(self.model.given, self.drawing.popleft().result(), strict=True):
            variable.assign(array)
        if batch + _AHEAD < self.number:
            self.drawing.append(self.thread.submit(self._drawn, batch + _AHEAD))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this after each call of `train_step`."""
        assert logs is not None
        epochs = self._end(batch) - batch * self.shapes.epochs
        updates = epochs * self.plan.clock.steps_per_epoch
        for name, rows in {"lr": updates, "loss": updates, "eval_loss": epochs}.items():
            # Keras makes a number of an array that has but one
            columns = 1 if name == "lr" else len(self.seeds)
            self.kept[name].append(np.reshape(logs[name], (-1, columns))[:rows])
        self.on_epochs(epochs * len(self.seeds))

    def trained(self) -> list[Trained]:
        """What each seed gave."""
        lr, loss, eval_loss = (np.concatenate(each, dtype=np.float64) for each in self.kept.values())
        return [Trained(lr[:, 0], loss[:, seed], eval_loss[:, seed]) for seed in range(len(self.seeds))]

    def _end(self, call: int) -> int:
        """The first epoch that a call has no more."""
        return int(min((call + 1) * self.shapes.epochs, self.plan.epochs))

    def _drawn(self, call: int) -> list[np.ndarray]:
        """The arrays that a call is given."""
        begin, end = call * self.shapes.epochs, self._end(call)
        count, rates, *rows = (np.zeros(*each) for each in self.shapes.all)
        for epoch, number in product(range(begin, end), range(len(self.seeds))):
            for array, values in zip(rows, self._epoch(epoch, number), strict=True):
                self._write(array[epoch - begin, number], values)
        # last, since with one thread TensorFlow asks for these only when the call under way is done
        count[...], rates[: end - begin] = end - begin, self.rates(begin, end)
        return [count, rates, *rows]

    def _epoch(self, epoch: int, number: int) -> Sequence[np.ndarray]:
        """y, x, and where the units are kept, in the order in which a seed sees them."""
        if self.natives:  # what Keras draws goes on from the epoch before
            (x, *masks), y = next(self.natives[number])
            return y, x, *(mask != 0 for mask in masks)
        order = self.draws.order(self.seeds[number], epoch)
        kept = self.draws.keeps(self.seeds[number], epoch) if self.plan.controls.masks == "shared" else []
        return self.y[order], self.x[order], *kept

    def _write(self, array: np.ndarray, values: np.ndarray) -> None:
        whole = min(len(array), len(values))
        array[:whole] = values[:whole]
        array[whole:] = values[: len(array) - whole]  # fills the last batch up with rows of no weight


class _Rates:
    """The rates of an arm as its own schedule gives them to the plan's optimizer."""

    def __init__(self, plan: Plan, arm: Arm) -> None:
        native = schedules.build(arm.schedule, plan.clock, arm.stepping)
        self.steps, self.epochs = plan.clock.steps_per_epoch, plan.epochs
        self.known, self.first = np.empty((0, self.steps)), 0
        self.optimizer = training.optimizer(plan, native.learning_rate)
        self.callbacks = native.attach(self.optimizer)
        for callback in self.callbacks:
            callback.set_model(SimpleNamespace(optimizer=self.optimizer))
        self.asked: Any = None
        if isinstance(native.learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            self.schedule, number = native.learning_rate, tf.TensorSpec((), tf.int64)
            self.asked = tf.function(self._asked, autograph=False).get_concrete_function(number, number)

    def __call__(self, begin: int, end: int) -> np.ndarray:
        """Rates of the updates of some epochs: float64, shape (epochs, steps per epoch)."""
        if self.asked is not None:
            if end > self.first + len(self.known):  # many at once: it would wait each time for the call that trains
                self.first, upto = begin, min(max(end, begin + _KNOWN // self.steps), self.epochs)
                first, last = (tf.constant(epoch * self.steps, tf.int64) for epoch in (begin, upto))
                self.known = np.reshape(self.asked(first, last)[: (upto - begin) * self.steps], (-1, self.steps))
            return self.known[begin - self.first : end - self.first]
        rates = []
        for epoch in range(begin, end):
            for callback in self.callbacks:
                callback.on_epoch_begin(epoch)
            rates.append(float(self.optimizer.learning_rate))
        return np.repeat(np.array(rates)[:, np.newaxis], self.steps, axis=1)

    def _asked(self, first: Any, last: Any) -> Any:
        """The rate of each update from the first on, in whole turns: those past the last one repeat its rate."""

        def turn(number: Any, rates: Any) -> tuple[Any, Any]:
            steps = [tf.minimum(first + number * _ASKED + each, last - 1) for each in range(_ASKED)]
            asked = tf.stack([tf.cast(self.schedule(step), tf.float64) for step in steps])
            return number + 1, rates.write(tf.cast(number, tf.int32), asked)

        turns = (last - first + _ASKED - 1) // _ASKED
        rates = tf.TensorArray(tf.float64, tf.cast(turns, tf.int32), element_shape=(_ASKED,))
        rates = tf.while_loop(lambda number, _: number < turns, turn, (tf.constant(0, tf.int64), rates))[1]
        return tf.reshape(rates.stack(), (-1,))
