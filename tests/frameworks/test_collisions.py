"""Nothing that lies beside a user's script may stand in for ours: recorders and command, among files of those names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = ("experiment", "compare", "tests", "utils", "model", "data")
RAISES = "raise RuntimeError('the file of the user was imported')\n"
RATES = "step,lr\n" + "".join(f"{step},{0.5**step}\n" for step in range(8))

TORCH = """
import samestep
import torch
import torch_impl

for recording, name in ((samestep.record, "new.csv"), (torch_impl.record, "old.csv")):
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    with recording(name, steps_per_epoch=2) as recorder:
        for _ in range(3):
            weight.square().sum().backward()
            optimizer.step()
            recorder.log(1.0)
"""
KERAS = """
import keras
import numpy as np
import samestep
import tf_impl

for recorder, name in ((samestep.Recorder, "new.csv"), (tf_impl.Recorder, "old.csv")):
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.compile(keras.optimizers.SGD(0.5), "mse")
    x = np.ones((3, 1), np.float32)
    network.fit(x, x, batch_size=1, epochs=1, verbose=0, callbacks=[recorder(name)])
"""


@pytest.fixture(params=["folders", "files"])
def crowded(request, tmp_path):
    """A folder of a user's that holds all these names; each says so where it is imported."""
    for name in NAMES:
        file = tmp_path / name / "__init__.py" if request.param == "folders" else tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(RAISES)
    for side in ("a.csv", "b.csv"):
        (tmp_path / side).write_text(RATES)
    return tmp_path


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """What is installed, as from a shell in this folder: no path of the repository is known."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_names_are_taken_by_the_user(crowded):
    """Python finds the user's files first: else the other tests would say nothing."""
    for name in NAMES:
        done = run(crowded, sys.executable, "-c", f"import {name}")
        assert "the file of the user was imported" in done.stderr


@pytest.mark.parametrize("script", [TORCH, KERAS], ids=["torch", "tensorflow"])
def test_recorder_records_among_files_of_these_names(crowded, script):
    (crowded / "train.py").write_text(script)
    done = run(crowded, sys.executable, "train.py")
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("new.csv", "old.csv"):
        header, *rows = (crowded / name).read_text().splitlines()
        assert header == "framework,arm,seed,step,epoch,batch,lr,loss"
        assert [row.split(",")[6] for row in rows] == ["0.5"] * 3


@pytest.mark.parametrize("way", ["command", "module"])
def test_command_compares_among_files_of_these_names(crowded, way):
    start = [Path(sys.executable).parent / "samestep"] if way == "command" else [sys.executable, "-m", "samestep"]
    done = run(crowded, *start, "compare", "a.csv", "b.csv")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-3000:]
    assert done.stdout.startswith("a and b ")
