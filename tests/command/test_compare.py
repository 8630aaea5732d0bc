"""`samestep compare`: real logs, verdicts, exit codes, schedules, wrong use."""

import json
import re

import numpy as np
import pytest
from compare_helpers import PAIRS, RECORDED, compared, pair, trace_file
from helpers import samestep

from samestep._compare.command import main
from samestep._compare.command.terminal import WRONG_USE
from samestep._compare.comparison.compare import compare
from samestep._compare.comparison.words import lines
from samestep._compare.readers import ReadError
from samestep._compare.runs.run import CompareError
from samestep._compare.runs.settings import Settings, key_values
from samestep._compare.runs.side import read_side
from samestep.experiment.clock import Clock

WORDS = {
    "question": ["b counts steps, a counts epochs", "An epoch is 32 steps", "32 times as fast"],
    "wrong-loop": ["b counts steps, a counts epochs", "32 times as fast"],
    "read-at-batch-end": ["b is 1 step ahead of a", "read after the update"],
    "gradient-accumulation": ["4 times as fast"],
    "unconverted-gamma": ["b multiplies its rate by 0.95 at every step", "was not converted to one step"],
    "resume-load-weights": ["until step 160", "b starts its schedule again", "without its step counter"],
    "resume-rebuilt-scheduler": ["until step 150", "b has 0.5 times the rate of a", "decayed once more"],
    "cosine-past-the-end": ["the schedule's end at step 200", "a holds its rate and b rises again"],
    "boundary-against-milestone": ["b is 1 step ahead of a"],
    "forgotten-warm-up": ["a warms up over its first 50 steps, b does not", "same rate at the same step"],
    "forgotten-warm-up-delays": ["a warms up over its first 50 steps, b does not", "50 steps late."],
    "forgotten-warm-up-linear": [
        "Two causes at once",
        "a warms up over its first 50 steps",
        "250 steps in a and 300 steps in b",
    ],
    "slow-decay": ["differ by at most 0.166 %", "float32's rounding of the factor 0.9999 explains up to 0.166 %"],
}
IN_DOUBT = {"read-at-batch-end", "boundary-against-milestone"}
"""Logs that do not say when they read the rate, and differ by one step."""


@pytest.fixture(scope="module")
def recorded():
    """What the real command says of each recorded pair."""
    found = {}
    for name, each in RECORDED.items():
        clock = ("--samples", each["samples"], "--batch-size", each["batch_size"])
        found[name] = samestep("compare", PAIRS / each["a"], PAIRS / each["b"], *clock, "--json", "-")
    return found


def causes_of(told):
    cause = told["cause"]
    return {cause["name"]: cause} | ({cause["second"]["name"]: cause["second"]} if "second" in cause else {})


def check_expected(cause, expected):
    for key, value in expected.items():
        if key == "delayed":
            assert cause["then"] == ("delayed" if value else "aligned")
        elif key not in ("cause", "and", "relative"):
            # the step of a tail is the end of the schedule, or the first step after it
            near = 1 if expected["cause"] == "tail" and key == "step" else 0
            assert cause[key] == value or cause[key] == pytest.approx(value, rel=1e-6, abs=near)


def test_every_recorded_pair_has_words():
    assert set(WORDS) == set(RECORDED)


@pytest.mark.parametrize("name", WORDS)
def test_cause_of_a_recorded_pair_is_found(recorded, name):
    told, expected = json.loads(recorded[name].stdout), RECORDED[name]["expected"]
    found = causes_of(told)
    check_expected(found[expected["cause"]], expected)
    if "and" in expected:
        assert set(found) == {expected["cause"], expected["and"]["cause"]}
    if "relative" in expected:
        assert told["max"]["relative"] == pytest.approx(expected["relative"], rel=0.01)
    for words in WORDS[name]:
        assert words in told["cause"]["sentence"]


@pytest.mark.parametrize("name", WORDS)
def test_exit_code_is_that_of_the_verdict(recorded, name):
    told = json.loads(recorded[name].stdout)
    verdict = "inconclusive" if name in IN_DOUBT else "same" if name == "slow-decay" else "differs"
    assert told["verdict"] == verdict
    assert recorded[name].returncode == {"same": 0, "differs": 1, "inconclusive": 3}[verdict]
    assert recorded[name].stderr == ""
    assert (told["doubt"] is not None) == (name in IN_DOUBT)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("question", "a counts steps, b counts epochs"),
        ("gradient-accumulation", "a runs through its schedule 4 times as fast"),
        ("resume-load-weights", "a starts its schedule again"),
        ("cosine-past-the-end", "b holds its rate and a rises again"),
        ("forgotten-warm-up-delays", "b warms up over its first 50 steps, a does not"),
    ],
)
def test_sides_change_places(name, words):
    assert words in compared(name, turned=True).worst.sentence


def test_terminal_tells_all_in_order():
    a, b = pair("question")
    done = samestep("compare", a, b, "--samples", 1000, "--batch-size", 32)
    assert done.returncode == 1
    order = [
        "a and b do not follow the same schedule: they first differ at step 25 (epoch 0, batch 25).",
        f"a: {a}: csv, 1,600 rows, steps 0 to 1,599; arm lr",
        "follows exponential:initial=0.001,factor=0.95,every=800 steps,staircase",
        f"b: {b}: csv",
        "follows exponential:initial=0.001,factor=0.95,every=25 steps,staircase",
        "The first difference is at step 25 (epoch 0, batch 25):",
        ">    25      0     25",
        "The largest difference is 95.8 %",
        "Cause: b counts steps",
        "Fix: If a is right, make b count epochs",
        "decay_steps=25 * steps_per_epoch",
        "scheduler.step()  # after each epoch",
        "\nMore on this: samestep why counter\n",
        "It could also be: period.",
    ]
    places = [done.stdout.find(text) for text in order]
    assert -1 not in places
    assert places == sorted(places)
    rows = re.findall(r"^(>?) +(2[2-8]) +0 +2[2-8] +(\S+) +(\S+)$", done.stdout, re.MULTILINE)
    assert [(mark, int(step)) for mark, step, _, _ in rows] == [("", 22), ("", 23), ("", 24), (">", 25), ("", 26), ("", 27), ("", 28)]  # fmt: skip
    assert [float(b) for _, _, _, b in rows] == [*[0.00100000005] * 3, *[0.000950000016] * 4]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("read-at-batch-end", "More on this: samestep why shift"),
        ("forgotten-warm-up-linear", "More on this: samestep why warmup period"),
        ("slow-decay", None),
    ],
)
def test_what_is_not_the_same_names_the_page_of_its_cause(name, said):
    told = [text for _, text in lines(compared(name)) if text.startswith("More on this")]
    assert told == ([said] if said else [])


def test_doubt_is_settled_by_saying_when_the_rate_was_read():
    doubtful = compared("read-at-batch-end")
    assert "--b lr_timing=next" in doubtful.worst.doubt
    for timing, verdict in (("next", "same"), ("used", "differs")):
        settled = compared("read-at-batch-end", of_b={"lr_timing": timing})
        assert settled.verdict == verdict
        assert settled.worst.doubt is None
    # the other way round it is a that may have logged the next one
    assert "--a lr_timing=next" in compared("read-at-batch-end", turned=True).worst.doubt


def test_no_step_in_common_is_inconclusive(tmp_path):
    rng = np.random.default_rng(0)
    a = trace_file(tmp_path / "a.csv", rng.random(20))
    b = trace_file(tmp_path / "b.csv", rng.random(20), step=range(100, 120))
    done = samestep("compare", a, b)
    assert done.returncode == 3
    assert "a and b have no step in common" in done.stdout
    assert "a has rows for steps 0 to 19, b for 100 to 119" in done.stdout


def test_a_log_is_held_against_a_schedule():
    meant = "exponential:initial=1e-3,factor=0.95,every=25 epochs,staircase"
    as_meant, as_written = (PAIRS / "question" / name for name in ("a.csv", "b.csv"))
    asked = ("--steps-per-epoch", 32, "--json", "-")
    assert samestep("compare", as_meant, meant, *asked).returncode == 0
    done = samestep("compare", meant, as_written, *asked)
    told = json.loads(done.stdout)
    assert (done.returncode, told["cause"]["name"], told["cause"]["factor"]) == (1, "counter", 32)
    assert (told["a"]["format"], told["b"]["format"]) == ("schedule", "csv")


@pytest.mark.parametrize("written", ["text", "file", "short"])
def test_a_schedule_is_json_a_file_or_a_short_form(tmp_path, written):
    short = "constant:initial=0.1"
    text = '{"kind": "constant", "initial": 0.1}'
    (tmp_path / "schedule.json").write_text(text)
    given = {"text": text, "file": str(tmp_path / "schedule.json"), "short": short}[written]
    log = trace_file(tmp_path / "log.csv", [0.1] * 20)
    found = compare(log, given)
    assert (found.verdict, found.b.format) == ("same", "schedule")


CODE = "ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)"


def test_code_and_configs_are_schedules(tmp_path):
    log = trace_file(tmp_path / "log.csv", [1e-3 * 0.95 ** (step // 25) for step in range(400)])
    config = {"initial_learning_rate": 1e-3, "decay_steps": 25, "decay_rate": 0.95, "staircase": True}
    (tmp_path / "schedule.json").write_text(json.dumps({"class_name": "ExponentialDecay", "config": config}))
    for given in (CODE, f"learning_rate = {CODE}", str(tmp_path / "schedule.json")):
        found = compare(given, log)
        assert (found.verdict, found.a.format, found.a.assumed) == ("same", "schedule", ())
        assert "   is exponential:initial=0.001,factor=0.95,every=25 steps,staircase\n" in str(found)


def test_what_pytorch_counts_is_an_assumption(tmp_path):
    log = trace_file(tmp_path / "log.csv", [1e-3 * 0.95 ** (step // 80) for step in range(400)])
    code = "optimizer = SGD(params, lr=1e-3); StepLR(optimizer, step_size=10, gamma=0.95)"
    by_step = compare(log, code, steps_per_epoch=8)
    assert (by_step.verdict, by_step.cause.name, by_step.cause.factor) == ("differs", "counter", 8)
    assert "assumed: StepLR counts calls of scheduler.step(): one after each update." in str(by_step)
    assert by_step.to_json()["b"]["assumed"] == list(by_step.b.assumed)
    by_epoch = compare(log, code, steps_per_epoch=8, stepping="epoch")
    assert (by_epoch.verdict, by_epoch.b.assumed) == ("same", ())


def test_plain_rates_are_no_log_of_which_anything_is_assumed(tmp_path):
    rates = [0.1] * 60 + [0.05] * 40
    assert "assumed" not in str(compare(rates, np.array(rates)))
    (tmp_path / "log.csv").write_text("step,lr\n" + "".join(f"{step},{lr}\n" for step, lr in enumerate(rates)))
    assert str(compare(rates, str(tmp_path / "log.csv"))).count("assumed: The log does not say") == 1


@pytest.mark.parametrize("json_too", [False, True])
def test_only_common_steps_are_compared(tmp_path, json_too):
    line = [0.1 * (1 - step / 500) for step in range(500)]
    a = trace_file(tmp_path / "a.csv", line)
    kept = [step for step in range(400) if not 100 < step < 160 and step % 3 == 0]
    b = trace_file(tmp_path / "b.csv", [line[step] for step in kept], step=kept)
    assert samestep("compare", a, b).returncode == 1
    done = samestep("compare", a, b, "--common", *(("--json", "-") if json_too else ()))
    assert done.returncode == 0, done.stdout
    note = f"Only the {len(kept)} steps that both have are compared, of 500 rows of a and {len(kept)} of b."
    if json_too:
        told = json.loads(done.stdout)
        assert told["notes"] == [note]
        assert told["rows"] == dict.fromkeys(("a", "b", "compared"), len(kept))
    else:
        assert f"\n{note}\n" in done.stdout


def test_common_steps_may_differ(tmp_path):
    a = trace_file(tmp_path / "a.csv", [0.1 * 0.5 ** (step // 50) for step in range(200)])
    step = range(0, 300, 2)
    b = trace_file(tmp_path / "b.csv", [0.1 * 0.5 ** (each // 70) for each in step], step=step)
    found = compare(a, b, common=True)
    assert (found.verdict, found.first_difference.step, found.worst.diagnosis.compared) == ("differs", 50, 100)


def test_common_steps_are_those_of_each_pair(tmp_path):
    for arm, late in (("x", 50), ("y", 80)):
        trace_file(tmp_path / "a.csv", [0.1] * 100, arm=arm)
        trace_file(tmp_path / "b.csv", [0.1] * 100, step=range(late, late + 100), arm=arm)
    found = compare(str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), common=True)
    assert (found.verdict, [pair.diagnosis.compared for pair in found.pairs]) == ("same", [50, 20])
    assert found.notes == (
        "x: Only the 50 steps that both have are compared, of 100 rows of a and 100 of b.",
        "y: Only the 20 steps that both have are compared, of 100 rows of a and 100 of b.",
    )


def test_two_logs_that_lack_the_same_steps_have_no_gaps(tmp_path):
    step = [each for each in range(300) if not 100 <= each < 150]
    lr = [0.1 * 0.99**each for each in step]
    found = compare(*(trace_file(tmp_path / name, lr, step=step) for name in ("a.csv", "b.csv")))
    assert (found.verdict, found.cause.name) == ("same", "identical")


def test_two_schedules_need_no_log():
    hold, rise = (f"cosine:initial=0.1,floor=0,over=50 epochs,after={after}" for after in ("hold", "rise"))
    clock = Clock(1000, 32)
    both = compare(hold, rise, clock=clock)
    assert both.worst.diagnosis.first_difference.step == 1601
    assert "3,200 steps: twice the length of the longer one" in both.notes[0]
    assert compare(hold, rise, clock=clock, epochs=50).verdict == "same"


def test_a_schedule_that_ends_is_asked_no_further(tmp_path):
    once = "one-cycle:max_lr=0.1,div_factor=25,final_div_factor=1e4,pct_start=0.3,over=20 steps,anneal_strategy=cos"
    log = trace_file(tmp_path / "log.csv", [0.1] * 30)
    assert len(compare(log, f"{once},after=error").worst.b.rates) == 20


REFUSED = [
    (("{log}", "missing.csv"), "'missing.csv' is not a file, a folder or a schedule."),
    (("{log}", "nonsense:initial=1"), "is not a file, a folder or a schedule"),
    (("{log}", "constant:initial=-1"), "initial"),
    (("{log}", "{empty}"), "empty"),
    (("{log}", "{binary}"), "not a log that samestep reads"),
    (("{log}", "constant:initial=1", "--b", "arm=x"), "is a schedule, with nothing to select"),
    (("{log}", "{log}", "--arm", "nobody"), "no arm 'nobody'. There is csv/adam/0."),
    (("{log}", "{log}", "--a", "colour=red"), "--a: 'colour' is not a setting"),
    (("{log}", "{log}", "--a", "arm"), "--a: got 'arm'. Write KEY=VALUE"),
    (("{log}", "{log}", "--b", "step_base=one"), "--b step_base: got 'one'"),
    (("{log}", "{log}", "--b", "lr_timing=later"), "lr_timing"),
    (("{log}", "{log}", "--columns", "step"), "--columns: got 'step'"),
    (("{log}", "{log}", "--ulp", "-1"), "--ulp: got -1"),
    (("{log}", "{log}", "--ulp", "nan"), "--ulp: got nan"),
    (("{log}", "{log}", "--samples", "100"), "--samples and --batch-size belong together"),
    (("{log}", "{log}", "--samples", "0", "--batch-size", "1"), "--samples: got 0. Write a whole number from 1"),
    (("{log}", "{log}", "--steps-per-epoch", "0"), "--steps-per-epoch: got 0"),
    (("{log}", "{log}", "--steps-per-epoch", "5", "--samples", "5", "--batch-size", "1"), "Write one or the other"),
    (("{log}", "{log}", "--accumulate", "4"), "need --samples and --batch-size"),
    (("{log}", "{log}", "--stepping", "batch"), "--stepping: got 'batch'"),
    (("{log}", "exponential:initial=1,factor=0.5,every=2 epochs"), "it speaks of epochs"),
    (("constant:initial=1", "constant:initial=2"), "Neither schedule has an end"),
    (("constant:initial=1", "constant:initial=2", "--epochs", "3"), "--epochs counts epochs"),
    (("constant:initial=1", "constant:initial=2", "--epochs", "0", "--steps-per-epoch", "4"), "at least one epoch"),
    (("{log}", "{log}", "--json", "{log}"), "is read or written already"),
    (("{log}", "{log}", "--junit", "nowhere/x.xml"), "Name a file in a folder that exists with --junit"),
    (("{log}", "{log}", "--report", "{folder}"), "with --report, or replace it with --force"),
    (("{log}", "{log}", "--report", "{other}", "--force"), "holds no output of samestep"),
    (("{log}", "{nan}"), "line 3: lr is 'nan'"),
    (("{log}", "{log}", "--epochs", "5"), "--epochs says how long two schedules are compared"),
    (("{log}", "constant:initial=1", "--epochs", "5"), "a log is compared as far as its rows go"),
    (("{log}", "{log}", "--stepping", "epoch"), "--stepping says how often a schedule's rate is looked up"),
    (("{log}", "{log}", "--force"), "--force replaces an earlier report. Add --report, or leave --force out"),
    (("{log}", "{log}", "--steps-per-epoch", "4", "--drop-last"), "--drop-last is about batches"),
    (("constant:initial=1", "cosine:initial=1,floor=0,over=5 steps,after=hold", "--arm", "x"), "--arm is about logs"),
    (("constant:initial=1", "cosine:initial=1,floor=0,over=5 steps,after=hold", "--columns", "lr=x"),
     "--columns is about logs; here are two schedules. Leave it out"),
    (("{log}", "{log}", "--a", "step_base=1"), "step_base=1: samestep counts from 0, always"),
    (("constant:initial=1", "constant:initial=2", "--common"), "--common is about logs; a schedule has a rate at each"),
    (("{log}", "{late}", "--common"), "a and b have no step in common: a has 2 rows in steps 0 to 1, b 1 row in 7 to 7. Leave --common out."),
    (("{log}", "StepLR(optimizer, 30)"), "StepLR takes its first rate from its optimizer. Add it"),
    (("{log}", "CosineDecay(0.1)"), "CosineDecay: decay_steps is missing."),
    (("{csv}", "{csv}", "--b", "column.run=x"), "--b column.run=… has no effect on the format csv"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_wrong_use_is_one_or_two_lines(tmp_path, monkeypatch, capsys, words, said):
    log = trace_file(tmp_path / "log.csv", [0.1, 0.05])
    made = {"log": log, "folder": str(tmp_path), "other": str(tmp_path / "other")}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").touch()
    contents = {
        "empty": b"",
        "binary": bytes(range(256)),
        "nan": b"step,lr\n0,0.1\n1,nan\n",
        "csv": b"step,lr\n0,0.1\n",
        "late": b"step,lr\n7,0.1\n",
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
        made[name] = str(tmp_path / f"{name}.csv")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    assert main._run(["compare", *(word.format(**made) for word in words)], traceback=False) == WRONG_USE
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""
    assert 1 <= len(told.err.splitlines()) <= 2
    assert "mistake in samestep" not in told.err
    assert sorted(tmp_path.rglob("*")) == before


def test_what_a_reader_says_names_options_that_there_are(tmp_path):
    (tmp_path / "log.csv").write_text("step,lr\n-1,0.1\n0,0.1\n")
    with pytest.raises((CompareError, ReadError), match=r"Give --b step_base=…, the first update's number"):
        read_side(str(tmp_path / "log.csv"), "b", Settings(), None)


def test_settings_are_parted_at_keys_only():
    both = Settings({"arm": "x"}, {}, {"lr": "rate"})
    found = Settings.of(key_values(["arm=Adam, fast,framework=torch", "column.step=global_step"], "--a"), "a", both)
    assert found.select == {"arm": "Adam, fast", "framework": "torch"}
    assert found.columns == {"lr": "rate", "step": "global_step"}
