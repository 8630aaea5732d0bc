"""Measure what Keras shows as the loss, beside each batch's own; print it as JSON."""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import keras
import numpy as np
import tensorflow as tf

import tf_impl

SAMPLES, BATCH_SIZE, EPOCHS = 1000, 32, 3  # the last batch has 8 rows
GENERATOR = np.random.default_rng(0)
X = GENERATOR.uniform(0, 2, (SAMPLES, 1)).astype("float32")
Y = (X**2 + GENERATOR.normal(0, 0.05, X.shape)).astype("float32")


class Shown(keras.callbacks.Callback):
    """What a callback sees after each batch."""

    def __init__(self):
        super().__init__()
        self.loss = []

    def on_train_batch_end(self, batch, logs=None):
        self.loss.append(float(logs["loss"]))


def model_of(loss="mse"):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((1,)), keras.layers.Dense(10, "tanh"), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), loss)
    return model


def fitted(folder, loss="mse"):
    """Everything that one `fit` shows: each batch's own loss, and what callbacks and loggers make of it."""
    recorder, shown = tf_impl.Recorder(folder / "own.csv"), Shown()
    board = keras.callbacks.TensorBoard(str(folder / "board"), update_freq="batch", write_graph=False)
    table = folder / "epochs.csv"
    callbacks = [recorder, shown, board, keras.callbacks.CSVLogger(str(table))]
    history = model_of(loss).fit(X, Y, BATCH_SIZE, EPOCHS, verbose=0, callbacks=callbacks)
    lines = [line.split(",") for line in table.read_text().splitlines()]
    own = [line.split(",") for line in (folder / "own.csv").read_text().splitlines()]
    return {
        "own": [float(line[own[0].index("loss")]) for line in own[1:]],
        "batch_end": shown.loss,
        "history": history.history["loss"],
        "csv": [float(line[lines[0].index("loss")]) for line in lines[1:]],
        "batch_loss": scalars(folder / "board", "batch_loss"),
        "epoch_loss": scalars(folder / "board", "epoch_loss"),
    }


def scalars(folder, tag):
    """The values of one series of an event file, in order."""
    found = []
    for file in sorted(folder.rglob("events*")):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            found += [float(tf.make_ndarray(value.tensor)) for value in event.summary.value if value.tag == tag]
    return found


def by_hand():
    """What `train_on_batch` returns, and each batch's own loss."""
    model, own, shown = model_of(), [], []
    compute_loss = model.compute_loss

    def kept(*args, **kwargs):
        loss = compute_loss(*args, **kwargs)
        own.append(float(loss))
        return loss

    model.compute_loss, model.run_eagerly = kept, True
    for start in range(0, SAMPLES, BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        shown.append(float(model.train_on_batch(X[rows], Y[rows])))
    return {"own": own, "shown": shown}


with tempfile.TemporaryDirectory() as folder:
    for name in ("mean", "sum"):
        Path(folder, name).mkdir()
    measured = {
        "fit": fitted(Path(folder, "mean")),
        "sum": fitted(Path(folder, "sum"), keras.losses.MeanSquaredError(reduction="sum")),
        "train_on_batch": by_hand(),
    }
json.dump(measured, sys.stdout)
