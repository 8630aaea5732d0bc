"""Losses that are one another's reductions: running means, means of epochs, sums. Pure functions on arrays.

Two logs of one training may show other numbers, since one shows each batch's own loss and the other a mean of them.
Each reduction is computed from the one side and held against every row of the other. It is never fitted to a
difference: where no reduction gives the other side's numbers, there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from samestep.experiment.clock import Clock

from ..terms import Side
from ..tolerance import relative_difference
from .reduction_words import Of, Over, Reduction, ReductionName

TOLERANCE = 16 * float(np.finfo(np.float32).eps)
"""Relative: 1.9e-6, what float32 leaves of one batch's mean that was summed in another order. The running sums of an
epoch need no more: they are computed in float32 as well as in float64, as Keras and as Python sum them."""

FEWEST_ROWS = 2
"""Rows that a reduction must change and explain: one number may agree by chance."""


def running_mean(loss: object, clock: Clock) -> np.ndarray:
    """What Keras' `fit` shows as ``logs["loss"]`` after each batch: the mean of this epoch so far, over samples.

    ``sum(rows * loss) / sum(rows)`` over the batches of the epoch up to this one.

    Args:
        loss: Each update's own, from the start of an epoch: shape (n,). NaN where it is not known.
        clock: Gives the rows of each batch.

    Returns:
        float64, shape (n,); NaN from an unknown loss to the end of its epoch.

    Raises:
        ValueError: For another shape.

    >>> running_mean([4.0, 1.0, 2.0], Clock(samples=3, batch_size=2))
    array([4., 3., 2.])

    Source: `keras/src/backend/tensorflow/trainer.py`, `train_step`: a `Mean` weighted with the rows of `x`.
    """
    losses = _flat(loss)
    return _running(_by_epoch(losses, clock), _rows(clock)).reshape(-1)[: len(losses)]


def epoch_means(loss: object, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
    """The mean over the batches of each epoch, and over its samples: ``sum(loss) / S``, ``sum(rows * loss) / samples``.

    Args:
        loss: As `running_mean` takes it.
        clock: Gives the rows of each batch.

    Returns:
        Two float64 arrays, one number per epoch begun; NaN where a loss of the epoch is not known.

    >>> epoch_means([4.0, 1.0], Clock(samples=3, batch_size=2))
    (array([2.5]), array([3.]))
    """
    losses = _by_epoch(_flat(loss), clock)
    return _running(losses, np.ones(clock.steps_per_epoch))[:, -1], _running(losses, _rows(clock))[:, -1]


def find_reduction(a: object, b: object, clock: Clock | None, tolerance: float = TOLERANCE) -> Reduction | None:
    """Say which known reduction of one side's losses the other side's are; None where no reduction explains them.

    Args:
        a: float64, one loss per update from the start of an epoch, or one per epoch if b has one per update; NaN where
            there is none. If both have one per epoch, no mean can be found: what the last batch had is not in them.
        b: The other side's.
        clock: A batch size of 1 means that it is not known; without a clock no epoch is looked at.
        tolerance: Relative; a reduction must give every row of the other side to within it.

    Raises:
        ValueError: If the lengths are neither the same nor that of updates and epochs.
    """
    mine, theirs = _flat(a), _flat(b)
    if clock is not None:
        _check_lengths(len(mine), len(theirs), clock.steps_per_epoch)
    elif len(mine) != len(theirs):
        return None
    sides: list[tuple[Side, np.ndarray, np.ndarray]] = [("a", mine, theirs), ("b", theirs, mine)]
    fits = [
        fit
        for side, reduced, source in sides
        if len(reduced) <= len(source)
        for candidate in _candidates(reduced, source, clock)
        if (fit := _fit(side, reduced, source, candidate, tolerance)) is not None
    ]
    return _named(fits, clock) if fits else None


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A reduction of one side, as computed. expected : in float64, and as float32 sums it where that differs."""

    name: ReductionName
    of: Of
    over: Over | None
    expected: tuple[np.ndarray, ...]

    @property
    def family(self) -> ReductionName:
        """What it is, whatever counts alike in it."""
        return "epoch mean" if self.name in ("mean over samples", "mean over batches") else self.name


@dataclass(frozen=True, eq=False)
class _Fit:
    """A candidate that no row refutes."""

    side: Side
    candidate: _Candidate
    residual: float
    rows: int


def _candidates(reduced: np.ndarray, source: np.ndarray, clock: Clock | None) -> Iterator[_Candidate]:
    """Every reduction of `source` that has the length of `reduced`."""
    if clock is not None and len(reduced) != len(source):
        yield from _of_epochs(reduced, source, clock)
        return
    if clock is not None and clock.steps_per_epoch > 1:
        losses, ends = _by_epoch(source, clock), _by_epoch(reduced, clock)[:, -1]
        for over, weights in _weights(ends, losses, clock, fewest=1):  # other rows than the last ones decide
            means = (_running(losses, weights, kind).reshape(-1)[: len(source)] for kind in (np.float64, np.float32))
            yield _Candidate("running mean", "epoch", over, tuple(means))
    yield _Candidate("mean since the row before", "batch", None, (_since_row_before(reduced, source),))
    if clock is not None and clock.batch_size > 1:
        yield _Candidate("sum", "batch", "samples", (source * np.resize(_rows(clock), len(source)),))
    yield _Candidate("half", "batch", None, (source / 2,))


def _of_epochs(reduced: np.ndarray, source: np.ndarray, clock: Clock) -> Iterator[_Candidate]:
    losses = _by_epoch(source, clock)
    for over, weights in _weights(reduced, losses, clock, fewest=FEWEST_ROWS + 1):
        name: ReductionName = "mean over samples" if over == "samples" else "mean over batches"
        means = [_running(losses, weights, kind)[:, -1] for kind in (np.float64, np.float32)]
        yield _Candidate(name, "epoch", over, tuple(means))
        if over == "batches" or clock.batch_size > 1:
            yield _Candidate("sum", "epoch", over, tuple(mean * weights.sum() for mean in means))


def _weights(ends: np.ndarray, losses: np.ndarray, clock: Clock, fewest: int) -> Iterator[tuple[Over, np.ndarray]]:
    """How much each update of an epoch counts: float64, shape (S,).

    Where the rows of a batch are not known, what the last one weighs in a mean over samples is the one number that
    suits the means of the epochs best. It is the same in all of them, so they can refute it.

    ends : of each epoch, the mean over all of it. losses : shape (epochs, S). fewest : epochs that it takes for that.
    """
    ones = np.ones(clock.steps_per_epoch)
    yield "batches", ones
    if clock.batch_size > 1:
        yield "samples", _rows(clock)
        return
    with np.errstate(over="ignore", invalid="ignore"):
        # end = (before + w last) / (S - 1 + w), solved for w by least squares
        more, less = ends * (len(ones) - 1) - losses[:, :-1].sum(axis=1), losses[:, -1] - ends
        known = np.isfinite(more) & np.isfinite(less)
        size = float((less[known] ** 2).sum())
        weight = float((more[known] * less[known]).sum()) / size if size else 0.0
    if known.sum() >= fewest and 0 < weight < 1:
        yield "samples", np.append(ones[:-1], weight)


def _running(losses: np.ndarray, weights: np.ndarray, kind: type[np.floating] = np.float64) -> np.ndarray:
    """Weighted running means of each row, summed one after the other in one precision: float64, shape of `losses`."""
    with np.errstate(over="ignore", invalid="ignore"):
        sums: np.ndarray = np.cumsum(losses.astype(kind) * weights.astype(kind), axis=1, dtype=kind)
        return (sums / np.cumsum(weights, dtype=kind)).astype(np.float64)


def _since_row_before(reduced: np.ndarray, source: np.ndarray) -> np.ndarray:
    """At each row that `reduced` has, the mean of `source` since the row before, as Hugging Face's Trainer logs it."""
    found = np.full(len(source), np.nan)
    rows = np.flatnonzero(np.isfinite(reduced))
    if len(rows):
        starts = np.append(0, rows[:-1] + 1)
        with np.errstate(over="ignore", invalid="ignore"):
            found[rows] = np.add.reduceat(source[: rows[-1] + 1], starts) / (rows + 1 - starts)
    return found


def _fit(side: Side, reduced: np.ndarray, source: np.ndarray, candidate: _Candidate, tolerance: float) -> _Fit | None:
    """How well a reduction gives the numbers of a side; None if a row refutes it, or too few rows are evidence."""
    fits = []
    for expected in candidate.expected:
        there = np.isfinite(reduced)
        known = there & np.isfinite(expected)
        apart = relative_difference(expected[known], reduced[known])
        evidence = np.ones(len(apart), dtype=bool)
        if len(reduced) == len(source):  # where the reduction changes nothing, a row says nothing
            evidence = relative_difference(expected[known], source[known]) > tolerance
        refuted = (there & np.isinf(expected)).any() or (apart > tolerance).any()
        if evidence.sum() >= FEWEST_ROWS and not refuted:
            fits.append(_Fit(side, candidate, float(apart.max()), len(apart)))
    return min(fits, key=lambda fit: fit.residual, default=None)


def _named(fits: list[_Fit], clock: Clock | None) -> Reduction:
    """The first reduction that fits; `also` names what else fits, and `over` is set only if nothing else does."""
    first = fits[0]
    family = first.candidate.family
    alike = {fit.candidate.over for fit in fits if fit.candidate.family == family}
    over = first.candidate.over if len(alike) == 1 else None
    if over == "batches" and clock is not None and clock.batch_size == 1:
        over = None  # all batches count alike: the last one may as well be full
    rows = None if clock is None or clock.batch_size == 1 else _rows(clock)
    also = dict.fromkeys(fit.candidate.family for fit in fits if fit.candidate.family != family)
    return Reduction(
        name=family if over is None else first.candidate.name,
        side=first.side,
        of=first.candidate.of,
        over=over,
        residual_relative=first.residual,
        rows=first.rows,
        also=tuple(also),
        batch_rows=None if rows is None else (int(rows[0]), int(rows[-1])),
    )


def _rows(clock: Clock) -> np.ndarray:
    """Rows of data in each update of an epoch: float64, shape (steps_per_epoch,)."""
    starts = np.arange(0, clock.batches_per_epoch, clock.accumulate)
    return np.add.reduceat(clock.batch_sizes, starts).astype(np.float64)


def _flat(loss: object) -> np.ndarray:
    losses = np.asarray(loss, dtype=np.float64)
    if losses.ndim != 1 or not len(losses):
        raise ValueError(f"loss: shape {losses.shape}. Give one number per update or per epoch, at least one.")
    return losses


def _by_epoch(losses: np.ndarray, clock: Clock) -> np.ndarray:
    """Losses in rows of epochs, the last one filled up with NaN: float64, shape (epochs, steps_per_epoch)."""
    lacking = -len(losses) % clock.steps_per_epoch
    return np.append(losses, np.full(lacking, np.nan)).reshape(-1, clock.steps_per_epoch)


def _check_lengths(a: int, b: int, steps: int) -> None:
    epochs = -(-max(a, b) // steps)
    if a != b and min(a, b) != epochs:
        raise ValueError(
            f"a has {a} losses and b {b}, with {steps} steps per epoch. Give one per update of both, or one per epoch "
            f"of one side: {epochs}."
        )
