"""The schedules of DeepSpeed: the ``scheduler`` block of its configuration, alone or within the whole.

DeepSpeed steps a scheduler after each update, and the first time to its step 0. WarmupLR, WarmupDecayLR and
WarmupCosineLR are thus one step late: the first two updates have the rate of step 0. OneCycle and LRRangeTest count
from 1, and are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samestep.experiment.schedules import (
    Constant,
    CosineDecay,
    InverseTimeDecay,
    Linear,
    Schedule,
    Sequence,
    Shift,
    Stairs,
    Warmup,
)
from samestep.experiment.schedules.base import tidy
from samestep.experiment.schedules.dialects.base import Dialect, Read, Words, lasting

WARM = ("warmup_num_steps", "warmup_type")
PARAMS: Mapping[str, tuple[str, ...]] = {
    "WarmupLR": ("warmup_min_lr", "warmup_max_lr", *WARM),
    "WarmupDecayLR": ("total_num_steps", "warmup_min_lr", "warmup_max_lr", *WARM),
    "WarmupCosineLR": ("total_num_steps", "warmup_min_ratio", "cos_min_ratio", *WARM),
    "OneCycle": (
        *("cycle_min_lr", "cycle_max_lr", "decay_lr_rate", "cycle_first_step_size", "cycle_second_step_size"),
        *("cycle_first_stair_count", "cycle_second_stair_count", "decay_step_size", "cycle_momentum"),
        *("cycle_min_mom", "cycle_max_mom", "decay_mom_rate"),
    ),
    "LRRangeTest": (
        *("lr_range_test_min_lr", "lr_range_test_step_size", "lr_range_test_step_rate", "lr_range_test_staircase"),
    ),
}
"""The parameters of each type, besides ``last_batch_iteration``."""


def is_written(values: Mapping[str, Any]) -> bool:
    """Whether it is the block, or a configuration with one."""
    block = values.get("scheduler", values)
    return isinstance(block, Mapping) and "type" in block and ("params" in block or block["type"] in PARAMS)


def read(words: Words) -> Read:
    """Read the block.

    Raises:
        ValueError: A type that DeepSpeed has not, a parameter that the type has not, or ``auto``.
    """
    whole = words
    if "scheduler" in words.values:
        words = words.within("scheduler")
    kind = words.word("type", PARAMS)
    if words.stepping == "epoch":
        raise ValueError("DeepSpeed steps its scheduler after each update. Leave out --stepping epoch.")
    params = words.within("params") if "params" in words else Words({}, "step", words.clock, "params.", words.assumed)
    params.only(PARAMS[kind])
    for name, value in params.values.items():
        if value == "auto":
            raise ValueError(f"{params.place}{name}: 'auto' is filled in by the program that runs. Write the number.")
        if isinstance(value, list | tuple):
            raise ValueError(f"{params.place}{name}: one for each parameter group. Write that of one.")
    return _FORMS[kind](params, whole), tuple(words.assumed)


def _base_lr(whole: Words) -> float | None:
    """The rate of the optimizer's own block, where the configuration has one."""
    held = whole.values.get("optimizer")
    params = held.get("params") if isinstance(held, Mapping) else None
    at = whole.within("optimizer").within("params") if isinstance(params, Mapping) else whole
    return at.number("lr") if "lr" in at else None


def _needed_lr(whole: Words) -> float:
    lr = _base_lr(whole)
    if not lr:
        raise ValueError("the optimizer's rate is missing. Add it: lr=0.001, or the block optimizer with its params.")
    return lr


def _way_up(params: Words, low: float, then: Schedule) -> tuple[Schedule, int]:
    """A warm-up to a schedule, and its steps."""
    over = max(2, params.whole("warmup_num_steps", 1000, least=1))
    is_line = params.word("warmup_type", ("log", "linear"), "log") == "linear"
    lasts = lasting("warmup_num_steps", over)
    return Warmup(initial=low, over=lasts, then=then, curve="linear" if is_line else "logarithm"), over


def _late(schedule: Schedule) -> Schedule:
    return Shift(of=schedule, late=lasting("late", 1))


def _warmup(params: Words, whole: Words) -> Schedule:
    lr = params.number("warmup_max_lr", _base_lr(whole))
    return _late(_way_up(params, params.number("warmup_min_lr", 0.0), Constant(initial=lr))[0])


def _after(params: Words, over: int) -> int:
    """Steps after the warm-up."""
    total = params.whole("total_num_steps")
    if total <= over:
        raise ValueError(f"{params.place}total_num_steps: got {total} with a warm-up of {over}. Write more.")
    return total - over


def _warmup_decay(params: Words, whole: Words) -> Schedule:
    low, high = params.number("warmup_min_lr", 0.0), params.number("warmup_max_lr", 0.001)
    over = max(2, params.whole("warmup_num_steps", 1000, least=1))
    down = Linear(initial=high, end=low, over=lasting("total_num_steps", _after(params, over)))
    return _late(_way_up(params, low, down)[0])


def _warmup_cosine(params: Words, whole: Words) -> Schedule:
    """The cosine begins at its second step, and the first update has the rate 0."""
    lr = _needed_lr(whole)
    low, floor = (
        tidy(lr * params.number(key, default))
        for key, default in (("warmup_min_ratio", 0.0), ("cos_min_ratio", 0.0001))
    )
    up, over = _way_up(params, low, Constant(initial=lr))
    down = CosineDecay(initial=lr, floor=floor, over=lasting("total_num_steps", _after(params, over)), after="hold")
    early = Shift(of=down, early=lasting("early", 1))
    late = _late(Sequence(schedules=(up, early), milestones=(lasting("warmup_num_steps", over),)))
    return Warmup(initial=0.0, over=lasting("late", 1), then=late, overlaps=True) if low else late


def _one_cycle(params: Words, whole: Words) -> Schedule:
    low, high = params.number("cycle_min_lr"), params.number("cycle_max_lr")
    up = params.whole("cycle_first_step_size", 2000, least=1)
    down = params.whole("cycle_second_step_size", up, least=1)
    stairs = params.whole("cycle_first_stair_count", 0)
    parts: list[Schedule] = [
        _in_stairs(low, high, up, stairs, False),
        _in_stairs(high, low, down, params.whole("cycle_second_stair_count", stairs), True),
    ]
    ends = [lasting("cycle_first_step_size", up)]
    rate, every = params.number("decay_lr_rate", 0.0), params.whole("decay_step_size", 0)
    if low and rate and every:
        parts.append(
            InverseTimeDecay(initial=low, decay_rate=rate, every=lasting("decay_step_size", every), staircase=False)
        )
        ends.append(lasting("cycle_second_step_size", up + down))
    return Sequence(schedules=tuple(parts), milestones=tuple(ends))


def _in_stairs(initial: float, end: float, over: int, count: int, falls: bool) -> Schedule:
    """A line, or so many stairs along it. Those that fall begin with the step that leaves the line."""
    line = Linear(initial=initial, end=end, over=lasting("cycle_first_step_size", over))
    if not count:
        return line
    if over % count:
        raise ValueError(f"stair_count: {count} stairs do not divide {over} steps. Write a count that does.")
    every = over // count
    stairs = Stairs(every=lasting("stair_count", every), of=line)
    return Shift(of=stairs, early=lasting("stair_count", every - 1)) if falls and every > 1 else stairs


def _range_test(params: Words, whole: Words) -> Schedule:
    raise ValueError("LRRangeTest rises along a line without an end, which samestep has no word for. Record the run.")


_FORMS = {
    "WarmupLR": _warmup,
    "WarmupDecayLR": _warmup_decay,
    "WarmupCosineLR": _warmup_cosine,
    "OneCycle": _one_cycle,
    "LRRangeTest": _range_test,
}

DEEPSPEED = Dialect(
    name="deepspeed",
    held_against="DeepSpeed 0.19",
    is_written=is_written,
    read=read,
    example='{"type": "WarmupLR", "params": {"warmup_max_lr": 0.001, "warmup_num_steps": 1000}}',
    names=("scheduler", "type", "params", "lr", "optimizer"),
)
