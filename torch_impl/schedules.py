"""From the vocabulary to PyTorch and back: the native schedule, and the code a person would write."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.optim import lr_scheduler

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import Constant, Schedule
from samestep.experiment.schedules.calls import written
from torch_impl import natives, stand_ins
from torch_impl.natives import ClosedForm
from torch_impl.reading import notes, read

__all__ = ["Native", "build", "notes", "read", "source"]


@dataclass(frozen=True)
class Native:
    """A schedule as PyTorch has it.

    Attributes:
        learning_rate: What the optimizer is made with, a float.
        attach: Takes the optimizer and returns the scheduler that the loop must step, or None.
        name: The class that does the work.
        note: Why this is not the class that one would expect, or None.
        exact: Whether all classes are PyTorch's own; False with a stand-in.
    """

    learning_rate: float
    attach: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler | None]
    name: str
    note: str | None = None
    exact: bool = True


def build(schedule: Schedule, clock: Clock, stepping: Stepping) -> Native:
    """Build the schedule as PyTorch has it, or a stand-in where PyTorch lacks it.

    Args:
        schedule: A schedule of the vocabulary.
        clock: Gives the steps of an epoch.
        stepping: ``step`` to look the rate up at every update, ``epoch`` once per epoch.

    Raises:
        ValueError: A duration is not a whole number of steps.
    """
    schedule.whole_steps(clock)
    if isinstance(schedule, Constant):
        return Native(schedule.initial, lambda optimizer: None, "float")
    call = natives.call_for(schedule, clock, stepping)
    base_lr = call.base_lr or schedule.base_lr
    if not call.is_stand_in:
        return Native(base_lr, lambda optimizer: natives.made(call, optimizer), call.short_name, call.note)
    make = functools.partial(lr_scheduler.LambdaLR, lr_lambda=ClosedForm(schedule, clock, stepping))
    return Native(base_lr, make, "LambdaLR", call.note, exact=False)


def source(schedule: Schedule, clock: Clock, stepping: Stepping) -> str:
    """The schedule as PyTorch code to paste, which defines `scheduler`.

    Args:
        schedule: A schedule of the vocabulary.
        clock: Gives the steps of an epoch.
        stepping: As for `build`.

    Raises:
        ValueError: A duration is not a whole number of steps.
    """
    schedule.whole_steps(clock)
    call = natives.call_for(schedule, clock, stepping)
    base = f"base_lr = {call.base_lr!r}  # optimizer = ...(model.parameters(), lr=base_lr)"
    step = f"# scheduler.step() after each {'batch' if stepping == 'step' else 'epoch'}"
    if stepping == "step" and clock.accumulate > 1:
        step = "# scheduler.step() after each optimizer.step()"
    if not call.is_stand_in:
        comment = ["# changes nothing; for code that expects a scheduler"] if isinstance(schedule, Constant) else []
        return "\n".join(["import torch", "", base, *comment, f"scheduler = {written(call)}", step, ""])
    asked = schedule.count(clock, stepping).asked
    names = dict.fromkeys(each.name for each in call.calls())
    ours = "\n\n".join(inspect.getsource(getattr(stand_ins, name)) for name in names)
    imports = [f"import {name}" for name in ("bisect", "math") if f"{name}." in ours]
    scheduler = f"torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: rate({asked}) / base_lr)"
    lines = [*imports, ""] if imports else []
    lines += ["import torch", "", "", ours, "", base, f"rate = {written(call)}", f"scheduler = {scheduler}", step, ""]
    return "\n".join(lines)
