"""Text with commas and brackets, as a person writes values in one line."""

from __future__ import annotations

DEEPEST = 10
"""Brackets within one another at most."""


def parts(text: str) -> list[str]:
    """The text between the commas that are in no bracket.

    Raises:
        ValueError: Brackets that do not match, or are nested too deeply.

    Example:
        >>> parts("a=1,b=[2,3],c=(d,e)")
        ['a=1', 'b=[2,3]', 'c=(d,e)']
    """
    found, depth, begin = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth < 0:
            break
        if depth > DEEPEST:
            raise ValueError("no schedule: nested too deeply.")
        if letter == "," and depth == 0:
            found.append(text[begin:place])
            begin = place + 1
    if depth:
        raise ValueError(f"the brackets in {text[:60]!r} do not match. Close each one.")
    return [each for each in (*found, text[begin:]) if each.strip()]
