"""What is noted beside the rates of a recorded run: who made and stepped its schedulers, and where in the code."""

from __future__ import annotations

from samestep.experiment.watching.facts import (
    Facts,
    FactsError,
    Group,
    Optimizer,
    Place,
    Process,
    Scheduler,
    Steps,
    Writes,
    read_facts,
)
from samestep.experiment.watching.notebook import Notebook
from samestep.experiment.watching.places import caller, epoch_of, frames, is_own

__all__ = [
    "Facts",
    "FactsError",
    "Group",
    "Notebook",
    "Optimizer",
    "Place",
    "Process",
    "Scheduler",
    "Steps",
    "Writes",
    "caller",
    "epoch_of",
    "frames",
    "is_own",
    "read_facts",
]
