"""The rates that Keras' own schedules give, without training: a schedule is asked with arrays."""

from __future__ import annotations

import sys

import numpy as np

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.programs import simulate as program
from samestep.experiment.programs.process import leave
from tf_impl import natives, saved, schedules

_CHUNK = 2**18


def rates(native: schedules.Native, clock: Clock, stepping: Stepping, updates: int) -> np.ndarray:
    """The rate that each update would use: float64, shape (updates,), widened from what Keras gives."""
    looked_up = updates if stepping == "step" else -(-updates // clock.steps_per_epoch)
    asked, stride = native.learning_rate, 1
    for callback in native.attach(None):
        asked, stride = callback.schedule.schedule, callback.schedule.stride
    if isinstance(asked, float):  # held by the optimizer as float32
        return np.full(updates, np.float32(asked), dtype=np.float64)
    counts = np.arange(looked_up, dtype=np.int64) * stride
    found = np.concatenate([natives.asked(asked, counts[at : at + _CHUNK]) for at in range(0, looked_up, _CHUNK)])
    lengths = 1 if stepping == "step" else clock.steps_per_epoch
    return np.repeat(found, lengths)[:updates]


if __name__ == "__main__":
    leave(program.main("tensorflow", rates, schedules, saved.load, sys.argv[1:]))
