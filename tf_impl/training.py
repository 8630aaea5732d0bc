"""The training in Keras: `compile` and `fit`, with the rate looked up per step or per epoch.

This is the reference to read. `tf_impl.fast` makes the same updates in less time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

import keras
import numpy as np
import tensorflow as tf

from samestep.experiment import controls
from samestep.experiment.controls import Purpose
from samestep.experiment.differences import Name
from samestep.experiment.plan import Adam, AdamW, Arm, Momentum, Plan, QuestionData, RMSprop
from samestep.experiment.programs.engines import Device, Trained, no_gpu
from tf_impl import model, schedules
from tf_impl.corrections import correct
from tf_impl.recorder import Recorder

_WIDE = 2**18
"""Parameters of a network from which on threads do not only wait for each other."""


def prepare(plan: Plan, device: Device = "cpu") -> None:
    """Set the process up for a plan: its precision, the device, and the same bits from every run.

    Raises:
        PlanError: there is no such device.
    """
    found = tf.config.list_physical_devices("GPU") if device == "gpu" else []
    if device == "gpu" and not found:
        raise no_gpu("TensorFlow")
    if plan.network.parameters(features=1) < _WIDE:
        with suppress(RuntimeError):  # the first plan of a process has decided
            tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.set_visible_devices(found, "GPU")  # it takes one that it sees, asked or not
    tf.config.experimental.enable_tensor_float_32_execution(False)  # 10 bits of a product in the place of 23
    keras.config.set_floatx(plan.precision)
    keras.config.set_dtype_policy(plan.precision)  # the first layer of a process fixes it otherwise
    tf.config.experimental.enable_op_determinism()


def versions() -> dict[str, str]:
    """Versions of the framework."""
    return {"keras": keras.__version__, "tensorflow": tf.__version__}


def optimizer(plan: Plan, learning_rate: float | keras.optimizers.schedules.LearningRateSchedule) -> keras.Optimizer:
    """The plan's optimizer with every hyperparameter written out."""
    chosen = plan.optimizer
    match chosen:
        case Adam() | AdamW():
            kind = keras.optimizers.AdamW if isinstance(chosen, AdamW) else keras.optimizers.Adam
            return kind(
                learning_rate,
                beta_1=chosen.beta_1,
                beta_2=chosen.beta_2,
                epsilon=chosen.epsilon,
                amsgrad=chosen.amsgrad,
                weight_decay=chosen.weight_decay if isinstance(chosen, AdamW) else None,
            )
        case Momentum():
            return keras.optimizers.SGD(learning_rate, momentum=chosen.momentum, nesterov=chosen.nesterov)
        case RMSprop():
            return keras.optimizers.RMSprop(
                learning_rate, rho=chosen.rho, momentum=0.0, epsilon=chosen.epsilon, centered=False
            )
        case _:
            return keras.optimizers.SGD(learning_rate, momentum=0.0, nesterov=False)


def train(
    plan: Plan,
    arm: Arm,
    seed: int,
    on_epoch: Callable[[int], None],
    without: Collection[Name] = (),
    rates: np.ndarray | None = None,
) -> Trained:
    """Train one arm with one seed.

    Args:
        plan: the experiment.
        arm: one of its arms.
        seed: one of its seeds.
        on_epoch: called with each epoch, from 0, after it.
        without: differences between the frameworks to remove, see `correct`.
        rates: float64, one for each update: those of the other framework, for ``rates in float32``.
    """
    x, y = data(plan)
    network = model.build(plan, seed, x.shape[1])
    native = schedules.build(arm.schedule, plan.clock, arm.stepping)
    network.compile(optimizer=optimizer(plan, native.learning_rate), loss="mse")
    correct(network.optimizer, plan, without, rates)
    sets_rates = [] if rates is not None and "rates in float32" in without else native.attach(network.optimizer)
    recorder = Recorder()
    told = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch(epoch))
    history = network.fit(
        controls.batches(plan, epochs(plan, seed, x, y)),
        steps_per_epoch=plan.clock.steps_per_epoch,
        epochs=plan.epochs,
        verbose=0,
        callbacks=[recorder, *sets_rates, told],
        shuffle=False,  # each epoch comes in the order that the controls gave it
        validation_data=(nothing_dropped(plan, x), y),
        validation_batch_size=len(x),
    )
    return Trained(recorder.lr, recorder.loss, history.history["val_loss"])


def epochs(plan: Plan, seed: int, x: np.ndarray, y: np.ndarray) -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray]]:
    """The rows of one epoch after the other, in the order and with the masks of the controls.

    Yields:
        The inputs of the network, x first and then the masks, and the targets; each of shape (samples, ...).
    """
    shuffling = keras.random.SeedGenerator(controls.native_seed(seed, Purpose.ORDER))
    for epoch in range(plan.epochs):
        if plan.controls.order == "shared":
            order = controls.order(plan, seed, epoch)
        else:
            order = np.asarray(keras.random.shuffle(np.arange(len(x)), seed=shuffling))
        masks = controls.masks(plan, seed, epoch) if plan.controls.masks == "shared" else []
        yield (x[order], *masks), y[order]


def nothing_dropped(plan: Plan, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """The inputs of the network to predict x: masks of ones, if it takes masks."""
    widths = plan.network.hidden if plan.controls.masks == "shared" else ()
    return (x, *(np.ones((len(x), width), x.dtype) for width in widths))


def data(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """The rows to learn from: x of shape (samples, features) and y of shape (samples, 1)."""
    if plan.controls.data == "shared" or not isinstance(plan.data, QuestionData):
        return controls.data(plan)
    drawing = keras.random.SeedGenerator(controls.native_seed(plan.data.seed, Purpose.DATA))
    shape = (plan.data.samples, 1)
    x = keras.random.uniform(shape, 0.0, 2.0, seed=drawing)
    y = x**2 + plan.data.noise * keras.random.normal(shape, seed=drawing)
    return np.asarray(x), np.asarray(y)
