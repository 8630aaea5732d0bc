"""The cause `unexplained`: it says why nothing is known."""

from dataclasses import replace

from cause_helpers import scene

from samestep._compare.causes.unexplained import Unexplained


def test_no_common_step_is_said_with_both_ranges():
    known = scene()
    apart = replace(known, a=replace(known.a, last=10), b=replace(known.b, first=500, last=900))
    assert "a has rows for steps 0 to 10, b for 500 to 900" in Unexplained().sentence(apart)
