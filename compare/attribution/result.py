"""The files of a ladder: JSON, tables, figures and the report."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from compare.attribution.content import content
from compare.attribution.ladder import Gap, Ladder
from compare.attribution.words import residual_sentence, rung_sentence, verdict
from compare.show import page as render
from compare.show.folder import MANIFEST
from compare.training.result import write_figures
from experiment.frameworks import BY_NAME
from experiment.plan import FRAMEWORKS
from experiment.trace import write_csv, write_json

_WITH = ("samestep", "numpy", "pandas", "matplotlib")


class Advice(Protocol):
    """What a porter is to write because of one difference."""

    @property
    def difference(self) -> str:
        """Its name."""

    @property
    def sentence(self) -> str:
        """What to do, and why."""

    @property
    def code(self) -> str:
        """How to write it in the mended framework; empty where there is nothing to write."""


def to_json(ladder: Ladder, advice: Sequence[Advice]) -> dict[str, Any]:
    """The ladder as JSON values: what `samestep attribute --json` writes."""
    plan = ladder.experiment.plan
    return {
        "schema": 1,
        "plan": plan.name,
        "arm": plan.arms[0].name,
        "seed": plan.seeds[0],
        "precision": plan.precision,
        "mended": ladder.experiment.mended,
        "updates": ladder.updates,
        "until": ladder.until,
        "bound": ladder.bound,
        "rungs": [
            {
                "name": rung.name,
                "kind": rung.kind,
                **_gap(rung.gap),
                "explains": rung.explains,
                "removes": rung.removes,
                "alone": None if rung.alone is None else _gap(rung.alone),
                "sentence": rung_sentence(ladder, rung),
            }
            for rung in ladder.rungs
        ],
        "residual": {
            **_gap(ladder.residual),
            "verdict": verdict(ladder),
            "sentence": residual_sentence(ladder),
        },
        "advice": [{"difference": each.difference, "sentence": each.sentence, "code": each.code} for each in advice],
    }


def to_table(ladder: Ladder) -> dict[str, np.ndarray]:
    """One row for each rung: text and float64 columns of one length; an object column with None where nothing is."""
    rungs = ladder.rungs

    def alone(column: str) -> np.ndarray:
        return np.array([None if rung.alone is None else getattr(rung.alone, column) for rung in rungs], dtype=object)

    return {
        "name": np.array([rung.name for rung in rungs]),
        "kind": np.array([rung.kind for rung in rungs]),
        "max_relative": np.array([rung.gap.max_relative for rung in rungs]),
        "final_relative": np.array([rung.gap.final_relative for rung in rungs]),
        "explains": np.array([rung.explains for rung in rungs]),
        "removes": np.array([rung.removes for rung in rungs]),
        "alone_max_relative": alone("max_relative"),
        "alone_final_relative": alone("final_relative"),
    }


def gaps_table(ladder: Ladder) -> dict[str, np.ndarray]:
    """One row for each update that is compared: `step`, and the relative difference of the losses after each rung."""
    curves = {rung.name: rung.gap.curve for rung in ladder.rungs}
    return {"step": np.arange(ladder.until)} | curves


def write(folder: Path, ladder: Ladder, advice: Sequence[Advice]) -> None:
    """Write tables, figures and reports into a folder that is there and empty."""
    write_json(folder / "attribution.json", to_json(ladder, advice))
    write_csv(folder / "attribution.csv", to_table(ladder))
    write_csv(folder / "gaps.csv", gaps_table(ladder))
    write_json(folder / MANIFEST, manifest(ladder))
    for name, text in _plans(ladder).items():
        (folder / name).write_text(text, encoding="utf-8")
    values = content(ladder, advice, versions(ladder))
    with warnings.catch_warnings():
        # a letter that the PNG's font lacks is a box there; in HTML and SVG the reader's own fonts have it
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        write_figures(folder / "figures", values["pictures"])
        (folder / "report.html").write_text(render.html(values, "attribution/report.html.j2"), encoding="utf-8")
    (folder / "report.md").write_text(render.markdown(values, "attribution/report.md.j2"), encoding="utf-8")


def manifest(ladder: Ladder) -> dict[str, Any]:
    """How the ladder came about: what was trained on either side, and with what."""
    experiment = ladder.experiment
    return {
        "schema": 1,
        "plans": {each: experiment.plans[each].model_dump(mode="json", by_alias=True) for each in FRAMEWORKS},
        "precision": experiment.plan.precision,
        "mended": experiment.mended,
        "versions": versions(ladder),
        "machine": {"system": platform.system(), "processor": platform.machine()},
    }


def versions(ladder: Ladder) -> dict[str, str]:
    """Versions of all that took part and is installed here."""
    found = {}
    for name in (*_WITH, *(each for framework in ladder.experiment.plans for each in BY_NAME[framework].distributions)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a framework under another name, such as tensorflow-cpu
            continue
    return found


def _gap(gap: Gap) -> Mapping[str, float]:
    return {"max_relative": gap.max_relative, "final_relative": gap.final_relative}


def _plans(ladder: Ladder) -> dict[str, str]:
    """File names and texts: one plan, or that of each framework where they are not the same."""
    plans = ladder.experiment.plans
    if plans["tensorflow"] == plans["torch"]:
        return {"plan.json": ladder.experiment.plan.to_json()}
    return {f"plan-{each}.json": plans[each].to_json() for each in FRAMEWORKS}
