"""The rates of a run epoch by epoch. Needs NumPy alone."""

from __future__ import annotations

import numpy as np

from samestep.experiment.clock import Clock

from ..rates import Rates
from ..runs.run import Run


def epoch_means(run: Run, clock: Clock) -> Run | None:
    """The mean rate of each epoch that a run has every row of, at its first step; None without such an epoch."""
    size, rates = clock.steps_per_epoch, run.rates
    epochs, first, count = np.unique(rates.step // size, return_index=True, return_counts=True)
    whole = count == size
    if not whole.any():
        return None
    means = (np.add.reduceat(rates.lr, first) / count)[whole]
    rounding = np.maximum.reduceat(np.broadcast_to(rates.rounding, rates.lr.shape), first)[whole]
    none = np.full(len(means), -1, dtype=np.int64)
    return Run(run.key, Rates.of(epochs[whole] * size, means, rounding), np.full(len(means), np.nan), none, none)
