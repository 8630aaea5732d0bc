"""The fast engine of PyTorch against the plain one, and seeds side by side against each alone."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import exponential

from compare.attribute.ladder import loss_difference
from experiment.plan import SGD, Adam, AdamW, Arm, Constant, Controls, CsvData, Momentum, Network, RMSprop, question
from experiment.schedules.examples import EXAMPLES
from experiment.schedules.text import parse

SEEDS = (3, 4, 5)
SMALL = question().replace(
    data=question().data.model_copy(update={"samples": 100}), batch_size=16, epochs=3, seeds=SEEDS,
    arms=(
        Arm(name="constant", schedule=Constant(initial=1e-2), stepping="step"),
        Arm(name="odd", schedule=exponential("5 steps", initial=1e-2, factor=0.5), stepping="epoch"),
    ),
)  # fmt: skip
SHARED = SMALL.controls.model_dump()
EXAMPLE_ARMS = [
    Arm(name=f"{number} {stepping}", schedule=parse(text), stepping=stepping)
    for number, text in enumerate(EXAMPLES.values())
    for stepping in ("step", "epoch")
]
CHANGES = {
    "default-arms": {"arms": question().arms},
    "drop-last": {"drop_last": True},
    "full-batches-only": {"batch_size": 25},
    "one-batch": {"batch_size": 128},
    "linear": {"network": Network(hidden=(), activation="linear", dropout=0.0)},
    "sgd": {"optimizer": SGD()},
    "momentum": {"optimizer": Momentum(momentum=0.9, nesterov=False)},
    "nesterov": {"optimizer": Momentum(momentum=0.9, nesterov=True)},
    "amsgrad": {"optimizer": Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=True)},
    "adamw": {"optimizer": AdamW(beta_1=0.8, beta_2=0.99, epsilon=1e-7, amsgrad=False, weight_decay=0.1)},
    "rmsprop": {"optimizer": RMSprop(rho=0.9, epsilon=1e-7)},
    "examples": {"arms": EXAMPLE_ARMS, "epochs": 6, "batch_size": 50, "network": Network(hidden=(4,), activation="tanh", dropout=0.2)},
    **{
        activation: {"network": Network(hidden=(7, 5, 3), activation=activation, dropout=0.5)}
        for activation in ("elu", "relu", "sigmoid", "silu", "softplus")
    },
    **{f"native-{name}": {"controls": Controls(**SHARED | {name: "native"})} for name in SHARED},
    "native-all": {"controls": Controls(**dict.fromkeys(SHARED, "native"))},
    "native-nothing-dropped": {
        "controls": Controls(**SHARED | {"masks": "native"}),
        "network": Network(hidden=(10, 10), activation="tanh", dropout=0.0),
    },
}  # fmt: skip
PLANS = {name: SMALL.replace(**changes) for name, changes in CHANGES.items()}
PLANS |= {
    f"float64-{name}": PLANS[name].replace(precision="float64")
    for name in ("default-arms", "sgd", "nesterov", "amsgrad", "adamw", "rmsprop", "native-masks")
}
# within rounding: at most 4.1e-7 and 6e-16 were measured
TOGETHER = {"float32": 5e-6, "float64": 1e-13}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fast")
    rows = np.random.default_rng(5).normal(size=(100, 3))
    np.savetxt(folder / "rows.csv", rows, delimiter=",", header="a,target,b", comments="")
    plans = PLANS | {"rows": SMALL.replace(data=CsvData(path="rows.csv", target="target", samples=100))}
    for name, plan in plans.items():
        (folder / f"{name}.json").write_text(plan.to_json())
    program = Path(__file__).parent / "programs" / "fast_torch.py"
    done = subprocess.run([sys.executable, program, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nothing warns
    return {name: dict(np.load(folder / f"{name}.npz")) for name in plans}


def runs(found, name, kind, *ways):
    """That kind of every arm and seed, in each way."""
    for key in found[name]:
        arm, *rest = key.split("|")
        if rest and rest[0] == ways[0] and rest[2] == kind:
            yield arm, *(found[name]["|".join((arm, how, *rest[1:]))] for how in ways)


NAMES = [*PLANS, "rows"]


@pytest.mark.parametrize("name", NAMES)
def test_rates_are_those_of_the_plain_loop_to_the_bit(found, name):
    everything = list(runs(found, name, "lr", "plain", "alone", "together"))
    assert len(everything) == len(PLANS.get(name, SMALL).arms) * len(SEEDS)
    for arm, plain, alone, together in everything:
        np.testing.assert_array_equal(alone, plain, arm)
        np.testing.assert_array_equal(together, plain, arm)


@pytest.mark.parametrize("kind", ["loss", "eval_loss"])
@pytest.mark.parametrize("name", NAMES)
def test_a_seed_alone_gives_the_losses_of_the_plain_loop_to_the_bit(found, name, kind):
    for arm, plain, alone in runs(found, name, kind, "plain", "alone"):
        assert np.isfinite(plain).all()
        np.testing.assert_array_equal(alone, plain, arm)


@pytest.mark.parametrize("kind", ["loss", "eval_loss"])
@pytest.mark.parametrize("name", NAMES)
def test_seeds_side_by_side_give_the_losses_of_each_alone_within_rounding(found, name, kind):
    for arm, alone, together in runs(found, name, kind, "alone", "together"):
        assert loss_difference(alone, together).max() < TOGETHER[PLANS.get(name, SMALL).precision], arm


@pytest.mark.parametrize("name", NAMES)
def test_a_second_run_gives_the_same_bits(found, name):
    for kind in ("lr", "loss", "eval_loss"):
        for arm, together, again in runs(found, name, kind, "together", "again"):
            np.testing.assert_array_equal(again, together, arm)


@pytest.mark.parametrize("name", NAMES)
def test_progress_tells_of_every_epoch_of_every_seed(found, name):
    plan = PLANS.get(name, SMALL)
    assert found[name]["told"] == 3 * len(plan.arms) * len(SEEDS) * plan.epochs


def test_seeds_differ(found):
    """Seeds side by side are not one seed several times."""
    losses = [together for _, together in runs(found, "default-arms", "loss", "together")][: len(SEEDS)]
    assert all(np.abs(a - b).max() > 1e-2 for a, b in itertools.pairwise(losses))


def test_dropout_of_pytorchs_own_draws_is_that_of_each_seed(found):
    """It cannot be mapped over seeds: they come one after the other, with the bits of the plain loop."""
    for arm, plain, together in runs(found, "native-masks", "loss", "plain", "together"):
        np.testing.assert_array_equal(together, plain, arm)
