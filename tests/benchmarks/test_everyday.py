"""The benchmark of what people write: that it draws what it says, the same again, and that its marks are right.

Write the page's figures anew: SAMESTEP_WRITE_DOCS=1 pytest tests/benchmarks/test_everyday.py
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import samestep
from benchmarks.everyday import figures, logs
from benchmarks.everyday.answers import Answer, pairs

HOUSE = Path(__file__).parents[2]
NOT_NAMED = {"plateaus", "by-hand"}


@pytest.fixture(scope="module")
def drawn():
    """Two draws of each mistake, in a process of their own: they need PyTorch, and Keras in another."""
    command = [sys.executable, "-W", "ignore", HOUSE / "tests" / "programs" / "everyday.py", "2"]
    environment = os.environ | {"PYTHONPATH": str(HOUSE)}
    done = subprocess.run(command, cwd=HOUSE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_pair_is_drawn_the_same_again(drawn):
    assert all(each["again"] for draws in drawn["mistakes"].values() for each in draws)


def test_each_mistake_has_a_right_answer_and_changes_rates(drawn):
    for mistake, draws in drawn["mistakes"].items():
        for each in draws:
            assert each["answers"] or each["verdicts"] or each["vague"], mistake
            assert each["vague"] or mistake not in NOT_NAMED
            assert each["differ"] == (mistake not in ("same", "counts-from-one", "column-begins-again"))


def test_typed_schedules_are_what_the_libraries_do(drawn):
    for kind, texts in drawn["texts"].items():
        assert texts, kind
        assert max(texts.values()) < 1e-12, (kind, texts)  # float64, of the peak rate


TOTAL = Answer("parameters", one_of=((600, 500),), may=((550, 450),))
BOTH = Answer("parameters", one_of=((600, 500),), each_of=(((50, 100),),))
COUNTER = Answer("counter", (("factor", 4),), readings=("unknown",))


@pytest.mark.parametrize(
    ("answer", "said", "right"),
    [
        (TOTAL, {"name": "parameters", "total": [600, 500]}, True),
        (TOTAL, {"name": "parameters", "total_a": 600, "total_b": 500, "decay_a": 550, "decay_b": 450}, True),
        (TOTAL, {"name": "parameters", "total": [600, 500], "warmup": [50, 100]}, False),
        (TOTAL, {"name": "parameters", "decay": [550, 450]}, False),
        (TOTAL, {"name": "parameters", "total": [600, 520]}, False),
        (TOTAL, {"name": "parameters", "total": [600, 500], "step": 80}, False),
        (TOTAL, {"name": "period", "total": [600, 500]}, False),
        (BOTH, {"name": "parameters", "total": [600, 500], "warmup": [50, 100]}, True),
        (BOTH, {"name": "parameters", "total": [600, 500]}, False),
        (COUNTER, {"name": "counter", "factor": 4, "reading": "unknown"}, True),
        (COUNTER, {"name": "counter", "factor": 4, "reading": "gradient-accumulation"}, False),
        (COUNTER, {"name": "counter", "factor": 0.25, "reading": "unknown"}, False),
        (COUNTER, {"name": "counter", "factor": 4, "reading": "unknown", "second": {"name": "scale"}}, False),
        (Answer("*", (("step", 80), ("*", (8, -8)))), {"name": "shift", "steps": 8, "step": 80}, True),
        (Answer("*", (("step", 80), ("*", (8, -8)))), {"name": "shift", "steps": 8}, False),
        (
            Answer("scale", (("factor", 0.5),), second=COUNTER),
            {"name": "counter", "factor": 4, "reading": "unknown", "second": {"name": "scale", "factor": 0.5}},
            True,
        ),
        (
            Answer("scale", (("factor", 0.5),), second=COUNTER),
            {"name": "scale", "factor": 0.5, "second": None},
            False,
        ),
    ],
)
def test_an_answer_is_held_against_what_is_said(answer, said, right):
    assert answer.allows(said, steps=1, relative=1e-4) == right


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"total_a": 600, "total_b": 500}, [(600, 500)]),
        ({"numbers": {"total": {"a": 600, "b": 500}}}, [(600, 500)]),
        ({"milestones": {"a": [30, 60], "b": [30, 70]}}, [(60, 70)]),
        ({"what": "warm-up 50 against 100; last rate 1e-05 against 0"}, [(50, 100), (1e-5, 0)]),
        ({"sentence": "of 50 against 100", "side": "a", "step": 3}, []),
    ],
)
def test_numbers_are_found_in_whatever_form(said, found):
    assert list(pairs(said)) == found


@pytest.mark.parametrize("digits", logs.DIGITS)
def test_the_possible_error_of_a_format_covers_what_it_writes(digits):
    rates = 1e-3 * (1 - np.arange(1, 200) / 200)
    written = np.array([float(logs.DIGITS[digits](float(rate))) for rate in rates])
    assert (np.abs(written - rates) <= logs.Style(digits=digits).error(rates) * (1 + 1e-9)).all()


@pytest.mark.parametrize("format_", logs.FORMATS)
@pytest.mark.parametrize("every", [1, 10])
def test_logs_are_read_as_they_were_written(tmp_path, format_, every):
    rates = 0.1 * 0.99 ** np.arange(200)
    offset = every - 1 if format_ in ("hf", "lightning") else 0
    path = logs.write(tmp_path, "a", logs.Style(format_, every, offset), rates, 20)
    read = samestep.read(str(path)).table
    assert list(read["step"]) == list(range(offset, 200, every))
    assert list(read["lr"]) == list(rates[offset::every])


def test_page_is_what_was_measured():
    written = figures.PAGE.read_text(encoding="utf-8")
    made = figures.filled(written, json.loads(figures.RESULTS.read_text(encoding="utf-8")))
    if os.environ.get("SAMESTEP_WRITE_DOCS"):
        figures.PAGE.write_text(made, encoding="utf-8")
        return
    assert written == made
