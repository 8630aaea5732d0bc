"""The loops around a line of code, as the source is now."""

from __future__ import annotations

import ast
from pathlib import Path

from .scene import Where


def can_be_left(place: Where) -> bool | None:
    """Whether the loops around a line can be left by a `break`, a `return` or an exit; None where that is not known."""
    try:
        tree = ast.parse(Path(place.file).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.For | ast.While) and node.lineno <= place.line <= (node.end_lineno or node.lineno)
    ]
    if not around:
        return None
    leaves = (ast.Break, ast.Return, ast.Raise)
    inside = (node for loop in around for node in ast.walk(loop))
    return any(isinstance(each, ast.While) for each in around) or any(
        isinstance(node, leaves) or _exits(node) for node in inside
    )


def _exits(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in ("exit", "_exit", "quit")
