"""Which class of PyTorch each schedule becomes, or which stand-in where PyTorch has none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

import torch
from torch.optim import lr_scheduler

from experiment.clock import Clock, Count, Duration, Stepping
from experiment.code import Call, Expression
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
from experiment.schedules.base import ratio
from experiment.schedules.text import from_json, to_json
from torch_impl import stand_ins

_LIBRARY = "torch.optim.lr_scheduler."


@dataclass(frozen=True)
class Calls:
    """Durations in calls of `scheduler.step()`."""

    clock: Clock
    stepping: Stepping

    def __call__(self, duration: Duration) -> Fraction:
        """A duration in calls."""
        return Fraction(self.clock.steps(duration), 1 if self.stepping == "step" else self.clock.steps_per_epoch)

    def whole(self, duration: Duration) -> bool:
        """Whether a duration is a whole number of calls."""
        return self(duration).denominator == 1


def call_for(schedule: Schedule, count: Calls) -> tuple[Call | None, float, str | None]:
    """The native class with its arguments, or None; base_lr; and why it is not the class that one would expect."""
    found = (
        _composite(schedule, count) if isinstance(schedule, Warmup | Sequence | Product) else _plain(schedule, count)
    )
    if found is None:
        return None, schedule.base_lr, _why(schedule, count)
    call, base_lr = found
    note = None
    if isinstance(schedule, OneCycle | Cyclic):
        note = f"{call.short_name} is told to leave the momentum alone (cycle_momentum=False)."
    return call, base_lr, note


def _plain(schedule: Schedule, count: Calls) -> tuple[Call, float] | None:  # noqa: C901 (one case for each kind)
    """PyTorch's own class for one schedule, and the base_lr it needs; None where there is none."""
    match schedule:
        case Constant():
            return _torch("ConstantLR", factor=1.0, total_iters=0), schedule.initial
        case ExponentialDecay(staircase=False):
            return _torch("ExponentialLR", gamma=_gamma(schedule.factor, count(schedule.every))), schedule.initial
        case ExponentialDecay() if count.whole(schedule.every):
            step_size = int(count(schedule.every))
            return _torch("StepLR", step_size=step_size, gamma=schedule.factor), schedule.initial
        case PiecewiseConstant():
            return _piecewise(schedule, count)
        case PolynomialDecay(end=0, cycle=False) if count.whole(schedule.over):
            total_iters = int(count(schedule.over))
            return _torch("PolynomialLR", total_iters=total_iters, power=float(schedule.power)), schedule.initial
        case Linear() if schedule.initial and count.whole(schedule.over):
            base_lr = schedule.base_lr
            return _torch(
                "LinearLR",
                start_factor=ratio(schedule.initial, base_lr),
                end_factor=ratio(schedule.end, base_lr),
                total_iters=int(count(schedule.over)),
            ), base_lr
        case CosineDecay(after="rise") if count.whole(schedule.over):
            return _torch(
                "CosineAnnealingLR", T_max=int(count(schedule.over)), eta_min=schedule.floor
            ), schedule.initial
        case CosineRestarts(m_mul=1) if count.whole(schedule.first) and schedule.t_mul == int(schedule.t_mul):
            return _torch(
                "CosineAnnealingWarmRestarts",
                T_0=int(count(schedule.first)),
                T_mult=int(schedule.t_mul),
                eta_min=schedule.floor,
            ), schedule.initial
        case OneCycle(after="error") if count.stepping == "step":
            return _torch(
                "OneCycleLR",
                max_lr=schedule.max_lr,
                total_steps=int(count(schedule.over)),
                pct_start=float(schedule.pct_start),
                anneal_strategy=schedule.anneal_strategy,
                cycle_momentum=False,
                div_factor=schedule.div_factor,
                final_div_factor=schedule.final_div_factor,
                three_phase=schedule.three_phase,
            ), schedule.base_lr
        case Cyclic() if (count.stepping == "step" or schedule.stretches) and all(
            count.whole(each) for each in (schedule.up, schedule.down)
        ):
            return _torch(
                "CyclicLR",
                base_lr=schedule.low,
                max_lr=schedule.max_lr,
                step_size_up=int(count(schedule.up)),
                step_size_down=int(count(schedule.down)),
                mode=schedule.mode,
                gamma=float(schedule.gamma),
                cycle_momentum=False,
            ), schedule.base_lr
    return None


def _piecewise(schedule: PiecewiseConstant, count: Calls) -> tuple[Call, float] | None:
    """One factor at every milestone, or a lower rate at first; None where the values are neither."""
    # a call sees a boundary at the first look-up that is not before it
    milestones = [-int(-count(each) // 1) for each in schedule.boundaries]
    first, *values = schedule.values
    by_milestone = dict(zip(milestones, values, strict=True))  # of several before one call, only the last is seen
    milestones, later = list(by_milestone), list(by_milestone.values())
    if not first:
        return None
    if len(later) == 1 and first < later[0]:
        return _torch("ConstantLR", factor=ratio(first, later[0]), total_iters=milestones[0]), later[0]
    times = _powers((first, *later))
    if times is None:
        return None
    gamma, powers = times
    repeated = [each for each, power in zip(milestones, powers, strict=True) for _ in range(power)]
    return _torch("MultiStepLR", milestones=repeated, gamma=gamma), first


def _powers(values: tuple[float, ...]) -> tuple[float, list[int]] | None:
    """The one factor that leads from each value to the next, and how often it is applied; None where there is none."""
    if 0 in values[:-1]:
        return None
    factors = [ratio(later, one) for one, later in pairwise(values)]
    if factors == [0.0]:
        return 0.0, [1]
    if 0 in factors or 1 in factors:
        return None
    gamma = min(factors, key=lambda factor: abs(math.log(factor)))
    powers = [round(math.log(factor) / math.log(gamma)) for factor in factors]
    reached = values[0]
    for power, value in zip(powers, values[1:], strict=True):
        reached *= gamma**power
        if not 1 <= power <= 100 or abs(reached - value) > 1e-14 * value:
            return None
    return gamma, powers


def _composite(schedule: Warmup | Sequence | Product, count: Calls) -> tuple[Call, float] | None:
    """PyTorch's schedulers of schedulers; None where a part has no class of its own or needs another base_lr."""
    if isinstance(schedule, Warmup):
        target = schedule.target(count.clock)
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
    found = [_plain(part, count) for part in parts]
    whole = [each for each in found if each is not None]
    if len(whole) < len(found) or not all(count.whole(each) for each in milestones):
        return None
    native, bases = [call for call, _ in whole], [base for _, base in whole]
    if isinstance(schedule, Product):
        if any(call.short_name not in MULTIPLY for call in native) or any(base != 1 for base in bases[1:]):
            return None
        return Call(_LIBRARY + "ChainedScheduler", {"schedulers": native}), bases[0]
    if len(set(bases)) > 1:
        return None
    arguments = {"schedulers": native, "milestones": [int(count(each)) for each in milestones]}
    return Call(_LIBRARY + "SequentialLR", arguments, first=("optimizer",)), bases[0]


MULTIPLY = ("ConstantLR", "ExponentialLR", "LinearLR", "MultiStepLR", "PolynomialLR", "StepLR")
"""Schedulers that multiply the rate they find; the others set it, whatever stood before them in a chain."""


def _why(schedule: Schedule, count: Calls) -> str:  # noqa: C901 (one case for each kind)
    """Why `LambdaLR` stands in, in a sentence."""
    if isinstance(schedule, OneCycle | Cyclic) and not schedule.stretches and count.stepping == "epoch":
        name = "OneCycleLR" if isinstance(schedule, OneCycle) else "CyclicLR"
        return f"LambdaLR stands in for {name}, which counts single calls: stepped per epoch it is another schedule."
    if count.stepping == "epoch":
        per_step, _, _ = call_for(schedule, Calls(count.clock, "step"))
        odd = next((each for _, each in schedule.durations() if not count.whole(each)), None)
        if per_step is not None and odd is not None:
            return (
                f"LambdaLR stands in for {per_step.short_name}, which counts whole epochs where it is stepped per "
                f"epoch: {odd} {'is' if odd.count == 1 else 'are'} {count(odd)} of one."
            )
    match schedule:
        case PolynomialDecay():
            return "LambdaLR stands in for PolynomialLR, which falls to 0 and has no cycle."
        case PiecewiseConstant():
            return "LambdaLR stands in for MultiStepLR, whose values are powers of one factor: these are not."
        case Linear():
            return "LambdaLR stands in for LinearLR, which cannot start at 0."
        case CosineDecay():
            over = count(schedule.over)
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
        case Warmup():
            return f"LambdaLR stands in for SequentialLR{_part_at_fault((schedule.then,), count)}."
        case Sequence():
            return f"LambdaLR stands in for SequentialLR{_part_at_fault(schedule.schedules, count)}."
        case Product():
            return "LambdaLR stands in for ChainedScheduler: a part does not multiply, or does not begin at 1."
    return f"LambdaLR stands in: PyTorch has no {schedule.kind.replace('-', ' ')} schedule."


def _part_at_fault(parts: Iterable[Schedule], count: Calls) -> str:
    """Which part keeps a sequence from PyTorch's own classes."""
    for part in parts:
        if isinstance(part, OneCycle | Cyclic | Warmup | Sequence | Product):
            return f", since its {part.kind} sets the optimizer's rate for itself"
        if _plain(part, count) is None:
            why = _why(part, count).partition(" If your run")[0].rstrip(".")
            return why.replace("LambdaLR stands in for", ": it would need").replace("LambdaLR stands in:", ":")
    return ", whose schedulers all begin at base_lr: these begin at rates of their own"


def stand_in(schedule: Schedule, count: Count) -> Call:
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
    return value if isinstance(value, (bool, int, float, str)) else stand_in(value, count)


def _torch(name: str, **arguments: Any) -> Call:
    return Call(_LIBRARY + name, arguments, first=("optimizer",))


def _gamma(factor: float, period: Fraction) -> float | Expression:
    """The factor of one call, and how a person would write it."""
    if period == 1:
        return factor
    every, stride = period.as_integer_ratio()
    exponent = f"(1 / {every})" if stride == 1 else f"({stride} / {every})" if every != 1 else str(stride)
    return Expression(f"{factor!r} ** {exponent}", factor ** float(1 / period))


def made(value: Any, optimizer: torch.optim.Optimizer | None) -> Any:
    """Carry a call out; without an optimizer, a stand-in."""
    if isinstance(value, Expression):
        return value.value
    if isinstance(value, list):
        return [made(each, optimizer) for each in value]
    if not isinstance(value, Call):
        return value
    found = getattr(stand_ins if value.is_stand_in else lr_scheduler, value.short_name)
    given = [optimizer] if value.first else []
    return found(*given, **{name: made(each, optimizer) for name, each in value.arguments.items()})


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


@lru_cache(maxsize=64)
def _asked(
    schedule: str, samples: int, batch_size: int, drop_last: bool, accumulate: int, stepping: Stepping
) -> tuple[Callable[[int], float], int, float]:
    """The stand-in that a `ClosedForm` asks, its counts per call, and base_lr."""
    clock = Clock(samples, batch_size, drop_last, accumulate)
    found = from_json(schedule)
    count = found.count(clock, stepping)
    return made(stand_in(found, count), None), count.stride, found.base_lr
