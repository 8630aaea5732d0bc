"""What the report of an attribution says, as plain values: the templates only lay it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from samestep.experiment.frameworks import LABELS
from samestep.experiment.plan import FRAMEWORKS, Plan
from samestep.experiment.schedules.text import to_short

from ..show.picture import Picture
from ..words import number, setting, share
from . import figures
from .advice import Advice
from .ladder import Ladder, Rung
from .words import residual_sentence, rung_sentence, until_sentence, verdict, verdict_sentence


def page(ladder: Ladder, advice: Sequence[Advice]) -> dict[str, Any]:
    """All values that the templates of the report use, except versions and pictures."""
    plan = ladder.experiment.plan
    return {
        "plan": plan.name,
        "arm": plan.arms[0].name,
        "verdict": verdict_sentence(ladder),
        "residual": residual_sentence(ladder),
        "is_explained": ladder.is_explained,
        "until": until_sentence(ladder),
        "rung_rows": [_row(rung) for rung in ladder.rungs],
        "sentences": [(rung.name, rung_sentence(ladder, rung)) for rung in ladder.rungs],
        "advice": advice,
        "reference": LABELS[ladder.experiment.reference],
        "mended": LABELS[ladder.experiment.mended],
        "settings": _settings(ladder),
    }


def _row(rung: Rung) -> dict[str, str]:
    first = rung.alone is None
    return {
        "taken away": "nothing yet: native" if first else rung.name,
        "left": number(rung.gap.max_relative),
        "left at the end": number(rung.gap.final_relative),
        "explains": "–" if first else share(rung.explains),
        "removes": "–" if first else share(rung.removes),
        "alone": "–" if rung.alone is None else number(rung.alone.max_relative),
        "alone at the end": "–" if rung.alone is None else number(rung.alone.final_relative),
    }


def pictures(ladder: Ladder) -> dict[str, Callable[[], Picture]]:
    """What draws each picture of the report."""
    falls = "; ".join(f"{rung.name} {number(rung.gap.max_relative)}" for rung in ladder.rungs)
    bound = number(ladder.bound)
    return {
        "waterfall": lambda: Picture(
            "waterfall",
            figures.waterfall(ladder),
            f"What is left of the gap after each rung, on a logarithmic axis: {falls}. The residual is "
            f"{verdict(ladder)}; rounding makes up to {bound}.",
            "Each bar goes from the gap that the previous rung left to the gap now; the numbers give that gap. "
            "Diamonds show what the difference makes in a pair that has no other.",
        ),
        "gaps": lambda: Picture(
            "gaps",
            figures.gaps(ladder),
            f"Relative difference of the batch losses against step, one line for each rung, on a logarithmic axis. "
            f"The largest of each: {falls}.",
            "The difference between the losses of both frameworks, the largest in each bin of steps. There is no line "
            "where they are equal. Faint vertical lines are epoch boundaries.",
        ),
    }


def _settings(ladder: Ladder) -> list[tuple[str, str]]:
    """What was trained, for both at once where it is the same."""
    plans = ladder.experiment.plans
    if plans["tensorflow"] == plans["torch"]:
        return [("both", _trained(ladder.experiment.plan))]
    return [(LABELS[each], _trained(plans[each])) for each in FRAMEWORKS]


def _trained(plan: Plan) -> str:
    (arm,) = plan.arms
    return f"Arm {arm.name}: {to_short(arm.schedule)}, looked up once per {arm.stepping}. {setting(plan)}"
