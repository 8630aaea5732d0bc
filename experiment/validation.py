"""How a plan's parts are checked, and how a mistake in one is told in a line."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator


class PlanError(ValueError):
    """A plan that cannot be run; the message is one line that says what to write instead."""


class Model(BaseModel):
    """A part of a plan: immutable, without unknown keys, without silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _keys_are_known_and_complete(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in data:
            if key not in known and key not in cls.model_fields:
                close = difflib.get_close_matches(str(key), known, n=1)
                hint = f"Did you mean {close[0]!r}?" if close else f"Known here: {', '.join(known)}."
                raise ValueError(f"{str(key)[:60]!r} is not a key. {hint}")
        for name, field in cls.model_fields.items():
            if field.is_required() and name not in data and (field.alias or name) not in data:
                raise ValueError(f"the key {field.alias or name!r} is missing.")
        return data


def describe(error: ValidationError) -> str:
    """The first mistake of a validation as one line: where, what was received, what to write."""
    mistakes = error.errors()
    first = mistakes[0]
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    place = _place(first["loc"])
    return f"{place + ': ' if place else ''}{_sentence(first)}{more}"


def _place(location: tuple[int | str, ...]) -> str:
    """``('arms', 1, 'schedule', 'exponential', 'every')`` as ``arms[1].schedule.every``."""
    place = ""
    previous: int | str = ""
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
        elif previous not in ("schedule", "optimizer", "data"):  # what follows these is the kind
            place += f".{part}" if place else part
        previous = part
    return place


def _sentence(mistake: Any) -> str:
    received = repr(mistake["input"])
    received = received if len(received) <= 60 else received[:57] + "..."
    limits = mistake.get("ctx", {})
    match mistake["type"]:
        case "value_error":
            return str(limits["error"])
        case "int_type" | "int_from_float":
            return f"got {received}. Write a whole number."
        case "float_type" | "finite_number":
            return f"got {received}. Write a number."
        case "bool_type":
            return f"got {received}. Write true or false."
        case "string_type":
            return f"got {received}. Write text in quotes."
        case "greater_than_equal":
            return f"got {received}. Write a number of at least {limits['ge']:g}."
        case "greater_than":
            return f"got {received}. Write a number above {limits['gt']:g}."
        case "less_than_equal":
            return f"got {received}. Write a number of at most {limits['le']:g}."
        case "less_than":
            return f"got {received}. Write a number below {limits['lt']:g}."
        case "literal_error":
            return f"got {received}. Write {limits['expected']}."
        case "union_tag_invalid":
            return f"kind: got {limits['tag']!r}. Write {limits['expected_tags']}."
        case "union_tag_not_found":
            return "the key 'kind' is missing."
        case "tuple_type":
            return f"got {received}. Write a list in [ ]."
        case "model_attributes_type" | "model_type":
            return f"got {received}. Write an object in {{ }}."
        case "too_short":
            return f"got {received}. Write at least {limits['min_length']}."
        case _:
            return f"got {received}. {mistake['msg']}."
