"""`samestep.explain`: what a change is, and the timeline of a log."""

import time

import numpy as np
import pandas as pd
import pytest
from compare_helpers import trace_file

import samestep
from samestep._compare.rates import Rates
from samestep._compare.runs.run import CompareError
from samestep._compare.schedule.timeline import starts_again
from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import parse

STAIRS = "exponential:initial=0.001,factor=0.95,every=25 steps,staircase"
RUN = {"samples": 1000, "batch_size": 32}


def rates(text, count=400, stepping="step", clock=None):
    counts = clock or Clock.STEPS
    return parse(text).rate(counts.looked_up(np.arange(count), stepping), counts)


CHANGES = {
    "linear:initial=0.1,end=0.1,over=10 steps": 0,
    "polynomial:initial=0.1,end=0.1,power=2,over=100 steps": 0,
    "polynomial:initial=0.3,end=0.3,power=0.7,over=90 steps,cycle": 0,
    "cosine:initial=0.1,floor=0.1,over=70 steps,after=rise": 0,
    "cyclic:low=0.07,max_lr=0.07,up=3 steps,down=5 steps,mode=triangular,gamma=1": 0,
    "exponential:initial=0.1,factor=1,every=3 steps": 0,
    "warmup:initial=0.3,over=7 steps,then=(constant:initial=0.3)": 0,
    "product:schedules=[(polynomial:initial=0.1,end=0.1,power=3,over=50 steps),(linear:initial=1,end=1,over=9 steps)]": 0,
    "linear:initial=0.1,end=0.1000001,over=10 steps": 10,
    "exponential:initial=0.1,factor=0.999999999999,every=1 step": 319,
    "polynomial:initial=0.1,end=0,power=5,over=300 steps": 300,
    "cosine:initial=0.1,floor=0,over=300 steps,after=hold": 300,
    STAIRS: 12,
}


@pytest.mark.parametrize("text", CHANGES)
def test_rounding_is_no_change(text):
    explained = samestep.explain(text, **RUN, epochs=10)
    assert explained.steps == 320
    assert explained.changes == CHANGES[text]
    assert samestep.explain(rates(text, 320)).changes == CHANGES[text]


def test_a_change_within_a_million_steps_is_seen():
    text = "cosine:initial=0.1,floor=0,over=1000000 steps,after=hold"
    assert samestep.explain(text, samples=1000, batch_size=1, epochs=1000).changes == 999_999


def test_a_log_is_explained_as_its_schedule(tmp_path):
    log = samestep.explain(trace_file(tmp_path / "log.csv", rates(STAIRS, 1600)), **RUN)
    typed = samestep.explain(STAIRS, **RUN, epochs=50)
    assert log.schedule == typed.schedule
    assert (log.changes, log.starts_again) == (typed.changes, ())
    assert [(each.step, each.lr) for each in log.shown] == [(each.step, each.lr) for each in typed.shown]
    assert [each.says for each in log.warnings] == [each.says for each in typed.warnings]
    assert "perhaps 25 epochs were meant" in log.warnings[0].says
    told = log.to_json()
    assert told["inferred"] == STAIRS
    assert told["first_change"] == {"step": 25, "epoch": 0, "batch": 25}
    assert (told["rows"], told["first_step"], told["last_step"]) == (1600, 0, 1599)
    assert len(log.table) == 1600
    assert [title for axes in log.figure().axes if (title := axes.get_title("left"))] == [
        str(tmp_path / "log.csv"),
        "The first 96 steps; faint lines are epoch boundaries",
    ]


def test_a_short_run_has_no_warning_of_an_epoch_that_it_does_not_reach():
    assert samestep.explain(rates(STAIRS, 30), **RUN).warnings == ()


@pytest.mark.parametrize("kind", [list, np.array, lambda lr: pd.DataFrame({"lr": lr})])
def test_whatever_compare_takes_is_explained(kind):
    explained = samestep.explain(kind(rates(STAIRS).tolist()))
    assert explained.schedule == parse(STAIRS)
    assert explained.clock is None
    assert explained.to_json()["first_change"] == {"step": 25, "epoch": None, "batch": None}
    assert "first changes at step 25, to 0.00095: 15 changes in 400 rows." in str(explained)


def test_a_log_that_follows_nothing_known_says_where_it_changes():
    rng = np.random.default_rng(7)
    lr = np.repeat(rng.uniform(0.01, 0.1, 40), rng.integers(3, 12, 40))
    explained = samestep.explain(lr)
    assert explained.schedule is None
    assert explained.changes == 39
    assert "follows no schedule that samestep knows" in str(explained)
    assert f"first changes at step {int(np.flatnonzero(np.diff(lr))[0]) + 1}, to" in str(explained)


def test_a_constant_log_never_changes():
    explained = samestep.explain([0.1] * 50)
    assert "The rate begins at 0.1 and never changes in 50 rows." in str(explained)
    assert explained.first_change is None
    explained.figure()


def test_a_thinned_log_says_how_late_a_change_may_be_seen(tmp_path):
    step = np.arange(9, 1000, 10)
    lr = rates("linear:initial=0.1,end=0,over=1000 steps", 1000)[step]
    said = str(samestep.explain(trace_file(tmp_path / "log.csv", lr, step=step), log={"step_base": 0}))
    assert "The rate begins at 0.0991, at step 9, and first changes at step 19" in said
    assert "The rows are 10 steps apart: a change may lie up to 9 steps before its row." in said


def test_what_was_assumed_of_a_log_is_said_with_the_option_that_settles_it(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("step,lr\n" + "".join(f"{step + 1},{lr!r}\n" for step, lr in enumerate(rates(STAIRS).tolist())))
    said = str(samestep.explain(str(log)))
    assert "assumed: The log's first step is 1. If it counts from 1, give --log step_base=1." in said
    counted = samestep.explain(str(log), log={"step_base": 1, "lr_timing": "used"})
    assert counted.schedule == parse(STAIRS)
    assert "assumed: " not in str(counted)


AGAIN = {
    "cosine restarts": ("cosine-restarts:initial=0.1,floor=0,first=50 steps,t_mul=2,m_mul=1", [50, 150, 350]),
    "restarts that fade": ("cosine-restarts:initial=0.1,floor=0,first=100 steps,t_mul=1,m_mul=0.5", [100, 200, 300]),
    "cycles": ("cyclic:low=0.01,max_lr=0.1,up=40 steps,down=60 steps,mode=triangular,gamma=1", [100, 200, 300]),
    "short restarts": ("cosine-restarts:initial=0.1,floor=0,first=4 steps,t_mul=1,m_mul=1", list(range(4, 400, 4))),
    "a warm-up": ("warmup:initial=0,over=50 steps,then=(linear:initial=0.1,end=0,over=300 steps)", []),
    "a cosine that climbs again": ("cosine:initial=0.1,floor=0,over=100 steps,after=rise", [200]),
    "a constant": ("constant:initial=0.1", []),
    "steps up and down": ("piecewise-constant:boundaries=[50 steps,90 steps],values=[0.01,0.1,0.05]", []),
    "stairs": (STAIRS, []),
}


@pytest.mark.parametrize("case", AGAIN)
def test_where_a_log_starts_again(case):
    text, steps = AGAIN[case]
    assert list(samestep.explain(rates(text)).starts_again) == steps


@pytest.mark.parametrize("apart", [1, 5, 10])
@pytest.mark.parametrize("text", [STAIRS, "cosine:initial=0.1,floor=0,over=380 steps,after=hold",
                                  "warmup:initial=0.001,over=60 steps,then=(linear:initial=0.1,end=0,over=400 steps)"])  # fmt: skip
def test_a_reset_starts_again(text, apart):
    lr = np.concatenate([rates(text, 200), rates(text, 300)])
    step = np.arange(500)[::apart]
    assert [int(step[row]) for row in starts_again(Rates.of(step, lr[step]))] == [200]


def test_a_second_warm_up_starts_again():
    lr = np.concatenate([
        rates("warmup:initial=0,over=50 steps,then=(linear:initial=0.1,end=0,over=400 steps)", 200),
        rates("warmup:initial=0,over=30 steps,then=(linear:initial=0.06,end=0,over=250 steps)", 200),
    ])  # fmt: skip
    for apart in (1, 5):
        step = np.arange(400)[::apart]
        assert [int(step[row]) for row in starts_again(Rates.of(step, lr[step]))] == [200]


@pytest.mark.parametrize("seed", range(5))
def test_noise_does_not_start_again(seed):
    rng = np.random.default_rng(seed)
    assert samestep.explain(rng.random(300)).starts_again == ()
    assert samestep.explain(0.1 + 0.001 * rng.random(300)).starts_again == ()


def test_a_million_rows_are_looked_through_at_once():
    lr = rates("cosine-restarts:initial=0.1,floor=0,first=100000 steps,t_mul=1,m_mul=0.9", 1_000_000)
    begun = time.perf_counter()
    assert starts_again(Rates.of(np.arange(1_000_000), lr)) == list(range(100_000, 1_000_000, 100_000))
    assert time.perf_counter() - begun < 2


def test_stairs_that_climb_after_they_fell_do_not_start_again():
    wave = np.concatenate([np.arange(10, 0, -1), np.arange(2, 10)]) / 10
    assert starts_again(Rates.of(np.arange(180), np.repeat(wave, 10))) == []


def test_options_that_have_no_effect_are_refused(tmp_path):
    log = trace_file(tmp_path / "log.csv", rates(STAIRS))
    with pytest.raises(CompareError, match=r"^epochs is about a schedule; here is a log. Leave it out."):
        samestep.explain(log, epochs=3)
    with pytest.raises(CompareError, match=r"^stepping is about a schedule; here is a log. Leave it out."):
        samestep.explain(log, stepping="step")
    with pytest.raises(CompareError, match=r"^arm is about a log; here is a schedule. Leave it out."):
        samestep.explain(STAIRS, **RUN, epochs=3, arm="x")
    with pytest.raises(CompareError, match=r"^log is about a log; here is a schedule. Leave it out."):
        samestep.explain(STAIRS, **RUN, epochs=3, log={"step_base": 1})
    with pytest.raises(CompareError, match=r"The length of the run is needed. Write epochs."):
        samestep.explain(STAIRS, **RUN)


def test_several_runs_are_not_one_timeline(tmp_path):
    log = trace_file(tmp_path / "log.csv", rates(STAIRS), arm="x")
    trace_file(tmp_path / "log.csv", rates(STAIRS), arm="y")
    with pytest.raises(CompareError, match=r"2 runs \(csv/x/0, csv/y/0\). Select one with arm, framework, seed."):
        samestep.explain(log)
    assert samestep.explain(log, arm="y").schedule == parse(STAIRS)
