"""What `samestep attribute` gives back: the ladder, what to write, and how both are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from samestep.experiment.frameworks import BY_NAME, LABELS
from samestep.experiment.plan import FRAMEWORKS, Plan
from samestep.experiment.trace import write_csv, write_json

from ..show.folder import MANIFEST
from ..show.manifest import DRAWS, machine, versions
from ..show.picture import Picture
from ..show.result import Result
from ..words import number, share
from . import figures, words
from .advice import Advice, advice
from .ladder import Gap, Ladder, Rung

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Attribution(Result):
    """What the gap between two runs is made of.

    Attributes:
        ladder: The gap that each step leaves.
        advice: What to write so that the differences that mattered are gone.
    """

    ladder: Ladder
    advice: tuple[Advice, ...]

    report = "attribution/report"

    @classmethod
    def of(cls, ladder: Ladder) -> Attribution:
        """With the advice that follows from a ladder."""
        return cls(ladder, advice(ladder))

    @property
    def verdict(self) -> words.Verdict:
        """What is left at the top: ``rounding``, or ``unexplained``."""
        return words.verdict(self.ladder)

    @property
    def table(self) -> pd.DataFrame:
        """One row for each rung."""
        import pandas as pd

        return pd.DataFrame(to_table(self.ladder))

    def lines(self) -> Iterator[tuple[str, str]]:
        """A row for each rung, what is left at the top, and what to write."""
        return words.lines(self.ladder, self.advice)

    def to_json(self) -> dict[str, Any]:
        """The ladder as JSON values."""
        plan = self.ladder.experiment.plan
        return {
            "schema": 1,
            "plan": plan.name,
            "arm": plan.arms[0].name,
            "seed": plan.seeds[0],
            "precision": plan.precision,
            "mended": self.ladder.experiment.mended,
            **{name: getattr(self.ladder, name) for name in ("updates", "until", "bound")},
            "rungs": [
                {
                    **_row(rung),
                    "alone": None if rung.alone is None else _gap(rung.alone),
                    "sentence": words.rung_sentence(self.ladder, rung),
                }
                for rung in self.ladder.rungs
            ],
            "residual": {
                **_gap(self.ladder.residual),
                "verdict": words.verdict(self.ladder),
                "sentence": words.residual_sentence(self.ladder),
            },
            "advice": [asdict(each) for each in self.advice],
        }

    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """The gap that each rung leaves, and the gaps over the run."""
        falls = "; ".join(f"{rung.name} {number(rung.gap.max_relative)}" for rung in self.ladder.rungs)
        return {
            "waterfall": lambda: Picture(
                "waterfall",
                figures.waterfall(self.ladder),
                f"What is left of the gap after each rung, on a logarithmic axis: {falls}. The residual is "
                f"{self.verdict}; rounding makes up to {number(self.ladder.bound)}.",
                "Each bar goes from the gap that the previous rung left to the gap now; the numbers give that gap. "
                "Diamonds show what the difference makes in a pair that has no other.",
            ),
            "gaps": lambda: Picture(
                "gaps",
                figures.gaps(self.ladder),
                f"Relative difference of the batch losses against step, one line for each rung, on a logarithmic axis. "
                f"The largest of each: {falls}.",
                "The difference between the losses of both frameworks, the largest in each bin of steps. There is no "
                "line where they are equal. Faint vertical lines are epoch boundaries.",
            ),
        }

    def page(self) -> dict[str, Any]:
        """What the report says, as plain values: the templates only lay it out."""
        ladder, experiment = self.ladder, self.ladder.experiment
        return {
            "plan": experiment.plan.name,
            "arm": experiment.plan.arms[0].name,
            "verdict": words.verdict_sentence(ladder),
            "residual": words.residual_sentence(ladder),
            "is_explained": ladder.is_explained,
            "until": words.until_sentence(ladder),
            "rung_rows": [_cells(rung) for rung in ladder.rungs],
            "sentences": [(rung.name, words.rung_sentence(ladder, rung)) for rung in ladder.rungs],
            "advice": self.advice,
            "reference": LABELS[experiment.reference],
            "mended": LABELS[experiment.mended],
            "settings": [(LABELS.get(each, each), words.trained(plan)) for each, plan in _plans(ladder).items()],
            "versions": self._versions(),
        }

    def write_tables(self, folder: Path) -> None:
        """Write the ladder, the gaps over the run, the plans and the manifest."""
        write_json(folder / "attribution.json", self.to_json())
        write_csv(folder / "attribution.csv", to_table(self.ladder))
        write_csv(folder / "gaps.csv", gaps_table(self.ladder))
        write_json(folder / MANIFEST, self._manifest())
        for each, plan in _plans(self.ladder).items():
            name = "plan.json" if each == "both" else f"plan-{each}.json"
            (folder / name).write_text(plan.to_json(), encoding="utf-8")

    def _manifest(self) -> dict[str, Any]:
        """How the ladder came about: what was trained on either side, and with what."""
        experiment = self.ladder.experiment
        return {
            "schema": 1,
            "plans": {each: experiment.plans[each].model_dump(mode="json", by_alias=True) for each in FRAMEWORKS},
            "precision": experiment.plan.precision,
            "mended": experiment.mended,
            "versions": self._versions(),
            "machine": machine(),
        }

    def _versions(self) -> dict[str, str]:
        plans = self.ladder.experiment.plans
        return versions(*DRAWS, *(each for framework in plans for each in BY_NAME[framework].distributions))


def to_table(ladder: Ladder) -> dict[str, np.ndarray]:
    """One row for each rung: text and float64 columns of one length; an object column with None where nothing is."""
    rows = [{**_row(rung), **_gap(rung.alone, "alone_")} for rung in ladder.rungs]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def gaps_table(ladder: Ladder) -> dict[str, np.ndarray]:
    """One row for each update that is compared: `step`, and the relative difference of the losses after each rung."""
    return {"step": np.arange(ladder.until), **{rung.name: rung.gap.curve for rung in ladder.rungs}}


def _row(rung: Rung) -> dict[str, Any]:
    """A rung in the table and in JSON, without what it makes alone."""
    parts = {"explains": rung.explains, "removes": rung.removes}
    return {"name": rung.name, "kind": rung.kind, **_gap(rung.gap), **parts}


def _gap(gap: Gap | None, prefix: str = "") -> dict[str, float | None]:
    return {f"{prefix}{name}": getattr(gap, name, None) for name in ("max_relative", "final_relative")}


def _cells(rung: Rung) -> dict[str, str]:
    """A rung in the table of the report."""
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


def _plans(ladder: Ladder) -> dict[str, Plan]:
    """One plan for both, or that of each framework where they are not the same."""
    plans = ladder.experiment.plans
    same = plans["tensorflow"] == plans["torch"]
    return {"both": ladder.experiment.plan} if same else {each: plans[each] for each in FRAMEWORKS}
