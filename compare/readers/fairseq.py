"""``train.log`` of fairseq, with ``--log-format json`` or ``simple``."""

from __future__ import annotations

from dataclasses import replace

from .base import Conventions, Log, LrTiming, Options
from .json_lines import log_of
from .source import Source
from .text_lines import Values, first_values, rows, values_of, with_texts

NAME = "fairseq"
STEP_BASE = 1
LR_TIMING: LrTiming = "next"
LOSS_KIND = "mean over the updates since the row before"
COLUMNS = ("step", "lr", "loss")

NEXT = "fairseq counts an update and sets the next rate before it logs: a row has the rate of the update after it."


def sniff(source: Source) -> bool:
    """Lines with ``num_updates``, the rate, and ``wpb`` or ``gnorm``."""
    return any(
        {"num_updates", "lr"} <= set(values) and {"wpb", "gnorm"} & set(values) for values in first_values(source)
    )


def read(source: Source, options: Options) -> Log:
    """The rate of each row within an epoch."""
    notes: list[str] = []
    conventions = Conventions(STEP_BASE, LR_TIMING, LOSS_KIND)
    log = log_of(
        NAME, rows(source, _inner), options, conventions, notes, steps=("num_updates",), rates=("lr",), losses=("loss",)
    )
    return replace(with_texts(log, source, _inner), assumed=(NEXT,))


def _inner(line: str) -> Values:
    """What a line of training holds; nothing for the sums over an epoch and for evaluations."""
    values = values_of(line)
    return values if {"num_updates", "lr"} <= set(values) else {}
