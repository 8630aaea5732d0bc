"""JSON lines: one object per line, with named values, possibly nested: ``optim.lr``."""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from .base import Conventions, Log, LrTiming, Options, ReadError, Series, join, shown
from .names import LOSSES, STEPS, chosen, first_of, is_rate, rates_among, step_among
from .source import Source

NAME = "json-lines"
WHAT = "JSON lines"
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "as the log's author wrote it"
COLUMNS = ("step", "lr", "loss")

_DEEPEST = 6
FIRST = 1000
"""A file is recognised if a rate comes within this many lines."""


def sniff(source: Source) -> bool:
    """One JSON object per line, with a step and a rate among the first of them."""
    names: list[str] = []
    for line in (source.text or "").splitlines()[:FIRST]:
        value = _parsed(line) if line.lstrip().startswith("{") else None
        if not isinstance(value, dict):
            break
        names += [name for name, _ in _flat(value)]
    return first_of(STEPS, names) is not None and any(map(is_rate, names))


def read(source: Source, options: Options) -> Log:
    """Each value that is a rate is a series. Raises ReadError, naming the line, for a line that is no JSON object."""
    values = _Values(set(options.columns.values()))
    for line, value in _objects(source, values.notes):
        values.add(line, value)
    names = list(values.there)
    step, rates = step_among(STEPS, names, options), rates_among(names, options)
    loss = chosen("loss", LOSSES, names, options)
    series = tuple(values.series(name, step, loss) for name in rates)
    without = max(values.lines - len(each.step) for each in series)
    if without:
        values.notes.append(f"{without} lines without a step or a rate were left out.")
    return Log(NAME, series, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND), notes=tuple(values.notes))


class _Values:
    """The numbers of the lines by name, each with its line, for names that may be a step, rate or loss.

    Args:
        there: All names, and whether their values are kept.
    """

    def __init__(self, given: set[str]) -> None:
        self.notes: list[str] = []
        self.there: dict[str, bool] = {}
        self.lines = 0
        self._given = given
        self._at: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._value: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))

    def add(self, line: int, value: dict[str, Any]) -> None:
        self.lines += 1
        for name, item in _flat(value):
            if name not in self.there:
                known = is_rate(name) or name.lower() in (*STEPS, *LOSSES)
                self.there[name] = known or name in self._given
            if not self.there[name]:
                continue
            found = item if type(item) is float else number(item, name, f"line {line}")
            if found is not None:
                self._at[name].append(line)
                self._value[name].append(found)

    def series(self, name: str, step: str, loss: str | None) -> Series:
        """The lines that have both a step and this rate."""
        at, lr = self._column(name)
        step_at, steps = self._column(step)
        at, of_lr, of_step = np.intersect1d(at, step_at, assume_unique=True, return_indices=True)
        lost = join(at, *self._column(loss)) if loss else None
        return Series(name, steps[of_step], lr[of_lr], lost, lambda row: f"line {at[row]}")

    def _column(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self._at[name], dtype=np.int64), np.array(self._value[name], dtype=np.float64)


def number(value: Any, name: str, place: str) -> float | None:
    """A JSON value as a number; None for null. Raises ReadError for anything else."""
    if value is None:
        return None
    if isinstance(value, bool | str | list | dict):
        raise ReadError(f"{place}: {name} is {shown(value)}, not a number. Fix or delete it.")
    try:
        return float(value)
    except OverflowError:
        raise ReadError(f"{place}: {name} is too large for float64. Fix or delete it.") from None


def _parsed(text: str) -> Any:
    """Parsed JSON; None if it is invalid. Infinity and NaN are read as Python writes them."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _objects(source: Source, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line that is not blank with its number, as an object."""
    with source.path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                value = _parsed(raw.decode("utf-8-sig" if line == 1 else "utf-8"))
            except UnicodeDecodeError:
                value = None
            if isinstance(value, dict):
                yield line, value
            elif not raw.endswith(b"\n"):
                notes.append("The last line is incomplete and not JSON; it was left out.")
            else:
                raise ReadError(f"line {line}: not a JSON object: {shown(raw[:50])}. Fix or delete this line.")


def _flat(value: dict[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """``{"optim": {"lr": 0.1}}`` as ``optim.lr``. Deeper levels than logs have are left out."""
    for key, item in value.items():
        if isinstance(item, dict):
            if depth < _DEEPEST:
                yield from _flat(item, f"{before}{key}.", depth + 1)
        else:
            yield before + key, item
