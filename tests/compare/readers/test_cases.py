"""Small logs of the shapes that people have, each with the right answer. Each stands for a kind.

`tests/data/cases` holds them; the values are our own.
"""

from pathlib import Path

import pytest

from samestep._compare.comparison.compare import compare
from samestep._compare.runs.run import CompareError

CASES = Path(__file__).parents[2] / "data" / "cases"
LINEAR = "linear:initial=2e-3,end=0,over=300 steps"
COSINE = "cosine:initial=3e-4,floor=0,over=2000 steps,after=hold"
STAIRS = "exponential:initial=0.1,factor=0.1,every=30 epochs,staircase"
SMOOTH = "cosine:initial=0.02,floor=1e-4,over=3000 steps,after=hold"
PRINTED = "linear:initial=2e-4,end=0,over=1000 steps"


def compared(a, b, **options):
    sides = [str(CASES / side) if (CASES / side).exists() else side for side in (a, b)]
    return compare(*sides, **options)


SAME = {
    "mmengine counts from 1": ("logs/01_from_1.json", LINEAR, {}),
    "mmengine, as stated": ("logs/01_from_1.json", LINEAR, {"of_a": {"step_base": 1}}),
    "transformers before 4.50": ("logs/03_hf_before_450.json", COSINE, {}),
    "transformers before 4.50, as stated": ("logs/03_hf_before_450.json", COSINE, {"of_a": {"lr_timing": "next"}}),
    "DeiT": ("logs/04_deit_log.txt", STAIRS, {"steps_per_epoch": 100}),
    "DeiT, a column named": (
        "logs/04_deit_log.txt",
        STAIRS,
        {"steps_per_epoch": 100, "of_a": {"column.step": "epoch"}},
    ),
    "YOLOv5 and its event file": ("logs/05/results.csv", "logs/05/tb", {"steps_per_epoch": 50}),
    "a loop of epochs, settled": (
        "logs/06_epoch_end.csv",
        SMOOTH,
        {"steps_per_epoch": 60, "of_a": {"step_base": 1, "epoch_lr": "last"}},
    ),
    "what Trainer prints": ("logs/13_hf_stdout.log", PRINTED, {"steps_per_epoch": 500}),
    "detectron2": ("logs/18_metrics.json", "logs/18_metrics.json", {}),
    "steps begin anew, linear": ("pairs/restart-a.csv", "pairs/restart-b.csv", {}),
    "steps begin anew, cosine": ("pairs/restart-cos-a.csv", "pairs/restart-cos-b.csv", {}),
}

DIGITS = {
    "1e": "2 digits",
    "2e": "3 digits",
    "3g": "3 digits",
    "5g": "5 digits",
    "round7": "7 decimals",
    "round8": "8 decimals",
    "percent": "7 decimals",
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
def test_what_is_the_same_is_called_the_same(name, turned):
    a, b, options = SAME[name]
    if turned:
        a, b, options = b, a, {{"of_a": "of_b"}.get(key, key): value for key, value in options.items()}
    assert compared(a, b, **options).verdict == "same"


@pytest.mark.parametrize("form", DIGITS)
@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
def test_few_digits_are_read_as_they_were_rounded(form, turned):
    sides = ["pairs/digits-a.csv", f"pairs/digits-{form}-b.csv"]
    result = compared(*(sides[::-1] if turned else sides))
    assert result.verdict == "same"
    assert result.worst.digits == f"{'a' if turned else 'b'}'s {DIGITS[form]}"


UNDECIDED = {
    "a loop of epochs": (
        ("logs/06_epoch_end.csv", SMOOTH, {"steps_per_epoch": 60}),
        "give --a step_base=1,epoch_lr=last: both are the same",
    ),
    "a loop of epochs from 1": (
        ("logs/06_epoch_end.csv", SMOOTH, {"steps_per_epoch": 60, "of_a": {"step_base": 1}}),
        "give --a epoch_lr=last: both are the same",
    ),
    "an exponential decay, the next rate": (
        ("pairs/exp-used-a.csv", "pairs/exp-next-b.csv", {}),
        "--b lr_timing=next",
    ),
    "no step in common": (("pairs/invsqrt-every10-a.jsonl", "pairs/invsqrt-every100-b.csv", {}), None),
}


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_a_convention_decides_is_undecided_and_names_the_option(name):
    (a, b, options), said = UNDECIDED[name]
    result = compared(a, b, **options)
    assert result.verdict == "inconclusive"
    assert said is None or said in result.worst.doubt


REFUSED = {
    "what Trainer prints": (
        "logs/13_hf_stdout.log",
        r"what Hugging Face's Trainer prints: .* without a step\. Give the",
    ),
    "Git LFS, a folder": ("logs/15", r"pointers of Git LFS .*events\.out.*Run: git lfs pull"),
    "Git LFS, a file": ("logs/15/events.out.tfevents.1.host.1.0", "a pointer of Git LFS .* Run: git lfs pull"),
    "Lightning without a rate": ("logs/16_metrics.csv", r"Lightning's metrics\.csv without LearningRateMonitor"),
    "two runs": (
        "logs/17_two_runs",
        r"2 runs in this folder, each from step 0\. Give one: events\S+1\.0, events\S+2\.1",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_rates_says_what_it_is_and_what_to_do(name):
    path, message = REFUSED[name]
    with pytest.raises(CompareError, match=message):
        compared(path, "constant:initial=1e-3")


def test_detectron2_has_losses():
    losses = compared("logs/18_metrics.json", "logs/18_metrics.json").worst.a.loss
    assert (losses > 0).all()


@pytest.mark.parametrize("thin", [1, 10])
@pytest.mark.parametrize(("peak", "over"), [(0.1, 1000), (2e-3, 300)])
def test_a_log_from_1_against_a_schedule_is_undecided(tmp_path, thin, peak, over):
    rows = [f"{n + 1},{peak * (1 - n / over)!r}\n" for n in range(thin - 1, 250, thin)]
    (tmp_path / "log.csv").write_text("step,lr\n" + "".join(rows))
    log, meant = str(tmp_path / "log.csv"), f"linear:initial={peak},end=0,over={over} steps"
    result = compare(log, meant)
    assert result.verdict == "inconclusive"
    assert "--a step_base=1" in result.worst.doubt
    assert compare(log, meant, of_a={"step_base": 1}).verdict == "same"
    assert compare(log, meant, of_a={"step_base": 0, "lr_timing": "used"}).verdict == "differs"


def test_a_rate_that_may_have_been_rounded_is_undecided(tmp_path):
    (tmp_path / "log.csv").write_text("step,lr\n" + "".join(f"{n},1e-05\n" for n in range(20)))
    rounded = compare(str(tmp_path / "log.csv"), "constant:initial=1.4e-5")
    assert rounded.verdict == "inconclusive"
    assert rounded.worst.doubt.startswith("a's rates have few digits. If they were rounded")
    assert compare(str(tmp_path / "log.csv"), "constant:initial=1.6e-5").verdict == "differs"
    assert compare(str(tmp_path / "log.csv"), "constant:initial=1e-5").verdict == "same"


def test_an_mlflow_run_without_a_rate_says_how_to_log_one(tmp_path):
    (tmp_path / "metrics").mkdir()
    (tmp_path / "meta.yaml").write_text("run_name: a\n")
    (tmp_path / "metrics" / "loss").write_text("1700000000000 1.5 0\n")
    with pytest.raises(
        CompareError, match=r'no rate among the metrics loss\..*mlflow\.log_metric\("lr", rate, step=step\)'
    ):
        compare(str(tmp_path), "constant:initial=1e-3")


def test_a_second_run_in_one_file_is_told_from_a_resumed_one(tmp_path):
    rows = [f"{n},{0.1 * 0.97**n!r}\n" for n in range(50)] + [f"{n},{0.3 * 0.97**n!r}\n" for n in range(50)]
    (tmp_path / "log.csv").write_text("step,lr\n" + "".join(rows))
    run = compare(str(tmp_path / "log.csv"), "exponential:initial=0.3,factor=0.97,every=1 step").worst.a
    assert run.notes[0].startswith("The log begins again 1 time, as a second run does: 50 rows between steps 0 and 49")
