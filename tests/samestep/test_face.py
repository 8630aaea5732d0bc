"""`import samestep`: what it offers, what it takes, and what it imports."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from compare_helpers import PAIRS, RECORDED, compared, pair, trace_file
from helpers import samestep as command

import samestep
from samestep._compare.runs.run import CompareError
from samestep.experiment.schedules.text import parse

STAIRS = "exponential:initial=1e-3,factor=0.95,every=25 steps,staircase"
RATES = [1e-3 * 0.95 ** (step // 25) for step in range(400)]


def test_import_is_light():
    program = (
        "import time, sys\nbegun, before = time.perf_counter(), set(sys.modules)\nimport samestep\n"
        "assert dir(samestep) == samestep.__all__\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "assert loaded <= {'samestep', '__future__', 'typing', 'collections', 'contextlib', 'functools', 'operator', 're'}"
        " | sys.stdlib_module_names, loaded"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_name_is_there_and_documented():
    for name in samestep.__all__:
        if name not in ("Recorder", "record"):  # each in a process of its own: see `test_recorders`
            found = getattr(samestep, name)
            assert name == "__version__" or found.__doc__
    with pytest.raises(AttributeError, match="nothing"):
        samestep.nothing  # noqa: B018


@pytest.mark.parametrize(("name", "framework"), [("record", "torch"), ("Recorder", "tensorflow")])
def test_recorders_come_from_their_framework_or_say_what_to_install(name, framework):
    there = subprocess.run(
        [sys.executable, "-c", f"import samestep; print(samestep.{name}.__module__)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert there.stdout.strip() == {"record": "torch_impl.recorder", "Recorder": "tf_impl.recorder"}[name]
    missing = (
        f"import sys\nsys.modules.update(torch=None, tensorflow=None, keras=None)\nimport samestep\nsamestep.{name}"
    )
    done = subprocess.run([sys.executable, "-c", missing], capture_output=True, text=True, check=False)
    said = done.stderr.splitlines()[-1]
    assert said == f"ImportError: samestep.{name} needs {framework}. Run: pip install 'samestep[{framework}]'"


@pytest.mark.parametrize("name", RECORDED)
def test_a_printed_result_is_what_the_terminal_shows(name):
    sizes = ("--samples", RECORDED[name]["samples"], "--batch-size", RECORDED[name]["batch_size"])
    assert command("compare", *pair(name), *sizes).stdout == f"{compared(name)}\n"


def sides(tmp_path):
    log = trace_file(tmp_path / "log.csv", RATES)
    return {
        "text": log,
        "path": tmp_path / "log.csv",
        "list": RATES,
        "array": np.array(RATES),
        "table": pd.DataFrame({"step": range(400), "lr": RATES}),
        "table of rates": pd.DataFrame({"lr": RATES}),
        "table of runs": pd.DataFrame({"framework": "torch", "arm": "x", "seed": 1, "lr": RATES}),
        "read": samestep.read(log),
        "trace": samestep.read(log).trace,
        "schedule": STAIRS,
        "schedule object": parse(STAIRS),
    }


@pytest.mark.parametrize("kind", ["text", "path", "list", "array", "table", "table of rates", "table of runs", "read",
                                  "trace", "schedule", "schedule object"])  # fmt: skip
def test_either_side_may_be(tmp_path, kind):
    side = sides(tmp_path)[kind]
    for a, b in ((side, RATES), (RATES, side)):
        result = samestep.compare(a, b)
        assert (result.verdict, result.same, result.first_difference) == ("same", True, None)
    assert samestep.compare(side, [2 * rate for rate in RATES]).cause.factor == 2


def test_settings_of_a_side_are_arguments(tmp_path):
    table = pd.DataFrame({"n": range(1, 401), "rate": RATES})
    columns = {"step": "n", "lr": "rate"}
    result = samestep.compare(RATES, table, of_b={"step_base": 1, "column.step": "n", "column.lr": "rate"})
    assert result.verdict == "same"
    assert samestep.compare(table, table, columns=columns).verdict == "same"
    two = pd.DataFrame({"arm": ["x"] * 400 + ["y"] * 400, "step": [*range(400)] * 2, "lr": RATES + RATES[::-1]})
    assert samestep.compare(two, RATES, of_a={"arm": "x"}).verdict == "same"
    assert len(samestep.compare(two, STAIRS).pairs) == 2


def test_a_result_has_what_the_command_writes(tmp_path):
    result = samestep.compare(*pair("question"), samples=1000, batch_size=32)
    assert result.cause.factor == 32
    assert (result.first_difference.step, result.first_difference.a) == (25, float(np.float32(1e-3)))
    assert "Keras" in result.fix.code
    assert list(result.table)[:5] == ["pair", "step", "epoch", "batch", "lr_a"]
    assert len(result.table) == 1600
    assert result.figure() is not result.figure("differences")
    assert "<svg" in result.figure()._repr_svg_()
    assert "<testsuites" in result.to_junit()
    page = result._repr_html_()
    assert page.count("<figure") == 3
    assert not {"<html", "<head", "<body", "<script"} & set(page.split(">"))
    result.save(tmp_path / "mine")
    assert json.loads((tmp_path / "mine" / "comparison.json").read_text())["cause"]["name"] == "counter"
    with pytest.raises(ValueError, match=r"Name another folder with save\(folder\), or replace it with force=True"):
        result.save(tmp_path / "mine")
    result.save(tmp_path / "mine", force=True)
    with pytest.raises(ValueError, match="Write one of rates, differences, first-difference"):
        result.figure("rate")
    with pytest.raises(TypeError, match=r"\.same"):
        bool(result)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"samples": 5}, "samples and batch_size belong together. Write both."),
        ({"steps_per_epoch": 0}, "steps_per_epoch: got 0."),
        ({"of_b": {"colour": "red"}}, "of_b: 'colour' is not a setting."),
        ({"of_a": {"step_base": "one"}}, "of_a step_base: got 'one'."),
        ({"epochs": 3}, "epochs says how long two schedules are compared"),
        ({"stepping": "batch"}, "stepping: got 'batch'."),
        ({"b": object()}, "got a value of type object. Give a path, a table with a column lr,"),
        ({"b": [0.1, float("nan")]}, "row 2: the rate of step 1 is nan."),
        ({"b": pd.DataFrame({"rate": RATES})}, "no column 'lr' among rate. Name it with of_b column.lr=…."),
    ],
)
def test_errors_name_arguments(arguments, says):
    with pytest.raises(CompareError) as refused:
        samestep.compare(**({"a": RATES, "b": RATES} | arguments))
    assert says in str(refused.value)
    assert "--" not in str(refused.value)


def test_infer_says_what_a_run_follows():
    result = samestep.infer(RATES)
    assert (str(result.schedule.every), result.stepping) == ("25 steps", "step")
    assert 0 <= result.max_error <= 1
    assert str(result).startswith("The run follows exponential:initial=0.001,factor=0.95,every=25 steps,staircase;")
    assert result.to_json()["stepping"] == "step"
    assert list(result.table) == ["step", "lr", "lr_schedule"]
    assert "<svg" in result._repr_html_()
    noise = samestep.infer(np.random.default_rng(0).random(50))
    assert (noise.schedule, noise.stepping, noise.max_error) == (None, None, None)
    assert str(noise).startswith("The run follows no schedule that samestep knows.")
    with pytest.raises(CompareError, match="a schedule already"):
        samestep.infer(STAIRS)
    with pytest.raises(CompareError, match=r"2 runs .* Select one with arm, framework, seed"):
        samestep.infer(pd.DataFrame({"arm": ["x", "y"], "lr": [0.1, 0.1]}))


def test_read_says_what_was_read_and_assumed():
    result = samestep.read(PAIRS / "question" / "a.csv")
    assert "csv, 1,600 rows, steps 0 to 1,599; arm lr" in str(result)
    assert "assumed: The log does not say" in str(result)
    assert result.table.lr.iloc[0] == float(np.float32(1e-3))
    assert result.to_json()["runs"] == [{"framework": "csv", "arm": "lr", "seed": 0, "rows": 1600, "notes": []}]
    assert result.figure().axes[0].lines


def test_explain_gives_the_rates_and_saves(tmp_path):
    result = samestep.explain(STAIRS, samples=1000, batch_size=32, epochs=2)
    assert result.first_change.place.step == 25
    assert result.table.lr.tolist() == pytest.approx(RATES[:64])
    result.save(tmp_path / "mine")
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {
        "figures", "manifest.json", "report.html", "report.md", "result.json", "table.csv"
    }  # fmt: skip
    result.save(tmp_path / "mine", force=True)
    with pytest.raises(CompareError, match="Write samples and batch_size"):
        samestep.explain(STAIRS, epochs=2)
    assert samestep.explain(parse(STAIRS), clock=samestep.Clock(1000, 32), epochs=2).to_json() == result.to_json()
