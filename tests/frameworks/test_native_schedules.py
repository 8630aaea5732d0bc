"""Every schedule of the vocabulary on the real schedulers of both frameworks: rates, round trips, and the code."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from samestep._compare.tolerance import rate_tolerance
from samestep.experiment.clock import Clock, Duration
from samestep.experiment.schedules import (
    EXAMPLES,
    KINDS,
    CosineDecay,
    ExponentialDecay,
    PiecewiseConstant,
    PolynomialDecay,
)
from samestep.experiment.schedules.text import from_json, parse, to_short

FRAMEWORKS = ("tensorflow", "torch")
PROGRAMS = Path(__file__).parents[1] / "programs"
RAGGED = Clock(samples=100, batch_size=8)  # 13 steps an epoch, the last batch of 4
DROPPED = Clock(samples=100, batch_size=8, drop_last=True)  # 12

# numbers as a person writes them: of a few digits, from the smallest to the largest that make sense
digits = st.integers(1, 9999).map(lambda n: n / 1000)
rates = st.builds(lambda n, e: float(f"{n}e{e}"), digits, st.integers(-6, 0))
levels = st.one_of(st.just(0.0), rates)
clocks = st.sampled_from([RAGGED, DROPPED, Clock(1000, 32), Clock(64, 64), Clock(7, 1)])
durations = st.one_of(
    st.sampled_from(["1 step", "2 steps", "13 steps", "12 steps", "1 epoch", "2 epochs", "3 epochs"]),
    st.integers(1, 90).map(lambda n: f"{n} steps"),
).map(Duration.parse)
rising = st.lists(st.integers(1, 60), min_size=1, max_size=4, unique=True).map(sorted)
parts = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.77, 1.0])


def in_steps(counts):
    return tuple(Duration.parse(f"{count} steps") for count in counts)


@st.composite
def piecewise(draw):
    boundaries = draw(rising)
    if draw(st.booleans()):
        first, gamma = draw(rates), draw(st.sampled_from([0.1, 0.5, 2.0]))
        values = tuple(float(f"{first * gamma**power:.12g}") for power in range(len(boundaries) + 1))
    else:
        values = tuple(draw(st.lists(levels, min_size=len(boundaries) + 1, max_size=len(boundaries) + 1)))
    assume(max(values) > 0)
    unit = draw(st.sampled_from(["steps", "epochs"]))
    found = tuple(Duration.parse(f"{count} {unit}") for count in boundaries if unit == "steps" or count <= 8)
    assume(found)
    return (
        PiecewiseConstant(boundaries=found, values=values[: len(found) + 1])
        if max(values[: len(found) + 1])
        else PiecewiseConstant(boundaries=found, values=(*values[: len(found)], 1.0))
    )


def builds(kind, **fields):
    return st.builds(KINDS[kind], **fields)


simple = {
    "constant": builds("constant", initial=rates),
    "exponential": builds(
        "exponential",
        initial=rates,
        factor=st.one_of(
            st.sampled_from([0.001, 0.5, 0.95, 0.9999, 1.0, 1.02]), st.integers(1, 999).map(lambda n: n / 1000)
        ),
        every=durations,
        staircase=st.booleans(),
    ),
    "inverse-time": builds(
        "inverse-time",
        initial=rates,
        decay_rate=st.sampled_from([1e-3, 0.5, 1.0, 40.0]),
        every=durations,
        staircase=st.booleans(),
    ),
    "inverse-sqrt": builds(
        "inverse-sqrt", initial=rates, timescale=durations, power=st.sampled_from([0.25, 0.5, 1.0, 1.7, 3.0])
    ),
    "piecewise-constant": piecewise(),
    "polynomial": builds(
        "polynomial",
        initial=rates,
        end=levels,
        power=st.sampled_from([0.5, 0.9, 1.0, 2.0, 3.5, 10.0]),
        over=durations,
        cycle=st.booleans(),
    ),
    "power": builds(
        "power", initial=levels, end=rates, power=st.sampled_from([0.5, 0.9, 1.0, 2.0, 3.5]), over=durations
    ),
    "curve": builds(
        "curve",
        initial=rates,
        end=levels,
        over=durations,
        shape=st.sampled_from(["line", "cosine", "tanh"]),
        power=st.sampled_from([0.5, 1.0, 2.0]),
        k=st.sampled_from([0.5, 1.0, 2.0]),
    ),
    "linear": builds("linear", initial=levels, end=rates, over=durations),
    "cosine": builds("cosine", initial=rates, floor=levels, over=durations, after=st.sampled_from(["hold", "rise"])),
    "cosine-cycles": st.tuples(rates, parts, durations, st.sampled_from([0.5, 1.0, 2.0, 2.5, 3.0, 7.0])).map(
        lambda drawn: KINDS["cosine-cycles"](
            initial=drawn[0], floor=float(f"{drawn[0] * drawn[1]:.6g}"), over=drawn[2], cycles=drawn[3]
        )
    ),
    "cosine-restarts": st.tuples(
        rates,
        st.one_of(parts, st.just(3.0)),
        durations,
        st.sampled_from([1.0, 1.5, 2.0, 3.0]),
        st.sampled_from([0.5, 1.0, 0.9, 1.1]),
    )
    .filter(lambda drawn: drawn[1] <= 1 or drawn[4] <= 1)
    .map(
        lambda drawn: KINDS["cosine-restarts"](
            initial=drawn[0], floor=float(f"{drawn[0] * drawn[1]:.6g}"), first=drawn[2], t_mul=drawn[3], m_mul=drawn[4]
        )
    ),
    "one-cycle": builds(
        "one-cycle",
        max_lr=rates,
        div_factor=st.sampled_from([1.0, 2.5, 25.0, 100.0]),
        final_div_factor=st.sampled_from([1.0, 10.0, 1e4]),
        pct_start=st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.85, 1.0]),
        over=durations,
        anneal_strategy=st.sampled_from(["cos", "linear"]),
        three_phase=st.booleans(),
        after=st.sampled_from(["error", "hold"]),
    ),
    "cyclic": st.tuples(
        levels,
        rates,
        durations,
        durations,
        st.sampled_from([("triangular", 1.0), ("triangular2", 1.0), ("exp_range", 0.99), ("exp_range", 1.01)]),
    )
    .filter(lambda drawn: drawn[4][1] <= 1 or drawn[0] <= drawn[1])
    .map(
        lambda drawn: KINDS["cyclic"](
            low=drawn[0], max_lr=drawn[1], up=drawn[2], down=drawn[3], mode=drawn[4][0], gamma=drawn[4][1]
        )
    ),
}
any_simple = st.one_of(*(strategy for kind, strategy in simple.items() if kind != "one-cycle"))
factors = st.one_of(
    builds(
        "exponential",
        initial=st.just(1.0),
        factor=st.sampled_from([0.5, 0.9]),
        every=durations,
        staircase=st.booleans(),
    ),
    builds("linear", initial=st.sampled_from([0.25, 1.0]), end=st.just(1.0), over=durations),
    any_simple,
)
schedules = simple | {
    "warmup": st.builds(
        lambda lies, **fields: KINDS["warmup"](**fields, **dict.fromkeys(lies, True)),
        lies=st.sampled_from([(), ("overlaps",), ("overlaps", "joins")]),
        initial=levels,
        over=durations,
        then=any_simple,
        curve=st.sampled_from(["linear", "linear", "logarithm", "cosine"]),
    ),
    "sequence": st.lists(st.tuples(any_simple, st.integers(1, 40)), min_size=2, max_size=3).map(
        lambda drawn: KINDS["sequence"](
            schedules=tuple(schedule for schedule, _ in drawn),
            milestones=in_steps(np.cumsum([lasts for _, lasts in drawn[:-1]])),
        )
    ),
    "clip": st.tuples(any_simple, parts.filter(bool)).map(
        lambda drawn: KINDS["clip"](lowest=float(f"{drawn[0].base_lr * drawn[1]:.3g}"), of=drawn[0])
    ),
    "shift": st.tuples(any_simple, durations, st.sampled_from(["late", "early"])).map(
        lambda drawn: KINDS["shift"](of=drawn[0], **{drawn[2]: drawn[1]})
    ),
    "stairs": st.builds(KINDS["stairs"], every=durations, of=any_simple),
    "product": st.tuples(any_simple, factors).map(lambda drawn: KINDS["product"](schedules=drawn)),
}


def fits(schedule, clock):
    try:
        schedule.whole_steps(clock)
        schedule.rate(0, clock)
    except ValueError:
        return False
    return True


def length_shown(schedule, clock):
    """The whole schedule and twice its length beyond; where it has no end, its durations several times over."""
    length = schedule.length(clock)
    if schedule.after_end == "error":
        return length
    longest = max((clock.steps(each) for _, each in schedule.durations()), default=1)
    return min(2500, 3 * length if length else max(6 * longest, 40))


def torch_bound(schedule, clock, stepping, closed_form, peak):
    """1e-12 of the peak rate; a looser one has its reason here."""
    bound = 1e-12 * peak
    for each in parts_of(schedule):
        if isinstance(each, CosineDecay) and each.after == "rise":
            # each climb of CosineAnnealingLR begins from digits that cancelled at T_max: docs/facts.md measures it
            calls = clock.steps(each.over) / (1 if stepping == "step" else clock.steps_per_epoch)
            bound += 2e-14 * max(1, calls) * (1 + len(closed_form) / clock.steps(each.over)) * peak
    return bound


def parts_of(schedule):
    return [schedule, *(part for each in schedule.parts() for part in parts_of(each))]


def check_rates(framework, schedule, clock, stepping, got):
    step = clock.looked_up(np.arange(len(got)), stepping)
    closed_form = schedule.rate(step, clock)
    if framework == "torch":
        # a product whose parts are at their ends is rounded at the size of its parts
        peak = max(closed_form.max(), schedule.float32_scale(step, clock).max())
        tolerance = torch_bound(schedule, clock, stepping, closed_form, peak)
    else:
        scale, drift = schedule.float32_scale(step, clock), schedule.float32_drift(step, clock)
        tolerance = rate_tolerance(closed_form, drift, scale)
    apart = np.abs(got - closed_form) - tolerance
    worst = int(apart.argmax())
    assert apart.max() <= 0, (
        f"{to_short(schedule)} per {stepping}, {clock}: step {worst}: {got[worst]} {closed_form[worst]}"
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_native_rates_are_the_closed_form_and_round_trips_keep_them(askers, framework, kind):
    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(schedules[kind], clocks, st.sampled_from(["step", "epoch"]))
    def check(schedule, clock, stepping):
        assume(fits(schedule, clock))
        updates = length_shown(schedule, clock)
        told = askers[framework](schedule, clock, stepping, updates)
        assert len(told["lr"]) == updates
        check_rates(framework, schedule, clock, stepping, np.array(told["lr"]))
        back = from_json(told["read"])
        if (
            told["stride"] == 1 or framework == "torch"
        ):  # a Keras schedule in steps, looked up per epoch, is read in steps
            step = clock.looked_up(np.arange(updates), stepping)
            assert back.rate(step, clock) == pytest.approx(
                schedule.rate(step, clock), rel=1e-11, abs=1e-13 * schedule.rate(step, clock).max()
            )
        if told["exact"] and in_native_units(schedule, stepping) and not has_another_name(schedule, framework):
            assert back == schedule

    check()


def in_native_units(schedule, stepping):
    unit = "steps" if stepping == "step" else "epochs"
    return all(each.unit == unit for _, each in schedule.durations())


def has_another_name(schedule, framework):
    """Whether a native schedule has a name for this that the vocabulary does not use on the way back."""
    for each in parts_of(schedule):
        if isinstance(each, PolynomialDecay) and each.power == 1 and not each.cycle:
            return True  # linear
        if framework == "torch" and isinstance(each, ExponentialDecay) and not each.staircase and each.every.count != 1:
            return True  # ExponentialLR knows the factor of one call only
        if each.kind in ("sequence", "warmup") and framework == "torch" and len(parts_of(each)) > 1:
            first = each.schedules[0] if each.kind == "sequence" else None
            if first is not None and first.kind == "linear":
                return True  # a warm-up
    return False


@pytest.fixture(scope="module")
def examples(askers):
    """Every example in both frameworks with both steppings: what is built, its rates and its code."""
    return {
        (framework, name, stepping): askers[framework](parse(text), RAGGED, stepping, shown(text), source=True)
        for framework in FRAMEWORKS
        for name, text in EXAMPLES.items()
        for stepping in ("step", "epoch")
    }


def shown(text):
    """Ten epochs, or the length of a schedule that ends with an error."""
    schedule = parse(text)
    return schedule.length(RAGGED) if schedule.after_end == "error" else 10 * RAGGED.steps_per_epoch


@pytest.mark.parametrize("stepping", ["step", "epoch"])
@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_examples_are_the_closed_form(examples, framework, name, stepping):
    told = examples[framework, name, stepping]
    check_rates(framework, parse(EXAMPLES[name]), RAGGED, stepping, np.array(told["lr"]))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_stand_in_says_which_and_why(examples, name):
    for framework in FRAMEWORKS:
        told = examples[framework, name, "step"]
        assert told["exact"] or "stands in" in told["note"]


@pytest.mark.parametrize("there", FRAMEWORKS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_from_one_framework_to_the_other_and_back_the_rates_stay(askers, examples, name, there):
    """Built and read in one, built and read in the other, built in the first again."""
    here = next(framework for framework in FRAMEWORKS if framework != there)
    updates = shown(EXAMPLES[name])
    once = from_json(examples[here, name, "step"]["read"])
    twice = from_json(askers[there](once, RAGGED, "step", 1)["read"])
    again = askers[here](twice, RAGGED, "step", updates)
    step, schedule = np.arange(updates), parse(EXAMPLES[name])
    meant = schedule.rate(step, RAGGED)
    np.testing.assert_allclose(twice.rate(step, RAGGED), meant, rtol=1e-12, atol=1e-12 * meant.max())
    # the drift is that of the factor Keras is given: the one of a single step, where it came through ExponentialLR
    check_rates(here, twice, RAGGED, "step", np.array(again["lr"]))


@pytest.fixture(scope="module", params=FRAMEWORKS)
def pasted(request, examples):
    """The printed code, run in a fresh process with nothing but the framework."""
    cases = {
        f"{name} per {stepping}": {
            "code": told["source"],
            "base_lr": told["base_lr"],
            "stepping": stepping,
            "steps_per_epoch": RAGGED.steps_per_epoch,
            "updates": len(told["lr"]),
        }
        for (framework, name, stepping), told in examples.items()
        if framework == request.param
    }
    program = PROGRAMS / f"paste_{request.param}.py"
    done = subprocess.run(
        [sys.executable, "-P", program], input=json.dumps(cases), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return request.param, json.loads(done.stdout.splitlines()[-1])


def test_printed_code_gives_the_same_rates(pasted, examples):
    framework, ran = pasted
    assert len(ran) == 2 * len(EXAMPLES)
    for name, text in EXAMPLES.items():
        for stepping in ("step", "epoch"):
            got = np.array(ran[f"{name} per {stepping}"])
            built = np.array(examples[framework, name, stepping]["lr"])
            if framework == "torch":
                np.testing.assert_array_equal(got, built, err_msg=f"{name} per {stepping}")
            else:  # asked step by step here, as arrays there: the last bits differ
                check_rates(framework, parse(text), RAGGED, stepping, got)


def test_keras_is_nearer_with_the_decay_of_many_steps_than_with_that_of_one(askers):
    """docs/facts.md: the note of a factor near 1 says what to write instead, and it is nearer."""
    clock, steps = Clock.STEPS, np.arange(100_000)
    one = parse("exponential:initial=1,factor=0.9999,every=1 step")
    told = askers["tensorflow"](one, clock, "step", len(steps))
    assert "decay_steps=6931 with decay_rate=0.5" in told["note"]
    many = ExponentialDecay(initial=1.0, factor=0.9999**6931, every=Duration.parse("6931 steps"), staircase=False)
    better = askers["tensorflow"](many, clock, "step", len(steps))
    closed_form = one.rate(steps, clock)
    np.testing.assert_allclose(many.rate(steps, clock), closed_form, rtol=1e-9)

    def off(lr):
        return np.abs(np.array(lr) / closed_form - 1).max()

    assert off(told["lr"]) == pytest.approx(0.00166, rel=0.01)  # SEMANTICS: 0.166 %
    assert off(better["lr"]) < off(told["lr"]) / 100
