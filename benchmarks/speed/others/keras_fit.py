"""Keras as everybody writes it: `fit` with a callback that notes the rate and the loss at every batch.

``python keras_fit.py EPOCHS…`` trains the network of the default plan afresh for each number, with 25 steps between
decays, and prints the seconds that each training took, building and tracing included.
"""

import json
import sys
import time

import keras
import numpy as np


class Note(keras.callbacks.Callback):
    """The rate that each batch is about to use, and the loss that Keras tells after it."""

    def __init__(self):
        super().__init__()
        self.rates = []
        self.losses = []

    def on_train_batch_begin(self, batch, logs=None):
        """Note the rate."""
        self.rates.append(float(self.model.optimizer.learning_rate))

    def on_train_batch_end(self, batch, logs=None):
        """Note the loss."""
        self.losses.append(logs["loss"])


def data():
    """A thousand points around a parabola."""
    draws = np.random.default_rng(0)
    x = draws.uniform(0, 2, (1000, 1)).astype("float32")
    return x, draws.normal(x**2, 0.05).astype("float32")


def train(x, y, epochs, seed):
    """Build, compile and fit. Returns what was noted."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(10, activation="tanh"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="tanh"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1),
        ]
    )
    rate = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
    note = Note()
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, callbacks=[note])
    return note


def main():
    """Train as often as was asked for."""
    x, y = data()
    seconds = []
    for seed, epochs in enumerate(map(int, sys.argv[1:])):
        began = time.perf_counter()
        note = train(x, y, epochs, seed)
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds, "updates": len(note.losses), "last_rate": note.rates[-1]}))


if __name__ == "__main__":
    main()
