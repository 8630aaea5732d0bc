"""The rates that PyTorch's own schedulers give, without training: the scheduler is stepped bare."""

from __future__ import annotations

import sys

import numpy as np
import torch

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.programs import simulate as program
from samestep.experiment.programs.process import leave
from torch_impl import natives, saved, schedules


def rates(native: schedules.Native, clock: Clock, stepping: Stepping, updates: int) -> np.ndarray:
    """The rate that each update would use: float64, shape (updates,).

    Shorter where the native scheduler raises after its end.
    """
    looked_up = updates if stepping == "step" else -(-updates // clock.steps_per_epoch)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=native.learning_rate)
    scheduler = native.attach(optimizer)
    if scheduler is None:
        return np.full(updates, native.learning_rate)
    optimizer.step()  # a scheduler warns where it is stepped before any update
    found = np.asarray(natives.stepped(scheduler, looked_up), dtype=np.float64)
    lengths = 1 if stepping == "step" else clock.steps_per_epoch
    return np.repeat(found, lengths)[:updates]


if __name__ == "__main__":
    leave(program.main("torch", rates, schedules, saved.load, sys.argv[1:]))
