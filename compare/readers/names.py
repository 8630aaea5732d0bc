"""Recognise steps, rates and losses by the names that programs give to columns and metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from .base import Options, ReadError, name_list, shown

STEPS = (
    "step",
    "global_step",
    "trainer/global_step",
    "train/global_step",
    "_step",
    "steps",
    "iteration",
    "iterations",
    "iter",
    "update",
    "updates",
    "num_updates",
)
"""Names of a count of updates, the best first; also in capitals."""

EPOCH = "epoch"
"""If this is the only count, each row is an epoch."""

LOSSES = ("loss", "train_loss", "train/loss", "train_loss_step", "training_loss", "batch_loss")
"""Names of a training loss, the best first; also in capitals."""

_RATE = re.compile(r"(?!val_)(.*[/. _-])?(lr|learning[_ -]?rate)([/_-]?(group|pg)?[/_-]?\d+)?", re.IGNORECASE)
_MONITOR = re.compile(r"lr-\w.*")


def is_rate(name: str) -> bool:
    """Whether a name is that of a learning rate: ``lr``, ``train/learning_rate``, ``lr_0``, ``lr-Adam/pg1``.

    Not ``val_learning_rate``, which Keras' CSVLogger writes without any values.
    """
    return bool(_RATE.fullmatch(name) or is_monitored(name))


def counts_of(step: str) -> Literal["steps", "epochs"]:
    """What a column of steps counts, by its name."""
    return "epochs" if re.split(r"[/. ]", step.lower())[-1] in (EPOCH, "epochs") else "steps"


def is_monitored(name: str) -> bool:
    """Whether Lightning's LearningRateMonitor gave this name: ``lr-Adam``, ``lr-SGD/pg1``, ``lr-AdamW-1``."""
    return bool(_MONITOR.fullmatch(name)) and not re.fullmatch(r"lr-\d+", name)


def first_of(wanted: Iterable[str], names: Iterable[str]) -> str | None:
    """The first wanted name that is present, ignoring case; None if there is none."""
    there = {name.lower(): name for name in reversed(list(names))}
    return next((there[name] for name in wanted if name in there), None)


def named(names: list[str], name: str) -> str:
    """A column that the user named. Raises ReadError, listing the columns, if it does not exist."""
    if name in names:
        return name
    listed = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    raise ReadError(f"no column {shown(name)}. There are: {listed[:300]}.")


def chosen(what: str, wanted: Iterable[str], names: list[str], options: Options) -> str | None:
    """The column that the user named for `what`, else the first wanted one; None if there is none."""
    return named(names, options.columns[what]) if what in options.columns else first_of(wanted, names)


def step_among(wanted: Iterable[str], names: list[str], options: Options) -> str:
    """The column of steps. Raises ReadError if there is none."""
    step = chosen("step", wanted, names, options)
    if step is None:
        raise ReadError(f"no column of steps among {name_list(names)}. Name it with column.step=….")
    return step


def rates_among(names: list[str], options: Options, missing: str = "rate among", hint: str = "") -> list[str]:
    """The rate that the user named, else all that are one. Raises ReadError, with `missing` and `hint`, if none is."""
    rates = [named(names, options.columns["lr"])] if "lr" in options.columns else list(filter(is_rate, names))
    if not rates:
        raise ReadError(f"no {missing} {name_list(names) or '(none)'}. Name it with column.lr=…{hint}.")
    return rates
