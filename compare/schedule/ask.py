"""What is asked of one schedule: a schedule, a run, and the rate of each of its updates."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import SCHEDULES, Schedule
from samestep.experiment.schedules.text import Parsed, is_schedule, read
from samestep.experiment.validation import PlanError

from ..runs.run import CompareError
from ..runs.settings import clock as clock_from
from ..words import counted

MOST_STEPS = 100_000_000
"""Steps of a run that is explained at most: its rates lie in memory."""

ROUNDING = 8 * np.finfo(np.float64).eps
"""Part of a rate by which two that are the same may differ: the closed forms take a few operations each."""


def is_log(given: object) -> bool:
    """Whether a log is given, and not a schedule: a file or folder that holds none, a table, or rates."""
    if not isinstance(given, str | Path):
        return not isinstance(given, SCHEDULES)
    path = Path(str(given).strip())
    try:
        return (path.is_file() or path.is_dir()) and not is_schedule(str(given))  # a schedule may come through a pipe
    except (OSError, ValueError):  # too long a name, or one with a null in it
        return False


def schedule_of(given: object, stepping: Stepping, clock: Clock | None) -> Parsed:
    """A schedule as text, as a file of it, or as it is. Raises ScheduleError for text that is none."""
    return Parsed(cast("Schedule", given)) if isinstance(given, SCHEDULES) else read(str(given), stepping, clock)


def clock_of(
    clock: Clock | None, samples: int | None, batch_size: int | None, drop_last: bool, accumulate: int = 1
) -> Clock:
    """The clock of a run. Raises CompareError where there is none."""
    found = clock or clock_from(samples, batch_size, drop_last, accumulate)
    if found is None:
        raise CompareError("The steps of an epoch are needed. Write --samples and --batch-size.")
    return found


def asked_json(schedule: Schedule, clock: Clock, stepping: Stepping) -> dict[str, Any]:
    """What was asked, as JSON values."""
    return {"schedule": schedule.model_dump(mode="json"), "clock": asdict(clock), "stepping": stepping}


def run_steps(schedule: Schedule, clock: Clock, stepping: Stepping, epochs: int) -> int:
    """Updates of a run, as far as the schedule may be asked.

    Raises PlanError where the schedule does not fit the clock, or the run is too long.
    """
    if epochs < 1:
        raise PlanError(f"epochs: got {epochs}. Write a whole number of at least 1.")
    try:
        schedule.whole_steps(clock)
    except ValueError as error:
        raise PlanError(str(error)) from None
    steps = epochs * clock.steps_per_epoch
    if steps > MOST_STEPS:
        raise PlanError(f"{counted(steps, 'step')} are more than {MOST_STEPS:,}. Write fewer epochs.")
    length = schedule.length(clock)
    if schedule.after_end == "error" and length is not None:
        whole = length if stepping == "step" else -(-length // clock.steps_per_epoch) * clock.steps_per_epoch
        steps = min(steps, whole)
    return steps


def closed_form(schedule: Schedule, clock: Clock, stepping: Stepping, steps: int) -> np.ndarray:
    """The rate that each of the first updates should use: float64, shape (steps,).

    Raises PlanError where the schedule grows past any number.
    """
    try:
        return schedule.rate(clock.looked_up(np.arange(steps), stepping), clock)
    except ValueError as error:
        raise PlanError(str(error)) from None


def first_and_last(found: np.ndarray, show: int) -> np.ndarray:
    """As many as are shown: all, or half from the beginning and half from the end."""
    return found if len(found) <= show else np.concatenate([found[: show // 2], found[-(show - show // 2) :]])


def changes_of(lr: np.ndarray) -> np.ndarray:
    """The rows whose rate differs from that of the row before by more than float64 rounds: int64."""
    return np.flatnonzero(np.abs(np.diff(lr)) > ROUNDING * np.maximum(lr[1:], lr[:-1])) + 1
