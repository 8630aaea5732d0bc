"""What is noted of the objects of a Keras run: what they were made with, and the schedule that they follow."""

from __future__ import annotations

import inspect
from typing import Any

import keras

from samestep.experiment.clock import Clock
from tf_impl import reading


def arguments(held: Any) -> dict[str, Any]:
    """The numbers and texts that something of Keras' own was made with, other than its defaults."""
    if not _is_keras(held):
        return {}
    given = held.get_config() if hasattr(held, "get_config") else vars(held)
    taken = inspect.signature(type(held).__init__).parameters
    plain = {
        name: given[name]
        for name, each in taken.items()
        if name in given and name != "name" and given[name] != each.default and _is_plain(given[name])
    }
    return {name: list(value) if isinstance(value, list | tuple) else value for name, value in plain.items()}


def schedule_of(held: Any) -> dict[str, Any] | None:
    """A schedule in the vocabulary; None for a class or a function of the user's own, which is not called."""
    if not isinstance(held, keras.optimizers.schedules.LearningRateSchedule) or not _is_keras(held):
        return None
    dumped: dict[str, Any] = reading.of_itself(held, Clock.STEPS, "step").model_dump(mode="json")
    return dumped


def takes_rate(function: Any) -> bool:
    """Whether the function of a `LearningRateScheduler` is given the rate before."""
    try:
        inspect.signature(function).bind(0, 0.0)
    except (TypeError, ValueError):
        return False
    return True


def _is_keras(held: Any) -> bool:
    return type(held).__module__.partition(".")[0] == "keras"


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(each, int | float) for each in value)
    return isinstance(value, bool | int | float | str)
