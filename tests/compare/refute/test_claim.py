"""A claim is refuted by a single row, and says nothing where nothing is known."""

from fractions import Fraction

import numpy as np
import pytest
from cause_helpers import rates

from samestep._compare.rates import Rates
from samestep._compare.refute import predict
from samestep._compare.refute.claim import Claim, Pair
from samestep._compare.refute.curve import UNKNOWN, Curve, Predicted
from samestep.experiment.schedules.text import parse

LINE = "linear:initial=0.1,end=0.01,over=200 steps"


def pair(change, steps=200):
    """A line that is known by its rows alone, and what a change makes of it."""
    a = rates(LINE, steps)
    return Pair(Curve(a, None), Curve(Rates.of(a.step, change(a.step, a.lr)), None))


def twice(two):
    return Claim("twice as high", "b", predict.times(two.a, 2.0))


def test_a_claim_that_every_row_allows_fits():
    two = pair(lambda _, lr: 2 * lr)
    check = two.check(twice(two))
    assert check.fits
    assert (check.rows, check.known, check.evidence, check.covered) == (200, 200, 200, 1.0)


@pytest.mark.parametrize("row", [0, 77, 199])
def test_one_row_refutes_it(row):
    two = pair(lambda step, lr: np.where(step == row, 2.0001, 2) * lr)
    assert not two.check(twice(two)).fits


def test_without_a_claim_that_holds_nothing_differs():
    two = pair(lambda _, lr: 2 * lr)
    assert two.any_differs
    rest = two.without(twice(two))
    assert isinstance(rest.a, Predicted)
    assert not rest.any_differs


def test_what_predicts_too_few_rows_leaves_nothing_to_compare():
    two = pair(lambda _, lr: lr)
    assert two.without(Claim("one rate", "b", predict.constant(0.1))) is None
    assert two.without(Claim("far ahead", "b", predict.moved(two.a, 180))) is None


def test_nothing_is_known_beyond_the_rows_of_a_run_without_a_schedule():
    curve = pair(lambda _, lr: lr).a
    assert curve.at(np.array([0, 199, 200, 5000])).slack.tolist() == [0, 0, UNKNOWN, UNKNOWN]
    assert predict.moved_and_unknown_before(curve, -5)(np.array([0, 5])).slack.tolist() == [UNKNOWN, 0]


def test_a_schedule_is_lengthened_to_whole_steps_or_not_at_all():
    schedule = parse("exponential:initial=1,factor=0.5,every=25 steps")
    assert str(predict.lengthened(schedule, Fraction(8, 5)).every) == "40 steps"
    assert predict.lengthened(schedule, Fraction(1, 2)) is None
