"""When two rates are the same: they differ by at most 8 float32 ULP and the drift that float32 explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ULP32 = 8
"""Tolerance of a rate, in float32 units in the last place."""

NEAR_ZERO = 2.0**-10
"""Part of the peak rate below which the tolerance is that of the peak rate: the rate nears 0."""

SMALLEST = float(np.finfo(np.float32).tiny)
"""float32's smallest normal number, 1.2e-38: TensorFlow takes anything smaller for 0."""


def ulp32(value: np.ndarray) -> np.ndarray:
    """One float32 unit in the last place at each value's size: float64, the shape of `value`."""
    within = np.minimum(np.abs(value), 2.0**127)  # of float32's largest number itself the next one is infinite
    spacing: np.ndarray = np.spacing(within.astype(np.float32))
    return spacing.astype(np.float64)


def ulp32_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The difference of a and b in float32 ULP: float64. 0 where both are the same, NaN where one is NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(a == b, 0.0, np.abs(a - b) / ulp32(np.maximum(np.abs(a), np.abs(b))))


def relative_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``|a - b| / max(|a|, |b|)``: float64. 0 where both are the same, NaN where one is NaN."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.where(a == b, 0.0, np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)))


def near_peak(rate: np.ndarray, peak: float) -> np.ndarray:
    """The size at which rates are rounded: each rate itself, and the peak where a rate is under `NEAR_ZERO` of it."""
    return np.asarray(np.where(rate < NEAR_ZERO * peak, peak, rate))


def allowed(size: np.ndarray, *leeway: np.ndarray | float, ulp: float = ULP32) -> np.ndarray:
    """How far another rate may lie from one that is rounded at `size` and still be the same: float64.

    Args:
        size: From `near_peak`, or larger where float32 rounds at a larger term.
        leeway: What else may lie between them, absolute: drift, digits that were not written, doubt between rows.
        ulp: Float32 ULP within which two rates are the same.

    >>> allowed(np.array([1.0, 0.5]), 1e-6).round(8)
    array([1.95e-06, 1.48e-06])
    """
    tolerance = ulp * ulp32(size)
    for each in leeway:
        tolerance = tolerance + each
    return np.asarray(np.maximum(tolerance, SMALLEST))


def rate_size(rate: np.ndarray, float32_scale: np.ndarray) -> np.ndarray:
    """The size at which a rate is rounded: float64, the shape of `rate`.

    That of `near_peak`; where float32 rounds at a larger term (``1 + cos`` at 1, however small it is), that term.

    float32_scale : size of the largest term, from the schedule.
    """
    return np.asarray(np.maximum(near_peak(rate, float(rate.max(initial=0.0))), float32_scale))


def rate_tolerance(rate: np.ndarray, float32_drift: np.ndarray, float32_scale: np.ndarray) -> np.ndarray:
    """How far from `rate` another rate may lie at each update and still be the same: float64.

    ``8 ulp32(size) + drift`` with the size from `rate_size`.

    float32_drift : how far parameters held in float32 lead the rate away, absolute.
    """
    return allowed(rate_size(rate, float32_scale), float32_drift)


@dataclass(frozen=True)
class Applied:
    """The tolerance as it was applied at one row, the one that uses most of it or exceeds it most.

    All but `row` are float32 ULP of the larger of both rates there, so that they can be held against each other.

    Attributes:
        row: Which one.
        ulp32: How far both rates differ.
        allowed_ulp32: How far they may.
        rounding_ulp32: The part of it that is for rounding: 8, or more where a rate nears 0.
        drift_ulp32: The part that is for drift.
        digits_ulp32: The part that is for digits that were not written.
    """

    row: int
    ulp32: float
    allowed_ulp32: float
    rounding_ulp32: float
    drift_ulp32: float
    digits_ulp32: float

    @property
    def used(self) -> float:
        """The part of the tolerance that is used; more than 1 beyond it."""
        return self.ulp32 / self.allowed_ulp32

    def __str__(self) -> str:
        """Both in words, with what the tolerance is made of where it is not 8 ULP alone."""
        parts = [f"{self.rounding_ulp32:,.4g} for rounding"]
        if self.rounding_ulp32 > 4 * ULP32:
            parts[0] += " at the size of the highest rate"
        parts += [f"{self.drift_ulp32:,.3g} for drift"] * (self.drift_ulp32 >= 0.001)
        parts += [f"{self.digits_ulp32:,.4g} for digits that were not written"] * (self.digits_ulp32 > 0)
        said = f"{self.ulp32:,.4g} float32 ULP apart, where {self.allowed_ulp32:,.4g} are allowed"
        return f"{said}: {' and '.join(parts)}" if len(parts) > 1 or self.rounding_ulp32 > 4 * ULP32 else said


def applied(
    a: np.ndarray,
    b: np.ndarray,
    size: np.ndarray,
    drift: np.ndarray | float = 0.0,
    digits: np.ndarray | float = 0.0,
    ulp: float = ULP32,
) -> Applied:
    """The tolerance of ``allowed(size, drift, digits)`` at the row that uses most of it; of one row at least."""
    use = np.abs(a - b) / allowed(size, drift, digits, ulp=ulp)
    row = int(use.argmax())
    unit = float(ulp32(np.maximum(np.abs(a[row]), np.abs(b[row]))))
    drifts, rest = (float(np.broadcast_to(each, use.shape)[row]) / unit for each in (drift, digits))
    rounding = ulp * float(ulp32(size[row])) / unit
    most = max(rounding + drifts + rest, SMALLEST / unit)
    return Applied(row, float(abs(a[row] - b[row])) / unit, most, rounding, drifts, rest)
