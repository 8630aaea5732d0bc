"""What every schedule of the vocabulary has in common: it is asked, answers for arrays, and does not change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from experiment.clock import Clock, Count, Duration, Stepping
from experiment.validation import Model

ArrayLike = np.ndarray | list[int] | int

After = Literal["hold", "rise", "error"]
"""What a schedule does after its end: it holds its last rate, it rises again, or it may not be asked any more."""

LARGEST = 3e38  # what float32 holds
Peak = Annotated[float, Field(gt=0, le=LARGEST)]
Level = Annotated[float, Field(ge=0, le=LARGEST)]

FLOAT32 = 2.0**-24
"""Largest relative error of a number that is rounded to float32."""


class ScheduleModel(Model):
    """A learning-rate schedule: a pure function of step and clock.

    Subclasses give ``_rate``, and say how float32 bends it where it does.
    """

    @property
    def stretches(self) -> bool:
        """Whether counting in epochs instead of steps leaves the form as it is."""
        return True

    @property
    def base_lr(self) -> float:
        """The rate an optimizer is made with for this schedule; factors in PyTorch are relative to it."""
        raise NotImplementedError

    @property
    def after_end(self) -> After | None:
        """What happens after the end; None where the schedule has no end."""
        return None

    def length(self, clock: Clock) -> int | None:
        """Steps until the end; None where the schedule has no end."""
        return None

    def durations(self) -> Iterator[tuple[str, Duration]]:
        """Every duration with its place, like ``("over", 100 steps)`` or ``("then.over", 10 epochs)``."""
        for name in type(self).model_fields:
            yield from _durations(name, getattr(self, name))

    def parts(self) -> tuple[ScheduleModel, ...]:
        """The schedules that it is made of; none for most kinds."""
        values = [getattr(self, name) for name in type(self).model_fields]
        within = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
        return tuple(each for each in within if isinstance(each, ScheduleModel))

    def count(self, clock: Clock, stepping: Stepping) -> Count:
        """What a native twin of this schedule counts with this stepping."""
        return Count.of((duration for _, duration in self.durations()), clock, stepping, self.stretches)

    def whole_steps(self, clock: Clock) -> None:
        """Raise ValueError, with the place, where a duration is no whole number of steps of this clock."""
        for place, duration in self.durations():
            try:
                clock.steps(duration)
            except ValueError as error:
                raise ValueError(f"{place}: {error}") from None

    def rate(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Learning rate used by each update.

        step : int or int64 array, any shape; the step at which the rate is looked up, from 0.
        clock : Clock; gives steps per epoch.
        Returns float64, the shape of `step`.
        Raises ValueError where a step is negative, where a duration is not a whole number of steps, where the
        schedule may not be asked after its end, and where it grows past what float32 holds.
        """
        steps = _steps(step)
        if self.after_end == "error":
            length, last = self.length(clock), int(steps.max(initial=0))
            if length is not None and last >= length:
                raise ValueError(
                    f"the {self._kind} schedule ends after {length} steps, step {last} is asked. "
                    "Make it as long as the run, or write after hold."
                )
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            rate = np.asarray(self._rate(steps, clock), dtype=np.float64)
        beyond = ~(rate <= LARGEST)
        if beyond.any():
            first = int(steps.reshape(-1)[beyond.reshape(-1)][0])
            raise ValueError(
                f"the {self._kind} schedule grows past {LARGEST:g}, what float32 holds, at step {first}. "
                "Ask for fewer steps."
            )
        return rate

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Size at which float32 rounds, where it is larger than the rate: float64, the shape of `step`.

        A product rounds at its own size; a sum rounds at the size of its largest term, however small it is itself.
        """
        return np.zeros(_steps(step).shape)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """How far float32 parameters lead the rate away, beyond rounding: float64, absolute, the shape of `step`."""
        return np.zeros(_steps(step).shape)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        raise NotImplementedError

    @property
    def _kind(self) -> str:
        return str(getattr(self, "kind", "unnamed"))


def float32_error(value: float) -> float:
    """Relative error of a number when it is held in float32.

    >>> round(float32_error(0.95), 11), float32_error(0.5), float32_error(0.0)
    (1.255e-08, 0.0, 0.0)
    """
    return abs(float(np.float32(value)) - value) / abs(value) if value else 0.0


def tidy(value: float) -> float:
    """A number put together again from its parts, without the last bit that doing so added.

    >>> 0.1 * 0.05, tidy(0.1 * 0.05)
    (0.005000000000000001, 0.005)
    """
    return float(f"{value:.15g}")


def ratio(part: float, whole: float) -> float:
    """``part / whole`` as short as it can be written and still give the part back.

    >>> 0.003 / 0.1, ratio(0.003, 0.1)
    (0.03, 0.03)
    >>> 0.01 / 0.1, ratio(0.01, 0.1)
    (0.09999999999999999, 0.1)
    """
    for digits in range(1, 17):
        found = float(f"{part / whole:.{digits}g}")
        if tidy(found * whole) == part:
            return found
    return part / whole


def number(name: str, value: Any) -> float:
    """A number that a framework has saved. Raises ValueError with its name where it is none.

    >>> number("gamma", 1)
    1.0
    """
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        found = math.nan
    if isinstance(value, str | bool) or not math.isfinite(found):
        raise ValueError(f"{name}: got {str(value)[:40]!r}. Write a number.")
    return found


def counted(name: str, value: float, stepping: Stepping) -> Duration:
    """What a native schedule counts, as a duration: steps, or epochs where it is asked once per epoch.

    Raises ValueError where it is no whole number.
    """
    found = number(name, value)
    if found != int(found) or not 1 <= found < 2**40:
        raise ValueError(f"{name}: got {value!r}. samestep counts in whole numbers from 1 to 2**40; write one.")
    return Duration(Fraction(int(value)), "steps" if stepping == "step" else "epochs")


def check_rising(name: str, durations: Sequence[Duration]) -> None:
    """Raise ValueError where durations of one unit do not rise; of several units only a clock can tell."""
    for one, other in pairwise(durations):
        if one.unit == other.unit and one.count >= other.count:
            raise ValueError(f"{name}: '{other}' stands after '{one}'. Write them in rising order.")


def rising_steps(name: str, durations: Sequence[Duration], clock: Clock) -> list[int]:
    """Durations in steps. Raises ValueError where they do not rise."""
    steps = [clock.steps(each) for each in durations]
    for index, (one, other) in enumerate(pairwise(steps)):
        if one >= other:
            raise ValueError(
                f"{name}: '{durations[index]}' is step {one}, and '{durations[index + 1]}', which is step {other}, "
                "stands after it. Write them in rising order."
            )
    return steps


def _durations(name: str, value: Any) -> Iterator[tuple[str, Duration]]:
    if isinstance(value, Duration):
        yield name, value
    elif isinstance(value, ScheduleModel):
        for place, duration in value.durations():
            yield f"{name}.{place}", duration
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _durations(f"{name}[{index}]", each)


def _steps(step: ArrayLike) -> np.ndarray:
    steps = np.asarray(step)
    if not np.issubdtype(steps.dtype, np.integer):
        raise ValueError(f"step: {steps.dtype} values. Steps are whole numbers, counted from 0.")
    if steps.size and steps.min() < 0:
        raise ValueError(f"step: {steps.min()} is negative. Steps are counted from 0.")
    return steps.astype(np.int64)
