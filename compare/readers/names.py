"""Recognise steps, rates and losses by the names that programs give to columns and metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable

STEPS = (
    "step",
    "global_step",
    "trainer/global_step",
    "train/global_step",
    "_step",
    "steps",
    "iteration",
    "iter",
    "update",
)
"""Names of a count of updates, the best first; also in capitals."""

LOSSES = ("loss", "train_loss", "train/loss", "train_loss_step", "training_loss", "batch_loss")
"""Names of a training loss, the best first; also in capitals."""

_RATE = re.compile(r"(?!val_)(.*[/. _-])?(lr|learning[_ -]?rate)([/_-]?(group|pg)?[/_-]?\d+)?", re.IGNORECASE)
_MONITOR = re.compile(r"lr-\w.*")


def is_rate(name: str) -> bool:
    """Whether a name is that of a learning rate: ``lr``, ``train/learning_rate``, ``lr_0``, ``lr-Adam/pg1``.

    Not ``val_learning_rate``, which Keras' CSVLogger writes without any values.
    """
    return bool(_RATE.fullmatch(name) or is_monitored(name))


def is_monitored(name: str) -> bool:
    """Whether Lightning's LearningRateMonitor gave this name: ``lr-Adam``, ``lr-SGD/pg1``, ``lr-AdamW-1``."""
    return bool(_MONITOR.fullmatch(name)) and not re.fullmatch(r"lr-\d+", name)


def first_of(wanted: Iterable[str], names: Iterable[str]) -> str | None:
    """The first wanted name that is present, ignoring case; None if there is none."""
    there = {name.lower(): name for name in reversed(list(names))}
    return next((there[name] for name in wanted if name in there), None)
