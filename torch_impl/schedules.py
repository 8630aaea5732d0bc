"""From the vocabulary to PyTorch: the native schedule, and the code a person would write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import torch

from experiment.clock import Clock, Stepping
from experiment.schedules import Constant, ExponentialDecay, Schedule


@dataclass(frozen=True)
class Native:
    """A schedule as PyTorch knows it.

    learning_rate : what the optimizer is made with, a float.
    attach : given the optimizer, returns the scheduler that the loop must step, or None.
    name : the class that does the work.
    note : why it is not the class one would expect, or None.
    """

    learning_rate: float
    attach: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler | None]
    name: str
    note: str | None = None


def build(schedule: Schedule, clock: Clock, stepping: Stepping) -> Native:
    """The native schedule with this stepping.

    Raises ValueError where a duration is not a whole number of steps.
    """
    if isinstance(schedule, Constant):
        return Native(schedule.initial, lambda optimizer: None, "float")
    schedulers = torch.optim.lr_scheduler
    period = _period(schedule, clock, stepping)
    if not schedule.staircase:
        gamma = schedule.factor ** float(1 / period)
        return Native(schedule.initial, lambda optimizer: schedulers.ExponentialLR(optimizer, gamma), "ExponentialLR")
    if period.denominator == 1:
        return Native(
            schedule.initial,
            lambda optimizer: schedulers.StepLR(optimizer, int(period), schedule.factor),
            "StepLR",
        )
    every, stride = period.as_integer_ratio()
    note = f"LambdaLR stands in for StepLR, which counts whole epochs: the period is {every}/{stride} of an epoch."
    return Native(
        schedule.initial,
        lambda optimizer: schedulers.LambdaLR(optimizer, lambda epoch: schedule.factor ** (epoch * stride // every)),
        "LambdaLR",
        note,
    )


def source(schedule: Schedule, clock: Clock, stepping: Stepping) -> str:
    """The schedule as PyTorch code that a person would write, ready to paste."""
    if isinstance(schedule, Constant):
        return f"base_lr = {schedule.initial!r}  # optimizer = ...(model.parameters(), lr=base_lr)\n"
    period = _period(schedule, clock, stepping)
    every, stride = period.as_integer_ratio()
    if not schedule.staircase:
        exponent = f"(1 / {every})" if stride == 1 else f"({stride} / {every})"
        scheduler = f"ExponentialLR(optimizer, gamma={schedule.factor!r} ** {exponent})"
    elif stride == 1:
        scheduler = f"StepLR(optimizer, step_size={every}, gamma={schedule.factor!r})"
    else:
        scheduler = f"LambdaLR(optimizer, lambda epoch: {schedule.factor!r} ** (epoch * {stride} // {every}))"
    return (
        "import torch\n\n"
        f"base_lr = {schedule.initial!r}  # optimizer = ...(model.parameters(), lr=base_lr)\n"
        f"scheduler = torch.optim.lr_scheduler.{scheduler}\n"
        f"# scheduler.step() after each {'batch' if stepping == 'step' else 'epoch'}\n"
    )


def _period(schedule: ExponentialDecay, clock: Clock, stepping: Stepping) -> Fraction:
    """The period in calls of `scheduler.step()`."""
    return Fraction(clock.steps(schedule.every), 1 if stepping == "step" else clock.steps_per_epoch)
