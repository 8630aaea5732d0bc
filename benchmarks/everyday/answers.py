"""What is a right answer: one of a set, each a cause with its parameters, held against what samestep says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

VAGUE = ("unexplained", "family")
Both = tuple[float, float]


@dataclass(frozen=True)
class Answer:
    """A cause that is right.

    Attributes:
        name: of the cause; ``*`` for any that has these values.
        values: parameters of it that are asked for; a tuple stands for any of its values, the name ``*`` for any
            parameter.
        one_of: pairs of values of a and b, of which the answer names at least one.
        each_of: more of these; the answer names at least one of each.
        may: more pairs that it may name, because they follow.
        readings: the readings that are right; none where there is nothing to read.
        second: what has to be said beside it.
    """

    name: str
    values: tuple[tuple[str, Any], ...] = ()
    one_of: tuple[Both, ...] = ()
    each_of: tuple[tuple[Both, ...], ...] = ()
    may: tuple[Both, ...] = ()
    readings: tuple[str, ...] = ()
    second: Answer | None = None

    def allows(self, said: Mapping[str, Any], steps: int, relative: float) -> bool:
        """Whether a cause, as the JSON has it, is this one, to so many steps and so exactly."""
        if self.second is None:
            return said.get("second") is None and self._is(said, steps, relative)
        beside = said.get("second")
        if beside is None:
            return False
        both = [(said, beside), (beside, said)]
        return any(self._is(x, steps, relative) and self.second._is(y, steps, relative) for x, y in both)

    def _is(self, said: Mapping[str, Any], steps: int, relative: float) -> bool:
        if self.name not in (said["name"], "*"):
            return False
        if said["name"] in FROM_THE_START and said.get("step") and "step" not in dict(self.values):
            return False
        if self.readings and said.get("reading") is not None and said["reading"] not in self.readings:
            return False
        for key, wanted in self.values:
            choices = wanted if isinstance(wanted, tuple) else (wanted,)
            values = _numbers(said) if key == "*" else [said.get(key)]
            near = steps if key in COUNTS else 0
            if not any(close(each, value, near, relative) for each in choices for value in values):
                return False
        if not self.one_of:
            return True
        named = list(pairs(said))

        def among(both: Both, known: tuple[Both, ...]) -> bool:
            return any(
                all(
                    close(x, y, min(steps, 1 + round(0.02 * abs(x))), relative) for x, y in zip(each, both, strict=True)
                )
                for each in known
            )

        asked = [self.one_of, *self.each_of]
        known = tuple(both for these in (*asked, self.may) for both in these)
        return all(any(among(each, these) for each in named) for these in asked) and all(
            among(each, known) for each in named
        )


FROM_THE_START = ("shift", "scale", "counter", "period", "factor", "parameters")
"""Causes that hold at every step, unless they name the step from which on they do."""

COUNTS = ("step", "steps", "period_a", "period_b", "every")
NOT_NUMBERS = {"name", "reading", "residual_ulp32", "sentence", "fix", "fix_code", "second"}


def close(wanted: Any, said: Any, steps: int, relative: float) -> bool:
    """Whether a value is the wanted one: text exactly, a count within so many steps, any other number relatively."""
    if isinstance(wanted, str) or isinstance(said, str) or said is None:
        return bool(wanted == said)
    apart = abs(float(said) - float(wanted))
    return apart <= relative * abs(wanted) or (abs(wanted) >= 2 and apart <= steps) or apart < 1e-12


def _numbers(said: Mapping[str, Any]) -> list[float]:
    """All numbers among the parameters of a cause."""
    values = [value for key, value in said.items() if key not in ("residual_ulp32", "second")]
    inner = [number for value in values if isinstance(value, Mapping) for number in _numbers(value)]
    return [float(value) for value in values if isinstance(value, int | float)] + inner


def pairs(said: Mapping[str, Any]) -> Iterator[Both]:
    """The numbers of a and b that a cause names, in whatever form: x_a and x_b, two in a list, 'x against y'."""
    for key, value in said.items():
        if key not in NOT_NUMBERS:
            beside = said.get(f"{key[:-2]}_b") if key.endswith("_a") else None
            yield from _both(value if beside is None else [value, beside])


def _both(value: Any) -> Iterator[Both]:
    match value:
        case [int() | float() as x, int() | float() as y] | {"a": int() | float() as x, "b": int() | float() as y}:
            yield float(x), float(y)
        case [[*x], [*y]] | {"a": [*x], "b": [*y]} if len(x) == len(y):
            yield from (pair for pair in zip(x, y, strict=True) if pair[0] != pair[1])
        case Mapping():
            yield from pairs(value)
        case [*several]:
            for each in several:
                yield from _both(each)
        case str():
            for x, y in re.findall(r"([-+\d.e]*\d)[^\d,;]* (?:against|and|vs\.?) [^\d,;]*?([-+\d.e]*\d)", value):
                yield float(x), float(y)
