"""The schedules of optax, which are functions of the count of updates: by their calls.

optax computes in float32 unless jax is told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

from samestep.experiment.clock import Clock, Duration, Stepping
from samestep.experiment.schedules import (
    Clip,
    Constant,
    CosineDecay,
    Curve,
    ExponentialDecay,
    Linear,
    PiecewiseConstant,
    PolynomialDecay,
    Schedule,
    Shift,
    Warmup,
)
from samestep.experiment.schedules.base import tidy
from samestep.experiment.schedules.calls import Call, key_number, number
from samestep.experiment.schedules.dialects.base import Dialect, Read, Words, lasting
from samestep.experiment.schedules.sequence import one_after_the_other
from samestep.experiment.schedules.signatures import bound

_COSINE = "init_value, peak_value, warmup_steps, decay_steps, end_value=0.0, exponent=1.0"
FUNCTIONS = {
    "constant_schedule": "value",
    "cosine_decay_schedule": "init_value, decay_steps, alpha=0.0, exponent=1.0",
    "cosine_onecycle_schedule": (
        "transition_steps, peak_value, pct_start=0.3, div_factor=25.0, final_div_factor=10000.0"
    ),
    "exponential_decay": (
        "init_value, transition_steps, decay_rate, transition_begin=0, staircase=False, end_value=None"
    ),
    "join_schedules": "schedules, boundaries",
    "linear_onecycle_schedule": (
        "transition_steps, peak_value, pct_start=0.3, pct_final=0.85, div_factor=25.0, final_div_factor=10000.0"
    ),
    "linear_schedule": "init_value, end_value, transition_steps, transition_begin=0",
    "piecewise_constant_schedule": "init_value, boundaries_and_scales=None",
    "piecewise_interpolate_schedule": "interpolate_type, init_value, boundaries_and_scales=None",
    "polynomial_schedule": "init_value, end_value, power, transition_steps, transition_begin=0",
    "sgdr_schedule": "cosine_kwargs",
    "warmup_constant_schedule": "init_value, peak_value, warmup_steps",
    "warmup_cosine_decay_schedule": _COSINE,
    "warmup_exponential_decay_schedule": (
        "init_value, peak_value, warmup_steps, transition_steps, decay_rate, transition_begin=0, staircase=False, "
        "end_value=None"
    ),
}
"""The arguments of each function, as its documentation has them."""

Given = Mapping[str, Any]


def from_optax(call: Call, stepping: Stepping) -> Schedule:
    """Read a call of one of these functions, with all its arguments.

    Raises:
        ValueError: The vocabulary can't say it.
    """
    if stepping == "epoch":
        raise ValueError("optax counts updates. Leave out --stepping epoch.")
    return _FORMS[call.name](call.arguments)


def _constant(given: Given) -> Schedule:
    return Constant(initial=number("value", given["value"]))


def _lasts(given: Given, name: str) -> Duration:
    return lasting(name, number(name, given[name]))


def _begun(given: Given, schedule: Schedule) -> Schedule:
    """A schedule that begins after some steps."""
    begin = number("transition_begin", given["transition_begin"])
    return Shift(of=schedule, late=lasting("transition_begin", begin)) if begin > 0 else schedule


def _polynomial(given: Given) -> Schedule:
    initial, end = (number(name, given[name]) for name in ("init_value", "end_value"))
    power = number("power", given.get("power", 1))
    if number("transition_steps", given["transition_steps"]) <= 0:
        return Constant(initial=initial)
    over = _lasts(given, "transition_steps")
    if power == 1:
        return _begun(given, Linear(initial=initial, end=end, over=over))
    return _begun(given, PolynomialDecay(initial=initial, end=end, power=power, over=over, cycle=False))


def _exponential(given: Given) -> Schedule:
    initial, factor, end = number("init_value", given["init_value"]), given["decay_rate"], given["end_value"]
    factor = number("decay_rate", factor)
    if factor == 0 or number("transition_steps", given["transition_steps"]) <= 0:
        return Constant(initial=initial)
    every = _lasts(given, "transition_steps")
    decay = ExponentialDecay(initial=initial, factor=factor, every=every, staircase=bool(given["staircase"]))
    schedule = _begun(given, decay)
    if end is None:
        return schedule
    if factor >= 1:
        raise ValueError("end_value: with a decay_rate of 1 or more it is the highest rate, which samestep can't say.")
    lowest = number("end_value", end)
    return Clip(lowest=lowest, of=schedule) if lowest > 0 else schedule


def _cosine(given: Given) -> Schedule:
    initial, power = number("init_value", given["init_value"]), number("exponent", given["exponent"])
    floor = tidy(initial * number("alpha", given["alpha"]))
    if power != 1:
        return Curve(initial=initial, end=floor, over=_lasts(given, "decay_steps"), shape="cosine", power=power)
    return CosineDecay(initial=initial, floor=floor, over=_lasts(given, "decay_steps"), after="hold")


def _scaled(given: Given) -> tuple[list[float], list[float]]:
    """The boundaries, and the values from each of them on, which multiply."""
    held = given["boundaries_and_scales"] or {}
    if not isinstance(held, Mapping):
        raise ValueError(f"boundaries_and_scales: got {held!r:.60}. Write a dictionary, like {{100: 0.1}}.")
    pairs = sorted((key_number(key), number("boundaries_and_scales", scale)) for key, scale in held.items())
    scales = [scale for _, scale in pairs]
    if any(scale < 0 for scale in scales):
        raise ValueError(f"boundaries_and_scales: got {min(scales):g}. Write factors of at least 0.")
    values = accumulate(scales, lambda value, scale: value * scale, initial=number("init_value", given["init_value"]))
    return [boundary for boundary, _ in pairs], [tidy(value) for value in values]


def _piecewise_constant(given: Given) -> Schedule:
    boundaries, values = _scaled(given)
    if not boundaries:
        return Constant(initial=values[0])
    ends = tuple(lasting("boundaries_and_scales", each) for each in boundaries)
    return PiecewiseConstant(boundaries=ends, values=tuple(values))


def _interpolated(given: Given) -> Schedule:
    boundaries, values = _scaled(given)
    kind = given["interpolate_type"]
    if kind not in ("linear", "cosine"):
        raise ValueError(f"interpolate_type: got {kind!r:.60}. Write 'linear' or 'cosine'.")
    parts: list[Schedule] = []
    begins = []
    for begin, end, low, high in zip([0, *boundaries], boundaries, values, values[1:], strict=False):
        if end > begin:
            over = lasting("boundaries_and_scales", end - begin)
            cosine = CosineDecay(initial=low, floor=high, over=over, after="hold") if kind == "cosine" else None
            parts.append(cosine or Linear(initial=low, end=high, over=over))
            begins.append(begin)
    if not parts:
        return Constant(initial=values[-1])
    return _joined(parts, begins[1:])


def _joined(parts: list[Schedule], begins: list[float]) -> Schedule:
    """One after the other; those that last no step are left out."""
    starts = [0.0, *begins]
    first = max(index for index, start in enumerate(starts) if start <= 0)
    milestones = tuple(lasting("boundaries", start) for start in starts[first + 1 :])
    return one_after_the_other(parts[first:], milestones, Clock.STEPS)


def _one_cycle(given: Given) -> Schedule:
    steps, peak = number("transition_steps", given["transition_steps"]), number("peak_value", given["peak_value"])
    start, div, final = (number(name, given[name]) for name in ("pct_start", "div_factor", "final_div_factor"))
    if steps <= 0 or steps % 1 or not div or not final:
        raise ValueError("transition_steps, div_factor and final_div_factor: write numbers above 0, and whole steps.")
    scales = {int(start * steps): div}
    if "pct_final" in given:
        scales |= {int(number("pct_final", given["pct_final"]) * steps): 1 / div, int(steps): 1 / final}
    else:
        scales |= {int(steps): 1 / (div * final)}
    kind = "linear" if "pct_final" in given else "cosine"
    return _interpolated({"interpolate_type": kind, "init_value": peak / div, "boundaries_and_scales": scales})


def _warmed_up(given: Given, then: Schedule) -> Schedule:
    initial, over = number("init_value", given["init_value"]), number("warmup_steps", given["warmup_steps"])
    return Warmup(initial=initial, over=lasting("warmup_steps", over), then=then) if over > 0 else then


def _warmup_constant(given: Given) -> Schedule:
    return _polynomial(
        {
            "init_value": given["init_value"],
            "end_value": given["peak_value"],
            "transition_steps": given["warmup_steps"],
            "transition_begin": 0,
        }
    )


def _warmup_cosine(given: Given) -> Schedule:
    """The warm-up is a part of the steps."""
    peak, warm, steps = (number(name, given[name]) for name in ("peak_value", "warmup_steps", "decay_steps"))
    if steps <= warm:
        raise ValueError(f"decay_steps: got {steps:g} with a warm-up of {warm:g}, which is a part of it. Write more.")
    alpha = number("end_value", given["end_value"]) / peak if peak else 0.0
    cosine = {"init_value": peak, "decay_steps": steps - max(warm, 0), "alpha": alpha, "exponent": given["exponent"]}
    return _warmed_up(given, _cosine(cosine))


def _warmup_exponential(given: Given) -> Schedule:
    return _warmed_up(given, _exponential({**given, "init_value": given["peak_value"]}))


def _list_of(name: str, value: Any, kind: type, what: str) -> list[Any]:
    if not isinstance(value, list) or not value or not all(isinstance(each, kind) for each in value):
        raise ValueError(f"{name}: got {str(value)[:60]}. Write a list of {what}.")
    return value


def _join(given: Given) -> Schedule:
    calls = _list_of("schedules", given["schedules"], Call, "schedules of optax")
    odd = next((each.name for each in calls if each.name not in _FORMS), None)
    if odd:
        raise ValueError(f"{odd} is no schedule of optax. Write one in its place.")
    begins = [number("boundaries", each) for each in given["boundaries"] or []]
    if len(begins) != len(calls) - 1:
        raise ValueError(f"boundaries: {len(begins)} for {len(calls)} schedules. Write one less than schedules.")
    return _joined([from_optax(each, "step") for each in calls], begins)


def _sgdr(given: Given) -> Schedule:
    cycles = _list_of("cosine_kwargs", given["cosine_kwargs"], Mapping, "dictionaries")
    name = "warmup_cosine_decay_schedule"
    each = [bound(name, [], cycle, FUNCTIONS) for cycle in cycles]
    ends = list(accumulate(number("decay_steps", cycle["decay_steps"]) for cycle in each))
    return _joined([_warmup_cosine(cycle) for cycle in each], ends[:-1])


_FORMS: Mapping[str, Callable[[Given], Schedule]] = {
    "constant_schedule": _constant,
    "cosine_decay_schedule": _cosine,
    "cosine_onecycle_schedule": _one_cycle,
    "exponential_decay": _exponential,
    "join_schedules": _join,
    "linear_onecycle_schedule": _one_cycle,
    "linear_schedule": _polynomial,
    "piecewise_constant_schedule": _piecewise_constant,
    "piecewise_interpolate_schedule": _interpolated,
    "polynomial_schedule": _polynomial,
    "sgdr_schedule": _sgdr,
    "warmup_constant_schedule": _warmup_constant,
    "warmup_cosine_decay_schedule": _warmup_cosine,
    "warmup_exponential_decay_schedule": _warmup_exponential,
}


def _read(words: Words) -> Read:
    raise ValueError("its schedules are calls. Write one, like optax.cosine_decay_schedule(0.1, 1000).")


OPTAX = Dialect(
    name="optax",
    held_against="optax 0.2",
    is_written=lambda values: False,
    read=_read,
    example="optax.cosine_decay_schedule(0.1, 1000)",
    names=(),
    functions=FUNCTIONS,
    read_call=from_optax,
)
