"""What holds for every cause: found with its parameters, both ways round; words, a fix that is code, a page, a place."""

import ast
import importlib
import pkgutil
import re
from dataclasses import fields

import numpy as np
import pytest
from cause_helpers import EPOCH, SCHEDULES, rates, scene

from benchmarks.diagnosis import drafts
from samestep._compare import causes
from samestep._compare.causes import CAUSES, named, page
from samestep._compare.causes.base import Cause
from samestep._compare.causes.counter import READINGS, Counter
from samestep._compare.causes.extra_decay import ExtraDecay
from samestep._compare.causes.factor import Factor
from samestep._compare.causes.family import Family
from samestep._compare.causes.floor import Floor
from samestep._compare.causes.gaps import Gaps
from samestep._compare.causes.identical import Identical
from samestep._compare.causes.length import Length
from samestep._compare.causes.never_falls import NeverFalls
from samestep._compare.causes.parameters import Parameters
from samestep._compare.causes.period import Period
from samestep._compare.causes.reset import Reset
from samestep._compare.causes.rounding import Rounding
from samestep._compare.causes.scale import Scale
from samestep._compare.causes.shift import Shift
from samestep._compare.causes.skipped import Skipped
from samestep._compare.causes.staircase import Staircase
from samestep._compare.causes.tail import Tail
from samestep._compare.causes.unexplained import Unexplained
from samestep._compare.causes.warmup import Warmup
from samestep._compare.diagnose import diagnose
from samestep._compare.rates import Rates
from samestep._compare.refute.claim import Difference
from samestep._compare.terms import CompareError, other

SMOOTH = "exponential:initial=1e-3,factor=0.95,every=25 steps"
STAIRS = f"{SMOOTH},staircase"
LINE = "linear:initial=0.1,end=0.01,over=40 epochs"
HALF_COSINE = "cosine:initial=0.1,floor=0,over=1200 steps"


def changed(change):
    """The stairs, and what a change makes of them."""
    a = rates(STAIRS)
    return a, Rates.of(a.step, change(a.step, a.lr))


def kept(rows):
    """The stairs, and some of their rows."""
    a = rates(STAIRS)
    return a, a.rows(rows)


def written(a, b):
    return rates(a), rates(b)


def late(text, places):
    """A run, and the same one step late from each of these steps on."""
    a = rates(text)
    return a, Rates.of(a.step, a.lr[a.step - np.searchsorted(places, a.step, side="right")])


NOISE = np.random.default_rng(0).uniform(0.99, 1.01, 1600)
FOUND = {
    Identical(): written(STAIRS, STAIRS),
    Rounding(): changed(lambda _, lr: lr.astype(np.float32)),
    Length(1600, 1000): kept(slice(0, 1000)),
    Gaps(0, 3, 0, 0, 700, None, 700): kept(np.delete(np.arange(1600), [700, 701, 900])),
    Shift(1): changed(lambda _, lr: np.append(lr[1:], lr[-1])),
    Counter(32, "steps-vs-epochs"): written(STAIRS.replace("steps", "epochs"), STAIRS),
    Scale(2.0): changed(lambda _, lr: 2 * lr),
    Staircase("b", 25): written(SMOOTH, STAIRS),
    Factor(factor_a=0.95, factor_b=0.9): written(STAIRS, STAIRS.replace("0.95", "0.9")),
    Period(1280, 960): written(LINE, LINE.replace("40", "30")),
    Parameters((("last_rate", 0.0, 0.01),)): written(
        f"{HALF_COSINE},after=hold", f"{HALF_COSINE},after=hold".replace("floor=0", "floor=0.01")
    ),
    Floor("b", 7e-4): changed(lambda _, lr: np.maximum(lr, 7e-4)),
    Warmup("b", 50, "delayed"): written(STAIRS, f"warmup:initial=0,over=50 steps,then=({STAIRS})"),
    NeverFalls("b", 25): changed(lambda _, lr: np.full_like(lr, lr[0])),
    Skipped("b", 3, 2): late(f"{HALF_COSINE},after=hold", [300, 301, 900]),
    Reset("b", 710): changed(lambda step, lr: np.where(step < 710, lr, lr[np.maximum(step - 710, 0)])),
    ExtraDecay("b", 725, 0.5): changed(lambda step, lr: np.where(step < 725, 1, 0.5) * lr),
    Tail("a", 1200): written(f"{HALF_COSINE},after=hold", f"{HALF_COSINE},after=rise"),
    Family(
        "linear",
        "cosine",
        "linear:initial=0.1,end=0.01,over=1280 steps",
        "cosine:initial=0.1,floor=0.01,over=1280 steps,after=hold",
    ): written(LINE, "cosine:initial=0.1,floor=0.01,over=40 epochs,after=hold"),
    Unexplained(): changed(lambda _, lr: lr * NOISE),
}

SAID = {
    # what differs, and words that must be there: numbers with units, and the right side
    Identical(): "agree to the last bit",
    Rounding(): "agree to within rounding",
    Counter(32, "steps-vs-epochs"): "b counts steps, a counts epochs. An epoch is 32 steps, so b runs through its "
    "schedule 32 times as fast",
    Counter(1 / 32, "steps-vs-epochs"): "a counts steps, b counts epochs. An epoch is 32 steps",
    Counter(4, "gradient-accumulation"): "b counts batches, a counts updates",
    Counter(0.25, "gradient-accumulation"): "a counts batches, b counts updates",
    Counter(25, "unconverted-rate"): "b multiplies its rate by 0.99 at every step, a only once in 25 steps",
    Counter(
        1 / 3, "unknown"
    ): "a runs through its schedule 3 times as fast as b: its rate at step n is b's rate at step 3 · n",
    Shift(1): "b is 1 step ahead of a: at step n it has a's rate of step n + 1",
    Shift(-1): "a is 1 step ahead of b",
    Shift(64): "b is 64 steps (2 epochs) ahead of a",
    Scale(2.0): "b's rate is 2 times a's at every step",
    Scale(0.25): "a's rate is 4 times b's at every step",
    Staircase("a", 25): "a is a staircase, b is not: for 25 steps at a time a holds the rate that b has",
    Staircase("b", 32): "b is a staircase, a is not: for 32 steps (1 epoch) at a time",
    Factor(factor_a=0.95, factor_b=0.9): "a multiplies its rate by 0.95 every 25 steps, b by 0.9",
    Factor(decay_rate_a=0.5, decay_rate_b=1.0): "a's decay rate is 0.5 every 25 steps, b's is 1",
    Period(800, 25): "its period is 800 steps (25 epochs) in a and 25 steps in b",
    Parameters(
        (("warmup_steps", 32, 100), ("peak", 0.1, 0.2))
    ): "2 numbers differ: the warm-up is 32 steps (1 epoch) in a "
    "and 100 steps in b; the highest rate is 0.1 in a and 0.2 in b",
    Parameters((("milestone", 100, 150),)): "but the rate changes at step 100 in a and at step 150 in b",
    Floor("b", 1e-5): "equal until b stops falling at a rate of 1e-05; a keeps falling",
    Tail("a", 200): "end at step 200. From there a holds its rate and b rises again",
    Tail("b", 200): "end at step 200. From there b holds its rate and a keeps falling",
    Warmup("b", 50, "aligned"): "b warms up over its first 50 steps, a does not. From then on both have the same",
    Warmup("a", 32, "delayed"): "a warms up over its first 32 steps (1 epoch), b does not. Then a starts b's "
    "schedule, 32 steps late",
    Warmup(
        "b", 64, "aligned", step=640
    ): "until step 640. There b warms up once more, over 64 steps (2 epochs). From then",
    Warmup("a", 64, "delayed", step=640): "Then a goes on where it was, 64 steps late",
    Shift(-32, step=640): "until step 640. From there on a is 32 steps (1 epoch) ahead of b",
    Period(
        320, 640, 160, "before"
    ): "until step 160. From there on they follow the same kind of schedule, but it lasts "
    "320 steps (10 epochs) in a and 640 steps (20 epochs) in b",
    Period(320, 640, 160, "after"): "Until step 160 both follow the same kind of schedule, but it lasts 320 steps",
    Reset("b", 1600, 0.25): "There b starts its schedule again, not from the full rate but from 0.25 times that",
    NeverFalls("a", 601): "a keeps its highest rate to the end, and b falls from step 601 on",
    Skipped("b", 3, 2): "b falls behind a in 2 places, by 3 steps in the end: there it has a's rate of 3 steps before",
    Reset("b", 1600): "until step 1,600. There b starts its schedule again from the beginning",
    ExtraDecay("b", 150, 0.5): "From there on b has 0.5 times the rate of a",
    ExtraDecay("a", 150, 2.0): "From there on a has 0.5 times the rate of b",
    Gaps(0, 3, 1, 0, 17, None, 17): "a has 1 row twice; b lacks 3 steps, the first at step 17.",
    Gaps(40, 1, 0, 2, 0, 0, 150): "a lacks 40 steps, the first at step 0; b lacks 1 step, step 150 and has 2 rows "
    "twice.",
    Length(1600, 1280): "a ends after 1,600 steps (50 epochs) and b after 1,280 steps (40 epochs)",
    Family("linear", "cosine", "linear:…", "cosine:…"): "a is linear (linear:…), b is cosine (cosine:…)",
    Unexplained(): "None of the causes",
}

causes_found = pytest.mark.parametrize("cause", FOUND, ids=lambda cause: cause.name)
causes_said = pytest.mark.parametrize("cause", SAID, ids=repr)
every_cause = pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)


def turned(cause):
    """What is to be found with a and b exchanged."""
    if isinstance(cause, Parameters):
        return Parameters(tuple((name, b, a) for name, a, b in cause.numbers))
    values = {}
    for name, value in cause.parameters.items():
        if name[-2:] in ("_a", "_b"):
            values[name[:-1] + other(name[-1])] = value
        elif name == "side":
            values[name] = other(value)
        elif name == "factor":
            values[name] = 1 / value
        else:
            values[name] = -value if isinstance(cause, Shift) else value
    return type(cause)(**values)


def test_every_cause_is_found_and_said_somewhere():
    assert {type(cause) for cause in FOUND} == {type(cause) for cause in SAID} == set(CAUSES)


@causes_found
def test_found_with_its_parameters_both_ways_round(cause):
    a, b = FOUND[cause]
    for diagnosis, expected in ((diagnose(a, b, EPOCH), cause), (diagnose(b, a, EPOCH), turned(cause))):
        assert diagnosis.cause == expected
        assert diagnosis.verdict == expected.verdict


@causes_said
def test_sentences_have_numbers_units_and_the_right_side(cause):
    first = Difference(201, 0.0, 1.0) if cause.parameters.get("side") == "a" else Difference(201, 0.5, 1.0)
    assert SAID[cause] in cause.sentences(scene("staircase", "every-step", first=first))


@causes_said
def test_the_code_of_every_fix_is_python(cause):
    scenes = [scene(first, "smooth", first=Difference(100, 0.1, 0.2)) for first in SCHEDULES]
    scenes += [scene("smooth", second, first=Difference(100, 0.1, 0.2)) for second in SCHEDULES]
    for known in [*scenes, scene()]:  # of the last, neither schedule is known
        fix = cause.fixes(known)
        assert fix.advice.endswith((".", ":")), fix.advice
        for code in fix.code.values():
            ast.parse(code)


@causes_said
def test_what_it_shows_in_a_notebook_makes_it_again(cause):
    assert eval(repr(cause), {type(cause).__name__: type(cause)}) == cause


@every_cause
def test_its_docstring_is_its_page(cause):
    parts = ["What you see", "How it comes about", "The fix", "See also"]
    own = [field.name for field in fields(cause) if field.repr]
    assert list(cause.sections()) == (["Attributes"] if own else []) + parts
    assert list(cause.attributes()) == own
    assert page(cause.name).startswith(f"{cause.name}: {cause.meaning()}\n\n")
    assert all(text in page(cause.name) for part in cause.sections().values() for text in part.splitlines())


@every_cause
def test_it_is_alike_causes_that_there_are_and_says_so_once(cause):
    for also in map(named, cause.alike):
        assert also is not cause
        assert cause.name not in also.alike


@pytest.mark.parametrize("reading", READINGS)
def test_the_readings_of_a_counter_are_on_its_page(reading):
    assert f"`{reading}`" in page("counter")


def test_every_room_is_in_the_tuple():
    rooms = [
        importlib.import_module(f"samestep._compare.causes.{room.name}")
        for room in pkgutil.iter_modules(causes.__path__)
    ]
    kinds = {kind for room in rooms for kind in vars(room).values() if isinstance(kind, type)}
    assert {kind for kind in kinds if issubclass(kind, Cause)} == {Cause, *CAUSES}
    assert len({cause.name for cause in CAUSES}) == len(CAUSES)


def test_every_cause_is_drafted_in_the_benchmark():
    drafted = {label.split(",")[0] for label in drafts.EVERY if " and " not in label}
    same = {cause.name for cause in CAUSES if cause.verdict == "same"}
    assert drafted | same | {"unexplained"} == {cause.name for cause in CAUSES}


def test_what_is_no_cause_names_all_that_are():
    with pytest.raises(CompareError, match=r"no cause 'decay'\. Write one of identical, rounding, .*, unexplained"):
        page("decay")


def test_two_causes_are_both_said_and_fixed():
    both = Warmup("a", 50, "delayed", second=Shift(1))
    said = both.sentences(scene())
    assert said.startswith("Two causes at once. a warms up")
    assert "b is 1 step ahead of a" in said
    fix = both.fixes(scene(frameworks=("", "torch"), first=Difference(0, 0.01, 0.1)))
    assert "SequentialLR" in fix.code["PyTorch"]
    assert "before both steps" in fix.code["PyTorch"]
    assert both.more == "More on this: samestep why warmup shift"
    assert both.label == "warmup and shift"
    assert repr(both) == "Warmup(side='a', steps=50, then='delayed', second=Shift(steps=1))"


@pytest.mark.parametrize(
    ("framework", "languages"),
    [("tensorflow", {"Keras"}), ("keras", {"Keras"}), ("torch", {"PyTorch"}), ("lightning", {"PyTorch"}),
     ("hugging-face", {"PyTorch"}), ("csv", {"Keras", "PyTorch"}), ("wandb", {"Keras", "PyTorch"})],
)  # fmt: skip
def test_code_is_for_the_framework_at_hand(framework, languages):
    known = scene(None, "staircase", frameworks=("torch", framework))
    assert set(Counter(32, "steps-vs-epochs").fixes(known).code) == languages


@causes_said
@pytest.mark.parametrize("meant", ["a", "b"])
@pytest.mark.parametrize("kinds", [(None, None), ("staircase", "every-step"), ("warm-up", "linear")], ids=str)
def test_a_fix_leaves_what_was_given_as_the_schedule(cause, meant, kinds):
    frameworks = ("schedule", "torch") if meant == "a" else ("torch", "schedule")
    known = scene(*kinds, frameworks=frameworks, first=Difference(0, 0.01, 0.1))
    fix = cause.fixes(known)
    changed = rf"\b(give|make|let|start|step|divide|multiply|remove|convert|of) {meant}\b(?!'s)"
    asked = re.sub(rf"the \w+( \w+)? of {meant}\b|\bas {meant}\b", "", fix.advice)
    assert not re.search(changed, asked, re.IGNORECASE), fix.advice
    assert not re.search(rf"(start|make|step|convert) the \w+ of {meant}\b", fix.advice, re.IGNORECASE), fix.advice
    assert f"{meant} is right" not in fix.advice
    assert f"{other(meant)} is right" not in fix.advice


def test_what_was_meant_is_not_what_is_changed():
    for meant, code in ((("torch", "schedule"), "ExponentialLR"), (("schedule", "torch"), "LinearLR")):
        assert code in Scale(2.0).fixes(scene("linear", "smooth", frameworks=meant)).code["PyTorch"]
