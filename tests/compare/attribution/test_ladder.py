"""`samestep attribute`: the ladder, in real trainings of both frameworks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from helpers import PATIENCE, default_signals, samestep

from samestep._compare.attribution.experiment import experiment
from samestep.experiment.plan import SGD, Arm, Constant, Momentum, Plan, QuestionData, question
from samestep.experiment.validation import PlanError


@pytest.fixture(scope="module")
def short() -> Plan:
    """The default plan with three arms, in float64: 2 epochs of 4 steps, the last batch short."""
    plan = question()
    return plan.replace(
        name="short",
        data=QuestionData(samples=100, noise=0.05, seed=0),
        epochs=2,
        precision="float64",
        seeds=(0, 1),
        arms=plan.arms[:3],
    )


def attributed(plan, folder, *arguments, **others):
    """`attribution.json` of a plan."""
    (folder / "plan.json").write_text(plan.to_json())
    done = samestep("attribute", "--plan", "plan.json", "--out", "out", *arguments, cwd=folder, **others)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "out" / "attribution.json").read_text()), done


@pytest.fixture(scope="module")
def adam(short, tmp_path_factory):
    return attributed(short, tmp_path_factory.mktemp("adam"))


def names(told):
    return [rung["name"] for rung in told["rungs"]]


def test_ladder_climbs_from_native_to_rounding(adam):
    told, _ = adam
    assert told["arm"] == "staircase-steps"  # the first whose rate changes
    assert told["seed"] == 0
    assert names(told)[:5] == ["native", "data", "weights", "order", "masks"]
    assert set(names(told)[5:]) == {
        "default epsilon",
        "epsilon placement",
        "beta powers in float32",
        "rates in float32",
    }
    assert told["rungs"][0]["max_relative"] > 0.1
    assert told["residual"]["verdict"] == "rounding"
    assert told["residual"]["max_relative"] <= told["bound"] == 1e-12
    assert told["rungs"][-1]["max_relative"] == told["residual"]["max_relative"]
    assert told["until"] == told["updates"] == 8


def test_numerical_rungs_come_in_the_order_of_their_effect(adam):
    alone = [rung["alone"]["max_relative"] for rung in adam[0]["rungs"] if rung["kind"] == "numerical"]
    assert alone == sorted(alone, reverse=True)
    assert min(alone) > 1e-12


def test_shares_add_up_to_all_but_the_residual(adam):
    rungs = adam[0]["rungs"]
    left = rungs[-1]["max_relative"] / rungs[0]["max_relative"]
    assert sum(rung["explains"] for rung in rungs) == pytest.approx(1 - left)
    for before, rung in pairwise(rungs):
        assert rung["removes"] == pytest.approx(1 - rung["max_relative"] / before["max_relative"])


def test_terminal_shows_each_rung_and_the_code(adam):
    told, done = adam
    for name in names(told)[1:]:
        assert f"\n{name} " in done.stdout
    assert "Nothing is left but rounding" in done.stdout
    assert "def as_keras(optimizer, keras_rates):" in done.stdout
    assert "PyTorch: training" in done.stderr


def test_what_was_kept_goes_when_the_ladder_is_done(adam, tmp_path_factory):
    folder = next(tmp_path_factory.getbasetemp().glob("adam*"))
    assert sorted(path.name for path in folder.iterdir()) == ["out", "plan.json"]


def test_keras_can_be_mended_instead(short, tmp_path):
    plan = short.replace(optimizer=Momentum(momentum=0.9, nesterov=True))
    told, _ = attributed(plan, tmp_path, "--mend", "keras", "--seed", "1")
    assert told["mended"] == "tensorflow"
    assert told["residual"]["verdict"] == "rounding"
    assert told["seed"] == 1


def test_what_no_control_covers_stays_unexplained(short, tmp_path):
    other = short.replace(network=short.network.model_copy(update={"activation": "sigmoid"}))
    (tmp_path / "other.json").write_text(other.to_json())
    told, done = attributed(short, tmp_path, "--against", "other.json")
    assert told["residual"]["verdict"] == "unexplained"
    assert told["residual"]["max_relative"] > 1e-3
    assert "network.activation" in told["residual"]["sentence"]
    assert "unexplained" not in done.stderr
    assert told["residual"]["sentence"].split()[0] in done.stdout


SUMMED = """
import sys
if "torch_impl.variants" in sys.orig_argv:
    import functools, torch
    {change}
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        # trained on the sum of each batch: another training
        ("torch.nn.MSELoss = functools.partial(torch.nn.MSELoss, reduction='sum')", "look for another activation"),
        # trained on the mean as Keras is, and the sum noted
        (
            "torch.Tensor.item = lambda loss, item=torch.Tensor.item: item(loss) * 32",
            "PyTorch's losses are sums over the rows of a batch, where Keras' are means",
        ),
    ],
    ids=["trained", "noted"],
)
def test_another_averaging_of_the_loss_stays_unexplained(short, tmp_path, change, said):
    (tmp_path / "sitecustomize.py").write_text(SUMMED.format(change=change))
    plan = short.replace(optimizer=SGD(), data=QuestionData(samples=96, noise=0.05, seed=0))
    told, _ = attributed(plan, tmp_path, PYTHONPATH=str(tmp_path))
    assert told["residual"]["verdict"] == "unexplained"
    assert told["residual"]["max_relative"] > 0.5
    assert said in told["residual"]["sentence"]


def test_ladder_says_from_which_step_on_it_cannot_speak(short, tmp_path):
    arms = (Arm(name="diverges", schedule=Constant(initial=1e3), stepping="step"),)
    plan = short.replace(optimizer=SGD(), arms=arms, epochs=20, network=short.network.model_copy(update={"hidden": ()}))
    told, done = attributed(plan, tmp_path)
    assert 0 < told["until"] < told["updates"]
    assert f"The ladder ends at step {told['until']}" in done.stdout


def test_interrupted_ladder_goes_on_where_it_was(short, tmp_path):
    (tmp_path / "plan.json").write_text(short.to_json())
    command = [
        sys.executable,
        "-P",
        "-m",
        "samestep",
        "attribute",
        "--plan",
        "plan.json",
        "--out",
        "out",
    ]
    kept = tmp_path / ".out.trainings"
    with default_signals():
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with process:
        end = time.monotonic() + PATIENCE
        while len(list(kept.glob("tensorflow-*.npz"))) < 2:
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == 130
        assert said.splitlines()[-1] == "Interrupted; what was trained is kept in .out.trainings: ask again to go on."
    assert not (tmp_path / "out").exists()
    before = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.npz")}
    assert len(before) >= 2
    again = samestep("attribute", "--plan", "plan.json", "--out", "out", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    trained = [line for line in again.stderr.splitlines() if line.startswith("Keras: training 1 of ")]
    left = int(trained[0].split(" of ")[1].split(",")[0]) if trained else 0
    assert left == 8 - sum(name.startswith("tensorflow") for name in before)


def test_one_framework_missing_is_said_before_anything_is_done(short, tmp_path):
    (tmp_path / "plan.json").write_text(short.to_json())
    blocker = tmp_path / "blocker"
    blocker.mkdir()
    (blocker / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'torch' else find(name, package)\n"
    )
    done = samestep("attribute", "--plan", "plan.json", cwd=tmp_path, PYTHONPATH=str(blocker))
    assert done.returncode == 2
    assert done.stderr.strip() == "torch is not installed. Run: pip install 'samestep[torch]'"
    assert not (tmp_path / "out").exists()


def asked(tmp_path: Path, **options):
    (tmp_path / "plan.json").write_text(options.pop("plan", question()).to_json())
    against = options.pop("against", None)
    if against is not None:
        (tmp_path / "other.json").write_text(against.to_json())
    return experiment(tmp_path / "plan.json", against and tmp_path / "other.json", **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"arm": "stairs"}, "--arm: 'stairs' is not one of constant, staircase-steps, staircase-epochs, smooth-steps"),
        ({"seed": 7}, "--seed: 7 is not one of 0. Write one of them."),
        ({"precision": "float16"}, "--precision: 'float16' is not float32 or float64. Write one of them."),
        ({"mend": "jax"}, "--mend: 'jax' is not torch or keras. Write one of them."),
        ({"against": question().replace(epochs=7)}, "--against: 224 updates of 32 rows, where the other plan has 1600"),
        ({"against": question().replace(precision="float64")}, "--against: float64, where the other plan has float32."),
    ],
)
def test_wrong_input_gets_one_line(tmp_path, options, said):
    with pytest.raises(PlanError) as error:
        asked(tmp_path, **options)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_differences_are_only_looked_for_where_there_can_be_one(tmp_path):
    plan = question().replace(network=question().network.model_copy(update={"dropout": 0.0}), optimizer=SGD())
    found = asked(tmp_path, plan=plan)
    assert found.controls() == ["data", "weights", "order"]
    assert found.numerical() == ["rates in float32"]
    assert asked(tmp_path, arm="constant").plan.arms[0].name == "constant"
