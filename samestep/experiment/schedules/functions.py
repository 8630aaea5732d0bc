"""Functions and classes that say which schedule they are: those that samestep printed, and those of transformers.

None is believed: who reads one holds it against the rates that it gives.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Container, Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from samestep.experiment.clock import Clock, Duration, Stepping
from samestep.experiment.schedules import (
    SCHEDULES,
    Constant,
    CosineCycles,
    CosineDecay,
    Linear,
    PolynomialDecay,
    Schedule,
    ScheduleModel,
    Sequence,
    Warmup,
)
from samestep.experiment.schedules.base import tidy
from samestep.experiment.schedules.calls import Config, counted
from samestep.experiment.validation import describe

PRINTED: Mapping[str, type[ScheduleModel]] = {each.__name__: each for each in SCHEDULES} | {
    name: each for each in SCHEDULES for name, keys in each.KERAS.items() if not keys
}
"""The kind of each stand-in's class, by its name."""


def of_printed(made: Any, stepping: Stepping, within: Callable[[Any], Schedule] | None = None) -> Schedule:
    """The schedule of an object whose class samestep prints, from its attributes.

    Args:
        made: The object.
        stepping: ``epoch`` where it counts epochs.
        within: Reads the schedules within it; by default they are such objects as well.

    Raises:
        ValueError: A class of another name, or one that holds other values.
    """
    name = type(made).__name__
    if name not in PRINTED:
        raise ValueError(f"{name} is no class that samestep prints.")
    kind = PRINTED[name]
    values = {key: value for key, value in vars(made).items() if key in kind.model_fields}
    held = Config(name, values, stepping, within or (lambda each: of_printed(each, stepping)))
    try:
        return kind.known(held, {})  # type: ignore[return-value]  # one of the union
    except ValidationError as error:
        raise ValueError(f"{name}: {describe(error)}") from None


def of_function(function: Any, base_lr: float, clock: Clock, stepping: Stepping) -> Schedule | None:
    """The schedule of what `LambdaLR` is given, where samestep printed it or transformers made it; else None.

    Args:
        function: Gives the factor of `base_lr` at each call.
        base_lr: The rate that the optimizer was made with.
        clock: Gives the steps of an epoch.
        stepping: How often it is called.

    Raises:
        ValueError: It counts in a way that the vocabulary cannot say.
    """
    if isinstance(function, functools.partial):
        known = _OF_TRANSFORMERS.get(getattr(function.func, "__name__", ""))
        return None if known is None else known(_Given(base_lr, stepping, function.keywords))
    if getattr(function, "__name__", "") == "_get_constant_lambda":
        return Constant(initial=base_lr)
    made, counts = asked_by(function, PRINTED, clock, stepping)
    return None if made is None else of_printed(made, counts)


def asked_by(function: Any, known: Container[str], clock: Clock, stepping: Stepping) -> tuple[Any, Stepping]:
    """The one object that a function asks whose class is known, or None; and what that object counts.

    Args:
        function: As samestep prints it: it asks ``rate(n)``, or ``rate(32 * n)`` of what counts steps, once per epoch.
        known: Names of classes.
        clock: Gives the steps of an epoch.
        stepping: How often the function is asked.
    """
    if not inspect.isfunction(function):
        return None, stepping
    named = inspect.getclosurevars(function)
    held = [*named.nonlocals.values(), *named.globals.values()]
    made = [each for each in held if callable(each) and type(each).__name__ in known]
    in_steps = clock.steps_per_epoch > 1 and clock.steps_per_epoch in function.__code__.co_consts
    return made[0] if len(made) == 1 else None, "step" if in_steps else stepping


class _Given:
    """What a function of transformers is given."""

    def __init__(self, base_lr: float, stepping: Stepping, given: Mapping[str, Any]) -> None:
        self.base_lr, self.stepping, self.given = base_lr, stepping, given

    def __getitem__(self, key: str) -> Any:
        return self.given[key]

    def count(self, name: str, value: float) -> Duration:
        """A number of calls."""
        return counted(name, value, self.stepping)

    def rate(self, factor: float) -> float:
        """A factor of the optimizer's rate."""
        return tidy(self.base_lr * factor)

    @property
    def rest(self) -> float:
        """Calls after the warm-up."""
        return float(self["num_training_steps"] - self["num_warmup_steps"])

    def warmed_up(self, then: Schedule, low: float = 0.0) -> Schedule:
        """A schedule with the warm-up before it."""
        if not self["num_warmup_steps"]:
            return then
        over = self.count("num_warmup_steps", self["num_warmup_steps"])
        return Warmup(initial=self.rate(low), over=over, then=then)


class _Known(Protocol):
    def __call__(self, given: _Given) -> Schedule: ...


def _linear(given: _Given) -> Schedule:
    over = given.count("num_training_steps", given.rest)
    return given.warmed_up(Linear(initial=given.base_lr, end=0.0, over=over))


def _cosine(given: _Given) -> Schedule:
    """It rises again after its end: nothing clips its progress."""
    over = given.count("num_cycles", given.rest / (2 * given["num_cycles"]))
    floor = given.rate(given.given.get("min_lr_rate", 0.0))
    return given.warmed_up(CosineDecay(initial=given.base_lr, floor=floor, over=over, after="rise"))


def _restarts(given: _Given) -> Schedule:
    over, cycles = given.count("num_training_steps", given.rest), float(given["num_cycles"])
    if cycles == 1:
        return given.warmed_up(CosineDecay(initial=given.base_lr, floor=0.0, over=over, after="hold"))
    return given.warmed_up(CosineCycles(initial=given.base_lr, floor=0.0, over=over, cycles=cycles))


def _polynomial(given: _Given) -> Schedule:
    over = given.count("num_training_steps", given.rest)
    end, power = given.rate(given["lr_end"] / given["lr_init"]), float(given["power"])
    if power == 1:
        return given.warmed_up(Linear(initial=given.base_lr, end=end, over=over))
    return given.warmed_up(PolynomialDecay(initial=given.base_lr, end=end, power=power, over=over, cycle=False))


def _stable_decay(given: _Given) -> Schedule:
    end, over = given.rate(given["min_lr_ratio"]), given.count("num_decay_steps", given["num_decay_steps"])
    then: Schedule = CosineDecay(initial=given.base_lr, floor=end, over=over, after="hold")
    if given["decay_type"] == "linear":
        then = Linear(initial=given.base_lr, end=end, over=over)
    if stable := given["num_stable_steps"]:
        until = given.count("num_stable_steps", stable)
        then = Sequence(schedules=(Constant(initial=given.base_lr), then), milestones=(until,))
    return given.warmed_up(then, given["min_lr_ratio"])


_OF_TRANSFORMERS: Mapping[str, _Known] = {
    "_get_constant_schedule_with_warmup_lr_lambda": lambda given: given.warmed_up(Constant(initial=given.base_lr)),
    "_get_linear_schedule_with_warmup_lr_lambda": _linear,
    "_get_cosine_schedule_with_warmup_lr_lambda": _cosine,
    "_get_cosine_with_hard_restarts_schedule_with_warmup_lr_lambda": _restarts,
    "_get_polynomial_decay_schedule_with_warmup_lr_lambda": _polynomial,
    "_get_wsd_scheduler_lambda": _stable_decay,
}
"""transformers/optimization.py, 5.x, by the name of the function."""
