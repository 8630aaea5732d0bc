"""From Keras' schedules back to the vocabulary, from what their configs say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_origin

import keras
import numpy as np
import tensorflow as tf
from pydantic import ValidationError

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.programs.simulate import proof_length
from samestep.experiment.schedules import SCHEDULES, Constant, Schedule, ScheduleModel
from samestep.experiment.schedules.calls import DEPENDS_ON_LOSSES, Config, number
from samestep.experiment.schedules.functions import asked_by, of_printed
from samestep.experiment.schedules.piecewise_constant import tabulated
from samestep.experiment.validation import describe
from tf_impl import natives, stand_ins

CHECKED = 1_000
"""Counts at which what says which schedule it is is held against its own rates, at most."""

NEAR = 2.0**-18
"""How far they may lie apart, besides what float32 makes of their parameters: 64 of float32's roundings."""


def read(
    native: float | keras.optimizers.schedules.LearningRateSchedule,
    clock: Clock,
    stepping: Stepping,
    calls: int | None = None,
) -> Schedule:
    """Read a schedule of Keras, from its config. What is not Keras' own class is held against the rates that it gives.

    Args:
        native: A schedule of Keras, a stand-in, one that samestep printed, its callback, or a rate.
        clock: For a schedule in steps that is asked once per epoch.
        stepping: ``epoch`` where the native schedule is asked with the epoch. It then counts in epochs.
        calls: How often to ask a class of the user's own, or the function of a `LearningRateScheduler`. The result is
            piecewise constant and holds its last rate.

    Raises:
        ValueError: The class is not known and `calls` is not given, or it counts in fractions, or depends on losses.
    """
    if isinstance(native, (int, float)):
        return Constant(initial=float(native))
    if isinstance(native, keras.callbacks.ReduceLROnPlateau):
        raise ValueError(DEPENDS_ON_LOSSES.format("ReduceLROnPlateau"))
    try:
        return of_itself(native, clock, stepping)
    except ValueError as error:
        if not calls:
            raise ValueError(f"{error} With calls=N, read asks it N times.") from None
    return tabulated(_asked(native, calls), stepping)


def of_itself(native: Any, clock: Clock, stepping: Stepping) -> Schedule:
    """The schedule of Keras' own or ours by its config; any other where its rates confirm what it says."""
    name = type(native).__name__
    if isinstance(native, keras.callbacks.LearningRateScheduler):
        made, counts = asked_by(native.schedule, _ENTRIES, clock, stepping)
        if hasattr(native.schedule, "stride"):  # ours
            made, counts = native.schedule.schedule, "step" if native.schedule.stride > 1 else stepping
        if made is not None:
            return _confirmed(native, of_itself(made, clock, counts), clock, stepping)
    elif (known := _known(native)) is not None:
        schedule = _of_config(known, native, clock, stepping)
        whole = any(isinstance(each, int) for each in _rates(native))
        return (
            schedule if type(native).__name__ == known and not whole else _confirmed(native, schedule, clock, stepping)
        )
    elif hasattr(stand_ins, name):
        made = of_printed(native, stepping, lambda each: of_itself(each, clock, stepping))
        return _confirmed(native, made, clock, stepping)
    raise ValueError(f"{name} is not a schedule that samestep can read. It reads {', '.join(KNOWN)}.")


def _known(native: Any) -> str | None:
    """The name of the class that a schedule is, or is made of: Keras' own, or ours."""
    for each in type(native).__mro__:
        ours = (getattr(keras.optimizers.schedules, each.__name__, None), getattr(stand_ins, each.__name__, None))
        if each.__name__ in _ENTRIES and each in ours:
            return each.__name__
    return None


def _of_config(name: str, native: Any, clock: Clock, stepping: Stepping) -> Schedule:
    entry = _ENTRIES[name]
    values = {key: _checked(entry, key, value) for key, value in native.get_config().items() if key != "name"}
    try:
        return entry.from_keras(Config(name, values, stepping, lambda config: _within(config, clock, stepping)))  # type: ignore[return-value]  # one of the union
    except ValidationError as error:
        if values.get("initial_learning_rate") == 0:
            raise ValueError(f"{name} has a rate of 0 throughout: it shows no schedule. Give it a rate.") from None
        raise ValueError(f"{name}: {describe(error)}") from None
    except KeyError as error:
        raise ValueError(f"{type(native).__name__}: its config has no {error}.") from None


def _rates(native: Any) -> Sequence[Any]:
    """The numbers in whose type Keras computes."""
    return [getattr(native, "initial_learning_rate", None), *getattr(native, "values", ())]


def _confirmed(native: Any, schedule: Schedule, clock: Clock, stepping: Stepping) -> Schedule:
    """A schedule that was read, where what was given has the same rates. Raises ValueError where it has not."""
    calls = min(CHECKED, -(-proof_length(schedule, clock) // (1 if stepping == "step" else clock.steps_per_epoch)))
    steps = np.arange(calls) * (1 if stepping == "step" else clock.steps_per_epoch)
    meant = schedule.rate(steps, clock)
    off = None
    try:
        rates = np.array(_asked(native, calls) if callable(getattr(native, "schedule", None)) else _all(native, calls))
        allowed = schedule.float32_drift(steps, clock) + NEAR * np.maximum(meant, schedule.float32_scale(steps, clock))
        off = ~(np.abs(rates - meant) <= 2 * allowed + NEAR * meant.max())
    except (tf.errors.OpError, TypeError) as error:
        said = f"Keras cannot compute its rates ({type(error).__name__})"
    if off is not None:
        if not off.any():
            return schedule
        call = int(off.argmax())
        said = f"at count {call} its rate is {rates[call]:.6g}, where {meant[call]:.6g} would be read"
    whole = next((each for each in _rates(native) if isinstance(each, int)), None)
    if whole is not None:
        raise ValueError(
            f"{type(native).__name__} is given {whole}, an integer, so Keras computes in whole numbers: {said}. "
            f"Write {float(whole)}."
        )
    raise ValueError(f"{type(native).__name__} is not the schedule that its config says: {said}.")


def _all(native: Any, calls: int) -> list[float]:
    """The rates of a schedule, at once where it takes arrays."""
    try:
        return list(natives.asked(native, np.arange(calls)))
    except (ValueError, TypeError):
        return _asked(native, calls)


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
    if isinstance(value, bool | dict) or is_word or (value is None and entry.may_be_none(key)):
        return value
    if isinstance(value, list | tuple):
        return [_checked(entry, key, each) for each in value]
    return number(key, value)


_ENTRIES = {name: entry for entry in SCHEDULES for name in entry.KERAS}
"""The entry that reads each class, by its name."""

KNOWN = tuple(sorted(_ENTRIES, key=lambda name: not hasattr(keras.optimizers.schedules, name)))
"""Names of the classes that can be read: Keras' own, then the stand-ins."""
