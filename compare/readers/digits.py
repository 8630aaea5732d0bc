"""The number of digits of a log's rates, and the rounding error that follows from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from samestep.experiment.trace import Trace

MOST_DIGITS = 9
"""9 significant digits distinguish every float32; rates with more count as complete."""

FEWEST_DIGITS = 6
"""0.1 and 0.001 are short because they are exact. Common formats of rounded numbers have at least six digits; fewer are
assumed only if the text shows them: see `_fixed`."""

ENOUGH = 10
"""So many distinct values with the same number of decimals come from a format and not from chance."""

_CELL = re.compile(r"[+-]?\d*\.(?P<decimals>\d+)(?P<exponent>[eE][+-]?\d+)?")


def written_with(lr: np.ndarray, texts: Callable[[], list[str]] | None) -> tuple[str, dict[str, Any] | None]:
    """How rates were written: the precision in words, and the rule for `rounding`, None if no bit is missing.

    The rule is ``{"digits": n}``, significant ones, or ``{"decimals": n}``.

    Args:
        lr: float64, any number of rates.
        texts: Gives the same rates as text; called only if it matters.
    """
    values = np.unique(np.abs(lr))
    digits = _significant(values)
    if digits > MOST_DIGITS:
        with np.errstate(over="ignore"):
            single = bool((values.astype(np.float32).astype(np.float64) == values).all())
        return ("float32" if single else "float64"), None
    rule = (_fixed(texts(), values, digits) if texts else None) or {"digits": max(digits, FEWEST_DIGITS)}
    (kind, count), *_ = rule.items()
    return f"{count} {kind}", rule


def rounding(trace: Trace) -> np.ndarray:
    """The rounding error of each rate of a trace that `read` returned: float64, one per row.

    Half a unit of the last written digit; 0 if the log has all bits of a float32 or float64.
    """
    lr, rule = trace.steps["lr"], trace.manifest.get("rounding")
    if rule is None:
        return np.zeros(len(lr))
    if "decimals" in rule:
        return np.full(len(lr), 0.5 * 10.0 ** -int(rule["decimals"]))
    leading = np.floor(np.log10(np.where(lr == 0, 1.0, np.abs(lr))))
    return np.where(lr == 0, 0.0, 0.5 * 10.0 ** (leading - (int(rule["digits"]) - 1)))


def _significant(values: np.ndarray) -> int:
    """The largest number of significant digits of the values; stops above `MOST_DIGITS`."""
    most = 1
    for value in values.tolist():
        digits = len(repr(value).partition("e")[0].replace(".", "").strip("0"))
        most = max(most, digits)
        if most > MOST_DIGITS:
            break
    return most


def _fixed(texts: list[str], values: np.ndarray, digits: int) -> dict[str, int] | None:
    """The rule of a format like ``%.6f`` or ``%.3e``: every cell has the same number of decimals.

    The shortest text of a float never ends in 0. A text that does shows a format, and so do many values of one length.

    Args:
        texts: Some of the cells.
        values, digits: All rates, and the most digits of any, which must fit the rule as well.
    """
    cells = set(texts)
    found = [_CELL.fullmatch(cell) for cell in cells]
    matches = [match for match in found if match]
    lengths = {len(match["decimals"]) for match in matches}
    exponents = {match["exponent"] is not None for match in matches}
    if not matches or len(matches) < len(found) or len(lengths) != 1 or len(exponents) != 1:
        return None
    (decimals,) = lengths
    padded = any(match["decimals"].endswith("0") for match in matches)
    if decimals < 2 or not (padded or len(cells) >= ENOUGH):
        return None
    if exponents == {True}:
        return {"digits": decimals + 1} if digits <= decimals + 1 else None
    return {"decimals": decimals} if (np.round(values, decimals) == values).all() else None
