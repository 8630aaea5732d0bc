"""Every cause that a difference can have, each in a file of its own: claims, sentence, fix, and a page as docstring."""

from __future__ import annotations

from .. import pages
from .base import Cause
from .counter import Counter
from .extra_decay import ExtraDecay
from .factor import Factor
from .family import Family
from .floor import Floor
from .gaps import Gaps
from .identical import Identical
from .length import Length
from .never_falls import NeverFalls
from .parameters import Parameters
from .period import Period
from .reset import Reset
from .rounding import Rounding
from .scale import Scale
from .shift import Shift
from .skipped import Skipped
from .staircase import Staircase
from .tail import Tail
from .unexplained import Unexplained
from .warmup import Warmup

CAUSES: tuple[type[Cause], ...] = (
    Identical,
    Rounding,
    Length,
    Gaps,
    Shift,
    Counter,
    Scale,
    Staircase,
    Factor,
    Period,
    Floor,
    Parameters,
    Warmup,
    NeverFalls,
    Skipped,
    Reset,
    ExtraDecay,
    Tail,
    Family,
    Unexplained,
)
"""All of them, the simplest first. The order is behaviour: of two that the rows allow, the first is named."""


def named(name: str) -> type[Cause]:
    """The cause of this name. Raises CompareError, with all names, for another."""
    return pages.named(name, CAUSES, "cause")


def page(name: str) -> str:
    """The page of a cause as plain text. Raises CompareError, with all names, for what is none."""
    return named(name).page()
