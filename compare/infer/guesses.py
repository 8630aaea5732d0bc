"""All guesses at one schedule, the simple kinds first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

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
        found = [schedule for guess in group for schedule in _first(guess(), rows)]
        if found:
            return min(found, key=lambda each: cost(each, rows.unit))
    return None


def _groups(rows: Rows) -> Iterator[list[Callable[[], Iterable[Schedule]]]]:
    yield [lambda: decays.constants(rows)]
    runs = runs_of(rows)
    yield [
        lambda: decays.smooth_exponentials(rows),
        lambda: lines.linears(rows),
        lambda: decays.smooth_inverse_times(rows),
    ]
    loose = runs if rows.exact else runs_of(rows, 0.5)
    yield [lambda: decays.staircases(rows, runs), lambda: decays.staircases(rows, loose)]
    yield [lambda: decays.piecewise_constants(rows, runs), lambda: decays.piecewise_constants(rows, loose)]
    yield [lambda: waves.cosines(rows), lambda: lines.polynomials(rows)]
    yield [
        lambda: waves.restarts(rows),
        lambda: lines.polynomial_cycles(rows),
        lambda: cycles.cyclics(rows),
        lambda: cycles.one_cycles(rows),
    ]


def _first(guesses: Iterable[Schedule], rows: Rows) -> list[Schedule]:
    """The first of some guesses that fits, in a list. Numbers too extreme to calculate with are no guess."""
    try:
        return next(([each] for each in guesses if rows.fits(each)), [])
    except (ValueError, OverflowError, ZeroDivisionError):  # a LinAlgError is a ValueError
        return []
