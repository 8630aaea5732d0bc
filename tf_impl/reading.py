"""From Keras' schedules back to the vocabulary, from what their configs say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_origin

import keras
from pydantic import ValidationError

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import SCHEDULES, Constant, Schedule, ScheduleModel
from samestep.experiment.schedules.calls import DEPENDS_ON_LOSSES, Config, number
from samestep.experiment.schedules.piecewise_constant import tabulated
from samestep.experiment.validation import describe
from tf_impl import natives, stand_ins


def read(
    native: float | keras.optimizers.schedules.LearningRateSchedule,
    clock: Clock,
    stepping: Stepping,
    calls: int | None = None,
) -> Schedule:
    """Read a schedule of Keras, from its config.

    Args:
        native: A schedule of Keras, a stand-in, or a rate.
        clock: Not used: Keras' schedules count steps. It is here so that both frameworks are asked alike.
        stepping: ``epoch`` where the native schedule is asked with the epoch. It then counts in epochs.
        calls: How often to ask a class of the user's own, or the function of a `LearningRateScheduler`. The result is
            piecewise constant and holds its last rate.

    Raises:
        ValueError: The class is not known and `calls` is not given, or it counts in fractions, or depends on losses.
    """
    if isinstance(native, (int, float)):
        return Constant(initial=float(native))
    name = type(native).__name__
    if isinstance(native, keras.callbacks.ReduceLROnPlateau):
        raise ValueError(DEPENDS_ON_LOSSES)
    ours = (getattr(keras.optimizers.schedules, name, None), getattr(stand_ins, name, None))
    if name in _ENTRIES and type(native) in ours:
        entry = _ENTRIES[name]
        values = {key: _checked(entry, key, value) for key, value in native.get_config().items() if key != "name"}
        try:
            return entry.from_keras(Config(name, values, stepping, lambda config: _within(config, clock, stepping)))  # type: ignore[return-value]  # one of the union
        except ValidationError as error:
            raise ValueError(f"{name}: {describe(error)}") from None
    if calls:
        return tabulated(_asked(native, calls), stepping)
    raise ValueError(
        f"{name} is not a schedule that samestep can read. It reads {', '.join(KNOWN)}; a class or a function of your "
        "own is asked where you give calls=N to read."
    )


def notes(native: float | keras.optimizers.schedules.LearningRateSchedule) -> tuple[str, ...]:
    """What a native schedule does that the vocabulary cannot say: it misses a restart in float32."""
    if type(native) is not keras.optimizers.schedules.CosineDecayRestarts:
        return ()
    schedule = read(native, Clock.STEPS, "step")
    missed = natives.call_for(schedule, Clock.STEPS, "step").note
    if missed is None:
        return ()
    said = missed.partition(" stands in for ")[2]
    return (said.replace(", which finds", " finds").replace("and here misses", "and misses"),)


def _within(config: Any, clock: Clock, stepping: Stepping) -> Schedule:
    return read(keras.optimizers.schedules.deserialize(config), clock, stepping)


def _asked(native: Any, calls: int) -> list[float]:
    """The rates of a schedule class of its user's, or of a function."""
    rates: list[float] = []
    for n in range(calls):
        if isinstance(native, keras.callbacks.LearningRateScheduler):
            rates.append(_of_function(native.schedule, n, rates[-1] if rates else float("nan")))
        else:
            rates.append(float(native(n)))
    if any(rate != rate for rate in rates):
        raise ValueError("its rates depend on the optimizer's own. Record a run and compare its trace.")
    return rates


def _of_function(function: Callable[..., float], epoch: int, lr: float) -> float:
    """What `LearningRateScheduler` asks: a function of the epoch, and perhaps of the rate before."""
    try:
        return float(function(epoch, lr))
    except TypeError:
        return float(function(epoch))


def _checked(entry: type[ScheduleModel], key: str, value: Any) -> Any:
    """A value of a config: numbers as floats, all else as it is. Raises ValueError where a number is none."""
    is_word = key in entry.model_fields and get_origin(entry.model_fields[key].annotation) is Literal
    if isinstance(value, bool | dict) or is_word or (key == "warmup_target" and value is None):
        return value
    if key in ("initial_learning_rate", "values") and isinstance(value, int):
        raise ValueError(
            f"{key}: got {value}, an integer, with which Keras computes in whole numbers. Write {value}.0."
        )
    if isinstance(value, list | tuple):
        return [_checked(entry, key, each) for each in value]
    return number(key, value)


_ENTRIES = {name: entry for entry in SCHEDULES for name in entry.KERAS}
"""The entry that reads each class, by its name."""

KNOWN = tuple(sorted(_ENTRIES, key=lambda name: not hasattr(keras.optimizers.schedules, name)))
"""Names of the classes that can be read: Keras' own, then the stand-ins."""
