"""Write the recorded rates as plain CSV."""

import csv
from pathlib import Path

DATA = Path(__file__).resolve().parents[1]


def write(path, header, rows):
    """Rows of Python numbers under a header row; floats as the shortest text that reads back to the same bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def write_pair(name, side, rates, every=1):
    """The rates of one run, update by update from 0, as one side (`a` or `b`) of a pair; `every`: rows kept."""
    write(DATA / "pairs" / name / f"{side}.csv", ["step", "lr"], list(enumerate(map(float, rates)))[::every])
