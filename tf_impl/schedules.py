"""From the vocabulary to Keras and back: the native schedule, and the code a person would write."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from experiment.clock import Clock, Count, Duration, Stepping
from experiment.code import Call, written
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
from experiment.schedules.base import counted, ratio, tidy
from tf_impl import stand_ins

_LIBRARY = "keras.optimizers.schedules."


@dataclass(frozen=True)
class Native:
    """A schedule as Keras knows it.

    learning_rate : what the optimizer is made with, a float or a `LearningRateSchedule`.
    attach : given the optimizer, returns the callbacks that `fit` needs to walk the schedule.
    name : the class that does the work.
    note : why it is not the class one would expect, or None.
    exact : whether it is a class of Keras throughout, and none of ours stands in.
    """

    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule
    attach: Callable[[keras.optimizers.Optimizer], list[keras.callbacks.Callback]]
    name: str
    note: str | None = None
    exact: bool = True


class PerEpoch:
    """What `LearningRateScheduler` asks at the start of each epoch: a schedule, at `stride` counts an epoch."""

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, stride: int) -> None:
        self.schedule, self.stride = schedule, stride

    def __call__(self, epoch: int, lr: float | None = None) -> float:
        """The rate of this epoch."""
        return float(self.schedule(epoch * self.stride))


def build(schedule: Schedule, clock: Clock, stepping: Stepping) -> Native:
    """The native schedule with this stepping.

    Raises ValueError where a duration is not a whole number of steps.
    """
    schedule.whole_steps(clock)
    if isinstance(schedule, Constant):
        return Native(schedule.initial, lambda optimizer: [], "float")
    count = schedule.count(clock, stepping)
    call, notes = _call(schedule, count)
    native = _made(call)
    exact = not any(each.is_stand_in for each in call.calls())
    if stepping == "step":
        return Native(native, lambda optimizer: [], call.short_name, _joined(notes), exact)
    if count.stride != 1:
        notes = [
            f"{call.short_name} is asked for the step at which each epoch begins, epoch * {count.stride}.",
            *notes,
        ]
    per_epoch = keras.callbacks.LearningRateScheduler(PerEpoch(native, count.stride))
    return Native(schedule.base_lr, lambda optimizer: [per_epoch], "LearningRateScheduler", _joined(notes), exact)


def source(schedule: Schedule, clock: Clock, stepping: Stepping) -> str:
    """The schedule as Keras code that a person would write, ready to paste. It defines `learning_rate`.

    Raises ValueError where a duration is not a whole number of steps.
    """
    schedule.whole_steps(clock)
    if isinstance(schedule, Constant):
        return f"learning_rate = {schedule.initial!r}\n"
    count = schedule.count(clock, stepping)
    call, _ = _call(schedule, count)
    ours = dict.fromkeys(each.name for each in call.calls() if each.is_stand_in)
    lines = ["import keras"]
    if ours:
        classes = "\n\n".join(inspect.getsource(getattr(stand_ins, name)) for name in ours)
        math = ["import math", ""] if "math." in classes else []
        lines = [*math, *lines, "from keras import ops", "", "", classes, ""]
    else:
        lines.append("")
    if any(each.short_name == "PiecewiseConstantDecay" for each in call.calls()):
        lines.append("# Keras changes the rate one step after a boundary, so each is written one less")
    if stepping == "step":
        return "\n".join(
            [
                *lines,
                f"learning_rate = {written(call)}",
                "# an optimizer made with it asks it before each update; there is nothing to step",
                "",
            ]
        )
    asked = "epoch" if count.stride == 1 else f"epoch * {count.stride}"
    return "\n".join(
        [
            *lines,
            f"learning_rate = {schedule.base_lr!r}",
            f"schedule = {written(call)}",
            "# looked up once per epoch: model.fit(..., callbacks=[per_epoch])",
            f"per_epoch = keras.callbacks.LearningRateScheduler(lambda epoch, lr: float(schedule({asked})))",
            "",
        ]
    )


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
        config = {key: value for key, value in native.get_config().items() if key != "name"}
        return _READERS[name](config, lambda key: counted(key, config[key], stepping), stepping)
    if calls:
        return _tabulated(native, stepping, calls)
    raise ValueError(
        f"{name} is no schedule that samestep can read. It reads {', '.join(_READERS)}; a class or a function of your "
        "own is asked where you give calls=N to read."
    )


def notes(native: float | keras.optimizers.schedules.LearningRateSchedule) -> tuple[str, ...]:
    """What a native schedule holds that the vocabulary does not. Keras': nothing."""
    return ()


def _call(schedule: Schedule, count: Count) -> tuple[Call, list[str]]:  # noqa: C901 (one case for each kind)
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
            ), []
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
                said += f" After {count(schedule.over)} {count.unit} it holds its last rate, where PyTorch raises."
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
    call, notes = _call(then, count)
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
    closed_form = in_counts.rate(asked, Clock(1, 1))
    got = np.asarray(_made(native)(asked), dtype=np.float64)
    wrong = (np.abs(got - closed_form) > 0.01 * closed_form[1]).any(axis=0)
    return int(begins[wrong][0]) if wrong.any() else None


def _calls(schedules: tuple[Schedule, ...], count: Count) -> tuple[list[Call], list[str]]:
    found = [_call(each, count) for each in schedules]
    return [call for call, _ in found], [note for _, notes in found for note in notes]


def _keras(name: str, **arguments: Any) -> Call:
    return Call(_LIBRARY + name, arguments)


def _ours(name: str, schedule: Schedule, count: Count, leave_out: tuple[str, ...] = ()) -> Call:
    """A stand-in with the schedule's own values, durations as counts."""
    values = {key: getattr(schedule, key) for key in type(schedule).model_fields if key not in ("kind", *leave_out)}
    return Call(name, {key: count(each) if isinstance(each, Duration) else each for key, each in values.items()})


def _made(value: Any) -> Any:
    """Carry a call out."""
    if isinstance(value, list):
        return [_made(each) for each in value]
    if not isinstance(value, Call):
        return value
    found = stand_ins if value.is_stand_in else keras.optimizers.schedules
    return getattr(found, value.short_name)(**{name: _made(each) for name, each in value.arguments.items()})


def _joined(notes: list[str]) -> str | None:
    return " ".join(dict.fromkeys(notes)) or None


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


def _of_function(function: Callable[..., float], epoch: int, lr: float) -> float:
    """What `LearningRateScheduler` asks: a function of the epoch, and perhaps of the rate before."""
    try:
        return float(function(epoch, lr))
    except TypeError:
        return float(function(epoch))


_Config = dict[str, Any]
_Counted = Callable[[str], Duration]


def _read_exponential(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    initial, factor = float(config["initial_learning_rate"]), float(config["decay_rate"])
    if not config["staircase"] and config["decay_steps"] != int(config["decay_steps"]):
        one = counted("decay_steps", 1, stepping)
        return ExponentialDecay(
            initial=initial, factor=factor ** (1 / config["decay_steps"]), every=one, staircase=False
        )
    every = count("decay_steps")
    return ExponentialDecay(initial=initial, factor=factor, every=every, staircase=bool(config["staircase"]))


def _read_inverse_time(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    return InverseTimeDecay(
        initial=float(config["initial_learning_rate"]),
        decay_rate=float(config["decay_rate"]),
        every=count("decay_steps"),
        staircase=bool(config["staircase"]),
    )


def _read_piecewise(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    boundaries = tuple(counted("boundaries", each + 1, stepping) for each in config["boundaries"])
    return PiecewiseConstant(boundaries=boundaries, values=tuple(float(each) for each in config["values"]))


def _read_polynomial(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    initial, end = float(config["initial_learning_rate"]), float(config["end_learning_rate"])
    over, power = count("decay_steps"), float(config["power"])
    if power == 1 and not config["cycle"]:
        return Linear(initial=initial, end=end, over=over)
    return PolynomialDecay(initial=initial, end=end, power=power, over=over, cycle=bool(config["cycle"]))


def _read_cosine(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    initial, target = float(config["initial_learning_rate"]), config["warmup_target"]
    high = initial if target is None else float(target)
    floor = tidy(float(config["alpha"]) * high)
    cosine = CosineDecay(initial=high, floor=floor, over=count("decay_steps"), after="hold")
    if target is None or not config["warmup_steps"]:
        return cosine
    return Warmup(initial=initial, over=count("warmup_steps"), then=cosine)


def _read_restarts(config: _Config, count: _Counted, stepping: Stepping) -> Schedule:
    initial = float(config["initial_learning_rate"])
    return CosineRestarts(
        initial=initial,
        floor=tidy(float(config["alpha"]) * initial),
        first=count("first_decay_steps"),
        t_mul=float(config["t_mul"]),
        m_mul=float(config["m_mul"]),
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
    return read(keras.optimizers.schedules.deserialize(config), Clock(1, 1), stepping)


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
