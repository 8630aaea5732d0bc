"""``python -m torch_impl PLAN OUT``: train every arm of a plan with PyTorch and write the trace."""

from __future__ import annotations

import sys

from samestep.experiment.programs import train
from samestep.experiment.programs.process import importing, leave


def load() -> train.Implementation:
    """Import PyTorch, and with it what trains in it."""
    with importing():
        from torch_impl import fast, schedules, training

    return train.Implementation(training, fast, schedules)


if __name__ == "__main__":
    leave(train.main("torch", load, sys.argv[1:]))
