"""A comparison as JSON values: what `samestep compare --json` writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from compare.align.losses import Losses
from compare.align.reduction_words import Reduction
from compare.causes.base import Cause
from compare.comparison import Compared, Comparison
from compare.infer import Inferred
from compare.runs import Run
from compare.sides import Side
from experiment.schedules.text import to_short


def to_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison; at the top level the pair with the worst verdict, under `pairs` all of them."""
    worst = comparison.worst
    return {
        "schema": 1,
        **_pair(comparison, worst),
        "a": _side(comparison.a, worst.a, worst.diagnosis.inferred_a),
        "b": _side(comparison.b, worst.b, worst.diagnosis.inferred_b),
        "clock": None
        if comparison.clock is None
        else {**asdict(comparison.clock), "steps_per_epoch": comparison.clock.steps_per_epoch},
        "notes": list(comparison.notes),
        "pairs": [_pair(comparison, pair) for pair in comparison.pairs],
    }


def _pair(comparison: Comparison, pair: Compared) -> dict[str, Any]:
    found = pair.diagnosis
    return {
        "name": pair.name,
        "verdict": pair.verdict,
        "rows": {"a": len(pair.a.rates), "b": len(pair.b.rates), "compared": found.compared},
        "tolerance": {"ulp32": found.ulp32, "drift_per_decay": found.drift_per_decay},
        "max": {"ulp32": found.max_ulp32, "relative": found.max_relative},
        "first_difference": _first(comparison, pair),
        "cause": {
            **_cause(found.cause),
            "sentence": pair.sentence,
            "fix": str(pair.fix),
            "fix_code": dict(pair.fix.code),
        },
        "also_possible": [{**_cause(cause), "sentence": said} for cause, said in pair.also],
        "doubt": pair.doubt,
        "losses": _losses(pair.losses),
    }


def _first(comparison: Comparison, pair: Compared) -> dict[str, Any] | None:
    first = pair.diagnosis.first_difference
    if first is None:
        return None
    place = comparison.place(first.step)
    return {
        "step": first.step,
        "epoch": None if place is None else place.epoch,
        "batch": None if place is None else place.batch,
        "a": first.a,
        "b": first.b,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    """`reading` and `factor` are there whatever the cause, null where it has none."""
    parameters: Mapping[str, Any] = {"reading": None, "factor": None} | cause.parameters
    second = {} if cause.second is None else {"second": _cause(cause.second)}
    return {"name": cause.name, **parameters, "residual_ulp32": cause.residual_ulp32, **second}


def _side(side: Side, run: Run, inferred: Inferred | None) -> dict[str, Any]:
    return {
        "name": side.given,
        "format": side.format,
        "framework": run.key.framework or None,
        "arm": run.key.arm,
        "seed": run.key.seed,
        "conventions": dict(side.conventions),
        "assumed": list(side.assumed),
        "notes": [*side.notes, *run.notes],
        "inferred": None if inferred is None else to_short(inferred.schedule),
        "stepping": None if inferred is None else inferred.stepping,
    }


def _losses(losses: Losses) -> dict[str, Any]:
    first = losses.first_difference
    return {
        "compared": losses.compared,
        "agree": losses.agree if losses.compared else None,
        "verdict": losses.verdict,
        "max_relative": losses.max_relative if losses.compared else None,
        "tolerance": losses.tolerance,
        "first_difference": None if first is None else {"step": first[0], "a": first[1], "b": first[2]},
        "note": losses.note,
        "reduction": None if losses.reduction is None else _reduction(losses.reduction, losses),
    }


def _reduction(reduction: Reduction, losses: Losses) -> dict[str, Any]:
    return {
        "name": reduction.name,
        "side": reduction.side,
        "over": reduction.over,
        "residual_relative": reduction.residual_relative,
        "rows": reduction.rows,
        "also": list(reduction.also),
        "sentence": reduction.sentence,
        "fix_code": dict(losses.instead),
    }
