"""When two rates are the same: ULP, drift, and what was allowed at a row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samestep._compare.tolerance import (
    ULP32,
    allowed,
    applied,
    near_peak,
    rate_tolerance,
    relative_difference,
    ulp32_difference,
)


@given(st.floats(1e-30, 1e30), st.integers(0, 100))
def test_ulp_difference_counts_float32_steps(value, count):
    a = np.float32(value)
    b = a
    for _ in range(count):
        b = np.nextafter(b, np.float32(np.inf))
    counted = ulp32_difference(np.array([float(a)]), np.array([float(b)]))[0]
    # where a power of two lies between, the spacing doubles on the way
    assert count / 2 <= counted <= count


def test_differences_of_what_is_not_finite():
    a = np.array([np.inf, np.nan, 0.0, 1.0, -np.inf])
    b = np.array([np.inf, 1.0, 0.0, np.inf, np.inf])
    assert relative_difference(a, b)[[0, 2]].tolist() == [0, 0]
    assert np.isnan(relative_difference(a, b)[1])
    assert ulp32_difference(a, b)[[0, 2]].tolist() == [0, 0]


def test_tolerance_is_8_ulp_and_the_drift_with_a_floor_near_zero():
    rate = np.array([1.0, 0.5, 1e-3 / 2])
    tolerance = rate_tolerance(rate, np.array([0.0, 0.5e-6, 0.0]), np.zeros(3))
    ulp = np.spacing(np.float32(1.0))
    assert tolerance[0] == 8 * ulp
    assert tolerance[1] == pytest.approx(8 * ulp / 2 + 0.5e-6)
    assert tolerance[2] == 8 * ulp  # under a thousandth of the peak: the floor is that of the peak


def test_the_size_near_zero_is_that_of_the_peak():
    assert near_peak(np.array([1.0, 0.5, 1 / 2000]), 1.0).tolist() == [1.0, 0.5, 1.0]


def test_what_was_applied_is_that_of_the_row_that_uses_most_of_it():
    size = np.array([1.0, 1.0, 1.0])
    a = np.array([1.0, 0.5, 1e-4])
    b = a + np.array([0.0, 1e-7, 7 * np.spacing(np.float32(1.0))])
    found = applied(a, b, size, drift=np.array([0.0, 0.0, 1e-7]))
    assert found.row == 2
    assert found.ulp32 > 1000 * ULP32  # of so small a rate, though the same
    assert found.used == pytest.approx((b[2] - a[2]) / allowed(size, 1e-7)[2])
    assert found.used < 1
    assert found.allowed_ulp32 == pytest.approx(found.rounding_ulp32 + found.drift_ulp32)
    assert "for rounding at the size of the highest rate" in str(found)
    assert "for drift" in str(found)


def test_8_ulp_alone_need_no_explanation():
    assert str(applied(np.ones(1), np.ones(1), np.ones(1))) == "0 float32 ULP apart, where 8 are allowed"
    assert "4 for digits that were not written" in str(
        applied(np.ones(1), np.ones(1), np.ones(1), digits=4 * np.spacing(np.float32(1.0)))
    )
