"""From two traces to the files of an output folder."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from compare.align.rows import align
from compare.output import MANIFEST
from compare.report import render
from compare.report.content import content, versions
from compare.report.svg import on_white, write_png
from compare.summary import Summary, summarise, to_json, to_table
from experiment.plan import FRAMEWORKS, Framework, Plan
from experiment.trace import Trace, stack, write_csv, write_json

_PNG_DPI = 160


def write(folder: Path, plan: Plan, traces: Mapping[Framework, Trace]) -> Summary:
    """Write tables, figures and reports into a folder; return what they say."""
    aligned = align(traces, plan)
    summary = summarise(aligned, plan)
    epochs = stack([traces[framework].epochs for framework in FRAMEWORKS])
    write_csv(folder / "trace.csv", stack([traces[framework].steps for framework in FRAMEWORKS]))
    write_csv(folder / "epochs.csv", epochs)
    write_csv(folder / "aligned.csv", _columns(aligned))
    write_csv(folder / "summary.csv", _columns(to_table(summary)))
    write_json(folder / "summary.json", to_json(summary, plan))
    write_json(folder / MANIFEST, manifest(plan, traces))
    (folder / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    values = content(plan, summary, traces, aligned, pd.DataFrame(dict(epochs)))
    with warnings.catch_warnings():
        # a letter that the PNG's font lacks is a box there; in HTML and SVG the reader's own fonts have it
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        write_figures(folder / "figures", values["pictures"])
        (folder / "report.html").write_text(render.html(values), encoding="utf-8")
    (folder / "report.md").write_text(render.markdown(values), encoding="utf-8")
    return summary


def manifest(plan: Plan, traces: Mapping[Framework, Trace]) -> dict[str, Any]:
    """How the traces came about: what both manifests share, and the arms of each framework."""
    first = next(iter(traces.values())).manifest
    return {
        "schema": 1,
        "plan": plan.model_dump(mode="json", by_alias=True),
        "precision": plan.precision,
        "engine": first["engine"],
        "device": first["device"],
        "conventions": first["conventions"],
        "versions": versions(traces),
        "machine": {"system": platform.system(), "processor": platform.machine()},
        "frameworks": {framework: {"arms": trace.manifest["arms"]} for framework, trace in traces.items()},
    }


def write_figures(folder: Path, pictures: Mapping[str, Any]) -> None:
    """Write each picture of a report as SVG and as PNG, into a new folder."""
    folder.mkdir()
    for name, picture in pictures.items():
        (folder / f"{name}.svg").write_text(on_white(picture.svg), encoding="utf-8")
        write_png(picture.figure, folder / f"{name}.png", _PNG_DPI)


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    return {name: table[name].to_numpy() for name in table.columns}
