"""What every dialect has in common: a program's own words for a schedule, read into the vocabulary."""

from __future__ import annotations

import ast
import difflib
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from samestep.experiment.clock import Clock, Duration, Stepping, Unit
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.brackets import parts
from samestep.experiment.schedules.calls import Call, number
from samestep.experiment.schedules.signatures import hint

Read = tuple[Schedule, tuple[str, ...]]
"""A schedule, and what was assumed, as sentences."""


@dataclass(frozen=True)
class Dialect:
    """The words of one program.

    Attributes:
        name: As it is written before a colon, ``timm``.
        held_against: The version whose rates the schedules were held against.
        is_written: Whether values are in these words.
        read: Makes the schedule of such values. Raises ValueError for what the vocabulary can't say.
        functions: What its functions take, for a program whose schedules are calls, as in `signatures`.
        called: The function that such a call leads to, with its arguments; the same for most.
        read_call: Makes the schedule of a call. Raises ValueError for what the vocabulary can't say.
        example: What a person may write after the colon.
        names: Every name that says something of the schedule. Others may be there in what a program has saved.
    """

    name: str
    held_against: str
    is_written: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Words], Read]
    example: str
    names: tuple[str, ...]
    functions: Mapping[str, str] = field(default_factory=dict)
    called: Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]] = lambda name, arguments: (name, arguments)
    read_call: Callable[[Call, Stepping], Schedule] | None = None


@dataclass(frozen=True)
class Words:
    """The values that a program is given, by its own names.

    Attributes:
        values: As they are; null counts as missing.
        stepping: How often the rate is looked up.
        clock: Gives the steps of an epoch, where it is known.
        place: What comes before a name in a message, ``scheduler.params.``.
        assumed: Defaults that were used, as sentences; `default` adds to it.
    """

    values: Mapping[str, Any]
    stepping: Stepping
    clock: Clock | None
    place: str = ""
    assumed: list[str] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def within(self, name: str) -> Words:
        """The values in one of these values."""
        held = self.values.get(name)
        if not isinstance(held, Mapping):
            raise ValueError(f"{self.place}{name}: got {_shown(held)}. Write an object, with its keys.")
        return Words(held, self.stepping, self.clock, f"{self.place}{name}.", self.assumed)

    def only(self, known: Iterable[str]) -> None:
        """Raise ValueError with the nearest known name for one that is not known."""
        known = tuple(known)
        for name in self.values:
            if name not in known:
                raise ValueError(f"{self.place}{str(name)[:60]} is not known there. {hint(str(name), known)}")

    def number(self, name: str, default: float | None = None, least: float = 0.0) -> float:
        """A number. Raises ValueError where it is none, below `least`, or missing without a default."""
        if name not in self:
            if default is None:
                raise ValueError(f"{self.place}{name} is missing. Add it: a number.")
            return default
        found = number(f"{self.place}{name}", _plain(self.values[name]))
        if found < least:
            raise ValueError(f"{self.place}{name}: got {found:g}. Write at least {least:g}.")
        return found

    def whole(self, name: str, default: int | None = None, least: int = 0) -> int:
        """A whole number. Raises ValueError where it is none, below `least`, or missing without a default."""
        found = self.number(name, default, least)
        if found % 1:
            raise ValueError(f"{self.place}{name}: got {found:g}. Write a whole number.")
        return int(found)

    def word(self, name: str, known: Iterable[str], default: str | None = None) -> str:
        """One of some words. Raises ValueError with the nearest one for another, or where it is missing."""
        known = tuple(known)
        given = self.values[name] if name in self else default
        if given not in known:
            said = "is missing" if given is None else f"got {_shown(given)}"
            raise ValueError(f"{self.place}{name}: {said}. {hint(str(given), known)}")
        return str(given)

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false. Raises ValueError for anything else."""
        given = _plain(self.values[name]) if name in self else default
        if not isinstance(given, bool):
            raise ValueError(f"{self.place}{name}: got {_shown(given)}. Write true or false.")
        return given


def check_names(values: Iterable[str], known: tuple[str, ...], is_all: bool) -> None:
    """Raise ValueError with the nearest name for one that is not known.

    Args:
        values: The names that were written.
        known: Those that say something.
        is_all: Whether there may be no others; else only what looks like one of them is wrong.
    """
    for name in values:
        if name not in known and (is_all or difflib.get_close_matches(name, known, n=1, cutoff=0.85)):
            raise ValueError(f"{name[:60]!r} is not one of its names. {hint(name, known)}")


def lasting(name: str, count: float, unit: Unit = "steps") -> Duration:
    """A count as a duration. Raises ValueError where it is not positive, or divides a step."""
    exact = Fraction(str(float(count)))
    if not 0 < exact < 2**40 or (unit == "steps" and exact.denominator != 1):
        raise ValueError(f"{name}: got {count:g}. samestep counts in whole steps from 1 to 2**40; write such a number.")
    return Duration(exact, unit)


def of_text(text: str) -> dict[str, Any]:
    """The values of flags, ``--warmup-epochs 5``, or of pairs, ``warmup_epochs=5,sched=cosine``, by name.

    Example:
        >>> of_text("--sched cosine --warmup-epochs=5 --sched-on-updates")
        {'sched': 'cosine', 'warmup_epochs': 5, 'sched_on_updates': True}
        >>> of_text("sched=step, decay_rate=0.5")
        {'sched': 'step', 'decay_rate': 0.5}

    Raises:
        ValueError: A value without a name, or a name that is there twice.
    """
    if not text.lstrip().startswith("-"):
        return _named(part.partition("=") for part in parts(text))
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r}: {str(error).lower()}. Close it.") from None
    pairs: list[tuple[str, str, str]] = []
    for word in words:
        if word.startswith("--"):
            pairs.append(word[2:].partition("="))
        elif pairs and not pairs[-1][1]:
            pairs[-1] = (pairs[-1][0], "=", word)
        elif pairs:
            pairs[-1] = (pairs[-1][0], "=", f"{pairs[-1][2]},{word}")  # --decay-milestones 30 60
        else:
            raise ValueError(f"{word[:60]!r} has no name. Write --NAME VALUE.")
    return _named(pairs)


def _named(pairs: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, equals, value in pairs:
        key = name.strip().replace("-", "_")
        if key in found:
            raise ValueError(f"{key[:60]!r} is there twice. Keep one.")
        found[key] = _plain(value.strip()) if equals else True
    return found


def _plain(value: Any) -> Any:
    """Text as the number, list or truth value that it stands for; all else as it is."""
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false", "none", "null"):
        return {"true": True, "false": False}.get(value.lower())
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return value
    return list(found) if isinstance(found, tuple) else found


def _shown(value: Any) -> str:
    return repr(value)[:60]
