"""From the vocabulary to PyTorch and back: the native schedule, and the code a person would write."""

from __future__ import annotations

import inspect
import itertools
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.optim import lr_scheduler

from experiment.clock import Clock, Count, Duration, Stepping
from experiment.code import Call, Expression, written
from experiment.schedules import (
    Constant,
    CosineDecay,
    CosineRestarts,
    Cyclic,
    ExponentialDecay,
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
from experiment.schedules.text import from_json, to_json
from torch_impl import stand_ins

_LIBRARY = "torch.optim.lr_scheduler."


@dataclass(frozen=True)
class Native:
    """A schedule as PyTorch knows it.

    learning_rate : what the optimizer is made with, a float.
    attach : given the optimizer, returns the scheduler that the loop must step, or None.
    name : the class that does the work.
    note : why it is not the class one would expect, or None.
    exact : whether it is a class of PyTorch throughout, and none of ours stands in.
    """

    learning_rate: float
    attach: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler | None]
    name: str
    note: str | None = None
    exact: bool = True


class ClosedForm:
    """What `LambdaLR` asks where it stands in: the rate at its n-th call over base_lr.

    It holds plain values only, so the scheduler's state keeps them and `read` finds them there.
    """

    def __init__(self, schedule: Schedule, clock: Clock, stepping: Stepping) -> None:
        self.schedule = to_json(schedule)
        self.samples, self.batch_size, self.drop_last = clock.samples, clock.batch_size, clock.drop_last
        self.accumulate, self.stepping = clock.accumulate, stepping

    def __call__(self, n: int) -> float:
        """The factor of base_lr."""
        rate, stride, base_lr = _asked(**vars(self))
        return float(rate(n * stride) / base_lr)


def build(schedule: Schedule, clock: Clock, stepping: Stepping) -> Native:
    """The native schedule with this stepping.

    Raises ValueError where a duration is not a whole number of steps.
    """
    schedule.whole_steps(clock)
    if isinstance(schedule, Constant):
        return Native(schedule.initial, lambda optimizer: None, "float")
    call, base_lr, note = _call(schedule, _Calls(clock, stepping))
    if call is not None:
        return Native(base_lr, lambda optimizer: _made(call, optimizer), call.short_name, note)
    factor = ClosedForm(schedule, clock, stepping)
    return Native(base_lr, lambda optimizer: lr_scheduler.LambdaLR(optimizer, factor), "LambdaLR", note, exact=False)


def source(schedule: Schedule, clock: Clock, stepping: Stepping) -> str:
    """The schedule as PyTorch code that a person would write, ready to paste. It defines `scheduler`.

    Raises ValueError where a duration is not a whole number of steps.
    """
    schedule.whole_steps(clock)
    call, base_lr, _ = _call(schedule, _Calls(clock, stepping))
    base = f"base_lr = {base_lr!r}  # optimizer = ...(model.parameters(), lr=base_lr)"
    step = f"# scheduler.step() after each {'batch' if stepping == 'step' else 'epoch'}"
    if stepping == "step" and clock.accumulate > 1:
        step = "# scheduler.step() after each optimizer.step()"
    if call is not None:
        comment = ["# changes nothing; for code that expects a scheduler"] if isinstance(schedule, Constant) else []
        return "\n".join(["import torch", "", base, *comment, f"scheduler = {written(call)}", step, ""])
    count = schedule.count(clock, stepping)
    rate = _stand_in(schedule, count)
    ours = "\n\n".join(
        inspect.getsource(getattr(stand_ins, name)) for name in dict.fromkeys(each.name for each in rate.calls())
    )
    imports = [f"import {name}" for name in ("bisect", "math") if f"{name}." in ours]
    return "\n".join(
        [
            *imports,
            *([""] if imports else []),
            "import torch",
            "",
            "",
            ours,
            "",
            base,
            f"rate = {written(rate)}",
            f"scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: rate({count.asked}) / base_lr)",
            step,
            "",
        ]
    )


def read(
    native: float | lr_scheduler.LRScheduler, clock: Clock, stepping: Stepping, calls: int | None = None
) -> Schedule:
    """The vocabulary schedule that a native one is, from its state.

    clock : for a schedule that counts single calls and is stepped per epoch.
    stepping : how the loop steps the scheduler; per ``epoch`` it counts in epochs.
    calls : for a scheduler whose rate comes from a function of its user's (`LambdaLR`, `MultiplicativeLR`): how many
        calls to ask the function for. The schedule is then piecewise constant, and holds its last rate.
    Where parameter groups have rates of their own, the first is read.
    Raises ValueError for a scheduler that is none of PyTorch's, for a function without `calls`, for one that depends on
    the losses, and for a chain whose schedulers do not multiply.
    """
    if isinstance(native, (int, float)):
        return Constant(initial=float(native))
    return _Reader(clock, stepping, calls).read(type(native).__name__, vars(native), native)


def read_state(
    name: str, state: Mapping[str, Any], group: Mapping[str, Any] | None, clock: Clock, stepping: Stepping
) -> Schedule:
    """The vocabulary schedule in a saved state.

    name : the scheduler's class. state : its `state_dict()`. group : the first of the optimizer's `param_groups`, in
    which OneCycleLR keeps its rates; or None. clock, stepping : as for `read`. Raises ValueError as `read` does.
    """
    return _Reader(clock, stepping).read(name, state, group=group)


def notes(native: float | lr_scheduler.LRScheduler) -> tuple[str, ...]:
    """What a native schedule holds that the vocabulary does not."""
    if isinstance(native, (int, float)):
        return ()
    return state_notes(type(native).__name__, vars(native))


def state_notes(name: str, state: Mapping[str, Any]) -> tuple[str, ...]:
    """What a scheduler's state holds that the vocabulary does not.

    name : the scheduler's class. state : its `state_dict()`, or what a live scheduler has.
    """
    found = []
    if state.get("cycle_momentum"):
        found.append(f"{name} moves the momentum as well (cycle_momentum=True); only its rate is translated.")
    rates = [float(each) for each in state.get("base_lrs", ())]
    if len(set(rates)) > 1:
        found.append(f"Its parameter groups have rates of their own ({', '.join(map(str, rates))}); the first is read.")
    if int(state.get("last_epoch", 0) or 0) > 0:
        found.append(f"The state stands at call {state['last_epoch']}; the schedule is told from its beginning.")
    return tuple(found)


@dataclass(frozen=True)
class _Calls:
    """Durations in calls of `scheduler.step()`."""

    clock: Clock
    stepping: Stepping

    def __call__(self, duration: Duration) -> Fraction:
        return Fraction(self.clock.steps(duration), 1 if self.stepping == "step" else self.clock.steps_per_epoch)

    def whole(self, duration: Duration) -> bool:
        return self(duration).denominator == 1


def _call(schedule: Schedule, calls: _Calls) -> tuple[Call | None, float, str | None]:
    """The native class with its arguments, or None; base_lr; and why it is not the class that one would expect."""
    found = (
        _composite(schedule, calls) if isinstance(schedule, Warmup | Sequence | Product) else _plain(schedule, calls)
    )
    if found is None:
        return None, schedule.base_lr, _why(schedule, calls)
    call, base_lr = found
    note = None
    if isinstance(schedule, OneCycle | Cyclic):
        note = f"{call.short_name} is told to leave the momentum alone (cycle_momentum=False)."
    return call, base_lr, note


def _plain(schedule: Schedule, calls: _Calls) -> tuple[Call, float] | None:  # noqa: C901 (one case for each kind)
    """PyTorch's own class for one schedule, and the base_lr it needs; None where there is none."""
    match schedule:
        case Constant():
            return _torch("ConstantLR", factor=1.0, total_iters=0), schedule.initial
        case ExponentialDecay(staircase=False):
            return _torch("ExponentialLR", gamma=_gamma(schedule.factor, calls(schedule.every))), schedule.initial
        case ExponentialDecay() if calls.whole(schedule.every):
            step_size = int(calls(schedule.every))
            return _torch("StepLR", step_size=step_size, gamma=schedule.factor), schedule.initial
        case PiecewiseConstant():
            return _piecewise(schedule, calls)
        case PolynomialDecay(end=0, cycle=False) if calls.whole(schedule.over):
            total_iters = int(calls(schedule.over))
            return _torch("PolynomialLR", total_iters=total_iters, power=float(schedule.power)), schedule.initial
        case Linear() if schedule.initial and calls.whole(schedule.over):
            base_lr = schedule.base_lr
            return _torch(
                "LinearLR",
                start_factor=ratio(schedule.initial, base_lr),
                end_factor=ratio(schedule.end, base_lr),
                total_iters=int(calls(schedule.over)),
            ), base_lr
        case CosineDecay(after="rise") if calls.whole(schedule.over):
            return _torch(
                "CosineAnnealingLR", T_max=int(calls(schedule.over)), eta_min=schedule.floor
            ), schedule.initial
        case CosineRestarts(m_mul=1) if calls.whole(schedule.first) and schedule.t_mul == int(schedule.t_mul):
            return _torch(
                "CosineAnnealingWarmRestarts",
                T_0=int(calls(schedule.first)),
                T_mult=int(schedule.t_mul),
                eta_min=schedule.floor,
            ), schedule.initial
        case OneCycle(after="error") if calls.stepping == "step":
            return _torch(
                "OneCycleLR",
                max_lr=schedule.max_lr,
                total_steps=int(calls(schedule.over)),
                pct_start=float(schedule.pct_start),
                anneal_strategy=schedule.anneal_strategy,
                cycle_momentum=False,
                div_factor=schedule.div_factor,
                final_div_factor=schedule.final_div_factor,
                three_phase=schedule.three_phase,
            ), schedule.base_lr
        case Cyclic() if (calls.stepping == "step" or schedule.stretches) and all(
            calls.whole(each) for each in (schedule.up, schedule.down)
        ):
            return _torch(
                "CyclicLR",
                base_lr=schedule.low,
                max_lr=schedule.max_lr,
                step_size_up=int(calls(schedule.up)),
                step_size_down=int(calls(schedule.down)),
                mode=schedule.mode,
                gamma=float(schedule.gamma),
                cycle_momentum=False,
            ), schedule.base_lr
    return None


def _piecewise(schedule: PiecewiseConstant, calls: _Calls) -> tuple[Call, float] | None:
    """One factor at every milestone, or a lower rate at first; None where the values are neither."""
    # a call sees a boundary at the first look-up that is not before it
    milestones = [-int(-calls(each) // 1) for each in schedule.boundaries]
    first, *values = schedule.values
    by_milestone = dict(zip(milestones, values, strict=True))  # of several before one call, only the last is seen
    milestones, later = list(by_milestone), list(by_milestone.values())
    if not first:
        return None
    if len(later) == 1 and first < later[0]:
        return _torch("ConstantLR", factor=ratio(first, later[0]), total_iters=milestones[0]), later[0]
    gamma = ratio(later[0], first)
    for power, value in enumerate(later, start=1):
        if abs(first * gamma**power - value) > 1e-14 * value:
            return None
    return _torch("MultiStepLR", milestones=milestones, gamma=gamma), first


def _composite(schedule: Warmup | Sequence | Product, calls: _Calls) -> tuple[Call, float] | None:
    """PyTorch's schedulers of schedulers; None where a part has no class of its own or needs another base_lr."""
    if isinstance(schedule, Warmup):
        target = schedule.target(calls.clock)
        if not 0 < schedule.initial <= target:
            return None  # LinearLR cannot start at 0, nor come from above
        line = Linear(initial=schedule.initial, end=target, over=schedule.over)
        parts: Iterable[Schedule] = (line, schedule.then)
        milestones = [schedule.over]
    else:
        parts = schedule.schedules
        milestones = list(schedule.milestones) if isinstance(schedule, Sequence) else []
    if any(isinstance(part, OneCycle | Cyclic | Warmup | Sequence | Product) for part in parts):
        return None  # they set the optimizer's rate for themselves
    found = [_plain(part, calls) for part in parts]
    whole = [each for each in found if each is not None]
    if len(whole) < len(found) or not all(calls.whole(each) for each in milestones):
        return None
    native, bases = [call for call, _ in whole], [base for _, base in whole]
    if isinstance(schedule, Product):
        if any(call.short_name not in _MULTIPLY for call in native) or any(base != 1 for base in bases[1:]):
            return None
        return Call(_LIBRARY + "ChainedScheduler", {"schedulers": native}), bases[0]
    if len(set(bases)) > 1:
        return None
    arguments = {"schedulers": native, "milestones": [int(calls(each)) for each in milestones]}
    return Call(_LIBRARY + "SequentialLR", arguments, first=("optimizer",)), bases[0]


_MULTIPLY = ("ConstantLR", "ExponentialLR", "LinearLR", "MultiStepLR", "PolynomialLR", "StepLR")
"""Schedulers that multiply the rate they find; the others set it, whatever stood before them in a chain."""


def _why(schedule: Schedule, calls: _Calls) -> str:  # noqa: C901 (one case for each kind)
    """Why `LambdaLR` stands in, in a sentence."""
    if isinstance(schedule, OneCycle | Cyclic) and not schedule.stretches and calls.stepping == "epoch":
        name = "OneCycleLR" if isinstance(schedule, OneCycle) else "CyclicLR"
        return f"LambdaLR stands in for {name}, which counts single calls: stepped per epoch it is another schedule."
    if calls.stepping == "epoch":
        per_step, _, _ = _call(schedule, _Calls(calls.clock, "step"))
        odd = next((each for _, each in schedule.durations() if not calls.whole(each)), None)
        if per_step is not None and odd is not None:
            return (
                f"LambdaLR stands in for {per_step.short_name}, which counts whole epochs where it is stepped per "
                f"epoch: {odd} {'is' if odd.count == 1 else 'are'} {calls(odd)} of one."
            )
    match schedule:
        case PolynomialDecay():
            return "LambdaLR stands in for PolynomialLR, which falls to 0 and has no cycle."
        case PiecewiseConstant():
            return "LambdaLR stands in for MultiStepLR, whose values are powers of one factor: these are not."
        case Linear():
            return "LambdaLR stands in for LinearLR, which cannot start at 0."
        case CosineDecay():
            over = calls(schedule.over)
            said = (
                "LambdaLR stands in for CosineAnnealingLR, which climbs again after T_max, while this holds its floor."
            )
            if over.denominator == 1:
                native = f"CosineAnnealingLR(optimizer, T_max={over}, eta_min={schedule.floor!r})"
                said += f" If your run ends by then, {native} is the same."
            return said
        case CosineRestarts() if schedule.m_mul != 1:
            return (
                "LambdaLR stands in for CosineAnnealingWarmRestarts, which restarts at the same rate: it has no m_mul."
            )
        case CosineRestarts():
            return "LambdaLR stands in for CosineAnnealingWarmRestarts, whose T_mult is a whole number."
        case OneCycle():
            return "LambdaLR stands in for OneCycleLR, which raises after its last step, while this holds."
        case Warmup() if not schedule.initial:
            return "LambdaLR stands in for SequentialLR with LinearLR, which cannot start at 0."
        case Warmup() | Sequence():
            return "LambdaLR stands in for SequentialLR: a part has no class in PyTorch, or another base_lr."
        case Product():
            return "LambdaLR stands in for ChainedScheduler: a part does not multiply, or does not begin at 1."
    return f"LambdaLR stands in: PyTorch has no {schedule.kind.replace('-', ' ')} schedule."


def _stand_in(schedule: Schedule, count: Count) -> Call:
    """The class of ours that gives the rate at a count."""
    values: dict[str, Any] = {}
    if isinstance(schedule, Warmup):
        values = {"initial": schedule.initial, "target": schedule.target(count.clock)}
    for key in type(schedule).model_fields:
        if key != "kind" and not (key == "after" and isinstance(schedule, OneCycle)):
            values[key] = _counted(getattr(schedule, key), count)
    return Call(type(schedule).__name__, values)


def _counted(value: Any, count: Count) -> Any:
    if isinstance(value, Duration):
        return count(value)
    if isinstance(value, tuple):
        return [_counted(each, count) for each in value]
    return value if isinstance(value, (bool, int, float, str)) else _stand_in(value, count)


def _torch(name: str, **arguments: Any) -> Call:
    return Call(_LIBRARY + name, arguments, first=("optimizer",))


def _gamma(factor: float, period: Fraction) -> float | Expression:
    """The factor of one call, and how a person would write it."""
    if period == 1:
        return factor
    every, stride = period.as_integer_ratio()
    exponent = f"(1 / {every})" if stride == 1 else f"({stride} / {every})" if every != 1 else str(stride)
    return Expression(f"{factor!r} ** {exponent}", factor ** float(1 / period))


def _made(value: Any, optimizer: torch.optim.Optimizer | None) -> Any:
    """Carry a call out; without an optimizer, a stand-in."""
    if isinstance(value, Expression):
        return value.value
    if isinstance(value, list):
        return [_made(each, optimizer) for each in value]
    if not isinstance(value, Call):
        return value
    found = getattr(stand_ins if value.is_stand_in else lr_scheduler, value.short_name)
    given = [optimizer] if value.first else []
    return found(*given, **{name: _made(each, optimizer) for name, each in value.arguments.items()})


@lru_cache(maxsize=64)
def _asked(
    schedule: str, samples: int, batch_size: int, drop_last: bool, accumulate: int, stepping: Stepping
) -> tuple[Callable[[int], float], int, float]:
    """The stand-in that a `ClosedForm` asks, its counts per call, and base_lr."""
    clock = Clock(samples, batch_size, drop_last, accumulate)
    found = from_json(schedule)
    count = found.count(clock, stepping)
    return _made(_stand_in(found, count), None), count.stride, found.base_lr


class _Reader:
    """Reads schedulers, and those within them."""

    def __init__(self, clock: Clock, stepping: Stepping, calls: int | None = None) -> None:
        self.clock, self.stepping, self.calls = clock, stepping, calls

    def read(
        self, name: str, state: Mapping[str, Any], native: Any = None, group: Any = None, base: float | None = None
    ) -> Schedule:
        """name : the class. state : what it holds. native : the live scheduler, for a function or the optimizer.

        group : the optimizer's parameter group where there is no live one. base : base_lr, where not the state's.
        """
        if name == "ReduceLROnPlateau":
            raise ValueError(
                "ReduceLROnPlateau depends on the losses: it can be recorded and compared, not translated. "
                "Record a run and compare its trace."
            )
        if name not in _READERS or (native is not None and type(native) is not getattr(lr_scheduler, name, None)):
            raise ValueError(
                f"{name} is no scheduler that samestep can read. Write the class of torch.optim.lr_scheduler that it "
                f"is: {', '.join(_READERS)}."
            )
        if native is not None and group is None and hasattr(native, "optimizer"):
            group = native.optimizer.param_groups[0]
        if base is None:
            base = float(state["base_lrs"][0]) if state.get("base_lrs") else float("nan")
        try:
            return _READERS[name](self, state, base, native, group)
        except KeyError as error:
            raise ValueError(f"{name}: its state has no {error}. Save scheduler.state_dict() whole.") from None

    def count(self, name: str, value: float) -> Duration:
        return counted(name, value, self.stepping)

    def function(self, native: Any) -> Callable[[int], float]:
        """The user's function of a live scheduler, where it may be asked."""
        if native is None or not self.calls:
            raise ValueError(
                "its rate comes from a function, which no state holds. Write the schedule in samestep's vocabulary, "
                "give the live scheduler and calls=N to read, or record a run and compare it."
            )
        function: Callable[[int], float] = native.lr_lambdas[0]
        return function

    def tabulated(self, rates: list[float]) -> Schedule:
        """One rate after the other, as many as there are."""
        changes = [n for n in range(1, len(rates)) if rates[n] != rates[n - 1]]
        if not changes:
            return Constant(initial=float(rates[0]))
        boundaries = tuple(self.count("calls", n) for n in changes)
        return PiecewiseConstant(boundaries=boundaries, values=tuple(float(rates[n]) for n in (0, *changes)))

    def parts(self, state: Mapping[str, Any], group: Any, bases: float | None = None) -> list[tuple[str, Schedule]]:
        """The schedulers within one, each with its class; `bases` is base_lr of all but the first."""
        found = []
        for index, each in enumerate(state["_schedulers"]):
            live = None if isinstance(each, Mapping) else each
            inner = each if live is None else vars(live)
            name = class_of(inner) if live is None else type(live).__name__
            base = None if index == 0 else bases
            found.append((name, self.read(name, inner, live, group, base)))
        return found


def class_of(state: Mapping[str, Any]) -> str:
    """The class of a state within another's, which PyTorch saves without a name: its keys tell."""
    for name, keys in _KEYS.items():
        if keys <= set(state):
            return name
    raise ValueError(f"a scheduler within has the keys {', '.join(map(str, list(state)[:6]))}: none of PyTorch's has.")


_KEYS = {
    "StepLR": {"step_size", "gamma"},
    "MultiStepLR": {"milestones", "gamma"},
    "LinearLR": {"start_factor", "end_factor"},
    "ConstantLR": {"factor", "total_iters"},
    "PolynomialLR": {"power", "total_iters"},
    "CosineAnnealingWarmRestarts": {"T_0", "T_mult"},
    "CosineAnnealingLR": {"T_max", "eta_min"},
    "OneCycleLR": {"_schedule_phases"},
    "CyclicLR": {"max_lrs", "step_ratio"},
    "ReduceLROnPlateau": {"patience", "threshold"},
    "SequentialLR": {"_schedulers", "_milestones"},
    "ChainedScheduler": {"_schedulers"},
    "LambdaLR": {"lr_lambdas"},
    "ExponentialLR": {"gamma"},
}
"""Keys by which a state is known, the most telling first."""

_State = Mapping[str, Any]


def _read_step(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    every = reader.count("step_size", state["step_size"])
    return ExponentialDecay(initial=base, factor=float(state["gamma"]), every=every, staircase=True)


def _read_multi_step(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    # a Counter; JSON has made text of its keys
    times = {int(key): int(value) for key, value in dict(state["milestones"]).items()}
    gamma, value = float(state["gamma"]), base
    values, boundaries = [base], []
    for milestone in sorted(key for key in times if key >= 0):
        value = tidy(base * gamma ** sum(times[key] for key in times if 0 <= key <= milestone))
        if milestone == 0:
            values = [value]
            continue
        boundaries.append(reader.count("milestones", milestone))
        values.append(value)
    if not boundaries:
        return Constant(initial=values[0])
    return PiecewiseConstant(boundaries=tuple(boundaries), values=tuple(values))


def _read_constant(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    low = tidy(base * float(state["factor"]))
    if state["total_iters"] <= 0 or low == base:
        return Constant(initial=low)
    return PiecewiseConstant(boundaries=(reader.count("total_iters", state["total_iters"]),), values=(low, base))


def _read_linear(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    return Linear(
        initial=tidy(base * float(state["start_factor"])),
        end=tidy(base * float(state["end_factor"])),
        over=reader.count("total_iters", state["total_iters"]),
    )


def _read_exponential(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    one = reader.count("gamma", 1)
    return ExponentialDecay(initial=base, factor=float(state["gamma"]), every=one, staircase=False)


def _read_polynomial(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    over, power = reader.count("total_iters", state["total_iters"]), float(state["power"])
    if power == 1:
        return Linear(initial=base, end=0.0, over=over)
    return PolynomialDecay(initial=base, end=0.0, power=power, over=over, cycle=False)


def _read_cosine(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    over = reader.count("T_max", state["T_max"])
    return CosineDecay(initial=base, floor=float(state["eta_min"]), over=over, after="rise")


def _read_restarts(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    first, t_mul = reader.count("T_0", state["T_0"]), float(state["T_mult"])
    return CosineRestarts(initial=base, floor=float(state["eta_min"]), first=first, t_mul=t_mul, m_mul=1.0)


def _read_one_cycle(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    if group is None or "max_lr" not in group or "min_lr" not in group:
        raise ValueError(
            "OneCycleLR keeps max_lr with the optimizer, not in its own state. "
            "Save optimizer.state_dict() as well, under the key 'optimizer'."
        )
    total = int(state["total_steps"])
    high, low, lowest = float(group["max_lr"]), float(group["initial_lr"]), float(group["min_lr"])
    cycle = OneCycle(
        max_lr=high,
        div_factor=_divisor(high, low),
        final_div_factor=_divisor(low, lowest),
        pct_start=_shortest((float(state["_schedule_phases"][0]["end_step"]) + 1) / total),
        over=Duration.parse(f"{total} steps"),
        anneal_strategy=state["_anneal_func_type"],
        three_phase=len(state["_schedule_phases"]) == 3,
        after="error",
    )
    if reader.stepping == "step":
        return cycle
    # it counts calls, and its phases end one call early: one rate for each epoch
    return reader.tabulated(cycle.rate(np.arange(total), Clock(1, 1)).tolist())


def _read_cyclic(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    if state.get("_scale_fn_custom") is not None or state["mode"] not in ("triangular", "triangular2", "exp_range"):
        raise ValueError("CyclicLR has a scale_fn of its user's, which cannot be read. Record a run and compare it.")
    total, ratio = float(state["total_size"]), float(state["step_ratio"])
    up = round(total * ratio)
    exponential = state["mode"] == "exp_range"
    gamma = float(state["gamma"]) if exponential else 1.0
    if exponential and reader.stepping == "epoch":
        gamma **= 1 / reader.clock.steps_per_epoch  # the vocabulary's gamma is that of one step
    return Cyclic(
        low=base,
        max_lr=float(state["max_lrs"][0]),
        up=reader.count("step_size_up", up),
        down=reader.count("step_size_down", round(total) - up),
        mode=state["mode"],
        gamma=gamma,
    )


def _read_lambda(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    held = state["lr_lambdas"][0]
    values = vars(held) if isinstance(held, ClosedForm) else held
    if isinstance(values, Mapping) and "schedule" in values:
        return from_json(values["schedule"])
    function = reader.function(native)
    return reader.tabulated([base * function(n) for n in range(reader.calls or 0)])


def _read_multiplicative(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    function = reader.function(native)
    factors = [1.0, *(function(n) for n in range(1, reader.calls or 0))]
    return reader.tabulated([base * each for each in itertools.accumulate(factors, operator.mul)])


def _read_sequence(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    parts = [schedule for _, schedule in reader.parts(state, group)]
    milestones = [reader.count("milestones", each) for each in state["_milestones"]]
    if len(parts) == 1:
        return parts[0]
    line, then = parts[0], parts[1]
    if len(parts) == 2 and isinstance(line, Linear) and line.over == milestones[0]:
        warmup = Warmup(initial=line.initial, over=line.over, then=then)
        if warmup.target(reader.clock) == line.end:
            return warmup
    return Sequence(schedules=tuple(parts), milestones=tuple(milestones))


def _read_chain(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    parts = reader.parts(state, group, bases=1.0)
    if len(parts) == 1:
        return parts[0][1]
    for name, _ in parts:
        if name not in _MULTIPLY:
            raise ValueError(
                f"{name} in a ChainedScheduler sets the rate anew instead of multiplying it, so the chain is no "
                f"product. Chain only {', '.join(_MULTIPLY)}."
            )
    return Product(schedules=tuple(schedule for _, schedule in parts))


def _divisor(above: float, below: float) -> float:
    """The divisor that made `below` of `above`, as short as it can be written."""
    if not below:
        raise ValueError("OneCycleLR: a rate of 0 has no div_factor. Write rates above 0.")
    for digits in range(1, 18):
        found = float(f"{above / below:.{digits}g}")
        if above / found == below:
            return found
    return above / below


def _shortest(value: float) -> float:
    """A number without the bits that adding 1 and dividing left in it."""
    return min(1.0, max(0.0, float(f"{value:.12g}")))


_READERS: dict[str, Callable[[_Reader, _State, float, Any, Any], Schedule]] = {
    "StepLR": _read_step,
    "MultiStepLR": _read_multi_step,
    "ConstantLR": _read_constant,
    "LinearLR": _read_linear,
    "ExponentialLR": _read_exponential,
    "PolynomialLR": _read_polynomial,
    "CosineAnnealingLR": _read_cosine,
    "CosineAnnealingWarmRestarts": _read_restarts,
    "OneCycleLR": _read_one_cycle,
    "CyclicLR": _read_cyclic,
    "LambdaLR": _read_lambda,
    "MultiplicativeLR": _read_multiplicative,
    "SequentialLR": _read_sequence,
    "ChainedScheduler": _read_chain,
}
"""How each class is read, by its name."""

KNOWN = tuple(_READERS)
"""Names of the classes that can be read."""
