"""A comparison in words: the verdict, both sides, the first difference, the cause, the fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from samestep.experiment.schedules import KINDS

from ..diagnose.doubt import follows
from ..infer import Inferred
from ..runs.run import Run
from ..runs.side import Side
from ..show.result import aligned
from ..terms import Language
from ..words import at_place, counted, part, short

if TYPE_CHECKING:
    from .result import Compared, Comparison

AROUND = 3
"""Steps shown before and after the first difference."""

SINGULAR = {"same": "the same", "differs": "different", "inconclusive": "undecided"}


def verdict(comparison: Comparison, pair: Compared | None = None) -> str:
    """The verdict on a pair, or on the worst one, in a sentence."""
    pair = pair or comparison.worst
    found = pair.diagnosis
    if pair.verdict == "same":
        return f"a and b follow the same schedule: {_how(pair)}."
    if pair.doubt is not None:
        return f"Undecided whether a and b follow the same schedule: it depends on {pair.depends_on}."
    if pair.verdict == "inconclusive":
        return "Undecided whether a and b follow the same schedule."
    if found.first_difference is None:
        return "a and b have the same rates wherever both have rows, but not the same rows."
    return (
        f"a and b do not follow the same schedule: they first differ at {_at(comparison, found.first_difference.step)}."
    )


def _how(pair: Compared) -> str:
    """How exactly two rates are the same."""
    if pair.diagnosis.cause.is_exact:
        return "every rate has the same bits"
    return f"to {pair.digits}" if pair.digits else "to within rounding"


def lines(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """The whole comparison as paragraphs: each an indentation and a text, in order. An empty text separates sections.

    An indentation of ``|`` marks what must not be wrapped: tables and code.
    """
    pair = comparison.worst
    yield "", _verdict_of_all(comparison)
    if len(comparison.pairs) > 1:
        yield "", ""
        yield from (("|", row) for row in aligned(pair_rows(comparison)))
        yield "", ""
        yield "", f"{pair.name}: {verdict(comparison, pair)}"
    yield "", ""
    yield from (("", note) for note in comparison.notes)
    yield from _side_lines(comparison.a, pair.a, pair.diagnosis.inferred_a)
    yield from _side_lines(comparison.b, pair.b, pair.diagnosis.inferred_b)
    yield "", ""
    yield from _difference(comparison, pair)
    yield from _why(pair)
    if said := losses_sentence(pair):
        yield "", ""
        yield "", said
        yield from _coded(pair.losses.instead)


def _verdict_of_all(comparison: Comparison) -> str:
    if len(comparison.pairs) == 1:
        return verdict(comparison)
    counts = {name: sum(pair.verdict == name for pair in comparison.pairs) for name in SINGULAR}
    said = ", ".join(f"{count} {SINGULAR[name]}" for name, count in counts.items() if count)
    return f"{counted(len(comparison.pairs), 'pair')} of runs: {said}."


def pair_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """One row for each pair, below the headings."""
    rows: list[tuple[str, ...]] = [("pair", "verdict", "cause", "first difference", "largest, relative")]
    for pair in comparison.pairs:
        first = pair.diagnosis.first_difference
        at = "–" if first is None else _at(comparison, first.step)
        largest = f"{pair.diagnosis.max_relative:.2g}"
        rows.append((pair.name, pair.verdict, pair.diagnosis.cause.label, at, largest))
    return rows


def side_sentences(side: Side, run: Run, inferred: Inferred | None) -> list[str]:
    """What a side is: its name, format, rows and arm; what it follows; what was assumed and left out."""
    if side.schedule is not None:
        said = [f"{side.given}: a schedule, in {counted(len(run.rates), 'step')}"]
        if side.given.partition(":")[0] not in KINDS:  # code, JSON or a file
            said.append(f"is {short(side.schedule)}")
        return [*said, *(f"assumed: {each}" for each in side.assumed)]
    name = "" if side.given == side.format else f"{side.given}: "
    said = [f"{name}{run.said(side.format)}", follows(run, inferred)]
    return [*said, *(f"assumed: {each}" for each in side.assumed), *side.notes, *run.notes]


def _side_lines(side: Side, run: Run, inferred: Inferred | None) -> Iterator[tuple[str, str]]:
    first, *others = side_sentences(side, run, inferred)
    yield "", f"{side.name}: {first}"
    yield from (("   ", each) for each in others)


def _difference(comparison: Comparison, pair: Compared) -> Iterator[tuple[str, str]]:
    found = pair.diagnosis
    if found.first_difference is not None:
        yield "", f"The first difference is at {_at(comparison, found.first_difference.step)}:"
        yield from (("|", row) for row in aligned(rows_around(comparison, pair)))
    if found.compared:
        yield "", difference_sentence(pair)
        yield "", ""


def difference_sentence(pair: Compared) -> str:
    """The largest difference, and the tolerance as it was applied to the update that uses most of it."""
    found = pair.diagnosis
    rows, tolerance = counted(found.compared, "row"), found.tolerance
    if found.max_ulp32 == 0 or tolerance is None:
        return f"No rate differs in {rows} compared."
    where = f"at step {tolerance.step:,}: {tolerance.applied}"
    if found.first_difference is None:
        return f"In {rows} compared, the rates come closest to the tolerance {where}."
    return (
        f"The largest difference is {part(found.max_relative)}, in {rows} compared. The rates are furthest beyond the "
        f"tolerance {where}."
    )


def rows_around(comparison: Comparison, pair: Compared) -> list[tuple[str, ...]]:
    """The rows next to the first difference, side by side, below their headings; marked with > where they differ."""
    first = pair.diagnosis.first_difference
    assert first is not None
    shown: list[tuple[str, ...]] = [("", "step", "epoch", "batch", "a", "b")]
    for step in _steps_around(pair, first.step):
        place = comparison.place(step)
        counts = ("–", "–") if place is None else (f"{place.epoch:,}", f"{place.batch:,}")
        here = step == first.step
        rates = (first.a, first.b) if here else (_rate(pair.a, step), _rate(pair.b, step))
        cells = ("–" if rate is None else f"{rate:.9g}" for rate in rates)
        shown.append((">" if here else "", f"{step:,}", *counts, *cells))
    return shown


def _steps_around(pair: Compared, step: int) -> list[int]:
    near = []
    for run in (pair.a, pair.b):
        steps = run.rates.step
        row = int(np.searchsorted(steps, step))
        near.append(steps[max(row - AROUND, 0) : row + AROUND + 1])
    found = np.union1d(np.concatenate(near), [step])
    row = int(np.searchsorted(found, step))
    return [int(each) for each in found[max(row - AROUND, 0) : row + AROUND + 1]]


def _rate(run: Run, step: int) -> float | None:
    row = int(np.searchsorted(run.rates.step, step))
    there = row < len(run.rates) and run.rates.step[row] == step
    return float(run.rates.lr[row]) if there else None


def _why(pair: Compared) -> Iterator[tuple[str, str]]:
    yield "", f"Cause: {pair.sentence}"
    if pair.doubt:
        yield "", f"In doubt: {pair.doubt}"
    yield "", f"Fix: {pair.fix.advice}"
    yield from _coded(pair.fix.code)
    if pair.verdict != "same":
        yield "", pair.diagnosis.cause.more
    for cause, said in pair.also:
        yield "", f"It could also be: {cause.name}. {said}"


def _coded(code: Mapping[Language, str]) -> Iterator[tuple[str, str]]:
    """Code below the name of its framework."""
    for language, source in code.items():
        yield "  ", f"{language}:"
        yield from (("|", f"    {line}" if line else "") for line in source.splitlines())


def losses_sentence(pair: Compared) -> str | None:
    """Whether the losses agree, and if not, what one side's are of the other's; None where there are none to speak of.

    The code in `losses.instead` belongs below a sentence that ends in a colon.
    """
    losses = pair.losses
    if losses.reduction is not None:
        return f"{losses.reduction.sentence} To compare them, write for {losses.reduction.side}:"
    if not losses.compared:
        return f"Losses were not compared: {losses.note}." if "no losses" not in (losses.note or "") else None
    most = f"at most {losses.max_relative:.2g} relative apart in {counted(losses.compared, 'update')}"
    if losses.first_difference is None:
        return " ".join(filter(None, (f"The batch losses agree: {most}.", losses.note)))
    said = f"The batch losses first differ at step {losses.first_difference[0]:,}; they are {most}."
    if losses.note:
        return f"{said} {losses.note}"
    if pair.verdict != "same":
        return said
    return (
        f"{said} The rates agree, so the schedule is not the cause: data, order, initial weights, dropout or the "
        "optimizer is. `samestep attribute` measures how much each of these contributes."
    )


def page(comparison: Comparison) -> dict[str, Any]:
    """What the report says, as plain values; of several pairs the worst is shown, and all in a table."""
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
    }


def _headed(rows: list[tuple[str, ...]]) -> list[dict[str, str]]:
    """Rows below their headings, as the templates take them. A first column without a heading is left out."""
    headings, *others = rows
    marked = headings[0] == ""
    return [dict(zip(headings[marked:], row[marked:], strict=True)) for row in others]


def _at(comparison: Comparison, step: int) -> str:
    place = comparison.place(step)
    return f"step {step:,}" if place is None else at_place(place)
