"""Code as people paste it: what samestep reads without a framework is what the framework does with it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import SCHEDULES, signatures
from samestep.experiment.schedules.code import TAKES
from samestep.experiment.schedules.dialects.transformers import BY_NAME, TRANSFORMERS
from samestep.experiment.schedules.text import read

PROGRAM = Path(__file__).parents[1] / "programs" / "pasted.py"
UPDATES = 130

KERAS = {
    "staircase": "schedule = ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)",
    "positional": "schedule = ExponentialDecay(0.1, 25, 0.5, True, 'mine')",
    "smooth": "schedule = tf.keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=5 * 5, decay_rate=1 / 2)",
    "fraction": "schedule = ExponentialDecay(0.1, 12.5, 0.5)",
    "cosine": "schedule = keras.optimizers.schedules.CosineDecay(0.1, decay_steps=100)",
    "cosine-alpha": "schedule = CosineDecay(initial_learning_rate=0.1, decay_steps=100, alpha=1e-1)",
    "cosine-warm-up": "schedule = CosineDecay(0.0, 80, warmup_target=0.1, warmup_steps=20)",
    "restarts": "schedule = CosineDecayRestarts(0.1, 30)",
    "restarts-in-full": "schedule = CosineDecayRestarts(0.1, first_decay_steps=20, t_mul=1.0, m_mul=0.5, alpha=0.01)",
    "polynomial": "schedule = PolynomialDecay(0.1, 100)",
    "polynomial-in-full": "schedule = PolynomialDecay(0.1, 50, end_learning_rate=1e-3, power=2.0, cycle=True)",
    "polynomial-of-whole-numbers": "schedule = PolynomialDecay(1, 100, 0)",
    "polynomial-of-power-0": "schedule = PolynomialDecay(0.1, 50, end_learning_rate=1e-3, power=0.0)",
    "finder": "schedule = ExponentialDecay(1e-7, decay_steps=100, decay_rate=1e8)",
    "inverse-time": "schedule = InverseTimeDecay(0.1, decay_steps=10, decay_rate=0.5, staircase=True)",
    "piecewise": "schedule = PiecewiseConstantDecay([40, 80], [1e-1, 1e-2, 1e-3])",
    "piecewise-in-a-tuple": "schedule = PiecewiseConstantDecay(boundaries=(40.5, 80), values=(1.0, 0.1, 0.01))",
    "piecewise-of-whole-numbers": "schedule = PiecewiseConstantDecay([40, 80], [3, 2, 1])",
    "names": (
        "import keras\nbatch, rows = 32, 1_000\nper_epoch = -(-rows // batch)\ninitial_learning_rate: float = 0.1\n"
        "schedule = keras.optimizers.schedules.ExponentialDecay(\n    initial_learning_rate,\n"
        "    decay_steps=2 * per_epoch,\n    decay_rate=0.96,\n    staircase=True)\n"
        "optimizer = keras.optimizers.SGD(learning_rate=schedule)"
    ),
    "functions": (
        "import math\nfrom math import floor\n"
        "schedule = ExponentialDecay(max(0.1, 1e-3), math.ceil(30.2) - int(1.9) * floor(1.5), round(0.54, 1))"
    ),
    "aliases": (
        "from tensorflow.keras.optimizers.schedules import ExponentialDecay as Decay\n"
        "schedule = Decay(0.1, 2**5, 0.95 ** (1 / 2))"
    ),
}

TORCH = {
    "step": "scheduler = StepLR(optimizer, step_size=30, gamma=0.1)",
    "step-defaults": "scheduler = lr_scheduler.StepLR(optimizer, 30)",
    "exponential": "scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95 ** (1 / 25))",
    "milestones": "scheduler = MultiStepLR(optimizer, milestones=[30, 80, 80], gamma=0.5)",
    "milestones-in-a-tuple": "scheduler = MultiStepLR(optimizer, (80.0, 30))",
    "constant": "scheduler = ConstantLR(optimizer)",
    "linear": "scheduler = LinearLR(optimizer, start_factor=0.01, total_iters=100)",
    "linear-defaults": "scheduler = LinearLR(optimizer)",
    "polynomial": "scheduler = PolynomialLR(optimizer, total_iters=100, power=0.9)",
    "polynomial-of-power-0": "scheduler = PolynomialLR(optimizer, total_iters=100, power=0)",
    "cosine": "scheduler = CosineAnnealingLR(optimizer, T_max=100)",
    "cosine-low": "scheduler = CosineAnnealingLR(optimizer, 50, eta_min=1e-3)",
    "restarts": "scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=20, T_mult=2, eta_min=1e-4)",
    "one-cycle": "scheduler = OneCycleLR(optimizer, max_lr=0.1, total_steps=200)",
    "one-cycle-of-epochs": (
        "scheduler = OneCycleLR(optimizer, 0.1, epochs=5, steps_per_epoch=40, pct_start=0.25, anneal_strategy='linear', "
        "three_phase=True, div_factor=10, final_div_factor=100)"
    ),
    "cyclic": "scheduler = CyclicLR(optimizer, base_lr=0.01, max_lr=0.1, step_size_up=20)",
    "cyclic-falling": (
        "scheduler = CyclicLR(optimizer, 0.01, 0.1, 20, 30, mode='exp_range', gamma=0.99, cycle_momentum=False)"
    ),
    "cyclic-gamma-without-effect": "scheduler = CyclicLR(optimizer, 0.01, 0.1, 20, mode='triangular2', gamma=0.9)",
    "sequence": (
        "warmup = LinearLR(optimizer, start_factor=0.1, total_iters=10)\n"
        "decay = CosineAnnealingLR(optimizer, T_max=UPDATES - 10)\n"
        "scheduler = SequentialLR(optimizer, schedulers=[warmup, decay], milestones=[10])"
    ),
    "chain": "scheduler = ChainedScheduler([StepLR(optimizer, 20, 0.5), LinearLR(optimizer, 0.1, total_iters=10)])",
}
FUNCTIONS = {
    "constant": "get_constant_schedule_with_warmup(optimizer, num_warmup_steps=10)",
    "linear": "transformers.get_linear_schedule_with_warmup(optimizer, 20, num_training_steps=100)",
    "linear-alone": "get_linear_schedule_with_warmup(optimizer, num_warmup_steps=0, num_training_steps=100)",
    "cosine": "get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=0.1 * 100, num_training_steps=100)",
    "restarts": "get_cosine_with_hard_restarts_schedule_with_warmup(optimizer, 10, 90, num_cycles=3)",
    "polynomial": "get_polynomial_decay_schedule_with_warmup(optimizer, 10, 90, power=2.0)",
    "constant-alone": "get_constant_schedule(optimizer)",
    "cosine-cycles": "get_cosine_schedule_with_warmup(optimizer, 10, 70, num_cycles=1.5)",
    "floor": "get_cosine_with_min_lr_schedule_with_warmup(optimizer, 10, 90, min_lr_rate=0.1)",
    "floor-late": "get_cosine_with_min_lr_schedule_with_warmup_lr_rate(optimizer, 10, 90, min_lr=1e-3)",
    "floor-late-at-once": "get_cosine_with_min_lr_schedule_with_warmup_lr_rate(optimizer, 0, 90, min_lr=1e-3)",
    "floor-late-one-step": (
        "get_cosine_with_min_lr_schedule_with_warmup_lr_rate(optimizer, 1, 90, min_lr=1e-3, warmup_lr_rate=0.3)"
    ),
    "inverse-sqrt": "get_inverse_sqrt_schedule(optimizer, 10, timescale=30)",
    "stable": "get_wsd_schedule(optimizer, 10, 30, num_training_steps=90, min_lr_ratio=0.1, decay_type='1-sqrt')",
    "stable-cosine": "get_wsd_schedule(optimizer, 10, 30, num_stable_steps=20, warmup_type='cosine')",
}
NAMES = {
    "linear": "get_scheduler('linear', optimizer, 10, 90)",
    "cosine": "get_scheduler('cosine', optimizer=optimizer, num_warmup_steps=10, num_training_steps=90)",
    "cosine_with_restarts": "get_scheduler('cosine_with_restarts', optimizer, 10, 90, {'num_cycles': 3})",
    "polynomial": "get_scheduler('polynomial', optimizer, 0, 90, {'power': 2.0, 'lr_end': 1e-4})",
    "constant": "get_scheduler('constant', optimizer)",
    "constant_with_warmup": "get_scheduler('constant_with_warmup', optimizer, num_warmup_steps=10)",
    "inverse_sqrt": "get_scheduler('inverse_sqrt', optimizer, num_warmup_steps=0)",
    "cosine_with_min_lr": "get_scheduler('cosine_with_min_lr', optimizer, 10, 90, {'min_lr': 1e-3})",
    "cosine_warmup_with_min_lr": (
        "get_scheduler('cosine_warmup_with_min_lr', optimizer, 10, 90, {'min_lr_rate': 0.1, 'warmup_lr_rate': 0.3})"
    ),
    "warmup_stable_decay": (
        "get_scheduler('warmup_stable_decay', optimizer, 10, 90, "
        "scheduler_specific_kwargs={'num_decay_steps': 30, 'decay_type': 'linear'})"
    ),
}
FUNCTIONS |= {f"name-{name}": code for name, code in NAMES.items()}
TORCH |= {f"transformers-{name}": f"scheduler = {code}" for name, code in FUNCTIONS.items()}
OPTIMIZERS = {
    "keyword": "optimizer = SGD(params, lr=1e-1 / 2, momentum=0.9)\n",
    "position": "optimizer = optim.SGD(params, 0.05, 0.9)\n",
}

CASES = {
    "tensorflow": KERAS,
    "torch": {
        f"{name}-{how}": f"UPDATES = {UPDATES}\n{made}{code}"
        for name, code in TORCH.items()
        for how, made in OPTIMIZERS.items()
    },
}
FRAMEWORKS = {"tensorflow": signatures.KERAS, "torch": signatures.TORCH | TRANSFORMERS.functions}


@pytest.fixture(scope="module")
def answers():
    """What each framework says of its code and its classes, in a process of its own."""
    told = {}
    for framework, codes in CASES.items():
        cases = {name: {"code": code, "updates": UPDATES} for name, code in codes.items()}
        asked = json.dumps({"cases": cases, "classes": list(FRAMEWORKS[framework])})
        done = subprocess.run(
            [sys.executable, PROGRAM, framework], input=asked, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        told[framework] = json.loads(done.stdout)
    return told


def test_each_name_of_a_schedule_is_tried():
    assert list(NAMES) == list(BY_NAME)


def near(framework, rates):
    """As near as the framework's own numbers are: Keras computes in float32."""
    return pytest.approx(rates, rel=2e-5 if framework == "tensorflow" else 1e-9, abs=1e-7 * max(rates))


@pytest.mark.parametrize(("framework", "name"), [(each, name) for each, codes in CASES.items() for name in codes])
def test_code_is_read_as_the_framework_runs_it(answers, framework, name):
    found = read(CASES[framework][name])
    rates = found.schedule.rate(np.arange(UPDATES), Clock.STEPS).tolist()
    assert rates == near(framework, answers[framework]["rates"][name])
    counts_calls = [each for each in found.assumed if "counts calls of scheduler.step()" in each]
    assert len(counts_calls) == len(found.assumed) == (framework == "torch")


@pytest.mark.parametrize("name", KERAS)
def test_a_config_is_read_as_keras_saves_it(answers, tmp_path, name):
    text = json.dumps(answers["tensorflow"]["configs"][name])
    assert read(text) == read(KERAS[name])
    path = tmp_path / "schedule.json"
    path.write_text(json.dumps({"class_name": "Adam", "config": {"name": "adam", "learning_rate": json.loads(text)}}))
    assert read(str(path)) == read(text)


@pytest.mark.parametrize(("framework", "name"), [(each, name) for each, names in FRAMEWORKS.items() for name in names])
def test_classes_take_what_the_framework_has_them_take(answers, framework, name):
    known = [
        [key, None if default is signatures.NEEDED else default]
        for key, default in signatures.defaults(name, TAKES).items()
        if key != "name"
    ]
    assert known == [each for each in answers[framework]["classes"][name] if each[0] != "name"]


def test_every_class_that_an_entry_reads_has_its_arguments():
    alone = {"SWALR"}  # goes on from the rate at which it is made, which no code says
    assert {name for entry in SCHEDULES for name in entry.TORCH} - alone == set(signatures.TORCH)
    assert {name for entry in SCHEDULES for name, keys in entry.KERAS.items() if keys} == set(signatures.KERAS)


def test_the_rate_is_the_second_argument_of_every_optimizer(answers):
    assert set(signatures.OPTIMIZERS) == set(answers["torch"]["optimizers"])
