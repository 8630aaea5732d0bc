"""What the issue says of the default plan, on what `samestep run` wrote."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from helpers import run_plan

from samestep._compare.align.rows import ALIGNED_COLUMNS
from samestep.experiment.plan import Plan, question
from samestep.experiment.trace import EPOCH_COLUMNS, TRACE_COLUMNS, Trace, read_csv

FRAMEWORKS = ("tensorflow", "torch")
ARMS = [arm.name for arm in question().arms]
FILES = [
    "aligned.csv",
    "epochs.csv",
    "figures",
    "manifest.json",
    "plan.json",
    "report.html",
    "report.md",
    "summary.csv",
    "summary.json",
    "trace.csv",
]


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize(("framework", "bound"), [("tensorflow", 2e-6), ("torch", 1e-12)])
def test_rates_lie_at_the_closed_form(question_output, framework, bound, arm):
    planned = next(each for each in question().arms if each.name == arm)
    lr = question_output.run(framework, arm)["lr"].to_numpy()
    closed_form = planned.rate(np.arange(1600), question().clock)
    assert (np.abs(lr / closed_form - 1) <= bound).all()


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    ("arm", "steps"),
    [("constant", []), ("staircase-steps", list(range(25, 1600, 25))), ("staircase-epochs", [800])],
)
def test_rate_changes_there_and_nowhere_else(question_output, framework, arm, steps):
    lr = question_output.run(framework, arm)["lr"].to_numpy()
    assert (np.flatnonzero(np.diff(lr)) + 1).tolist() == steps
    run = next(each for each in question_output.summary["arms"] if each["arm"] == arm)["frameworks"][framework]
    assert run["changes"] == len(steps)
    assert run["steps"] == 1600


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize(("output", "bound"), [("question_output", 2e-5), ("sgd_output", 2e-6)], ids=["adam", "sgd"])
def test_losses_of_both_frameworks_lie_on_top_of_one_another(request, output, bound, arm):
    made = request.getfixturevalue(output)
    a, b = (made.run(framework, arm)["loss"].to_numpy() for framework in FRAMEWORKS)
    assert len(a) == 1600
    assert (np.abs(a - b) / np.minimum(a, b)).max() < bound


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("arm", "last_equal"), [("staircase-steps", 25), ("staircase-epochs", 800)])
def test_losses_are_those_of_constant_until_the_rate_has_changed(question_output, framework, arm, last_equal):
    constant = question_output.run(framework, "constant")["loss"].to_numpy()
    other = question_output.run(framework, arm)["loss"].to_numpy()
    same = constant.view(np.int64) == other.view(np.int64)
    assert same[: last_equal + 1].all()
    assert not same[last_equal + 1]
    # "differ from step 26 on": from there to the end no batch loss is the same again
    assert not same[last_equal + 1 :].any()


def test_two_runs_write_the_same_bytes(question_output, tmp_path):
    again = run_plan(question(), tmp_path)
    tables = sorted(path.name for path in question_output.folder.glob("*.csv"))
    assert tables == ["aligned.csv", "epochs.csv", "summary.csv", "trace.csv"]
    for name in tables + [name for name in FILES if name.endswith((".json", ".md", ".html"))]:
        assert (again.folder / name).read_bytes() == (question_output.folder / name).read_bytes(), name


def test_folder_holds_what_was_promised(question_output):
    assert sorted(path.name for path in question_output.folder.iterdir()) == FILES
    figures = {path.name for path in (question_output.folder / "figures").iterdir()}
    names = ("rates", "losses", "loss-differences", "question")
    assert figures == {f"{name}.{ending}" for name in names for ending in ("svg", "png")}
    assert f"Report: {question_output.folder / 'report.html'}" in question_output.said


def test_plan_read_back_is_the_plan(question_output):
    assert Plan.load(question_output.folder / "plan.json") == question()


def test_trace_has_a_row_for_every_update(question_output):
    trace = question_output.trace
    assert list(trace.columns) == list(TRACE_COLUMNS)
    assert len(trace) == 2 * 5 * 1600
    assert not trace.duplicated(["framework", "arm", "seed", "step"]).any()
    assert (trace["epoch"] == trace["step"] // 32).all()
    assert (trace["batch"] == trace["step"] % 32).all()


def test_epochs_hold_the_mean_over_samples(question_output):
    epochs, trace = question_output.epochs, question_output.trace
    assert list(epochs.columns) == list(EPOCH_COLUMNS)
    assert len(epochs) == 2 * 5 * 50
    sizes = np.where(trace["batch"] == 31, 8, 32)
    weighted = (trace["loss"] * sizes).groupby([trace["framework"], trace["arm"], trace["epoch"]]).sum() / 1000
    found = epochs.set_index(["framework", "arm", "epoch"])["train_loss"]
    pd.testing.assert_series_equal(found.sort_index(), weighted.sort_index(), check_names=False, rtol=1e-14)


def test_aligned_table_is_what_the_trace_says(question_output):
    aligned = pd.read_csv(question_output.folder / "aligned.csv")
    assert list(aligned.columns) == ALIGNED_COLUMNS
    assert len(aligned) == 5 * 1600
    for framework in FRAMEWORKS:
        for arm in ARMS:
            rows = aligned[aligned["arm"] == arm]
            run = question_output.run(framework, arm)
            np.testing.assert_array_equal(rows[f"lr_{framework}"], run["lr"])
            np.testing.assert_array_equal(rows[f"loss_{framework}"], run["loss"])


def test_summary_says_same_with_its_tolerance(question_output):
    summary = question_output.summary
    assert (summary["verdict"], summary["loss_verdict"]) == ("same", "same")
    arm = next(each for each in summary["arms"] if each["arm"] == "staircase-steps")
    assert arm["lr"]["verdict"] == "same"
    assert arm["lr"]["tolerance_ulp32"] == 8
    assert arm["lr"]["drift_per_decay"] == pytest.approx(1.25e-8, rel=5e-3)
    assert 0 < arm["lr"]["max_relative"] < 1e-6
    assert arm["loss"]["tolerance"] == 2e-5
    for framework in FRAMEWORKS:
        run = arm["frameworks"][framework]
        assert run["first_change"] == {"step": 25, "epoch": 0, "batch": 25}
        assert run["final_lr"] == pytest.approx(1e-3 * 0.95**63, rel=1e-6)
        assert run["lr_parts"]["step"] == 25
        assert run["loss_parts"]["step"] == 26


def test_summary_table_says_what_the_json_says(question_output):
    table = pd.read_csv(question_output.folder / "summary.csv")
    assert len(table) == 2 * 5
    for arm in question_output.summary["arms"]:
        for framework, run in arm["frameworks"].items():
            row = table[(table["arm"] == arm["arm"]) & (table["framework"] == framework)].iloc[0]
            assert row["changes"] == run["changes"]
            assert row["final_lr"] == run["final_lr"]
            assert row["lr_max_ulp32"] == arm["lr"]["max_ulp32"]
            assert row["loss_max_relative"] == arm["loss"]["max_relative"]


def test_manifest_says_how_it_came_about(question_output):
    manifest = json.loads((question_output.folder / "manifest.json").read_text())
    assert manifest["schema"] == 1
    assert manifest["conventions"]["lr_timing"] == "used"
    assert {"samestep", "python", "numpy", "keras", "tensorflow", "torch"} <= set(manifest["versions"])
    assert manifest["frameworks"]["torch"]["arms"]["staircase-steps"]["native"] == "StepLR"
    assert manifest["frameworks"]["tensorflow"]["arms"]["staircase-epochs"]["native"] == "LearningRateScheduler"


def test_diverging_training_is_reported_with_its_step(diverging_output):
    assert sorted(path.name for path in diverging_output.folder.iterdir()) == FILES
    summary = diverging_output.summary
    steady, diverging = summary["arms"]
    trace = diverging_output.trace
    for framework in FRAMEWORKS:
        assert steady["frameworks"][framework]["diverged"] is None
        losses = diverging_output.run(framework, "diverges")["loss"]
        first = int(np.flatnonzero(~np.isfinite(losses))[0])
        assert diverging["frameworks"][framework]["diverged"]["step"] == first
    assert trace["loss"].isna().any()
    for text in (
        diverging_output.said,
        (diverging_output.folder / "report.md").read_text(),
        (diverging_output.folder / "report.html").read_text(),
    ):
        assert "diverged" in text
        assert f"step {first}" in text


def test_worker_writes_csv_by_itself(tmp_path, small):
    (tmp_path / "plan.json").write_text(small.to_json())
    done = subprocess.run(
        [sys.executable, "-m", "torch_impl", "plan.json", "mine.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "6/6 stairs"
    trace = Trace.load(tmp_path / "mine.csv")
    assert len(trace.steps["lr"]) == 2 * small.steps
    assert read_csv(tmp_path / "mine.epochs.csv", EPOCH_COLUMNS)["eval_loss"].shape == (6,)
    assert trace.manifest["framework"] == "torch"
