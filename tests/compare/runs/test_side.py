"""What `samestep compare` reads: cleaning, clocks, losses, and which run is held against which."""

import json
import re

import numpy as np
import pytest
from compare_helpers import HEADER, trace_file
from helpers import exponential, run_plan, samestep

from samestep._compare.comparison import words
from samestep._compare.comparison.compare import compare
from samestep._compare.runs.run import CompareError
from samestep._compare.runs.settings import Settings
from samestep._compare.runs.side import read_side
from samestep.experiment.clock import Clock
from samestep.experiment.plan import Arm, Constant
from samestep.experiment.schedules.text import parse


def run_of(path, name="a"):
    return read_side(str(path), name, Settings(), None).runs[0]


def test_a_repeated_row_is_kept_once_and_counted(tmp_path):
    run = run_of(trace_file(tmp_path / "log.csv", [0.1, 0.1, 0.1, 0.05], step=[0, 1, 1, 2]))
    assert run.rates.step.tolist() == [0, 1, 2]
    assert run.rates.repeated == 1
    assert run.notes == ("1 row only repeats the row before, left out.",)


def test_of_two_rates_of_a_step_the_later_one_is_taken(tmp_path):
    run = run_of(trace_file(tmp_path / "log.csv", [0.1, 0.1, 0.05, 0.05], step=[0, 1, 1, 2]))
    assert run.rates.lr.tolist() == [0.1, 0.05, 0.05]
    assert run.rates.repeated == 0
    assert run.notes == ("1 step twice in a row with two rates: the later row was taken.",)


def test_of_a_resumed_log_the_later_rows_win(tmp_path):
    first, resumed = [0.1] * 10, [0.2] * 6
    run = run_of(trace_file(tmp_path / "log.csv", first + resumed, step=[*range(10), *range(6, 12)]))
    assert run.rates.lr.tolist() == [0.1] * 6 + [0.2] * 6
    assert run.rates.repeated == 0
    assert "goes back 1 time, as a resumed run does: 4 rows between steps 6 and 9 left out" in run.notes[0]


def test_a_resumed_log_is_the_same_as_one_that_was_not(tmp_path):
    lr = [0.1 * 0.5 ** (n // 10) for n in range(40)]
    whole = trace_file(tmp_path / "a.csv", lr)
    overlapping = trace_file(tmp_path / "b.csv", lr[:25] + lr[20:], step=[*range(25), *range(20, 40)])
    assert compare(whole, overlapping).verdict == "same"


def test_rows_out_of_order_are_sorted(tmp_path):
    run = run_of(trace_file(tmp_path / "log.csv", [0.3, 0.1, 0.2], step=[3, 1, 2]))
    assert (run.rates.step.tolist(), run.rates.lr.tolist()) == ([1, 2, 3], [0.1, 0.2, 0.3])
    assert run.notes == ("Rows out of order were sorted by step.",)


def test_steps_of_an_epoch_are_read_off_the_columns(tmp_path):
    for name, size in (("a", 8), ("b", 8), ("c", 10)):
        rows = [f"csv,x,0,{n},{n // size},{n % size},0.1," for n in range(40)]
        (tmp_path / f"{name}.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    a, b, c = (str(tmp_path / f"{name}.csv") for name in "abc")
    assert compare(a, b).clock.steps_per_epoch == 8
    with pytest.raises(CompareError, match="a has 8 steps in an epoch and b 10"):
        compare(a, c)
    assert compare(a, c, clock=Clock(9, 1)).clock.steps_per_epoch == 9


def test_losses_are_compared_and_do_not_decide(tmp_path):
    lr, loss = [0.1] * 10, [1.0 / (n + 1) for n in range(10)]
    a = trace_file(tmp_path / "a.csv", lr, loss=loss)
    near = trace_file(tmp_path / "near.csv", lr, loss=[x * (1 + 1e-6) for x in loss])
    far = trace_file(tmp_path / "far.csv", lr, loss=[x * (1 + 0.01 * (n >= 4)) for n, x in enumerate(loss)])
    agree, part = compare(a, near), compare(a, far)
    assert (agree.verdict, part.verdict) == ("same", "same")
    assert agree.worst.losses.agree
    assert "The batch losses agree" in words.losses_sentence(agree.worst)
    assert part.worst.losses.first_difference[0] == 4
    said = words.losses_sentence(part.worst)
    assert "first differ at step 4" in said
    assert "samestep attribute" in said
    other = compare(a, far, of_b={"loss_kind": "epoch mean"})
    assert other.worst.losses.compared == 0
    assert "only batch losses are compared" in words.losses_sentence(other.worst)


def test_a_log_with_few_digits_is_the_same_as_one_with_all(tmp_path):
    lr = [0.1 * 0.97**n for n in range(100)]
    all_digits = trace_file(tmp_path / "a.csv", lr)
    (tmp_path / "b.csv").write_text("step,lr\n" + "".join(f"{n},{rate:.6g}\n" for n, rate in enumerate(lr)))
    assert compare(all_digits, str(tmp_path / "b.csv")).verdict == "same"


def test_drift_is_named_only_where_it_is(tmp_path):
    lr = [0.1 * 0.97**n for n in range(100)]
    a = trace_file(tmp_path / "a.csv", lr)
    near = trace_file(tmp_path / "near.csv", [float(np.float32(rate)) for rate in lr])
    factor = float(np.float32(0.97))
    drifted = trace_file(tmp_path / "drifted.csv", [0.1 * factor**n for n in range(100)])
    assert "float32's rounding of the factor" not in compare(a, near).worst.sentence
    assert "rounding of the factor 0.97 explains up to" in compare(a, drifted).worst.sentence
    (tmp_path / "b.csv").write_text("step,lr\n" + "".join(f"{n},{rate:.6g}\n" for n, rate in enumerate(lr)))
    said = compare(a, str(tmp_path / "b.csv")).worst.sentence
    assert "The rates agree to b's 6 digits: they differ by at most" in said


def test_what_few_digits_leave_open_is_named(tmp_path):
    lr = [0.1 * 0.97**n for n in range(100)]
    a = trace_file(tmp_path / "a.csv", lr)
    for name, form, digits in (("few", ".6g", "b's 6 digits"), ("fixed", ".4f", "b's 4 decimals")):
        (tmp_path / name).write_text("step,lr\n" + "".join(f"{n},{rate:{form}}\n" for n, rate in enumerate(lr)))
        said = [text for _, text in words.lines(compare(a, str(tmp_path / name)))]
        assert said[0] == f"a and b follow the same schedule: to {digits}."
        assert any(text.endswith("for digits that were not written.") for text in said)
        assert any(f"Nothing to fix within {digits}." in text for text in said)
    single = trace_file(tmp_path / "single.csv", [float(np.float32(rate)) for rate in lr])
    assert not any("not written" in text for _, text in words.lines(compare(a, single)))


def log_of(path, lr, first=0):
    path.write_text("step,lr\n" + "".join(f"{n},{rate!r}\n" for n, rate in enumerate(lr, start=first)))
    return str(path)


HALVING = [0.1 * 0.5 ** (n // 25) for n in range(100)]
FALLING = [0.1 * 0.97**n for n in range(100)]


@pytest.mark.parametrize("lr", [HALVING, FALLING, [0.1] * 100], ids=["stairs", "smooth", "constant"])
@pytest.mark.parametrize("late", "ab")
def test_a_log_that_may_count_from_1_is_told_so(tmp_path, lr, late):
    early = "b" if late == "a" else "a"
    given = {late: log_of(tmp_path / "late.csv", lr, first=1), early: log_of(tmp_path / "early.csv", lr)}
    compared = compare(**given)
    assert compared.verdict == "inconclusive"
    said = f"{late}'s steps begin at 1, {early}'s at 0. If {late}'s log counts from 1, give --{late} step_base=1:"
    assert compared.worst.doubt.startswith(said)
    assert "it depends on whether the logs' steps start at 0 or 1" in words.verdict(compared)

    assert compare(**given, **{f"of_{late}": {"step_base": 1}}).verdict == "same"
    used = {f"of_{late}": {"step_base": 0}, f"of_{early}": {"lr_timing": "used"}}
    assert compare(**given, **used).verdict == "differs"


def test_a_log_whose_first_update_is_missing_does_not_count_from_1(tmp_path):
    whole, late = (
        log_of(tmp_path / "whole.csv", FALLING),
        log_of(tmp_path / "late.csv", [*FALLING[1:], 0.97**100 / 10], 1),
    )
    compared = compare(whole, late)
    assert (compared.verdict, compared.worst.doubt) == ("differs", None)


def test_a_recording_that_begins_late_is_not_taken_for_one_that_counts_from_1(tmp_path):
    a = trace_file(tmp_path / "a.csv", [0.1] * 100)
    b = trace_file(tmp_path / "b.csv", [0.1] * 100, step=range(1, 101))
    assert compare(a, b).verdict == "differs"


@pytest.mark.parametrize("other", [[0.1] * 50, FALLING, "constant:initial=0.1"], ids=["constant", "falling", "meant"])
def test_a_rate_of_0_is_named(tmp_path, other):
    zero = log_of(tmp_path / "zero.csv", [0.0] * 50)
    compared = compare(zero, other if isinstance(other, str) else log_of(tmp_path / "b.csv", other))
    assert (compared.verdict, compared.worst.diagnosis.cause.name) == ("differs", "unexplained")
    assert "a's rate is 0 at every step" in compared.worst.sentence
    assert "Find out why a's rate is 0" in compared.worst.fix.advice
    assert "has a rate of 0 throughout" in [text for _, text in words.lines(compared)]


def test_two_rates_of_0_are_the_same(tmp_path):
    zero = log_of(tmp_path / "zero.csv", [0.0] * 50)
    compared = compare(zero, zero)
    assert compared.verdict == "same"
    assert compared.worst.sentence.startswith("Both rates are 0 at every step")


@pytest.mark.parametrize(
    ("a", "b", "verdict", "said"),
    [
        ([0.1], [0.1], "inconclusive", "one row does not determine a schedule"),
        ([0.1], FALLING, "inconclusive", "one row does not determine a schedule"),
        ([0.1], [0.2], "differs", "one common row cannot show why"),
        ([0.1, 0.05], [0.1, 0.05], "same", "they show nothing of any other step"),
        ([0.1, 0.05], [0.1, 0.04], "differs", "two common rows cannot show why"),
    ],
)
def test_of_one_or_two_rows_no_more_is_said_than_they_tell(tmp_path, a, b, verdict, said):
    compared = compare(log_of(tmp_path / "a.csv", a), log_of(tmp_path / "b.csv", b))
    assert compared.verdict == verdict
    assert said in compared.worst.sentence
    assert "too few rows to infer a schedule from" in "\n".join(text for _, text in words.lines(compared))
    assert compared.worst.also == ()
    if verdict != "same":
        assert compared.worst.fix.advice.startswith("Log more updates")


def test_rows_that_both_lack_are_counted_on_both_sides(tmp_path):
    def without(name, lost, kept=range(100)):
        return trace_file(
            tmp_path / name, [FALLING[n] for n in kept if n not in lost], step=[n for n in kept if n not in lost]
        )

    def missing(a, b):
        cause = compare(a, b).worst.diagnosis.cause
        assert cause.name == "gaps"
        return [cause.parameters.get(f"{what}_{side}") for side in "ab" for what in ("missing", "step")]

    whole = without("whole.csv", ())
    holes = [without("a.csv", range(20, 25)), without("b.csv", range(60, 70))]
    assert missing(*holes) == [5, 20, 10, 60]
    late, early = without("late.csv", (), range(40, 100)), without("early.csv", (), range(80))
    assert missing(late, early) == [40, 0, 20, 80]
    assert missing(holes[0], early) == [5, 20, 20, 80]
    assert missing(late, whole) == [40, 0, 0, None]
    assert compare(whole, early).worst.diagnosis.cause.name == "length"


def test_rows_that_lie_far_apart_fit_into_memory(tmp_path):
    near, far = log_of(tmp_path / "near.csv", [0.1] * 4), tmp_path / "far.csv"
    far.write_text("step,lr\n0,0.1\n1,0.1\n2,0.1\n3,0.1\n9000000000000000,0.1\n")
    parameters = compare(str(far), near).worst.diagnosis.cause.parameters
    assert parameters["missing_a"] == 9_000_000_000_000_000 - 4


def test_fewer_ulp_find_smaller_differences(tmp_path):
    lr = np.full(50, 0.1)
    lr[20:] += 3 * np.spacing(np.float32(0.1)).astype(float)
    a, b = trace_file(tmp_path / "a.csv", np.full(50, 0.1)), trace_file(tmp_path / "b.csv", lr)
    assert compare(a, b).verdict == "same"
    assert compare(a, b, ulp=2).verdict == "differs"


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """A folder of `samestep run` with two arms in both frameworks."""
    from samestep.experiment.plan import question

    plan = question().replace(
        name="small",
        data=question().data.model_copy(update={"samples": 28}),
        batch_size=8,
        epochs=6,
        arms=(
            Arm(name="constant", schedule=Constant(initial=1e-2), stepping="step"),
            Arm(name="stairs", schedule=exponential("2 steps", initial=1e-2, factor=0.5), stepping="step"),
        ),
    )
    return run_plan(plan, tmp_path_factory.mktemp("small")).folder


def test_both_frameworks_of_a_folder_are_compared_arm_by_arm(output):
    done = samestep("compare", output, output, "--a", "framework=tensorflow", "--b", "framework=torch", "--json", "-")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert [each["name"] for each in told["pairs"]] == ["constant", "stairs"]
    assert (told["a"]["framework"], told["b"]["framework"]) == ("tensorflow", "torch")
    assert told["clock"] == {"samples": 28, "batch_size": 8, "drop_last": False, "accumulate": 1, "steps_per_epoch": 4}
    assert told["losses"]["compared"] == 24


def test_the_worst_pair_decides_and_is_shown(output, tmp_path):
    asked = (output, "exponential:initial=1e-2,factor=0.5,every=2 steps,staircase", "--framework", "torch")
    done = samestep("compare", *asked, "--json", tmp_path / "told.json")
    assert done.returncode == 1
    told = json.loads((tmp_path / "told.json").read_text())
    assert [(each["name"], each["verdict"]) for each in told["pairs"]] == [("constant", "differs"), ("stairs", "same")]
    assert told["name"] == "constant"
    assert {key: told[key] for key in told["pairs"][0]} == told["pairs"][0]
    assert done.stdout.startswith("2 pairs of runs: 1 the same, 1 different.")
    assert re.search(r"^stairs +same +(rounding|identical) +– ", done.stdout, re.MULTILINE)


def test_one_run_each_is_compared_whatever_the_names(output):
    stairs, constant = {"framework": "torch", "arm": "stairs"}, {"framework": "tensorflow", "arm": "constant"}
    compared = compare(output, output, of_a=stairs, of_b=constant)
    assert [each.name for each in compared.pairs] == ["stairs"]
    assert (compared.worst.a.key.arm, compared.worst.b.key.arm) == ("stairs", "constant")


def test_runs_that_do_not_match_are_listed(output):
    only = {"framework": "torch", "arm": "stairs"}
    with pytest.raises(CompareError, match="a and b hold different runs") as refused:
        compare(output, output, of_a=only)
    assert "a: torch/stairs/0. b: tensorflow/constant/0" in str(refused.value)
    assert "--arm, --framework, --seed" in str(refused.value)


WARM = "warmup:initial=0,over=200 steps,then=(cosine:initial=1e-3,floor=0,over=1800 steps,after=hold)"


@pytest.fixture
def warm_rates():
    return parse(WARM).rate(np.arange(2000), Clock.STEPS)


def test_means_over_epochs_are_held_against_means(tmp_path, warm_rates):
    means = warm_rates.reshape(20, 100).mean(axis=1)
    rows = [json.dumps({"train_lr": float(mean), "train_loss": 1.0, "epoch": n}) for n, mean in enumerate(means)]
    (tmp_path / "log.txt").write_text("\n".join(rows) + "\n")
    whole, thin = (tmp_path / f"{every}.csv" for every in (1, 10))
    for path, every in ((whole, 1), (thin, 10)):
        lines = [f"{n},{float(warm_rates[n])!r}\n" for n in range(0, 2000, every)]
        path.write_text("step,lr\n" + "".join(lines))
    log = str(tmp_path / "log.txt")
    for other, verdict in ((WARM, "same"), (str(whole), "same"), (str(thin), "inconclusive")):
        for sides in ((log, other), (other, log)):
            assert compare(*sides, steps_per_epoch=100).verdict == verdict
    assert compare(log, WARM.replace("1e-3", "2e-3"), steps_per_epoch=100).verdict == "differs"


@pytest.mark.parametrize(
    ("offset", "base", "settings"),
    [
        (99, 0, "epoch_lr=last"),
        (0, 1, "step_base=1"),
        (99, 1, "step_base=1,epoch_lr=last"),
        (100, 0, "lr_timing=next"),
    ],
)
def test_a_log_of_epochs_may_hold_any_rate_of_the_epoch(tmp_path, warm_rates, offset, base, settings):
    rows = [f"{epoch + base},{float(warm_rates[100 * epoch + offset])!r},1\n" for epoch in range(19)]
    (tmp_path / "log.csv").write_text("epoch,lr,acc\n" + "".join(rows))
    result = compare(str(tmp_path / "log.csv"), WARM, steps_per_epoch=100)
    assert result.verdict == "inconclusive"
    assert f"give --a {settings}: both are the same." in result.worst.doubt
    stated = dict(each.split("=") for each in settings.split(","))
    assert compare(str(tmp_path / "log.csv"), WARM, steps_per_epoch=100, of_a=stated).verdict == "same"
