"""When losses are the same: one rule, whoever asks."""

from pathlib import Path

import numpy as np
import pytest

from samestep._compare.align.losses import DOUBT, ROUNDING, TOLERANCE, agreement, loss_difference, tolerance
from samestep._compare.comparison.compare import compare
from samestep._compare.training.result import Training
from samestep.experiment.plan import FRAMEWORKS, SGD, Momentum, question
from samestep.experiment.trace import Trace

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "run"
SGD_PLAN = question().replace(optimizer=SGD())


def trained(plan, change=lambda losses: losses):
    """The recorded traces of the default run as those of another plan; with PyTorch's losses changed."""
    traces = {framework: Trace.load(GOLDEN / f"trace-{framework}.npz") for framework in FRAMEWORKS}
    steps = traces["torch"].steps
    torch = Trace({**steps, "loss": change(steps["loss"])}, traces["torch"].epochs, traces["torch"].manifest)
    return Training(plan, traces | {"torch": torch})


@pytest.mark.parametrize(
    ("plan", "change", "verdict"),
    [
        (question(), lambda losses: losses, "same"),
        (question(), lambda losses: losses * (1 + 1e-4), "inconclusive"),
        (question(), lambda losses: losses * 1.1, "differs"),
        (question(), lambda losses: np.where(np.arange(len(losses)) % 1600 > 1500, np.nan, losses), "inconclusive"),
        (SGD_PLAN, lambda losses: losses, "inconclusive"),  # 1e-5 apart: rounding for Adam, not for SGD
        (question().replace(optimizer=Momentum(momentum=0.9, nesterov=False)), lambda losses: losses, "differs"),
    ],
    ids=["adam", "adam-in-doubt", "adam-far", "diverged", "sgd", "momentum"],
)
def test_run_and_compare_say_the_same_of_the_same_traces(tmp_path, plan, change, verdict):
    run = trained(plan, change)
    run.write_tables(tmp_path)
    compared = compare(str(tmp_path), str(tmp_path), of_a={"framework": "tensorflow"}, of_b={"framework": "torch"})
    said = {pair.name: (pair.losses.verdict, pair.losses.tolerance) for pair in compared.pairs}
    assert said == {arm.arm: (arm.loss.verdict, arm.loss.tolerance) for arm in run.summary.arms}
    assert run.loss_verdict == verdict
    first = next(pair for pair in compared.to_json()["pairs"] if pair["name"] == "staircase-steps")
    assert first["losses"]["verdict"] == verdict
    assert first["losses"]["agree"] == (first["losses"]["first_difference"] is None)


def test_the_tolerance_is_that_of_the_optimizer_where_the_plans_are_known():
    assert tolerance([question(), question()]) == tolerance([SGD_PLAN, question()]) == TOLERANCE
    assert tolerance([None, None]) == tolerance([SGD_PLAN, None]) == TOLERANCE
    assert tolerance([SGD_PLAN, SGD_PLAN]) == ROUNDING["float32"]


@pytest.mark.parametrize(
    ("apart", "verdict"),
    [(0.9, "same"), (1.1, "inconclusive"), (0.9 * DOUBT, "inconclusive"), (1.1 * DOUBT, "differs")],
)
def test_beyond_the_tolerance_there_is_doubt_before_there_is_a_difference(apart, verdict):
    a = np.array([1.0, 1.0, np.nan])
    found = agreement(a, np.array([1.0, 1 - apart * TOLERANCE, 1.0]), [None, None])
    assert (found.verdict, found.compared) == (verdict, 2)
    assert (found.first, found.note is None) == ((None, True) if verdict == "same" else (1, verdict == "differs"))


def test_a_loss_near_0_is_held_against_the_largest():
    a, b = np.array([1.0, 1e-9, 0.5]), np.array([1.0, 2e-9, 0.5])
    assert loss_difference(a, b).tolist() == [0.0, pytest.approx(1e-9 * 1024), 0.0]
    assert loss_difference(a[:0], b[:0]).tolist() == []
