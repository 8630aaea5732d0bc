"""The closed forms, against exact arithmetic and against the formula of the design."""

import numpy as np
import pytest
from helpers import exponential
from hypothesis import given
from hypothesis import strategies as st

from samestep.experiment.clock import Clock, Duration
from samestep.experiment.plan import Arm
from samestep.experiment.schedules import EXAMPLES, Constant, ExponentialDecay, float32_error
from samestep.experiment.schedules.text import parse

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


def rate(text, *steps, clock=QUESTION):
    return parse(text).rate(np.array(steps), clock).tolist()


def test_a_boundary_is_the_first_step_with_the_new_rate():
    assert rate("piecewise-constant:boundaries=[10 steps,1 epoch],values=[1,0.5,0.1]", 9, 10, 31, 32) == [
        1,
        0.5,
        0.5,
        0.1,
    ]
    two = "sequence:schedules=[(constant:initial=1),(linear:initial=0.5,end=0,over=2 steps)],milestones=[10 steps]"
    assert rate(two, 9, 10, 11, 12, 99) == [1, 0.5, 0.25, 0, 0]
    assert rate("cosine-restarts:initial=1,floor=0,first=2 steps,t_mul=2,m_mul=0.5", 0, 1, 2, 4, 6) == pytest.approx(
        [1, 0.5, 0.5, 0.25, 0.25]
    )


def test_each_says_what_happens_after_its_end():
    assert rate("cosine:initial=1,floor=0.1,over=10 steps,after=hold", 10, 11, 20) == [0.1, 0.1, 0.1]
    assert rate("cosine:initial=1,floor=0.1,over=10 steps,after=rise", 10, 20, 30) == pytest.approx([0.1, 1, 0.1])
    assert rate("polynomial:initial=1,end=0.1,power=2,over=10 steps", 10, 99) == [0.1, 0.1]
    # with cycle each multiple of the length is at the end rate, the step after it on the way to the next
    cycle = rate("polynomial:initial=1,end=0.1,power=1,over=10 steps,cycle", 0, 10, 11, 20)
    assert cycle == pytest.approx([1, 0.1, 0.1 + 0.9 * 9 / 20, 0.1])
    ends = (
        "one-cycle:max_lr=1,div_factor=10,final_div_factor=10,pct_start=0.3,over=10 steps,anneal_strategy=linear,after="
    )
    assert rate(f"{ends}hold", 0, 2, 9, 50) == pytest.approx([0.1, 1, 0.01, 0.01])
    with pytest.raises(ValueError, match=r"ends after 10 steps, step 10 is asked. Make it as long as the run"):
        rate(f"{ends}error", 10)


def test_warm_up_leads_to_where_the_next_one_begins():
    text = "warmup:initial=0,over=4 steps,then=(exponential:initial=1,factor=0.5,every=2 steps,staircase)"
    assert rate(text, 0, 1, 3, 4, 5, 6) == [0, 0.25, 0.75, 1, 1, 0.5]


def test_a_product_multiplies():
    text = "product:schedules=[(constant:initial=0.1),(linear:initial=1,end=0,over=4 steps)]"
    assert rate(text, 0, 1, 4) == pytest.approx([0.1, 0.075, 0])


def test_cycles_go_up_and_down():
    text = "cyclic:low=0.1,max_lr=1.1,up=2 steps,down=4 steps,mode=triangular2,gamma=1"
    assert rate(text, 0, 1, 2, 4, 6, 8) == pytest.approx([0.1, 0.6, 1.1, 0.6, 0.1, 0.6])


def test_the_inverse_square_root_is_half_after_three_timescales():
    assert rate("inverse-sqrt:initial=1,timescale=10 steps", 0, 30, 80, 990) == pytest.approx([1, 1 / 2, 1 / 3, 0.1])
    assert rate("inverse-sqrt:initial=1,timescale=10 steps,power=1", 0, 10, 90) == pytest.approx([1, 1 / 2, 0.1])


def test_a_power_is_of_the_part_that_is_done():
    down = "power:initial=1,end=0.2,power=0.5,over=4 steps"
    assert rate(down, 0, 1, 4, 9) == pytest.approx([1, 0.6, 0.2, 0.2])
    assert rate("power:initial=0,end=1,power=2,over=4 steps", 0, 1, 2, 4) == pytest.approx([0, 1 / 16, 1 / 4, 1])


def test_a_clip_is_never_below_its_lowest_rate():
    clipped = "clip:lowest=0.3,of=(linear:initial=1,end=0,over=10 steps)"
    assert rate(clipped, 0, 5, 7, 8, 99) == pytest.approx([1, 0.5, 0.3, 0.3, 0.3])
    risen = "clip:lowest=0.5,of=(cosine:initial=1,floor=0,over=10 steps,after=rise)"
    assert rate(risen, 0, 10, 15, 20) == pytest.approx([1, 0.5, 0.5, 1])
    # float32 rounds the sum of a line at the size of its largest term, the lowest rate at its own
    assert parse(clipped).float32_scale([6, 7, 8], QUESTION).tolist() == [1, 1, 0]


def test_a_warm_up_goes_along_its_curve():
    up = "warmup:initial=0.2,over=4 steps,then=(constant:initial=1),curve="
    assert rate(f"{up}linear", 0, 1, 3, 4, 9) == pytest.approx([0.2, 0.4, 0.8, 1, 1])
    assert rate(f"{up}cosine", 0, 1, 2, 4, 9) == pytest.approx([0.2, 0.2 + 0.8 * (0.5 - 8**-0.5), 0.6, 1, 1])
    # DeepSpeed's WarmupLR: log(t + 1) / log(W), which is 1 a step early
    assert rate(f"{up}logarithm", 0, 1, 2, 3, 4, 9) == pytest.approx(
        [0.2, 0.6, 0.2 + 0.8 * np.log(3) / np.log(4), 1, 1, 1]
    )
    one = "warmup:initial=0,over=1 step,then=(constant:initial=1),curve=logarithm"
    assert rate(one, 0, 1, 2) == [0, 1, 1]  # DeepSpeed counts at least 2


def test_a_warm_up_lies_before_its_schedule_or_over_its_beginning():
    up = "warmup:initial=0,over=4 steps,then=(linear:initial=1,end=0,over=10 steps)"
    assert rate(up, 0, 2, 4, 5, 14, 99) == pytest.approx([0, 0.5, 1, 0.9, 0, 0])
    # timm's: at its first rate just before step 4, then where the schedule has gone on to
    assert rate(f"{up},overlaps", 0, 2, 3, 4, 5, 10, 99) == pytest.approx([0, 0.5, 0.75, 0.6, 0.5, 0, 0])
    # detectron2's: up to where the schedule has gone on to
    assert rate(f"{up},overlaps,joins", 0, 2, 3, 4, 5) == pytest.approx([0, 0.3, 0.45, 0.6, 0.5])
    assert parse(up).length(QUESTION) == 14
    assert parse(f"{up},overlaps").length(QUESTION) == 10
    assert (
        parse("warmup:initial=0,over=14 steps,then=(linear:initial=1,end=0,over=9 steps),overlaps").length(QUESTION)
        == 14
    )


@pytest.mark.parametrize(
    "text",
    [
        "linear:initial=0.1,end=0.1,over=10 steps",
        "polynomial:initial=0.1,end=0.1,power=2,over=100 steps",
        "polynomial:initial=0.1,end=0.1,power=0.5,over=7 steps,cycle",
        "cosine:initial=0.1,floor=0.1,over=100 steps,after=rise",
        "cosine-restarts:initial=0.1,floor=0.1,first=7 steps,t_mul=1.5,m_mul=0.7",
        "one-cycle:max_lr=0.1,div_factor=1,final_div_factor=1,pct_start=0.3,over=90 steps,anneal_strategy=cos,after=hold",
        "cyclic:low=0.1,max_lr=0.1,up=7 steps,down=3 steps,mode=exp_range,gamma=0.9",
        "exponential:initial=0.1,factor=1,every=7 steps",
        "warmup:initial=0.1,over=9 steps,then=(linear:initial=0.1,end=0.1,over=30 steps)",
        "product:schedules=[(constant:initial=0.3),(exponential:initial=1,factor=1,every=7 steps)]",
    ],
)
def test_one_rate_throughout_is_one_number(text):
    assert len(set(parse(text).rate(np.arange(200), QUESTION).tolist())) == 1


def test_a_rate_past_any_number_is_refused():
    with pytest.raises(ValueError, match=r"grows past 3e\+38, what float32 holds, at step 128. Ask for fewer steps"):
        rate("exponential:initial=1,factor=2,every=1 step", 127, 128)


@pytest.mark.parametrize("name", EXAMPLES)
def test_arrays_and_single_steps_agree_whatever_their_shape(name):
    schedule, clock = parse(EXAMPLES[name]), Clock(samples=100, batch_size=8)
    steps = np.arange(64).reshape(4, 4, 4)
    together = schedule.rate(steps, clock)
    assert together.shape == (4, 4, 4)
    assert together.dtype == np.float64
    assert [float(schedule.rate(step, clock)) for step in range(64)] == together.ravel().tolist()
    for bent in (schedule.float32_scale(steps, clock), schedule.float32_drift(steps, clock)):
        assert bent.shape == (4, 4, 4)
        assert (bent >= 0).all()


@given(st.floats(1e-6, 1), st.floats(0, 1), st.sampled_from(["cosine", "polynomial", "linear", "cosine-restarts"]))
def test_the_first_and_the_last_rate_are_those_that_were_written(initial, end, kind):
    end = min(initial, end) if kind == "cosine-restarts" else end
    text = {
        "cosine": f"cosine:initial={initial},floor={end},over=10 steps,after=hold",
        "cosine-restarts": f"cosine-restarts:initial={initial},floor={end},first=10 steps,t_mul=1,m_mul=1",
        "polynomial": f"polynomial:initial={initial},end={end},power=2.5,over=10 steps",
        "linear": f"linear:initial={initial},end={end},over=10 steps",
    }[kind]
    first, last = rate(text, 0, 10)
    assert first == initial
    assert last == (initial if kind == "cosine-restarts" else end)
