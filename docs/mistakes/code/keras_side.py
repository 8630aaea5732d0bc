"""One side of several pairs of runs: the rates that real Keras schedules give, one after the other.

Writes `NAME/a.csv` or `NAME/b.csv` for each pair.
"""

import csv
import math
from pathlib import Path

import keras

schedules = keras.optimizers.schedules


def staircase():
    """A step decay, taken over without `staircase=True`."""
    return schedules.ExponentialDecay(0.1, decay_steps=50, decay_rate=0.5)


def scale():
    """The rate for one process."""
    return schedules.ExponentialDecay(0.1, decay_steps=50, decay_rate=0.5, staircase=True)


def factor():
    """The rate is halved."""
    return schedules.ExponentialDecay(0.1, decay_steps=50, decay_rate=0.5, staircase=True)


def period():
    """40 epochs, counted in full batches only."""
    samples, batch_size, epochs = 100, 32, 40
    return schedules.CosineDecay(0.1, decay_steps=epochs * (samples // batch_size))


class Floored(schedules.LearningRateSchedule):
    """A schedule that never falls below a floor."""

    def __init__(self, schedule, floor):
        self.schedule, self.floor = schedule, floor

    def __call__(self, step):
        """The rate at a step."""
        return keras.ops.maximum(self.schedule(step), self.floor)


def floor():
    """A decay that stops at 0.02."""
    return Floored(schedules.ExponentialDecay(0.1, decay_steps=50, decay_rate=0.5), 0.02)


def length():
    """A step decay; `fit` trains on the short last batch of an epoch as well."""
    return schedules.ExponentialDecay(0.1, decay_steps=50, decay_rate=0.5, staircase=True)


def family():
    """A cosine to 0."""
    return schedules.CosineDecay(0.1, decay_steps=320)


def identical():
    """Numbers that float32 holds exactly: 1/8, and half of it."""
    return schedules.ExponentialDecay(0.125, decay_steps=50, decay_rate=0.5, staircase=True)


def write(name, side, schedule, steps):
    """The rate of each update as CSV."""
    Path(name).mkdir(exist_ok=True)
    with Path(name, f"{side}.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["step", "lr"])
        rows.writerows((step, float(schedule(step))) for step in range(steps))


write("staircase", "b", staircase(), 320)
write("scale", "a", scale(), 320)
write("factor", "a", factor(), 320)
write("period", "b", period(), 40 * math.ceil(100 / 32))
write("floor", "a", floor(), 320)
write("length", "a", length(), 10 * math.ceil(1000 / 32))
write("family", "a", family(), 320)
write("identical", "a", identical(), 320)
