"""From the vocabulary to Keras: the native schedule, and the code a person would write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras

from experiment.clock import Clock, Stepping
from experiment.schedules import Constant, ExponentialDecay, Schedule


@dataclass(frozen=True)
class Native:
    """A schedule as Keras knows it.

    learning_rate : what the optimizer is made with, a float or a `LearningRateSchedule`.
    attach : given the optimizer, returns the callbacks that `fit` needs to walk the schedule.
    name : the class that does the work.
    note : why it is not the class one would expect, or None.
    """

    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule
    attach: Callable[[keras.optimizers.Optimizer], list[keras.callbacks.Callback]]
    name: str
    note: str | None = None


def build(schedule: Schedule, clock: Clock, stepping: Stepping) -> Native:
    """The native schedule with this stepping.

    Raises ValueError where a duration is not a whole number of steps.
    """
    if isinstance(schedule, Constant):
        return Native(schedule.initial, lambda optimizer: [], "float")
    decay = keras.optimizers.schedules.ExponentialDecay(
        schedule.initial, _decay_steps(schedule, clock, stepping), schedule.factor, schedule.staircase
    )
    if stepping == "step":
        return Native(decay, lambda optimizer: [], "ExponentialDecay")
    stride = _steps_per_call(schedule, clock)
    per_epoch = keras.callbacks.LearningRateScheduler(lambda epoch, lr: float(decay(epoch * stride)))
    note = (
        None if stride == 1 else f"ExponentialDecay is asked for the step at which each epoch begins, epoch * {stride}."
    )
    return Native(schedule.initial, lambda optimizer: [per_epoch], "LearningRateScheduler", note)


def source(schedule: Schedule, clock: Clock, stepping: Stepping) -> str:
    """The schedule as Keras code that a person would write, ready to paste."""
    if isinstance(schedule, Constant):
        return f"learning_rate = {schedule.initial!r}\n"
    decay = (
        "keras.optimizers.schedules.ExponentialDecay(\n"
        f"    {schedule.initial!r}, decay_steps={_decay_steps(schedule, clock, stepping)}, "
        f"decay_rate={schedule.factor!r}, staircase={schedule.staircase}\n"
        ")\n"
    )
    if stepping == "step":
        return f"import keras\n\nlearning_rate = {decay}"
    stride = _steps_per_call(schedule, clock)
    asked = "epoch" if stride == 1 else f"epoch * {stride}"
    return (
        f"import keras\n\nlearning_rate = {schedule.initial!r}\ndecay = {decay}"
        "# looked up once per epoch: model.fit(..., callbacks=[per_epoch])\n"
        f"per_epoch = keras.callbacks.LearningRateScheduler(lambda epoch, lr: float(decay({asked})))\n"
    )


def _steps_per_call(schedule: ExponentialDecay, clock: Clock) -> int:
    """How far the schedule's own count moves from one epoch to the next, where it is looked up per epoch."""
    in_epochs = schedule.every.unit == "epochs" and schedule.every.count.denominator == 1
    return 1 if in_epochs else clock.steps_per_epoch


def _decay_steps(schedule: ExponentialDecay, clock: Clock, stepping: Stepping) -> int:
    """The period in what the schedule counts: steps, or epochs where it is asked with the epoch."""
    if stepping == "epoch" and _steps_per_call(schedule, clock) == 1:
        return int(schedule.every.count)
    return clock.steps(schedule.every)
