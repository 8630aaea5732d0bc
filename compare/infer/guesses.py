"""All guesses at one schedule, the simple kinds first."""

from __future__ import annotations

from collections.abc import Iterator

from samestep.experiment.schedules import PiecewiseConstant, Schedule

from . import cycles, decays, lines, waves
from .combined import combined
from .numbers import cost, longest_number
from .rows import Rows
from .structure import runs_of
from .warmed import powers, roots, warmed

WRITTEN = 4
"""Digits of the numbers that people write at most; with more, a kind that bends may be what was written."""


COARSE = 0.01
"""Part of the peak by which a rate may be off; with more, several schedules in a row fit anything."""

MOST_LEVELS = 5
"""Levels that a person writes down; more of them are looked at as a curve first."""


def is_long(schedule: Schedule) -> bool:
    """Whether a schedule is a list of levels, which a curve that is looked up once per epoch is as well."""
    return isinstance(schedule, PiecewiseConstant) and len(schedule.values) > MOST_LEVELS


def schedules_of(rows: Rows) -> Iterator[Schedule]:
    """Schedules that explain a few thousand of the rows, the simplest first."""
    plain = _first_of(_plain(rows), rows)
    if plain is not None and not is_long(plain):
        yield plain
    warm = [each for each in warmed(rows, stairs_schedule) if rows.fits(each)]
    if warm and longest_number(warm[0]) <= WRITTEN:
        yield from warm
    flexible = _first_of(_flexible(rows), rows)
    yield from sorted(
        [*warm, *([plain] if plain else []), *([flexible] if flexible else [])], key=lambda each: cost(each, rows.unit)
    )
    if rows.rounding.max() <= COARSE * rows.peak:
        yield from combined(rows, plain_schedule, simple_schedule)


def plain_schedule(rows: Rows) -> Schedule | None:
    """The simplest schedule that explains the rows, of the kinds with few numbers."""
    return _first_of(_plain(rows), rows) if len(rows) else None


def stairs_schedule(rows: Rows) -> Schedule | None:
    """The simplest stairs that explain the rows: of one period, or of any."""
    return _first_of(_stairs(rows), rows) if len(rows) else None


def simple_schedule(rows: Rows) -> Schedule | None:
    """The simplest schedule that is not made of others and explains the rows."""
    return plain_schedule(rows) or (_first_of(_flexible(rows), rows) if len(rows) else None)


def _first_of(groups: Iterator[list[Iterator[Schedule]]], rows: Rows) -> Schedule | None:
    """Kinds come in groups; within a group the one with the fewest digits."""
    for group in groups:
        found = [schedule for guesses in group for schedule in _first(guesses, rows)]
        if found:
            return min(found, key=lambda each: cost(each, rows.unit))
    return None


def _plain(rows: Rows) -> Iterator[list[Iterator[Schedule]]]:
    """Kinds with few numbers, and no way to bend into another."""
    yield [decays.constants(rows)]
    yield [decays.smooth_exponentials(rows), lines.linears(rows), decays.smooth_inverse_times(rows)]
    yield from _stairs(rows)
    yield [waves.cosines(rows), lines.polynomials(rows), roots(rows), powers(rows)]


def _stairs(rows: Rows) -> Iterator[list[Iterator[Schedule]]]:
    runs = runs_of(rows)
    loose = runs if rows.exact else runs_of(rows, 0.5)
    yield [decays.staircases(rows, runs), decays.staircases(rows, loose)]
    yield [decays.piecewise_constants(rows, runs), decays.piecewise_constants(rows, loose)]


def _flexible(rows: Rows) -> Iterator[list[Iterator[Schedule]]]:
    """Kinds that go up and down, and so fit what the plain ones explain better."""
    yield [
        waves.restarts(rows),
        waves.cycles(rows),
        lines.polynomial_cycles(rows),
        cycles.cyclics(rows),
        cycles.one_cycles(rows),
    ]


def _first(guesses: Iterator[Schedule], rows: Rows) -> list[Schedule]:
    """The first of some guesses that fits, in a list. Numbers too extreme to calculate with are no guess."""
    try:
        return next(([each] for each in guesses if rows.fits(each)), [])
    except (ValueError, OverflowError, ZeroDivisionError):  # a LinAlgError is a ValueError
        return []
