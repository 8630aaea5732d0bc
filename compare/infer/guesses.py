"""All guesses at one schedule, the simple kinds first."""

from __future__ import annotations

from collections.abc import Iterator

from samestep.experiment.schedules import Schedule

from . import cycles, decays, lines, waves
from .combined import combined
from .numbers import cost
from .rows import Rows
from .structure import runs_of


def schedules_of(rows: Rows) -> Iterator[Schedule]:
    """Schedules that explain a few thousand of the rows, the simplest first."""
    simple = simple_schedule(rows)
    if simple is not None:
        yield simple
    yield from combined(rows, simple_schedule)


def simple_schedule(rows: Rows) -> Schedule | None:
    """The simplest schedule that is not made of others and explains the rows.

    Kinds come in groups; within a group the one with the fewest digits.
    """
    if not len(rows):
        return None
    for group in _groups(rows):
        found = [schedule for guesses in group for schedule in _first(guesses, rows)]
        if found:
            return min(found, key=lambda each: cost(each, rows.unit))
    return None


def _groups(rows: Rows) -> Iterator[list[Iterator[Schedule]]]:
    yield [decays.constants(rows)]
    yield [decays.smooth_exponentials(rows), lines.linears(rows), decays.smooth_inverse_times(rows)]
    runs = runs_of(rows)
    loose = runs if rows.exact else runs_of(rows, 0.5)
    yield [decays.staircases(rows, runs), decays.staircases(rows, loose)]
    yield [decays.piecewise_constants(rows, runs), decays.piecewise_constants(rows, loose)]
    yield [waves.cosines(rows), lines.polynomials(rows)]
    yield [waves.restarts(rows), lines.polynomial_cycles(rows), cycles.cyclics(rows), cycles.one_cycles(rows)]


def _first(guesses: Iterator[Schedule], rows: Rows) -> list[Schedule]:
    """The first of some guesses that fits, in a list. Numbers too extreme to calculate with are no guess."""
    try:
        return next(([each] for each in guesses if rows.fits(each)), [])
    except (ValueError, OverflowError, ZeroDivisionError):  # a LinAlgError is a ValueError
        return []
