"""Two traces as large as one likes: what tables are compared on."""

from __future__ import annotations

import numpy as np

from samestep.experiment.plan import Plan, question
from samestep.experiment.trace import Trace, run_rows, stack


def plan(rows: int) -> Plan:
    """The default plan with about so many rows: its arms and steps an epoch, and as many epochs as that takes."""
    default = question()
    per_epoch = len(default.arms) * default.clock.steps_per_epoch
    return default.replace(epochs=max(1, round(rows / per_epoch)))


def trace(framework: str, of: Plan, seed: int) -> Trace:
    """A trace of this plan: the closed forms with a rounding of its own, and losses that fall, with noise."""
    draws = np.random.default_rng(seed)
    steps = np.arange(of.steps)
    runs = []
    for arm in of.arms:
        lr = arm.rate(steps, of.clock) * (1 + 1e-8 * draws.standard_normal(of.steps))
        runs.append(run_rows(framework, arm.name, 0, of.clock, lr, draws.lognormal(size=of.steps) / (1 + steps)))
    return Trace(stack(runs), {}, {})
