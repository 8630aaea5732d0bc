"""Measures two sides in turn, each run in a process of its own, on two cores where the system lets us choose."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
CORES = 2
DISTRIBUTIONS = (
    "samestep",
    "tensorflow",
    "keras",
    "torch",
    "numpy",
    "pandas",
    "matplotlib",
    "datacompy",
    "pytorch-ignite",
)
Seconds = Sequence[float]


@dataclass(frozen=True)
class Side:
    """A program, and what is read off the seconds that it prints.

    command : its arguments after ``python``. value : given those seconds, in the benchmark's unit; None where what
    counts is how long the whole process takes.
    """

    command: tuple[str, ...]
    value: Callable[[Seconds], float] | None = None


def pin() -> list[int]:
    """Keep this process, and what it starts, on `CORES` cores. Returns them; all there are where that cannot be."""
    if not hasattr(os, "sched_setaffinity"):
        return list(range(os.cpu_count() or 1))
    chosen = sorted(os.sched_getaffinity(0))[-CORES:]  # the last ones: systems put their own work on the first
    os.sched_setaffinity(0, chosen)
    return chosen


def in_turn(other: Side | float, ours: Side, pairs: int, say: Callable[[str], None]) -> tuple[float, float]:
    """The median of both sides, run in turn: other, ours, other, ours, … after one run of each that is not counted.

    other : a bound, where it is a number.
    """
    times: tuple[list[float], list[float]] = [], []
    for pair in range(-1, pairs):
        values = [other if isinstance(other, float) else once(other), once(ours)]
        say(f"{'warm-up' if pair < 0 else f'pair {pair + 1} of {pairs}'}: {values[0]:.4g} and {values[1]:.4g}")
        if pair >= 0:
            for value, kept in zip(values, times, strict=True):
                kept.append(value)
    return statistics.median(times[0]), statistics.median(times[1])


def once(side: Side) -> float:
    """One run of a side. Raises RuntimeError, with its last words, where it fails."""
    began = time.perf_counter()
    told = run(side.command)
    took = time.perf_counter() - began
    return took if side.value is None else side.value(json.loads(told.splitlines()[-1])["seconds"])


def run(command: Sequence[str]) -> str:
    """Run a program of Python to its end, and return what it printed. Raises RuntimeError where it fails."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def machine(cores: Sequence[int]) -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "cores_used": len(cores),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """The versions of what does the work."""
    return {name: metadata.version(name) for name in DISTRIBUTIONS}


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    beside = path.with_suffix(".partial")
    beside.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    beside.replace(path)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
