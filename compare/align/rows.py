"""Lines traces up, update by update.

What our workers write comes run after run, each with its steps from 0 on and none left out. Whether a table is of that
kind is seen in one pass over it, and then two tables with the same runs lie row beside row already. Rows of any other
order are looked up by their keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from samestep.experiment.plan import FRAMEWORKS, Framework, Plan
from samestep.experiment.trace import Table, Trace

from ..tolerance import relative_difference, ulp32_difference

KEY = ["arm", "seed", "step"]
ALIGNED_COLUMNS = [
    *(*KEY, "epoch", "batch"),
    *("lr_tensorflow", "lr_torch", "lr_closed_form", "lr_absolute", "lr_relative", "lr_ulp32"),
    *("loss_tensorflow", "loss_torch", "loss_absolute", "loss_relative", "loss_ulp32"),
]
DIFFERENCE_COLUMNS = [*KEY, "lr_a", "lr_b", "lr_absolute", "loss_a", "loss_b", "loss_absolute"]

_CHUNK = 2**19
"""Numbers that are looked at together: few enough to stay in a core's cache, so many that two threads do not wait for
each other's turn with the interpreter."""


class AlignError(ValueError):
    """Traces that cannot be lined up; the message names the rows at fault."""


class _Runs(NamedTuple):
    """The runs of a table in the order in which they come; the rows of each are its steps from 0 on, all there.

    keys : arm and seed of each, none twice. lengths : int64, how many rows each has.
    """

    keys: list[tuple[str, int]]
    lengths: np.ndarray


def align(traces: Mapping[Framework, Trace], plan: Plan) -> pd.DataFrame:
    """One row per arm, seed and step: both rates, both losses, the closed form, and their differences.

    Args:
        traces: The trace of each framework, by its name.
        plan: Gives the arms, seeds and steps that must be there.

    Returns:
        The columns of `ALIGNED_COLUMNS`, in the order of the plan's arms and seeds. Columns of traces that have this
        order already are not copied.

    Raises:
        AlignError: If a key is there twice or is missing.
    """
    keys = [(arm.name, seed) for seed in plan.seeds for arm in plan.arms]
    wanted = _Runs(keys, np.full(len(keys), plan.steps))
    columns = _keys(wanted)
    columns |= {"epoch": plan.clock.epoch(columns["step"]), "batch": plan.clock.batch(columns["step"])}
    tables = [traces[framework].steps for framework in FRAMEWORKS]
    for framework, table, found in zip(FRAMEWORKS, tables, _runs_of_both(*tables), strict=True):
        rows = _rows(framework, table, found, wanted)
        columns |= {f"{name}_{framework}": np.asarray(table[name])[rows] for name in ("lr", "loss")}
    each_step = np.arange(plan.steps)
    closed_form = {arm.name: arm.rate(each_step, plan.clock) for arm in plan.arms}
    columns["lr_closed_form"] = np.concatenate([closed_form[arm] for arm, _ in keys])
    for name in ("lr", "loss"):
        a, b = (columns[f"{name}_{framework}"] for framework in FRAMEWORKS)
        columns[f"{name}_absolute"] = _absolute(a, b)
        columns[f"{name}_relative"] = relative_difference(a, b)
        columns[f"{name}_ulp32"] = ulp32_difference(a, b)
    return pd.DataFrame({name: columns[name] for name in ALIGNED_COLUMNS}, copy=False)


def differences(a: Trace, b: Trace) -> pd.DataFrame:
    """The updates that two traces have both, and the differences of their rates and losses.

    Args:
        a: The trace of one framework, or of a log.
        b: Another one; rows belong together if arm, seed and step are the same.

    Returns:
        The columns of `DIFFERENCE_COLUMNS`, in the order of a's rows. If both hold the same runs in one order, as
        traces of one plan do, seeds, steps, rates and losses are not copied: to change the table, copy it.

    Raises:
        AlignError: If a key is there twice.
    """
    runs_a, runs_b = _runs_of_both(a.steps, b.steps)
    columns: dict[str, Any]
    if runs_a is not None and runs_b is not None and _same(runs_a, runs_b):
        columns = {"arm": _arms(runs_a), "seed": np.asarray(a.steps["seed"]), "step": np.asarray(a.steps["step"])}
        rows_a: slice | np.ndarray = slice(None)
        rows_b: slice | np.ndarray = rows_a
    else:
        keys_a, keys_b = (_index(each.steps) for each in (a, b))
        _refuse("trace a", "has more than once", keys_a[keys_a.duplicated()])
        _refuse("trace b", "has more than once", keys_b[keys_b.duplicated()])
        place = keys_b.get_indexer(keys_a)
        rows_a, rows_b = np.flatnonzero(place >= 0), place[place >= 0]
        columns = {name: np.asarray(a.steps[name])[rows_a] for name in KEY}
        columns["arm"] = pd.Categorical(columns["arm"], categories=list(dict.fromkeys(columns["arm"].tolist())))
    for name in ("lr", "loss"):
        of_a, of_b = np.asarray(a.steps[name])[rows_a], np.asarray(b.steps[name])[rows_b]
        columns |= {f"{name}_a": of_a, f"{name}_b": of_b, f"{name}_absolute": _absolute(of_a, of_b)}
    return pd.DataFrame({name: columns[name] for name in DIFFERENCE_COLUMNS}, copy=False)


def _absolute(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", over="ignore"):
        apart: np.ndarray = np.subtract(a, b)
        np.abs(apart, out=apart)
        return apart


def _arms(runs: _Runs) -> pd.Categorical[str]:
    """The arm of each row: a small number for each, and every name once."""
    names = list(dict.fromkeys(arm for arm, _ in runs.keys))
    code = {name: number for number, name in enumerate(names)}
    codes = np.array([code[arm] for arm, _ in runs.keys], dtype=np.min_scalar_type(-len(names)))
    return pd.Categorical.from_codes(np.repeat(codes, runs.lengths), pd.Index(names))


def _keys(runs: _Runs) -> dict[str, Any]:
    """The key of each row; the arm as pandas keeps text."""
    arms, seeds = zip(*runs.keys, strict=True)
    return {
        "arm": _arms(runs).astype(pd.Series(arms).dtype),
        "seed": np.repeat(np.array(seeds, dtype=np.int64), runs.lengths),
        "step": np.concatenate([np.arange(length, dtype=np.int64) for length in runs.lengths]),
    }


def _rows(framework: str, table: Table, found: _Runs | None, wanted: _Runs) -> slice | np.ndarray:
    """Which row of a table each wanted key has. Raises AlignError where the table has other keys."""
    if found is not None and _same(found, wanted):
        return slice(None)
    keys, expected = _index(table), _index(_keys(wanted))
    for problem, wrong in (
        ("has more than once", keys[keys.duplicated()]),
        ("lacks", expected.difference(keys, sort=False)),
        ("should not have", keys.difference(expected, sort=False)),
    ):
        _refuse(f"{framework} trace", problem, wrong)
    return keys.get_indexer(expected)


def _refuse(trace: str, problem: str, wrong: pd.MultiIndex) -> None:
    if len(wrong):
        arm, seed, step = wrong[0]
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise AlignError(f"The {trace} {problem} arm {arm!r}, seed {seed}, step {step}{more}. Record the run again.")


def _index(table: Mapping[str, Any]) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([np.asarray(table[name]) for name in KEY], names=KEY)


def _same(one: _Runs, other: _Runs) -> bool:
    return one.keys == other.keys and bool((one.lengths == other.lengths).all())


def _runs_of_both(a: Table, b: Table) -> tuple[_Runs | None, _Runs | None]:
    """`_dense_runs` of two tables, side by side: NumPy lets go of the interpreter while it compares."""
    with ThreadPoolExecutor(1) as pool:
        of_b = pool.submit(_dense_runs, b)
        return _dense_runs(a), of_b.result()


def _dense_runs(table: Table) -> _Runs | None:
    """The runs of a table that comes run after run, each with all its steps from 0 on; None for any other table."""
    arm, seed, step = (np.asarray(table[name]) for name in KEY)
    if not len(step):
        return None
    begins = np.append(0, _changes(step, by=1))
    if (step[begins] != 0).any() or not all(np.isin(_changes(column), begins).all() for column in (arm, seed)):
        return None
    keys = list(zip(arm[begins].tolist(), seed[begins].tolist(), strict=True))
    return _Runs(keys, np.diff(begins, append=len(step))) if len(set(keys)) == len(keys) else None


def _changes(column: np.ndarray, by: int = 0) -> np.ndarray:
    """The rows that do not hold what the row before holds, `by` added: int64."""
    if column.strides == (0,) and not by:  # one value for all
        return np.empty(0, dtype=np.int64)
    column, width = _as_numbers(column)
    found = []
    for begin in range(width, len(column), _CHUNK):
        end = min(begin + _CHUNK, len(column))
        here, before = column[begin:end], column[begin - width : end - width]
        changed = here - before != by if by else here != before
        if changed.any():
            found.append(np.flatnonzero(changed) + begin)
    return np.unique(np.concatenate(found) // width) if found else np.empty(0, dtype=np.int64)


def _as_numbers(column: np.ndarray) -> tuple[np.ndarray, int]:
    """A column of text as numbers, so many to a row, which are compared several times as fast; others as they are."""
    if column.dtype.kind != "U" or not column.size or not column.itemsize:
        return column, 1
    numbers = np.ascontiguousarray(column).view(np.uint64 if column.itemsize % 8 == 0 else np.uint32)
    return numbers, len(numbers) // len(column)
