"""The words of other programs for a schedule: one file for each program, and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules.dialects.base import Dialect, Read, Words, check_names, of_text
from samestep.experiment.schedules.dialects.deepspeed import DEEPSPEED
from samestep.experiment.schedules.dialects.optax import OPTAX
from samestep.experiment.schedules.dialects.timm import TIMM
from samestep.experiment.schedules.dialects.transformers import TRANSFORMERS
from samestep.experiment.validation import describe, strict_json

DIALECTS: Mapping[str, Dialect] = {each.name: each for each in (TRANSFORMERS, DEEPSPEED, TIMM, OPTAX)}
"""Every dialect by its name."""

FUNCTIONS: Mapping[str, Dialect] = {name: each for each in DIALECTS.values() for name in each.functions}
"""The dialect of each function that makes a schedule, by the function's name."""

YAML = (".yaml", ".yml")
"""How the name of a file of YAML ends."""


def dialect_of(values: Any) -> Dialect | None:
    """The dialect that values are in, or None."""
    if not isinstance(values, Mapping):
        return None
    return next((each for each in DIALECTS.values() if each.is_written(values)), None)


def named(text: str) -> tuple[Dialect, str] | None:
    """The dialect that a text begins with, and what follows its colon; or None.

    >>> dialect, words = named("timm:sched=cosine,lr=0.1")
    >>> dialect.name, words
    ('timm', 'sched=cosine,lr=0.1')
    """
    name, colon, rest = text.partition(":")
    dialect = DIALECTS.get(name.strip())
    return (dialect, rest.strip()) if dialect is not None and colon else None


def read_named(dialect: Dialect, text: str, stepping: Stepping, clock: Clock | None) -> Read:
    """Read what follows a dialect's colon: JSON, flags, or pairs.

    Raises:
        ValueError: It says no schedule; the message is one line.
    """
    if not text:
        raise ValueError(f"nothing follows {dialect.name}:. Write {dialect.name}:{dialect.example}")
    try:
        if text.startswith("{"):
            values = strict_json(text, f"what {dialect.name} takes")
        else:
            values = of_text(text)
            check_names(values if dialect.names else (), dialect.names, is_all=not text.startswith("-"))
    except ValueError as error:
        raise ValueError(f"{dialect.name}: {error}") from None
    return read_values(dialect, values, stepping, clock)


def read_values(dialect: Dialect, values: Mapping[str, Any], stepping: Stepping, clock: Clock | None) -> Read:
    """Read values in a dialect's words.

    Raises:
        ValueError: They say no schedule; the message is one line.
    """
    try:
        return dialect.read(Words(values, stepping, clock))
    except ValidationError as error:
        raise ValueError(f"{dialect.name}: {describe(error)}") from None
    except ArithmeticError:
        raise ValueError(f"{dialect.name}: its numbers give no rates. Write others.") from None
    except ValueError as error:
        raise ValueError(f"{dialect.name}: {error}") from None


def of_yaml(text: str) -> Any:
    """The values of YAML: plain ones, no tags.

    Raises:
        ValueError: It is no YAML, has tags, or there is no PyYAML to read it with.
    """
    try:
        import yaml
    except ImportError:
        raise ValueError("PyYAML is not installed, which reads YAML. Run: pip install pyyaml") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        problem = str(getattr(error, "problem", None) or "it can't be read")[:80]
        raise ValueError(f"not plain YAML{place}: {problem}. Write plain values, without tags.") from None
    except RecursionError:
        raise ValueError("nested too deeply. Write it flatter.") from None


def is_yaml(name: str) -> bool:
    """Whether a file is YAML by its name."""
    return Path(name).suffix in YAML


__all__ = [
    "DIALECTS",
    "FUNCTIONS",
    "Dialect",
    "dialect_of",
    "is_yaml",
    "named",
    "of_yaml",
    "read_named",
    "read_values",
]
