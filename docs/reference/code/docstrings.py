"""What a module's docstrings say, as HTML: read from the modules themselves, so that it is what the code says."""

from __future__ import annotations

import enum
import html
import importlib
import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

CODE = '<code class="docutils literal notranslate">'
LABEL = re.compile(r"^(?P<names>[a-z_0-9]+(?:, [a-z_0-9]+)*) : ")
NEXT = re.compile(r"(?<=\.) (?=[a-z_0-9]+(?:, [a-z_0-9]+)* : )")
"""Where another argument begins on the same line."""


def of(module: str, *names: str) -> str:
    """The names of a module, or all that are public: a definition list."""
    found = importlib.import_module(module)
    return _listed(module, [(name, getattr(found, name)) for name in names or _public(found)])


def said(module: str) -> str:
    """What a module says of itself."""
    return _paragraphs(importlib.import_module(module).__doc__ or "")


def _public(module: ModuleType) -> list[str]:
    if hasattr(module, "__all__"):
        return [name for name in module.__all__ if _documented(getattr(module, name))]
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__ and _documented(value)
    ]


def _documented(value: Any) -> bool:
    return (inspect.isclass(value) or inspect.isfunction(value)) and bool(value.__doc__)


def _listed(inside: str, entries: list[tuple[str, Any]]) -> str:
    told = []
    for name, value in entries:
        parts = list(_members(f"{inside}.{name}", value)) if inspect.isclass(value) else []
        told.append(
            f'<dt id="{inside}.{name}"><b>{name}</b>{html.escape(_signature(value))}</dt>'
            f"<dd>{_paragraphs(inspect.getdoc(value) or '')}{_definitions(parts)}</dd>"
        )
    return _definitions(told)


def _definitions(parts: list[str]) -> str:
    return f'<dl class="api">{"".join(parts)}</dl>' if parts else ""


def _members(inside: str, kind: type) -> Iterator[str]:
    """The public methods and properties that a class has by itself, not by what it inherits from."""
    if issubclass(kind, enum.Enum):
        return
    for name, value in list(vars(kind).items()):
        call = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        asked = isinstance(call, property) or hasattr(call, "func")  # cached_property
        if name.startswith("_") or not (asked or inspect.isfunction(call)) or not call.__doc__:
            continue
        signature = "" if asked else _signature(call)
        yield (
            f'<dt id="{inside}.{name}">.<b>{name}</b>{html.escape(signature)}</dt>'
            f"<dd>{_paragraphs(inspect.getdoc(call) or '')}</dd>"
        )


def _signature(value: Any) -> str:
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    kept = [each for name, each in found.parameters.items() if name not in ("self", "cls")]
    plain = found.replace(parameters=[each.replace(annotation=inspect.Parameter.empty) for each in kept])
    return str(plain.replace(return_annotation=inspect.Signature.empty))


def _paragraphs(text: str) -> str:
    """Plain text with backticks: paragraphs, a line for each argument, and examples as code."""
    told = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        lines = block.splitlines()
        if lines and (lines[0].startswith(">>>") or all(line.startswith("    ") for line in lines)):
            told.append(f'<div class="highlight"><pre>{html.escape(inspect.cleandoc(block))}</pre></div>')
            continue
        for line in _joined(lines):
            words = html.escape(line, quote=False)
            words = re.sub(r"``(.+?)``|`(.+?)`", lambda found: f"{CODE}{found[1] or found[2]}</code>", words)
            words = LABEL.sub(lambda found: f"{CODE}{found['names']}</code>: ", words)
            told.append(f"<p>{words}</p>")
    return "".join(told)


def _joined(lines: list[str]) -> list[str]:
    """Lines that belong together as one: all but those that begin an argument, what is returned or raised."""
    told: list[str] = []
    for line in lines:
        if not told or LABEL.match(line) or line.startswith(("Returns ", "Raises ", "Yields ", "Source: ")):
            told.append(line.strip())
        else:
            told[-1] += f" {line.strip()}"
    return [part for line in told for part in NEXT.split(line)]
