"""The vocabulary of schedules. Each is asked for the rate of any update and does not change by being asked.

`decays`, `cosine` and `cycles` hold the schedules by their shape, `combined` those made of others, `text` how one is
read from what a person writes.
"""

from __future__ import annotations

from typing import get_args

from experiment.schedules.base import ArrayLike, ScheduleModel, float32_error
from experiment.schedules.combined import Product, Schedule, Sequence, Warmup
from experiment.schedules.cosine import CosineDecay, CosineRestarts
from experiment.schedules.cycles import Cyclic, OneCycle
from experiment.schedules.decays import (
    Constant,
    ExponentialDecay,
    InverseTimeDecay,
    Linear,
    PiecewiseConstant,
    PolynomialDecay,
)

SCHEDULES: tuple[type[ScheduleModel], ...] = get_args(get_args(Schedule)[0])
"""Every class of the vocabulary."""

KINDS: dict[str, type[ScheduleModel]] = {each.model_fields["kind"].default: each for each in SCHEDULES}
"""Every class of the vocabulary by its kind."""

__all__ = [
    "KINDS",
    "SCHEDULES",
    "ArrayLike",
    "Constant",
    "CosineDecay",
    "CosineRestarts",
    "Cyclic",
    "ExponentialDecay",
    "InverseTimeDecay",
    "Linear",
    "OneCycle",
    "PiecewiseConstant",
    "PolynomialDecay",
    "Product",
    "Schedule",
    "ScheduleModel",
    "Sequence",
    "Warmup",
    "float32_error",
]
