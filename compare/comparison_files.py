"""The files of a comparison's report."""

from __future__ import annotations

import json
import platform
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from compare.align.table import COLUMNS, table
from compare.comparison import Comparison
from compare.comparison_json import to_json
from compare.output import MANIFEST
from compare.report import render
from compare.report.comparison import content, versions
from compare.results import write_figures
from compare.runs import writable
from compare.sides import Side
from experiment.trace import moved_into_place, quoted, write_json


def write(folder: Path, comparison: Comparison) -> None:
    """Write tables, figures and reports into a folder."""
    tables = {pair.name: table(pair, comparison.clock) for pair in comparison.pairs}
    _write_rows(folder / "comparison.csv", tables)
    write_json(folder / "comparison.json", to_json(comparison))
    write_json(folder / MANIFEST, manifest(comparison))
    values = content(comparison, tables[comparison.worst.name])
    with warnings.catch_warnings():
        # a letter that the PNG's font lacks is a box there; in HTML and SVG the reader's own fonts have it
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        write_figures(folder / "figures", values["pictures"])
        (folder / "report.html").write_text(render.html(values, "comparison.html.j2"), encoding="utf-8")
    (folder / "report.md").write_text(render.markdown(values, "comparison.md.j2"), encoding="utf-8")


def manifest(comparison: Comparison) -> dict[str, Any]:
    """How the comparison came about: what was read on either side, and with what."""
    return {
        "schema": 1,
        "versions": versions(),
        "machine": {"system": platform.system(), "processor": platform.machine()},
        "a": _side(comparison.a),
        "b": _side(comparison.b),
    }


def _side(side: Side) -> dict[str, Any]:
    schedule = None if side.schedule is None else side.schedule.model_dump(mode="json")
    manifest = json.loads(writable(json.dumps(dict(side.manifest), ensure_ascii=False)))
    return {"given": side.given, "schedule": schedule, "manifest": manifest}


def _write_rows(path: Path, tables: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """The tables of all pairs, one below the other, with empty cells for what is not there.

    Of millions of rows, pandas takes half the memory that `experiment.trace.write_csv` does; its floats are the
    shortest texts as well.
    """
    with moved_into_place(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        for number, (name, columns) in enumerate(tables.items()):
            rows = pd.DataFrame({"pair": quoted(name)} | {each: columns[each] for each in COLUMNS})
            for place in ("epoch", "batch"):
                rows[place] = rows[place].astype("Int64").where(rows[place] >= 0)
            rows.to_csv(file, index=False, header=number == 0, lineterminator="\n")
