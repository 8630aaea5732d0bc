"""A log whose column of steps begins anew while the run goes on, as after a resume that lost its count."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..tolerance import allowed
from ..words import counted

NEAR = 5
"""Changes on either side of a new beginning that show how far the rate moves at once there."""

FEWEST = 3
"""Rows that must be the same for two stretches to overlap."""


@dataclass(frozen=True)
class Steps:
    """A column of steps as it is read.

    step : int64. said : a sentence on what was read on; none where the column stays as it is. other : the other way to
    read it, where it begins anew; None where it does not.
    """

    step: np.ndarray
    said: tuple[str, ...] = ()
    other: Steps | None = None


def going_on(step: np.ndarray, lr: np.ndarray) -> Steps:
    """The steps, counted on where they begin anew and the rates go on.

    Steps that go back to any other step than the first are a resume from a checkpoint, and stay. So do those whose
    rates begin anew as well: then the run did.

    Args:
        step: int64, in the order of the file.
        lr: float64, of the same shape.
    """
    anew = (
        np.flatnonzero((np.diff(step) < 0) & (step[1:] <= step[0])) + 1 if len(step) else np.array([], dtype=np.int64)
    )
    if not len(anew):
        return Steps(step)
    as_it_is, on = Steps(step), _read_on(step, lr, anew, whatever=False)
    if on.said:
        return replace(on, other=as_it_is)
    return replace(as_it_is, other=_read_on(step, lr, anew, whatever=True))


def _read_on(step: np.ndarray, lr: np.ndarray, anew: np.ndarray, whatever: bool) -> Steps:
    """Each stretch that begins anew counted on where its rates go on, or whatever its rates do.

    anew : the rows that begin one.
    """
    counted_on, moved, first = step.copy(), 0, 0
    for begin, end in zip(anew, [*anew[1:], len(step)], strict=True):
        before, again = counted_on[:begin], step[begin:end]
        ahead = _after(before, again) if whatever else _ahead(before, lr[:begin], again, lr[begin:end])
        counted_on[begin:end] += ahead
        moved += ahead > 0
        first = first or int(counted_on[begin]) * (ahead > 0)
    if not moved:
        return Steps(step)
    said = f"The steps begin anew {counted(moved, 'time')} while the rates go on: the rows after that were read on"
    return Steps(counted_on, (f"{said}, the first as step {first}.",))


def _ahead(step: np.ndarray, lr: np.ndarray, again: np.ndarray, rates: np.ndarray) -> int:
    """How many steps a stretch that begins anew is really ahead; 0 where its rates begin anew too.

    Args:
        step, lr: The rows before it.
        again, rates: Its own.
    """
    common = min(len(lr), len(rates))
    if _same(lr[:common], rates[:common]).all():
        return 0
    for row in range(max(len(lr) - len(rates), 1), len(lr) - FEWEST + 1):
        over = len(lr) - row
        if np.ptp(rates[:over]) > 0 and _same(lr[row:], rates[:over]).all():
            return int(step[row] - again[0])
    before, after = (np.abs(moves[moves != 0]) for moves in (np.diff(lr), np.diff(rates)))
    moves = np.concatenate([before[-NEAR:], after[:NEAR]]).max(initial=0.0)
    jump, back = abs(rates[0] - lr[-1]), abs(rates[0] - lr[0])
    if jump > 2 * moves + float(allowed(lr[-1:])[0]) or jump >= back:
        return 0
    return _after(step, again)


def _after(step: np.ndarray, again: np.ndarray) -> int:
    """How many steps a stretch is ahead that begins right after the rows before it."""
    distances = np.diff(step)
    usual = int(np.median(distances[distances > 0])) if (distances > 0).any() else 1
    return int(step[-1]) + usual - int(again[0])


def _same(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(one - other) <= allowed(np.maximum(one, other)))
