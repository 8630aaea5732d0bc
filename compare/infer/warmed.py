"""Guesses at what most training scripts write: a warm-up in a straight line, then a constant, a line or a cosine.

All numbers are fitted at once, the total among them, since a person writes the total and not what the warm-up leaves of
it. So the rows need not show the peak, nor the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import (
    Clip,
    Constant,
    CosineDecay,
    ExponentialDecay,
    InverseSqrt,
    Linear,
    PolynomialDecay,
    Power,
    Schedule,
    Sequence,
    Warmup,
)
from samestep.experiment.schedules.base import tidy

from .decays import smooth_exponentials, steps
from .fitting import Family, built, scan, settle, settled
from .lines import last_moves, length_grid
from .numbers import LONGEST, cost, digits, shorter, shortest, tidy_wholes
from .rows import Rows
from .waves import half_cosine

MOST_LENGTHS = 6
"""Lengths of a warm-up that are tried at most."""

MOST_PARTS = 12
"""Parts of the peak, like a third, from one of which a warm-up may start."""

FEWEST = 4
"""Rows from which on a warm-up with what follows is looked for."""


@dataclass(frozen=True)
class Body:
    """What comes after the warm-up: from 1 to 0 over the way from its end to the total.

    shape : of the part of the way. build : the schedule, from peak, end and length. overlaps : whether the way begins
    at step 0, under the warm-up. gap : steps at the peak before it begins.
    """

    shape: Callable[[np.ndarray], np.ndarray]
    build: Callable[[float, float, float], Schedule]
    overlaps: bool = False
    gap: int = 0

    def part(self, t: np.ndarray, warm: float, total: np.ndarray | float) -> np.ndarray:
        """How much of the way is done, from 0 to 1."""
        begin = 0.0 if self.overlaps else warm + self.gap
        return np.asarray(np.clip((t - begin) / (total - begin), 0.0, 1.0))

    def form(self, theta: np.ndarray, t: np.ndarray) -> np.ndarray:
        """The rates, with warm-up and total as real numbers."""
        warm, total, peak, end, start = theta
        if not 0 < warm < total:
            return np.full(t.shape, np.nan)
        later = end + (peak - end) * self.shape(self.part(t, warm, total))
        return np.asarray(np.where(t < warm, start + (peak - start) * t / warm, later))

    def schedule(self, theta: list[float]) -> Schedule:
        """With whole steps."""
        warm, total, peak, end, start = theta
        over = round(total) - (0 if self.overlaps else round(warm) + self.gap)
        then = self.build(peak, max(end, 0.0), over)
        if self.gap:
            then = Sequence(schedules=(Constant(initial=peak), then), milestones=(steps(self.gap),))
        return Warmup(initial=max(start, 0.0), over=steps(warm), then=then, overlaps=self.overlaps)

    def family(self, given: tuple[int, ...], order: tuple[int, ...]) -> Family:
        """Some of the numbers as they are, the others tidied in this order."""
        return Family(self.form, self.schedule, whole=(0, 1), given=given, order=order)


def _line_to(peak: float, end: float, over: float) -> Schedule:
    return Linear(initial=peak, end=end, over=steps(over))


def _cosine_to(peak: float, end: float, over: float) -> Schedule:
    return CosineDecay(initial=peak, floor=end, over=steps(over), after="hold")


def _root_to(peak: float, end: float, over: float) -> Schedule:
    return Power(initial=peak, end=end, power=0.5, over=steps(over))


LINE, COSINE = Body(lambda part: 1 - part, _line_to), Body(half_cosine, _cosine_to)
ROOT = Body(lambda part: 1 - np.sqrt(part), _root_to)
BODIES = tuple(
    replace(each, overlaps=over, gap=gap)
    for over, gap in ((False, 0), (True, 0), (False, 1))
    for each in (LINE, COSINE)
)


def _of_power(power: float) -> Body:
    def build(peak: float, end: float, over: float) -> Schedule:
        return PolynomialDecay(initial=peak, end=end, power=power, over=steps(over), cycle=False)

    return Body(lambda part: (1 - part) ** power, build)


POWERS = tuple(map(_of_power, (2.0, 0.5, 0.9, 3.0)))

WARM, TOTAL, PEAK, END, START = range(5)


def warmed(rows: Rows, stairs: Callable[[Rows], Schedule | None]) -> Iterator[Schedule]:
    """Warm-ups, those of the fewest digits first, and what holds its rate before it decays.

    stairs : finds the stairs that some rows are.
    """
    found = sorted(_unclipped(rows, stairs), key=lambda each: _length(each, rows.unit))
    yield from found or _clipped(rows, stairs)


def _unclipped(rows: Rows, stairs: Callable[[Rows], Schedule | None]) -> Iterator[Schedule]:
    """Without a lowest rate."""
    highest = np.flatnonzero(rows.y >= rows.peak - 2 * rows.absolute)
    if len(rows) < FEWEST or not len(highest):
        return
    first, last = (int(highest[place]) for place in (0, -1))
    if not first and rows.t[0] > 0:
        yield from _hidden(rows, last)
    if first and not _rises(rows, first):
        yield from _logarithms(rows, first) if last == len(rows) - 1 else ()
        return
    if last == len(rows) - 1:
        yield from _constants(rows, first) if first else ()
        return
    if first and last > first + 2 and (stepwise := [*_stairs(rows, first, stairs)]):
        yield from stepwise
        return
    found = [each for body in BODIES for each in _decays(rows, first, last, body)] if first else []
    found += _roots(rows, first, last) if first else []
    if not found and first:
        found = [
            *(each for body in POWERS for each in _decays(rows, first, last, body)),
            *_exponentials(rows, first, last),
        ]
    if not found and last > first:
        found = [each for body in (LINE, COSINE, ROOT) for each in _stable(rows, first, last, body)]
    yield from found


def _stairs(rows: Rows, first: int, stairs: Callable[[Rows], Schedule | None]) -> Iterator[Schedule]:
    """A warm-up to stairs, the shortest to write."""
    level = float(np.median(rows.y[first : first + 3]))
    found = []
    for warm, _ in _heads(rows, first, first, level):
        begin = int(np.searchsorted(rows.t, warm))
        start = _started(rows.part(0, begin), warm, level)
        if start is None:
            continue
        for overlaps in (False, True):
            then = stairs(rows.part(begin, None, 0 if overlaps else int(warm)))
            if then is not None:
                make = partial(Warmup, initial=start, over=steps(warm), then=then, overlaps=overlaps)
                found += [each for each in built([make]) if rows.fits(each)]
    yield from sorted(found, key=lambda each: cost(each, rows.unit))[:1]


def _clipped(rows: Rows, stairs: Callable[[Rows], Schedule | None]) -> Iterator[Schedule]:
    """What goes to 0, and stays at a lowest rate on the way."""
    lowest = float(rows.y[-1])
    above = np.flatnonzero(rows.y > lowest + 2 * rows.absolute)
    if not lowest or len(above) < FEWEST or above[-1] > len(rows) - FEWEST:
        return
    for found in _unclipped(rows.part(0, int(above[-1]) + 1), stairs):
        for level in shorter(lowest):
            if abs(level - lowest) <= 2 * rows.absolute[-1]:
                yield from built([partial(Clip, lowest=level, of=found)])
                break


def _roots(rows: Rows, first: int, last: int) -> Iterator[Schedule]:
    """An inverse square root: as Transformers runs it by default, as Noam did, or of any timescale."""
    later = rows.part(last).sample
    if np.ptp(later.y) <= 2 * later.absolute.max():
        return
    for warm, start in _heads(rows, first, last, rows.peak):
        tied = [(_TRANSFORMERS, [warm, rows.peak])] if start == 0 else [(_NOAM, [warm + 1, rows.peak])]
        free = [warm, warm, rows.peak, start]
        loose = replace(_ROOTS, given=(3,)) if start == 0 else _ROOTS
        if found := next(settled([*tied, (loose, free)], rows), None):
            yield found
            return


def roots(rows: Rows) -> Iterator[Schedule]:
    """A power of the step that falls from step 0 on: the inverse square root, or another."""
    some = rows.sample
    scales = length_grid(rows, 10.0)
    part = scales[:, None] / (some.x + scales[:, None])
    starts = []
    for power in (0.5, 0.7, 1.0):
        rest, _, swing = _scan_to_zero(part**power, some.y)
        best = int(rest.argmin())
        starts.append((float(rest[best]), [float(scales[best]), float(swing[best]), power]))
    _, theta = min(starts)
    yield from settled([(replace(_POWER_OF_STEP, given=(2,)), [*starts[0][1]]), (_POWER_OF_STEP, theta)], rows)


def _power_of_step(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    scale, peak, power = theta
    return np.asarray(peak * (scale / (t + scale)) ** power) if scale > 0 else np.full(t.shape, np.nan)


def powers(rows: Rows) -> Iterator[Schedule]:
    """A power of the part that is done: one minus the square root, most of all."""
    some, end = rows.sample, float(rows.t[-1])
    lengths = np.unique(np.concatenate([length_grid(rows), last_moves(rows), [end, end + 1]]))
    for power in (0.5, 2.0):
        rest, level, swing = scan(np.minimum(some.x / lengths[:, None], 1) ** power, some.y)
        best = int(rest.argmin())
        theta = [float(level[best]), max(0.0, float(level[best] + swing[best])), power, float(lengths[best])]
        yield from settled([(_POWER, theta)], rows)


def _power(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    initial, end, power, over = theta
    return np.asarray(initial + (end - initial) * np.clip(t / over, 0.0, 1.0) ** power)


def _root(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    warm, timescale, peak, start = theta
    if warm <= 0 or timescale <= 0:
        return np.full(t.shape, np.nan)
    later = peak * np.sqrt(timescale / (np.maximum(t - warm, 0.0) + timescale))
    return np.asarray(np.where(t < warm, start + (peak - start) * t / warm, later))


def _noam(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Of the steps counted from 1: a part of the way at the first one already."""
    warm, peak = theta
    return _root(np.array([warm - 1, warm, peak, peak / warm]), t)


def _root_schedule(warm: float, timescale: float, peak: float, start: float) -> Schedule:
    then = InverseSqrt(initial=peak, timescale=steps(timescale))
    return Warmup(initial=max(start, 0.0), over=steps(warm), then=then)


_ROOTS = Family(_root, lambda p: _root_schedule(*p), whole=(0, 1))
_TRANSFORMERS = Family(
    lambda theta, t: _root(np.array([theta[0], theta[0], theta[1], 0.0]), t),
    lambda p: _root_schedule(p[0], p[0], p[1], 0.0),
    whole=(0,),
)
_NOAM = Family(_noam, lambda p: _root_schedule(round(p[0]) - 1, p[0], p[1], tidy(p[1] / round(p[0]))), whole=(0,))


def _stable(rows: Rows, first: int, last: int, body: Body) -> Iterator[Schedule]:
    """A warm-up or none, a rate that holds, and a decay of one of the bodies."""
    heads = _heads(rows, first, first, rows.peak)[:2] if first else [(0.0, 0.0)]
    later = rows.part(last).sample
    if len(later) < FEWEST:
        return
    end = float(rows.t[-1])
    lengths = np.unique(np.concatenate([last_moves(rows), length_grid(rows, 20.0, 120), [end, end + 1]]))
    begin = float(rows.t[last])
    totals = lengths[lengths > float(later.t[1])]
    columns = body.shape(np.clip((later.x - begin) / (totals[:, None] - begin), 0, 1))

    def form(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
        warm, begin, total, peak, end, start = theta
        if not 0 <= warm <= begin < total:
            return np.full(t.shape, np.nan)
        rates = end + (peak - end) * body.shape(np.clip((t - begin) / (total - begin), 0.0, 1.0))
        return np.asarray(np.where(t < warm, start + (peak - start) * t / warm, rates) if warm else rates)

    def build(theta: list[float]) -> Schedule:
        warm, begin, total, peak, end, start = theta
        decay = body.build(peak, max(end, 0.0), round(total) - round(begin))
        both = Sequence(schedules=(Constant(initial=peak), decay), milestones=(steps(round(begin) - round(warm)),))
        return Warmup(initial=max(start, 0.0), over=steps(warm), then=both) if warm else both

    for warm, start in heads:
        for to_zero in (True, False):
            rest, level, _ = _scan_to_zero(columns, later.y) if to_zero else scan(columns, later.y)
            best = int(rest.argmin())
            theta = [warm, begin, float(totals[best]), rows.peak, float(level[best]), start]
            given = tuple(place for place in (0, 4, 5) if theta[place] == 0.0)
            family = Family(form, build, whole=(0, 1, 2), given=given, order=(3, 4, 2, 1, 0, 5))
            if found := settle(family, theta, rows):
                yield found
                return


def _rises(rows: Rows, top: int) -> bool:
    """Whether the rows before the highest ones rise on one line."""
    head = rows.part(0, top)
    if len(head) < 3:
        return bool((np.diff(rows.y[: top + 1]) >= 0).all())
    level, slope = _line(head)
    return bool(slope > 0 and (np.abs(level + slope * head.x - head.y) <= 2 * head.absolute).all())


def _line(head: Rows) -> tuple[float, float]:
    """The rate at step 0 and the slope of rows on a line: through the first one, which has the most decimals."""
    part, rise = head.x[1:] - head.x[0], head.y[1:] - head.y[0]
    slope = float((part * rise).sum() / (part**2).sum())
    level = float(head.y[0] - slope * head.x[0])
    if level > 2 * head.absolute[0]:
        return level, slope
    return 0.0, float((head.x * head.y).sum() / (head.x**2).sum())


def _started(head: Rows, warm: float, peak: float) -> float | None:
    """The rate of fewest digits from which a line to `peak` passes through all of these rows; None where none does."""
    part = 1 - head.x / warm
    if not len(head) or part.min() <= 0:
        return None
    middle, half = (head.y - peak * (1 - part)) / part, head.absolute / part
    low, high = float((middle - half).max()), float((middle + half).min())
    if low > high:
        return None
    short = max(0.0, shortest((low + high) / 2, (high - low) / 2))
    parts = round(peak / high) if high > 0 else 0
    if digits(short) > 3 and 2 <= parts <= MOST_PARTS and low <= peak / parts <= high:
        return peak / parts  # a third, as Detectron's
    return short


def _constants(rows: Rows, top: int) -> Iterator[Schedule]:
    """A warm-up to a rate that holds."""
    level = float(np.median(rows.y[top:]))
    for warm, start in _heads(rows, top, top, level):
        for peak in filter(None, shorter(level)):
            line = partial(Warmup, initial=start, over=steps(warm), then=Constant(initial=peak))
            if found := next((each for each in built([line]) if rows.fits(each)), None):
                yield found
                return


def _logarithms(rows: Rows, first: int) -> Iterator[Schedule]:
    """A warm-up along a logarithm, as DeepSpeed's, to a rate that holds."""
    level = float(np.median(rows.y[first:]))
    for over in tidy_wholes(float(rows.t[first - 1]) + 2, float(rows.t[first]) + 1, rows.unit)[:4]:
        part = np.log1p(rows.x[:first]) / np.log(max(over, 2))
        start = float(((rows.y[:first] - level * part) / (1 - part)).mean()) if part.max() < 1 else 0.0
        for initial in dict.fromkeys((0.0, max(0.0, shortest(start, float(rows.absolute[0]))))):
            then = Constant(initial=shortest(level, float(rows.absolute[-1]) if not rows.exact else 0.0))
            warm = partial(Warmup, initial=initial, over=steps(over), then=then, curve="logarithm")
            yield from (each for each in built([warm]) if rows.fits(each))


def _heads(rows: Rows, first: int, last: int, peak: float) -> list[tuple[float, float]]:
    """Lengths of the warm-up with the rate it starts from: where the line through the rows before meets the peak.

    first, last : of the highest rows.
    """
    low, high = float(rows.t[first - 1]), float(rows.t[last])
    head = rows.part(0, first)
    found: list[tuple[float, float]] = []
    start = float(rows.y[0]) if rows.t[0] == 0 else 0.0
    if len(head) > 1:
        start, slope = _line(head)
        if slope > 0:
            found.append(((peak - start) / slope, start))
    elif rows.y[0] > 0 and rows.t[0] > 0:
        found.append((peak * low / float(rows.y[0]), 0.0))
    tidy = tidy_wholes(max(low, 1), high, rows.unit)[:4] if high > low else []
    found += [(float(each), start) for each in (*tidy, *np.linspace(max(low, 1), high, 5))]
    highest = min(1.1 * high + 1, LONGEST)
    near = [(max(1.0, float(round(warm))), start) for warm, start in found if 0.9 * low <= warm <= highest]
    return list(dict.fromkeys(near))[:MOST_LENGTHS]


def _decays(rows: Rows, first: int, last: int, body: Body) -> Iterator[Schedule]:
    """From the peak to an end: to 0 as most write it, or to any other."""
    later = rows.part(last).sample
    if len(later) < FEWEST or np.ptp(later.y) <= 2 * later.absolute.max():
        return
    end = float(rows.t[-1])
    lengths = np.unique(np.concatenate([last_moves(rows), length_grid(rows, 20.0, 120), [end, end + 1]]))
    for warm, start in _heads(rows, first, last, rows.peak):
        totals = lengths[lengths > max(warm + 1, float(later.t[1]))]
        columns = body.shape(body.part(later.x, warm, totals[:, None]))
        for to_zero in (True, False):
            rest, level, swing = _scan_to_zero(columns, later.y) if to_zero else scan(columns, later.y)
            best = int(np.where(level < -later.absolute.max(), np.inf, rest).argmin())  # no rate ends below 0
            theta = [warm, float(totals[best]), float(level[best] + swing[best]), float(level[best]), start]
            if (found := _settled(rows, theta, body)) is not None:
                yield found
                return


def _exponentials(rows: Rows, first: int, last: int) -> Iterator[Schedule]:
    """A smooth exponential decay: where its rate was a number that somebody writes, the warm-up ended."""
    later = rows.part(last)
    decay = (
        next((each for each in smooth_exponentials(later) if later.fits(each)), None) if len(later) > FEWEST else None
    )
    if not isinstance(decay, ExponentialDecay) or decay.factor >= 1:
        return
    slope = math.log(decay.factor) / int(decay.every.count)
    low, high = float(rows.t[first - 1]), float(rows.t[last])
    size = 10.0 ** math.floor(math.log10(rows.peak))
    found = []
    for peak in (part * size * scale for scale in (0.1, 1.0) for part in range(10, 100)):
        warm = math.log(peak / decay.initial) / slope if peak > 0 else -1.0
        reach = float(rows.absolute[last]) / rows.peak / abs(slope) + 1e-6
        if low < warm <= high and abs(warm - round(warm)) <= min(reach, 0.4):
            found.append((digits(tidy(peak)), round(warm), tidy(peak)))
    for _, warm, peak in sorted(found)[:MOST_LENGTHS]:
        start = _started(rows.part(0, int(np.searchsorted(rows.t, warm))), warm, peak)
        then = ExponentialDecay(initial=peak, factor=decay.factor, every=decay.every, staircase=False)
        makes = [partial(Warmup, initial=start, over=steps(warm), then=then)] if start is not None else []
        if each := next((each for each in built(makes) if rows.fits(each)), None):
            yield each
            return


def _hidden(rows: Rows, last: int) -> Iterator[Schedule]:
    """A cosine after a warm-up from 0 that is over before the first row: its length follows from the curve."""
    later, end = rows.sample, float(rows.t[-1])
    lengths = np.unique(np.concatenate([last_moves(rows), length_grid(rows, 20.0, 120), [end, end + 1]]))
    for to_zero in (True, False) if last < len(rows) - FEWEST else ():
        starts = []
        for warm in np.linspace(1, float(rows.t[0]), 6):
            columns = COSINE.shape(COSINE.part(later.x, warm, lengths[lengths > later.t[1]][:, None]))
            rest, level, swing = _scan_to_zero(columns, later.y) if to_zero else scan(columns, later.y)
            best = int(np.where(level < -later.absolute.max(), np.inf, rest).argmin())
            total = float(lengths[lengths > later.t[1]][best])
            starts.append((float(rest[best]), [warm, total, float(level[best] + swing[best]), float(level[best]), 0.0]))
        if (found := _settled(rows, min(starts)[1], COSINE)) is not None:
            yield found
            return


def _scan_to_zero(columns: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `scan`, of ``y = b * column``."""
    power = (columns**2).sum(axis=1)
    b = columns @ y / np.where(power > 0, power, 1.0)
    return np.sqrt(((y - b[:, None] * columns) ** 2).mean(axis=1)), np.zeros(len(b)), b


def _settled(rows: Rows, theta: list[float], body: Body) -> Schedule | None:
    """The numbers of fewest digits near a guess. A 0 stays 0.

    Where the rows leave the warm-up and the peak open together, the peak decides: it is the number that one writes.
    """
    given = tuple(place for place in (END, START) if theta[place] == 0.0)
    orders = ((PEAK, END, TOTAL, WARM, START), (TOTAL, WARM, PEAK, END, START))
    found = [each for order in orders if (each := settle(body.family(given, order), theta, rows))]
    return min(found, key=lambda each: _length(each, rows.unit), default=None)


def _length(schedule: Schedule, unit: int) -> int:
    """Digits of a schedule, of its total or of what the warm-up leaves of it, whichever are fewer."""
    total = schedule.length(Clock.STEPS)
    rest = int(total - schedule.over.count) if total and isinstance(schedule, Warmup) else 0
    return cost(schedule, unit) - max(0, digits(rest) - digits(total or 0))


_POWER_OF_STEP = Family(
    _power_of_step, lambda p: InverseSqrt(initial=p[1], timescale=steps(p[0]), power=p[2]), whole=(0,)
)
_POWER = Family(
    _power,
    lambda p: Power(initial=max(p[0], 0.0), end=max(p[1], 0.0), power=p[2], over=steps(p[3])),
    whole=(3,),
    given=(2,),
)
