"""Measure the facts of docs/facts.md; print them as JSON."""

import json
import os
import sys
import tempfile
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import keras
import numpy as np
import tensorflow as tf


class Asks(keras.callbacks.Callback):
    """The rate asked before and after each batch, and the one that the update used."""

    def __init__(self):
        super().__init__()
        self.asked_before, self.asked_after, self.used = [], [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.set_weights([np.zeros((1, 1), "float32")])
        self.asked_before.append(float(self.model.optimizer.learning_rate))

    def on_train_batch_end(self, batch, logs=None):
        self.asked_after.append(float(self.model.optimizer.learning_rate))
        self.used.append(-float(self.model.get_weights()[0][0, 0]))  # gradient 1: the update is the rate


def rates(staircase):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    decay = keras.optimizers.schedules.ExponentialDecay(1e-3, 25, 0.95, staircase=staircase)
    model.compile(keras.optimizers.SGD(decay), loss=lambda y, prediction: prediction)
    asks, ones = Asks(), np.ones((1600, 1), "float32")
    model.fit(ones, ones, batch_size=1, verbose=0, callbacks=[asks])
    return {"used": asks.used, "asked_before": asks.asked_before, "asked_after": asks.asked_after}


def late_stairs(every, decays):
    """The steps at which a staircase falls, in `fit` and asked eagerly."""
    decay = keras.optimizers.schedules.ExponentialDecay(1.0, every, 0.5, staircase=True)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(decay), loss=lambda y, prediction: prediction)
    asks, ones = Asks(), np.ones((every * decays + 10, 1), "float32")
    model.fit(ones, ones, batch_size=1, verbose=0, callbacks=[asks])
    used, asked = np.array(asks.used), np.array(asks.asked_before)
    return [(np.flatnonzero(rates[1:] < 0.75 * rates[:-1]) + 1).tolist() for rates in (used, asked)]


class Calls(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.calls = []

    def __len__(self):
        return 2

    def __getitem__(self, batch):
        return np.ones((1, 1)), np.ones((1, 1))

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


def py_dataset_calls():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = Calls()
    model.fit(data, epochs=3, verbose=0)
    return data.calls


def dtype_in_float64(learning_rate):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(learning_rate)
    seen, update_step = [], optimizer.update_step

    def noting(gradient, variable, rate):
        seen.append(rate.dtype if isinstance(rate.dtype, str) else rate.dtype.name)
        return update_step(gradient, variable, rate)

    optimizer.update_step = noting
    model.compile(optimizer, "mse")
    model.fit(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
    return seen[0]


found = {"smooth": rates(False), "staircase": rates(True), "py_dataset": py_dataset_calls()}
smooth = keras.optimizers.schedules.ExponentialDecay(3e-4, 980, 0.1)
steps = tf.range(0, 3 * 980 + 1, 7)
compiled = tf.function(lambda steps: tf.map_fn(smooth, steps, fn_output_signature=tf.float32))(steps)
found["fallen"] = [compiled.numpy().astype(float).tolist(), [float(smooth(int(step))) for step in steps]]
found["late"] = {str(every): late_stairs(every, 5) for every in (25, 41, 61)}
keras.config.set_floatx("float64")
found["float64"] = {
    "ExponentialDecay": dtype_in_float64(keras.optimizers.schedules.ExponentialDecay(1e-3, 25, 0.95)),
    "float": dtype_in_float64(1e-3),
}
keras.config.set_floatx("float32")


def restarts(t_mul, first, upto):
    """Steps at which CosineDecayRestarts is not at its initial rate though a period begins there, and how many begin."""
    schedule = keras.optimizers.schedules.CosineDecayRestarts(1.0, first, t_mul=t_mul)
    begins, length = [], float(first)
    while sum(begins[-1:]) + length < upto:
        begins.append(sum(begins[-1:]) + length)
        length *= t_mul
    asked = [int(np.ceil(each - 1e-6)) for each in begins]
    return [step for step in asked if float(schedule(step)) < 0.5], len(asked)


found["restarts"] = {name: restarts(*asked) for name, asked in {"2": (2.0, 5, 5000), "1.1": (1.1, 10, 5000)}.items()}
found["restarts_far"] = restarts(2.0, 5, 400_000)


def bent(t_mul, first, periods):
    """How far CosineDecayRestarts lies from its closed form within so many first periods, for a peak of 1."""
    steps = np.arange(first * periods)
    period = np.floor(np.log1p(steps / first * (t_mul - 1)) / np.log(t_mul) + 1e-9)
    within = (steps - first * (t_mul**period - 1) / (t_mul - 1)) / (first * t_mul**period)
    schedule = keras.optimizers.schedules.CosineDecayRestarts(1.0, first, t_mul=t_mul)
    apart = np.abs(schedule(tf.constant(steps)).numpy() - (1 + np.cos(np.pi * within)) / 2)
    return float(np.sort(apart)[-1 - int(periods)])  # the steps at which a restart is missed apart


found["bent"] = bent(1.01, 100, 1000)


def asked(schedule, steps):
    try:
        return [float(schedule(step)) for step in steps]
    except tf.errors.InvalidArgumentError as error:
        return type(error).__name__


s = keras.optimizers.schedules
found["whole"] = {
    "ExponentialDecay": asked(s.ExponentialDecay(1, 5, 0.5), (0, 1, 2)),
    "PiecewiseConstantDecay": asked(s.PiecewiseConstantDecay([0], [4, 2]), (0, 1, 2)),
    "PiecewiseConstantDecay, mixed": asked(s.PiecewiseConstantDecay([0], [1, 0.5]), (0, 1, 2)),
}
shrinking = asked(s.CosineDecayRestarts(1.0, 5, t_mul=0.5), range(20))
found["shrunk"] = next(step for step, rate in enumerate(shrinking) if rate != rate)
found["smallest"] = [float(keras.optimizers.schedules.ExponentialDecay(rate, 1, 0.5)(1)) for rate in (4e-38, 2e-38)]


def count_after_loading(optimizer, compile_first):
    """Updates that the optimizer has counted once the weights of a model that made 5 are loaded into a new one."""

    def made():
        return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])

    with tempfile.TemporaryDirectory() as folder:
        trained, fresh, file = made(), made(), f"{folder}/it.weights.h5"
        trained.compile(optimizer, "mse")
        trained.fit(np.ones((5, 1)), np.ones((5, 1)), batch_size=1, verbose=0)
        trained.save_weights(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Adam says that its variables do not fit
            if compile_first:
                fresh.compile(optimizer, "mse")
                fresh.load_weights(file)
            else:
                fresh.load_weights(file)
                fresh.compile(optimizer, "mse")
        return int(fresh.optimizer.iterations.numpy())


found["loaded"] = {
    "sgd, compiled first": count_after_loading("sgd", True),
    "sgd, loaded first": count_after_loading("sgd", False),
    "adam, compiled first": count_after_loading("adam", True),
}


def second_moment():
    """What Adam remembers of the squares of 5,000 gradients, for each of 64 weights."""
    adam, weight = keras.optimizers.Adam(beta_1=0.9, beta_2=0.999), keras.Variable(np.zeros(64))
    adam.build([weight])
    update = tf.function(lambda gradient: adam.apply([gradient]))
    for gradient in np.random.default_rng(0).standard_normal((5000, 64), np.float32):
        update(tf.constant(gradient))
    return adam._velocities[0].numpy().tolist()


found["second_moment"] = second_moment()
json.dump(found, sys.stdout)
