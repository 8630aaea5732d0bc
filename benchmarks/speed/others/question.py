"""The question that samestep began with, as a script: does the decay change the training? Two fits and one figure.

``python question.py EPOCHS FIGURE``. The rate was meant to hold for 25 epochs; Keras counts 25 steps.
"""

import sys

import keras
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np


def fit(x, y, rate, epochs):
    """Train the network with a rate or a schedule. Returns the loss after each epoch."""
    keras.utils.set_random_seed(0)
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
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
    return model.fit(x, y, batch_size=32, epochs=epochs, verbose=0).history["loss"]


def main():
    """Train with and without the decay, and draw both losses."""
    epochs, picture = int(sys.argv[1]), sys.argv[2]
    draws = np.random.default_rng(0)
    x = draws.uniform(0, 2, (1000, 1)).astype("float32")
    y = draws.normal(x**2, 0.05).astype("float32")
    decay = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)
    for label, rate in {"constant": 1e-3, "decay": decay}.items():
        plt.semilogy(fit(x, y, rate, epochs), label=label)
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.savefig(picture)


if __name__ == "__main__":
    main()
