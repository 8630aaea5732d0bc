"""From PyTorch's schedulers back to the vocabulary, from what their states hold."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError
from torch.optim import lr_scheduler

from experiment.clock import Clock, Duration, Stepping
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
from experiment.schedules.base import counted, number, tidy
from experiment.schedules.text import from_json
from experiment.validation import describe
from torch_impl.natives import MULTIPLY, ClosedForm


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
    rates = [float(each) for each in _innermost(state).get("base_lrs", ())]
    if len(set(rates)) > 1:
        found.append(f"Its parameter groups have rates of their own ({', '.join(map(str, rates))}); the first is read.")
    if call := calls_made(state):
        found.append(f"The state stands at call {call}; the schedule is told from its beginning.")
    return tuple(found)


def calls_made(state: Mapping[str, Any]) -> int:
    """How often a scheduler has been stepped; a ChainedScheduler does not count, the first within it does."""
    return int((state if "last_epoch" in state else _innermost(state)).get("last_epoch") or 0)


def _innermost(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state of the first scheduler that is made of no others."""
    while state.get("_schedulers"):
        first = state["_schedulers"][0]
        state = first if isinstance(first, Mapping) else vars(first)
    return state


def read_state(
    name: str, state: Mapping[str, Any], group: Mapping[str, Any] | None, clock: Clock, stepping: Stepping
) -> Schedule:
    """The vocabulary schedule in a saved state.

    name : the scheduler's class. state : its `state_dict()`. group : the first of the optimizer's `param_groups`, in
    which OneCycleLR keeps its rates; or None. clock, stepping : as for `read`. Raises ValueError as `read` does.
    """
    return _Reader(clock, stepping).read(name, state, group=group)


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
            base = number("base_lrs", state["base_lrs"][0]) if state.get("base_lrs") else float("nan")
        try:
            return _READERS[name](self, state, base, native, group)
        except ValidationError as error:
            raise ValueError(f"{name}: {describe(error)}") from None
        except KeyError as error:
            raise ValueError(f"{name}: its state has no {error}. Save scheduler.state_dict() whole.") from None

    def count(self, name: str, value: float) -> Duration:
        return counted(name, value, self.stepping)

    def function(self, native: Any) -> Callable[[int], float]:
        """The user's function of a live scheduler, where it may be asked."""
        if native is None or not self.calls:
            hint = "" if native is None else ", give calls=N to read"
            raise ValueError(
                "its rate comes from a function, which no state holds. Write the schedule in samestep's vocabulary"
                f"{hint}, or record a run and compare it."
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
        found: list[tuple[str, Schedule]] = []
        for index, each in enumerate(state["_schedulers"]):
            live = None if isinstance(each, Mapping) else each
            inner = each if live is None else vars(live)
            name = class_of(inner) if live is None else type(live).__name__
            if name in ("OneCycleLR", "CyclicLR"):
                raise ValueError(
                    f"{name} within another scheduler sets the optimizer's own rate, from which the others then begin: "
                    "what was meant cannot be told. Translate each by itself, or record a run and compare it."
                )
            base = None if index == 0 else bases
            found.append((name, self.read(name, inner, live, group, base)))
        return found


def class_of(state: Mapping[str, Any]) -> str:
    """The class of a state within another's, which PyTorch saves without a name: its keys tell."""
    for name, keys in _KEYS.items():
        if keys <= set(state):
            return name
    raise ValueError(
        f"no scheduler of PyTorch has the keys {', '.join(map(str, list(state)[:6])) or '(none)'}. "
        f"Write the class that it is: {', '.join(KNOWN)}."
    )


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
    return ExponentialDecay(initial=base, factor=number("gamma", state["gamma"]), every=every, staircase=True)


def _read_multi_step(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    # a Counter; JSON has made text of its keys
    times = {int(key): int(value) for key, value in dict(state["milestones"]).items()}
    gamma, value = number("gamma", state["gamma"]), base
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
    low = tidy(base * number("factor", state["factor"]))
    if state["total_iters"] <= 0 or low == base:
        return Constant(initial=low)
    return PiecewiseConstant(boundaries=(reader.count("total_iters", state["total_iters"]),), values=(low, base))


def _read_linear(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    return Linear(
        initial=tidy(base * number("start_factor", state["start_factor"])),
        end=tidy(base * number("end_factor", state["end_factor"])),
        over=reader.count("total_iters", state["total_iters"]),
    )


def _read_exponential(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    one = reader.count("gamma", 1)
    return ExponentialDecay(initial=base, factor=number("gamma", state["gamma"]), every=one, staircase=False)


def _read_polynomial(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    over, power = reader.count("total_iters", state["total_iters"]), number("power", state["power"])
    if power == 1:
        return Linear(initial=base, end=0.0, over=over)
    return PolynomialDecay(initial=base, end=0.0, power=power, over=over, cycle=False)


def _read_cosine(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    over = reader.count("T_max", state["T_max"])
    return CosineDecay(initial=base, floor=number("eta_min", state["eta_min"]), over=over, after="rise")


def _read_restarts(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    first, t_mul = reader.count("T_0", state["T_0"]), number("T_mult", state["T_mult"])
    return CosineRestarts(initial=base, floor=number("eta_min", state["eta_min"]), first=first, t_mul=t_mul, m_mul=1.0)


def _read_one_cycle(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    if group is None or "max_lr" not in group or "min_lr" not in group:
        raise ValueError(
            "OneCycleLR keeps max_lr with the optimizer, not in its own state. "
            "Save optimizer.state_dict() as well, under the key 'optimizer'."
        )
    total = int(state["total_steps"])
    high, low, lowest = (
        number("max_lr", group["max_lr"]),
        number("initial_lr", group["initial_lr"]),
        number("min_lr", group["min_lr"]),
    )
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
    return reader.tabulated(cycle.rate(np.arange(total), Clock.STEPS).tolist())


def _read_cyclic(reader: _Reader, state: _State, base: float, native: Any, group: Any) -> Schedule:
    if state.get("_scale_fn_custom") is not None or state["mode"] not in ("triangular", "triangular2", "exp_range"):
        raise ValueError("CyclicLR has a scale_fn of its user's, which cannot be read. Record a run and compare it.")
    total, ratio = number("total_size", state["total_size"]), number("step_ratio", state["step_ratio"])
    up = tidy(total * ratio)
    if up != int(up) or total != int(total):
        raise ValueError(f"step_size_up: got {up:g}. samestep counts in whole numbers; write whole step sizes.")
    exponential = state["mode"] == "exp_range"
    gamma = number("gamma", state["gamma"]) if exponential else 1.0
    if exponential and reader.stepping == "epoch":
        gamma **= 1 / reader.clock.steps_per_epoch  # the vocabulary's gamma is that of one step
    return Cyclic(
        low=base,
        max_lr=number("max_lrs", state["max_lrs"][0]),
        up=reader.count("step_size_up", up),
        down=reader.count("step_size_down", total - up),
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
        if name not in MULTIPLY:
            raise ValueError(
                f"{name} in a ChainedScheduler sets the rate anew instead of multiplying it, so the chain is no "
                f"product. Chain only {', '.join(MULTIPLY)}."
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
