"""`samestep record` on a script of Keras: nothing of the training changes, and it ends where it is asked to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TRAIN = """
import hashlib
import keras
import numpy as np

keras.utils.set_random_seed(7)
x = np.random.default_rng(0).uniform(0, 2, (256, 1)).astype("float32")
layers = [keras.layers.Dense(8, activation="tanh"), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
model = keras.Sequential(layers)
decay = keras.optimizers.schedules.CosineDecay(0.05, 4 * 8)
model.compile(keras.optimizers.Adam(decay), "mse", metrics=["mae"])
try:
    for _ in range(2):
        history = model.fit(x, x**2, epochs=2, batch_size=32, verbose=0)
        print({name: [value.hex() for value in values] for name, values in history.history.items()})
    print(hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest())
finally:
    print("over")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("record")
    (folder / "train.py").write_text(TRAIN, encoding="utf-8")
    return folder


def run(folder: Path, *words: str) -> str:
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_no_number_of_the_training_changes(folder):
    plain = run(folder, "train.py")
    watched = run(
        folder, "-m", "samestep", "record", "--no-check", "--out", "run.csv", "--", sys.executable, "train.py"
    )
    assert watched == plain
    assert len((folder / "run.csv").read_text().splitlines()) == 1 + 32
    facts = json.loads((folder / "run.facts.json").read_text())
    assert (facts["updates"], facts["ended"], facts["epochs"]) == (32, "returned", [0, 8, 16, 24])


def test_it_ends_after_its_updates(folder):
    words = (
        "-m",
        "samestep",
        "record",
        "--no-check",
        "--updates",
        "5",
        "--out",
        "cut.csv",
        "--",
        sys.executable,
        "train.py",
    )
    assert run(folder, *words) == "over\n"
    assert len((folder / "cut.csv").read_text().splitlines()) == 1 + 5
    assert json.loads((folder / "cut.facts.json").read_text())["cut_by"] == "updates"
