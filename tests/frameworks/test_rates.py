"""The rate that is recorded is the rate that was used, and the one that the closed form says, in both frameworks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import exponential

from samestep._compare.tolerance import rate_tolerance
from samestep.experiment.clock import Clock
from samestep.experiment.plan import Arm
from samestep.experiment.schedules import EXAMPLES, Constant
from samestep.experiment.schedules.text import parse

FRAMEWORKS = ("tensorflow", "torch")
CLOCK = Clock(samples=100, batch_size=8)  # 13 steps an epoch, the last batch of 4
EPOCHS = 12

# every combination of the unit of the period with the stepping, whole epochs and not
ARMS = [Arm(name="constant", schedule=Constant(initial=1e-3), stepping="step")] + [
    Arm(
        name=f"{'staircase' if staircase else 'smooth'}-{every.replace(' ', '')}-per-{stepping}",
        schedule=exponential(every, staircase=staircase, initial=0.1, factor=0.9),
        stepping=stepping,
    )
    for every in ("1 step", "5 steps", "26 steps", "1 epoch", "3 epochs")
    for staircase in (True, False)
    for stepping in ("step", "epoch")
]
# and every row of the table of schedules, trained with for as long as it may be asked
ROWS = [
    Arm(name=f"row {name} per {stepping}".replace(",", ""), schedule=parse(text), stepping=stepping)
    for name, text in EXAMPLES.items()
    for stepping in ("step", "epoch")
    if "error" not in text
]
ARMS += ROWS


def one_weight(framework):
    asked = {
        "clock": {"samples": CLOCK.samples, "batch_size": CLOCK.batch_size, "drop_last": CLOCK.drop_last},
        "epochs": EPOCHS,
        "arms": [arm.model_dump(mode="json") for arm in ARMS],
    }
    program = Path(__file__).parents[1] / "programs" / f"one_weight_{framework}.py"
    done = subprocess.run(
        [sys.executable, program], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {arm.name: run for arm, run in zip(ARMS, json.loads(done.stdout), strict=True)}


@pytest.fixture(scope="module")
def one_weights():
    return {framework: one_weight(framework) for framework in FRAMEWORKS}


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_recorded_rate_is_the_update_divided_by_the_gradient(one_weights, framework, arm):
    run = one_weights[framework][arm.name]
    assert len(run["made"]) == EPOCHS * CLOCK.steps_per_epoch
    assert run["recorded"] == run["made"]  # gradient 1, weight 0 before: equal to the bit


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_rates_match_closed_form(one_weights, framework, arm):
    steps = np.arange(EPOCHS * CLOCK.steps_per_epoch)
    closed_form = arm.rate(steps, CLOCK)
    made = np.array(one_weights[framework][arm.name]["made"])
    if framework == "torch":  # Python floats, multiplied recursively; where a cosine nears 0 it is its peak that counts
        np.testing.assert_allclose(made, closed_form, rtol=1e-12, atol=1e-12 * closed_form.max() if arm in ROWS else 0)
    else:
        drift = arm.float32_drift(steps, CLOCK)
        assert (np.abs(made - closed_form) <= rate_tolerance(closed_form, drift, arm.float32_scale(steps, CLOCK))).all()


def test_native_classes_are_the_ones_one_would_expect(one_weights):
    names = {framework: {name: run["name"] for name, run in one_weights[framework].items()} for framework in FRAMEWORKS}
    for name, native in names["tensorflow"].items():
        if name in {arm.name for arm in ROWS}:
            continue  # tests/frameworks/test_schedule_table.py
        expected = (
            "float" if name == "constant" else "ExponentialDecay" if "per-step" in name else "LearningRateScheduler"
        )
        assert native == expected
    for name, native in names["torch"].items():
        if name in {arm.name for arm in ROWS}:
            continue
        if name == "constant":
            assert native == "float"
        elif name.startswith("smooth"):
            assert native == "ExponentialLR"
        elif name in ("staircase-1step-per-epoch", "staircase-5steps-per-epoch"):
            assert native == "LambdaLR"  # no whole number of epochs
        else:
            assert native == "StepLR"
