"""``python -m torch_impl PLAN OUT``: train every arm of a plan with PyTorch and write the trace."""

from __future__ import annotations

import sys

from experiment import worker
from experiment.program import importing, leave


def load() -> worker.Implementation:
    """Import PyTorch, and with it what trains in it."""
    with importing():
        from torch_impl import fast, schedules, training

    return worker.Implementation(training, fast, schedules)


if __name__ == "__main__":
    leave(worker.main("torch", load, sys.argv[1:]))
