"""The number of digits of a log's rates, and the rounding error that follows from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from samestep.experiment.trace import Trace

MOST_DIGITS = 9
"""9 significant digits distinguish every float32; rates with more count as complete."""

USUAL_DIGITS = 6
"""0.1 and 0.001 are short because they are exact. Rates of so few different values count as written with six digits, as
``%g`` does, unless the text shows fewer; that they may have had fewer is kept as a doubt."""

ENOUGH = 10
"""So many distinct values with the same number of decimals come from a format and not from chance."""

ENOUGH_CUT = {1: 5, 2: 4}
"""So many different numbers that all end at one digit were cut there, by how many digits they have; 3 of more digits.
An exact staircase of 0.1, 0.05, 0.025 grows a digit at each step, and one of 0.1, 0.01, 0.001 has a single number."""

LONGEST_CUT = 14
"""``round(rate, 10)`` leaves up to so many digits; a float64 that was not rounded has 15 to 17."""

MOST_DOUBTED = 5
"""Rates with more digits than these show their digits."""

_CELL = re.compile(r"[+-]?\d*\.?(?P<decimals>(?<=\.)\d*|)(?P<exponent>[eE][+-]?\d+)?")

FEWEST_DECIMALS = 4
"""Rates are written with so many decimals at least."""

ZERO_DECIMALS = 6
"""Where rates of few digits come down to so many decimals, a 0 among them may have been smaller than one can be."""

NUMPYS_EXPONENT = 1.001e-4
"""NumPy writes smaller numbers of few digits with an exponent; from here on one shows a format like ``%.0e``."""


class _Written(NamedTuple):
    """A number as its shortest text: its digits as a whole number's text, and how many stand behind the point."""

    digits: str
    decimals: int


def written_with(lr: np.ndarray, texts: Callable[[], list[str]] | None) -> tuple[str, dict[str, Any] | None]:
    """How rates were written: the precision in words, and the rule for `rounding`, None if no bit is missing.

    The rule is ``{"digits": n}``, significant ones, or ``{"decimals": n}``; with both, the larger error counts. A 0 may
    have more under ``zero``, in decimals: ``round(rate, 8)`` leaves 1e-08 and then 0. Under
    ``perhaps`` stands another one where the rates may have been written with fewer digits and nothing shows it.

    Args:
        lr: float64, any number of rates.
        texts: Gives the same rates as text; called only if it matters.
    """
    values, counts = np.unique(np.abs(lr), return_counts=True)
    written = _shortest(values)
    digits = LONGEST_CUT + 1 if written is None else max((len(each.digits) for each in written), default=1)
    rule = _cut(written or [], digits, is_once=len(counts) > 1 and counts[-1] > 1 and bool((counts[:-1] == 1).all()))
    if digits <= MOST_DIGITS and texts is not None:
        rule = _fixed(texts(), values, digits) or rule
    if rule is None and digits > MOST_DIGITS:
        with np.errstate(over="ignore"):
            single = bool((values.astype(np.float32).astype(np.float64) == values).all())
        return ("float32" if single else "float64"), None
    if rule is None:
        usual = max(digits, USUAL_DIGITS)
        rule = {"digits": usual}
        decimals = max((each.decimals for each in written or []), default=0)
        if decimals >= ZERO_DECIMALS and not values[0]:
            rule["zero"] = decimals
        if perhaps := _perhaps(written or [], digits, float(values[-1])):
            return f"{usual} digits", rule | {"perhaps": perhaps}
    kind, count = next(iter(rule.items()))
    return f"{count} {kind if count > 1 else kind[:-1]}", rule


def rounding(trace: Trace, perhaps: bool = False) -> np.ndarray:
    """The rounding error of each rate of a trace that `read` returned: float64, one per row.

    Half a unit of the last written digit; 0 if the log has all bits of a float32 or float64.

    Args:
        perhaps: Take the rates as written with as few digits as they may have been.
    """
    lr, rule = trace.steps["lr"], trace.manifest.get("rounding")
    if perhaps and rule is not None:
        rule = rule.get("perhaps", rule)
    return np.zeros(len(lr)) if rule is None else _half_unit(lr, rule)


def _half_unit(lr: np.ndarray, rule: Mapping[str, Any]) -> np.ndarray:
    half = np.full(len(lr), 0.5 * 10.0 ** -int(rule["decimals"]) if "decimals" in rule else 0.0)
    if "zero" in rule:
        half = np.where(lr == 0, 0.5 * 10.0 ** -int(rule["zero"]), half)
    if "digits" in rule:
        leading = np.floor(np.log10(np.where(lr == 0, 1.0, np.abs(lr))))
        digit = np.where(lr == 0, 0.0, 0.5 * 10.0 ** (leading - (int(rule["digits"]) - 1)))
        half = np.maximum(half, digit)
    return half


def _shortest(values: np.ndarray) -> list[_Written] | None:
    """The values that are not 0 as their shortest text; None if one has more than `LONGEST_CUT`."""
    written = []
    for value in values.tolist():
        mantissa, _, exponent = repr(value).partition("e")
        whole, _, fraction = mantissa.partition(".")
        digits = f"{whole}{fraction}".rstrip("0")
        decimals = len(fraction) - int(exponent or 0) - (len(whole) + len(fraction) - len(digits))
        digits = digits.lstrip("0")
        if len(digits) > LONGEST_CUT:
            return None
        if digits:
            written.append(_Written(digits, decimals))
    return written


def _cut(written: list[_Written], digits: int, is_once: bool) -> dict[str, int] | None:
    """The rule of a format like ``%.3g`` or ``round(rate, 7)``: many different numbers end at one digit.

    is_once : whether each stands in one row, and the largest in several, as after a warm-up.

    Both rules are kept: of rates that end at one decimal, the largest have the most significant digits, and of rates
    with as many significant digits, the smallest have the most decimals. So neither widens the other.
    """
    if not written or _is_even(written, is_once):
        return None
    decimals = max(each.decimals for each in written)
    to_digits = {each.digits for each in written if len(each.digits) == digits}
    to_decimals = {each.digits for each in written if each.decimals == decimals}
    if max(len(to_digits), len(to_decimals)) < ENOUGH_CUT.get(digits, 3):
        return None
    if digits > MOST_DIGITS:
        return {"decimals": decimals} if len(to_decimals) > len(written) / 2 else None
    rules = {"digits": digits, "decimals": max(decimals, 0)}
    first = "decimals" if len(to_decimals) > len(to_digits) else "digits"
    return {first: rules[first]} | rules


def _is_even(written: list[_Written], is_once: bool) -> bool:
    """Whether all numbers are as far apart as those of a short warm-up, of which nothing was cut.

    That is by more than a last digit; or by one, where each is there once: a slower way up, cut, repeats them.
    """
    decimals = max(each.decimals for each in written)
    numbers = sorted(int(each.digits) * 10 ** (decimals - each.decimals) for each in written)
    distances = {after - before for before, after in pairwise(numbers)}
    return len(numbers) > 2 and len(distances) == 1 and (is_once or distances != {1})


def _perhaps(written: list[_Written], digits: int, highest: float) -> dict[str, int]:
    """The rule of a format that may have cut these few numbers, although nothing shows it; empty for none.

    A single digit is no usual format but ``%.0e``, which writes 0.001 with an exponent, and rates are not written with
    two or three decimals.
    """
    if not written or digits > MOST_DOUBTED:
        return {}
    decimals = max(each.decimals for each in written)
    found = {"digits": digits} if digits > 1 or highest < NUMPYS_EXPONENT else {}
    return found | ({"decimals": decimals} if decimals >= FEWEST_DECIMALS else {})


def _fixed(texts: list[str], values: np.ndarray, digits: int) -> dict[str, int] | None:
    """The rule of a format like ``%.6f`` or ``%.3e``: every cell has the same number of decimals.

    The shortest text of a float never ends in 0. A text that does shows a format, and so do many values of one length,
    and an exponent where Python writes none.

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
    padded = any(match["decimals"].endswith("0") for match in matches) or len(cells) >= ENOUGH
    if exponents == {True}:
        formatted = padded or any(float(cell) > NUMPYS_EXPONENT and repr(float(cell)) != cell for cell in cells)
        return {"digits": decimals + 1} if formatted and digits <= decimals + 1 else None
    if decimals < 2 or not padded:
        return None
    return {"decimals": decimals} if (np.round(values, decimals) == values).all() else None
