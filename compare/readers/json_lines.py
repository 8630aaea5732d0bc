"""JSON lines: one object per line, with named values, possibly nested: ``optim.lr``."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .base import Conventions, Log, LrTiming, Options, ReadError, Series, join, shown
from .names import EPOCH, LOSSES, STEPS, chosen, counts_of, first_of, is_rate, rates_among, step_among
from .source import Source, parsed

NAME = "json-lines"
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "as the log's author wrote it"
COLUMNS = ("step", "lr", "loss")

_DEEPEST = 6


def sniff(source: Source) -> bool:
    """One JSON object per line, with a step and a rate among the first of them."""
    names = first_names(source)
    return first_of((*STEPS, EPOCH), names) is not None and any(map(is_rate, names))


def first_names(source: Source) -> set[str]:
    """The names in the first lines, as far as each is one JSON object."""
    return {name for value in source.objects for name, _ in _flat(value)}


def read(source: Source, options: Options) -> Log:
    """Each value that is a rate is a series. Raises ReadError, naming the line, for a line that is no JSON object."""
    notes: list[str] = []
    return log_of(NAME, objects(source, notes), options, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND), notes)


def log_of(
    framework: str,
    lines: Iterable[tuple[int, dict[str, Any]]],
    options: Options,
    conventions: Conventions,
    notes: list[str],
    *,
    steps: tuple[str, ...] = (*STEPS, EPOCH),
    rates: tuple[str, ...] = (),
    losses: tuple[str, ...] = LOSSES,
) -> Log:
    """The log of lines with named values.

    Args:
        lines: The number of each line, and its values.
        notes: Is extended by what is left out.
        steps, rates, losses: The names that this format gives them, the best first; without rates, all that are one.
    """
    values = _Values({*options.columns.values(), *steps, *rates, *losses})
    for line, value in lines:
        values.add(line, value)
    names = list(values.there)
    step = step_among(steps, names, options)
    first = first_of(rates, names) if "lr" not in options.columns else None
    named_rates = [first] if first is not None else rates_among(names, options)
    loss = chosen("loss", losses, names, options)
    series = tuple(values.series(name, step, loss) for name in named_rates)
    without = max(values.lines - len(each.step) for each in series)
    if without:
        notes.append(f"{without} lines without a step or a rate were left out.")
    return Log(framework, series, conventions, counts=counts_of(step), notes=tuple(notes))


class _Values:
    """The numbers of the lines by name, each with its line, for names that may be a step, rate or loss.

    Args:
        there: All names, and whether their values are kept.
    """

    def __init__(self, given: set[str]) -> None:
        self.there: dict[str, bool] = {}
        self.lines = 0
        self._given = given
        self._at: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._value: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))

    def add(self, line: int, value: dict[str, Any]) -> None:
        self.lines += 1
        for name, item in _flat(value):
            if name not in self.there:
                self.there[name] = is_rate(name) or name in self._given or name.lower() in self._given
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


def objects(source: Source, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line that is not blank with its number, as an object."""
    with source.path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                value = parsed(raw.decode("utf-8-sig" if line == 1 else "utf-8"))
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
