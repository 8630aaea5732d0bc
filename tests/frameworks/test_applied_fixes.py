"""Printed fixes, applied to real code: the run of one side, with what the fix says, has the rates of the other."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import samestep
from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import parse

HOUSE = Path(__file__).parents[2]
PROGRAM = HOUSE / "tests" / "programs" / "apply_fixes.py"
EACH = 3
"""Pairs of each mistake."""

KNOWN_WRONG: set[str] = set()
"""Pairs whose fix mends neither side. Remove what a change makes right."""

SIZE, UPDATES = 20, 200
EPOCH = Clock(SIZE, 1)
STAIRS = "exponential:initial=0.1,factor=0.5,every={},staircase"
LINEAR = "warmup:initial=0,over={} steps,then=(linear:initial=5e-4,end=0,over={} steps)"
COSINE = "cosine:initial=1e-3,floor={},over={} steps,after=hold"
WARM = "warmup:initial=0,over=20 steps,then=({})"

ONE_CYCLE = "one-cycle:max_lr=0.01,div_factor=25,final_div_factor=1e4,pct_start=0.3,over=200 steps,anneal_strategy=cos,after=error"
LATE = f"sequence:schedules=[(constant:initial=0.1),({STAIRS.format('50 steps')})],milestones=[7 steps]"

MISTAKES = {  # the schedule that was meant, and the one that was followed
    "steps for epochs": (STAIRS.format("2 epochs"), STAIRS.format("2 steps")),
    "epochs for steps": (STAIRS.format("2 steps"), STAIRS.format("2 epochs")),
    "no warm-up": (LINEAR.format(20, 180), "linear:initial=5e-4,end=0,over=180 steps"),
    "a warm-up too much": ("linear:initial=5e-4,end=0,over=180 steps", LINEAR.format(20, 180)),
    "longer warm-up": (LINEAR.format(20, 180), LINEAR.format(40, 160)),
    "a quarter of the time": (LINEAR.format(20, 180), LINEAR.format(5, 45)),
    "half the rate and the time": (LINEAR.format(20, 180), LINEAR.format(10, 90).replace("5e-4", "2.5e-4")),
    "no floor": (COSINE.format("1e-4", 200), COSINE.format("0", 200)),
    "another total": (WARM.format(COSINE.format("0", 180)), WARM.format(COSINE.format("0", 130))),
    "another rate": (STAIRS.format("50 steps"), STAIRS.format("50 steps").replace("0.1", "0.03", 1)),
    "another power": (
        WARM.format("polynomial:initial=1e-3,end=1e-5,power=2,over=180 steps"),
        WARM.format("polynomial:initial=1e-3,end=1e-5,power=1,over=180 steps"),
    ),
    "constant for linear": (LINEAR.format(20, 180), WARM.format("constant:initial=5e-4")),
    "linear for constant": (WARM.format("constant:initial=5e-4"), LINEAR.format(20, 180)),
    "late": (STAIRS.format("50 steps"), LATE),
    "cosine for one cycle": (ONE_CYCLE, COSINE.format("0", 200)),
}  # fmt: skip
TRAINERS = {"tensorflow": "tensorflow", "torch": "torch", "hugging-face": "transformers", "lightning": "lightning"}
"""The program that applies a fix, by whose log it mends."""


def log(folder, framework, lr):
    """A log in the form that a trainer writes."""
    steps = range(len(lr))
    if framework == "hugging-face":
        history = [{"step": step + 1, "learning_rate": rate, "loss": 1.0} for step, rate in zip(steps, lr, strict=True)]
        path = folder / "trainer_state.json"
        told = {"best_global_step": None, "global_step": len(lr), "max_steps": len(lr), "log_history": history}
        path.write_text(json.dumps(told), encoding="utf-8")
        return str(path)
    if framework == "lightning":
        heads, row = "epoch,step,lr-SGD", "{epoch},{step},{rate!r}"
    else:
        heads, row = (
            "framework,arm,seed,step,epoch,batch,lr,loss",
            f"{framework},run,0,{{step}},{{epoch}},{{batch}},{{rate!r}},1.0",
        )
    rows = [
        row.format(step=step, epoch=step // SIZE, batch=step % SIZE, rate=float(rate))
        for step, rate in zip(steps, lr, strict=True)
    ]
    path = folder / "metrics.csv"
    path.write_text("\n".join([heads, *rows, ""]), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def everyday():
    """Each pair of the sample that has a fix, and which side the fix mends."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.everyday.applied", "--each", str(EACH)]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {each["case"]: each for each in map(json.loads, done.stdout.splitlines()) if each["fix"]}


def test_a_fix_that_is_printed_mends_the_run(everyday):
    assert len(everyday) > 15
    wrong = {case: each for case, each in everyday.items() if each["mends"] is None}
    assert wrong.keys() == KNOWN_WRONG, json.dumps(list(wrong.values()), indent=1)


def applied(program, codes, accumulate=1):
    """The rates that come of each piece of code, from one process."""
    given = [{"code": code, "updates": UPDATES, "steps_per_epoch": SIZE, "accumulate": accumulate} for code in codes]
    command = [sys.executable, "-W", "ignore", PROGRAM, program]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """For each trainer: the code of each mistake's fix, with the schedule as a and as b; and the rates of each code."""
    found = {}
    for framework, program in TRAINERS.items():
        asked = {}
        for name, (meant, followed) in MISTAKES.items():
            path = log(
                tmp_path_factory.mktemp("log"), framework, parse(followed).rate(np.arange(UPDATES), EPOCH).tolist()
            )
            for order in ((meant, path), (path, meant)):
                code = samestep.compare(*order, steps_per_epoch=SIZE).fix.code
                asked[name, "ba"[order[0] == meant]] = next(iter(code.values()), "")
        codes = list(dict.fromkeys(code for code in asked.values() if is_applied(program, code)))
        found[framework] = asked, dict(zip(codes, applied(program, codes), strict=True))
    return found


def is_applied(program, code):
    """Whether code can be put where the program has place for it: a schedule that Trainer has no name for cannot."""
    return bool(ast.parse(code).body) and (program != "transformers" or "TrainingArguments" in code)


@pytest.mark.parametrize("framework", TRAINERS)
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("schedule", ["a", "b"])
def test_a_fix_for_a_trainer_gives_it_the_schedule_that_was_meant(trained, framework, mistake, schedule):
    asked, rates = trained[framework]
    code = asked[mistake, schedule]
    if code not in rates:
        assert framework == "hugging-face", "no code"
        assert "optimizers=(optimizer, scheduler)" in code
        return
    wanted = parse(MISTAKES[mistake][0]).rate(np.arange(UPDATES), EPOCH)
    assert np.allclose(rates[code], wanted, rtol=2e-6, atol=2e-7 * wanted.max()), code


ACCUMULATED = [STAIRS.format("50 steps"), LINEAR.format(20, 180)]


@pytest.mark.parametrize("framework", ["tensorflow", "torch"])
def test_a_fix_for_accumulated_gradients_counts_updates(framework, tmp_path):
    clock, wanted, codes = {"samples": 4 * SIZE, "batch_size": 1, "accumulate": 4}, [], []
    for meant in map(parse, ACCUMULATED):
        wanted.append(meant.rate(np.arange(UPDATES), EPOCH))
        late = 3 if framework == "tensorflow" else 0  # Keras looks up the last batch of an update
        followed = meant.rate(4 * np.arange(UPDATES) + late, EPOCH).tolist()
        compared = samestep.compare(meant, log(tmp_path, framework, followed), **clock)
        assert compared.cause.reading == "gradient-accumulation"
        codes += compared.fix.code.values()
    for rates, expected, code in zip(applied(framework, codes, 4), wanted, codes, strict=True):
        assert np.allclose(rates, expected, rtol=2e-6, atol=2e-7 * expected.max()), code
