"""Record the pairs of runs of `tests/data/pairs` in which Keras takes part.

Recorded with Keras 3.15.1 on TensorFlow 2.21.0, Python 3.11, on a CPU. Run:

    python tests/data/record/pairs_keras.py

One weight is trained by `fit` with SGD on a gradient of 1 and put back to 0 before each batch. After the batch it is
therefore minus the rate that the update used, in all bits: no logger stands between.
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from rows import write_pair

schedules = keras.optimizers.schedules


class Updates(keras.callbacks.Callback):
    """The rate that each applied update used, and the one that the optimizer shows when the batch has ended."""

    def __init__(self, accumulate):
        super().__init__()
        self.accumulate, self.used, self.shown = accumulate, [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.set_weights([np.zeros((1, 1), "float32")])

    def on_train_batch_end(self, batch, logs=None):
        self.shown.append(float(self.model.optimizer.learning_rate))
        moved = float(self.model.get_weights()[0][0, 0])
        if len(self.shown) % self.accumulate == 0:
            self.used.append(0.0 - moved)
        elif moved:  # such a batch only collects its gradient
            raise AssertionError(f"batch {len(self.shown) - 1} moved the weight by {moved}")


def network():
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])


def compiled(model, rate, **options):
    """The loss is the prediction, w * x: with x = 1 its gradient is 1."""
    model.compile(keras.optimizers.SGD(rate, **options), loss=lambda y, prediction: prediction)
    return model


def one_weight(rate, **options):
    return compiled(network(), rate, **options)


def fit(model, samples, batch_size, epochs, callbacks=(), **options):
    updates, ones = Updates(model.optimizer.gradient_accumulation_steps or 1), np.ones((samples, 1), "float32")
    model.fit(ones, ones, batch_size, epochs, verbose=0, callbacks=[updates, *callbacks], **options)
    return updates


def question():
    """`decay_steps=25` meant as epochs (a), and as Keras reads it (b)."""
    decay = schedules.ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)
    per_epoch = keras.callbacks.LearningRateScheduler(lambda epoch, rate: float(decay(epoch)))
    write_pair("question", "a", fit(one_weight(1e-3), 1000, 32, 50, [per_epoch]).used)
    write_pair("question", "b", fit(one_weight(decay), 1000, 32, 50).used)


def read_at_batch_end():
    """The rate used (a), and the same run's rate as read in `on_train_batch_end` (b)."""
    updates = fit(one_weight(schedules.ExponentialDecay(1e-3, 25, 0.95, staircase=True)), 1000, 32, 10)
    write_pair("read-at-batch-end", "a", updates.used)
    write_pair("read-at-batch-end", "b", updates.shown)


def gradient_accumulation():
    """Batches of 32 (a), and of 8 with gradient_accumulation_steps=4 (b): as many updates of as many samples."""
    decay = {"initial_learning_rate": 0.1, "decay_steps": 40, "decay_rate": 0.5, "staircase": True}
    write_pair("gradient-accumulation", "a", fit(one_weight(schedules.ExponentialDecay(**decay)), 640, 32, 10).used)
    accumulating = one_weight(schedules.ExponentialDecay(**decay), gradient_accumulation_steps=4)
    write_pair("gradient-accumulation", "b", fit(accumulating, 640, 8, 10).used)


def resume():
    """Uninterrupted (a), and from epoch 5 on resumed with `load_weights` in a new model that is compiled next (b).

    The file of `save_weights` holds the optimizer's count of steps. An optimizer that comes after `load_weights`, or
    one that has no slots yet where the file has them (Adam), starts again at 0.
    """
    decay = {"initial_learning_rate": 0.1, "decay_steps": 60, "decay_rate": 0.5, "staircase": True}
    write_pair("resume-load-weights", "a", fit(one_weight(schedules.ExponentialDecay(**decay)), 1000, 32, 10).used)
    first, second = one_weight(schedules.ExponentialDecay(**decay)), network()
    before = fit(first, 1000, 32, 5).used
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "model.weights.h5"
        first.save_weights(weights)
        second.load_weights(weights)
    compiled(second, schedules.ExponentialDecay(**decay))
    after = fit(second, 1000, 32, 10, initial_epoch=5).used
    write_pair("resume-load-weights", "b", before + after)


def cosine():
    """Keras' half of the pair: `CosineDecay` of 200 steps, 320 updates."""
    write_pair("cosine-past-the-end", "a", fit(one_weight(schedules.CosineDecay(0.1, 200)), 640, 32, 16).used)


def piecewise():
    """Keras' half of the pair: a boundary at 100, 200 updates."""
    decay = schedules.PiecewiseConstantDecay([100], [0.1, 0.01])
    write_pair("boundary-against-milestone", "a", fit(one_weight(decay), 640, 32, 10).used)


def slow_decay():
    """Keras' half of the pair: 100,000 steps asked of the schedule as a compiled step asks it; no training."""
    decay = tf.function(schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.9999))
    rates = [float(decay(tf.constant(step, tf.int64))) for step in range(100_000)]
    write_pair("slow-decay", "a", rates, every=50)


if __name__ == "__main__":
    for record in (
        question,
        read_at_batch_end,
        gradient_accumulation,
        resume,
        cosine,
        piecewise,
        slow_decay,
    ):
        record()
