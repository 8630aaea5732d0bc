"""A schedule as a person writes it: JSON, a file, the short form; and what is said where it is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import EXAMPLES, KINDS
from samestep.experiment.schedules.text import ScheduleError, from_json, parse, to_json, to_short

CLOCK = Clock(samples=1000, batch_size=32)
DECAY = "exponential:initial=1,factor=0.5,every=3 steps"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_way_of_writing_reads_back(tmp_path, name):
    schedule = parse(EXAMPLES[name])
    assert parse(to_short(schedule)) == schedule
    assert parse(to_json(schedule)) == from_json(to_json(schedule)) == schedule
    (tmp_path / "schedule.json").write_text(to_json(schedule))
    assert parse(str(tmp_path / "schedule.json")) == schedule


def test_flags_may_be_left_out_for_false_and_stand_alone_for_true():
    assert parse(DECAY).staircase is False
    assert parse(f"{DECAY},staircase").staircase is parse(f"{DECAY},staircase=true").staircase is True
    assert parse(f"{DECAY},staircase=false") == parse(DECAY)
    with pytest.raises(ScheduleError, match="'staircase' is missing"):
        parse('{"kind": "exponential", "initial": 1, "factor": 0.5, "every": "3 steps"}')


def test_a_key_with_its_default_is_not_written():
    short = "inverse-sqrt:initial=1.0,timescale=3 steps"
    assert to_short(parse(f"{short},power=0.5")) == short
    assert to_json(parse(short)) == '{"kind": "inverse-sqrt", "initial": 1.0, "timescale": "3 steps"}'
    assert repr(parse(short)).count("power") == 0
    assert to_short(parse(f"{short},power=1")) == f"{short},power=1.0"
    assert repr(parse(f"{short},power=1")).endswith("power=1.0)")


WRONG = {
    "unknown-kind": ("cosin:initial=1", "'cosin' is not a kind of schedule. Write one of constant, exponential,"),
    "no-such-file": ("cosine.json", "'cosine.json' is neither a file nor a schedule. Write 'exponential:"),
    "no-unit": (
        "exponential:initial=1,factor=0.5,every=25",
        "every: '25' has no unit. Write '25 steps' or '25 epochs'.",
    ),
    "unknown-key": (f"{DECAY},gama=1", "'gama' is not a key."),
    "missing-key": ("exponential:factor=0.5,every=3 steps", "the key 'initial' is missing."),
    "twice": (f"{DECAY},initial=2", "'initial' is there twice. Keep one."),
    "no-value": (f"{DECAY},over", "'over' has no value. Write over=VALUE."),
    "brackets": ("piecewise-constant:boundaries=[1 step,values=[1]", "do not match. Close each one."),
    "factor": (
        "exponential:initial=1,factor=2e9,every=3 steps",
        "factor: got 2000000000.0. Write a number of at most 1000000000.",
    ),
    "not-a-number": ("constant:initial=fast", "initial: got 'fast'. Write a number."),
    "nan": ("constant:initial=nan", "initial: got nan. Write a number."),
    "zero": ("constant:initial=0", "initial: got 0. Write a number above 0."),
    "order": (
        "piecewise-constant:boundaries=[6 epochs,3 epochs],values=[1,0.5,0.1]",
        "boundaries: '3 epochs' comes after '6 epochs'. Write them in rising order.",
    ),
    "values": ("piecewise-constant:boundaries=[3 epochs],values=[1]", "values: 1 for 1 boundaries. Write 2, one more"),
    "floor": (
        "cosine-restarts:initial=1,floor=2,first=1 epoch,t_mul=1,m_mul=2",
        "floor: 2.0 is above initial 1.0, and m_mul 2.0 takes the rates below 0.",
    ),
    "low": (
        "cyclic:low=1,max_lr=0.1,up=1 step,down=1 step,mode=exp_range,gamma=1.1",
        "low: 1.0 is above max_lr 0.1, and gamma 1.1 takes the rates below 0.",
    ),
    "t_mul": (
        "cosine-restarts:initial=1,floor=0,first=5 epochs,t_mul=0.5,m_mul=1",
        "t_mul: 0.5 shrinks the periods to nothing until 10 epochs, and Keras gives no rate from there.",
    ),
    "after": ("cosine:initial=1,floor=0,over=1 epoch,after=stop", "after: got 'stop'. Write 'hold' or 'rise'."),
    "curve": (
        "warmup:initial=0,over=1 step,then=(constant:initial=1),curve=log",
        "curve: got 'log'. Write 'linear', 'logarithm' or 'cosine'.",
    ),
    "joins": (
        "warmup:initial=0,over=1 step,then=(constant:initial=1),joins",
        "joins has no effect without overlaps. Leave it out, or write overlaps as well.",
    ),
    "gamma": (
        "cyclic:low=0,max_lr=1,up=1 step,down=1 step,mode=triangular,gamma=0.9",
        "gamma: 0.9 has no effect in mode triangular. Write 1, or mode exp_range.",
    ),
    "inner": (
        "warmup:initial=0,over=1 step,then=(exponential:initial=-1,factor=0.5,every=1 step)",
        "then.initial: got -1. Write a number above 0.",
    ),
    "inner-of-clip": (
        "clip:lowest=0.1,of=(warmup:initial=0,over=1 step,then=(constant:initial=0))",
        "of.then.initial: got 0. Write a number above 0.",
    ),
    "inner-in-list": (
        "sequence:schedules=[(constant:initial=1),(linear:initial=0,end=0,over=1 step)],milestones=[4 steps]",
        "schedules[1]: initial and end are both 0. Write one rate above 0.",
    ),
    "milestones": (
        "sequence:schedules=[(constant:initial=1),(constant:initial=2)],milestones=[4 steps,8 steps]",
        "milestones: 2 for 2 schedules. Write 1, one less than schedules.",
    ),
    "no-json": ("{", "not JSON:"),
    "no-kind": ("{}", "the key 'kind' is missing. Write one of constant,"),
    "list": ("[1]", "is neither a file nor a schedule."),
    "deep": ('{"kind":"warmup","then":' * 5000 + "}" * 5000, "no schedule: nested too deeply."),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_schedule_is_refused_in_a_line(case):
    text, says = WRONG[case]
    with pytest.raises(ScheduleError) as error:
        parse(text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("content", "says"), [(b"\xff\xfe", "not UTF-8"), (b"", "not JSON"), (b"[1]", "Write a JSON object")]
)
def test_files_that_hold_no_schedule_are_named(tmp_path, content, says):
    path = tmp_path / "odd name.json"
    path.write_bytes(content)
    with pytest.raises(ScheduleError) as error:
        parse(str(path))
    assert str(error.value).startswith(f"{path}: ")
    assert says in str(error.value)


@given(
    st.text()
    | st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        json.dumps
    )
)
def test_any_text_is_refused_in_a_line(text):
    with pytest.raises(ScheduleError) as error:
        parse(text)  # that one of these should be a schedule is beyond belief
    assert "\n" not in str(error.value)


CYCLE = "one-cycle:max_lr=1,div_factor=25,final_div_factor=1e4,anneal_strategy=cos"
FITS = {
    "divided-step": (
        "linear:initial=0,end=1,over=0.3 epochs",
        "over: '0.3 epochs' is 9.6 steps with 32 steps per epoch.",
    ),
    "inner": (
        "warmup:initial=0,over=1 step,then=(linear:initial=1,end=0,over=0.3 epochs)",
        "then.over: '0.3 epochs' is 9.6 steps",
    ),
    "mixed-units": (
        "piecewise-constant:boundaries=[40 steps,1 epoch],values=[1,0.5,0.1]",
        "boundaries: '40 steps' is step 40, and '1 epoch', which is step 32, comes after it.",
    ),
    "no-rise": (
        f"{CYCLE},pct_start=0.25,over=4 steps,after=hold",
        "pct_start: 0.25 of 4 steps leaves no step to go up in, and OneCycleLR divides by zero.",
    ),
    "too-short-a-part": (
        f"sequence:schedules=[({CYCLE},pct_start=0.3,over=9 steps,after=error),(constant:initial=1)],milestones=[12 steps]",
        "schedules[0] ends after 9 steps, but lasts 12 here.",
    ),
}


@pytest.mark.parametrize("case", FITS)
def test_what_does_not_fit_the_clock_is_refused(case):
    text, says = FITS[case]
    with pytest.raises(ValueError, match=r".") as error:
        parse(text).whole_steps(CLOCK)
    assert says in str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_public_docstrings_give_formula_and_source(kind):
    assert "Source:" in KINDS[kind].__doc__
