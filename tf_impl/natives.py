"""Which class of Keras each schedule becomes, or which stand-in where Keras has none."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from experiment.clock import Clock, Count, Duration
from experiment.code import Call
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
from experiment.schedules.base import counted, float32_error, ratio
from tf_impl import stand_ins

_LIBRARY = "keras.optimizers.schedules."


def call_for(schedule: Schedule, count: Count) -> tuple[Call, list[str]]:  # noqa: C901 (one case for each kind)
    """The native class with its arguments, and why it is not the one that one would expect."""
    match schedule:
        case Constant():
            return Call("Constant", {"initial": schedule.initial}), []
        case ExponentialDecay():
            return _keras(
                "ExponentialDecay",
                initial_learning_rate=schedule.initial,
                decay_steps=count(schedule.every),
                decay_rate=schedule.factor,
                staircase=schedule.staircase,
            ), _drifts(schedule, count)
        case InverseTimeDecay():
            return _keras(
                "InverseTimeDecay",
                initial_learning_rate=schedule.initial,
                decay_steps=count(schedule.every),
                decay_rate=schedule.decay_rate,
                staircase=schedule.staircase,
            ), []
        case PiecewiseConstant():
            # Keras changes where step > boundary, the vocabulary at the boundary
            boundaries = [count(each) - 1 for each in schedule.boundaries]
            return _keras("PiecewiseConstantDecay", boundaries=boundaries, values=list(schedule.values)), []
        case PolynomialDecay():
            return _polynomial(schedule, schedule.power, schedule.cycle, count), []
        case Linear():
            return _polynomial(schedule, 1.0, False, count), []
        case CosineDecay(after="hold"):
            return _keras(
                "CosineDecay",
                initial_learning_rate=schedule.initial,
                decay_steps=count(schedule.over),
                alpha=ratio(schedule.floor, schedule.initial),
            ), []
        case CosineDecay():
            over = count(schedule.over)
            said = (
                f"CosineAnnealing stands in for CosineDecay, which is the same until {over} {count.unit} and then "
                "holds its floor, while this schedule climbs again as PyTorch's CosineAnnealingLR does."
            )
            return Call("CosineAnnealing", {"initial": schedule.initial, "floor": schedule.floor, "over": over}), [said]
        case CosineRestarts():
            return _restarts(schedule, count)
        case OneCycle():
            said = "OneCycle stands in: Keras has no one-cycle schedule."
            if schedule.after == "error":
                said += f" After {count(schedule.over)} {count.unit} it holds; PyTorch extrapolates once and raises."
            return _ours("OneCycle", schedule, count, leave_out=("after",)), [said]
        case Cyclic():
            return _ours("Cyclic", schedule, count), ["Cyclic stands in: Keras has no cyclic schedule."]
        case Warmup():
            return _warmup(schedule, count)
        case Sequence():
            calls, notes = _calls(schedule.schedules, count)
            arguments = {"schedules": calls, "milestones": [count(each) for each in schedule.milestones]}
            return Call("Sequence", arguments), ["Sequence stands in: Keras has no sequence of schedules.", *notes]
        case Product():
            calls, notes = _calls(schedule.schedules, count)
            said = "Product stands in: Keras has no product of schedules."
            return Call("Product", {"schedules": calls}), [said, *notes]


def _drifts(schedule: ExponentialDecay, count: Count) -> list[str]:
    """That a factor near 1 is bent by float32 at every decay, and what to write instead."""
    error = float32_error(schedule.factor)
    if schedule.staircase or abs(schedule.factor - 1) > _NEAR_1 or not error:
        return []
    times = max(2, round(abs(math.log(2) / math.log(schedule.factor))))
    better = schedule.factor**times
    nearer = error * times / max(float32_error(better), 1e-12)
    instead = f"decay_steps={times * count(schedule.every)} with decay_rate={better!r}"
    said = (
        f"float32 holds decay_rate {schedule.factor!r} off by {error:.1e}, and each decay repeats it: after 100,000 "
        f"the rate is {1e5 * error:.1e} off. {instead} is the same schedule, {nearer:,.0f} times nearer."
    )
    return [said]


_NEAR_1 = 0.01


def _polynomial(schedule: PolynomialDecay | Linear, power: float, cycle: bool, count: Count) -> Call:
    return _keras(
        "PolynomialDecay",
        initial_learning_rate=schedule.initial,
        decay_steps=count(schedule.over),
        end_learning_rate=schedule.end,
        power=power,
        cycle=cycle,
    )


def _warmup(schedule: Warmup, count: Count) -> tuple[Call, list[str]]:
    then = schedule.then
    if isinstance(then, CosineDecay) and then.after == "hold":
        return _keras(
            "CosineDecay",
            initial_learning_rate=schedule.initial,
            decay_steps=count(then.over),
            alpha=ratio(then.floor, then.initial),
            warmup_target=then.initial,
            warmup_steps=count(schedule.over),
        ), []
    call, notes = call_for(then, count)
    arguments = {
        "initial": schedule.initial,
        "target": schedule.target(count.clock),
        "over": count(schedule.over),
        "then": call,
    }
    return Call("Warmup", arguments), ["Warmup stands in: in Keras only CosineDecay has a warm-up.", *notes]


def _restarts(schedule: CosineRestarts, count: Count) -> tuple[Call, list[str]]:
    first = count(schedule.first)
    native = _keras(
        "CosineDecayRestarts",
        initial_learning_rate=schedule.initial,
        first_decay_steps=first,
        t_mul=float(schedule.t_mul),
        m_mul=float(schedule.m_mul),
        alpha=ratio(schedule.floor, schedule.initial),
    )
    late = _first_wrong_restart(native, schedule, first)
    if late is None:
        return native, []
    said = (
        "CosineRestarts stands in for CosineDecayRestarts, which finds its restarts with float32 logarithms and here "
        f"misses the one at {late} {count.unit}."
    )
    return _ours("CosineRestarts", schedule, count), [said]


def _first_wrong_restart(native: Call, schedule: CosineRestarts, first: int) -> int | None:
    """The first restart that Keras' own class misses by a step, in 1,000 times the first period; None if none."""
    if schedule.t_mul == 1:
        return None
    begins = np.ceil(schedule.begins(first, min(2**24, first * 1000))[1:]).astype(np.int64)
    if not len(begins):
        return None
    in_counts = schedule.model_copy(update={"first": counted("first", first, "step")})
    asked = np.stack([begins - 1, begins])
    closed_form = in_counts.rate(asked, Clock.STEPS)
    got = np.asarray(made(native)(asked), dtype=np.float64)
    wrong = (np.abs(got - closed_form) > 0.01 * closed_form[1]).any(axis=0)
    return int(begins[wrong][0]) if wrong.any() else None


def _calls(schedules: tuple[Schedule, ...], count: Count) -> tuple[list[Call], list[str]]:
    found = [call_for(each, count) for each in schedules]
    return [call for call, _ in found], [note for _, notes in found for note in notes]


def _keras(name: str, **arguments: Any) -> Call:
    return Call(_LIBRARY + name, arguments)


def _ours(name: str, schedule: Schedule, count: Count, leave_out: tuple[str, ...] = ()) -> Call:
    """A stand-in with the schedule's own values, durations as counts."""
    values = {key: getattr(schedule, key) for key in type(schedule).model_fields if key not in ("kind", *leave_out)}
    return Call(name, {key: count(each) if isinstance(each, Duration) else each for key, each in values.items()})


def made(value: Any) -> Any:
    """Carry a call out."""
    if isinstance(value, list):
        return [made(each) for each in value]
    if not isinstance(value, Call):
        return value
    found = stand_ins if value.is_stand_in else keras.optimizers.schedules
    return getattr(found, value.short_name)(**{name: made(each) for name, each in value.arguments.items()})
