"""The facts of docs/facts.md, measured on the real frameworks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import parse

PROGRAMS = Path(__file__).parents[1] / "programs"


def measured(program):
    done = subprocess.run([sys.executable, PROGRAMS / program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def facts():
    return measured("facts_tensorflow.py")


@pytest.fixture(scope="module")
def torch_facts():
    return measured("facts_torch.py")


def ulp(a, b):
    return np.abs(np.array(a) - np.array(b)) / np.spacing(np.float32(a)).astype(float)


def test_smooth_rate_asked_before_the_batch_is_not_the_one_used(facts):
    apart = ulp(facts["smooth"]["used"], facts["smooth"]["asked_before"])
    assert 0 < apart.max() <= 8


def test_staircase_asked_before_the_batch_has_the_same_bits(facts):
    assert facts["staircase"]["used"] == facts["staircase"]["asked_before"]


def test_a_smooth_decay_loses_digits_in_compiled_code_as_it_falls(facts):
    """The exponent is rounded twice, and an error of it counts as many times as the rate has fallen by a factor of e."""
    steps = np.arange(0, 3 * 980 + 1, 7)
    decay = parse("exponential:initial=3e-4,factor=0.1,every=980 steps")
    rate = decay.rate(steps, Clock.STEPS)
    ulp32 = np.spacing(rate.astype(np.float32)).astype(float)
    compiled, asked = (np.abs(np.array(each) - rate) for each in facts["fallen"])
    assert (asked / ulp32).max() < 8 < (compiled / ulp32).max()
    assert (compiled <= 8 * ulp32 + decay.float32_drift(steps, Clock.STEPS)).all()


def test_a_staircase_falls_a_step_late_in_fit_where_the_reciprocal_was_rounded(facts):
    """TensorFlow multiplies by 1 / decay_steps in compiled code: 1 / 41 is too small in float32, 1 / 25 is not."""
    for every in (25, 41, 61):
        used, asked = facts["late"][str(every)]
        multiples = every * np.arange(1, 6)
        late = np.floor(multiples.astype(np.float32) * (np.float32(1) / np.float32(every))) < np.arange(1, 6)
        assert asked == multiples.tolist()
        assert used == (multiples + late).tolist()
        assert late.any() == (every != 25)
        stairs = parse(f"exponential:initial=1,factor=0.5,every={every} steps,staircase")
        steps = np.arange(every * 5 + 10)
        fell = np.searchsorted(used, steps, side="right")
        apart = np.abs(0.5**fell - stairs.rate(steps, Clock.STEPS))
        assert (apart <= stairs.float32_drift(steps, Clock.STEPS) + 1e-7).all()


@pytest.mark.parametrize("kind", ["smooth", "staircase"])
def test_rate_asked_after_the_batch_is_the_next(facts, kind):
    asked, before = facts[kind]["asked_after"], facts[kind]["asked_before"]
    assert asked[:-1] == before[1:]
    assert asked != before


def test_py_dataset_ends_an_epoch_before_the_first(facts):
    assert facts["py_dataset"] == ["end", "begin", "end", "begin", "end", "begin", "end"]


def test_schedule_stays_in_float32_when_training_is_in_float64(facts):
    assert facts["float64"] == {"ExponentialDecay": "float32", "float": "float64"}


def test_keras_misses_restarts_where_t_mul_is_near_1(facts):
    late, begins = facts["restarts"]["1.1"]
    assert late[0] == 21
    assert len(late) < begins
    assert facts["restarts"]["2"][0] == []
    assert 5_000 < facts["restarts_far"][0][0] < 200_000


def test_keras_computes_in_whole_numbers_where_it_is_given_one(facts):
    assert facts["whole"]["ExponentialDecay"] == [1, 0, 0]
    assert facts["whole"]["PiecewiseConstantDecay"] == [4, 2, 2]
    assert facts["whole"]["PiecewiseConstantDecay, mixed"] == "InvalidArgumentError"


def test_periods_that_shrink_have_an_end_after_which_keras_gives_no_rate(facts):
    assert facts["shrunk"] == 10


def test_t_mul_in_float32_bends_the_periods(facts):
    assert 1e-5 < facts["bent"] < 1e-3


def test_tensorflow_takes_rates_below_the_smallest_normal_number_for_0(facts):
    assert facts["smallest"][0] == pytest.approx(2e-38)
    assert facts["smallest"][1] == 0


def test_loaded_weights_carry_the_count_only_into_a_compiled_sgd(facts):
    assert facts["loaded"] == {"sgd, compiled first": 5, "sgd, loaded first": 0, "adam, compiled first": 0}


def test_cosine_annealing_loses_digits_as_it_climbs(torch_facts):
    for before, _ in torch_facts["climbs"].values():
        assert before < 1e-12
    assert torch_facts["climbs"]["100"][1] < 1e-12
    assert 1e-11 < torch_facts["climbs"]["20000"][1] < 1e-9
    assert 1e-10 < torch_facts["climbs"]["100000"][1] < 1e-8


def test_pytorch_raises_where_its_cycles_cannot_go_on(torch_facts):
    assert torch_facts["one_cycle"] == [6, "ValueError"]
    assert torch_facts["one_cycle_without_a_rise"] == [0, "ZeroDivisionError"]
    assert torch_facts["triangular2"] == [2048, "OverflowError"]


def test_a_chain_with_a_scheduler_that_sets_the_rate_is_no_product(torch_facts):
    assert torch_facts["chain_after_a_setter"] == [1.0, 1.0, 0.5, 1.0, 0.5, 1.0]


def test_a_cosine_in_a_chain_multiplies_until_t_max_and_then_adds(torch_facts):
    until, after = torch_facts["chain_with_a_cosine"][:11], torch_facts["chain_with_a_cosine"][11:]
    assert max(until) < 1e-15
    assert min(after) > 0.01


def test_a_multiplicative_lr_in_a_chain_multiplies(torch_facts):
    assert torch_facts["chain_with_a_multiplier"] < 1e-15


def test_counts_of_calls_are_looked_up_by_equality(torch_facts):
    assert torch_facts["milestones"] == {"5": 0.1, "5.5": 1.0}
    assert torch_facts["step_size"] == []  # 2.5 calls: at every fifth


def test_a_sequence_that_is_first_in_another_is_a_call_ahead(torch_facts):
    constant, exponential = torch_facts["nested"]["constant"], torch_facts["nested"]["exponential"]
    assert constant == [1, 1, 0.5, 0.5, 0.5, 0.5, 1, 1]
    assert exponential[:3] == pytest.approx([0.9, 0.81, 0.5])
    assert torch_facts["sequence_to_sequence"] == "NotImplementedError"


def test_pytorch_cannot_come_back_from_a_factor_of_0(torch_facts):
    assert torch_facts["constant_from_0"] == "ZeroDivisionError"


def test_the_state_of_cyclic_lr_does_not_show_a_function(torch_facts):
    assert torch_facts["scale_fn"]


def test_float32_beta_2_makes_pytorchs_second_moment_too_large(facts, torch_facts):
    """By (float32(b2) - b2) / (1 - b2) of it, once it has forgotten its beginning; Keras' stays where it should be."""
    exact = np.zeros(64)
    for gradient in np.random.default_rng(0).standard_normal((5000, 64), np.float32).astype(np.float64):
        exact += (gradient**2 - exact) * (1 - 0.999)
    torch, keras = (np.mean(found["second_moment"] / exact) - 1 for found in (torch_facts, facts))
    assert torch == pytest.approx((float(np.float32(0.999)) - 0.999) / (1 - 0.999), rel=0.1)
    assert torch > 1.2e-5
    assert abs(keras) < 1e-6
