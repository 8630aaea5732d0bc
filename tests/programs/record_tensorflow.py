"""Record Keras trainings of every kind into the folder named as argument; print as JSON what each update did.

One weight with a gradient of 1 under SGD: the change that an update makes is minus its rate. Rates are powers of two,
so that the weight is exact, and the loss, the weight itself, is minus the sum of the rates before.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import keras
import numpy as np
import tensorflow as tf

import tf_impl

FOLDER = Path(sys.argv[1])
BATCHES = 5
ONES = np.ones((BATCHES, 1), "float32")


def halving(every=3):
    return keras.optimizers.schedules.ExponentialDecay(1.0, every, 0.5, staircase=True)


def model(learning_rate=None, accumulate=None, **compiled):
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    rate = halving() if learning_rate is None else learning_rate
    optimizer = keras.optimizers.SGD(rate, gradient_accumulation_steps=accumulate)
    network.compile(optimizer, loss=lambda y, prediction: prediction, **compiled)
    return network


def fit(network, path, callbacks=(), recorder=None, **how):
    network.fit(
        ONES, ONES, **{"batch_size": 1, "epochs": 3, "verbose": 0} | how,
        callbacks=[recorder or tf_impl.Recorder(path), *callbacks],
    )  # fmt: skip
    return float(network.get_weights()[0][0, 0])


def made(rates, accumulate=1, updates=BATCHES, epochs=3, first=0, weight=0.0):
    """Rows of updates with these rates: step, epoch, batch, rate, and the loss: the weight before."""
    rows = []
    for step, rate in enumerate(rates):
        rows.append([first + step, *divmod(step, updates), rate, weight])
        weight -= rate
    return {"rows": rows, "weight": weight}


HALVING = [0.5 ** (step // 3) for step in range(3 * BATCHES)]


def scheduler(path):
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5**epoch)
    fit_weight = fit(model(1.0), path, [callback])
    return made([0.5 ** (step // BATCHES) for step in range(15)]) | {"found": fit_weight}


def plateau(path):
    """The loss falls all the time; with a `min_delta` that it never reaches, the rate falls after each epoch."""
    callback = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    weight = fit(model(1.0), path, [callback])
    return made([1.0] * 2 * BATCHES + [0.5] * BATCHES) | {"found": weight}


def simple(rates, **how):
    def case(path):
        compiled = {name: how[name] for name in how if name not in ("learning_rate", "fit")}
        weight = fit(model(how.get("learning_rate"), **compiled), path, **how.get("fit", {}))
        return made(rates) | {"found": weight}

    return case


def accumulated(path):
    """Ten batches in twos: five updates an epoch. Keras asks the schedule for the rate of each batch, so it halves twice as fast."""
    network = model(halving(4), accumulate=2)
    x = np.ones((10, 1), "float32")
    network.fit(x, x, batch_size=1, epochs=3, verbose=0, callbacks=[tf_impl.Recorder(path)])
    rates = [0.5 ** ((2 * update + 1) // 4) for update in range(15)]
    return made(rates) | {"found": float(network.get_weights()[0][0, 0])}


def validated(path):
    """Losses of the validation after each epoch are no losses of updates."""
    return made(HALVING) | {"found": fit(model(), path, validation_data=(5 * ONES, ONES))}


def resumed(path):
    """A second `fit` of the same recorder, then a new recorder, both told the epoch; then one that is not."""
    network, recorder = model(), tf_impl.Recorder(path)
    fit(network, path, recorder=recorder, epochs=1)
    fit(network, path, recorder=recorder, epochs=2, initial_epoch=1)
    fit(network, path, epochs=3, initial_epoch=2)
    weight = fit(network, path, epochs=1)
    rates = [0.5 ** (step // 3) for step in range(20)]
    return made(rates) | {"found": weight}


def started(path):
    """Told to begin again at a step that is recorded already: both stay."""
    network = model()
    fit(network, path, epochs=2)
    weight = fit(network, path, recorder=tf_impl.Recorder(path, start=5), epochs=2, initial_epoch=1)
    before, again = made(HALVING[:10]), made(HALVING[10:], first=5, weight=-sum(HALVING[:10]))
    again["rows"] = [[step, 1, batch, rate, loss] for step, _, batch, rate, loss in again["rows"]]
    return {"rows": before["rows"] + again["rows"], "weight": again["weight"], "found": weight}


def two_losses(path):
    """Two outputs, each with a loss of its own, one of them weighted."""
    inputs = keras.Input((1,))
    outputs = {
        name: keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", name=name)(inputs) for name in "ab"
    }
    network = keras.Model(inputs, outputs)
    loss = {name: lambda y, prediction: prediction for name in "ab"}
    network.compile(keras.optimizers.SGD(halving()), loss=loss, loss_weights={"a": 1.0, "b": 0.5})
    targets = {"a": ONES, "b": ONES}
    recorder = tf_impl.Recorder(path)
    network.fit(ONES, targets, batch_size=1, epochs=3, verbose=0, callbacks=[recorder])
    told = made(HALVING)
    for row in told["rows"]:
        row[4] *= 1.25  # a weighs 1 and moves by the rate, b weighs 0.5 and moves by half of it
    return told | {"found": float(network.get_layer("a").get_weights()[0][0, 0])}


def loop(path, compiled, log_first):
    """A loop of one's own."""
    network, optimizer = model(), keras.optimizers.SGD(halving())

    def train(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(network(x, training=True))
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss

    train = tf.function(train, jit_compile=compiled == "xla") if compiled else train
    with tf_impl.record(path, steps_per_epoch=BATCHES) as recorder:
        recorder.watch(optimizer)
        for _ in range(15):
            if log_first:
                recorder.log(network(ONES[:1])[0, 0])
            loss = train(tf.constant(ONES[:1]))
            if not log_first:
                recorder.log(loss)
    weight = float(network.get_weights()[0][0, 0])
    del recorder
    train(tf.constant(ONES[:1]))  # the step that was compiled still runs
    return made(HALVING) | {"found": weight}


def scaled(path):
    """Under loss scaling the third and the fourth gradient are too large: Keras makes no update of them."""
    network = model()
    inner = keras.optimizers.SGD(halving())
    network.compile(
        keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**126), loss=lambda y, prediction: 4.0 * prediction
    )
    weight = fit(network, path)
    iterations = int(inner.iterations)
    told = made([4 * rate for rate in HALVING[:iterations]])
    rows = [[step, None, None, rate / 4, None] for step, _, _, rate, _ in told["rows"]]
    assert iterations < 15
    return {"rows": rows, "weight": told["weight"], "found": weight}


def unnoticed(path):
    """Compiled before it is watched: there is nothing to note, and that is said."""
    network, optimizer = model(), keras.optimizers.SGD(halving())

    @tf.function
    def train():
        optimizer.apply([tf.ones((1, 1))], network.trainable_variables)

    train()
    with tf_impl.record(path) as recorder:
        recorder.watch(optimizer)
        train()
    return {"rows": [], "weight": -2.0, "found": float(network.get_weights()[0][0, 0])}


def mixed_names(path):
    """Optimizers of one class and of another, under one recorder."""
    network = model()
    optimizers = [keras.optimizers.SGD(1.0), keras.optimizers.SGD(0.5), keras.optimizers.Adam(0.25)]
    optimizers[2].build(network.trainable_variables)
    with tf_impl.record(path) as recorder:
        for optimizer in optimizers:
            recorder.watch(optimizer)
        for optimizer in optimizers:
            optimizer.apply([tf.ones((1, 1))], network.trainable_variables)
    return {"rows": [[0, -1, -1, rate, None] for rate in (1.0, 0.5, 0.25)], "weight": 0, "found": 0}


def nothing_left(path):
    """Model and optimizer are as they were, and the compiled step that was there is there again."""
    network = model()
    network.fit(ONES, ONES, batch_size=1, verbose=0)
    before = [sorted(vars(network)), sorted(vars(network.optimizer)), network.train_function]
    fit(network, path, epochs=1)
    after = [sorted(vars(network)), sorted(vars(network.optimizer)), network.train_function]
    assert before == after
    return made(HALVING[5:10], weight=-sum(HALVING[:5])) | {"found": float(network.get_weights()[0][0, 0])}


def refused(call):
    """What the error says that a call must raise."""
    try:
        call()
    except (TypeError, ValueError) as error:
        return str(error)
    raise AssertionError("not refused")


class Breaks(keras.callbacks.Callback):
    """Raises as a batch's update is done."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def on_train_batch_end(self, batch, logs=None):
        if batch == self.at:
            raise ZeroDivisionError


def broken_off(path):
    """A `fit` that raises calls nobody: the next recorder, or the same one, takes the file over with all its rows."""
    network = model()

    def breaks(recorder=None):
        try:
            fit(network, path, [Breaks(1)], recorder=recorder)
        except ZeroDivisionError:
            return
        raise AssertionError

    breaks()
    breaks(again := tf_impl.Recorder(path))
    breaks(again)
    breaks()
    elsewhere = path.with_name("elsewhere.csv")
    fit(network, elsewhere, epochs=1)  # the one before has no part in this
    assert "noting" not in str(network.optimizer.update_step)
    weight = fit(network, path, epochs=1)
    rates = [0.5 ** (step // 3) for step in range(18)]
    told = made(rates)
    # an epoch that was broken off is begun again
    rows = [[step, 0, step % 2, *row[3:]] for step, row in enumerate(told["rows"][:8])]
    rows += [[step, 0, step - 8, *row[3:]] for step, row in enumerate(told["rows"][13:], start=8)]
    return {"rows": rows, "weight": told["weight"], "found": weight}


def not_trained(path):
    """What evaluates and predicts makes no file; one that is under way is not taken over."""
    network, recorder = model(), tf_impl.Recorder(path)
    network.evaluate(ONES, ONES, verbose=0, callbacks=[recorder])
    network.predict(ONES, verbose=0, callbacks=[recorder])
    assert not path.exists()
    assert not path.with_suffix(".manifest.json").exists()

    class Takes(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            said = refused(lambda: tf_impl.Recorder(path))
            assert "is being recorded by another recorder" in said, said

    return made(HALVING) | {"found": fit(network, path, [Takes()], recorder=recorder)}


def wrong_losses(path):
    """What is no loss is refused in one line and leaves no mark."""
    network = model()
    with tf_impl.record(path) as recorder:
        recorder.watch(network.optimizer)
        network.optimizer.apply([tf.ones((1, 1))], network.trainable_variables)
        symbolic = []
        tf.function(lambda x: symbolic.append(x))(tf.ones(()))
        for wrong in ("x", None, tf.zeros(2), np.zeros(2), symbolic[0]):
            said = refused(lambda wrong=wrong: recorder.log(wrong))
            assert said.startswith("log: got "), said
            assert "\n" not in said, said
        recorder.log(tf.constant([0.5]))
    return {"rows": [[0, -1, -1, 1.0, 0.5]], "weight": -1.0, "found": float(network.get_weights()[0][0, 0])}


CASES = {
    "schedule": simple(HALVING),
    "number": simple([0.5] * 15, learning_rate=0.5),
    "scheduler": scheduler,
    "plateau": plateau,
    "eager": simple(HALVING, run_eagerly=True),
    "jit": simple(HALVING, jit_compile=True),
    "executions": simple(HALVING, steps_per_execution=4),
    "executions-jit": simple(HALVING, steps_per_execution=4, jit_compile=True),
    "many-executions": simple(HALVING, steps_per_execution=100),
    "progress-bar": simple(HALVING, fit={"verbose": 2}),
    "accumulated": accumulated,
    "validated": validated,
    "resumed": resumed,
    "started": started,
    "two-losses": two_losses,
    "loop": lambda path: loop(path, "graph", log_first=False),
    "loop-eager": lambda path: loop(path, None, log_first=False),
    "loop-xla": lambda path: loop(path, "xla", log_first=False),
    "loop-log-first": lambda path: loop(path, "graph", log_first=True),
    "scaled": scaled,
    "unnoticed": unnoticed,
    "mixed-names": mixed_names,
    "nothing-left": nothing_left,
    "broken-off": broken_off,
    "not-trained": not_trained,
    "wrong-losses": wrong_losses,
}
told = {name: case(FOLDER / f"{name}.csv") for name, case in CASES.items()}
print("\n" + json.dumps(told))
