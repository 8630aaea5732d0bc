"""A schedule of Keras or PyTorch as it is saved or written down, read without the framework.

`from_config` reads what `keras.optimizers.schedules.serialize` gives; `from_call` reads a call with its arguments. Both
lead to the entry that reads the same class of a live framework.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_origin

from pydantic import ValidationError

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import SCHEDULES, Constant, Schedule, ScheduleModel
from samestep.experiment.schedules.calls import Call, Config, State, number
from samestep.experiment.schedules.dialects import FUNCTIONS
from samestep.experiment.schedules.signatures import KERAS, OF_A_FUNCTION, TORCH, bound, hint
from samestep.experiment.validation import describe

MADE_OF_OTHERS = ("ChainedScheduler", "SequentialLR")
SETS_ITS_OWN_RATE = ("CyclicLR", "OneCycleLR")


def from_config(data: Any, stepping: Stepping = "step") -> Schedule:
    """Read the config of a schedule of Keras, or of an optimizer with one.

    Args:
        data: JSON values: what `keras.optimizers.schedules.serialize` gives.
        stepping: ``epoch`` where the schedule is asked with the epoch. It then counts in epochs.

    Raises:
        ValueError: The class or an argument is not known, or is not one that the vocabulary can say.

    Example:
        >>> config = {"initial_learning_rate": 0.1, "decay_steps": 25, "decay_rate": 0.5, "staircase": True}
        >>> str(from_config({"class_name": "ExponentialDecay", "config": config}).every)
        '25 steps'
    """
    held = data.get("config", data) if isinstance(data, dict) else None
    if isinstance(held, dict) and "learning_rate" in held:
        rate = held["learning_rate"]
        if isinstance(rate, int | float):
            constant: Constant = _checked("learning_rate", lambda: Constant(initial=number("learning_rate", rate)))
            return constant
        return from_config(rate, stepping)
    if not isinstance(held, dict) or held is data or "class_name" not in data:
        raise ValueError("no config of a schedule. Write what keras.optimizers.schedules.serialize gives.")
    name = str(data["class_name"]).rpartition(">")[2]
    if str(data.get("registered_name") or "").startswith("samestep>") and name in _STAND_INS:
        return _of_keras(name, held, stepping, lambda config: from_config(config, stepping))
    if name not in KERAS:
        raise ValueError(f"{name[:60]!r} is not a schedule of Keras that samestep can read. {hint(name, KERAS)}")
    return _of_keras(name, bound(name, (), held), stepping, lambda config: from_config(config, stepping))


def from_call(call: Call, stepping: Stepping, clock: Clock | None) -> Schedule:
    """Read a call of a class of Keras or PyTorch, or of a dialect's function, with all its arguments.

    Args:
        call: Its name is that of the class alone.
        stepping: ``epoch`` where the schedule is asked, or the scheduler stepped, once per epoch.
        clock: For a scheduler that counts single calls and is stepped per epoch.

    Raises:
        ValueError: The vocabulary cannot say it.
    """
    if call.name in KERAS:
        return _of_keras(call.name, call.arguments, stepping, functools.partial(from_config, stepping=stepping))
    if call.name in TORCH:
        return _of_torch(call, stepping, clock)
    if "optimizer" in FUNCTIONS[call.name].functions[call.name]:
        _check(call, call.base_lr)
    read = FUNCTIONS[call.name].read_call
    schedule: Schedule = _checked(call.name, lambda: read and read(call, stepping))
    return schedule


_STAND_INS = {name for entry in SCHEDULES for name in entry.KERAS if name not in KERAS}
_ENTRIES = {name: entry for entry in SCHEDULES for name in (*entry.KERAS, *entry.TORCH)}


def _checked(name: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except ValidationError as error:
        raise ValueError(f"{name}: {describe(error)}") from None
    except ArithmeticError:
        raise ValueError(f"{name}: its numbers give no rates. Write others.") from None


def _of_keras(name: str, values: Mapping[str, Any], stepping: Stepping, within: Callable[[Any], Schedule]) -> Schedule:
    entry = _ENTRIES[name]
    _refuse_whole(name, values)
    held = {key: _plain(entry, key, value) for key, value in values.items() if key != "name"}
    schedule: Schedule = _checked(name, lambda: entry.from_keras(Config(name, held, stepping, within)))
    return schedule


def _plain(entry: type[ScheduleModel], key: str, value: Any) -> Any:
    """A value of a config: numbers as floats, all else as it is. Raises ValueError where a number is none."""
    if key in ("boundaries", "milestones", "values"):
        return [number(key, each) for each in _list(key, value)]
    is_word = key in entry.model_fields and get_origin(entry.model_fields[key].annotation) is Literal
    if is_word or key in ("then", "schedules", "of") or (value is None and entry.may_be_none(key)):
        return value
    return value if isinstance(value, bool) and key in _FLAGS else number(key, value)


_FLAGS = ("cycle", "staircase", "three_phase", "overlaps", "joins")


def _refuse_whole(name: str, values: Mapping[str, Any]) -> None:
    """Raise ValueError for a whole number with which TensorFlow counts in whole numbers, or fails."""
    first, rates = values.get("initial_learning_rate"), values.get("values") or ()
    if type(first) is int and name != "PolynomialDecay":
        raise ValueError(
            f"initial_learning_rate: got {first}, an integer, with which Keras computes in whole numbers. "
            f"Write {first}.0."
        )
    kinds = {type(each) for each in rates} if isinstance(rates, list | tuple) else set()
    if kinds == {int, float}:
        whole = next(each for each in rates if type(each) is int)
        raise ValueError(f"values: got {list(rates)}, of which {whole} is an integer: Keras fails. Write {whole}.0.")


def _check(call: Call, base: float | None) -> None:
    """Raise ValueError for a scheduler that begins in the middle, or whose first rate is not known."""
    last = call.arguments.get("last_epoch", -1)
    if last != -1:
        raise ValueError(f"{call.name}: last_epoch={last!r} begins in the middle. Leave it out.")
    if base is None and call.name not in (*MADE_OF_OTHERS, *SETS_ITS_OWN_RATE):
        raise ValueError(
            f"{call.name} takes its first rate from its optimizer. Add it, as in: "
            f"optimizer = SGD(params, lr=0.1); {call.name}(optimizer, …)."
        )


def _of_torch(call: Call, stepping: Stepping, clock: Clock | None, base: float | None = None) -> Schedule:
    name, given = call.name, call.arguments
    entry = _ENTRIES[name]
    base = call.base_lr if base is None else base
    _check(call, base)
    if clock is None and name == "CyclicLR" and stepping == "epoch":
        raise ValueError("CyclicLR is stepped once per epoch. Add --samples and --batch-size.")

    def within(bases: float | None) -> list[tuple[str, Schedule]]:
        parts = given["schedulers"]
        if not isinstance(parts, list) or not parts or not all(isinstance(each, Call) for each in parts):
            raise ValueError(f"{name}: schedulers are not a list of schedulers. Write them in [ ].")
        odd = next((each.name for each in parts if each.name not in _PARTS), None)
        if odd:
            raise ValueError(
                f"{odd} within {name} is not what it is alone. Write each by itself, or record a run and compare it."
            )
        bases_of = [None, *[bases] * (len(parts) - 1)]
        return [(each.name, _of_torch(each, stepping, clock, at)) for each, at in zip(parts, bases_of, strict=True)]

    held, group = _STATES[name](given) if name in _STATES else (given, {})
    base = held.get("base_lr", base) if name == "CyclicLR" else base
    state = State(name, held, stepping, float("nan") if base is None else base, group, clock or Clock.STEPS, within)
    schedule: Schedule = _checked(name, lambda: entry.from_torch(state))
    return schedule


_PARTS = [name for name in TORCH if name not in (*MADE_OF_OTHERS, *SETS_ITS_OWN_RATE)]
"""Schedulers that may be part of another."""

_Given = Mapping[str, Any]
_Held = tuple[Mapping[str, Any], Mapping[str, Any]]


def _milestones(given: _Given) -> _Held:
    """`MultiStepLR` counts how often each milestone is there."""
    milestones = _list("milestones", given["milestones"])
    for each in milestones:
        if number("milestones", each) % 1:
            raise ValueError(f"milestones: got {each!r}, which no call of scheduler.step() reaches. Write whole ones.")
    return {**given, "milestones": Counter(int(each) for each in milestones)}, {}


def _one_cycle(given: _Given) -> _Held:
    """`OneCycleLR` holds its phases, and its rates with the optimizer."""
    total = given["total_steps"]
    if total is None:
        if given["epochs"] is None or given["steps_per_epoch"] is None:
            raise ValueError(
                "OneCycleLR: total_steps is missing. Add total_steps=…, or epochs=… and steps_per_epoch=…."
            )
        total = number("epochs", given["epochs"]) * number("steps_per_epoch", given["steps_per_epoch"])
    if number("total_steps", total) % 1 or total < 1:
        raise ValueError(f"total_steps: got {total!r}. Write a whole number of at least 1.")
    up = number("pct_start", given["pct_start"]) * total
    ends = [up - 1, *([2 * up - 2] if given["three_phase"] else []), total - 1]
    high, div, final = (number(key, given[key]) for key in ("max_lr", "div_factor", "final_div_factor"))
    if not div or not final:
        raise ValueError("OneCycleLR: got a div_factor or final_div_factor of 0. Write numbers above 0.")
    group = {"max_lr": high, "initial_lr": high / div, "min_lr": high / div / final}
    phases = [{"end_step": end} for end in ends]
    strategy = given["anneal_strategy"]
    held = {"total_steps": int(total), "_schedule_phases": phases, "_anneal_func_type": strategy}
    return held, group


def _cyclic(given: _Given) -> _Held:
    """`CyclicLR` holds the length of a cycle, and which part of it goes up."""
    if given["scale_fn"] is not None:
        raise ValueError(OF_A_FUNCTION.format("CyclicLR's scale_fn"))
    up = number("step_size_up", given["step_size_up"])
    down = up if given["step_size_down"] is None else number("step_size_down", given["step_size_down"])
    if up <= 0 or down <= 0:
        raise ValueError(f"CyclicLR: got step sizes {up:g} and {down:g}. Write whole numbers from 1.")
    base, high = number("base_lr", given["base_lr"]), number("max_lr", given["max_lr"])
    cycle = {"total_size": up + down, "step_ratio": up / (up + down), "max_lrs": [high]}
    own = {name: value for name, value in given.items() if name != "scale_mode"}  # which is that of a scale_fn
    return {**own, **cycle, "base_lr": base}, {}


def _sequence(given: _Given) -> _Held:
    milestones = _list("milestones", given["milestones"])
    parts = given["schedulers"]
    if isinstance(parts, list) and len(milestones) != len(parts) - 1:
        raise ValueError(
            f"SequentialLR: {len(milestones)} milestones for {len(parts)} schedulers. Write one less than schedulers."
        )
    return {**given, "_milestones": milestones}, {}


_STATES: dict[str, Callable[[_Given], _Held]] = {
    "CyclicLR": _cyclic,
    "MultiStepLR": _milestones,
    "OneCycleLR": _one_cycle,
    "SequentialLR": _sequence,
}
"""What a scheduler's state and its optimizer's group hold, where that is not the arguments."""


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name}: got {value!r}. Write a list in [ ].")
    return list(value)
