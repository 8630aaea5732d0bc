"""From the vocabulary to Keras and back: the native schedule, and the code a person would write."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import keras

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import Constant, Schedule
from samestep.experiment.schedules.calls import written
from tf_impl import natives, stand_ins
from tf_impl.reading import notes, read

__all__ = ["Native", "as_native", "build", "notes", "read", "source"]


@dataclass(frozen=True)
class Native:
    """A schedule as Keras has it.

    Attributes:
        learning_rate: What the optimizer is made with, a float or a `LearningRateSchedule`.
        attach: Takes the optimizer and returns the callbacks that `fit` needs to follow the schedule.
        name: The class that does the work.
        note: Why this is not the class that one would expect, or None.
        exact: Whether all classes are Keras' own; False with a stand-in.
    """

    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule
    attach: Callable[[keras.optimizers.Optimizer], list[keras.callbacks.Callback]]
    name: str
    note: str | None = None
    exact: bool = True


class _PerEpoch:
    """What `LearningRateScheduler` asks at the start of each epoch: a schedule, at `stride` counts an epoch."""

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, stride: int) -> None:
        self.schedule, self.stride = schedule, stride

    def __call__(self, epoch: int, lr: float | None = None) -> float:
        """The rate of this epoch."""
        return float(self.schedule(epoch * self.stride))


def build(schedule: Schedule, clock: Clock, stepping: Stepping) -> Native:
    """Build the schedule as Keras has it, or a stand-in where Keras lacks it.

    Args:
        schedule: A schedule of the vocabulary.
        clock: Gives the steps of an epoch.
        stepping: ``step`` to look the rate up at every update, ``epoch`` once per epoch.

    Raises:
        ValueError: A duration is not a whole number of steps.
    """
    schedule.whole_steps(clock)
    if isinstance(schedule, Constant):
        note = natives.too_small(schedule, schedule.keras(schedule.count(clock, stepping)), clock)
        return Native(schedule.initial, lambda optimizer: [], "float", note)
    count = schedule.count(clock, stepping)
    call = natives.call_for(schedule, clock, stepping)
    exact = not any(each.is_stand_in for each in call.calls())
    asked = f"{call.short_name} is asked for the step at which each epoch begins, epoch * {count.stride}."
    said = (asked if count.stride != 1 else None, call.notes, natives.too_small(schedule, call, clock))
    note = " ".join(filter(None, said)) or None
    return as_native(natives.made(call), stepping, count.stride, schedule.base_lr, note, exact)


def as_native(
    live: float | keras.optimizers.schedules.LearningRateSchedule,
    stepping: Stepping,
    stride: int = 1,
    base_lr: float = 1.0,
    note: str | None = None,
    exact: bool = True,
) -> Native:
    """A live schedule with what `fit` needs to follow it.

    Args:
        live: The schedule, or a rate.
        stepping: As for `build`.
        stride: Counts of the schedule from one look-up to the next.
        base_lr: The optimizer's rate until the schedule is asked.
        note: As in `Native`.
        exact: As in `Native`.
    """
    if isinstance(live, float) or stepping == "step":
        return Native(live, lambda optimizer: [], type(live).__name__, note, exact)
    per_epoch = keras.callbacks.LearningRateScheduler(_PerEpoch(live, stride))
    return Native(base_lr, lambda optimizer: [per_epoch], "LearningRateScheduler", note, exact)


def source(schedule: Schedule, clock: Clock, stepping: Stepping) -> str:
    """The schedule as Keras code to paste, which defines `learning_rate`.

    Args:
        schedule: A schedule of the vocabulary.
        clock: Gives the steps of an epoch.
        stepping: As for `build`.

    Raises:
        ValueError: A duration is not a whole number of steps.
    """
    schedule.whole_steps(clock)
    if isinstance(schedule, Constant):
        return f"learning_rate = {schedule.initial!r}\n"
    count = schedule.count(clock, stepping)
    call = natives.call_for(schedule, clock, stepping)
    ours = dict.fromkeys(each.name for each in call.calls() if each.is_stand_in)
    lines = ["import keras", ""]
    if ours:
        classes = "\n\n".join(inspect.getsource(getattr(stand_ins, name)) for name in ours)
        registered, printed = (f'(package="{package}")' for package in natives.PACKAGES)
        classes = classes.replace(registered, printed)
        math = ["import math", ""] if "math." in classes else []
        lines = [*math, "import keras", "from keras import ops", "", "", classes, ""]
    if any(each.short_name == "PiecewiseConstantDecay" for each in call.calls()):
        lines.append("# Keras changes the rate one step after a boundary, so each is written one less")
    if stepping == "step":
        lines.append(f"learning_rate = {written(call)}")
        lines.append("# an optimizer made with it asks it before each update; there is nothing to step")
    else:
        asked = "epoch" if count.stride == 1 else f"epoch * {count.stride}"
        lines.append(f"learning_rate = {schedule.base_lr!r}")
        lines.append(f"schedule = {written(call)}")
        lines.append("# looked up once per epoch: model.fit(..., callbacks=[per_epoch])")
        lines.append(f"per_epoch = keras.callbacks.LearningRateScheduler(lambda epoch, lr: float(schedule({asked})))")
    return "\n".join([*lines, ""])
