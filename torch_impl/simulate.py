"""The rates that PyTorch's own schedulers give, without training: the scheduler is stepped bare."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from torch.optim.lr_scheduler import LRScheduler

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.programs import simulate as program
from samestep.experiment.programs.process import leave
from torch_impl import saved, schedules


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
    found = np.asarray(_stepped(scheduler, optimizer.param_groups[0], looked_up), dtype=np.float64)
    lengths = 1 if stepping == "step" else clock.steps_per_epoch
    return np.repeat(found, lengths)[:updates]


def _stepped(scheduler: LRScheduler, group: dict[str, Any], count: int) -> list[float]:
    """The rates before and between `count - 1` steps of a scheduler; fewer where it raises after its end."""
    found = [group["lr"]]
    note, rates = found.append, scheduler.get_lr
    inherited = type(scheduler).step is LRScheduler.step
    try:
        if not inherited:
            for _ in range(count - 1):
                scheduler.step()
                note(group["lr"])
            return found
        # What `LRScheduler.step` does for one group of parameters, without what it does for warnings at each step:
        # that takes four times as long as the rate itself.
        scheduler._get_lr_called_within_step = True
        for _ in range(count - 1):
            scheduler._step_count += 1
            scheduler.last_epoch += 1
            (group["lr"],) = rates()
            note(group["lr"])
    except ValueError:  # OneCycleLR after its last step
        pass
    return found


if __name__ == "__main__":
    leave(program.main("torch", rates, schedules, saved.load, sys.argv[1:]))
