"""The diagnosis: right about what is known, the same both ways round, and never confident about noise."""

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.diagnosis import score as benchmark
from samestep._compare.causes.counter import Counter
from samestep._compare.causes.gaps import Gaps
from samestep._compare.causes.length import Length
from samestep._compare.causes.scale import Scale
from samestep._compare.causes.shift import Shift
from samestep._compare.diagnose import diagnose
from samestep._compare.rates import Rates
from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import parse

CLOCK = Clock(samples=1000, batch_size=32)


@pytest.fixture(scope="module")
def answers():
    """A small part of the benchmark, from closed forms and from both frameworks' own schedulers."""
    return benchmark.run({"causes": 54, "same": 24, "unexplained": 12}, seed=3, worker=0)


def of(answers, sort):
    labels = ("same", "unexplained")
    return [each for each in answers if (each["label"] if each["label"] in labels else "causes") == sort]


def test_known_causes_are_found_with_their_parameters(answers):
    wrong = [each for each in of(answers, "causes") if not each["right"]]
    assert len(of(answers, "causes")) == 54
    assert len(wrong) <= 3, wrong  # the whole benchmark says how many


def test_not_one_false_alarm(answers):
    assert [each["schedule"] for each in of(answers, "same") if each["verdict"] != "same"] == []


def test_what_is_none_of_the_causes_is_unexplained(answers):
    assert [each["told"] for each in of(answers, "unexplained") if each["told"]["name"] != "unexplained"] == []


def rates(text, steps=1600):
    return Rates.of(np.arange(steps), parse(text).rate(np.arange(steps), CLOCK))


STEPS = "exponential:initial=1e-3,factor=0.95,every=25 steps,staircase"
EPOCHS = "exponential:initial=1e-3,factor=0.95,every=25 epochs,staircase"


def test_the_question():
    diagnosis = diagnose(rates(EPOCHS), rates(STEPS), CLOCK)
    assert diagnosis.verdict == "differs"
    assert diagnosis.cause == Counter(32, "steps-vs-epochs")
    assert (diagnosis.first_difference.step, diagnosis.first_difference.a, diagnosis.first_difference.b) == (
        25,
        1e-3,
        0.95e-3,
    )
    assert diagnosis.cause.residual_ulp32 <= 8


def test_the_question_the_other_way_round():
    diagnosis = diagnose(rates(STEPS), rates(EPOCHS), CLOCK)
    assert diagnosis.cause == Counter(1 / 32, "steps-vs-epochs")


def test_two_causes_at_once():
    a = rates("cosine:initial=1e-3,floor=0,over=1200 steps,after=hold")
    b = Rates.of(a.step[:-1], 10 * a.lr[1:])
    diagnosis = diagnose(a, b, CLOCK)
    assert diagnosis.cause == Shift(1, second=Scale(10.0))


def test_rows_that_are_not_there():
    a = rates(STEPS)
    kept = np.delete(np.arange(1600), [700, 701, 900])
    cause = diagnose(a, a.rows(kept), CLOCK).cause
    assert cause == Gaps(0, 3, 0, 0, step=700, step_b=700)
    assert cause.parameters == {
        "missing_a": 0, "missing_b": 3, "repeated_a": 0, "repeated_b": 0, "step": 700, "step_b": 700,
    }  # fmt: skip
    assert diagnose(a, a.rows(slice(0, 1000)), CLOCK).cause == Length(1600, 1000)
    assert diagnose(a, a.rows(slice(None, None, 10)), CLOCK).cause.name == "identical"
    assert diagnose(a, dataclasses.replace(a, repeated=3), CLOCK).cause.name == "gaps"


def test_logs_without_a_common_step_are_held_against_what_is_known_in_between():
    a, b = rates(STEPS).rows(slice(0, None, 10)), rates(STEPS).rows(slice(9, None, 10))
    assert diagnose(a, b, CLOCK).verdict == "same"


def test_logs_that_do_not_overlap_are_inconclusive():
    noise = np.random.default_rng(0).random(40)
    diagnosis = diagnose(Rates.of(np.arange(20), noise[:20]), Rates.of(np.arange(100, 120), noise[20:]), CLOCK)
    assert (diagnosis.verdict, diagnosis.compared) == ("inconclusive", 0)


def test_rounding_says_what_is_left_when_drift_is_taken_off():
    """float64 closed form against float32's factor: 0.9999 is off by 1.7e-8, 100,000 times."""
    step = np.arange(0, 100_000, 50)
    exact, held = 1e-3 * 0.9999**step, 1e-3 * float(np.float32(0.9999)) ** step
    diagnosis = diagnose(Rates.of(step, exact), Rates.of(step, held.astype(np.float32)), None)
    assert (diagnosis.verdict, diagnosis.cause.name) == ("same", "rounding")
    assert diagnosis.max_relative == pytest.approx(0.00166, rel=0.01)
    assert diagnosis.cause.residual_ulp32 <= 8


numbers = st.floats(0, 3e38, allow_nan=False) | st.sampled_from([0.0, 0.1, 0.01, 1e-45, 3e38])
traces = st.lists(st.tuples(st.integers(0, 10**6), numbers), min_size=1, max_size=20, unique_by=lambda each: each[0])


def of_rows(rows):
    ordered = sorted(rows)
    return Rates.of(np.array([each[0] for each in ordered]), np.array([each[1] for each in ordered]))


@settings(max_examples=25, deadline=None)
@given(traces, traces)
@example([(0, 1.0)], [(31, 0.0), (4091, 1.6456529364984286e38)])  # restarts that grow past float32 and fall below again
def test_anything_gets_an_answer(one, other):
    diagnosis = diagnose(of_rows(one), of_rows(other), CLOCK)
    assert diagnosis.verdict in ("same", "differs", "inconclusive")
    assert (diagnosis.verdict == "same") == (diagnosis.cause.name in ("identical", "rounding"))


@settings(max_examples=25, deadline=None)
@given(traces)
def test_a_run_is_the_same_as_itself(rows):
    diagnosis = diagnose(of_rows(rows), of_rows(rows), CLOCK)
    assert (diagnosis.verdict, diagnosis.cause.name, diagnosis.max_ulp32) == ("same", "identical", 0.0)


@pytest.mark.parametrize("change", [1e-6, 2e-6, 5e-6, 1e-3])
def test_one_row_edited_by_hand_is_unexplained_both_ways_round(change):
    a = rates(STEPS)
    edited = Rates.of(a.step, np.where(a.step == 777, a.lr * (1 + change), a.lr))
    for diagnosis in (diagnose(a, edited, CLOCK), diagnose(edited, a, CLOCK)):
        assert (diagnosis.verdict, diagnosis.cause.name, diagnosis.first_difference.step) == (
            "differs",
            "unexplained",
            777,
        )
