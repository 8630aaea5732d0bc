"""The cause `rounding`: what explains the difference is said, drift or written digits."""

from dataclasses import replace

import numpy as np
from cause_helpers import scene

from samestep._compare.causes.identical import Identical
from samestep._compare.causes.rounding import Rounding
from samestep._compare.infer import infer
from samestep._compare.rates import Rates


def test_it_says_which_part_is_drift():
    step = np.arange(0, 100_000, 50)
    a, b = Rates.of(step, 0.1 * float(np.float32(0.9999)) ** step), Rates.of(step, 0.1 * 0.9999**step)
    apart = float((np.abs(a.lr - b.lr) / b.lr).max())
    known = scene(largest=apart, drifted=True, rounding_ulp32=0.5)
    known = replace(known, a=replace(known.a, inferred=infer(a)), b=replace(known.b, inferred=infer(b), last=100_000))
    said = Rounding().sentence(known)
    assert "they differ by at most 0.166 %" in said
    assert (
        "float32's rounding of the factor 0.9999 explains up to 0.166 % of this: 100,000 decays of 1.66e-08 each"
        in said
    )


def test_without_drift_it_speaks_of_none():
    said = Rounding().sentence(scene(largest=2e-8))
    assert said == "The rates agree to within rounding: they differ by at most 2e-08 relative."


def test_few_digits_are_named_where_they_are_why_both_are_the_same():
    known = scene(largest=4e-6, digits=5e-6, written=("6 digits", "4 decimals"))
    said = Rounding().sentence(known)
    assert "agree to a's 6 digits and b's 4 decimals: they differ by at most 4e-06 relative" in said
    assert "Nothing to fix within a's 6 digits and b's 4 decimals" in Rounding().fix(known).advice
    both = scene(written=("6 digits", "6 digits"))
    assert both.written == "the 6 digits of both"
    assert "agree to the last digit that was written" in Identical().sentence(both)
