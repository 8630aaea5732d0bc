"""Functions and classes that say which schedule they are: those that samestep printed, and those of transformers.

None is believed: who reads one holds it against the rates that it gives.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Container, Mapping
from typing import Any

from pydantic import ValidationError

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import SCHEDULES, Constant, Schedule, ScheduleModel
from samestep.experiment.schedules.calls import Config
from samestep.experiment.schedules.dialects.transformers import of_partial
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
        return of_partial(function, base_lr, stepping)
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
