"""Record what Keras' CSVLogger and TensorBoard callbacks write.

Recorded with Keras 3.15.1 on TensorFlow 2.21.0, Python 3.11, on a CPU. Run:

    python tests/data/record/keras_logs.py

80 samples in batches of 4: 20 updates an epoch, 6 epochs. The rates used in epoch e are 0.1 * 0.5 ** (e // 2) under
`LearningRateScheduler`, and 0.1 * 0.97 ** n at update n under the schedule object. `tests/data/used` gets those under
`ReduceLROnPlateau`, asked as each epoch's first batch begins.
"""

import shutil

import keras
import numpy as np
from rows import DATA, write

SAMPLES, BATCH_SIZE, EPOCHS = 80, 4, 6


class Used(keras.callbacks.Callback):
    """The rate of each epoch's updates where it is constant within the epoch."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self.rates.append(float(self.model.optimizer.learning_rate))


def fit(rate, *callbacks):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    x = np.random.default_rng(0).random((SAMPLES, 1), "float32")
    used = Used()
    model.fit(x, x**2, BATCH_SIZE, EPOCHS, verbose=0, validation_split=0.0, callbacks=[*callbacks, used])
    return used.rates


def scheduler():
    return keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.1 * 0.5 ** (epoch // 2))


def plateau():
    """Nothing improves by 10, so that the rate falls every second epoch."""
    return keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=10.0)


def smooth():
    return keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.97)


def csv_logger(name, rate, *callbacks):
    """The rate's callback stands before the logger, as it must for its column to be there."""
    folder = DATA / "logs" / "keras-csv"
    folder.mkdir(parents=True, exist_ok=True)
    return fit(rate, *callbacks, keras.callbacks.CSVLogger(str(folder / f"{name}.csv")))


def tensorboard(name, rate, update_freq, *callbacks):
    folder = DATA / "logs" / "keras-tensorboard" / name
    shutil.rmtree(folder, ignore_errors=True)
    return fit(rate, *callbacks, keras.callbacks.TensorBoard(folder, write_graph=False, update_freq=update_freq))


if __name__ == "__main__":
    csv_logger("scheduler", 0.1, scheduler())
    used = csv_logger("plateau", 0.1, plateau())
    write(DATA / "used" / "keras-csv-plateau.csv", ["epoch", "lr"], list(enumerate(used)))
    csv_logger("none", smooth())
    tensorboard("epoch", smooth(), "epoch")
    tensorboard("batch", smooth(), 1)
    tensorboard("scheduler", 0.1, "epoch", scheduler())
    used = tensorboard("plateau", 0.1, "epoch", plateau())
    write(DATA / "used" / "keras-tensorboard-plateau.csv", ["epoch", "lr"], list(enumerate(used)))
