"""A framework's schedule as plain values: the call that makes it, and the config or state that is saved of it.

This needs no framework. `tf_impl` and `torch_impl` carry a `Call` out and fill `Config` and `State` from live objects;
`written` prints a call as code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from samestep.experiment.clock import Clock, Count, Duration, Stepping, Unit

if TYPE_CHECKING:
    from samestep.experiment.schedules import Schedule

WIDTH = 100

DEPENDS_ON_LOSSES = (
    "{} depends on the losses: it can be recorded and compared, not translated. Record a run and compare its trace."
)


@dataclass(frozen=True)
class Expression:
    """A number that a person would write as a calculation.

    Attributes:
        code: What is printed, ``0.95 ** (1 / 25)``.
        value: The number.
    """

    code: str
    value: float

    def __int__(self) -> int:
        return int(self.value)

    def __sub__(self, other: int) -> Expression:
        return Expression(f"{self.code} - {other}", self.value - other)


@dataclass(frozen=True)
class Call:
    """A class and its arguments.

    Attributes:
        name: The class as it is written, ``keras.optimizers.schedules.CosineDecay``. A stand-in has no dot.
        arguments: Numbers, truth values, text, Expressions, other Calls, and lists of these.
        first: Code that comes before the arguments, like ``optimizer``.
        base_lr: The rate that PyTorch's optimizer is made with.
        note: Why this is not the class that one would expect, or what to know about it.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    first: tuple[str, ...] = ()
    base_lr: float | None = None
    note: str | None = None

    @property
    def short_name(self) -> str:
        """The name of the class alone."""
        return self.name.rpartition(".")[2]

    @property
    def is_stand_in(self) -> bool:
        """Whether this is a class of ours, in place of one that the framework lacks."""
        return "." not in self.name

    @property
    def notes(self) -> str | None:
        """The notes of this call and of all within its arguments, each once."""
        return " ".join(dict.fromkeys(each.note for each in self.calls() if each.note)) or None

    def having(self, **arguments: Any) -> Call:
        """The same call with other arguments."""
        return replace(self, arguments={**self.arguments, **arguments})

    def calls(self) -> Iterator[Call]:
        """This call and all within its arguments."""
        yield self
        for value in self.arguments.values():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, Call):
                    yield from each.calls()

    def each(self, change: Callable[[Call], Call]) -> Call:
        """This call with every call within its arguments changed, and then itself."""

        def changed(value: Any) -> Any:
            if isinstance(value, list):
                return [changed(each) for each in value]
            return value.each(change) if isinstance(value, Call) else value

        return change(replace(self, arguments={name: changed(value) for name, value in self.arguments.items()}))


def keras_call(name: str, /, note: str | None = None, **arguments: Any) -> Call:
    """A class of Keras."""
    return Call(f"keras.optimizers.schedules.{name}", arguments, note=note)


def torch_call(name: str, base_lr: float, /, note: str | None = None, **arguments: Any) -> Call:
    """A class of PyTorch for an optimizer that is made with `base_lr`."""
    first = () if name == "ChainedScheduler" else ("optimizer",)  # it takes the one of the schedulers it is given
    return Call(f"torch.optim.lr_scheduler.{name}", arguments, first, base_lr, note)


def lambda_call(base_lr: float, factor: str, note: str | None = None) -> Call:
    """PyTorch's `LambdaLR` with the factor of `base_lr` as an expression of ``n``."""
    return torch_call("LambdaLR", base_lr, note, lr_lambda=Expression(f"lambda n: {factor}", math.nan))


class NotWholeError(ValueError):
    """A duration that is no whole number of calls."""


@dataclass(frozen=True)
class Calls:
    """Durations in calls of PyTorch's `scheduler.step()`."""

    clock: Clock
    stepping: Stepping

    @property
    def unit(self) -> Unit:
        """What is counted."""
        return "steps" if self.stepping == "step" else "epochs"

    def __call__(self, duration: Duration) -> int | Expression:
        """A duration in calls. Raises NotWholeError where it is no whole number of them."""
        if not self.whole(duration):
            raise NotWholeError(str(duration))
        return int(self.exact(duration))

    def first(self, duration: Duration) -> int | Expression:
        """The first call at or after the end of a duration."""
        return math.ceil(self.exact(duration))

    def exact(self, duration: Duration) -> Fraction:
        """A duration in calls, and in parts of one."""
        return Fraction(self.clock.steps(duration), 1 if self.stepping == "step" else self.clock.steps_per_epoch)

    def whole(self, duration: Duration) -> bool:
        """Whether a duration is a whole number of calls."""
        return self.exact(duration).denominator == 1

    def root(self, factor: float, duration: Duration) -> float | Expression:
        """The factor of one call, ``factor ** (1 / duration)``, and how a person would write it."""
        period = self.exact(duration)
        if period == 1:
            return factor
        every, stride = period.as_integer_ratio()
        exponent = f"(1 / {every})" if stride == 1 else f"({stride} / {every})" if every != 1 else str(stride)
        return Expression(f"{factor!r} ** {exponent}", factor ** float(1 / period))


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


def grouped(count: int | Expression) -> str:
    """A count as code to divide by."""
    code = written(count)
    return code if code.isdigit() else f"({code})"


def _bracketed(opening: str, parts: list[str], closing: str, indent: int) -> str:
    line = f"{opening}{', '.join(parts)}{closing}"
    if len(line) + indent <= WIDTH and "\n" not in line:
        return line
    inner = " " * (indent + 4)
    within = ", ".join(parts)
    if len(within) + len(inner) <= WIDTH and "\n" not in within:
        return "\n".join([opening, inner + within, " " * indent + closing])
    return "\n".join([opening, *(f"{inner}{part}," for part in parts), " " * indent + closing])


Counts = Count | Calls
"""How a native schedule counts a duration."""


@dataclass(frozen=True)
class Held:
    """The values of a native schedule.

    Attributes:
        name: Its class.
        values: By the framework's names.
        stepping: How often it is asked. Per ``epoch`` it counts in epochs.
    """

    name: str
    values: Mapping[str, Any]
    stepping: Stepping

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def number(self, key: str) -> float:
        """A value that is a number. Raises ValueError with its name where it is none."""
        return number(key, self[key])

    def count(self, key: str) -> Duration:
        """A value that is a count. Raises ValueError where it is no whole number."""
        return counted(key, self[key], self.stepping)


@dataclass(frozen=True)
class Config(Held):
    """The config of a schedule of Keras or of a stand-in, with its numbers as floats.

    Attributes:
        within: Reads the config of a schedule within it.
    """

    within: Callable[[Any], Schedule]


@dataclass(frozen=True)
class State(Held):
    """The state of a scheduler of PyTorch.

    Attributes:
        base_lr: The rate that the optimizer was made with.
        group: The optimizer's first parameter group; empty where it is not known.
        clock: For a scheduler that counts single calls and is stepped per epoch.
        within: Reads the schedulers within it, each with its class, given the base_lr of all but the first.
    """

    base_lr: float
    group: Mapping[str, Any]
    clock: Clock
    within: Callable[[float | None], list[tuple[str, Schedule]]]


def number(name: str, value: Any) -> float:
    """A number that a framework has saved. Raises ValueError with its name where it is none.

    >>> number("gamma", 1)
    1.0
    """
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        found = math.nan
    if isinstance(value, str | bool) or not math.isfinite(found):
        raise ValueError(f"{name}: got {str(value)[:40]!r}. Write a number.")
    return found


def key_number(key: Any) -> float:
    """A count that is a key, of which JSON has made text. Raises ValueError where it is none.

    >>> key_number("30"), key_number(600.6)
    (30, 600.6)
    """
    try:
        found = float(key)
    except (TypeError, ValueError):
        raise ValueError(f"milestones: got {str(key)[:40]!r}. Write whole numbers.") from None
    return int(found) if found.is_integer() else found


def counted(name: str, value: float, stepping: Stepping) -> Duration:
    """A count of a native schedule as a duration, in steps, or in epochs where the schedule is asked once per epoch.

    Raises ValueError where it is no whole number.
    """
    found = number(name, value)
    if found != int(found) or not 1 <= found < 2**40:
        raise ValueError(f"{name}: got {value!r}. samestep counts in whole numbers from 1 to 2**40; write one.")
    return Duration(Fraction(int(value)), "steps" if stepping == "step" else "epochs")
