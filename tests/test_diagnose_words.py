"""Sentences and fixes: true in both directions, with numbers and units; code that is Python, and right."""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from compare.diagnose.fixes import _FIXES, fix
from compare.diagnose.words import _SAYS, MEANINGS, sentence

from compare.causes.code import in_epochs, written
from compare.causes.scene import Scene
from compare.diagnose import snippets
from compare.diagnose.diagnosis import CAUSES, Cause, Difference
from compare.infer import infer
from compare.rates import Rates
from compare.tolerance import rate_tolerance
from experiment.clock import Clock
from experiment.schedules.text import parse

PROGRAM = Path(__file__).parent / "programs" / "run_snippets.py"
STEPS = 120
EPOCH = Clock(samples=1000, batch_size=32)

SCHEDULES = {
    "constant": "constant:initial=0.1",
    "staircase": "exponential:initial=0.001,factor=0.95,every=25 steps,staircase",
    "smooth": "exponential:initial=0.1,factor=0.5,every=25 steps",
    "every-step": "exponential:initial=0.1,factor=0.99,every=1 step",
    "inverse-time": "inverse-time:initial=0.1,decay_rate=0.5,every=10 steps,staircase",
    "inverse-time-smooth": "inverse-time:initial=0.1,decay_rate=0.5,every=10 steps",
    "piecewise": "piecewise-constant:boundaries=[30 steps,60 steps],values=[0.1,0.01,0.001]",
    "piecewise-uneven": "piecewise-constant:boundaries=[30 steps,60 steps],values=[0.1,0.02,0.05]",
    "polynomial": "polynomial:initial=0.1,end=0,power=2,over=64 steps",
    "polynomial-end": "polynomial:initial=0.1,end=0.01,power=2,over=64 steps",
    "polynomial-cycle": "polynomial:initial=0.1,end=0.01,power=2,over=50 steps,cycle",
    "linear": "linear:initial=0.1,end=0.01,over=64 steps",
    "linear-up": "linear:initial=0,end=0.1,over=64 steps",
    "cosine": "cosine:initial=0.1,floor=0.01,over=96 steps,after=hold",
    "cosine-rise": "cosine:initial=0.1,floor=0.01,over=40 steps,after=rise",
    "restarts": "cosine-restarts:initial=0.1,floor=0,first=20 steps,t_mul=2,m_mul=1",
    "restarts-lower": "cosine-restarts:initial=0.1,floor=0,first=20 steps,t_mul=2,m_mul=0.5",
    "one-cycle": "one-cycle:max_lr=0.1,div_factor=25,final_div_factor=1e4,pct_start=0.3,over=120 steps,"
    "anneal_strategy=cos,after=error",
    "cyclic": "cyclic:low=0.01,max_lr=0.1,up=10 steps,down=20 steps,mode=triangular,gamma=1",
    "warm-up": "warmup:initial=0.01,over=20 steps,then=(exponential:initial=0.1,factor=0.5,every=25 steps,staircase)",
    "warm-up-from-0": "warmup:initial=0,over=20 steps,then=(cosine:initial=0.1,floor=0,over=60 steps,after=hold)",
    "warm-up-to-constant": "warmup:initial=0.01,over=20 steps,then=(constant:initial=0.1)",
}
NO_KERAS_CLASS = {"cosine-rise", "one-cycle", "cyclic"}
NO_TORCH_CLASS = {"polynomial-end", "polynomial-cycle", "restarts-lower"}


@cache
def run_of(text):
    step = np.arange(STEPS)
    return infer(Rates.of(step, parse(text).rate(step, Clock.STEPS)))


def scene(**changed):
    return Scene(**{"clock": EPOCH, "range_a": (0, STEPS - 1), "range_b": (0, STEPS - 1)} | changed)


SAID = [
    # cause, parameters, words that must be there, words of the other direction
    (
        "counter",
        {"factor": 32, "reading": "steps-vs-epochs"},
        "b's schedule counts steps where a's counts epochs: it runs 32 times as fast, 32 steps being an epoch",
    ),
    (
        "counter",
        {"factor": 1 / 32, "reading": "steps-vs-epochs"},
        "a's schedule counts steps where b's counts epochs: it runs 32 times as fast",
    ),
    (
        "counter",
        {"factor": 4, "reading": "gradient-accumulation"},
        "b's schedule runs 4 times as fast as a's: it counts batches",
    ),
    (
        "counter",
        {"factor": 0.25, "reading": "gradient-accumulation"},
        "a's schedule runs 4 times as fast as b's: it counts batches",
    ),
    (
        "counter",
        {"factor": 25, "reading": "unconverted-rate"},
        "b multiplies its rate by 0.99 at every step, a only once in 25 steps",
    ),
    (
        "counter",
        {"factor": 1 / 3, "reading": "unknown"},
        "the rate that a has at step n is the one that b has at step 3 · n",
    ),
    ("shift", {"steps": 1}, "b is 1 step ahead of a"),
    ("shift", {"steps": -1}, "a is 1 step ahead of b"),
    ("shift", {"steps": 64}, "b is 64 steps (2 epochs) ahead of a"),
    ("scale", {"factor": 2.0}, "b's rate is 2 times a's at every step"),
    ("scale", {"factor": 0.25}, "a's rate is 4 times b's at every step"),
    (
        "staircase",
        {"side": "a", "every": 25},
        "a is a staircase where b is not: for 25 steps at a time it keeps the rate that b has",
    ),
    ("staircase", {"side": "b", "every": 32}, "b is a staircase where a is not: for 32 steps (1 epoch) at a time"),
    ("factor", {"factor_a": 0.95, "factor_b": 0.9}, "a multiplies its rate by 0.95 every 25 steps and b by 0.9"),
    ("factor", {"decay_rate_a": 0.5, "decay_rate_b": 1.0}, "a's decay rate is 0.5 every 25 steps and b's 1"),
    ("period", {"period_a": 800, "period_b": 25}, "in a its period is 800 steps (25 epochs), in b 25 steps"),
    ("floor", {"side": "b", "rate": 1e-5}, "equal until b stops falling, at a rate of 1e-05; a falls on"),
    ("tail", {"side": "a", "step": 200}, "end at step 200: from there a holds its rate and b rises again"),
    ("tail", {"side": "b", "step": 200}, "end at step 200: from there b holds its rate and a falls on"),
    (
        "warmup",
        {"side": "b", "steps": 50, "then": "aligned"},
        "b warms up over its first 50 steps, a does not; from then on both have the same",
    ),
    (
        "warmup",
        {"side": "a", "steps": 32, "then": "delayed"},
        "a warms up over its first 32 steps (1 epoch), b does not; then a begins the schedule of b, 32 steps later",
    ),
    ("reset", {"side": "b", "step": 1600}, "until step 1,600, where b starts its schedule again from the beginning"),
    ("extra-decay", {"side": "b", "step": 150, "factor": 0.5}, "from there on b has 0.5 times the rate of a"),
    ("extra-decay", {"side": "a", "step": 150, "factor": 2.0}, "from there on a has 0.5 times the rate of b"),
    (
        "gaps",
        {"missing_a": 0, "missing_b": 3, "repeated_a": 1, "repeated_b": 0, "step": 17, "step_b": 17},
        "a has 1 row twice; b lacks 3 steps, the first at step 17.",
    ),
    (
        "gaps",
        {"missing_a": 40, "missing_b": 1, "repeated_a": 0, "repeated_b": 2, "step": 0, "step_a": 0, "step_b": 150},
        "a lacks 40 steps, the first at step 0; b lacks 1 step, step 150 and has 2 rows twice.",
    ),
    (
        "length",
        {"steps_a": 1600, "steps_b": 1280},
        "a ends after 1,600 steps (50 epochs) and b after 1,280 steps (40 epochs)",
    ),
    (
        "family",
        {"kind_a": "cosine", "kind_b": "linear", "schedule_a": "cosine:…", "schedule_b": "linear:…"},
        "a is cosine (cosine:…), b is linear (linear:…)",
    ),
    ("identical", {}, "the same to the last bit"),
    ("unexplained", {}, "None of the causes that samestep knows"),
]


@pytest.mark.parametrize(
    ("name", "parameters", "said"), SAID, ids=[f"{name}-{row}" for row, (name, _, _) in enumerate(SAID)]
)
def test_sentences_have_numbers_units_and_the_right_side(name, parameters, said):
    rising = parameters.get("side") == "a"
    known = scene(
        inferred_a=run_of(SCHEDULES["staircase"]),
        inferred_b=run_of(SCHEDULES["every-step"]),
        first=Difference(201, 0.0, 1.0) if rising else Difference(201, 0.5, 1.0),
    )
    assert said in sentence(Cause(name, parameters, 0.0), known)


def test_every_cause_has_a_meaning_a_sentence_and_a_fix():
    assert list(MEANINGS) == list(_SAYS)
    assert set(MEANINGS) == set(_FIXES)
    assert {each.__name__.replace("_", "-") for each in CAUSES} <= set(MEANINGS)
    assert {name for name, _, _ in SAID} | {"rounding"} == set(MEANINGS)


def test_rounding_says_which_part_is_drift():
    step = np.arange(0, 100_000, 50)
    a, b = Rates.of(step, 0.1 * float(np.float32(0.9999)) ** step), Rates.of(step, 0.1 * 0.9999**step)
    apart = float((np.abs(a.lr - b.lr) / b.lr).max())
    known = scene(
        inferred_a=infer(a), inferred_b=infer(b), largest=apart, drifted=True, rounding_ulp32=0.5, range_b=(0, 100_000)
    )
    said = sentence(Cause("rounding", {}, 0.0), known)
    assert "at most 0.166 % apart" in said
    assert "float32's rounding of the factor 0.9999 explains up to 0.166 %: 100,000 decays of 1.66e-08 each" in said


def test_rounding_without_drift_speaks_of_none():
    said = sentence(Cause("rounding", {}, 0.0), scene(largest=2e-8))
    assert said == "The rates are the same to within rounding: at most 2e-08 relative apart."


def test_few_digits_are_named_where_they_are_why_both_are_the_same():
    known = scene(largest=4e-6, digits=5e-6, written_a="6 digits", written_b="4 decimals")
    said = sentence(Cause("rounding", {}, 0.0), known)
    assert "the same within what a's 6 digits and b's 4 decimals tell: at most 4e-06 relative apart" in said
    assert "as far as a's 6 digits and b's 4 decimals tell" in fix(Cause("rounding", {}, 0.0), known).advice
    both = scene(written_a="6 digits", written_b="6 digits")
    assert both.written == "the 6 digits of both"
    assert "to the last digit that was written" in sentence(Cause("identical", {}, 0.0), both)


def test_no_common_step_is_told_with_both_ranges():
    said = sentence(Cause("unexplained", {}, 0.0), scene(range_a=(0, 10), range_b=(500, 900)))
    assert "a has rows for steps 0 to 10, b for 500 to 900" in said


def test_two_causes_are_both_told_and_mended():
    both = Cause("warmup", {"side": "a", "steps": 50, "then": "aligned"}, 0.0, Cause("shift", {"steps": 1}, 0.0))
    said = sentence(both, scene())
    assert said.startswith("Two things at once. a warms up")
    assert "b is 1 step ahead of a" in said
    mended = fix(both, scene(framework_b="torch"))
    assert "LinearLR" in mended.code["PyTorch"]
    assert "before both steps" in mended.code["PyTorch"]


@pytest.mark.parametrize(
    ("name", "parameters", "_"), SAID, ids=[f"{name}-{row}" for row, (name, _, _) in enumerate(SAID)]
)
def test_every_fix_is_python(name, parameters, _):
    for first, second in [(kind, "smooth") for kind in SCHEDULES] + [("smooth", kind) for kind in SCHEDULES]:
        known = scene(
            inferred_a=run_of(SCHEDULES[first]), inferred_b=run_of(SCHEDULES[second]), first=Difference(100, 0.1, 0.2)
        )
        mended = fix(Cause(name, parameters, 0.0), known)
        assert mended.advice.endswith((".", ":")), mended.advice
        for code in mended.code.values():
            ast.parse(code)
    for code in fix(Cause(name, parameters, 0.0), scene()).code.values():  # where neither schedule is known
        ast.parse(code)


@pytest.mark.parametrize(
    ("framework", "languages"),
    [("tensorflow", {"Keras"}), ("keras", {"Keras"}), ("torch", {"PyTorch"}), ("lightning", {"PyTorch"}),
     ("hugging-face", {"PyTorch"}), ("csv", {"Keras", "PyTorch"}), ("wandb", {"Keras", "PyTorch"})],
)  # fmt: skip
def test_code_is_for_the_framework_at_hand(framework, languages):
    cause = Cause("counter", {"factor": 32, "reading": "steps-vs-epochs"}, 0.0)
    known = scene(inferred_b=run_of(SCHEDULES["staircase"]), framework_a="torch", framework_b=framework)
    assert set(fix(cause, known).code) == languages


def test_what_was_meant_is_not_what_is_changed():
    cause = Cause("scale", {"factor": 2.0}, 0.0)
    runs = {"inferred_a": run_of(SCHEDULES["linear"]), "inferred_b": run_of(SCHEDULES["smooth"])}
    assert "ExponentialLR" in fix(cause, scene(**runs, framework_a="torch", framework_b="schedule")).code["PyTorch"]
    assert "LinearLR" in fix(cause, scene(**runs, framework_a="schedule", framework_b="torch")).code["PyTorch"]


def test_a_schedule_has_no_log_that_could_be_wrong():
    cause = Cause("shift", {"steps": 1}, 0.0)
    assert "b's log holds the next rate" in sentence(cause, scene(framework_b="torch"))
    said = sentence(cause, scene(framework_b="schedule"))
    assert "So a is late" in said
    assert "b's log" not in said


def test_fix_of_the_question_counts_epochs():
    cause = Cause("counter", {"factor": 32, "reading": "steps-vs-epochs"}, 0.0)
    code = fix(cause, scene(inferred_b=run_of(SCHEDULES["staircase"]))).code
    assert "steps_per_epoch = 32\n" in code["Keras"]
    assert "decay_steps=25 * steps_per_epoch" in code["Keras"]
    assert "StepLR(optimizer, step_size=25, gamma=0.95)" in code["PyTorch"]
    assert "# after each epoch" in code["PyTorch"]


def test_fix_of_an_unconverted_rate_has_the_root():
    cause = Cause("counter", {"factor": 25, "reading": "unconverted-rate"}, 0.0)
    code = fix(cause, scene(inferred_b=run_of(SCHEDULES["every-step"]))).code
    assert "ExponentialLR(optimizer, gamma=0.99 ** (1 / 25))" in code["PyTorch"]
    assert "decay_steps=25, decay_rate=0.99" in code["Keras"]


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
def told():
    """The rates of every snippet, from one process of each framework."""
    found = {}
    for language, framework, lacking, side in (
        ("Keras", "tensorflow", NO_KERAS_CLASS, 0),
        ("PyTorch", "torch", NO_TORCH_CLASS, 1),
    ):
        made = native_code(language, lacking)
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
def test_native_code_gives_the_rates_of_the_schedule(told, language, kind):
    lacking = NO_KERAS_CLASS if language == "Keras" else NO_TORCH_CLASS
    code = written(parse(SCHEDULES[kind]), language)
    assert ("samestep translate" in code) == (kind in lacking)
    if kind in lacking:
        return
    step, schedule = np.arange(STEPS), parse(SCHEDULES[kind])
    rate = schedule.rate(step, Clock.STEPS)
    allowed = rate_tolerance(rate, schedule.float32_drift(step, Clock.STEPS), schedule.float32_scale(step, Clock.STEPS))
    assert (np.abs(np.array(told[language][kind]) - rate) <= allowed).all()


@pytest.mark.parametrize("language", ["Keras", "PyTorch"])
@pytest.mark.parametrize("name", WRAPPED)
def test_what_changes_any_schedule_does_what_it_says(told, language, name):
    step, schedule = np.arange(STEPS), parse(BASE)
    expected = WRAPPED[name][2](lambda n: schedule.rate(n, Clock.STEPS), step)
    assert np.allclose(told[language][name], expected, rtol=2e-6, atol=0)


def test_counts_in_epochs_are_products():
    code = written(parse("exponential:initial=1,factor=0.5,every=800 steps,staircase"), "Keras", in_epochs(32))
    assert "decay_steps=25 * steps_per_epoch" in code
    code = written(parse("exponential:initial=1,factor=0.5,every=801 steps,staircase"), "Keras", in_epochs(32))
    assert "decay_steps=801" in code
