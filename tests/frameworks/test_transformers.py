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

SAID = {
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
    "warmup:initial=0.1,over=9 steps,then=(constant:initial=1),curve=cosine": (
        "get_wsd_schedule",
        {
            "num_warmup_steps": 9,
            "num_stable_steps": 91,
            "num_decay_steps": 1,
            "warmup_type": "cosine",
            "min_lr_ratio": 0.1,
        },
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
