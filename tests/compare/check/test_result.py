"""The result of a check: what is said of it, and the common protocol."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers import samestep as command

import samestep
from samestep.experiment.recording.file import HEADER
from samestep.experiment.trace import write_json
from samestep.experiment.watching import Facts, Optimizer, Place, Scheduler, Steps

QUESTION = [0.001 * 0.95 ** (step // 25) for step in range(1600)]
SCHEDULE = {"kind": "exponential", "initial": 0.001, "factor": 0.95, "every": "25 steps", "staircase": True}
SAID = """\
run.csv follows exponential:initial=0.001,factor=0.95,every=25 steps,staircase; every row lies within 0 of its tolerance.
   samestep, 1,600 rows, steps 0 to 1,599; tensorflow, arm Adam
The rate begins at 0.001 and first changes at step 25 (epoch 0, batch 25), to 0.00095: 63 changes in 1,600 rows. \
The final rate is 3.94991e-05, at step 1599 (epoch 49, batch 31).
change   step  epoch  batch         rate
     1     25      0     25      0.00095
     2     50      1     18    0.0009025
     3     75      2     11  0.000857375
     4    100      3      4  0.000814506
     …      …      …      …            …
    60  1,500     46     28  4.60698e-05
    61  1,525     47     21  4.37663e-05
    62  1,550     48     14   4.1578e-05
    63  1,575     49      7  3.94991e-05
Recorded: 1,600 updates, 50 passes over the data, 32 updates per epoch.

Warning: epochs-as-steps. ExponentialDecay(decay_steps=25, decay_rate=0.95) counts updates: decay_steps=25 is \
25 updates, less than one epoch of 32, in a run of 50 epochs. Perhaps 25 epochs were meant.
  question.py:8: made
  question.py:12: stepped
  Fix: If so, multiply it by the updates of an epoch: decay_steps=800.
    decay_steps=25 * 32  # 800 updates

1 warning.
More on this: samestep why epochs-as-steps
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The question's run, as it is recorded."""
    path = tmp_path / "run.csv"
    path.write_text(HEADER + "".join(f"tensorflow,Adam,0,{n},,,{lr!r},\n" for n, lr in enumerate(QUESTION)))
    facts = Facts("tensorflow", ended="returned", trainer="keras", updates=1600, steps_per_epoch=32, planned_epochs=50)
    facts.epochs = list(range(0, 1600, 32))
    facts.optimizers = [Optimizer(0, "Adam", Place("question.py", 9), ["Adam"], [], 1600)]
    arguments = {"decay_steps": 25, "decay_rate": 0.95}
    decay = Scheduler(0, "ExponentialDecay", 0, arguments, Place("question.py", 8), schedule=SCHEDULE)
    decay.steps = [Steps("question.py", 12, 1600, 0, 1600, "update")]
    facts.schedulers = [decay]
    write_json(path.with_suffix(".facts.json"), facts.to_json())
    return path


def test_the_command_says_it(run):
    done = command("check", "run.csv", cwd=run.parent)
    assert done.stdout == SAID
    assert done.returncode == 1


def test_the_command_writes_what_it_is_asked_for(run):
    options = ("--json", "told.json", "--plot", "rates.png", "--report", "report")
    done = command("check", "run.csv", *options, cwd=run.parent)
    assert done.returncode == 1, done.stderr
    told = json.loads((run.parent / "told.json").read_text())
    assert {key: told[key] for key in ("schema", "verdict", "schedule")} == {
        "schema": 1,
        "verdict": "findings",
        "schedule": SCHEDULE,
    }
    (finding,) = told["findings"]
    assert set(finding) == {"name", "severity", "sentence", "parameters", "where", "fix"}
    assert finding["where"][0] == {"file": "question.py", "line": 8, "role": "made"}
    assert finding["parameters"]["epochs"] == 50
    assert (run.parent / "rates.png").read_bytes().startswith(b"\x89PNG")
    assert "epochs-as-steps" in (run.parent / "report" / "report.html").read_text()


def test_from_python(run):
    checked = samestep.check(run)
    assert (checked.verdict, checked.clean, len(checked.table)) == ("findings", False, 1600)
    assert checked.schedule.model_dump(mode="json") == SCHEDULE
    assert list(checked.table.columns) == ["arm", "step", "lr", "lr_schedule"]
    assert "<svg" in checked._repr_html_()
    assert checked.figure("rates").axes
    with pytest.raises(ValueError, match="Write one of rates"):
        checked.figure("none")


def test_a_clean_run_ends_with_0_and_too_few_rows_with_3(tmp_path):
    (tmp_path / "clean.csv").write_text("step,lr\n" + "".join(f"{n},{0.1 * 0.5 ** (n // 40)}\n" for n in range(200)))
    assert command("check", "clean.csv", cwd=tmp_path).returncode == 0
    (tmp_path / "few.csv").write_text("step,lr\n0,0.1\n1,0.1\n")
    done = command("check", "few.csv", cwd=tmp_path)
    assert (done.returncode, "Too few" in done.stdout) == (3, True)


def test_a_run_without_updates_says_so(tmp_path):
    (tmp_path / "run.csv").write_text(HEADER)
    write_json(tmp_path / "run.facts.json", Facts("torch").to_json())
    done = command("check", "run.csv", "--json", "told.json", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout == "run.csv: no update was recorded, so nothing can be said.\n"
    assert json.loads((tmp_path / "told.json").read_text())["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ("{", "holds no facts of a run"),
        ('{"schema": 2}', "it is not of schema 1"),
        ('{"schema": 1, "framework": "torch", "updates": "many"}', "updates: Input should be a valid integer"),
    ],
)
def test_facts_that_are_none_are_refused_in_a_line(run, facts, said):
    run.with_suffix(".facts.json").write_text(facts)
    done = command("check", "run.csv", cwd=run.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("given", ["no.csv", "exponential:initial=1e-3,factor=0.95,every=25 steps"])
def test_what_is_no_run_is_refused_in_a_line(tmp_path, given):
    done = command("check", given, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_why_has_a_page_for_each_finding():
    done = command("why", "epochs-as-steps", "rate-zero")
    assert done.stdout.startswith("epochs-as-steps: a count that was meant in epochs is used up in steps\n")
    assert "What it rests on:" in done.stdout
    assert "overwritten " in command("why").stdout
