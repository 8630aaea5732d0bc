"""How far two rates may lie apart and still be the same: 8 float32 ULP, and the drift that float32 explains."""

from __future__ import annotations

import numpy as np

from experiment.plan import Adam, AdamW, Plan

ULP32 = 8
"""Tolerance of a rate, in float32 units in the last place."""

NEAR_ZERO = 2.0**-10
"""Part of the peak rate below which the tolerance is that of the peak rate: the rate nears 0."""


def ulp32(value: np.ndarray) -> np.ndarray:
    """One float32 unit in the last place at each value's size: float64, the shape of `value`."""
    with np.errstate(over="ignore"):
        single = np.abs(value).astype(np.float32)
    largest = np.float32(2.0**127)  # of the largest number itself the next one is infinite
    spacing: np.ndarray = np.spacing(np.minimum(single, largest))
    return spacing.astype(np.float64)


def ulp32_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many float32 ULP lie between a and b: float64. 0 where both are the same, NaN where one is NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(a == b, 0.0, np.abs(a - b) / ulp32(np.maximum(np.abs(a), np.abs(b))))


def relative_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``|a - b| / max(|a|, |b|)``: float64. 0 where both are the same, NaN where one is NaN."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.where(a == b, 0.0, np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)))


def rate_size(rate: np.ndarray, float32_scale: np.ndarray) -> np.ndarray:
    """The size at which a rate is rounded: float64, the shape of `rate`.

    The rate itself; where it is under ``NEAR_ZERO`` of its peak, the peak; where float32 rounds at a larger term
    (``1 + cos`` at 1, however small it is), that term.

    float32_scale : size of the largest term, from the schedule.
    """
    peak = rate.max(initial=0.0)
    size: np.ndarray = np.maximum(np.where(rate < NEAR_ZERO * peak, peak, rate), float32_scale)
    return size


def rate_tolerance(rate: np.ndarray, float32_drift: np.ndarray, float32_scale: np.ndarray) -> np.ndarray:
    """How far from `rate` another rate may lie at each update and still be the same: float64.

    ``8 ulp32(size) + drift`` with the size from `rate_size`; at least float32's smallest normal number, 1.2e-38, since
    TensorFlow takes anything smaller for 0.

    float32_drift : how far parameters held in float32 lead the rate away, absolute.
    """
    tolerance = ULP32 * ulp32(rate_size(rate, float32_scale)) + float32_drift
    allowed: np.ndarray = np.maximum(tolerance, float(np.finfo(np.float32).tiny))
    return allowed


LOSS_DOUBT = 100
"""Times the tolerance of a loss up to which a difference is no proof of anything: see `loss_tolerance`."""


def loss_tolerance(plan: Plan) -> float:
    """How far apart, relatively, the batch losses of both frameworks may lie with all controls shared.

    Measured on the default plan: Adam 8.4e-6, SGD 6e-7. Adam has more, since Keras puts epsilon elsewhere and raises
    the betas to a power in float32. Such differences grow with the rate and the length of a training, so beyond the
    tolerance, and up to `LOSS_DOUBT` times it, the verdict is inconclusive.
    """
    return 2e-5 if isinstance(plan.optimizer, Adam | AdamW) else 2e-6
