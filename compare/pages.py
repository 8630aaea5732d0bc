"""What has its docstring for a page: a cause of a difference, a finding in a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from inspect import cleandoc
from textwrap import indent
from typing import ClassVar, TypeVar

from .terms import CompareError


class Paged:
    """A class whose docstring is its page, and whose name is its class's in the words of the shell."""

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """``ExtraDecay`` is called ``extra-decay``."""
        cls.name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def meaning(cls) -> str:
        """What it means, in a line for a table."""
        first = cls._page()[0]
        return first[0].lower() + first[1:].removesuffix(".")

    @classmethod
    def sections(cls) -> dict[str, str]:
        """The parts of its page by their headings."""
        parts = re.split(r"^(\S.*):$", "\n".join(cls._page()[1:]), flags=re.MULTILINE)[1:]
        return {heading: cleandoc(f"\n{text}") for heading, text in zip(parts[::2], parts[1::2], strict=True)}

    @classmethod
    def attributes(cls) -> dict[str, str]:
        """What each parameter means."""
        listed = re.split(r"^(\w+): ", cls.sections().get("Attributes", ""), flags=re.MULTILINE)[1:]
        return {name: " ".join(said.split()) for name, said in zip(listed[::2], listed[1::2], strict=True)}

    @classmethod
    def page(cls) -> str:
        """Its page as plain text."""
        parts = (f"{heading}:\n{indent(text, '  ')}" for heading, text in cls.sections().items())
        return "\n\n".join([f"{cls.name}: {cls.meaning()}", *parts])

    @classmethod
    def _page(cls) -> list[str]:
        return cleandoc(cls.__doc__ or "").splitlines()


_Kind = TypeVar("_Kind", bound=type[Paged])


def named(name: str, all_of_them: Sequence[_Kind], what: str) -> _Kind:
    """The one of this name. Raises CompareError, with all names, for another."""
    for each in all_of_them:
        if each.name == name:
            return each
    raise CompareError(f"There is no {what} {name!r}. Write one of {', '.join(each.name for each in all_of_them)}.")
