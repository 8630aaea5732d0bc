"""Words of which the whole house has one: a side, a verdict, a framework's language."""

from __future__ import annotations

from typing import Literal

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")

Verdict = Literal["same", "differs", "inconclusive"]

Language = Literal["Keras", "PyTorch"]
LANGUAGES: dict[str, Language] = {
    "tensorflow": "Keras",
    "keras": "Keras",
    "torch": "PyTorch",
    "lightning": "PyTorch",
    "hugging-face": "PyTorch",
}
"""The framework to write code for, by what the trace's column `framework` says. Of other logs it is not known."""


def other(side: Side) -> Side:
    """The side that is not this one."""
    return "b" if side == "a" else "a"
