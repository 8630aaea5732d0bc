"""``trainer_state.json`` of Hugging Face's Trainer."""

from __future__ import annotations

import json

import numpy as np

from .base import Conventions, Log, LrTiming, Options, ReadError, Series, name_list, read_bytes, shown
from .json_lines import number
from .source import Source

NAME = "hugging-face"
WHAT = "Hugging Face's trainer_state.json"
STEP_BASE = 1
LR_TIMING: LrTiming = "used"
LOSS_KIND = "mean over the updates since the row before"
COLUMNS = ("step", "lr", "loss")

LARGEST = 1 << 27
"""Bytes of a file. JSON that is read as a whole takes up to thirty times its size in memory."""

OLDER = (
    "transformers logs the rate that the update used; before pull request 36973 (2025) it logged the next one, and the "
    "file does not record which. Give lr_timing=next for a log of such a version."
)


def sniff(source: Source) -> bool:
    """A JSON object with a ``log_history``."""
    return source.is_object and '"log_history"' in (source.text or "")


def read(source: Source, options: Options) -> Log:
    """The entries of ``log_history`` that have a rate. Raises ReadError if there is none, or no such list."""
    if source.size > LARGEST:
        raise ReadError(f"{source.size} bytes of JSON, more than {LARGEST}. Shorten log_history, or log fewer steps.")
    try:
        state = json.loads(read_bytes(source.path))
    except RecursionError:
        raise ReadError("not a trainer state: its JSON is nested too deeply.") from None
    except ValueError as error:
        raise ReadError(
            f"not valid JSON: {shown(str(error))}. The file may be truncated; use an earlier checkpoint's."
        ) from None
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list) or not all(isinstance(entry, dict) for entry in history):
        raise ReadError("no list of objects under log_history. Give a trainer_state.json.")
    step, lr, loss = ({"step": "step", "lr": "learning_rate", "loss": "loss"} | dict(options.columns)).values()
    rows = []
    for index, entry in enumerate(history):
        place = f"log_history[{index}]"
        at, rate, lost = (number(entry.get(name), name, place) for name in (step, lr, loss))
        if at is not None and rate is not None:
            rows.append((index, at, rate, np.nan if lost is None else lost))
    if not rows:
        names = list(dict.fromkeys(name for entry in history for name in entry))
        raise ReadError(f"no entry of log_history has {shown(lr)}; its entries have {name_list(names) or 'nothing'}.")
    columns = np.array(rows, dtype=np.float64).T
    indices = columns[0].astype(np.int64)
    series = Series(lr, columns[1], columns[2], columns[3], lambda row: f"log_history[{indices[row]}]")
    left = len(history) - len(rows)
    notes = (f"{left} entries without a rate, such as evaluations, were left out.",) if left else ()
    return Log(NAME, (series,), Conventions(STEP_BASE, LR_TIMING, LOSS_KIND), assumed=(OLDER,), notes=notes)
