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

__all__ = [
    "Facts",
    "FactsError",
    "Group",
    "Optimizer",
    "Place",
    "Process",
    "Scheduler",
    "Steps",
    "Writes",
    "read_facts",
]
