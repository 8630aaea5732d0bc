"""The runs of a trace: identified by framework, arm and seed, and cleaned so that their steps rise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from samestep.experiment.trace import Table, Trace

from ..rates import Rates
from ..terms import CompareError as CompareError
from ..words import counted
from .going_on import Steps, going_on

SELECTS = ("framework", "arm", "seed")
"""What identifies a run of a trace."""


class Key(NamedTuple):
    """Which run of a trace."""

    framework: str
    arm: str
    seed: int

    def __str__(self) -> str:
        return f"{self.framework}/{self.arm}/{self.seed}"


@dataclass(frozen=True, eq=False)
class Run:
    """The rates of one run, its steps rising.

    loss : float64, NaN where there is none. epoch, batch : int64, -1 where the log does not say. All of the length of
    `rates`. notes : what was cleaned, as sentences. written : with how many digits the rates were, like ``6 digits``;
    empty where these are all there are. perhaps : float64, the rounding of each rate if the log was written with as few
    digits as it may have been; None where its digits leave no doubt. otherwise : the same rows read the other way,
    where the column of steps begins anew; None where it does not.
    """

    key: Key
    rates: Rates
    loss: np.ndarray
    epoch: np.ndarray
    batch: np.ndarray
    notes: tuple[str, ...] = ()
    written: str = ""
    perhaps: np.ndarray | None = None
    otherwise: Run | None = None

    def at(self, rows: np.ndarray) -> Run:
        """Some of the rows, each step once."""
        rates = replace(self.rates.rows(rows), repeated=0)
        kept = {"loss": self.loss[rows], "epoch": self.epoch[rows], "batch": self.batch[rows]}
        return replace(self, rates=rates, otherwise=None, **kept)

    @property
    def least_digits(self) -> np.ndarray:
        """The rounding of each rate if the log was written with as few digits as it may have been: float64."""
        return self.rates.rounding if self.perhaps is None else self.perhaps

    def said(self, form: str) -> str:
        """What was read, in words: the format, the rows, and which run it is."""
        steps = self.rates.step
        who = f"arm {self.key.arm}" + (f", seed {self.key.seed}" if self.key.seed else "")
        if self.key.framework != form:
            who = f"{self.key.framework}, {who}"
        return f"{form}, {counted(len(steps), 'row')}, steps {steps[0]:,} to {steps[-1]:,}; {who}"


def writable(text: str) -> str:
    """Text that any file takes: what is no Unicode, as a name of a file may be, becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def listed_keys(keys: Sequence[Key]) -> str:
    """Runs for a message, a dozen of them."""
    shown = ", ".join(map(str, keys[:12]))
    return f"{shown} and {len(keys) - 12} more" if len(keys) > 12 else shown


def runs_of(steps: Table) -> list[tuple[Key, np.ndarray | slice]]:
    """Every run of a trace with its rows, in the order in which they come."""
    columns = [np.asarray(steps[name]) for name in SELECTS]
    begins = np.zeros(len(columns[0]), dtype=bool)
    begins[:1] = True
    for column in columns:
        if column.strides != (0,):  # one value for all
            begins[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(begins)
    if len(starts) == 1:
        return [(_key_at(columns, 0), slice(None))]
    import pandas as pd  # hashes what NumPy would sort

    which = np.zeros(len(starts), dtype=np.int64)  # each stretch of rows of one run is looked at once
    for column in columns:
        code, values = pd.factorize(column[starts])
        which = which * len(values) + code
    _, first, which = np.unique(which, return_index=True, return_inverse=True)
    of_row = np.repeat(which.reshape(-1), np.diff(np.append(starts, len(begins))))
    order = np.argsort(of_row, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(of_row[order])) + 1)
    return [(_key_at(columns, int(starts[first[run]])), parts[run]) for run in np.argsort(first)]


def _key_at(columns: list[np.ndarray], row: int) -> Key:
    return Key(writable(str(columns[0][row])), writable(str(columns[1][row])), int(columns[2][row]))


def cleaned_run(key: Key, rows: np.ndarray | slice, trace: Trace) -> Run:
    """One run of a trace: sorted, each step once, with a sentence for whatever had to be done."""
    step, lr = (np.asarray(trace.steps[name])[rows] for name in ("step", "lr"))
    steps = going_on(step, lr)
    run = _run(key, rows, trace, steps)
    return run if steps.other is None else replace(run, otherwise=_run(key, rows, trace, steps.other))


def _run(key: Key, rows: np.ndarray | slice, trace: Trace, steps: Steps) -> Run:
    from ..readers import rounding  # and pandas with it

    lr, loss, epoch, batch = (np.asarray(trace.steps[name])[rows] for name in ("lr", "loss", "epoch", "batch"))
    half = rounding(trace)[rows]
    perhaps = rounding(trace, perhaps=True)[rows]
    step = steps.step
    if steps.said:
        epoch, batch = np.full((2, len(step)), -1, dtype=np.int64)
    kept, repeated, notes = _cleaned(step, lr)
    notes = (*steps.said, *notes)
    conventions = trace.manifest.get("conventions") or {}
    if len(step[kept]) > 1 and conventions.get("lr_timing") == "next":
        kept = np.arange(len(step))[kept][:-1]
        notes = (*notes, "The last row's rate is that of an update after the end of the log; it was left out.")
    rates = Rates.of(step[kept], lr[kept], half[kept], repeated)
    written = str(conventions.get("precision", "")) if rates.rounding.any() else ""
    doubted = perhaps[kept] if (perhaps[kept] > rates.rounding).any() else None
    return Run(key, rates, loss[kept], epoch[kept], batch[kept], notes, written, doubted)


def _cleaned(step: np.ndarray, lr: np.ndarray) -> tuple[Any, int, tuple[str, ...]]:
    """Which rows are kept, in the order of their steps; how many only repeat another; and sentences on the rest.

    A step that is there twice in a row with one rate is a repetition. Where the log goes back, it was resumed: the
    later rows are those that the run went on with.
    """
    apart = np.diff(step)
    if (apart > 0).all():
        return slice(None), 0, ()
    order = np.argsort(step, kind="stable")
    last = np.append(np.diff(step[order]) > 0, True)
    kept = order[last]
    dropped = order[~last]
    after = np.minimum(dropped + 1, len(step) - 1)
    beside = step[after] == step[dropped]
    again = int((beside & (lr[after] == lr[dropped])).sum())
    other = int((beside & (lr[after] != lr[dropped])).sum())
    return kept, again, tuple(_cleaning(step, apart, dropped[~beside], again, other))


def _cleaning(step: np.ndarray, apart: np.ndarray, overlap: np.ndarray, again: int, other: int) -> list[str]:
    said = []
    if again:
        said.append(f"{counted(again, 'row')} only {'repeats' if again == 1 else 'repeat'} the row before, left out.")
    if other:
        said.append(f"{counted(other, 'step')} twice in a row with two rates: the later row was taken.")
    if len(overlap):
        first, last = int(step[overlap].min()), int(step[overlap].max())
        back = counted(int((apart < 0).sum()), "time")
        anew = bool((step[1:][apart < 0] <= step[0]).any())
        does = f"begins again {back}, as a second run does" if anew else f"goes back {back}, as a resumed run does"
        said.append(
            f"The log {does}: {counted(len(overlap), 'row')} between steps {first} and {last} left out for later rows "
            "of the same steps."
        )
    elif (apart < 0).any():
        said.append("Rows out of order were sorted by step.")
    return said
