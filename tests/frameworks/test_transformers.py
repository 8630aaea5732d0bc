"""The schedules of Transformers that the vocabulary can say, on Transformers' own functions."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import parse

PROGRAM = Path(__file__).parents[1] / "programs" / "transformers_rates.py"

WSD = {"num_warmup_steps": 9, "num_stable_steps": 30, "num_decay_steps": 50, "min_lr_ratio": 0.1}
DECAYS = {
    "linear": "linear:initial=1,end=0.1,over=50 steps",
    "cosine": "cosine:initial=1,floor=0.1,over=50 steps,after=hold",
    "1-sqrt": "power:initial=1,end=0.1,power=0.5,over=50 steps",
}

SAID = {
    "warmup:initial=0,over=9 steps,then=(cosine-cycles:initial=1,floor=0,over=41 steps,cycles=3)": (
        "get_cosine_with_hard_restarts_schedule_with_warmup",
        {"num_warmup_steps": 9, "num_training_steps": 50, "num_cycles": 3},
    ),
    "inverse-sqrt:initial=1,timescale=10000 steps": ("get_inverse_sqrt_schedule", {"num_warmup_steps": 0}),
    "inverse-sqrt:initial=1,timescale=7 steps": (
        "get_inverse_sqrt_schedule",
        {"num_warmup_steps": 0, "timescale": 7},
    ),
    "warmup:initial=0,over=9 steps,then=(inverse-sqrt:initial=1,timescale=9 steps)": (
        "get_inverse_sqrt_schedule",
        {"num_warmup_steps": 9},
    ),
    "warmup:initial=0,over=9 steps,then=(inverse-sqrt:initial=1,timescale=40 steps)": (
        "get_inverse_sqrt_schedule",
        {"num_warmup_steps": 9, "timescale": 40},
    ),
    f"warmup:initial=0.1,over=9 steps,then=(sequence:schedules=[(constant:initial=1),({DECAYS['1-sqrt']})],"
    "milestones=[30 steps]),curve=cosine": (
        "get_wsd_schedule",
        WSD | {"warmup_type": "cosine", "decay_type": "1-sqrt"},
    ),
    f"warmup:initial=0.1,over=9 steps,then=(sequence:schedules=[(constant:initial=1),({DECAYS['cosine']})],"
    "milestones=[30 steps])": ("get_wsd_schedule", WSD | {"decay_type": "cosine"}),
    "sequence:schedules=[(polynomial:initial=0.1,end=1,power=0.5,over=9 steps),(constant:initial=1),"
    f"({DECAYS['linear']})],milestones=[9 steps,39 steps]": (
        "get_wsd_schedule",
        WSD | {"warmup_type": "1-sqrt", "decay_type": "linear"},
    ),
}


@pytest.fixture(scope="module")
def rates():
    asked = json.dumps(list(SAID.values()))
    done = subprocess.run([sys.executable, PROGRAM], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(SAID, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("text", SAID)
def test_transformers_has_the_rates_of_the_closed_form(rates, text):
    closed_form = parse(text).rate(np.arange(100), Clock.STEPS)
    np.testing.assert_allclose(rates[text], closed_form, rtol=0, atol=1e-12)
