"""A schedule in a line or two of PyTorch; the same functions as in `native_keras`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from experiment.clock import Clock, Duration
from experiment.schedules import Schedule

Counts = Callable[[Duration], str]
"""How a duration is written as a count: ``25 * steps_per_epoch``."""

MOST_BOUNDARIES = 8


def written(schedule: Schedule, count: Counts) -> str | None:
    """Code that defines `scheduler`; None where PyTorch has no class for the schedule.

    It takes an `optimizer` made with ``lr=schedule.base_lr``.

    count : writes its durations.
    """
    make = _CALLS.get(schedule.kind)
    call = None if make is None else make(schedule, count)
    if call is None:
        return None
    return call if "scheduler = " in call else f"scheduler = torch.optim.lr_scheduler.{call}"


def _constant(_: Any, __: Counts) -> str:
    return "ConstantLR(optimizer, factor=1.0)"


def _exponential(schedule: Any, count: Counts) -> str:
    every = count(schedule.every)
    if schedule.staircase:
        return f"StepLR(optimizer, step_size={every}, gamma={schedule.factor!r})"
    root = "" if every == "1" else f" ** (1 / {_grouped(every)})"
    return f"ExponentialLR(optimizer, gamma={schedule.factor!r}{root})"


def _inverse_time(schedule: Any, count: Counts) -> str:
    every, divide = count(schedule.every), "//" if schedule.staircase else "/"
    return f"LambdaLR(optimizer, lambda n: 1 / (1 + {schedule.decay_rate!r} * (n {divide} {_grouped(every)})))"


def _piecewise(schedule: Any, count: Counts) -> str | None:
    if len(schedule.boundaries) > MOST_BOUNDARIES:
        return None
    edges = f"[{', '.join(map(count, schedule.boundaries))}]"
    values = schedule.values
    ratios = [later / earlier if earlier else 0.0 for earlier, later in pairwise(values)]
    if ratios[0] > 0 and all(abs(ratio - ratios[0]) <= 1e-12 * ratios[0] for ratio in ratios):
        return f"MultiStepLR(optimizer, milestones={edges}, gamma={float(f'{ratios[0]:.12g}')!r})"
    factors = [float(f"{value / schedule.base_lr:.12g}") for value in values]
    return f"LambdaLR(optimizer, lambda n: {factors}[sum(n >= edge for edge in {edges})])"


def _polynomial(schedule: Any, count: Counts) -> str | None:
    if schedule.cycle or schedule.end:
        return None
    return f"PolynomialLR(optimizer, total_iters={count(schedule.over)}, power={schedule.power!r})"


def _linear(schedule: Any, count: Counts) -> str:
    over, base = count(schedule.over), schedule.base_lr
    if not schedule.initial:  # LinearLR cannot start at 0
        return f"LambdaLR(optimizer, lambda n: min(n / {_grouped(over)}, 1))"
    first, last = schedule.initial / base, schedule.end / base
    return f"LinearLR(optimizer, start_factor={first!r}, end_factor={last!r}, total_iters={over})"


def _cosine(schedule: Any, count: Counts) -> str:
    over = count(schedule.over)
    if schedule.after == "rise":
        return f"CosineAnnealingLR(optimizer, T_max={over}, eta_min={schedule.floor!r})"
    low = schedule.floor / schedule.initial
    rate = f"{low!r} + {1 - low!r} * (1 + math.cos(math.pi * min(n / {_grouped(over)}, 1))) / 2"
    lines = ("import math", "", "# CosineAnnealingLR climbs again after its end; this holds")
    return "\n".join([*lines, f"scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: {rate})"])


def _restarts(schedule: Any, count: Counts) -> str | None:
    if schedule.m_mul != 1 or schedule.t_mul != int(schedule.t_mul):
        return None
    first, multiple = count(schedule.first), int(schedule.t_mul)
    return f"CosineAnnealingWarmRestarts(optimizer, T_0={first}, T_mult={multiple}, eta_min={schedule.floor!r})"


def _one_cycle(schedule: Any, count: Counts) -> str:
    return (
        f"OneCycleLR(optimizer, max_lr={schedule.max_lr!r}, total_steps={count(schedule.over)}, "
        f"pct_start={schedule.pct_start!r}, anneal_strategy={schedule.anneal_strategy!r}, "
        f"div_factor={schedule.div_factor!r}, final_div_factor={schedule.final_div_factor!r}, "
        f"three_phase={schedule.three_phase!r}, cycle_momentum=False)"
    )


def _cyclic(schedule: Any, count: Counts) -> str:
    return (
        f"CyclicLR(optimizer, base_lr={schedule.low!r}, max_lr={schedule.max_lr!r}, "
        f"step_size_up={count(schedule.up)}, step_size_down={count(schedule.down)}, mode={schedule.mode!r}, "
        f"gamma={schedule.gamma!r}, cycle_momentum=False)"
    )


def _warmup(schedule: Any, count: Counts) -> str | None:
    then, over = written(schedule.then, count), count(schedule.over)
    if then is None:
        return None
    if schedule.initial:
        first = schedule.initial / float(schedule.then.rate(0, Clock.STEPS))
        line = f"LinearLR(optimizer, start_factor={first!r}, total_iters={over})"
    else:
        line = f"LambdaLR(optimizer, lambda n: n / {_grouped(over)})  # LinearLR cannot start at 0"
    after = then.replace("scheduler = ", "after = ")
    return (
        f"warmup = torch.optim.lr_scheduler.{line}\n{after}\n"
        f"scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, after], milestones=[{over}])"
    )


def _grouped(count: str) -> str:
    """A count to divide by."""
    return count if count.isdigit() else f"({count})"


_CALLS: dict[str, Callable[[Any, Counts], str | None]] = {
    "constant": _constant,
    "exponential": _exponential,
    "inverse-time": _inverse_time,
    "piecewise-constant": _piecewise,
    "polynomial": _polynomial,
    "linear": _linear,
    "cosine": _cosine,
    "cosine-restarts": _restarts,
    "one-cycle": _one_cycle,
    "cyclic": _cyclic,
    "warmup": _warmup,
}
