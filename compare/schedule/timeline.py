"""What one log holds, step by step: which schedule it follows, when its rate changes, where it starts again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from samestep.experiment.clock import Clock, Place
from samestep.experiment.schedules import Schedule

from ..rates import Rates
from ..runs.settings import Settings
from ..runs.side import Side, clock_of, read_side
from ..show.result import Result
from . import warnings
from .ask import changes_of, first_and_last
from .infer import Inference, inference

if TYPE_CHECKING:
    import pandas as pd

    from ..show.picture import Picture

ALIKE = 16
"""Rows from the first on that a log repeats where it starts again; fewer where it ends before."""

REGAINED = 0.3
"""Part of what the rate has lost that a jump up gives back where a schedule starts again."""


DROPPED = 0.5
"""Part of its rate that a log drops in one row where it warms up again."""

OFTEN = 0.125
"""Part of the changes that may be new beginnings; with more of them, and no schedule, rates only go up and down."""


class Row(NamedTuple):
    """A row whose rate differs from that of the row before."""

    step: int
    lr: float


@dataclass(frozen=True, eq=False)
class Timeline(Result):
    """A log, row by row.

    Attributes:
        inference: What was read, and the schedule that it follows.
        clock: The steps of an epoch; None where they are not known.
        changes: How often the rate changes.
        shown: The first changes and the last ones.
        starts_again: The steps at which it begins anew.
    """

    inference: Inference
    clock: Clock | None
    changes: int
    shown: tuple[Row, ...]
    starts_again: tuple[int, ...]

    @property
    def rates(self) -> Rates:
        """The rate of every row."""
        return self.inference.run.rates

    @property
    def schedule(self) -> Schedule | None:
        """The schedule that the log follows; None where none was found."""
        return self.inference.schedule

    @property
    def first_change(self) -> Row | None:
        """The first row with another rate."""
        return self.shown[0] if self.shown else None

    @property
    def warnings(self) -> tuple[warnings.Doubt, ...]:
        """What may not be meant by the schedule that the log follows."""
        clock, found = self.clock, self.inference.inferred
        longer = clock is not None and int(self.rates.step[-1]) >= clock.steps_per_epoch
        if clock is None or found is None or found.stepping == "epoch" or not longer:
            return ()
        return tuple(warnings.short(found.schedule, clock))

    @property
    def table(self) -> pd.DataFrame:
        """One row for each row of the log: its step and rate, and the rate of the schedule."""
        return self.inference.table

    def place(self, step: int) -> Place | None:
        """Where a step is; None where the steps of an epoch are not known."""
        return None if self.clock is None else self.clock.place(step)

    def lines(self) -> Iterator[tuple[str, str]]:
        """What the log follows, the timeline, the changes as a table, the warnings with what to write instead."""
        from . import words

        return words.timeline(self)

    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """The rates of the log and of the schedule that it follows, and the beginning enlarged."""
        from . import figures

        return figures.only(
            lambda: figures.timeline(self),
            f"Learning rate against step of {self.inference.side.given}.",
            "The rates of the log, and its beginning enlarged.",
        )

    def to_json(self) -> dict[str, Any]:
        """The timeline as JSON values."""
        first, run, side = self.first_change, self.inference.run, self.inference.side
        return {
            **self.inference.to_json(),
            "format": side.format,
            **run.key._asdict(),
            "clock": self.clock and asdict(self.clock),
            "steps_per_epoch": self.clock and self.clock.steps_per_epoch,
            "rows": len(self.rates),
            "first_step": int(self.rates.step[0]),
            "last_step": int(self.rates.step[-1]),
            "changes": self.changes,
            "first_change": first and self._placed(first.step),
            "first_rate": float(self.rates.lr[0]),
            "final_rate": float(self.rates.lr[-1]),
            "starts_again": [self._placed(step) for step in self.starts_again],
            "conventions": dict(side.conventions),
            "assumed": list(side.assumed),
            "notes": [*side.notes, *run.notes],
            "warnings": [each.says for each in self.warnings],
            "advice": [each.advice for each in self.warnings],
        }

    def _placed(self, step: int) -> dict[str, int | None]:
        place = self.place(step)
        return {"step": step, "epoch": None, "batch": None} if place is None else asdict(place)


def read(given: object, settings: Settings, clock: Clock | None, show: int) -> Timeline:
    """The timeline of a log with one run. Raises CompareError where there are several.

    clock : what the options say of it. show : changes that are kept.
    """
    return of_side(read_side(given, "log", settings, clock), clock, show)


def of_side(side: Side, clock: Clock | None, show: int) -> Timeline:
    """The timeline of what was read. Raises CompareError where there are several runs."""
    found = inference(side, clock)
    rates = found.run.rates
    changed, begun = changes_of(rates.lr), starts_again(rates)
    is_noise = found.schedule is None and len(begun) > OFTEN * len(changed)
    return Timeline(
        inference=found,
        clock=clock or clock_of(side),
        changes=len(changed),
        shown=tuple(Row(int(rates.step[row]), float(rates.lr[row])) for row in first_and_last(changed, show)),
        starts_again=() if is_noise else tuple(int(rates.step[row]) for row in begun),
    )


def starts_again(rates: Rates) -> list[int]:
    """The rows at which a log begins anew: it jumps up after it fell, falls before it rises, or repeats its first rows.

    >>> starts_again(Rates.of(range(9), [4, 3, 2, 1, 4, 3, 2, 1, 4]))
    [4, 8]
    """
    changed = changes_of(rates.lr)
    if len(changed) < 2:
        return []
    level = rates.lr[np.concatenate([[0], changed])]  # of each stretch of rows with one rate
    move = np.diff(level)
    before, after = np.append(0.0, move[:-1]), np.append(move[1:], 0.0)
    jumps = (move > 0) & (before < 0) & (after <= 0)
    climbs = (after > 0) & (np.append(after[1:], 1.0) > 0)
    drops = (move < -DROPPED * level[:-1]) & (np.abs(before) < -move / 4) & climbs
    found: list[int] = []
    peak, seen = 0.0, 0
    for place in np.flatnonzero(jumps | drops | (level[1:] == level[0])):
        peak, seen = max(peak, float(level[seen : place + 1].max())), int(place)
        regained = jumps[place] and move[place] >= REGAINED * (peak - level[place])
        if regained or drops[place] or _repeats(rates, int(changed[place])):
            found.append(int(changed[place]))
            peak, seen = 0.0, int(place) + 1
    return found


def _repeats(rates: Rates, row: int) -> bool:
    """Whether the rows from one on are those from the first on, and not all of one rate."""
    count = min(ALIKE, row, len(rates) - row)
    ours, first = slice(row, row + count), slice(0, count)
    if count < 3 or rates.lr[row] != rates.lr[0] or not np.array_equal(rates.lr[ours], rates.lr[first]):
        return False
    steps = rates.step[ours] - rates.step[row], rates.step[first] - rates.step[0]
    return bool(np.array_equal(*steps)) and len(np.unique(rates.lr[ours])) > 2
