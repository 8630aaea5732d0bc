"""Steps and epochs. A count never travels without its unit, and only a clock turns one unit into the other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, PlainSerializer

Stepping = Literal["step", "epoch"]
Unit = Literal["steps", "epochs"]

_NUMBER = r"(?P<count>[+-]?\d{1,12}(?:\.\d{1,9})?)"
_DURATION = re.compile(_NUMBER + r"\s*(?P<unit>steps?|epochs?)", re.ASCII)
_BARE_NUMBER = re.compile(_NUMBER, re.ASCII)


@dataclass(frozen=True)
class Duration:
    """A length of training: a count with its unit, ``25 steps`` or ``2.5 epochs``.

    Attributes:
        count: positive; whole if the unit is steps. An epoch can be divided.
        unit: ``"steps"`` or ``"epochs"``.
    """

    count: Fraction
    unit: Unit

    @classmethod
    def parse(cls, text: object) -> Duration:
        """Read ``"25 steps"`` or ``"2.5 epochs"``.

        Raises:
            ValueError: the unit is missing or unknown, the count is not positive, or a step is divided.

        Example:
            >>> Duration.parse("25 epochs")
            Duration(count=Fraction(25, 1), unit='epochs')
        """
        if isinstance(text, Duration):
            return text
        shown = str(text).strip()[:60]
        if _BARE_NUMBER.fullmatch(shown):
            raise ValueError(f"'{shown}' has no unit. Write '{shown} steps' or '{shown} epochs'.")
        found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
        if not found:
            raise ValueError(f"{repr(text)[:60]} is not a duration. Write one like '25 steps' or '25 epochs'.")
        count = Fraction(found["count"])
        unit: Unit = "steps" if found["unit"].startswith("step") else "epochs"
        if count <= 0:
            raise ValueError(f"'{shown}' is not a positive duration. Write at least '1 {unit[:-1]}'.")
        if unit == "steps" and count.denominator != 1:
            raise ValueError(f"'{shown}' divides a step. Write a whole number of steps.")
        return cls(count, unit)

    def __str__(self) -> str:
        number = Decimal(self.count.numerator) / Decimal(self.count.denominator)  # exact: parse takes 21 digits
        return f"{number:f} {self.unit[:-1] if self.count == 1 else self.unit}"


DurationText = Annotated[Duration, BeforeValidator(Duration.parse), PlainSerializer(str)]
"""A field that is a Duration in Python and text like ``25 steps`` in JSON."""


@dataclass(frozen=True)
class Place:
    """An update, as step over the run and as epoch and batch, each from 0."""

    step: int
    epoch: int
    batch: int


@dataclass(frozen=True)
class Clock:
    """How many updates make an epoch.

    Attributes:
        samples: rows of data in one epoch.
        batch_size: rows in one full batch.
        drop_last: leave out a last batch that is shorter than `batch_size`.
        accumulate: batches whose gradients make one update; those left at the end of an epoch make one as well.

    Raises:
        ValueError: an epoch has no update at all.

    Example:
        >>> Clock(samples=1000, batch_size=32).steps_per_epoch
        32
    """

    samples: int
    batch_size: int
    drop_last: bool = False
    accumulate: int = 1

    STEPS: ClassVar[Clock]
    """The clock for schedules whose durations are all in steps. It has one step per epoch, which they do not use."""

    def __post_init__(self) -> None:
        if self.samples < 1 or self.batch_size < 1:
            raise ValueError(f"samples {self.samples} and batch_size {self.batch_size}: each must be at least 1.")
        if self.accumulate < 1:
            raise ValueError(f"accumulate {self.accumulate}: must be at least 1.")
        if self.steps_per_epoch < 1:
            raise ValueError(
                f"batch_size {self.batch_size} is more than the {self.samples} samples, and drop_last leaves "
                f"no update in an epoch. Write a batch_size of at most {self.samples}, or drop_last false."
            )

    @property
    def steps_per_epoch(self) -> int:
        """Updates in one epoch, S in the formulas."""
        return -(-self.batches_per_epoch // self.accumulate)

    @property
    def batches_per_epoch(self) -> int:
        """Batches in one epoch; without accumulation each makes one update."""
        full, rest = divmod(self.samples, self.batch_size)
        return full + (1 if rest and not self.drop_last else 0)

    @property
    def batch_sizes(self) -> np.ndarray:
        """Rows in each batch of an epoch, int64 of shape (batches_per_epoch,)."""
        starts = np.arange(self.batches_per_epoch, dtype=np.int64) * self.batch_size
        return np.minimum(self.batch_size, self.samples - starts)

    def steps(self, duration: Duration) -> int:
        """A duration in whole steps.

        Raises:
            ValueError: the duration is not a whole number of steps.

        Example:
            >>> Clock(samples=1000, batch_size=32).steps(Duration.parse("25 epochs"))
            800
        """
        count = duration.count * self.steps_per_epoch if duration.unit == "epochs" else duration.count
        if count.denominator != 1:
            raise ValueError(
                f"'{duration}' is {float(count):g} steps with {self.steps_per_epoch} steps per epoch. "
                f"Write a duration that makes a whole number of steps, like '{max(1, round(count))} steps'."
            )
        return int(count)

    def epoch(self, step: np.ndarray | int) -> np.ndarray:
        """Epoch of each step, from 0: int64, the shape of `step`."""
        return np.asarray(step, dtype=np.int64) // self.steps_per_epoch

    def batch(self, step: np.ndarray | int) -> np.ndarray:
        """Step within its epoch, from 0: int64, the shape of `step`."""
        return np.asarray(step, dtype=np.int64) % self.steps_per_epoch

    def place(self, step: int) -> Place:
        """The step, epoch and batch of an update.

        Example:
            >>> Clock(samples=1000, batch_size=32).place(800)
            Place(step=800, epoch=25, batch=0)
        """
        return Place(step, int(self.epoch(step)), int(self.batch(step)))

    def looked_up(self, step: np.ndarray | int, stepping: Stepping) -> np.ndarray:
        """The step at which the rate of each update is looked up: int64, the shape of `step`.

        ``t(n) = n`` stepping per step; ``t(n) = S * floor(n / S)`` stepping per epoch.

        Example:
            >>> Clock(samples=1000, batch_size=32).looked_up(np.array([31, 40]), "epoch")
            array([ 0, 32])
        """
        step = np.asarray(step, dtype=np.int64)
        return step if stepping == "step" else step - self.batch(step)


Clock.STEPS = Clock(samples=1, batch_size=1)


@dataclass(frozen=True)
class Count:
    """The unit in which a native schedule counts, and how far its count moves from one look-up to the next.

    Attributes:
        clock: turns epochs into steps.
        unit: ``"steps"``, or ``"epochs"`` if the rate is looked up once per epoch and all durations are whole epochs.
        stride: counts per look-up: 1, or the steps of an epoch if a schedule in steps is looked up once per epoch.
    """

    clock: Clock
    unit: Unit
    stride: int

    @classmethod
    def of(cls, durations: Iterable[Duration], clock: Clock, stepping: Stepping, stretches: bool = True) -> Count:
        """The count of a schedule with these durations.

        Args:
            durations: all durations of the schedule.
            clock: turns epochs into steps.
            stepping: how often the rate is looked up.
            stretches: whether the schedule may be counted in epochs at all.
        """
        if stepping == "step":
            return cls(clock, "steps", 1)
        whole = all(clock.steps(each) % clock.steps_per_epoch == 0 for each in durations)
        return cls(clock, "epochs", 1) if stretches and whole else cls(clock, "steps", clock.steps_per_epoch)

    def __call__(self, duration: Duration) -> int:
        """A duration in counts."""
        steps = self.clock.steps(duration)
        return steps if self.unit == "steps" else steps // self.clock.steps_per_epoch

    @property
    def asked(self) -> str:
        """How the count is written where ``n`` is the number of look-ups: ``n`` or ``32 * n``."""
        return "n" if self.stride == 1 else f"{self.stride} * n"
