"""Two traces compared with datacompy, and the differences.

``python -m benchmarks.others.datacompy_compare ROWS REPEATS``
"""

import json
import sys
import time

import datacompy

from benchmarks.others.pandas_merge import frames


def differences(a, b):
    """The rows that both have, with the differences; `datacompy` itself tells which columns differ."""
    compared = datacompy.Compare(a, b, join_columns=["arm", "seed", "step"], df1_name="a", df2_name="b")
    both = compared.intersect_rows
    both["lr_absolute"] = (both["lr_df1"] - both["lr_df2"]).abs()
    both["loss_absolute"] = (both["loss_df1"] - both["loss_df2"]).abs()
    return both


def main():
    """Compare several times over; making the tables is not counted."""
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
    main()
