"""README and docs say what is so: commands, numbers, columns and keys."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import samestep

from samestep._compare.align.losses import ROUNDING
from samestep._compare.align.rows import ALIGNED_COLUMNS
from samestep._compare.attribution.ladder import Gap, Ladder, Rung
from samestep._compare.attribution.result import Attribution
from samestep._compare.attribution.variants import EPSILONS, Experiment
from samestep._compare.tolerance import NEAR_ZERO
from samestep.experiment import differences
from samestep.experiment.clock import Clock
from samestep.experiment.plan import (
    SGD,
    Adam,
    AdamW,
    Controls,
    CsvData,
    Momentum,
    Network,
    Plan,
    QuestionData,
    RMSprop,
    question,
)
from samestep.experiment.schedules import Constant, ExponentialDecay
from samestep.experiment.schedules.text import read
from samestep.experiment.trace import EPOCH_COLUMNS, TRACE_COLUMNS

HOUSE = Path(__file__).parents[2]
README = (HOUSE / "README.md").read_text(encoding="utf-8")
FILES = (HOUSE / "docs" / "files.md").read_text(encoding="utf-8")
SCHEDULES = (HOUSE / "docs" / "schedules.md").read_text(encoding="utf-8")
COMMANDS = (HOUSE / "docs" / "commands.md").read_text(encoding="utf-8")
DIAGNOSIS = (HOUSE / "docs" / "diagnosis.md").read_text(encoding="utf-8")
ATTRIBUTION = (HOUSE / "docs" / "attribution.md").read_text(encoding="utf-8")
PLAN = (HOUSE / "docs" / "plan.md").read_text(encoding="utf-8")


def commands():
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines() if line]


def test_commands_of_the_readme_are_those_of_the_makefile():
    makefile = (HOUSE / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test"):
        assert ["make", target] in commands()
        assert re.search(rf"^{target}: ", makefile, re.MULTILINE)
    for words in commands():
        if "pip" in words:
            install = shlex.join(words[3:]).removeprefix("install -c constraints.txt ")
            assert f"$(INSTALL) {install}" in makefile
    assert [".venv/bin/samestep", "run", "--force"] in commands()
    assert "$(BIN)/samestep run --force" in makefile
    assert [".venv/bin/python", "-m", "pytest", "-q"] in commands()
    assert "$(BIN)/python -m pytest -q" in makefile


@pytest.mark.parametrize("name", ["explain", "simulate", "translate"])
def test_commands_about_a_schedule_run_as_written(tmp_path, name):
    words = next(words for words in commands() if words[1] == name)
    assert samestep(*words[1:], cwd=tmp_path).returncode == 0
    # and the examples that their help gives
    written = samestep(name, "--help", COLUMNS="400").stdout
    assert f"Example: samestep {name} " in written


def test_the_readmes_comparison_tells_what_the_question_was():
    words = next(words for words in commands() if words[1] == "compare")
    done = samestep(*words[1:], cwd=HOUSE)
    assert done.returncode == 1, done.stderr
    assert "b counts steps, a counts epochs. An epoch is 32 steps" in done.stdout


def test_python_of_the_page_on_diagnosis_runs():
    (code,) = re.findall(r"```python\n(.*?)```", DIAGNOSIS, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=HOUSE, check=True)
    assert "differs Counter(factor=32, reading='steps-vs-epochs')" in done.stdout


def test_the_page_on_diagnosis_has_what_the_benchmark_found():
    shares = dict(re.findall(r"^- (\w+): .* right, ([0-9.]+) %$", DIAGNOSIS, re.MULTILINE))
    assert set(shares) == {"causes", "same", "unexplained"}
    matrix = [line for line in DIAGNOSIS.splitlines() if line.startswith("| true \\ told |")]
    assert len(matrix) == 1


def test_python_of_the_docs_runs():
    code = re.findall(r"```python\n(.*?)```", SCHEDULES, re.DOTALL)
    assert [f"import {name}\n" in each for each in code for name in ("torch", "keras")] == [True, False, False, True]
    for each in code:
        done = subprocess.run([sys.executable, "-c", each], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_schedules_of_the_docs_are_read():
    written = "".join(re.findall(r"```text\n(.*?)```", SCHEDULES, re.DOTALL)).splitlines()
    assert len(written) == 13
    for text in written:
        assert read(text, "epoch" if text.startswith("timm:") else "step", Clock(samples=1000, batch_size=32)).schedule


def test_every_key_of_the_schedule_commands_is_documented():
    run = ("--samples", "10", "--batch-size", "2", "--epochs", "3", "--json", "-")
    for words in (
        ("explain", "constant:initial=1", *run),
        ("simulate", "constant:initial=1", *run),
        ("translate", "constant:initial=1", "--to", "torch", "--json", "-"),
    ):
        told = json.loads(samestep(*words).stdout)
        for key in {*told, *told.get("frameworks", {}).get("torch", {}), *told.get("tolerance", {})}:
            assert f"`{key}`" in COMMANDS, key


def test_own_plan_of_the_readme_runs(tmp_path, small):
    words = next(words for words in commands() if "--plan" in words)
    (tmp_path / "mine.json").write_text(small.to_json())
    done = samestep(*words[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "mine" / "report.html").exists()


def test_numbers_of_the_readme_are_those_of_the_run(question_output):
    plan = question()
    run = next(arm for arm in question_output.summary["arms"] if arm["arm"] == "staircase-steps")["frameworks"]["torch"]
    text = " ".join(README.split())
    assert (
        f"with {plan.data.samples:,} samples in batches of {plan.batch_size} there are {plan.clock.steps_per_epoch}"
        in text
    )
    assert f"falls at step {run['first_change']['step']}, inside the first epoch" in text
    assert f"and {run['changes']} times in {plan.epochs} epochs" in text


def test_readme_is_short():
    assert len(README.splitlines()) < 150


def test_every_column_is_documented(question_output):
    written = {
        name: (question_output.folder / name).read_text().splitlines()[0].split(",")
        for name in ("trace.csv", "epochs.csv", "aligned.csv", "summary.csv")
    }
    assert written["trace.csv"] == list(TRACE_COLUMNS)
    assert written["epochs.csv"] == list(EPOCH_COLUMNS)
    assert written["aligned.csv"] == ALIGNED_COLUMNS
    for columns in written.values():
        for column in columns:
            assert f"`{column}`" in FILES, column


def keys(value, prefix=""):
    """Every key of a JSON value, with a star for each that is a name."""
    if isinstance(value, dict):
        for key, item in value.items():
            named = "*" if prefix.endswith(("frameworks.", "versions.")) else key
            yield from keys(item, f"{prefix}{named}.")
    elif isinstance(value, list):
        yield from keys(value[0], prefix)
    else:
        yield prefix.rstrip(".")


def test_every_key_of_the_summary_is_documented(question_output):
    summary = question_output.summary
    for key in set(keys(summary["arms"])):
        parts = key.split(".")
        assert f"`{key}`" in FILES or f"`{'.'.join(parts[:3])}`" in FILES or f"`{key.split('.')[-1]}`" in FILES, key
    for key in (*summary, *summary["clock"]):
        assert f"`{key}`" in FILES or key in ("plan", "schema")


def test_every_key_of_the_manifest_is_documented(question_output):
    manifest = json.loads((question_output.folder / "manifest.json").read_text())
    arm = manifest["frameworks"]["torch"]["arms"]["staircase-steps"]
    for key in (*manifest, *manifest["conventions"], *arm):
        assert f"`{key}`" in FILES or f"`{key}." in FILES, key


def test_every_file_is_documented(question_output):
    for path in question_output.folder.iterdir():
        assert f"`{path.name}{'/' if path.is_dir() else ''}`" in FILES


def test_every_key_of_a_plan_is_documented():
    models = (
        Plan,
        QuestionData,
        CsvData,
        Network,
        Momentum,
        Adam,
        AdamW,
        RMSprop,
        Controls,
        Constant,
        ExponentialDecay,
    )
    for model in models:
        for name, field in model.model_fields.items():
            key = field.alias or name
            assert f"`{key}`" in PLAN or f".{key}`" in PLAN, key


def test_picture_of_the_readme_is_the_one_that_the_run_draws(question_output):
    picture = (HOUSE / "docs" / "pictures" / "question.png").read_bytes()
    drawn = (question_output.folder / "figures" / "question.png").read_bytes()
    size = slice(16, 24)  # width and height in a PNG's header
    assert picture[:8] == drawn[:8]
    assert picture[size] == drawn[size]


def test_differences_of_the_page_on_attribution_are_those_of_the_code():
    adam = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False}
    optimizers = (
        SGD(),
        Momentum(momentum=0.9, nesterov=False),
        Adam(**adam),
        AdamW(**adam, weight_decay=0.1),
        RMSprop(rho=0.9, epsilon=1e-7),
    )
    having = {}
    for optimizer in optimizers:
        plans = [question().replace(optimizer=optimizer, precision=each) for each in ("float64", "float32")]
        for each in dict.fromkeys(each for plan in plans for each in differences.of(plan)):
            having.setdefault((each.name, each.keras, each.torch), []).append(optimizer.kind)
    section = ATTRIBUTION.split("## What the optimizers do differently")[1].split("\n## ")[0].replace("`", "")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| ")]
    assert sorted(rows[1:]) == sorted([*key, ", ".join(kinds)] for key, kinds in having.items())


def test_bounds_and_epsilons_of_the_page_on_attribution_are_those_of_the_code():
    text = " ".join(ATTRIBUTION.split())
    bounds = {kind: f"{bound:.0e}".replace("e-0", "e-") for kind, bound in ROUNDING.items()}
    assert f"{bounds['float64']} in float64 and {bounds['float32']} in float32" in text
    assert EPSILONS == {"tensorflow": 1e-7, "torch": 1e-8}
    assert "Keras takes 1e-7, PyTorch 1e-8" in text
    assert NEAR_ZERO == 1 / 1024


def test_every_option_of_attribute_is_documented():
    told = samestep("attribute", "--help", COLUMNS="200").stdout
    options = set(re.findall(r"--[a-z]+", told)) - {"--help"}
    assert {"--plan", "--against", "--mend"} <= options
    section = COMMANDS.split("## attribute")[1]
    assert [option for option in sorted(options) if f"`{option}`" not in section] == []


def test_every_key_and_column_of_an_attribution_is_documented(climbed):
    section = FILES.split("## The folder of samestep attribute")[1]
    attributed = Attribution.of(climbed)
    told = attributed.to_json()
    table, how = attributed.table, attributed._manifest()
    parts = (told, told["rungs"][1], told["rungs"][1]["alone"], told["residual"], told["advice"][0], table, how)
    assert [key for part in parts for key in part if f"`{key}`" not in section] == []


@pytest.fixture
def climbed():
    """A ladder with gaps of its own making: what is documented are its keys."""
    experiment = Experiment({"tensorflow": question(), "torch": question()}, "torch")
    gap = Gap(1e-3, 1e-4, np.array([1e-3, 1e-4]))
    rungs = (Rung("native", "native", gap, 0.0, 0.0, None), Rung("weights", "control", gap, 0.0, 0.0, gap))
    return Ladder(experiment, rungs, 2, 2, ROUNDING["float64"])
