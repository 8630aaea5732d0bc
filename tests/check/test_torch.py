"""`samestep record` on small scripts of PyTorch as people write them: the mistake and its line, or nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "scripts" / "torch"

MISTAKES = {
    "before_the_first_update": ("stepped-first", "    scheduler.step()"),
    "climbs_again": ("past-the-end", "CosineAnnealingLR(optimizer, T_max=10"),
    "cosine_per_batch": ("epochs-as-steps", "CosineAnnealingLR(optimizer, T_max=epochs)"),
    "far_from_its_end": ("ends-early", "CosineAnnealingLR(optimizer, T_max=70)"),
    "float_milestones": ("rounded", "MultiStepLR(optimizer, milestones=["),
    "forgotten": ("never-stepped", "ExponentialLR(optimizer, gamma=0.9)"),
    "horizon_in_steps": ("steps-as-epochs", "    scheduler.step()"),
    "micro_batches": ("accumulation", "        scheduler.step()"),
    "optimizer_made_anew": ("other-optimizer", "StepLR(optimizer, step_size=4"),
    "plateau_in_the_batch_loop": ("plateau-per-batch", "scheduler.step(loss.item())"),
    "rate_of_zero": ("rate-zero", "LambdaLR(optimizer"),
    "rate_set_beside_a_scheduler": ("overwritten", 'group["lr"] ='),
    "restarts_per_batch": ("epochs-as-steps", "CosineAnnealingWarmRestarts(optimizer, T_0=4)"),
    "schedule_not_restored": ("resumed-afresh", "StepLR(optimizer, step_size=4"),
    "step_size_in_epochs": ("epochs-as-steps", "StepLR(optimizer, step_size=5"),
    "twice_an_epoch": ("stepped-again", "    scheduler.step()"),
}
"""The finding of each script, and what the first line that it names holds."""

SOUND = sorted(path.stem for path in SCRIPTS.glob("sound_*.py"))


def recorded(name, folder):
    """What `samestep record --json` gives, and the exit code."""
    command = [sys.executable, "-m", "samestep", "record", "--out", "run.csv", "--json", "found.json", "--", sys.executable]
    done = subprocess.run(
        [*command, SCRIPTS / f"{name}.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (folder / "found.json").exists(), done.stderr
    return json.loads((folder / "found.json").read_text(encoding="utf-8")), done.returncode


@pytest.mark.parametrize("name", MISTAKES)
def test_the_mistake_is_named_with_its_line(name, tmp_path):
    found, code = recorded(name, tmp_path)
    finding, line = MISTAKES[name]
    assert [each["name"] for each in found["findings"] if each["severity"] != "note"] == [finding]
    where = found["findings"][0]["where"][0]
    assert Path(where["file"]) == SCRIPTS / f"{name}.py"
    assert line in (SCRIPTS / f"{name}.py").read_text(encoding="utf-8").splitlines()[where["line"] - 1]
    assert (found["verdict"], code) == ("findings", 1)
    assert found["findings"][0]["fix"]


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_said_of_a_sound_script(name, tmp_path):
    found, code = recorded(name, tmp_path)
    assert [each["name"] for each in found["findings"] if each["severity"] != "note"] == []
    assert (found["verdict"], code) == ("clean", 0)


def test_every_script_is_one_of_both():
    assert {*MISTAKES, *SOUND} == {path.stem for path in SCRIPTS.glob("*.py")}
