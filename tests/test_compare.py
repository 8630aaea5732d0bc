"""Lining up and judging, on traces made by hand: what is refused, and what counts as the same."""

import numpy as np
import pandas as pd
import pytest
from helpers import exponential
from hypothesis import given
from hypothesis import strategies as st

from compare.align.rows import AlignError, align
from compare.tolerance import ULP32, rate_tolerance, relative_difference, ulp32_difference
from compare.training import result as results
from compare.training.summary import summarise, to_json
from compare.training.words import verdict, warnings
from experiment.plan import SGD, Arm, Constant, Momentum, question
from experiment.trace import Trace, epoch_rows, run_rows, stack

PLAN = question().replace(
    data=question().data.model_copy(update={"samples": 40}),
    batch_size=10,
    epochs=5,
    arms=(
        Arm(name="constant", schedule=Constant(initial=0.5), stepping="step"),
        Arm(name="stairs", schedule=exponential("3 steps", initial=0.5, factor=0.9), stepping="step"),
    ),
)
STEPS = np.arange(PLAN.steps)


def made(framework, lr=lambda arm, rates: rates, loss=lambda arm, losses: losses):
    """A trace whose rates are the closed form and whose losses fall, with something done to them."""
    rows = [
        run_rows(
            framework,
            arm.name,
            0,
            PLAN.clock,
            lr(arm.name, arm.rate(STEPS, PLAN.clock)),
            loss(arm.name, 1 / (STEPS + 1.0)),
        )
        for arm in PLAN.arms
    ]
    return Trace(stack(rows), {}, {})


def judged(plan=PLAN, **torch):
    traces = {"tensorflow": made("tensorflow"), "torch": made("torch", **torch)}
    return summarise(align(traces, plan), plan)


def at(step, change):
    """Do something to the arm `stairs` from a step on."""

    def done(arm, values):
        return np.where((step <= STEPS) & (arm == "stairs"), change(values), values)

    return done


def without(trace, rows):
    return Trace({name: np.delete(column, rows) for name, column in trace.steps.items()}, {}, {})


def test_rows_are_lined_up_whatever_their_order():
    shuffled = np.random.default_rng(0).permutation(2 * PLAN.steps)
    torch = Trace({name: column[shuffled] for name, column in made("torch").steps.items()}, {}, {})
    pd.testing.assert_frame_equal(
        align({"tensorflow": made("tensorflow"), "torch": torch}, PLAN),
        align({"tensorflow": made("tensorflow"), "torch": made("torch")}, PLAN),
    )


def test_repeated_rows_are_refused_by_name():
    torch = made("torch")
    torch = Trace({name: np.append(column, column[23]) for name, column in torch.steps.items()}, {}, {})
    with pytest.raises(AlignError, match="The torch trace has more than once arm 'stairs', seed 0, step 3"):
        align({"tensorflow": made("tensorflow"), "torch": torch}, PLAN)


def test_missing_rows_are_refused_by_name():
    keras = without(made("tensorflow"), [5, 6])
    with pytest.raises(AlignError, match="The tensorflow trace lacks arm 'constant', seed 0, step 5 and 1 more"):
        align({"tensorflow": keras, "torch": made("torch")}, PLAN)


def test_rows_of_no_arm_are_refused_by_name():
    torch = made("torch")
    other = {name: column[:1] for name, column in torch.steps.items()} | {"arm": np.array(["other"])}
    torch = Trace(stack([torch.steps, other]), {}, {})
    with pytest.raises(AlignError, match="should not have arm 'other', seed 0, step 0"):
        align({"tensorflow": made("tensorflow"), "torch": torch}, PLAN)


def test_equal_traces_are_the_same():
    summary = judged()
    assert (summary.verdict, summary.loss_verdict) == ("same", "same")
    assert "used the same learning rates in all 2 arms" in verdict(summary, PLAN)
    assert summary.arms[1].frameworks["torch"].first_change.step == 3
    assert summary.arms[1].frameworks["torch"].lr_parts.step == 3
    assert summary.arms[1].frameworks["torch"].loss_parts is None


def test_rate_within_the_tolerance_is_the_same_and_beyond_it_differs():
    ulp = np.spacing(np.float32(0.45))
    near = judged(lr=at(3, lambda rates: rates + (ULP32 - 1) * ulp))
    assert near.verdict == "same"
    far = judged(lr=at(4, lambda rates: rates + (ULP32 + 2) * ulp))
    assert far.verdict == "differs"
    first = far.arms[1].lr.first_difference
    assert (first.step, first.epoch, first.batch) == (4, 1, 0)
    assert first.a == 0.45
    assert "in arm stairs they part at step 4 (epoch 1, batch 0)" in verdict(far, PLAN)


def test_two_frameworks_that_agree_can_both_be_wrong():
    wrong = at(7, lambda rates: rates * 0.5)
    traces = {framework: made(framework, lr=wrong) for framework in ("tensorflow", "torch")}
    summary = summarise(align(traces, PLAN), PLAN)
    assert summary.arms[1].lr.verdict == "same"
    assert summary.arms[1].frameworks["torch"].verdict == "differs"
    assert summary.verdict == "differs"
    assert "from the closed form" in verdict(summary, PLAN)


@pytest.mark.parametrize(
    ("factor", "said"), [(1 + 1e-5, "same"), (1 + 1e-3, "inconclusive"), (1.5, "differs")], ids=["same", "doubt", "far"]
)
def test_losses_are_judged_by_their_tolerance(factor, said):
    summary = judged(loss=at(9, lambda losses: losses * factor))
    assert summary.verdict == "same"
    assert summary.loss_verdict == said
    if said != "same":
        assert summary.arms[1].loss.first_difference.step == 9
    if said == "inconclusive":
        assert "optimizers' own arithmetic" in warnings(summary)[0]


def test_sgd_is_judged_more_strictly_than_adam():
    loss = at(9, lambda losses: losses * (1 + 1e-5))
    assert judged(loss=loss).loss_verdict == "same"
    assert judged(PLAN.replace(optimizer=SGD()), loss=loss).loss_verdict == "inconclusive"


def test_momentum_is_named_as_the_reason():
    summary = judged(
        PLAN.replace(optimizer=Momentum(momentum=0.9, nesterov=False)), loss=at(9, lambda loss: loss * 1.1)
    )
    assert summary.loss_verdict == "differs"
    assert "velocity" in warnings(summary)[0]


def test_native_controls_leave_the_losses_without_a_verdict():
    plan = PLAN.replace(controls=PLAN.controls.model_copy(update={"order": "native", "masks": "native"}))
    summary = judged(plan, loss=at(0, lambda losses: losses * 1.5))
    assert (summary.verdict, summary.loss_verdict) == ("same", "inconclusive")
    assert "its own order, masks" in warnings(summary)[0]


def test_divergence_is_named_and_what_came_before_is_still_compared():
    summary = judged(loss=at(11, lambda losses: losses * np.nan))
    stairs = summary.arms[1]
    assert stairs.frameworks["tensorflow"].diverged is None
    assert stairs.frameworks["torch"].diverged.step == 11
    assert stairs.loss.compared == 11
    assert stairs.loss.verdict == "inconclusive"
    assert "in PyTorch the loss is no finite number" in warnings(summary)[0]
    assert to_json(summary, PLAN)["arms"][1]["frameworks"]["torch"]["diverged"] == {"step": 11, "epoch": 2, "batch": 3}


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


def test_report_of_many_arms_and_steps_stays_small(tmp_path):
    arms = tuple(
        Arm(
            name=f"arm {number}",
            schedule=exponential("7 steps", initial=0.5, factor=0.999, staircase=False),
            stepping="step",
        )
        for number in range(20)
    )
    plan = PLAN.replace(arms=arms, epochs=2500)
    steps = np.arange(plan.steps)
    noise = np.random.default_rng(0).lognormal(size=plan.steps)
    native = {"native": "ExponentialLR", "note": None, "source": "", "meant": None}
    manifest = {
        "arms": {arm.name: native for arm in arms},
        "versions": {},
        "conventions": {},
        "engine": "plain",
        "device": "cpu",
    }
    traces = {}
    for framework in ("tensorflow", "torch"):
        rows = [run_rows(framework, arm.name, 0, plan.clock, arm.rate(steps, plan.clock), noise) for arm in arms]
        epochs = [epoch_rows(each, plan.clock, [1.0] * plan.epochs) for each in rows]
        traces[framework] = Trace(stack(rows), stack(epochs), manifest)
    results.write(tmp_path, plan, traces)
    assert len((tmp_path / "report.html").read_bytes()) < 2_000_000
