"""The code of a fix, run in its framework: it gives the rates that it should."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cause_helpers import SCHEDULES as EVERYDAY
from cause_helpers import STEPS

from samestep._compare.causes import snippets
from samestep._compare.causes.code import in_epochs, written
from samestep._compare.tolerance import rate_tolerance
from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import parse

PROGRAM = Path(__file__).parents[2] / "programs" / "run_snippets.py"
COSINE = "(cosine:initial=0.1,floor=0.01,over=80 steps,after=hold)"
SCHEDULES = EVERYDAY | {  # those that neither framework has a class for
    "warm-up-stable-decay": "warmup:initial=0,over=20 steps,then=(sequence:schedules=[(constant:initial=0.1),"
    "(power:initial=0.1,end=0,power=0.5,over=30 steps)],milestones=[40 steps])",
    "warm-up-over": f"warmup:initial=0.001,over=20 steps,then={COSINE},overlaps",
    "warm-up-joining": f"warmup:initial=0.001,over=20 steps,then={COSINE},overlaps,joins",
    "warm-up-logarithm": "warmup:initial=0,over=20 steps,then=(constant:initial=0.1),curve=logarithm",
    "warm-up-cosine": f"warmup:initial=0.001,over=20 steps,then={COSINE},curve=cosine",
    "warm-up-polynomial": "warmup:initial=0,over=20 steps,then=(polynomial:initial=0.1,end=0.001,power=3,over=90 steps)",
    "clipped": "clip:lowest=0.004,of=(exponential:initial=0.1,factor=0.5,every=10 steps)",
    "one-cycle-linear": "one-cycle:max_lr=0.1,div_factor=10,final_div_factor=100,pct_start=0.4,over=100 steps,"
    "anneal_strategy=linear,three_phase,after=hold",
}
LEFT_TO_TRANSLATE = {
    "Keras": {"cyclic"},
    "PyTorch": {"polynomial-cycle", "restarts-lower"},
}


def rates_in(framework, asked):
    done = subprocess.run(
        [sys.executable, PROGRAM, framework], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def native_code(language, lacking):
    return {kind: written(parse(text), language) for kind, text in SCHEDULES.items() if kind not in lacking}


WRAPPED = {  # what a snippet does to a schedule: its code in both, and the step or rate that comes of it
    "hold": (snippets.hold("Keras", 40), snippets.hold("PyTorch", 40), lambda rate, n: rate(np.minimum(n, 40))),
    "floor": (
        snippets.floor("Keras", 0.03),
        snippets.floor("PyTorch", 0.03),
        lambda rate, n: np.maximum(rate(n), 0.03),
    ),
    "slower": (snippets.slower(4), snippets.step_every("4"), lambda rate, n: rate(n // 4)),
}
BASE = "exponential:initial=0.1,factor=0.5,every=25 steps"


@pytest.fixture(scope="module")
def measured():
    """The rates of every snippet, from one process of each framework."""
    found = {}
    for language, framework, side in (("Keras", "tensorflow", 0), ("PyTorch", "torch", 1)):
        made = native_code(language, LEFT_TO_TRANSLATE[language])
        asked = [
            {"code": code, "base_lr": parse(SCHEDULES[kind]).base_lr, "updates": STEPS} for kind, code in made.items()
        ]
        base = written(parse(BASE), language)
        for codes in (each[side] for each in list(WRAPPED.values())):
            once = f"{base}\n{codes}" if language == "Keras" else base
            loop = codes.replace("updates = 0  # before the loop\n", "")
            if "optimizer.step()" not in loop:
                loop = f"optimizer.step()\n{loop}"
            asked.append({"code": once, "loop": loop, "base_lr": 0.1, "updates": STEPS})
        rates = rates_in(framework, asked)
        found[language] = dict(zip([*made, *WRAPPED], rates, strict=True))
    return found


@pytest.mark.parametrize("language", ["Keras", "PyTorch"])
@pytest.mark.parametrize("kind", SCHEDULES)
def test_native_code_gives_the_rates_of_the_schedule(measured, language, kind):
    lacking = LEFT_TO_TRANSLATE[language]
    code = written(parse(SCHEDULES[kind]), language)
    assert ("samestep translate" in code) == (kind in lacking)
    if kind in lacking:
        return
    step, schedule = np.arange(STEPS), parse(SCHEDULES[kind])
    rate = schedule.rate(step, Clock.STEPS)
    allowed = rate_tolerance(rate, schedule.float32_drift(step, Clock.STEPS), schedule.float32_scale(step, Clock.STEPS))
    assert (np.abs(np.array(measured[language][kind]) - rate) <= allowed).all()


@pytest.mark.parametrize("language", ["Keras", "PyTorch"])
@pytest.mark.parametrize("name", WRAPPED)
def test_what_changes_any_schedule_does_what_it_says(measured, language, name):
    step, schedule = np.arange(STEPS), parse(BASE)
    expected = WRAPPED[name][2](lambda n: schedule.rate(n, Clock.STEPS), step)
    assert np.allclose(measured[language][name], expected, rtol=2e-6, atol=0)


def test_counts_in_epochs_are_products():
    code = written(parse("exponential:initial=1,factor=0.5,every=800 steps,staircase"), "Keras", in_epochs(32))
    assert "decay_steps=25 * steps_per_epoch" in code
    code = written(parse("exponential:initial=1,factor=0.5,every=801 steps,staircase"), "Keras", in_epochs(32))
    assert "decay_steps=801" in code
