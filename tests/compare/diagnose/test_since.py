"""Causes that begin at a step, from real runs that were resumed, skipped updates or were never stepped; and no others."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from samestep._compare.causes.never_falls import NeverFalls
from samestep._compare.causes.period import Period
from samestep._compare.causes.reset import Reset
from samestep._compare.causes.shift import Shift
from samestep._compare.causes.skipped import Skipped
from samestep._compare.causes.warmup import Warmup
from samestep._compare.diagnose import diagnose
from samestep._compare.rates import Rates

PROGRAM = Path(__file__).parents[2] / "programs" / "resumed_rates.py"
THINNED = (1, 10)
BEGIN_LATE = (Skipped, Reset, Shift, Period, Warmup, NeverFalls)

FOUND = {
    **{
        f"{kind} {name}": cause
        for kind in ("linear", "cosine")
        for name, cause in {
            "resumed longer": Period(400, 800, 150, "before"),
            "until it was resumed longer": Period(400, 800, 150, "after"),
            "epoch repeated": Shift(-40, 200),
            "updates skipped": Skipped("b", 4, 3),
            "warmed up again": Warmup("b", 80, "aligned", 150),
        }.items()
    },
    "cosine from the decayed rate": Reset("b", 150, 0.691342),
    "polynomial from the decayed rate": Reset("b", 150, 0.390625),
    "floored from the decayed rate": Reset("b", 150, 0.694428),
    "milestones never reached": NeverFalls("b", 120),
    "cosine never stepped": NeverFalls("b", 1),
}


@pytest.fixture(scope="module")
def runs():
    """What real schedulers give, by name."""
    said = subprocess.run([sys.executable, PROGRAM], capture_output=True, text=True, check=True)
    return json.loads(said.stdout)


def logs(both, every):
    return [Rates.of(np.arange(0, len(lr), every), np.array(lr)[::every]) for lr in both]


@pytest.mark.parametrize("every", THINNED)
@pytest.mark.parametrize("name", FOUND)
def test_it_is_found_with_its_step(runs, name, every):
    told = diagnose(*logs(runs[name], every)).cause
    assert type(told) is type(FOUND[name])
    assert told.second is None
    if every == 1:
        assert told == FOUND[name]
    for key, value in FOUND[name].parameters.items():
        if key in ("step", "steps"):  # a step between two rows may be any of them
            assert abs(told.parameters[key] - value) < every
        elif key != "factor":
            assert told.parameters[key] == value


def test_what_follows_no_such_rule_is_not_said_to(runs):
    wrong = {}
    for name, both in runs.items():
        for every in THINNED if name not in FOUND else ():
            told = diagnose(*logs(both, every)).cause
            if isinstance(told, BEGIN_LATE) and (isinstance(told, Skipped | NeverFalls) or told.parameters.get("step")):
                wrong[name, every] = told
    assert not wrong


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_not_explained_by_a_lag(runs, seed):
    ours = np.array(runs["cosine resumed longer"][0])
    noise = np.random.default_rng(seed).uniform(0.99, 1.01, len(ours))
    told = diagnose(*logs([ours, ours * noise], 1)).cause
    assert told.name == "unexplained"


def test_a_lag_needs_rates_that_tell_it(runs):
    steps, unknown = np.arange(900), np.full(900, 5e-5)  # of four decimals, one step is too little
    ours, theirs = (Rates(steps, np.array(lr), unknown) for lr in runs["linear updates skipped"])
    assert not isinstance(diagnose(ours, theirs).cause, Skipped)
