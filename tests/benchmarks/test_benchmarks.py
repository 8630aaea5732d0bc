"""The benchmarks: that their figures are there, that the page is made of them, and that both sides do the same work.

Nothing is timed here. Write the page's tables anew: SAMESTEP_WRITE_DOCS=1 pytest tests/benchmarks/test_benchmarks.py
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed import limits, measuring, ours, page, ratios, tables
from benchmarks.speed.growth import AXES, GROWTH, LINES
from samestep._compare.align.rows import align
from samestep.experiment.trace import TRACE_COLUMNS

HOUSE = Path(__file__).parents[2]
PAGE = HOUSE / "docs" / "benchmarks.md"
RESULTS = json.loads((HOUSE / "benchmarks" / "speed" / "results.json").read_text(encoding="utf-8"))
LIMITS = json.loads((HOUSE / "benchmarks" / "speed" / "limits.json").read_text(encoding="utf-8"))
PAIRS = {pair.name: pair for pair in ratios.pairs(Path("folder"))}
LAST_RATE = 1e-3 * 0.95 ** (31 // 25)  # of an epoch of 32 updates


def run(*command):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *map(str, command)], cwd=HOUSE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(*command):
    return json.loads(run("-m", *command).splitlines()[-1])


def test_every_benchmark_has_its_figures():
    assert list(RESULTS["ratios"]) == list(PAIRS)
    for name, found in RESULTS["ratios"].items():
        assert found.keys() == {"ratio", "other", "ours", "unit", "pairs"}
        assert found["unit"] == PAIRS[name].unit
        assert found["pairs"] >= 3
        assert min(found["other"], found["ours"]) > 0
        assert found["ratio"] == pytest.approx(found["other"] / found["ours"])


def test_bounds_are_what_is_claimed_of_them():
    for name, pair in PAIRS.items():
        if isinstance(pair.other, float):
            assert RESULTS["ratios"][name]["other"] == pair.other
            assert pair.at_least == 1


def test_every_benchmark_has_its_limit():
    assert [limit.of for limit in limits.LIMITS_OF] == list(PAIRS) == list(LIMITS["limits"])
    for limit in limits.LIMITS_OF:
        found = LIMITS["limits"][limit.of]
        assert (found["unit"], found["what"]) == (PAIRS[limit.of].unit, limit.what)
        assert found["limit"] > 0


@pytest.mark.parametrize("name", ["keras-schedule", "torch-scheduler", "torch", "graph"])
def test_limits_can_be_measured(name):
    assert len(told("benchmarks.speed.limits", name)["seconds"]) == 6


def test_machine_and_versions_are_named():
    assert RESULTS["machine"].keys() == {"processor", "cores_used", "cores", "memory_gib", "system", "python"}
    assert set(RESULTS["versions"]) == set(measuring.DISTRIBUTIONS)


def test_page_is_what_was_measured():
    written = PAGE.read_text(encoding="utf-8")
    made = page.filled(written, RESULTS, LIMITS, json.loads(GROWTH.read_text()), list(PAIRS.values()))
    if os.environ.get("SAMESTEP_WRITE_DOCS"):
        PAGE.write_text(made, encoding="utf-8")
        return
    assert written == made


def test_growth_has_every_line_and_is_drawn():
    found = json.loads(GROWTH.read_text(encoding="utf-8"))
    assert [(line["axis"], line["label"]) for line in found["lines"]] == [(line.axis, line.label) for line in LINES]
    for measured, line in zip(found["lines"], LINES, strict=True):
        assert [point["at"] for point in measured["points"]] == list(line.at)
        assert all(point["seconds"] > 0 and point["peak_mib"] > 0 for point in measured["points"])
    for name in ("benchmarks-time", "benchmarks-memory"):
        svg = (HOUSE / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
        assert all(words in svg for words in AXES.values())
        assert (HOUSE / "docs" / "pictures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_plain_keras_and_ours_make_the_same_updates():
    other, mine = told("benchmarks.speed.others.keras_fit", 1, 1), told("benchmarks.speed.ours", "train-keras", 1, 2)
    assert other["updates"] == mine["updates"] == ratios.EPOCH
    assert len(other["seconds"]) == 2
    assert other["last_rate"] == mine["last_rate"] == float(np.float32(LAST_RATE))


def test_plain_pytorch_and_ours_make_the_same_updates():
    other, mine = told("benchmarks.speed.others.torch_loop", 1, 1), told("benchmarks.speed.ours", "train-torch", 1, 2)
    assert other["updates"] == mine["updates"] == ratios.EPOCH
    assert other["last_rate"] == mine["last_rate"] == LAST_RATE


@pytest.mark.parametrize(
    ("other", "mine", "exact"),
    [("keras_schedule", "simulate-keras", False), ("ignite_values", "simulate-torch", True)],
    ids=["keras", "torch"],
)
def test_both_ways_to_ask_for_rates_give_the_same(other, mine, exact):
    theirs, found = told(f"benchmarks.speed.others.{other}", 70, 2), told("benchmarks.speed.ours", mine, 70, 2)
    assert theirs["updates"] == found["updates"] == 70
    assert len(theirs["seconds"]) == len(found["seconds"]) == 2
    assert found["last_rate"] == pytest.approx(theirs["last_rate"], rel=0 if exact else 1e-6)


def test_all_ways_to_compare_two_traces_give_the_same():
    mine = told("benchmarks.speed.ours", "compare", 4000, 2)
    assert mine["rows"] == tables.plan(4000).steps * 5
    for other in ("pandas_merge", "datacompy_compare"):
        theirs = told(f"benchmarks.speed.others.{other}", 4000, 2)
        assert (theirs["rows"], theirs["largest"]) == (mine["rows"], mine["largest"])


def test_the_script_of_the_question_draws_its_figure(tmp_path):
    run("-m", "benchmarks.speed.others.question", 1, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_traces_to_compare_are_as_our_workers_write_them():
    of = tables.plan(1000)
    traces = {name: tables.trace(name, of, seed) for seed, name in enumerate(("tensorflow", "torch"))}
    assert list(traces["torch"].steps) == list(TRACE_COLUMNS)
    assert len(align(traces, of)) == of.steps * len(of.arms)


def test_seconds_become_the_figure_of_a_benchmark():
    assert PAIRS["torch-update"].ours.value([9.0, 1.0, 7.4]) == pytest.approx(1000)  # 6.4 s for 200 epochs of 32
    assert PAIRS["keras-100-seeds"].other.value([1.0, 2.0, 3.0]) == 200
    assert PAIRS["compare-2m"].ours.value([9.0, 1.0, 3.0, 2.0]) == 2
    assert PAIRS["simulate-torch"].ours.value([9.0, 0.1, 0.1]) == pytest.approx(1.0)


def test_medians_of_pairs_in_turn_without_the_first(tmp_path):
    count = tmp_path / "count"
    program = (
        "import json, pathlib; file = pathlib.Path({!r}); runs = file.read_text() if file.exists() else ''; "
        "file.write_text(runs + {!r}); print('noise'); print(json.dumps(dict(seconds=[float(len(runs) + 1)])))"
    )
    sides = [measuring.Side(("-c", program.format(str(count), name)), lambda seconds: seconds[0]) for name in "ab"]
    other, mine = measuring.in_turn(*sides, 3, lambda text: None)
    assert count.read_text() == "abababab"
    assert (other, mine) == (5.0, 6.0)


def test_a_side_that_fails_says_why():
    with pytest.raises(RuntimeError, match="ended with 3: its last words"):
        measuring.once(measuring.Side(("-c", "import sys; print('its last words', file=sys.stderr); sys.exit(3)")))


def test_what_a_name_is_must_be_known():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "keras"], cwd=HOUSE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("'keras' is no benchmark. Write some of keras-50-epochs, ")


def test_plans_of_our_side_are_the_default_one_with_one_arm():
    of = ours.plan(3, 2)
    assert [arm.name for arm in of.arms] == ["staircase-steps"]
    assert (of.steps, of.seeds) == (3 * ratios.EPOCH, (0, 1))
    assert math.isclose(float(of.arms[0].rate(np.array([31]), of.clock)[0]), LAST_RATE)
