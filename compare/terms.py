"""Terms that every room uses in one sense: a side, a verdict, and what cannot be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from samestep.experiment.frameworks import LANGUAGES as LANGUAGES
from samestep.experiment.frameworks import Language as Language

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")

Verdict = Literal["same", "differs", "inconclusive"]
WORST: tuple[Verdict, ...] = ("differs", "inconclusive", "same")
"""Every verdict, the one that decides first."""


class CompareError(ValueError):
    """What cannot be compared; the message is one or two lines that say what to do."""


def other(side: Side) -> Side:
    """The side that is not this one."""
    return "b" if side == "a" else "a"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that decides; `same` where there is none."""
    return min(verdicts, key=WORST.index, default="same")
