"""Printed fixes, applied to real PyTorch code: the run of one side, with what the fix says, has the rates of the other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
EACH = 3
"""Pairs of each mistake."""

KNOWN_WRONG = {
    "total-1",
    "warmup-missing-0",
    "step-size-0",
    "step-size-1",
}
"""Pairs whose fix mends neither side. Remove what a change makes right."""


@pytest.fixture(scope="module")
def applied():
    """Each pair of the sample that has a fix, and which side the fix mends."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.everyday.applied", "--each", str(EACH)]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {each["case"]: each for each in map(json.loads, done.stdout.splitlines()) if each["fix"]}


def test_a_fix_that_is_printed_mends_the_run(applied):
    assert len(applied) > 15
    wrong = {case: each for case, each in applied.items() if each["mends"] is None}
    assert wrong.keys() == KNOWN_WRONG, json.dumps(list(wrong.values()), indent=1)
