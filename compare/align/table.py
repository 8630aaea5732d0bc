"""Two runs side by side, one row for each step that either has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from samestep.experiment.clock import Clock

from ..runs.run import Run
from ..tolerance import relative_difference, ulp32_difference
from .steps import placed


def table(a: Run, b: Run, clock: Clock | None) -> Mapping[str, np.ndarray]:
    """Columns of one length: int64, -1 where unknown, and float64, NaN where a side has no value."""
    steps = np.union1d(a.rates.step, b.rates.step)
    rows = [np.searchsorted(steps, run.rates.step) for run in (a, b)]
    lr_a, lr_b = (placed(run.rates.lr, at, len(steps)) for run, at in zip((a, b), rows, strict=True))
    loss_a, loss_b = (placed(run.loss, at, len(steps)) for run, at in zip((a, b), rows, strict=True))
    epoch, batch = _places(a, b, rows, steps, clock)
    return {
        "step": steps,
        "epoch": epoch,
        "batch": batch,
        "lr_a": lr_a,
        "lr_b": lr_b,
        "lr_absolute": np.abs(lr_a - lr_b),
        "lr_relative": relative_difference(lr_a, lr_b),
        "lr_ulp32": ulp32_difference(lr_a, lr_b),
        "loss_a": loss_a,
        "loss_b": loss_b,
    }


def _places(
    a: Run, b: Run, rows: list[np.ndarray], steps: np.ndarray, clock: Clock | None
) -> tuple[np.ndarray, np.ndarray]:
    """Epoch and batch of each step: by the clock, else as the logs have them."""
    if clock is not None:
        return clock.epoch(steps), clock.batch(steps)
    found = np.full((2, len(steps)), -1, dtype=np.int64)
    for run, at in ((b, rows[1]), (a, rows[0])):
        for column, values in enumerate((run.epoch, run.batch)):
            found[column, at] = np.where(values >= 0, values, found[column, at])
    return found[0], found[1]
