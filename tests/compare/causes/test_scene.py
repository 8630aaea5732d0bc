"""A fix speaks of both sides, has the whole schedule of the right one as code, and none that the rows do not show."""

import pytest
from cause_helpers import EPOCH

from samestep._compare.causes.counter import Counter
from samestep._compare.causes.family import Family
from samestep._compare.causes.parameters import Parameters
from samestep._compare.causes.scale import Scale
from samestep._compare.causes.scene import Scene, Seen
from samestep._compare.infer import Inferred
from samestep.experiment.schedules.text import parse

ONE_CYCLE = "one-cycle:max_lr=0.1,div_factor=25,final_div_factor=1e4,pct_start=0.3,over=200 steps,anneal_strategy=cos,after=hold"
LINE = "linear:initial=0.1,end={},over=200 steps"


def seen(text, framework="torch", last=199, stepping="step", **known):
    schedule = parse(text)
    size = 32 if stepping == "epoch" else 1
    return Seen(Inferred(schedule, stepping, size, 0.0, 0.1), framework, 0, last, **known)


def fix(cause, a, b, clock=None):
    return cause.fixes(Scene(a, b, clock))


def test_two_logs_have_a_fix_for_either_side():
    found = fix(Parameters((("peak", 0.1, 0.2),)), seen(LINE.format(0)), seen(LINE.format(0).replace("0.1", "0.2")))
    assert found.advice == (
        "If a is right, give b a's highest rate; if b is right, give a b's highest rate. The code is for b."
    )
    assert "lr=0.1" in found.code["PyTorch"]


@pytest.mark.parametrize("last", [199, 190])
def test_one_cycle_whose_end_the_rows_show_is_its_own_class(last):
    found = fix(Scale(2.0), seen(ONE_CYCLE, last=last, apart=10), seen(LINE.format(0)))
    assert "OneCycleLR(optimizer, max_lr=0.1, total_steps=200" in found.code["PyTorch"]


@pytest.mark.parametrize(
    ("a", "last"),
    [(seen(ONE_CYCLE, last=120), 150), (seen(ONE_CYCLE), 300), (seen(LINE.format(0.0571414), last=120), 199)],
    ids=["its rows end early", "the other run is longer", "a line to where its rows end"],
)
def test_what_the_rows_do_not_show_is_no_code(a, last):
    found = fix(Scale(2.0), a, Seen(framework="torch", last=last))
    assert not found.code
    assert found.advice.endswith(": no code.")


def test_the_other_side_has_code_where_the_likelier_cannot():
    found = fix(Scale(0.1), seen(LINE.format(0.0571414), last=120), seen(LINE.format(0)))
    assert "The code is for a: a's rows end before" in found.advice
    assert "end_factor=0.0" in found.code["PyTorch"]


def test_a_class_that_raises_is_not_for_a_run_that_goes_on():
    found = fix(Scale(2.0), seen(ONE_CYCLE, "schedule"), seen(LINE.format(0), last=300))
    assert "OneCycleLR" not in found.code["PyTorch"]
    assert "LambdaLR" in found.code["PyTorch"]


@pytest.mark.parametrize(
    "body", ["linear:initial=0.1,end=0,over=320 steps", "cosine:initial=0.1,floor=0,over=310 steps,after=hold"]
)
def test_a_schedule_looked_up_once_per_epoch_is_written_with_its_loop(body):
    found = fix(Family("linear", "constant", "", ""), seen(body, stepping="epoch"), seen("constant:initial=0.1"), EPOCH)
    assert found.code["PyTorch"].endswith("scheduler.step()  # after each epoch, not after each batch")


def said(cause, clock=None, **frameworks):
    a, b = (seen(LINE.format(0), frameworks.get(side, "torch")) for side in "ab")
    return cause.sentence(Scene(a, b, clock))


@pytest.mark.parametrize(("factor", "fast", "slow"), [(4, "b", "a"), (0.25, "a", "b")])
def test_an_unknown_pace_names_what_looks_the_same(factor, fast, slow):
    text = said(Counter(factor))
    assert f"4 processes that each step the scheduler of {fast}" in text
    assert f"a scheduler of {slow} that is stepped only once in 4 epochs" in text
    assert "accumulated over 4 batches" in text
    assert "accumulated" not in said(Counter(factor), EPOCH)  # a clock without it says that there is none
    assert "processes" not in said(Counter(factor), **{fast: "schedule"})
    assert "stepped only" not in said(Counter(factor), **{slow: "schedule"})


@pytest.mark.parametrize("factor", [2.5, 300])
def test_no_such_reason_is_named_for_a_pace_that_it_cannot_have(factor):
    assert "It may be" not in said(Counter(factor))


@pytest.mark.parametrize(
    ("framework", "words"),
    [
        ("lightning", '"interval": "step"'),
        ("hugging-face", "(learning_rate=0.1, lr_scheduler_type='linear', warmup_steps=0, max_steps=200)"),
        ("llama-factory", "TrainingArguments("),
        ("detectron2", "LinearLR(optimizer"),
    ],
)
def test_code_is_what_the_trainer_takes(framework, words):
    found = fix(Scale(2.0), seen(LINE.format(0)), seen(LINE.format(0), framework))
    assert words in found.code["PyTorch"]
    assert "Keras" not in found.code
