"""What the report of a comparison says, as plain values: the templates only lay it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

import experiment
from compare import comparison_figures as figures
from compare.comparison import Compared, Comparison
from compare.comparison_text import (
    difference_sentence,
    losses_sentence,
    pair_rows,
    rows_around,
    side_sentences,
    verdict,
)
from compare.show.picture import Picture
from compare.words import part


def content(comparison: Comparison, table: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """All values that the templates use; of several pairs the worst is shown, and all in a table.

    table : the worst pair's, from `comparison_table`.
    """
    pair = comparison.worst
    found = pair.diagnosis
    return {
        "a": comparison.a.given,
        "b": comparison.b.given,
        "pair": pair.name if len(comparison.pairs) > 1 else None,
        "verdict": verdict(comparison),
        "sentence": pair.sentence,
        "doubt": pair.doubt,
        "evidence": difference_sentence(pair) if found.compared else None,
        "notes": comparison.notes,
        "pair_rows": _headed(pair_rows(comparison)) if len(comparison.pairs) > 1 else [],
        "sides": {
            "a": side_sentences(comparison.a, pair.a, found.inferred_a),
            "b": side_sentences(comparison.b, pair.b, found.inferred_b),
        },
        "rows_around": _headed(rows_around(comparison, pair)) if found.first_difference else [],
        "advice": pair.fix.advice,
        "code": dict(pair.fix.code),
        "more": found.cause.more,
        "also": [(cause.name, said) for cause, said in pair.also],
        "losses": losses_sentence(pair),
        "losses_code": dict(pair.losses.instead),
        "pictures": {picture.name: picture for picture in _pictures(comparison, pair, table)},
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of all that took part."""
    return {
        "samestep": experiment.__version__,
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "matplotlib": matplotlib.__version__,
    }


def _pictures(comparison: Comparison, pair: Compared, table: Mapping[str, np.ndarray]) -> list[Picture]:
    first = pair.diagnosis.first_difference
    step = None if first is None else first.step
    epochs = " Faint vertical lines are epoch boundaries." if comparison.clock else ""
    parts = "They are nowhere further apart than the tolerance" if step is None else f"They part at step {step:,}"
    largest = part(pair.diagnosis.max_relative)
    shown = [
        Picture(
            "rates",
            figures.rates(table, comparison.clock, step),
            f"Learning rate of a and b against step. {parts}.",
            f"The rate that each update used, a as a broad line and b as a dashed one.{epochs}",
        ),
        Picture(
            "differences",
            figures.differences(table, comparison.clock),
            f"Relative difference of both rates against step, on a logarithmic axis; at most {largest}.",
            f"How far the rates lie apart, relative to the larger one. No line is drawn where they are equal.{epochs}",
        ),
    ]
    if first is not None:
        shown.append(
            Picture(
                "first-difference",
                figures.first_difference(table, comparison.clock, first.step),
                f"The rates around step {first.step:,}: there a has {first.a:.6g} and b {first.b:.6g}.",
                f"The rows around the first difference, each with a mark.{epochs}",
            )
        )
    return shown


def _headed(rows: list[tuple[str, ...]]) -> list[dict[str, str]]:
    """Rows below their headings, as the templates take them. A first column without a heading is left out."""
    headings, *others = rows
    marked = headings[0] == ""
    return [dict(zip(headings[marked:], row[marked:], strict=True)) for row in others]
