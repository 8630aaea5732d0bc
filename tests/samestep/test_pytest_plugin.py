"""The fixture `schedule_check`: a real training, held against a schedule by a real pytest in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from helpers import imported_by

TRAIN = """
import sys
import torch

model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=float(sys.argv[1]))
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
for step in range(1000):
    optimizer.zero_grad()
    model(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    scheduler.step()
"""
TESTS = """
def test_as_agreed(schedule_check):
    compared = schedule_check("python train.py 0.1", "schedule.json", updates=10)
    assert len(compared.table) == 10


def test_changed(schedule_check):
    schedule_check("python train.py 0.2", "schedule.json", updates=10)


def test_broken(schedule_check):
    schedule_check(["python", "train.py", "fast"], "schedule.json", updates=10)
"""
SCHEDULE = '{"kind": "exponential", "initial": 0.1, "factor": 0.5, "every": "4 steps", "staircase": true}'


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> str:
    folder: Path = tmp_path_factory.mktemp("project")
    for name, text in {"train.py": TRAIN, "test_schedule.py": TESTS, "schedule.json": SCHEDULE}.items():
        (folder / name).write_text(text, encoding="utf-8")
    installed = any(each.value == "samestep.pytest_plugin" for each in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "samestep.pytest_plugin"]
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *plugin]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
    )
    return done.stdout + done.stderr


def test_a_training_that_follows_its_schedule_passes(said):
    assert "2 failed, 1 passed" in said


def test_one_that_was_changed_fails_with_the_sentence(said):
    assert "The first 10 updates do not follow schedule.json." in said
    assert "Cause: a's rate is 2 times b's at every step." in said


def test_one_that_does_not_run_fails_with_what_it_said(said):
    assert "could not convert string to float: 'fast'" in said


def test_the_plugin_costs_nothing_where_it_is_not_used():
    loaded = imported_by("import samestep.pytest_plugin")
    assert not {"numpy", "pandas", "torch", "keras", "samestep.experiment"} & loaded
