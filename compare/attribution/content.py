"""What the report of a ladder says, as plain values: the templates only lay it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compare.attribution import figures
from compare.attribution.ladder import Ladder, Rung
from compare.attribution.words import (
    number,
    residual_sentence,
    rung_sentence,
    share,
    until_sentence,
    verdict,
    verdict_sentence,
)
from compare.show.picture import Picture
from compare.training.content import setting
from experiment.frameworks import LABELS
from experiment.plan import FRAMEWORKS, Plan
from experiment.schedules.text import to_short


def content(ladder: Ladder, advice: Sequence[Any], versions: Mapping[str, str]) -> dict[str, Any]:
    """All values that the templates use.

    advice : objects with `difference`, `sentence` and `code`. versions : of all that took part.
    """
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
        "pictures": {picture.name: picture for picture in _pictures(ladder)},
        "settings": _settings(ladder),
        "versions": versions,
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


def _pictures(ladder: Ladder) -> list[Picture]:
    falls = "; ".join(f"{rung.name} {number(rung.gap.max_relative)}" for rung in ladder.rungs)
    bound = number(ladder.bound)
    return [
        Picture(
            "waterfall",
            figures.waterfall(ladder),
            f"What is left of the gap after each rung, on a logarithmic axis: {falls}. The residual is "
            f"{verdict(ladder)}; rounding makes up to {bound}.",
            "Each bar goes from what the rung before had left to what is left now; the numbers say how much that is. "
            "Diamonds show what the difference makes in a pair that has no other.",
        ),
        Picture(
            "gaps",
            figures.gaps(ladder),
            f"Relative difference of the batch losses against step, one line for each rung, on a logarithmic axis. "
            f"The largest of each: {falls}.",
            "How far the losses of the two frameworks lie apart, the largest in each bin of steps. No line is drawn "
            "where they are equal. Faint vertical lines are epoch boundaries.",
        ),
    ]


def _settings(ladder: Ladder) -> list[tuple[str, str]]:
    """What was trained, for both at once where it is the same."""
    plans = ladder.experiment.plans
    if plans["tensorflow"] == plans["torch"]:
        return [("both", _trained(ladder.experiment.plan))]
    return [(LABELS[each], _trained(plans[each])) for each in FRAMEWORKS]


def _trained(plan: Plan) -> str:
    (arm,) = plan.arms
    return f"Arm {arm.name}: {to_short(arm.schedule)}, looked up once per {arm.stepping}. {setting(plan)}"
