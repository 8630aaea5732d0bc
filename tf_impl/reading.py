"""From Keras' schedules back to the vocabulary, from what their configs say."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
from pydantic import ValidationError

from experiment.clock import Clock, Duration, Stepping
from experiment.schedules import (
    Constant,
    CosineDecay,
    CosineRestarts,
    Cyclic,
    ExponentialDecay,
    InverseTimeDecay,
    Linear,
    OneCycle,
    PiecewiseConstant,
    PolynomialDecay,
    Product,
    Schedule,
    Sequence,
    Warmup,
)
from experiment.schedules.base import counted, number, tidy
from experiment.validation import describe
from tf_impl import natives, stand_ins


def read(
    native: float | keras.optimizers.schedules.LearningRateSchedule,
    clock: Clock,
    stepping: Stepping,
    calls: int | None = None,
) -> Schedule:
    """The vocabulary schedule that a native one is, from its config.

    clock : not needed by Keras, whose schedules count steps; taken so that both frameworks are asked alike.
    stepping : ``epoch`` where the native schedule is asked with the epoch; it then counts in epochs.
    calls : for a schedule class of its user's, or the `LearningRateScheduler` of a function: how many counts to ask it
        for. The schedule is then piecewise constant, and holds its last rate.
    Raises ValueError for a schedule that is none of Keras' and none of ours without `calls`, for one that counts in
    fractions, and for one that depends on the losses.
    """
    if isinstance(native, (int, float)):
        return Constant(initial=float(native))
    name = type(native).__name__
    if isinstance(native, keras.callbacks.ReduceLROnPlateau):
        raise ValueError(
            "ReduceLROnPlateau depends on the losses: it can be recorded and compared, not translated. "
            "Record a run and compare its trace."
        )
    ours = (getattr(keras.optimizers.schedules, name, None), getattr(stand_ins, name, None))
    if name in _READERS and type(native) in ours:
        config = {key: _checked(key, value) for key, value in native.get_config().items() if key != "name"}
        try:
            return _READERS[name](config, lambda key: counted(key, config[key], stepping), stepping)
        except ValidationError as error:
            raise ValueError(f"{name}: {describe(error)}") from None
    if calls:
        return _tabulated(native, stepping, calls)
    raise ValueError(
        f"{name} is no schedule that samestep can read. It reads {', '.join(_READERS)}; a class or a function of your "
        "own is asked where you give calls=N to read."
    )


def notes(native: float | keras.optimizers.schedules.LearningRateSchedule) -> tuple[str, ...]:
    """What a native schedule holds that the vocabulary does not: a restart that float32 misses."""
    if type(native) is not keras.optimizers.schedules.CosineDecayRestarts:
        return ()
    schedule = read(native, Clock.STEPS, "step")
    _, missed = natives.call_for(schedule, schedule.count(Clock.STEPS, "step"))
    return tuple(
        each.partition(" stands in for ")[2].replace(", which finds", " finds").replace("and here misses", "and misses")
        for each in missed
    )


def _tabulated(native: Any, stepping: Stepping, calls: int) -> Schedule:
    """One rate after the other, as many as are asked for."""
    rates: list[float] = []
    for n in range(calls):
        if isinstance(native, keras.callbacks.LearningRateScheduler):
            rates.append(_of_function(native.schedule, n, rates[-1] if rates else float("nan")))
        else:
            rates.append(float(native(n)))
    if any(rate != rate for rate in rates):
        raise ValueError("its rates depend on the optimizer's own. Record a run and compare its trace.")
    changes = [n for n in range(1, calls) if rates[n] != rates[n - 1]]
    if not changes:
        return Constant(initial=rates[0])
    boundaries = tuple(counted("calls", n, stepping) for n in changes)
    return PiecewiseConstant(boundaries=boundaries, values=tuple(rates[n] for n in (0, *changes)))


def _checked(key: str, value: Any) -> Any:
    """A value of a config: numbers as floats, all else as it is. Raises ValueError where a number is none."""
    if (
        isinstance(value, bool | dict)
        or key in ("mode", "anneal_strategy")
        or (key == "warmup_target" and value is None)
    ):
        return value
    if key in ("initial_learning_rate", "values") and isinstance(value, int):
        raise ValueError(
            f"{key}: got {value}, an integer, with which Keras computes in whole numbers. Write {value}.0."
        )
    if isinstance(value, list | tuple):
        return [_checked(key, each) for each in value]
    return number(key, value)


def _of_function(function: Callable[..., float], epoch: int, lr: float) -> float:
    """What `LearningRateScheduler` asks: a function of the epoch, and perhaps of the rate before."""
    try:
        return float(function(epoch, lr))
    except TypeError:
        return float(function(epoch))


_Config = dict[str, Any]
_Counted = Callable[[str], Duration]


def _read_exponential(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    initial, factor = (
        config["initial_learning_rate"],
        config["decay_rate"],
    )
    if not config["staircase"] and config["decay_steps"] != int(config["decay_steps"]):
        one = counted("decay_steps", 1, stepping)
        return ExponentialDecay(
            initial=initial, factor=factor ** (1 / config["decay_steps"]), every=one, staircase=False
        )
    every = count("decay_steps")
    return ExponentialDecay(initial=initial, factor=factor, every=every, staircase=bool(config["staircase"]))


def _read_inverse_time(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    return InverseTimeDecay(
        initial=config["initial_learning_rate"],
        decay_rate=config["decay_rate"],
        every=count("decay_steps"),
        staircase=bool(config["staircase"]),
    )


def _read_piecewise(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    boundaries = tuple(counted("boundaries", math.floor(each) + 1, stepping) for each in config["boundaries"])
    return PiecewiseConstant(boundaries=boundaries, values=tuple(config["values"]))


def _read_polynomial(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    initial, end = (
        config["initial_learning_rate"],
        config["end_learning_rate"],
    )
    over, power = count("decay_steps"), config["power"]
    if power == 1 and not config["cycle"]:
        return Linear(initial=initial, end=end, over=over)
    return PolynomialDecay(initial=initial, end=end, power=power, over=over, cycle=bool(config["cycle"]))


def _read_cosine(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    initial, target = config["initial_learning_rate"], config["warmup_target"]
    high = initial if target is None else float(target)
    floor = tidy(config["alpha"] * high)
    cosine = CosineDecay(initial=high, floor=floor, over=count("decay_steps"), after="hold")
    if target is None or not config["warmup_steps"]:
        return cosine
    return Warmup(initial=initial, over=count("warmup_steps"), then=cosine)


def _read_restarts(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    initial = config["initial_learning_rate"]
    return CosineRestarts(
        initial=initial,
        floor=tidy(config["alpha"] * initial),
        first=count("first_decay_steps"),
        t_mul=config["t_mul"],
        m_mul=config["m_mul"],
    )


def _read_ours(kind: type[Any]) -> Callable[[_Config, _Counted, Stepping], Schedule]:
    def reader(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
        values: dict[str, Any] = {
            key: count(key) if key in ("every", "over", "first", "up", "down") else value
            for key, value in config.items()
            if key != "target"  # where the schedule after a warm-up begins
        }
        if "milestones" in values:
            values["milestones"] = tuple(counted("milestones", each, stepping) for each in values["milestones"])
        if "schedules" in values:
            values["schedules"] = tuple(_within(each, stepping) for each in values["schedules"])
        if "then" in values:
            values["then"] = _within(values["then"], stepping)
        if kind is OneCycle:
            values["after"] = "hold"
        if kind is CosineDecay:
            values["after"] = "rise"
        schedule: Schedule = kind(**values)
        return schedule

    return reader


def _within(config: Any, stepping: Stepping) -> Schedule:
    return read(keras.optimizers.schedules.deserialize(config), Clock.STEPS, stepping)


_READERS: dict[str, Callable[[_Config, _Counted, Stepping], Schedule]] = {
    "ExponentialDecay": _read_exponential,
    "InverseTimeDecay": _read_inverse_time,
    "PiecewiseConstantDecay": _read_piecewise,
    "PolynomialDecay": _read_polynomial,
    "CosineDecay": _read_cosine,
    "CosineDecayRestarts": _read_restarts,
    "Constant": _read_ours(Constant),
    "CosineAnnealing": _read_ours(CosineDecay),
    "CosineRestarts": _read_ours(CosineRestarts),
    "OneCycle": _read_ours(OneCycle),
    "Cyclic": _read_ours(Cyclic),
    "Warmup": _read_ours(Warmup),
    "Sequence": _read_ours(Sequence),
    "Product": _read_ours(Product),
}
"""How each class is read, by its name: Keras' own, then the stand-ins."""

KNOWN = tuple(_READERS)
"""Names of the classes that can be read."""
