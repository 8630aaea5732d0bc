"""A cause: why two runs differ. Each has a room of its own in this folder; its docstring is its page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self, dataclass_transform

from samestep.experiment.clock import Stepping

from ..pages import Paged
from ..rates import Rates
from ..refute import Claim, Pair
from ..terms import Side, Verdict, other
from .scene import Fix, Scene


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
@dataclass(frozen=True, repr=False)
class Cause(Paged, ABC):
    """Why two runs differ, or how they are the same. The fields of each kind are its parameters, as the JSON has them.

    Attributes:
        residual_ulp32: what is left of the largest difference, in float32 ULP, without the cause and drift.
        second: the other one of two causes at once.
    """

    verdict: ClassVar[Verdict] = "differs"

    alike: ClassVar[dict[str, str]] = {}
    """Causes that can give the very same data, with when they do; each pair stands with one of the two."""

    is_exact: ClassVar[bool] = False
    """Whether every bit is the same."""

    explains_start: ClassVar[bool] = False
    """Whether it explains the beginning of a run, so that no claim should leave that over."""

    comes_second: ClassVar[bool] = True
    """Whether it is looked for once another cause is taken off."""

    may_be_timing: ClassVar[bool] = False
    """Whether it may be that a log holds the next rates and not those that were used."""

    moves_clock: ClassVar[bool] = False
    """Whether it may be how often a scheduler is stepped, so that its fix shows that."""

    residual_ulp32: float = field(default=0.0, kw_only=True, repr=False, compare=False)
    second: Cause | None = field(default=None, kw_only=True, repr=False)

    def __init_subclass__(cls) -> None:
        """Each kind is a frozen dataclass, and has its class's name in the words of the shell."""
        super().__init_subclass__()
        dataclass(frozen=True, repr=False)(cls)

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """What it may say of two runs that differ, for the rows to refute; the likelier first."""
        yield from ()

    @classmethod
    def since(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """What it may say of two runs that are the same before a step, or after it; the likelier first."""
        yield from ()

    @classmethod
    def of_equal(cls, pair: Pair) -> Self | None:
        """What it says of two runs with the same rates wherever both have rows; None for nothing."""
        return None

    @classmethod
    def offhand(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """A few claims that are worth taking off, so that the rest can be looked at by itself; the likelier first."""
        yield from ()

    @classmethod
    def taken_off(cls, pair: Pair) -> Iterator[tuple[Self, Pair]]:
        """Each of these with what is left to compare."""
        for claim in cls.offhand(pair):
            if (rest := pair.without(claim)) is not None:
                yield claim.cause, rest

    @abstractmethod
    def sentence(self, scene: Scene) -> str:
        """What happened, for somebody who has never heard of it: with numbers, units and the names of the sides."""

    def fix(self, scene: Scene) -> Fix:
        """What to write, for the side that is the likelier one to be wrong: by default, the schedule of the other."""
        return scene.given("b", lambda side: f"give {side} the schedule of {other(side)}")

    def rank(self) -> int:
        """0 for its place in the order of causes; less where it is simpler than any other."""
        return 0

    def settled(self, pair: Pair) -> Self:
        """The same with what only the claim that holds is asked for."""
        return self

    def undone_by(self, other: Cause) -> bool:
        """Whether another cause takes it back, so that both together say nothing."""
        return False

    def one_ahead(self, a: Rates, b: Rates, ulp: float) -> Side | None:
        """The side that may be one step ahead in all that it has, by what its log counts from or when it was read."""
        return None

    @property
    def parameters(self) -> dict[str, Any]:
        """Its own fields by name, as the JSON has them, without those that are None."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.repr}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def title(self) -> str:
        """Its name for a table, with what tells its kinds apart."""
        return self.name

    @property
    def label(self) -> str:
        """Its title, with the name of the second."""
        return self.title + (f" and {self.second.name}" if self.second else "")

    @property
    def names(self) -> list[str]:
        """Its name, and that of the second, each once."""
        return list(dict.fromkeys([self.name, *(self.second.names if self.second else [])]))

    @property
    def more(self) -> str:
        """Where to read on: a call, as typed in a shell."""
        return f"More on this: samestep why {' '.join(self.names)}"

    def sentences(self, scene: Scene) -> str:
        """Its sentence, and that of the second."""
        if self.second is None:
            return self.sentence(scene)
        return f"Two causes at once. {self.sentence(scene)} Also: {self.second.sentence(scene)}"

    def fixes(self, scene: Scene) -> Fix:
        """Its fix, or for two causes the whole schedule of the other side: two fixes may undo each other."""
        if self.second is None:
            return self.fix(scene)
        if not scene.following(scene.to_change("b")):
            return self.fix(scene).and_then(self.second.fix(scene))
        in_loop: Stepping | None = "step" if self.moves_clock or self.second.moves_clock else None
        return scene.given("b", lambda side: f"give {side} the whole schedule of {other(side)}", in_loop)

    def __repr__(self) -> str:
        given = [each.name for each in fields(self) if each.repr]
        shown = {name: value for name in (*given, "second") if (value := getattr(self, name)) is not None}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"
