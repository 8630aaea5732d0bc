"""``log.txt`` of DeiT and its family (MAE, DETR, ConvNeXt, BEiT): one JSON object for each epoch."""

from __future__ import annotations

from dataclasses import replace

from .base import Conventions, Log, LrTiming, Options
from .json_lines import first_names, log_of, objects
from .source import Source

NAME = "deit"
STEP_BASE = 0
LR_TIMING: LrTiming = "used"
LOSS_KIND = "epoch mean"
COLUMNS = ("step", "lr", "loss")

MEAN = (
    "`train_lr` is the mean of the epoch's rates, as DeiT, MAE and DETR log it. If yours is the rate of its first or "
    "last update, give epoch_lr=first or last."
)


def sniff(source: Source) -> bool:
    """One JSON object for each epoch, with ``train_lr`` and no step."""
    names = first_names(source)
    return {"epoch", "train_lr"} <= names and not names & {"step", "iter", "iteration"}


def read(source: Source, options: Options) -> Log:
    """The mean rate of each epoch. Raises ReadError, naming the line, for a line that is no JSON object."""
    notes: list[str] = []
    conventions = Conventions(STEP_BASE, LR_TIMING, LOSS_KIND, "mean")
    log = log_of(NAME, objects(source, notes), options, conventions, notes, steps=("epoch",), rates=("train_lr",))
    return replace(log, precision="float64", assumed=(MEAN,))
