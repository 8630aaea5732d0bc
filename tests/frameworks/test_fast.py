"""The fast engines against the plain training, and seeds side by side against each alone, in both frameworks."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import exponential

from samestep._compare.align.losses import loss_difference
from samestep.experiment.plan import (
    FRAMEWORKS,
    SGD,
    Adam,
    AdamW,
    Arm,
    Controls,
    CsvData,
    Momentum,
    Network,
    RMSprop,
    question,
)
from samestep.experiment.programs import engines
from samestep.experiment.schedules import EXAMPLES
from samestep.experiment.schedules.text import parse

SEEDS = (3, 4)
SMALL = question().replace(
    data=question().data.model_copy(update={"samples": 100}), batch_size=16, epochs=3, seeds=SEEDS,
    arms=(Arm(name="odd", schedule=exponential("5 steps", initial=1e-2, factor=0.5), stepping="epoch"),),
)  # fmt: skip
SHARED = SMALL.controls.model_dump()
EXAMPLE_ARMS = [  # in turn: what a schedule gives and how often it is asked have nothing to do with one another
    Arm(name=f"{number} {stepping}", schedule=parse(text), stepping=stepping)
    for (number, text), stepping in zip(enumerate(EXAMPLES.values()), itertools.cycle(("step", "epoch")))
]
LINE = Network(hidden=(), activation="linear", dropout=0.0)
CHANGES = {
    "default-arms": {"arms": question().arms},
    # 9 / 10 and 9 / 7 in float32 are not 9 times the rounded reciprocal, with which compiled code multiplies
    "divided": {
        "arms": [
            Arm(name="line", schedule=parse("linear:initial=0.1,end=0,over=10 steps"), stepping="step"),
            Arm(name="decay", schedule=exponential("7 steps", staircase=False, initial=0.1, factor=0.5), stepping="step"),
        ]
    },
    "drop-last": {"drop_last": True},
    "full-batches-only": {"batch_size": 25},
    "one-batch": {"batch_size": 128},
    "linear": {"network": LINE},
    "looked-at-in-parts": {"network": Network(hidden=(650,), activation="tanh", dropout=0.2)},
    "sgd": {"optimizer": SGD()},
    "momentum": {"optimizer": Momentum(momentum=0.9, nesterov=False)},
    "nesterov": {"optimizer": Momentum(momentum=0.9, nesterov=True)},
    "amsgrad": {"optimizer": Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=True)},
    "adamw": {"optimizer": AdamW(beta_1=0.8, beta_2=0.99, epsilon=1e-7, amsgrad=False, weight_decay=0.1)},
    "rmsprop": {"optimizer": RMSprop(rho=0.9, epsilon=1e-7)},
    "examples": {"arms": EXAMPLE_ARMS, "epochs": 6, "batch_size": 50, "seeds": SEEDS[:1], "optimizer": SGD(), "network": LINE},
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
ROWS = SMALL.replace(data=CsvData(path="rows.csv", target="target", samples=100))
NAMES = [*PLANS, "rows"]
# within rounding: at most 7.6e-7 and 1.4e-15 were measured
ROUNDING = {"float32": 5e-6, "float64": 1e-13}


@pytest.fixture(scope="module", params=FRAMEWORKS)
def framework(request):
    return request.param


@pytest.fixture(scope="module")
def found(framework, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fast")
    rows = np.random.default_rng(5).normal(size=(100, 3))
    np.savetxt(folder / "rows.csv", rows, delimiter=",", header="a,target,b", comments="")
    plans = PLANS | {"rows": ROWS}
    for name, plan in plans.items():
        (folder / f"{name}.json").write_text(plan.to_json())
    program = Path(__file__).parents[1] / "programs" / "fast.py"
    done = subprocess.run([sys.executable, program, framework, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Keras makes a function for each model, and TensorFlow says of that that it is slow
    warned = [line for line in done.stderr.splitlines() if "warn" in line.lower()]
    assert [line for line in warned if "absl::InitializeLog" not in line and "TensorFlowTrainer" not in line] == []
    return {name: dict(np.load(folder / f"{name}.npz")) for name in plans}


def runs(found, name, kind, *ways):
    """That kind of every arm and seed, in each way."""
    for key in found[name]:
        arm, *rest = key.split("|")
        if rest and rest[0] == ways[0] and rest[2] == kind:
            yield arm, *(found[name]["|".join((arm, way, *rest[1:]))] for way in ways)


def plan_of(name):
    return PLANS.get(name, ROWS)


@pytest.mark.parametrize("name", NAMES)
def test_rates_are_those_of_the_plain_training_to_the_bit(found, name):
    everything = list(runs(found, name, "lr", "plain", "alone", "graph", "xla"))
    assert len(everything) == len(plan_of(name).arms)
    for arm, plain, *fast in everything:
        for each in fast:
            np.testing.assert_array_equal(each, plain, arm)
    for arm, alone, *together in runs(found, name, "lr", "alone", "graph", "xla"):
        for each in together:
            np.testing.assert_array_equal(each, alone, arm)


@pytest.mark.parametrize("kind", ["loss", "eval_loss"])
@pytest.mark.parametrize("name", NAMES)
def test_losses_are_those_of_the_plain_training_within_rounding(framework, found, name, kind):
    """PyTorch's one seed alone to the bit; and every seed where its own dropout draws, which cannot be mapped over seeds."""
    exact = {"alone", *(("graph", "xla") if name == "native-masks" else ())} if framework == "torch" else set()
    for way in ("alone", "graph", "xla"):
        bound = 0.0 if way in exact else ROUNDING[plan_of(name).precision]
        for arm, plain, fast in runs(found, name, kind, "plain", way):
            assert np.isfinite(plain).all()
            assert loss_difference(plain, fast).max() <= bound, (arm, way)


@pytest.mark.parametrize("kind", ["loss", "eval_loss"])
@pytest.mark.parametrize("name", NAMES)
def test_seeds_side_by_side_give_the_losses_of_each_alone_within_rounding(found, name, kind):
    together = list(runs(found, name, kind, "alone", "graph", "xla"))
    assert len(together) == len(plan_of(name).arms) * len(plan_of(name).seeds)
    for arm, alone, *fast in together:
        for each in fast:
            assert loss_difference(alone, each).max() < ROUNDING[plan_of(name).precision], arm


@pytest.mark.parametrize("name", NAMES)
def test_a_second_run_gives_the_same_bits(found, name):
    for kind in ("lr", "loss", "eval_loss"):
        for arm, again, once in runs(found, name, kind, "again", "graph"):
            np.testing.assert_array_equal(again, once, arm)


@pytest.mark.parametrize("name", NAMES)
def test_progress_tells_of_every_epoch_of_every_seed(found, name):
    plan = plan_of(name)
    assert found[name]["told"] == (3 * len(plan.arms) + 1) * len(plan.seeds) * plan.epochs


def test_seeds_differ(found):
    """Seeds side by side are not one seed several times."""
    losses = [graph for _, graph in runs(found, "default-arms", "loss", "graph")][: len(SEEDS)]
    assert all(np.abs(a - b).max() > 1e-2 for a, b in itertools.pairwise(losses))


@pytest.mark.parametrize(("free", "sizes"), [(2000, [10]), (600, [2, 2, 3, 3]), (200, [1] * 10), (0, [1] * 10)])
def test_more_seeds_than_memory_has_room_for_come_in_parts(free, sizes):
    """Ten seeds of 100 bytes, in half of what is free: as few parts as fit, of nearly one size, and one at a time at least."""
    parts = list(engines.chunks(range(10), 100, free))
    assert sorted(map(len, parts)) == sizes
    assert [seed for part in parts for seed in part] == list(range(10))


@pytest.mark.parametrize("package", ["tf_impl", "torch_impl"])
def test_what_a_seed_takes_is_told_before_any_is_trained(package):
    """A network a hundred times as wide takes more."""
    narrow, wide = (
        SMALL.replace(network=Network(hidden=(width, width), activation="tanh", dropout=0.2)) for width in (10, 1000)
    )
    program = (
        f"from samestep.experiment.plan import Plan; from {package} import fast; import sys; "
        "print(*(fast.bytes_per_seed(Plan.from_json(text)) for text in sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, narrow.to_json(), wide.to_json()], capture_output=True, text=True, check=True
    )
    less, more = map(int, done.stdout.split())
    assert 10_000 < less < 10_000_000
    assert more > 1_000_000 * 4  # a million weights, more than once
