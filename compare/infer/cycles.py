"""Guesses at rates that go up and down: one cycle, or cycle after cycle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np

from samestep.experiment.schedules import Cyclic, OneCycle, Schedule
from samestep.experiment.schedules.base import tidy

from .decays import steps
from .fitting import START, Family, Problem, scan, settled
from .lines import last_moves
from .numbers import digits, shortest
from .rows import Rows

Mode = Literal["triangular", "triangular2", "exp_range"]
Strategy = Literal["cos", "linear"]

USUAL = 1 / 25, 1e-4
"""PyTorch's own 1 / div_factor and 1 / final_div_factor."""

TIDY = 4
"""Digits of a one-cycle's pct_start; with more, it is a warm-up to another schedule that happens to fit."""


def one_cycles(rows: Rows) -> Iterator[Schedule]:
    """Up to the highest row, down to the last one; in two phases or three, along cosines or lines."""
    top = int(rows.y.argmax())
    if not 0 < top < len(rows) - 1 or rows.t[top] < 1:
        return
    strategies: tuple[Strategy, ...] = ("cos", "linear")
    for strategy in strategies:
        for three in (False, True):
            starts = sorted(_one_cycle_starts(rows, top, strategy, three), key=lambda each: each[0])
            for theta in _likely(rows, [each for _, each in starts[:2]], strategy, three):
                family = _one_cycle_family(strategy, three)
                families = [replace(family, given=(0,)), *([family] if strategy == "cos" else [])]
                usual = [*theta[:3], *USUAL]  # few digits leave open what a cycle begins and ends at
                guesses = [(replace(family, given=(0, 3, 4)), usual), *((each, theta) for each in families)]
                found = next(settled(guesses, rows), None)
                if isinstance(found, OneCycle) and digits(found.pct_start) <= TIDY:
                    yield found


def cyclics(rows: Rows) -> Iterator[Schedule]:
    """Triangles of equal or decreasing height."""
    modes: list[tuple[Mode, float]] = [("triangular", 1.0), ("triangular2", 1.0)]
    span = max(2.0, float(rows.t[-1]))
    modes += [("exp_range", float(np.exp(-each / span))) for each in np.geomspace(0.03, 300, 16)]
    some, peaks = rows.sample, rows.x[rows.turns[0][:3]]
    starts = []
    for period in _periods(rows):
        rises = np.concatenate([peaks % period, period * np.arange(1, 20) / 20])
        parts = np.unique(np.clip(rises, 1, period - 1))
        heights = _heights(some.x, parts[:, None], period - parts[:, None])
        for mode, gamma in modes:
            rest, level, swing = scan(heights * _scale(some.x, period, mode, gamma), some.y)
            best = int(rest.argmin())
            up = float(parts[best])
            starts.append((float(rest[best]), mode, [level[best], level[best] + swing[best], up, period - up, gamma]))
    starts.sort(key=lambda each: each[0])
    yield from settled(((_cyclic_family(mode), theta) for _, mode, theta in starts[:4]), rows)


def _one_cycle_starts(rows: Rows, top: int, strategy: Strategy, three: bool) -> Iterator[tuple[float, list[float]]]:
    """Rough parameters: over, pct_start, max_lr, 1 / div_factor, 1 / final_div_factor."""
    some, t, last = rows.sample, rows.sample.x, float(rows.t[-1])
    before, after = float(rows.t[top - 1]), float(rows.t[top + 1])
    peaks = np.unique([float(rows.t[top]), (before + after) / 2, (before + 3 * after) / 4])
    flat = np.flatnonzero(rows.y >= rows.y[top] - 2 * rows.rounding[top])
    if flat[-1] > top + 1:  # rounded, it holds for a while
        peaks = np.linspace(float(rows.t[top]), float(rows.t[flat[-1]]), 7)
    ends = np.unique(
        np.concatenate([[last], last_moves(rows), last * np.linspace(0.4, 1, 13), last * np.geomspace(1, 10, 13)])
    )
    for peak in peaks:
        head = t <= peak
        if head.sum() > 3 and scan(_way(t[head] / peak, strategy)[None, :], some.y[head])[0][0] > START / 2 * rows.peak:
            continue
        for end in ends[ends > (2 * peak if three else peak) + 1e-9]:
            columns = _one_cycle_columns(t, peak, end, strategy, three)
            found, *_ = np.linalg.lstsq(columns.T, some.y, rcond=None)
            rest = float(np.sqrt(((columns.T @ found - some.y) ** 2).mean()))
            low, high, lowest = (max(float(each), 1e-9 * rows.peak) for each in found)
            yield rest, [end + 1, (peak + 1) / (end + 1), high, low / high, lowest / low]


def _one_cycle_columns(t: np.ndarray, peak: float, end: float, strategy: Strategy, three: bool) -> np.ndarray:
    """The weights of the lowest, the highest and the last rate at each step: shape (3, n)."""
    up = _way(t / peak, strategy)
    if three:
        back, out = _way((t - peak) / peak, strategy), _way((t - 2 * peak) / (end - 2 * peak), strategy)
        return np.stack([1 - up + back - out, up - back, out])
    down = _way((t - peak) / (end - peak), strategy)
    return np.stack([1 - up, up - down, down])


def _way(part: np.ndarray, strategy: Strategy) -> np.ndarray:
    """From 0 to 1 and no further."""
    part = np.clip(part, 0, 1)
    return np.asarray(part if strategy == "linear" else (1 - np.cos(np.pi * part)) / 2)


def _likely(rows: Rows, starts: list[list[float]], strategy: Strategy, three: bool) -> list[list[float]]:
    """Rough parameters with the lengths to try.

    The shape of half a cosine determines its length. A line whose end is not in the rows does not: its length is then
    one that makes pct_start and final_div_factor short.
    """
    if strategy == "cos" or not starts:
        return starts
    problem = Problem(_one_cycle_family(strategy, three), rows.sample, False)
    free = np.array([False, True, True, True, True])
    found = []
    for theta in [[float(rows.t[-1]) + 1, *starts[0][1:]], *starts]:
        over, start, high, divided, final = problem.refine(np.array(theta), free, 20).tolist()
        peak, foot = start * over - 1, high * divided
        found.append([over, start, high, divided, final])
        bend, top = (2 * peak, foot) if three else (peak, high)
        for each in np.arange(1, 100) / 100:
            longer = round((peak + 1) / each)
            if longer <= over or abs(longer * each - 1 - peak) > 0.02 or over - 1 <= bend:
                continue
            lowest = top + (foot * final - top) * (longer - 1 - bend) / (over - 1 - bend)
            if lowest > 0:
                found.append([float(longer), float(each), high, divided, lowest / foot])
    return sorted(found, key=lambda each: _shortness(each, float(rows.t[-1]) + 1))[:5]


def _shortness(theta: list[float], over: float) -> int:
    final = 1 / theta[4] if theta[4] > 0 else 1e12
    return digits(shortest(theta[1], 1e-5)) + digits(shortest(final, 1e-3 * final)) + (theta[0] != over)


def _one_cycle_family(strategy: Strategy, three: bool) -> Family:
    """Parameters: over, pct_start, max_lr, 1 / div_factor, 1 / final_div_factor."""

    def form(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
        over, start, high, divided, final = theta
        low = high * divided
        columns = _one_cycle_columns(t, start * over - 1, over - 1, strategy, three)
        return np.asarray(np.array([low, high, low * final]) @ columns)

    def build(p: list[float]) -> Schedule:
        over, start, high, divided, final = p
        return OneCycle(
            max_lr=high,
            div_factor=tidy(1 / divided),
            final_div_factor=tidy(1 / final),
            pct_start=start,
            over=steps(over),
            anneal_strategy=strategy,
            three_phase=three,
            after="hold",  # the rows do not show what follows the end, and one that holds can be evaluated there
        )

    return Family(form, build, whole=(0,), inverse=(3, 4))


def _periods(rows: Rows) -> list[float]:
    """Lengths of a cycle: from the lowest points between, from the highest, or from the slopes of the only one."""
    high, low = rows.turns
    found: list[float] = []
    if len(low):
        last = float(rows.t[low[-1]])
        found += [last / len(low), float(rows.t[low[0]])]
        if len(low) > 1:
            found.append(float(rows.t[low[-1]] - rows.t[low[0]]) / (len(low) - 1))
    if len(high) > 1:
        found.append(float(rows.t[high[-1]] - rows.t[high[0]]) / (len(high) - 1))
    if len(high) == 1 and not len(low):
        peak = float(rows.t[high[0]])
        found += list(np.maximum(peak + 1, float(rows.t[-1])) * np.geomspace(1, 10, 12))
        fall = float(rows.y[high[0]] - rows.y[-1])
        if fall > 0:
            rise = float(rows.y[high[0]] - rows.y[0])
            found.append(peak + rise / fall * float(rows.t[-1] - peak))
    if 1 < rows.gap <= 512 and len(low) > len(rows) / 16:
        found += _folded(rows)
    return [each for each in dict.fromkeys(found) if each >= 2]


def _folded(rows: Rows) -> list[float]:
    """Short cycles, for rows that are too far apart to show them: tries all lengths with several rises."""
    some = rows.sample
    best = []
    for period in range(2, int(min(512, some.t[-1]))):
        parts = np.unique(np.clip(np.round(period * np.array([0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9])), 1, period - 1))
        rest, _, _ = scan(_heights(some.x, parts[:, None], period - parts[:, None]), some.y)
        best.append((float(rest.min()), float(period)))
    return [period for _, period in sorted(best)[:4]]


def _heights(t: np.ndarray, up: np.ndarray | float, down: np.ndarray | float) -> np.ndarray:
    place = t % (up + down)
    return np.asarray(np.where(place <= up, place / up, (up + down - place) / down))


def _scale(t: np.ndarray, period: float, mode: Mode, gamma: float) -> np.ndarray:
    if mode == "triangular":
        return np.ones(t.shape)
    return np.asarray(0.5 ** (t // period) if mode == "triangular2" else gamma**t)


def _cyclic_family(mode: Mode) -> Family:
    def form(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
        low, high, up, down, gamma = theta
        if up <= 0 or down <= 0:
            return np.full(t.shape, np.nan)
        return np.asarray(low + (high - low) * _heights(t, up, down) * _scale(t, up + down, mode, gamma))

    def build(p: list[float]) -> Schedule:
        return Cyclic(low=max(0.0, p[0]), max_lr=p[1], up=steps(p[2]), down=steps(p[3]), mode=mode, gamma=p[4])

    return Family(form, build, whole=(2, 3), given=() if mode == "exp_range" else (4,))
