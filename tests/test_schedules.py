"""The closed forms, against exact arithmetic and against the formula of the design."""

import numpy as np
import pytest
from helpers import exponential
from hypothesis import given
from hypothesis import strategies as st

from experiment.clock import Clock, Duration
from experiment.plan import Arm
from experiment.schedules import Constant, ExponentialDecay, float32_error

QUESTION = Clock(samples=1000, batch_size=32)


def test_constant_never_changes():
    rates = Constant(initial=1e-3).rate(np.arange(1600), QUESTION)
    assert rates.tolist() == [1e-3] * 1600


@given(
    initial=st.floats(1e-8, 10),
    factor=st.floats(0.01, 1),
    every=st.integers(1, 500),
    staircase=st.booleans(),
    step=st.integers(0, 5000),
)
def test_exponential_is_initial_times_factor_to_the_p(initial, factor, every, staircase, step):
    schedule = ExponentialDecay(
        initial=initial, factor=factor, every=Duration.parse(f"{every} steps"), staircase=staircase
    )
    p = step // every if staircase else step / every
    # DESIGN: lr = initial * factor ** p
    assert schedule.rate(step, QUESTION) == pytest.approx(initial * factor**p, rel=1e-14)


def test_rate_changes_at_the_period_and_not_before():
    rate = exponential("25 steps").rate([0, 24, 25, 49, 50], QUESTION)
    assert rate.tolist() == [1e-3, 1e-3, 1e-3 * 0.95, 1e-3 * 0.95, 1e-3 * 0.95**2]


def test_asking_does_not_change_the_answer():
    schedule = exponential("25 epochs", staircase=False)
    first = schedule.rate(np.arange(100), QUESTION)
    schedule.rate(10**6, QUESTION)
    np.testing.assert_array_equal(schedule.rate(np.arange(100), QUESTION), first)


@pytest.mark.parametrize(
    ("every", "stepping", "changes"),
    [
        ("25 steps", "step", list(range(25, 1600, 25))),
        ("25 epochs", "step", [800]),
        ("25 epochs", "epoch", [800]),
        # looked up every 32 steps: floor(32 e / 25) grows in every epoch
        ("25 steps", "epoch", list(range(32, 1600, 32))),
    ],
)
def test_unit_and_stepping_decide_where_the_rate_changes(every, stepping, changes):
    arm = Arm(name="arm", schedule=exponential(every), stepping=stepping)
    rate = arm.rate(np.arange(1600), QUESTION)
    assert (np.flatnonzero(np.diff(rate)) + 1).tolist() == changes


def test_steps_keep_their_shape():
    assert exponential("25 steps").rate(np.zeros((2, 3), int), QUESTION).shape == (2, 3)
    assert exponential("25 steps").rate(3, QUESTION).shape == ()


@pytest.mark.parametrize("schedule", [Constant(initial=1e-3), exponential("25 steps")], ids=["constant", "exponential"])
def test_steps_that_are_none_are_refused(schedule):
    with pytest.raises(ValueError, match="-1 is negative"):
        schedule.rate([3, -1], QUESTION)
    with pytest.raises(ValueError, match="whole numbers"):
        schedule.rate(np.array([0.5]), QUESTION)


def test_float32_drift_is_that_of_the_factor_once_for_each_decay():
    # SEMANTICS: r = 0.95 and 64 decays, predicted 8.0e-7; r = 0.9999 decaying 100,000 times, 0.166 %
    def relative(schedule, step):
        return schedule.float32_drift(step, QUESTION) / schedule.rate(step, QUESTION)

    assert relative(exponential("25 steps"), 1600) == pytest.approx(8.0e-7, rel=5e-3)
    assert relative(exponential("1 step", factor=0.9999), 100_000) == pytest.approx(0.00166, rel=5e-3)
    assert exponential("25 steps", factor=0.5).float32_drift(1600, QUESTION) == 0
    assert float32_error(0.95) < 2**-24


def test_arm_in_steps_shorter_than_an_epoch_may_mean_epochs():
    arm = Arm(name="written", schedule=exponential("25 steps"), stepping="step")
    meant = arm.meant(QUESTION)
    assert meant is not None
    assert QUESTION.steps(meant.schedule.every) == 800
    assert Arm(name="long", schedule=exponential("32 steps"), stepping="step").meant(QUESTION) is None
    assert Arm(name="epochs", schedule=exponential("25 epochs"), stepping="step").meant(QUESTION) is None
    assert Arm(name="constant", schedule=Constant(initial=1.0), stepping="step").meant(QUESTION) is None
