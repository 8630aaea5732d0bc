"""How a plan's parts are checked, and how a mistake in one is told in a line."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator


class PlanError(ValueError):
    """A plan that cannot be run; the message is one line that says what to write instead."""


class Model(BaseModel):
    """A part of a plan: immutable, without unknown keys, without silent conversions."""

    # defer_build: what a command does not use costs it nothing
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

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


def strict_json(text: str, what: str) -> Any:
    """JSON text as values. Raises PlanError with one line; `what` is what should have been there, like ``a plan``."""
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        raise PlanError(f"no JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    except PlanError:
        raise
    except ValueError:  # a number of more digits than Python converts
        raise PlanError("no JSON: a number of thousands of digits. Write shorter ones.") from None
    except RecursionError:
        raise PlanError(f"no {what.split()[-1]}: nested too deeply.") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise PlanError(f"the key {twice!r} is there twice. Keep one.")
    return data


def describe(error: ValidationError) -> str:
    """The first mistake of a validation as one line: where, what was received, what to write."""
    mistakes = error.errors()
    first = mistakes[0]
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    if first["type"] == "recursion_loop" or len(first["loc"]) > 60:
        return "nested too deeply. Write it flatter."
    place = _place(first["loc"])
    return f"{place + ': ' if place else ''}{_sentence(first)}{more}"


def _place(location: tuple[int | str, ...]) -> str:
    """``('arms', 1, 'schedule', 'exponential', 'every')`` as ``arms[1].schedule.every``."""
    place = ""
    kind_next = False
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
            continue  # what follows schedules[0] is still its kind
        if not kind_next:
            place += f".{part}" if place else part
        kind_next = not kind_next and part in _HAVE_A_KIND
    return place


_HAVE_A_KIND = ("schedule", "optimizer", "data", "then", "schedules")
"""Keys whose value has a kind, which pydantic puts into the place of a mistake."""


_ADVICE = {
    "bool_type": "Write true or false.",
    "finite_number": "Write a number.",
    "float_type": "Write a number.",
    "greater_than": "Write a number above {gt}.",
    "greater_than_equal": "Write a number of at least {ge}.",
    "int_from_float": "Write a whole number.",
    "int_type": "Write a whole number.",
    "less_than": "Write a number below {lt}.",
    "less_than_equal": "Write a number of at most {le}.",
    "literal_error": "Write {expected}.",
    "model_attributes_type": "Write an object in {{ }}.",
    "model_type": "Write an object in {{ }}.",
    "string_pattern_mismatch": "Write it without control characters.",
    "string_too_short": "Write at least one character.",
    "string_type": "Write text in quotes.",
    "too_short": "Write at least {min_length}.",
    "tuple_type": "Write a list in [ ].",
    "union_tag_invalid": "Write as its kind {expected_tags}.",
    "union_tag_not_found": "Write its 'kind' as well.",
}
"""What to write instead, by pydantic's name of the mistake."""


def _sentence(mistake: Any) -> str:
    limits = mistake.get("ctx", {})
    if mistake["type"] == "value_error":  # raised by our own code, which has said it all
        return str(limits["error"])
    received = repr(limits["tag"] if mistake["type"] == "union_tag_invalid" else mistake["input"])
    received = received if len(received) <= 60 else received[:57] + "..."
    advice = _ADVICE.get(mistake["type"])
    return f"got {received}. {advice.format(**limits) if advice else mistake['msg'] + '.'}"
