"""Calls of a native class as values: one description that is both carried out and written down as code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

WIDTH = 100


@dataclass(frozen=True)
class Expression:
    """A number that a person would write as a calculation: ``0.95 ** (1 / 25)``."""

    code: str
    value: float


@dataclass(frozen=True)
class Call:
    """A class with the arguments it is called with.

    name : as it is written, ``keras.optimizers.schedules.CosineDecay``; without a dot it is one of our stand-ins.
    arguments : numbers, truth values, text, Expressions, other Calls, and lists of these.
    first : what stands before them, as it is written, like ``optimizer``.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    first: tuple[str, ...] = ()

    @property
    def short_name(self) -> str:
        """The name of the class alone."""
        return self.name.rpartition(".")[2]

    @property
    def is_stand_in(self) -> bool:
        """Whether this is a class of ours, in place of one that the framework lacks."""
        return "." not in self.name

    def calls(self) -> Iterator[Call]:
        """This call and all within its arguments."""
        yield self
        for value in self.arguments.values():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, Call):
                    yield from each.calls()


def written(value: Any, indent: int = 0) -> str:
    """A value as Python code, broken into lines where one would be too long.

    >>> written(Call("StepLR", {"step_size": 25, "gamma": 0.95}, first=("optimizer",)))
    'StepLR(optimizer, step_size=25, gamma=0.95)'
    """
    if isinstance(value, Expression):
        return value.code
    if isinstance(value, list):
        return _bracketed("[", [written(each, indent + 4) for each in value], "]", indent)
    if isinstance(value, Call):
        given = [*value.first, *(f"{name}={written(each, indent + 4)}" for name, each in value.arguments.items())]
        return _bracketed(f"{value.name}(", given, ")", indent)
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _bracketed(opening: str, parts: list[str], closing: str, indent: int) -> str:
    line = f"{opening}{', '.join(parts)}{closing}"
    if len(line) + indent <= WIDTH and "\n" not in line:
        return line
    inner = " " * (indent + 4)
    within = ", ".join(parts)
    if len(within) + len(inner) <= WIDTH and "\n" not in within:
        return "\n".join([opening, inner + within, " " * indent + closing])
    return "\n".join([opening, *(f"{inner}{part}," for part in parts), " " * indent + closing])
