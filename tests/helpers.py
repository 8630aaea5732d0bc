"""What several tests use: the real command, the real workers, and plans with something changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from samestep.experiment.clock import Clock, Duration
from samestep.experiment.plan import Plan
from samestep.experiment.schedules import ExponentialDecay, Schedule
from samestep.experiment.schedules.text import to_json, to_short
from samestep.experiment.trace import EPOCH_COLUMNS, TRACE_COLUMNS, read_csv

PATIENCE = 600
"""Seconds after which what is waited for does not come any more, on a machine however busy."""


@dataclass(frozen=True)
class Output:
    """What `samestep run` left behind."""

    folder: Path
    plan: Plan
    said: str

    @property
    def summary(self) -> dict:
        return json.loads((self.folder / "summary.json").read_text())

    @property
    def trace(self) -> pd.DataFrame:
        return pd.DataFrame(dict(read_csv(self.folder / "trace.csv", TRACE_COLUMNS)))

    @property
    def epochs(self) -> pd.DataFrame:
        return pd.DataFrame(dict(read_csv(self.folder / "epochs.csv", EPOCH_COLUMNS)))

    def run(self, framework: str, arm: str) -> pd.DataFrame:
        rows = self.trace.query("framework == @framework and arm == @arm")
        return rows.reset_index(drop=True)


def samestep(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as from a shell."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "samestep._compare.command", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | environment,
        check=False,
    )


@contextmanager
def default_signals() -> Iterator[None]:
    """Processes that start within the block can be interrupted, also where the tests run under nohup or as a job.

    There SIGHUP and SIGINT are ignored, and a process inherits that.
    """
    ignored = [
        each for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) == signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def imported_by(program: str) -> set[str]:
    """The packages that a program has imported when it is done, and whatever it says on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\nprint('\\n'.join(sys.modules), file=sys.stderr)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in done.stderr.splitlines()}


def run_plan(plan: Plan, folder: Path) -> Output:
    """`samestep run` of a plan; fails the test where it does not go well. SAMESTEP_DEVICE=gpu tests on a GPU."""
    plan_file = folder / "plan.json"
    plan_file.write_text(plan.to_json(), encoding="utf-8")
    device = os.environ.get("SAMESTEP_DEVICE", "cpu")
    done = samestep("run", "--plan", plan_file, "--out", folder / "out", "--device", device)
    assert done.returncode == 0, done.stderr
    return Output(folder / "out", plan, done.stdout)


def exponential(every: str, *, staircase: bool = True, initial: float = 1e-3, factor: float = 0.95) -> ExponentialDecay:
    return ExponentialDecay(initial=initial, factor=factor, every=Duration.parse(every), staircase=staircase)


class Asker:
    """A process of one framework that answers what its own schedules give; see `programs/ask.py`."""

    def __init__(self, framework: str) -> None:
        program = Path(__file__).parent / "programs" / "ask.py"
        self.process = subprocess.Popen(
            [sys.executable, program, framework], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, schedule: Schedule, clock: Clock, stepping: str, updates: int, source: bool = False) -> dict:
        asked = {"schedule": to_json(schedule), "clock": asdict(clock), "stepping": stepping, "updates": updates}
        self.process.stdin.write(json.dumps(asked | {"source": source}) + "\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        assert "error" not in told, f"{to_short(schedule)} {stepping}: {told['error']}"
        return told

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
