"""The rates of one framework's own schedulers, asked again and again in one process.

``python -m benchmarks.real_rates tensorflow`` reads a line of JSON per request (schedule, updates, out) and answers
with a line when the rates stand in the file `out`. `Framework` is the other end.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.frameworks import BY_NAME
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.text import from_json, to_json

PACKAGES = {name: each.package for name, each in BY_NAME.items()}


class Framework:
    """A process of one framework, to be asked for the rates of any schedule that counts in steps."""

    def __init__(self, name: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="samestep-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.real_rates", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def rates(self, schedule: Schedule, updates: int) -> np.ndarray:
        """The rate of each update: float64, shape (updates,). Raises ValueError where the framework refuses."""
        out = Path(self._folder.name, "rates.npy")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"schedule": to_json(schedule), "updates": updates, "out": str(out)}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        if "error" in told:
            raise ValueError(told["error"])
        return np.asarray(np.load(out))

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate(timeout=60)
        self._folder.cleanup()


def main(name: str) -> None:
    """Answer requests until there are none."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a framework prints is no answer
    schedules = importlib.import_module(f"{PACKAGES[name]}.schedules")
    simulate = importlib.import_module(f"{PACKAGES[name]}.simulate")
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            native = schedules.build(from_json(asked["schedule"]), Clock.STEPS, "step")
            np.save(asked["out"], simulate.rates(native, Clock.STEPS, "step", asked["updates"]))
            told = {}
        except (ValueError, OverflowError) as error:
            told = {"error": str(error)}
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
