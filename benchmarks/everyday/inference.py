"""How good the inference is: what schedule is found in the log of one run, held against the run's own rates.

``python -m benchmarks.everyday.inference``. The schedule must give the rate of every update, at the rows, between them
and beyond them, or the answer must say what the rows leave open.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import tempfile
import time
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

import samestep
from benchmarks.everyday import figures, logs
from benchmarks.everyday.runs import KINDS, Draws, Run

OPEN = re.compile(r"leaves? (it )?open|do(es)? not tell|cannot tell")


def one(kind: str, seed: int, number: int) -> dict[str, Any]:
    """Log a run of this kind, ask for its schedule, and mark the answer."""
    draws = Draws(np.random.default_rng([seed, zlib.crc32(kind.encode()), number]))
    run = draws.run([kind])
    style = logs.draw(draws.random, run.updates)
    told = {"steps_per_epoch": run.steps_per_epoch} if run.steps_per_epoch and draws.chance(0.6) else {}
    rates = run.rates()
    with tempfile.TemporaryDirectory(prefix="samestep-everyday-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = str(logs.write(Path(folder), "a", style, rates, run.steps_per_epoch))
        began = time.perf_counter()
        found = samestep.infer(path, **told)
        seconds = time.perf_counter() - began
    mark = "open"
    if found.inferred is not None and not OPEN.search(str(found)):
        mark = _mark(run, found.inferred.rate(np.arange(run.updates)), style)
    return {
        "case": f"{kind}-{number}",
        "group": "all",
        "kind of schedule": kind,
        "style": f"{style.name}{', cut off' if style.cut < 1 else ''}",
        "mark": mark,
        "said": str(found).splitlines()[0],
        "true": _listed(run),
        "seconds": seconds,
    }


def _mark(run: Run, said: np.ndarray, style: logs.Style) -> str:
    true = run.rates()
    size = np.maximum(true, 1e-3 * true.max())
    float32 = 8 * 2**-23 * true.max() if run.recipe.kind.startswith("keras-") else 0.0  # Keras' own rounding
    wrong = np.flatnonzero(np.abs(said - true) > 1e-5 * size + 3 * style.error(size) + float32)
    rows = style.steps(len(true))
    if not wrong.size:
        return "right"
    if np.isin(wrong, rows).any():
        return "wrong at rows"
    return "wrong between" if wrong[0] < rows[-1] else "wrong beyond"


def _listed(run: Run) -> str:
    return f"{run.recipe.kind} per {run.per}, {dict(run.recipe.numbers)}, {run.updates} updates"


def _one(wanted: tuple[str, int, int]) -> dict[str, Any]:
    return one(*wanted)


def main() -> None:
    """Run the benchmark and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=460, help="how many runs, over all kinds (default 460)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=list(KINDS), metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument(
        "--show", choices=figures.INFERENCE.marks, nargs="+", default=[], help="print each run with this mark"
    )
    parser.add_argument("--save", action="store_true", help="keep the figures for the page about the diagnosis")
    options = parser.parse_args()
    names = options.only or list(KINDS)
    wanted = [(names[place % len(names)], options.seed, place // len(names)) for place in range(options.runs)]
    found = []
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for each in pool.imap_unordered(_one, wanted, chunksize=1):
            found.append(each)
            if each["mark"] in options.show:
                print(json.dumps(each), flush=True)
    print(figures.report(figures.INFERENCE, found))
    if options.save:
        figures.save(figures.INFERENCE, found, options.seed)


if __name__ == "__main__":
    main()
