"""What `samestep compare` writes: JSON, report, JUnit; and what its pages in docs/ promise."""

import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from compare_helpers import DOCS, RECORDED, compared, pair, save_npz, trace_file
from helpers import samestep

from samestep._compare.align.table import table
from samestep._compare.causes import CAUSES
from samestep._compare.comparison import figures, junit
from samestep._compare.comparison.compare import compare
from samestep._compare.comparison.words import difference_sentence
from samestep._compare.runs.settings import Settings, clock
from samestep._compare.runs.side import read_side
from samestep._compare.show import style
from samestep._compare.tolerance import ULP32
from samestep.experiment.clock import Clock
from samestep.experiment.trace import json_text


@pytest.fixture
def arms(tmp_path):
    """A trace of two arms."""
    path = tmp_path / "arms.csv"
    trace_file(path, [0.01] * 24, arm="constant", framework="torch")
    return trace_file(path, [0.01 * 0.5 ** (n // 2) for n in range(24)], arm="stairs", framework="torch")


def keys(value):
    for key, item in value.items() if isinstance(value, dict) else ():
        yield key
        yield from keys(item)


@pytest.mark.parametrize("name", RECORDED)
def test_every_key_of_the_json_is_documented(name):
    found = json.loads(json_text(compared(name).to_json()))
    found["a"]["conventions"] = found["b"]["conventions"] = {}
    made_from_the_code = {field.name for cause in CAUSES for field in fields(cause)}
    for key in {*keys(found), *keys(found["pairs"][0])} - {"Keras", "PyTorch"} - made_from_the_code:
        assert f"`{key}`" in DOCS["comparing"], key


def test_json_has_the_keys_of_the_design():
    told = compared("question").to_json()
    assert told["schema"] == 1
    assert told["rows"] == {"a": 1600, "b": 1600, "compared": 1600}
    assert told["tolerance"]["ulp32"] == ULP32
    assert told["first_difference"] == {
        "step": 25,
        "epoch": 0,
        "batch": 25,
        "a": float(np.float32(1e-3)),
        "b": pytest.approx(0.00095, rel=1e-6),
    }
    assert told["cause"]["reading"] == "steps-vs-epochs"
    assert "steps_per_epoch = 32" in told["cause"]["fix"]
    assert [each["name"] for each in told["also_possible"]] == ["period"]


def test_report_has_all_its_files(tmp_path):
    a, b = pair("question")
    done = samestep("compare", a, b, "--samples", 1000, "--batch-size", 32, "--report", tmp_path / "report")
    assert done.returncode == 1
    assert done.stdout.endswith(f"Report: {tmp_path / 'report' / 'report.html'}\n")
    folder = tmp_path / "report"
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    pictures = [
        f"figures/{name}.{kind}" for name in ("differences", "first-difference", "rates") for kind in ("png", "svg")
    ]
    assert files == sorted(
        ["comparison.csv", "comparison.json", "manifest.json", "report.html", "report.md", *pictures]
    )
    for path in folder.iterdir():
        assert f"`{path.name}{'/' if path.is_dir() else ''}`" in DOCS["comparing"]
    page = (folder / "report.html").read_text()
    assert "b counts steps, a counts epochs" in page
    assert page.count("<svg") == 3
    assert not re.search(r"<script|<img|src=|href=\"(?!data:|#)", page)
    assert "(figures/rates.svg)" in (folder / "report.md").read_text()
    assert '<p class="note">More on this: samestep why counter</p>' in page
    assert "\n```\n\nMore on this: samestep why counter\n\n" in (folder / "report.md").read_text()
    told = json.loads((folder / "comparison.json").read_text())
    assert told["cause"]["name"] == "counter"
    # an earlier report is replaced when asked, and only then
    again = ("compare", a, a, "--report", folder)
    assert samestep(*again).returncode == 2
    assert samestep(*again, "--force").returncode == 0
    assert json.loads((folder / "comparison.json").read_text())["verdict"] == "same"
    (folder / "notes.txt").write_text("mine")
    assert "holds notes.txt" in samestep(*again, "--force").stderr


def test_rows_of_the_report_are_those_of_both(tmp_path):
    lr = [0.1, 0.1, 0.05, 0.05]
    a = trace_file(tmp_path / "a.csv", lr, loss=[1.0, 0.5, 0.25, 0.125], arm="=cmd|x")
    b = trace_file(tmp_path / "b.csv", [*lr[1:], 0.025], step=[1, 2, 3, 5])
    assert samestep("compare", a, b, "--steps-per-epoch", 2, "--report", tmp_path / "report").returncode == 1
    with (tmp_path / "report" / "comparison.csv").open() as file:
        header, *rows = csv.reader(file)
    differences = ["lr_a", "lr_b", "lr_absolute", "lr_relative", "lr_ulp32", "loss_a", "loss_b"]
    assert header == ["pair", "step", "epoch", "batch", *differences]
    for column in header:
        assert f"`{column}`" in DOCS["comparing"]
    assert [row[0] for row in rows] == ["'=cmd|x"] * 5
    assert [row[1:4] for row in rows] == [
        ["0", "0", "0"],
        ["1", "0", "1"],
        ["2", "1", "0"],
        ["3", "1", "1"],
        ["5", "2", "1"],
    ]
    assert [row[4:6] for row in rows] == [
        ["0.1", ""],
        ["0.1", "0.1"],
        ["0.05", "0.05"],
        ["0.05", "0.05"],
        ["", "0.025"],
    ]
    assert [row[9] for row in rows] == ["1.0", "0.5", "0.25", "0.125", ""]
    assert "=cmd\\|x" not in (tmp_path / "report" / "report.md").read_text()  # a lone pair has no table


STEPS = np.arange(2000)
COSINE = 0.05 * (1 + np.cos(np.pi * STEPS / 1999))
DECAY = 0.1 * 0.9999**STEPS
BOTH = {
    "drift": (DECAY, 0.1 * float(np.float32(0.9999)) ** STEPS),
    "near 0": (COSINE, np.maximum(COSINE - 1e-9, 0)),
    "digits": (DECAY, pd.DataFrame({"lr": [float(f"{rate:.6g}") for rate in DECAY]})),
    "rounded": (DECAY, DECAY.astype(np.float32)),
    "beyond drift": (DECAY, DECAY * (1 + 1e-6)),
    "thinned": (DECAY, pd.DataFrame({"step": STEPS[::7], "lr": DECAY[::7] * 1.001})),
}


@pytest.mark.parametrize("case", [*BOTH, *RECORDED])
def test_verdict_numbers_and_picture_agree(case):
    found = compare(*BOTH[case]) if case in BOTH else compared(case)
    tolerance = found.to_json()["tolerance"]["applied"]
    beyond = tolerance["ulp32"] > tolerance["allowed_ulp32"]
    assert beyond == (found.first_difference is not None)
    curve, *limits = [line for line in found.figure("differences").axes[0].lines if line.get_label() != "_nolegend_"]
    (limit,) = [line for line in limits if line.get_label() == "tolerance"]
    if curve.get_label() == "largest difference":
        allowed = dict(zip(limit.get_xdata(), limit.get_ydata(), strict=True))
        above = [apart > allowed.get(step, np.inf) for step, apart in zip(*curve.get_data(), strict=True)]
        assert any(above) == beyond
    said = difference_sentence(found.worst)
    assert ("beyond the tolerance" in said) == beyond
    assert f"step {tolerance['step']:,}:" in said or "No rate differs" in said


def test_two_logs_without_a_common_step_say_so_in_the_picture():
    even, odd = (pd.DataFrame({"step": STEPS[begin::2], "lr": 0.1}) for begin in (0, 1))
    axes = compare(even, odd).figure("differences").axes[0]
    assert [text.get_text() for text in axes.texts] == ["no step in common"]


def test_pictures_stay_small_however_many_rows(tmp_path):
    step = np.arange(100_000)
    a, b = tmp_path / "a.npz", tmp_path / "b.npz"
    for path, factor in ((a, 0.99999), (b, 0.99998)):
        save_npz(path, 0.1 * factor**step)
    worst = compare(str(a), str(b)).worst
    rows = table(worst.a, worst.b, Clock(1000, 1))
    for figure in (
        figures.rates(rows, Clock(1000, 1), 1),
        figures.differences(rows, Clock(1000, 1), figures.allowed(rows, worst.diagnosis.tolerance)),
        figures.first_difference(rows, Clock(1000, 1), 1),
    ):
        for axes in figure.axes:
            assert axes.get_xlabel()
            assert axes.get_ylabel()
            assert len(axes.lines) <= 2 + 60
            assert all(len(line.get_xdata()) <= style.POINTS for line in axes.lines)


def test_junit_has_a_case_for_each_pair(arms, tmp_path):
    asked = (arms, "exponential:initial=1e-2,factor=0.5,every=2 steps,staircase", "--framework", "torch")
    samestep("compare", *asked, "--junit", tmp_path / "told.xml")
    root = ElementTree.parse(tmp_path / "told.xml").getroot()
    (suite,) = root
    assert (root.tag, suite.tag, suite.attrib["name"]) == ("testsuites", "testsuite", "samestep")
    assert [suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")] == ["2", "1", "0", "0"]
    assert [case.attrib["name"] for case in suite] == ["constant", "stairs"]
    assert [[child.tag for child in case] for case in suite] == [["failure"], []]
    assert "do not follow the same schedule" in suite[0][0].attrib["message"]
    assert "Fix: " in suite[0][0].text
    assert suite[0][0].text.endswith("\nMore on this: samestep why never-falls")


def test_junit_takes_what_is_undecided_for_an_error():
    (suite,) = ElementTree.fromstring(compared("read-at-batch-end").to_junit().encode())
    assert (suite.attrib["errors"], suite[0][0].tag) == ("1", "error")
    assert "--b lr_timing=next" in suite[0][0].text


def test_junit_holds_any_name(tmp_path):
    name = "<&\"'>\x1b]]> ü \ufffe"
    a = trace_file(tmp_path / "a.csv", [0.1] * 5, arm="x")
    b = trace_file(tmp_path / "b.csv", [0.2] * 5, arm="x")
    found = compare(a, b)
    renamed = type(found.worst)(**{**vars(found.worst), "name": name})
    told = junit.to_xml(type(found)(**{**vars(found), "pairs": (renamed,)}))
    (suite,) = ElementTree.fromstring(told)
    assert suite[0].attrib["name"] == "<&\"'>�]]> ü �"


def test_names_that_are_no_text_harm_nothing(tmp_path):
    name = tmp_path / os.fsdecode(b"a\xff.csv")
    a = trace_file(name, [0.1] * 5, arm="x\x1b[31m")
    wanted = ("--json", tmp_path / "x.json", "--junit", tmp_path / "x.xml", "--report", tmp_path / "report")
    done = samestep("compare", a, a, *wanted)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert json.loads((tmp_path / "x.json").read_text())["a"]["name"].endswith("a?.csv")


def test_the_last_of_next_rates_was_used_by_no_update(tmp_path):
    (tmp_path / "log.csv").write_text("step,lr\n0,0.1\n1,0.05\n2,0.05\n")
    run = read_side(str(tmp_path / "log.csv"), "a", Settings.of({"lr_timing": "next"}, "a", Settings()), None).runs[0]
    assert (run.rates.step.tolist(), run.rates.lr.tolist()) == ([1, 2], [0.1, 0.05])
    assert run.notes == ("The last row's rate is that of an update after the end of the log; it was left out.",)


def test_nothing_is_written_when_interrupted_by_an_error(tmp_path):
    log = trace_file(tmp_path / "log.csv", [0.1, 0.05])
    wanted = ("--json", tmp_path / "x.json", "--junit", tmp_path / "x.xml", "--report", tmp_path / "report")
    assert samestep("compare", log, "missing", *wanted).returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


@pytest.mark.parametrize(
    ("changed", "code", "said"), [(False, 0, "The schedule is the same."), (True, 1, "The schedule changed:")]
)
def test_shell_gate_of_the_docs_works(tmp_path, changed, code, said):
    trace_file(tmp_path / "baseline.csv", [0.1 * 0.5 ** (n // 64) for n in range(320)])
    trace_file(tmp_path / "new.csv", [0.1 * 0.5 ** (n // (2 if changed else 64)) for n in range(320)])
    script = next(each for each in re.findall(r"```sh\n(.*?)```", DOCS["ci-gate"], re.DOTALL) if "case $?" in each)
    (tmp_path / "samestep").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m samestep "$@"\n')
    (tmp_path / "samestep").chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", f'PATH="{tmp_path}:$PATH"\n{script}'], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert said in done.stdout
    assert ("32 times as fast" in done.stdout) == changed
    assert (tmp_path / "comparison.xml").exists()


def test_options_of_the_docs_are_those_of_the_command():
    helped = samestep("compare", "--help", COLUMNS="300").stdout
    options = set(re.findall(r"--[a-z-]+", helped)) - {"--help"}
    told = set(re.findall(r"`(--[a-z-]+)`", DOCS["comparing"]))
    assert options <= told
    of_others = set().union(
        *(re.findall(r"--[a-z-]+", samestep(name, "--help").stdout) for name in ("check", "record"))
    )
    for text in DOCS.values():
        assert set(re.findall(r" (--[a-z-]+)", text)) <= options | of_others | {"--record"}
    assert "Example: samestep compare " in helped


def test_python_of_the_docs_runs():
    (code,) = re.findall(r"```python\n(.*?)```", DOCS["comparing"], re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_import_and_help_are_light():
    program = (
        "import sys, samestep\nassert 'numpy' not in sys.modules\nfrom samestep._compare.command import main\n"
        "try: main.main(['compare', '--help'])\nexcept SystemExit: pass\n"
        "print({'pandas', 'matplotlib', 'tensorflow', 'torch'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"


def test_a_comparison_draws_nothing_unless_asked():
    a, b = pair("question")
    program = (
        "import sys\nfrom samestep._compare.command import main\n"
        f"try: main.main(['compare', {a!r}, {b!r}])\nexcept SystemExit: pass\n"
        "print({'matplotlib', 'rich.table', 'tensorflow', 'torch'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"


def test_accumulation_makes_fewer_steps_of_an_epoch():
    assert clock(1000, 32, False, 4, None).steps_per_epoch == 8
    assert clock(None, None, False, 4, 8).steps_per_epoch == 8
    assert clock(None, None, False, 4, 8).batches_per_epoch == 32
    assert clock(None, None, False, 1, None) is None


def test_json_is_strict_whatever_the_rates(tmp_path):
    huge = trace_file(tmp_path / "a.csv", [1e30] * 5)
    small = trace_file(tmp_path / "b.csv", [1e-30] * 5)
    told = json_text(compare(huge, small).to_json())
    assert json.loads(told, parse_constant=pytest.fail)["verdict"] == "differs"
