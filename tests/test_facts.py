"""The facts of docs/facts.md, measured on the real frameworks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parent / "programs" / "facts_tensorflow.py"


@pytest.fixture(scope="module")
def facts():
    done = subprocess.run([sys.executable, PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ulp(a, b):
    return np.abs(np.array(a) - np.array(b)) / np.spacing(np.float32(a)).astype(float)


def test_smooth_rate_asked_before_the_batch_is_not_the_one_used(facts):
    apart = ulp(facts["smooth"]["used"], facts["smooth"]["asked_before"])
    assert 0 < apart.max() <= 8


def test_staircase_asked_before_the_batch_has_the_same_bits(facts):
    assert facts["staircase"]["used"] == facts["staircase"]["asked_before"]


@pytest.mark.parametrize("kind", ["smooth", "staircase"])
def test_rate_asked_after_the_batch_is_the_next(facts, kind):
    asked, before = facts[kind]["asked_after"], facts[kind]["asked_before"]
    assert asked[:-1] == before[1:]
    assert asked != before


def test_py_dataset_ends_an_epoch_before_the_first(facts):
    assert facts["py_dataset"] == ["end", "begin", "end", "begin", "end", "begin", "end"]


def test_schedule_stays_in_float32_when_training_is_in_float64(facts):
    assert facts["float64"] == {"ExponentialDecay": "float32", "float": "float64"}
