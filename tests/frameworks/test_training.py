"""Other plans than the default one: every optimizer, control, precision and shape, in both frameworks."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import exponential

from samestep.experiment.plan import Adam, AdamW, Arm, Constant, Controls, CsvData, Momentum, Network, question
from samestep.experiment.trace import Trace

FRAMEWORKS = ("tensorflow", "torch")
VARIED = question().replace(
    name="varied",
    data=question().data.model_copy(update={"samples": 100}),
    batch_size=16,
    epochs=5,
    arms=(
        Arm(name="constant", schedule=Constant(initial=1e-3), stepping="step"),
        Arm(name="odd", schedule=exponential("5 steps", factor=0.5), stepping="epoch"),
    ),
)
SHARED = VARIED.controls.model_dump()
ALIKE = {
    "as-it-is": {},
    "drop-last": {"drop_last": True},
    "float64": {"precision": "float64"},
    "linear": {"network": Network(hidden=(), activation="linear", dropout=0.0)},
    "deep": {"network": Network(hidden=(7, 5, 3), activation="silu", dropout=0.5)},
    "adamw": {"optimizer": AdamW(beta_1=0.8, beta_2=0.99, epsilon=1e-7, amsgrad=False, weight_decay=0.1)},
    "amsgrad": {"optimizer": Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=True)},
    "momentum": {"optimizer": Momentum(momentum=0.9, nesterov=False)},
    "nesterov": {"optimizer": Momentum(momentum=0.9, nesterov=True)},
    "two-seeds": {"seeds": (3, 4)},
    **{
        activation: {"network": Network(hidden=(6,), activation=activation, dropout=0.1)}
        for activation in ("elu", "relu", "sigmoid", "softplus")
    },
}
NATIVE = {f"native-{name}": {"controls": Controls(**SHARED | {name: "native"})} for name in SHARED}
NATIVE["native-all"] = {"controls": Controls(**dict.fromkeys(SHARED, "native"))}
PLANS = {name: VARIED.replace(**changes) for name, changes in (ALIKE | NATIVE).items()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> dict[tuple[str, str], Trace]:
    """The trace of every plan in each framework; `again-…` is the native one trained a second time."""
    folder = tmp_path_factory.mktemp("plans")
    rows = np.random.default_rng(5).normal(size=(100, 3))
    pd.DataFrame(rows, columns=["a", "target", "b"]).to_csv(folder / "rows.csv", index=False)
    mine = VARIED.replace(data=CsvData(path="rows.csv", target="target"))
    plans = PLANS | {f"again-{name}": PLANS[name] for name in NATIVE} | {"rows": mine}
    for name, plan in plans.items():
        (folder / f"{name}.json").write_text(plan.to_json())
    program = Path(__file__).parents[1] / "programs" / "train_plans.py"
    running = [
        subprocess.Popen(
            [sys.executable, program, framework, folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for framework in FRAMEWORKS
    ]
    for process in running:
        _, said = process.communicate()
        assert process.returncode == 0, said
    return {
        (framework, name): Trace.load(folder / f"{name}.{framework}.npz")
        for framework, name in itertools.product(FRAMEWORKS, plans)
    }


def relative_gap(trained, name, steps):
    keras, torch = (trained[framework, name].steps for framework in FRAMEWORKS)
    near = keras["step"] < steps
    return (np.abs(keras["loss"] - torch["loss"]) / torch["loss"])[near].max()


@pytest.mark.parametrize("name", ALIKE)
def test_both_frameworks_train_alike(trained, name):
    plan = PLANS[name]
    # with momentum only until the rate changes: from there on the two frameworks mean different things by it
    steps = plan.clock.steps_per_epoch if isinstance(plan.optimizer, Momentum) else plan.steps
    assert len(trained["torch", name].steps["loss"]) == len(plan.seeds) * len(plan.arms) * plan.steps
    # Adam's gap is 8.4e-6 on the default plan; here, in its first updates on fewer rows, up to 2.04e-5 was measured
    assert relative_gap(trained, name, steps) < (2e-6 if isinstance(plan.optimizer, Momentum) else 4e-5)


@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_momentum_parts_the_frameworks_when_the_rate_changes(trained, name):
    assert relative_gap(trained, name, PLANS[name].steps) > 1e-4


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize(("framework", "bound"), [("tensorflow", 2e-6), ("torch", 1e-12)])
def test_rates_match_closed_form(trained, framework, bound, name):
    plan = PLANS[name]
    steps = np.arange(plan.steps)
    closed_form = np.concatenate([arm.rate(steps, plan.clock) for _ in plan.seeds for arm in plan.arms])
    np.testing.assert_allclose(trained[framework, name].steps["lr"], closed_form, rtol=bound, atol=0)


def test_drop_last_leaves_the_short_batch_out(trained):
    assert VARIED.clock.steps_per_epoch == 7
    assert trained["tensorflow", "drop-last"].steps["batch"].max() == 5
    assert trained["torch", "drop-last"].steps["batch"].max() == 5


def test_seeds_differ(trained):
    steps = trained["tensorflow", "two-seeds"].steps
    first, second = (steps["loss"][steps["seed"] == seed] for seed in (3, 4))
    assert (np.abs(first - second) > 1e-3).any()


@pytest.mark.parametrize("name", NATIVE)
def test_native_control_leaves_the_frameworks_apart(trained, name):
    assert all(np.isfinite(trained[framework, name].steps["loss"]).all() for framework in FRAMEWORKS)
    assert relative_gap(trained, name, VARIED.steps) > 1e-3


@pytest.mark.parametrize("name", NATIVE)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_native_control_gives_the_same_again_from_the_same_seed(trained, framework, name):
    again, before = (trained[framework, each].steps["loss"] for each in (f"again-{name}", name))
    np.testing.assert_array_equal(again, before)


def test_native_data_are_the_question_s_own(trained):
    # y = x² with noise on [0, 2): predicting nothing leaves E[x⁴] = 16 / 5, the best constant Var[x²] = 64 / 45
    for framework in FRAMEWORKS:
        epochs = trained[framework, "native-data"].epochs
        assert 0.3 < epochs["eval_loss"][0] < 6


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_native_order_has_nothing_to_do_with_native_data(trained, framework):
    # drawn from one seed, the first epoch would come sorted by x, and its losses would climb
    losses = trained[framework, "native-all"].steps["loss"][:6]
    assert abs(np.corrcoef(np.arange(6), losses)[0, 1]) < 0.9


def test_rows_of_the_users_own(trained):
    assert trained["torch", "rows"].manifest["plan"]["data"]["samples"] == 100
    assert relative_gap(trained, "rows", VARIED.steps) < 4e-5


def test_period_that_is_no_whole_number_of_epochs_is_noted_in_the_manifest(trained):
    arms = trained["torch", "as-it-is"].manifest["arms"]
    assert arms["odd"]["native"] == "LambdaLR"
    assert "5/7 of one" in arms["odd"]["note"]
    assert arms["constant"]["note"] is None


def test_train_loss_is_what_keras_history_shows():
    program = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import json, sys, keras
from samestep.experiment.plan import Plan
from samestep.experiment.trace import epoch_rows, run_rows
from tf_impl import model, training
plan = Plan.from_json(sys.stdin.read())
fit, kept = keras.Model.fit, []
keras.Model.fit = lambda *args, **kwargs: kept.append(fit(*args, **kwargs)) or kept[-1]
training.prepare(plan)
trained = training.train(plan, plan.arms[1], 0, lambda epoch: None)
rows = epoch_rows(run_rows("tensorflow", "odd", 0, plan.clock, trained.lr, trained.loss), plan.clock, trained.eval_loss)
print(json.dumps([kept[0].history["loss"], rows["train_loss"].tolist()]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], input=VARIED.to_json(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    history, ours = json.loads(done.stdout)
    np.testing.assert_allclose(ours, history, rtol=1e-6)
