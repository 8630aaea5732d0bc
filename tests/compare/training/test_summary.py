"""Lining up and judging, on traces made by hand: what is refused, and what counts as the same."""

import numpy as np
import pandas as pd
import pytest
from helpers import exponential
from training_helpers import PLAN, STEPS, made

from samestep._compare.align.rows import AlignError, align
from samestep._compare.tolerance import ULP32
from samestep._compare.training.result import Training
from samestep._compare.training.summary import summarise, to_json
from samestep._compare.training.words import verdict, warnings
from samestep.experiment.plan import SGD, Arm, Momentum
from samestep.experiment.trace import Trace, epoch_rows, run_rows, stack


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
    assert "in arm stairs they first differ at step 4 (epoch 1, batch 0)" in verdict(far, PLAN)


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
    assert "in PyTorch the training diverged: the loss is not finite" in warnings(summary)[0]
    assert to_json(summary, PLAN)["arms"][1]["frameworks"]["torch"]["diverged"] == {"step": 11, "epoch": 2, "batch": 3}


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
    Training(plan, traces).write(tmp_path)
    assert len((tmp_path / "report.html").read_bytes()) < 2_000_000
