"""Small inputs of everyday mistakes, each with every answer that is right. Each stands for a kind.

The rates in `tests/data/cases` come from real schedulers. A case in KNOWN_WRONG is one that samestep gets wrong: its
test fails as soon as it is right.
"""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.everyday.answers import VAGUE, Answer
from samestep._compare.command.main import app

CASES = Path(__file__).parents[2] / "data" / "cases"
EXITS = {"same": 0, "differs": 1, "inconclusive": 3}


@dataclass(frozen=True)
class Case:
    """A command and what is right of what it says.

    answers : causes that are right. verdicts : verdicts that are right, whatever the cause. vague : right without a cause.
    never : words, as a regular expression, that the cause's sentence and fix must not have. not_in_fix : that its fix must
    not have. says : words that they must have. first : the step of the first difference.
    """

    command: str
    answers: tuple[Answer, ...] = ()
    verdicts: tuple[str, ...] = ()
    vague: bool = False
    never: str = ""
    not_in_fix: str = ""
    says: str = ""
    first: int | None = None


def parameters(*one_of, may=()):
    return Answer("parameters", one_of=one_of, may=tuple(may))


def period(a, b, **more):
    return Answer("period", (("period_a", a), ("period_b", b), *more.items()))


def counter(factor, *readings):
    return Answer("counter", (("factor", factor),), readings=readings or ("unknown",))


def of(name, *, second=None, **values):
    return Answer(name, tuple(values.items()), second=second)


def pairs(command, *answers, **more):
    return Case(command, answers, **more)


SAME = {"verdicts": ("same",)}
ENDS = [of(name, side="b") for name in ("never-falls", "floor")]
WARM = of("warmup", side="a", steps=16)
WARMUP_LENGTH = (parameters((50, 100), may=[(550, 500), (600, 600)]),)

PAIRS = [
    pairs("hf-linear-total-a.csv hf-linear-total-b.csv", parameters((160, 320), (144, 304)), period(160, 320), period(144, 304)),
    pairs("hf-cosine-total-a.csv hf-cosine-total-b.csv", parameters((160, 320), (144, 304)), period(160, 320), period(144, 304)),
    *(
        pairs(
            f"hf-{kind}-total-a.csv hf-{kind}-nowarm-b.csv",
            of("warmup", side="a", steps=16, second=period(144, 160)),
            of("warmup", side="a", steps=16, second=parameters((144, 160))),
            parameters((16, 0), may=[(144, 160), (160, 160)]),
            never=r"two kinds|same rate.*0\.9",
        )
        for kind in ("cosine", "linear")
    ),
    pairs("hf-linear-total-a.csv hf-linear-warm32-b.csv", parameters((16, 32), may=[(144, 128), (160, 160)])),
    pairs("d2-a.csv d2-warm5-b.csv", parameters((20, 5))),
    pairs("d2-a.csv d2-wf-b.csv", parameters((0.001, 1 / 3), (2e-5, 0.02 / 3))),
    pairs(
        "cos-min-a.csv nanogpt-plus1-b.csv",
        parameters((0, 1e-3 / 11), (0, 1 / 11), (10, 11), may=[(0, 1), (0, -1)]),
        never="does not",
    ),
    pairs("cos-min-a.csv cos-nomin-b.csv", parameters((1e-4, 0), (0.1, 0)), of("floor", side="a", rate=1e-4)),
    pairs("cos0-min-a.csv cos0-nomin-b.csv", parameters((0.001, 0), (0.01, 0)), of("floor", side="a", rate=0.001)),
    pairs("cos-min-a.csv cos-lr2-b.csv", parameters((1e-3, 2e-3), may=[(1e-4, 1e-4)])),
    pairs("hflin162-a.csv hflin162-x8-b.csv", counter(8)),
    pairs("onecycle-a.csv onecycle-x4-b.csv", counter(4)),
    pairs(
        "linear-nowarm-160-a.csv linear-nowarm-80-b.csv --steps-per-epoch 40",
        period(160, 80), counter(2), parameters((160, 80)), never="ccumulat",
    ),
    pairs(
        "cosstep-a.csv cosstep-double-b.csv --samples 1280 --batch-size 32",
        period(160, 320), counter(0.5), parameters((160, 320)), never="ccumulat", says=r"\bb\b",
    ),
    pairs("hf-linear-total-a.csv hf-linear-x4-b.csv --samples 1280 --batch-size 32", counter(4)),
    pairs("ms-30-60-80-a.csv ms-30-70-80-b.csv", parameters((120, 140))),
    pairs("ms-50-75-a.csv ms-50-85-b.csv", parameters((150, 170))),
    pairs(
        "ms-50-75-a.csv ms-50-b.csv",
        of("extra-decay", side="a", step=150), of("floor", side="b"), of("tail", side="b", step=150),
    ),
    pairs("ms-50-75-a.csv ms-50-75-gamma2-b.csv", of("factor", factor_a=0.1, factor_b=0.2), parameters((0.1, 0.2))),
    pairs("plateau-step-a.csv plateau-step-b.csv", vague=True),
    pairs("plateau-many-a.csv plateau-many-b.csv", vague=True),
    pairs("linear-warm-a.csv constant-warm-b.csv", of("family"), of("never-falls", side="b"), not_in_fix=r"a hold|< 16|minimum\(step, 16"),
    pairs("wsd-a.csv wsd-nodecay-b.csv", of("tail", side="b", step=128), *ENDS, never=r"\bstep 16\b"),
    pairs("wsd-sqrt-a.csv wsd-nodecay-b.csv", of("tail", side="b", step=128), *ENDS, never=r"\bstep 16\b|does not"),
    pairs("wsd-a.csv wsd-48-b.csv", parameters((32, 48), may=[(128, 112), (112, 96), (160, 160)])),
    pairs("warmcos-a.csv warmcos-keras4-b.csv --samples 5120 --batch-size 32 --accumulate 4", counter(4, "gradient-accumulation")),
    pairs("step25-a.csv step25-x8-b.csv", counter(8)),
    pairs(
        "step50-9-a.csv step100-5-b.csv",
        of("factor", factor_a=0.9, factor_b=0.5, second=period(25, 50)),
        Answer("parameters", one_of=((0.9, 0.5),), each_of=(((25, 50),),)),
    ),
    pairs("invsqrt-a.csv hf-lin40-b.csv", of("family")),
    pairs("noam-a.csv noam-80-b.csv", parameters((40, 80))),
    pairs("poly09-a.csv poly2-b.csv", parameters((0.9, 2))),
    pairs("onecycle-a.csv onecycle-pct-b.csv", parameters((0.3, 0.1))),
    *(pairs(f"digits-a.csv digits-{digits}-b.csv", **SAME) for digits in ("1e", "2e", "5g", "3g", "percent", "round7", "round8")),
    pairs("mixed-epoch-a.csv mixed-step-b.csv --steps-per-epoch 10", of("extra-decay", step=30, factor=(0.5, 2.0)), first=30),
    pairs("restart-a.csv shift64-b.csv", of("shift", steps=64)),
    pairs("restart-a.csv restart-b.csv", **SAME),
    pairs("exp-used-a.csv exp-next-b.csv", verdicts=("inconclusive",), never=r"0\.98 times"),
    pairs("stairs-epoch-a.csv stairs-epoch-ahead-b.csv --steps-per-epoch 10", of("shift", steps=10), not_in_fix="once for each update"),
    pairs("late-a.csv late-b.csv", of("shift", steps=-3), of("skipped"), not_in_fix=r"\ba's schedule|[Cc]hange a\b"),
    pairs("linear-warm-a.csv lin-half-x2-b.csv", of("scale", factor=0.5, second=counter(2)), not_in_fix=r"lr=2\.5e-05"),
    pairs("mask-epoch-skip-a.csv epoch-skip-b.csv --steps-per-epoch 8", Answer("*", (("step", 80), ("*", (8, -8, 1, -1))))),
    pairs("hf-cosine-total-a.csv resume-total-b.csv", Answer("*", (("step", 80), ("*", (240, 224))))),
    pairs("invsqrt-every10-a.jsonl invsqrt-every100-b.csv", verdicts=("same", "inconclusive")),
    pairs(
        "units-hf-a.csv units-hf-b.csv --steps-per-epoch 57",
        counter(57, "steps-vs-epochs"), counter(1 / 57, "steps-vs-epochs"), of("unexplained"), never="warms up",
    ),
]  # fmt: skip

LONE = "--a step_base=0,lr_timing=used"
NOT_ASSERTED = "counts batches|[Ii]f the gradients of"

REPORTS = [
    *(pairs(f"01_accelerate_x4/{a}.csv 01_accelerate_x4/{b}.csv", counter(4), never=NOT_ASSERTED)
      for a, b in (("one", "four"), ("one", "four_300rows"))),
    *(pairs(f"02_diffusers_multigpu/{kind}_1.csv 02_diffusers_multigpu/{kind}_4.csv --steps-per-epoch 100", counter(4))
      for kind in ("cosine", "linear", "cosine0")),
    pairs(
        "03_multistep_float/run.csv"
        " 'piecewise-constant:boundaries=[601 steps,901 steps],values=[0.1,0.01,0.001]' --steps-per-epoch 100",
        of("never-falls", side="a"),
    ),
    pairs(
        "05_hf_resume_longer/resumed.json 'linear:initial=5e-5,end=0,over=10 epochs' --steps-per-epoch 20",
        Answer("*", (("step", (60, 61)), ("*", (100, 5)))),
    ),
    pairs("08_timm_warmup/nowarm.csv 08_timm_warmup/plain_step.csv --a step_base=0,lr_timing=used", of("warmup", side="b", steps=200)),
    pairs(
        "12_cosine_remade/run.csv 'cosine-restarts:initial=0.1,floor=0,first=50 steps,t_mul=2,m_mul=1' --steps-per-epoch 10",
        *(of(name, side="a", step=(49, 50, 51)) for name in ("tail", "never-falls")), of("floor", side="a"),
        never="ccumulat|ahead",
    ),
    pairs("14_get_lr/run.csv 14_get_lr/get_lr.csv --steps-per-epoch 1 --a arm=SGD --b column.step=epoch", vague=True),
    *(pairs(f"16_warmup_length/hf_{kind}_50.csv 16_warmup_length/hf_{kind}_100.csv", *WARMUP_LENGTH, never="does not|ccumulat")
      for kind in ("linear", "cosine", "polynomial", "constant_with_warmup", "warmup_stable_decay", "cosine_with_min_lr",
                   "inverse_sqrt", "cosine_with_restarts")),
    *(pairs(f"16_warmup_length/{kind}50.csv 16_warmup_length/{kind}100.csv", *WARMUP_LENGTH, never="does not|ccumulat")
      for kind in ("lin", "cos", "con", "inv", "step", "al")),
    pairs(
        "17_restarts/default.csv 'cosine-restarts:initial=1e-4,floor=0,first=200 steps,t_mul=1,m_mul=1' --steps-per-epoch 100",
        counter(3), period(600, 200), parameters((1, 3), (600, 200)), not_in_fix=r"of b\b|[Cc]hange b\b",
    ),
    pairs(f"19_deepspeed_log/mini_a.csv 19_deepspeed_log/mini_b.csv {LONE} --b step_base=0,lr_timing=used", vague=True),
    pairs("22_torchtitan/after.csv 22_torchtitan/before.csv", parameters((20, 21), may=[(80, 81), (100, 102), (100, 101)])),
    pairs("24_val_every_n/meant.csv 24_val_every_n/every4.csv --steps-per-epoch 25", counter(4), counter(0.25), never="ccumulat"),
    pairs(
        "29_hf_linear_thin/full600.csv 'warmup:initial=0,over=50 steps,then=(linear:initial=5e-5,end=0,over=550 steps)'"
        " --steps-per-epoch 200", **SAME, never="cyclic",
    ),
    pairs(
        "29_hf_linear_thin/x4.json 'warmup:initial=0,over=50 steps,then=(linear:initial=5e-5,end=0,over=550 steps)'"
        " --steps-per-epoch 200", counter(4), counter(0.25), never="cyclic",
    ),
]  # fmt: skip

KNOWN_WRONG = {
    "after.csv before.csv",
    "x4.json warmup",
}
"""By the command's files. Remove what a change makes right."""


def name_of(case):
    return " ".join(Path(word).name for word in shlex.split(case.command)[:2]).split(":")[0]


def told_by(folder, case, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    said = tmp_path / "said.json"
    code = app(["compare", *shlex.split(case.command), "--json", str(said)], standalone_mode=False)
    told = json.loads(said.read_text(encoding="utf-8"))
    assert code == EXITS[told["verdict"]]
    return told


def is_right(case, told):
    cause = told["cause"]
    fix = " ".join([cause.get("fix") or "", *(cause.get("fix_code") or {}).values()])
    words = f"{cause['sentence']} {fix} {told['a']['inferred']}"
    if (case.never and re.search(case.never, words)) or (case.not_in_fix and re.search(case.not_in_fix, fix)):
        return False
    if case.says and not re.search(case.says, words):
        return False
    if case.first is not None and (told["first_difference"] or {}).get("step") != case.first:
        return False
    if case.verdicts:
        return told["verdict"] in case.verdicts
    if told["verdict"] != "differs":
        return False
    if any(answer.allows(cause, 1, 2e-3) for answer in case.answers):
        return True
    return case.vague and cause["name"] in VAGUE


EVERY = [(CASES / folder, case) for folder, cases in (("pairs", PAIRS), ("reports", REPORTS)) for case in cases]


@pytest.mark.parametrize(("folder", "case"), EVERY, ids=[name_of(case) for _, case in EVERY])
def test_the_answer_is_right(folder, case, monkeypatch, tmp_path):
    told = told_by(folder, case, monkeypatch, tmp_path)
    right = is_right(case, told)
    if name_of(case) in KNOWN_WRONG:
        assert not right, "right now: remove it from KNOWN_WRONG"
    else:
        assert right, json.dumps(told["cause"])


def test_what_is_known_to_be_wrong_is_a_case():
    assert {name_of(case) for _, case in EVERY} >= KNOWN_WRONG
    assert len({name_of(case) for _, case in EVERY}) == len(EVERY)
