"""The training of `training`, in less time: whole epochs of updates in one call, and many seeds side by side.

Keras' `fit` runs a `train_step` that makes all the updates of several epochs, of one seed or of many side by side. An
optimizer of Keras, which is given all parameters as one variable, updates them.

The rates come from the arm's own schedule, asked update by update in a compiled graph, as in the plain training, and
not within XLA: that divides by multiplying with a rounded reciprocal, which bends smooth schedules and may change the
rate of a staircase at another step. Nor all updates at once: arrays are rounded otherwise than single numbers.
"""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from samestep.experiment import controls
from samestep.experiment.plan import Arm, Plan
from samestep.experiment.programs import engines
from samestep.experiment.programs.engines import Engine, Trained
from tf_impl import schedules, training
from tf_impl.stacked import Stacked

_BYTES_PER_CALL = 2**24
"""What one call of `train_step` is given at most, where an epoch is not more."""

_LONG = 12_000
"""Updates of all arms, which share what is compiled, from which on XLA is the quicker way for one seed.

Measured on the default plan: it pays from about 11,000 updates of one seed on, 27,000 of 10 and 90,000 of 100. More
seeds take longer to compile, and leave less to gain, since drawing their rows takes as long either way."""

_BYTES_AHEAD = 2**27
"""What is drawn ahead of the call that trains, where two calls are not more: it is drawn before there is time to look
back, so that no call waits."""

_ASKED = 4
"""Updates whose rates are asked in one turn of a loop: a turn costs TensorFlow more than a look-up."""


def bytes_per_seed(plan: Plan) -> int:
    """Bytes of `free_memory` that one more seed takes.

    Parameters, gradients, moments; what the calls under way and drawn ahead are given, and what they leave to look back
    at; what a batch leaves between layers; the trace.
    """
    clock, hidden, number = plan.clock, plan.network.hidden, np.dtype(plan.precision).itemsize
    features = training.data(plan)[0].shape[1] if len(plan.seeds) > 1 else 1
    parameters = plan.network.parameters(features)
    given = clock.samples * (number * (features + 1) + (sum(hidden) if plan.controls.masks == "shared" else 0))
    between = clock.batch_size * 9 * (features + sum(hidden))
    return number * (14 * parameters + between) + 6 * given + 24 * plan.steps


def free_memory() -> int:
    """Bytes of free memory on the machine; TensorFlow does not give those of a GPU."""
    return engines.free_memory()


def train(
    plan: Plan, arm: Arm, seeds: Sequence[int], on_epochs: Callable[[int], None], engine: Engine
) -> list[Trained]:
    """Train one arm with several seeds, side by side.

    Args:
        plan: the experiment.
        arm: one of its arms.
        seeds: the seeds to train.
        on_epochs: called with the number of epochs since the last call, summed over all seeds.
        engine: how the updates are compiled; with Keras' own dropout always as a graph, since XLA draws other numbers.

    Returns:
        One result for each seed, in order: the rates of `training.train` to the bit, its losses within rounding.
    """
    # Keras' Dropout draws for one network, and not for several side by side
    parts = [[seed] for seed in seeds] if controls.draws_natively(plan) else [list(seeds)]
    return [each for part in parts for each in _side_by_side(plan, arm, part, on_epochs, engine)]


def _side_by_side(
    plan: Plan, arm: Arm, seeds: Sequence[int], on_epochs: Callable[[int], None], engine: Engine
) -> list[Trained]:
    with _in_one_thread(), ThreadPoolExecutor(1) as thread:
        calls = _Calls(plan, arm, seeds, on_epochs, thread)
        network = _compiled(plan, len(seeds), _is_xla(plan, len(seeds), engine))
        network.stacked.begin(plan, seeds)
        untuned = tf.data.Options()
        untuned.autotune.enabled = False  # the thread that tunes may keep `fit` half a second longer
        numbers = tf.data.Dataset.range(calls.number).with_options(untuned)
        network.fit(numbers, shuffle=False, callbacks=[calls], verbose=0)
        return calls.trained()


def _is_xla(plan: Plan, seeds: int, engine: Engine) -> bool:
    """Whether XLA is the quicker way for so many seeds: it takes longer to compile, and less for each update."""
    if controls.draws_natively(plan):
        return False
    if engine in ("graph", "xla"):
        return engine == "xla"
    return len(plan.arms) * plan.steps > _LONG * math.sqrt(seeds)


@functools.lru_cache(maxsize=1)
def _compiled(plan: Plan, seeds: int, xla: bool) -> _Epochs:
    """The network to train, kept from arm to arm: it is traced and compiled once."""
    network = _Epochs(plan, seeds, xla)
    network.compile(network.stacked.optimizer)
    return network


def _in_one_thread() -> AbstractContextManager[None]:
    """Run ops on the calling thread: a pool would wake a thread per op. A GPU runs them in TensorFlow's own way."""
    if tf.config.get_visible_devices("GPU"):
        return nullcontext()
    executor: AbstractContextManager[None] = tf.experimental.function_executor_type("SINGLE_THREADED_EXECUTOR")
    return executor


def _as_in_fit() -> AbstractContextManager[None]:
    """Run what `fit` runs as `fit` does: a graph of another executor is not rewritten, and divides exactly.

    The rewriter multiplies with a rounded reciprocal in place of a division by a constant: docs/facts.md.
    """
    executor: AbstractContextManager[None] = tf.experimental.function_executor_type("DEFAULT")
    return executor


class _Epochs(keras.Model):
    """A `train_step` that makes all the updates of several epochs.

    given : what it trains on, as `_Calls` says; `Stacked.train` takes it.
    """

    def __init__(self, plan: Plan, seeds: int, xla: bool) -> None:
        super().__init__()
        self.stacked = Stacked(plan, seeds)
        self.given = [tf.Variable(tf.zeros(*each), trainable=False) for each in _Shapes(plan, seeds).all]
        # Keras' own `jit_compile` refuses where bits must be the same from run to run; here XLA keeps them
        updates = tf.function(self.stacked.train, jit_compile=xla, autograph=False)
        self.updates = updates.get_concrete_function(*(tf.TensorSpec(*each) for each in _Shapes(plan, seeds).all))
        self.built = True

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train; returns what `Stacked.train` does."""
        done: dict[str, Any] = self.updates(*(tf.convert_to_tensor(each) for each in self.given))
        return done


class _Shapes:
    """What one call of `train_step` is given.

    epochs : of a call, the last of which may have fewer. rows : of an epoch, in whole batches.
    ahead : how many calls are drawn ahead.
    all : shape and type of each array that `Stacked.train` takes.
    """

    def __init__(self, plan: Plan, seeds: int) -> None:
        clock, widths = plan.clock, plan.network.hidden if plan.controls.masks == "shared" else ()
        x, y = training.data(plan)
        kinds = [(1, y.dtype), (x.shape[1], x.dtype), *((width, np.dtype(bool)) for width in widths)]
        self.rows = clock.steps_per_epoch * clock.batch_size
        after = seeds * plan.network.parameters(x.shape[1]) * y.itemsize
        per_epoch = seeds * self.rows * sum(width * kind.itemsize for width, kind in kinds) + after
        self.epochs = max(1, min(plan.epochs, _BYTES_PER_CALL // per_epoch))
        self.ahead = max(2, _BYTES_AHEAD // (self.epochs * per_epoch))
        self.all: list[tuple[tuple[int, ...], Any]] = [
            ((), np.dtype(np.int64)),
            ((self.epochs, clock.steps_per_epoch), np.dtype(np.float64)),
            *(((self.epochs, seeds, self.rows, width), kind) for width, kind in kinds),
        ]


class _Calls(keras.callbacks.Callback):
    """Gives each call of `train_step` what it trains on, and keeps what it returned.

    While a call trains, a thread draws what the next ones are given, and looks back at what the last one left. It is
    one thread: several of them only wait for Python's lock.
    """

    def __init__(
        self, plan: Plan, arm: Arm, seeds: Sequence[int], on_epochs: Callable[[int], None], thread: ThreadPoolExecutor
    ) -> None:
        super().__init__()
        self.plan, self.seeds, self.on_epochs, self.thread = plan, seeds, on_epochs, thread
        self.x, self.y = training.data(plan)
        self.shapes = _Shapes(plan, len(seeds))
        self.number = -(-plan.epochs // self.shapes.epochs)
        self.rates, self.draws = _Rates(plan, arm), controls.Draws(plan)
        native = plan.controls.order == "native"
        self.natives = [training.epochs(plan, seed, self.x, self.y) for seed in seeds] if native else []
        self.drawing = deque(self._beside(self._drawn, call) for call in range(min(self.shapes.ahead, self.number)))
        self.lr: list[np.ndarray] = []
        self.loss: list[np.ndarray] = []
        self.eval_loss: list[Future[np.ndarray]] = []

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this before each call of `train_step`."""
        for variable, array in zip(self.model.given, self.drawing.popleft().result(), strict=True):
            variable.assign(array)
        coming = batch + self.shapes.ahead
        if coming < self.number:
            self.drawing.append(self._beside(self._drawn, coming))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this after each call of `train_step`."""
        assert logs is not None
        epochs = self._end(batch) - batch * self.shapes.epochs
        updates = epochs * self.plan.clock.steps_per_epoch
        # Keras makes a number of an array that has but one
        self.lr.append(np.reshape(logs["lr"], -1)[:updates])
        self.loss.append(np.reshape(logs["loss"], (-1, len(self.seeds)))[:updates])
        self.eval_loss.append(self._beside(self._evaluated, logs["parameters"], epochs))
        self.on_epochs(epochs * len(self.seeds))

    def trained(self) -> list[Trained]:
        """What each seed gave."""
        eval_losses = [each.result() for each in self.eval_loss]
        lr, loss, eval_loss = (np.concatenate(each, dtype=np.float64) for each in (self.lr, self.loss, eval_losses))
        return [Trained(lr, loss[:, seed], eval_loss[:, seed]) for seed in range(len(self.seeds))]

    def _evaluated(self, parameters: Any, epochs: int) -> np.ndarray:
        """The losses on all data after each epoch of a call: shape (epochs, seeds)."""
        networks = tf.reshape(parameters, (self.shapes.epochs * len(self.seeds), -1))
        return np.reshape(self.model.stacked.evaluate(networks), (-1, len(self.seeds)))[:epochs]

    def _beside(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Have the thread do something, after what it was told before."""

        def done() -> Any:
            with _in_one_thread():
                return work(*given)

        return self.thread.submit(done)

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
        self.steps = plan.clock.steps_per_epoch
        self.optimizer = training.optimizer(plan, native.learning_rate)
        self.callbacks = native.attach(self.optimizer)
        for callback in self.callbacks:
            callback.set_model(SimpleNamespace(optimizer=self.optimizer))
        self.asked: Any = None
        if isinstance(native.learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            self.schedule, number = native.learning_rate, tf.TensorSpec((), tf.int64)
            with _as_in_fit():
                self.asked = tf.function(self._asked, autograph=False).get_concrete_function(number, number)

    def __call__(self, begin: int, end: int) -> np.ndarray:
        """Rates of the updates of some epochs: float64, shape (epochs, steps per epoch)."""
        if self.asked is not None:
            first, last = (tf.constant(epoch * self.steps, tf.int64) for epoch in (begin, end))
            with _as_in_fit():
                asked = self.asked(first, last)
            return np.reshape(asked[: (end - begin) * self.steps], (-1, self.steps))
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
