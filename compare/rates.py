"""The rates of one run, as arrays: what a schedule is inferred from, and what is diagnosed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUNDED_BELOW_0 = 1e-9
"""Part of the peak rate by which rounding may take a rate below 0: PyTorch's recursions end at -1e-20 at times."""


@dataclass(frozen=True, eq=False)
class Rates:
    """The rate of every update that one run or log tells of.

    step : int64, shape (n,), rising: updates, counted from 0 over the run. Not every step need be there.
    lr : float64, shape (n,): the rate that each of them used; finite, not negative.
    rounding : float64, shape (n,): how far each may lie from what the framework held, since it was written with fewer
    digits: half a unit of the last digit. 0 where every bit of a float32 or float64 is there.
    repeated : rows left out since their step was there already.
    """

    step: np.ndarray
    lr: np.ndarray
    rounding: np.ndarray
    repeated: int = 0

    @classmethod
    def of(cls, step: object, lr: object, rounding: object = 0.0, repeated: int = 0) -> Rates:
        """Take any sequences. Raises ValueError where steps do not rise from 0 or a rate is no finite
        number from 0."""
        steps, rates = np.asarray(step), np.asarray(lr, dtype=np.float64)
        if steps.ndim != 1 or steps.shape != rates.shape:
            raise ValueError(f"step and lr: shapes {steps.shape} and {rates.shape}. Give two of one length.")
        if not len(steps):
            raise ValueError("step: no rows. Give at least one update.")
        if not np.issubdtype(steps.dtype, np.integer):
            raise ValueError(f"step: {steps.dtype} values. Steps are whole numbers, counted from 0.")
        if steps[0] < 0 or (len(steps) > 1 and (np.diff(steps) <= 0).any()):
            raise ValueError("step: must rise from 0 or more, each step once.")
        rates = rounded_to_0(rates)
        wrong = ~(np.isfinite(rates) & (rates >= 0))
        if wrong.any():
            first = int(wrong.argmax())
            raise ValueError(f"lr: {rates[first]} at step {steps[first]}. A rate is a finite number from 0.")
        half = np.broadcast_to(np.asarray(rounding, dtype=np.float64), rates.shape)
        return cls(steps.astype(np.int64), rates, half, repeated)

    def __len__(self) -> int:
        return len(self.step)

    def rows(self, which: np.ndarray | slice) -> Rates:
        """Some of the rows."""
        return Rates(self.step[which], self.lr[which], self.rounding[which], self.repeated)


def rounded_to_0(lr: np.ndarray) -> np.ndarray:
    """The rates, where those that rounding took below 0 are 0, and no 0 has a sign. Others stay, if they are wrong."""
    with np.errstate(invalid="ignore"):
        least = -ROUNDED_BELOW_0 * float(lr[np.isfinite(lr)].max(initial=0.0))
        rates: np.ndarray = np.where((lr <= 0) & (lr >= least), 0.0, lr)
    return rates
