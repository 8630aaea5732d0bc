"""``progress.csv`` of Stable-Baselines3, which counts steps of the environment."""

from __future__ import annotations

import numpy as np

from .base import Conventions, Log, LrTiming, Options
from .names import chosen, named
from .plain_csv import log_of_series, series_of
from .source import Source
from .table import Table

NAME = "stable-baselines3"
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "mean over the updates since the row before"
COLUMNS = ("step", "lr", "loss")

RATE, STEP, ITERATION = "train/learning_rate", "time/total_timesteps", "time/iterations"

COUNTS = (
    "A step is one of the environment, which Stable-Baselines3's schedules depend on; it makes several updates of each."
)
ROLLOUT = (
    "A row is written after its rollout and before its training: its rate belongs to the timesteps of the row before."
)


def sniff(source: Source) -> bool:
    """A header row with the timesteps and the rate."""
    return {RATE, STEP} <= set(source.names)


def read(source: Source, options: Options) -> Log:
    """The rate against the timesteps that its schedule was asked for.

    Algorithms on policy write a row between a rollout and its training, so the rate comes one row late.
    """
    table, names = Table(source), source.names
    step, rate = (named(names, options.columns.get(what, name)) for what, name in (("step", STEP), ("lr", RATE)))
    loss = chosen("loss", ("train/loss",), names, options)
    columns = table.numbers([step, rate], [loss] if loss else [])
    late = ITERATION in names and step == STEP
    if late:
        columns[step] = np.concatenate([[np.nan], columns[step][:-1]])
    series = series_of(table, columns, step, rate, loss)
    conventions = Conventions(STEP_BASE, "used" if late else LR_TIMING, LOSS_KIND)
    return log_of_series(table, [series], NAME, conventions, (COUNTS, ROLLOUT) if late else (COUNTS,))
