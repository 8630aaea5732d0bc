"""Two traces lined up with `pandas.merge`, and the differences: ``… ROWS REPEATS``."""

import json
import sys
import time

import pandas as pd

from benchmarks.speed import tables


def differences(a, b):
    """One row for each arm, seed and step; a and b hold these columns, the rate and the loss."""
    both = a.merge(b, on=["arm", "seed", "step"], suffixes=("_a", "_b"))
    both["lr_absolute"] = (both["lr_a"] - both["lr_b"]).abs()
    both["loss_absolute"] = (both["loss_a"] - both["loss_b"]).abs()
    return both


def frames(rows):
    """Two traces, as tables of pandas."""
    plan = tables.plan(rows)
    for seed, framework in enumerate(("tensorflow", "torch")):
        yield pd.DataFrame(dict(tables.trace(framework, plan, seed).steps))[["arm", "seed", "step", "lr", "loss"]]


def main(differences):
    """Compare several times over, in this way; making the tables is not counted."""
    rows, repeats = map(int, sys.argv[1:])
    a, b = frames(rows)
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        both = differences(a, b)
        seconds.append(time.perf_counter() - began)
    largest = {name: float(both[f"{name}_absolute"].max()) for name in ("lr", "loss")}
    print(json.dumps({"seconds": seconds, "rows": len(both), "largest": largest}))


if __name__ == "__main__":
    main(differences)
