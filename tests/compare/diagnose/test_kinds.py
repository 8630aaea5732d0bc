"""Kinds of everyday pairs that were once answered wrongly, each in small: rates of closed forms, logged as people do."""

import numpy as np
import pytest
from cause_helpers import rates

import samestep
from samestep._compare.causes.extra_decay import ExtraDecay
from samestep._compare.causes.factor import Factor
from samestep._compare.causes.never_falls import NeverFalls
from samestep._compare.causes.parameters import Parameters
from samestep._compare.causes.reset import Reset
from samestep._compare.causes.shift import Shift
from samestep._compare.causes.warmup import Warmup
from samestep._compare.diagnose import diagnose
from samestep._compare.infer import infer
from samestep._compare.rates import Rates
from samestep._compare.readers.digits import written_with
from samestep._compare.runs.going_on import going_on
from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import parse


def per_epoch(text, epoch, steps):
    """The rates of a schedule that counts epochs, with one call after each."""
    return np.repeat(parse(text).rate(np.arange(-(-steps // epoch)), Clock.STEPS), epoch)[:steps]


def logged(lr, every=1, offset=0, digits=None, base=0):
    """Every so many rows, with so many significant digits."""
    step = np.arange(offset, len(lr), every)
    kept = np.asarray(lr)[step]
    if digits is None:
        return Rates.of(step + base, kept)
    written = np.array([float(f"{rate:.{digits}g}") for rate in kept])
    half = 0.5 * 10.0 ** (np.floor(np.log10(np.maximum(written, 1e-300))) + 1 - digits)
    return Rates.of(step + base, written, np.where(written > 0, half, 0.0))


def stairs(milestones, steps, initial=0.1, factor=0.1):
    return initial * factor ** np.searchsorted(milestones, np.arange(steps), side="right")


def cycles(count, over, steps, warm=20):
    text = (
        f"warmup:initial=0,over={warm} steps,then=(cosine-cycles:initial=1e-3,floor=0,over={over} steps,cycles={count})"
    )
    return parse(text).rate(np.arange(steps), Clock.STEPS)


@pytest.mark.parametrize(("a", "b"), [(1, 3), (3, 4), (2, 3), (4, 1)])
@pytest.mark.parametrize("every", [1, 5])
def test_another_number_of_cycles_is_named(a, b, every):
    """940 steps hold no whole cycles of a third of them."""
    found = diagnose(logged(cycles(a, 940, 960), every), logged(cycles(b, 940, 960), every))
    assert found.cause == Parameters((("cycles", float(a), float(b)),))


def test_a_length_of_cycles_is_the_run_s_and_not_twice_as_tidy():
    found = infer(logged(cycles(4, 355, 375), 10, 9, digits=5))
    assert (found.schedule.then.cycles, found.schedule.then.over.count) == (4, 355)


@pytest.mark.parametrize("total", [(4000, 8000), (3000, 2500)])
def test_a_warm_up_that_is_over_before_the_first_row_follows_from_the_cosine(total):
    texts = [
        f"warmup:initial=0,over=50 steps,then=(cosine:initial=3e-4,floor=0,over={each - 50} steps,after=hold)"
        for each in total
    ]
    a, b = (logged(parse(text).rate(np.arange(2500), Clock.STEPS), 100, 99) for text in texts)
    assert infer(a).schedule == parse(texts[0])
    assert (diagnose(a, b).cause.period_a, diagnose(a, b).cause.period_b) == total


def test_one_cycle_with_few_decimals_holds_its_peak_for_a_while():
    one, other = (
        parse(
            f"one-cycle:max_lr=0.01,div_factor=25,final_div_factor=1e4,pct_start={part},over=1000 steps,"
            "anneal_strategy=cos,after=hold"
        ).rate(np.arange(1000), Clock.STEPS)
        for part in (0.3, 0.4)
    )
    step = np.arange(1000)
    a, b = (Rates.of(step, np.round(lr, 6), 5e-7) for lr in (one, other))
    assert diagnose(a, b).cause == Parameters((("pct_start", 0.3, 0.4),))


def test_a_line_that_is_looked_up_once_per_epoch_goes_on_to_0():
    """The last epoch does not show that a rate holds."""
    a, b = (
        logged(per_epoch(text, 98, 1176), digits=6)
        for text in ("linear:initial=1e-3,end=0,over=12 steps", "polynomial:initial=1e-3,end=0,power=2,over=12 steps")
    )
    assert infer(a).schedule.end == 0
    assert diagnose(a, b, Clock(98, 1)).cause == Parameters((("power", 1.0, 2.0),))


def test_stairs_that_are_looked_up_once_per_epoch_change_with_an_epoch():
    """43 steps, asked every 50, fall twice at step 350; so does a run that decayed twice there."""
    a = 0.1 * 0.9 ** (np.arange(500) // 50)
    b = np.where(np.arange(500) >= 350, 0.9 * a, a)
    assert diagnose(logged(a), logged(b)).cause == ExtraDecay("b", 350, 0.9)


def test_the_last_stair_may_have_one_row():
    milestones = [475, 800, 1225]
    found = infer(logged(stairs(milestones, 1250), 25))
    assert found.schedule.values[-1] == pytest.approx(1e-4)
    assert infer(logged(np.where(np.arange(1250) >= 1225, 0.03, stairs(milestones[:2], 1250)), 25)) is None


def test_milestones_between_the_rows_of_one_side_are_those_of_the_other():
    a, b = stairs([3800, 5025], 6250), stairs([4168, 5025], 6250)
    cause = diagnose(logged(a, 100), logged(b)).cause
    assert [name for name, *_ in cause.numbers] == ["milestone"]
    assert cause.numbers[0][2] == 4168
    assert abs(cause.numbers[0][1] - 3800) < 100
    lower = stairs([4500, 6750], 9000, factor=0.5)
    assert diagnose(logged(stairs([4500, 6750], 9000), 50, 49), logged(lower, 50)).cause == Factor(0.1, 0.5)


@pytest.mark.parametrize(("every", "digits"), [(1, 3), (10, None)])
@pytest.mark.parametrize(
    "kind", ["polynomial:initial=0.1,end=0,power=2,over=20 steps", "linear:initial=0.1,end=0,over=20 steps"]
)
def test_a_new_start_from_the_decayed_rate_may_hold_it_for_an_epoch(kind, every, digits):
    rate, at = per_epoch(kind, 98, 1960), 490
    again = np.concatenate([rate[:at], rate[: 1960 - at] * (rate[at] / rate[0])])
    cause = diagnose(logged(rate, every, digits=digits), logged(again, every, digits=digits), Clock(98, 1)).cause
    assert (type(cause), cause.side, cause.step) == (Reset, "b", at)
    assert cause.factor == pytest.approx(rate[at] / rate[0], rel=1e-4)


def test_stairs_that_rise_to_the_full_rate_have_begun_again():
    a = stairs([756, 1008], 1260, factor=0.2)
    b = np.concatenate([a[:945], a[: 1260 - 945]])
    assert diagnose(logged(a), logged(b)).cause == Reset("b", 945)


@pytest.mark.parametrize("by", [50, -50])
def test_an_epoch_that_was_left_out_or_repeated_is_whole(by):
    """Rows every 50 and 100 steps allow any number of steps up to an epoch; past its end a schedule holds."""
    rate = per_epoch("cosine:initial=0.01,floor=0,over=60 steps,after=hold", 50, 3100)
    asked = np.arange(3000)
    b = rate[np.where(asked >= 1800, asked + by, asked)]
    assert diagnose(logged(rate[:3000], 100, 99), logged(b, 50, 49), Clock(50, 1)).cause == Shift(by, 1800)


def test_a_warm_up_of_any_shape_is_no_shift():
    after = stairs([125, 250, 375], 500, 0.02)
    head = np.repeat([2e-5, 0.005015, 0.01001, 0.015005], 25)
    a = np.concatenate([head, after[:400]])
    assert diagnose(logged(a, 10, 9), logged(after, 10, 9)).cause == Warmup("a", 100, "delayed")


def test_a_warm_up_that_leaves_the_end_leaves_less_of_the_stable_phase():
    text = "sequence:schedules=[(constant:initial=3e-5),(cosine:initial=3e-5,floor=0,over=120 steps,after=hold)]"
    a = rates(f"warmup:initial=0,over=200 steps,then=({text},milestones=[880 steps])", 1200, Clock.STEPS)
    b = rates(f"{text},milestones=[1080 steps]", 1200, Clock.STEPS)
    assert diagnose(a, b).cause == Warmup("a", 200, "aligned")


def test_a_warm_up_that_begins_at_its_first_part_has_one_number():
    """nanoGPT's ``(n + 1) / (w + 1)``: the rate it begins at follows from its length."""

    def rate(warm):
        n = np.arange(1500)
        later = 3e-5 + 2.7e-4 * (1 + np.cos(np.pi * np.clip((n - warm) / (1500 - warm), 0, 1))) / 2
        return np.where(n < warm, 3e-4 * (n + 1) / (warm + 1), later)

    assert diagnose(logged(rate(100)), logged(rate(90))).cause == Parameters((("warmup_steps", 100, 90),))


def test_a_log_that_is_a_step_off_has_no_other_warm_up():
    text = "warmup:initial=0,over=50 steps,then=(constant:initial=1e-3)"
    lr = parse(text).rate(np.arange(5001), Clock.STEPS)
    assert diagnose(logged(lr[:5000], 10, 9), logged(lr[1:], 10, 9)).cause == Shift(1)


def test_what_falls_between_rows_that_both_have_is_seen():
    """a has a row every 10 steps, b one for each: the last row before the fall is not the one before the difference."""
    a = stairs([4704], 11760)
    found = diagnose(logged(a, 10), logged(np.full(11760, 0.1)), Clock(196, 1))
    assert found.cause == NeverFalls("b", 4704)


def test_two_numbers_of_stairs_need_two_changes():
    a, b = stairs([4900], 9800, factor=0.5), stairs([4900, 7840], 9800, factor=0.2)
    cause = diagnose(logged(a, 100), logged(b, 100)).cause
    assert cause.second is None
    assert not isinstance(cause, Parameters)


def test_a_row_per_epoch_shows_where_stairs_change():
    """The first difference is at the epoch, though b has no row there."""
    a = Rates.of(np.arange(0, 200, 10), 0.01 * 0.5 ** (np.arange(0, 200, 10) // 20))
    step = np.arange(3, 200, 4)
    b = Rates.of(step, np.where(step >= 30, 0.5, 1.0) * 0.01 * 0.5 ** (step // 20))
    found = diagnose(a, b, Clock(10, 1))
    assert found.first_difference.step == 30
    assert found.cause == ExtraDecay("b", 30, 0.5)


def test_numbers_that_are_evenly_spaced_were_not_cut():
    """The rates of a short warm-up are 0.0002, 0.0004, …: no format of one digit."""
    even = np.array([0.0, 0.0002, 0.0004, 0.0006, 0.0008, 0.001])
    assert written_with(even, None)[1]["digits"] == 6
    ten = np.minimum(np.arange(60), 10) / 1e5
    assert written_with(ten, None)[1]["digits"] == 6
    assert written_with(np.round(np.arange(60) / 3e5, 5), None)[1]["digits"] == 2
    assert written_with(np.round(np.arange(1, 300) * 1e-6, 6), None)[1] == {"decimals": 6, "digits": 3}
    assert written_with(np.array([0.0001, 0.0003, 0.0004, 0.0007, 0.0008]), None)[1]["digits"] == 1


def test_steps_that_begin_anew_within_stairs_go_on():
    lr = per_epoch("cosine:initial=0.01,floor=0,over=100 steps,after=hold", 63, 6300)
    step = np.concatenate([np.arange(1575), np.arange(6300 - 1575)])
    read = going_on(step, lr)
    assert read.step.tolist() == list(range(6300))
    assert read.said


@pytest.mark.parametrize("other", ["log", "schedule"])
def test_steps_that_begin_anew_are_read_as_the_other_side_says(other, tmp_path):
    """The stairs of a whole half fall at the new beginning: its rows alone leave open whether the run began again."""
    text = "exponential:initial=0.1,factor=0.1,every=300 steps,staircase"
    lr = [0.1 * 0.1 ** (step // 300) for step in range(900)]
    whole, anew = tmp_path / "whole.csv", tmp_path / "anew.csv"
    for path, step in ((whole, range(900)), (anew, [*range(300), *range(600)])):
        path.write_text("step,lr\n" + "".join(f"{at},{rate!r}\n" for at, rate in zip(step, lr, strict=True)))
    found = samestep.compare(whole if other == "log" else text, anew)
    assert found.verdict == "same"
    assert "begin anew 1 time while the rates go on" in str(found)
    began_again = tmp_path / "again.csv"
    rows = [*enumerate(lr[:300]), *enumerate(lr[:600])]
    began_again.write_text("step,lr\n" + "".join(f"{at},{rate!r}\n" for at, rate in rows))
    assert samestep.compare(began_again, text).verdict == "same"


def test_a_run_that_is_an_epoch_late_did_not_begin_again():
    """Nothing that the first epoch did was undone."""
    a = per_epoch("polynomial:initial=0.2,end=0,power=0.9,over=30 steps,cycle=false", 50, 1500)
    b = np.concatenate([a[:50], a[:-50]])
    assert diagnose(logged(a, 10), logged(b, 10)).cause == Shift(-50)


def test_stairs_that_are_an_epoch_early_are_that():
    a, b = stairs([128, 224, 352], 384, factor=0.2), stairs([96, 192, 320], 384, factor=0.2)
    assert diagnose(logged(a, 10, 9), logged(b), Clock(32, 1)).cause == Shift(32)


def test_rows_at_the_beginnings_of_epochs_leave_open_how_often_a_rate_is_looked_up():
    a = per_epoch("cosine:initial=0.1,floor=1e-5,over=100 steps,after=hold", 25, 2500)
    b = np.concatenate([a[:25], a[:-25]])
    assert diagnose(logged(a, 50), logged(b, 10, digits=5)).cause == Shift(-25)


def test_a_new_start_within_thinned_rows_is_at_the_beginning_of_an_epoch():
    a = per_epoch("exponential:initial=0.1,factor=0.97,every=1 steps", 25, 3000)
    b = np.concatenate([a[:1500], a[:1500]])
    assert diagnose(logged(a, 100, 100), logged(b, 100, 99)).cause == Reset("b", 1500)


def test_an_epoch_that_was_left_out_is_seen_from_its_first_step_on():
    """a has a row every 100 steps; its schedule says what lies between."""
    a = per_epoch("cosine:initial=0.1,floor=1e-4,over=120 steps,after=hold", 79, 9480)
    b = np.concatenate([a[:5688], a[5767:], np.full(79, 1e-4)])
    assert diagnose(logged(a, 100), logged(b), Clock(79, 1)).cause == Shift(79, 5688)


def test_a_schedule_that_is_stepped_per_epoch_runs_so_much_slower():
    """The rows of a lie 100 steps apart, and an epoch has 196."""
    a = per_epoch("exponential:initial=0.1,factor=0.9,every=1 steps", 196, 11760)
    b = parse("exponential:initial=0.1,factor=0.9,every=1 steps").rate(np.arange(11760), Clock.STEPS)
    found = diagnose(logged(a.astype(np.float32), 100), logged(b))
    assert (found.cause.name, found.cause.factor) == ("counter", 196)


def test_stairs_far_below_the_first_bound_the_period():
    """Rows lie 100 steps apart: the first three changes allow 1,240 steps as well, the seventh does not."""
    texts = [f"exponential:initial=1e-3,factor={each},staircase" for each in ("0.5,every=2500 steps", "0.1,every=1250 steps")]  # fmt: skip
    a, b = (logged(parse(text).rate(np.arange(10_000), Clock.STEPS), 100) for text in texts)
    assert infer(b).schedule == parse(texts[1])
    assert diagnose(a, b).cause == Parameters((("factor", 0.5, 0.1), ("period", 2500, 1250)))


def test_stairs_that_were_rounded_to_0_go_on():
    rates = [round(1e-4 * 0.1 ** (step // 17), 8) for step in range(300)]
    _, rule = written_with(np.array(rates), lambda: list(map(str, rates)))
    assert rule["zero"] == 8
    _, rule = written_with(np.array([0.1, 0.01, 0.0]), lambda: ["0.1", "0.01", "0.0"])
    assert "zero" not in rule


def test_compiled_stairs_are_a_step_late_now_and_then():
    late = (95, 189, 282, 377, 470, 564, 658)  # as XLA multiplies by 1 / 94 in float32
    a = stairs(late, 700, 3e-4).astype(np.float32)
    assert infer(logged(a)).schedule == parse("exponential:initial=3e-4,factor=0.1,every=94 steps,staircase")


def test_a_peak_with_its_floor_is_found_from_the_side_with_more_digits():
    text = "warmup:initial={},over=117 steps,then=(cosine:initial={},floor=1e-5,over=5763 steps,after=hold)"
    a, b = (parse(text.format(each / 3, each)).rate(np.arange(5880), Clock.STEPS) for each in (0.02, 0.2))
    assert diagnose(logged(a, 100, digits=3), logged(b, 50)).cause == Parameters((("peak", 0.02, 0.2),))


def test_a_cosine_that_climbs_after_its_end_leaves_two_numbers_open_to_the_other():
    text = "warmup:initial=0,over={} steps,then=(cosine:initial=2e-4,floor=0,over={} steps,after=rise)"
    a, b = (parse(text.format(*each)).rate(np.arange(1000), Clock.STEPS) for each in ((50, 950), (30, 770)))
    found = diagnose(logged(a), logged(b))
    assert found.cause == Parameters((("warmup_steps", 50, 30), ("total_steps", 1000, 800)))


def test_one_milestone_is_looked_for_where_rows_lie_far_apart():
    a, b = stairs([675, 1350, 1800], 2250, 0.2), stairs([675, 1350, 1440], 2250, 0.2)
    found = diagnose(logged(a), logged(b.astype(np.float32), 50)).cause
    ((name, ours, theirs),) = found.numbers
    assert (name, ours) == ("milestone", 1800)
    assert 1400 < theirs <= 1450


def test_a_run_of_one_fall_and_one_of_none_lack_a_step_of_a_scheduler():
    assert diagnose(logged(stairs([490], 980)), logged(np.full(980, 0.1))).cause == NeverFalls("b", 490)


def test_factors_are_told_over_the_period_in_which_they_are_short():
    """A log of a smooth decay shows its speed, not the period that somebody wrote."""
    a = parse("exponential:initial=1e-3,factor=0.9,every=250 steps").rate(np.arange(2000), Clock.STEPS)
    b = parse("exponential:initial=1e-3,factor=0.1,every=250 steps").rate(np.arange(2000), Clock.STEPS)
    found = samestep.compare(a, b)
    assert found.cause == Factor(factor_a=0.9, factor_b=0.1)
    assert "a multiplies its rate by 0.9 every 250 steps, b by 0.1" in str(found)


@pytest.mark.parametrize(
    ("fast", "slow"),
    [
        ("factor=0.5,every=1 steps", "factor=0.9,every=2000 steps"),
        ("factor=1.5,every=1 steps", "factor=1.1,every=4000 steps"),
    ],
)
def test_a_period_after_which_nothing_is_left_is_not_where_factors_are_short(fast, slow):
    """0.5 at every step is 0 in 2,000, and 0 has no digits. A rate that grows is asked beyond what float32 holds."""
    a, b = (parse(f"exponential:initial=1e-3,{each}").rate(np.arange(100), Clock.STEPS) for each in (fast, slow))
    for one, other in ((a, b), (b, a)):
        found = diagnose(Rates.of(np.arange(100), one), Rates.of(np.arange(100), other))
        for cause in (found.cause, *found.also_possible):
            if isinstance(cause, Factor):
                assert 0 < cause.factor_a < 1e6
                assert 0 < cause.factor_b < 1e6


def test_a_way_up_that_rows_far_apart_jump_over_is_told_by_its_length():
    """Neither log has a row at its highest rate, and each has rows after it."""

    def warm(over, updates):
        text = f"warmup:initial=1e-4,over={over} steps,then=(exponential:initial=0.1,factor=0.98,every=1 steps)"
        return per_epoch(text, 25, updates)

    found = diagnose(logged(warm(10, 3000), 100, 99), logged(warm(2, 5000), 100), Clock(25, 1))
    assert found.cause == Parameters((("warmup_steps", 250, 50),))


def test_restarts_of_which_each_row_stands_elsewhere_are_not_the_shortest_that_fit():
    """Every 50th step of a cycle of 400 is also every 50th of one of 16."""
    text = "cosine-restarts:initial=1e-4,floor=0,first=400 steps,t_mul=1,m_mul=1"
    lr = parse(text).rate(np.arange(1200), Clock.STEPS)
    assert int(infer(logged(lr, 50, digits=5)).schedule.first.count) == 400
