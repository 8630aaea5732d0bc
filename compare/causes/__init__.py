"""Every cause that a difference can have, each in a file of its own: claims, sentence, fix, and a page as docstring."""

from __future__ import annotations

from textwrap import indent

from compare.causes.base import Cause
from compare.causes.counter import Counter
from compare.causes.extra_decay import ExtraDecay
from compare.causes.factor import Factor
from compare.causes.family import Family
from compare.causes.floor import Floor
from compare.causes.gaps import Gaps
from compare.causes.identical import Identical
from compare.causes.length import Length
from compare.causes.period import Period
from compare.causes.reset import Reset
from compare.causes.rounding import Rounding
from compare.causes.scale import Scale
from compare.causes.shift import Shift
from compare.causes.staircase import Staircase
from compare.causes.tail import Tail
from compare.causes.unexplained import Unexplained
from compare.causes.warmup import Warmup
from compare.terms import CompareError

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
    Warmup,
    Reset,
    ExtraDecay,
    Tail,
    Family,
    Unexplained,
)
"""All of them, the simplest first. The order is behaviour: of two that the rows allow, the first is named."""


def named(name: str) -> type[Cause]:
    """The cause of this name. Raises CompareError, with all names, for another."""
    for cause in CAUSES:
        if cause.name == name:
            return cause
    raise CompareError(f"There is no cause {name!r}. Write one of {', '.join(cause.name for cause in CAUSES)}.")


def page(name: str) -> str:
    """The page of a cause as plain text. Raises CompareError, with all names, for what is none."""
    cause = named(name)
    parts = (f"{heading}:\n{indent(text, '  ')}" for heading, text in cause.sections().items())
    return "\n\n".join([f"{name}: {cause.meaning()}", *parts])
