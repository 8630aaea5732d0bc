"""The rows of two runs at the steps that both have. Needs NumPy alone."""

from __future__ import annotations

import numpy as np

from ..runs.run import Run


def common_rows(a: Run, b: Run) -> tuple[np.ndarray, np.ndarray]:
    """The rows of both at the steps that both have: two int64 arrays of one length."""
    if np.array_equal(a.rates.step, b.rates.step):
        both = np.arange(len(a.rates))
        return both, both
    if _without_gaps(b.rates.step) and not _without_gaps(a.rates.step):
        rows_b, rows_a = _rows_in(b.rates.step, a.rates.step)
    else:
        rows_a, rows_b = _rows_in(a.rates.step, b.rates.step)
    return rows_a, rows_b


def placed(values: np.ndarray, at: np.ndarray, length: int) -> np.ndarray:
    """A column that holds the values in the rows `at`, and NaN in all others: float64, shape (length,)."""
    column = np.full(length, np.nan)
    column[at] = values
    return column


def _rows_in(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of both at the steps that both have: where a has no gaps, a row is a step less the first one."""
    at = b - a[0] if _without_gaps(a) else np.searchsorted(a, b)
    inside = (at >= 0) & (at < len(a))
    rows_b = np.flatnonzero(inside if _without_gaps(a) else inside & (a[np.minimum(at, len(a) - 1)] == b))
    return at[rows_b], rows_b


def _without_gaps(step: np.ndarray) -> bool:
    """Whether rising steps are all there from the first to the last."""
    return bool(step[-1] - step[0] == len(step) - 1)
