"""What came out: counts and seconds, as text for the terminal, as JSON that is kept, and as the page that shows it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results.json"
PAGE = Path(__file__).parents[2] / "docs" / "diagnosis.md"


@dataclass(frozen=True)
class Benchmark:
    """One of the two: its marks, and by what its figures are listed."""

    name: str
    unit: str
    marks: tuple[str, ...]
    by: tuple[str, ...]

    @property
    def begin(self) -> str:
        """The line of the page before its figures."""
        return f"<!-- {self.name}: written by tests/benchmarks/test_everyday.py -->"

    @property
    def end(self) -> str:
        """The line after them."""
        return f"<!-- end of {self.name} -->"


DIAGNOSIS = Benchmark(
    "everyday",
    "pairs",
    ("right", "vague", "wrong", "false alarm"),
    ("mistake", "style", "format", "kind of schedule"),
)
INFERENCE = Benchmark(
    "inference",
    "runs",
    ("right", "open", "wrong at rows", "wrong between", "wrong beyond"),
    ("kind of schedule", "style"),
)


def counted(found: Sequence[Mapping[str, Any]], of: Benchmark, by: str) -> dict[str, dict[str, int]]:
    """How many have each mark, by the values of a key."""
    groups: dict[str, list[str]] = defaultdict(list)
    for one in found:
        for value in {one[by]} if isinstance(one[by], str) else set(one[by]):
            groups[value].append(one["mark"])
    counts = {value: {mark: marks.count(mark) for mark in of.marks} for value, marks in groups.items()}
    return dict(sorted(counts.items(), key=lambda each: (each[1]["right"] / sum(each[1].values()), each[0])))


def summary(of: Benchmark, found: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """All figures, as JSON has them."""
    seconds = [one["seconds"] for one in found]
    return {
        "seed": seed,
        "groups": counted(found, of, "group"),
        **{by: counted(found, of, by) for by in of.by},
        "seconds": {
            "median": float(np.median(seconds)),
            "95 %": float(np.quantile(seconds, 0.95)),
            "longest": max(seconds),
        },
    }


def table(of: Benchmark, counts: Mapping[str, Mapping[str, int]], heading: str) -> list[str]:
    """Counts as the lines of a table in Markdown."""
    lines = [f"| {heading} | {of.unit} | {' | '.join(of.marks)} |", "|---|---:" + "|---:" * len(of.marks) + "|"]
    for value, marks in counts.items():
        cells = [sum(marks.values()), *(marks[mark] for mark in of.marks)]
        lines.append(f"| {value} | " + " | ".join(map(str, cells)) + " |")
    return lines


def shares(of: Benchmark, figures: Mapping[str, Any]) -> Iterator[str]:
    """A line for each group, and one for the seconds."""
    for name, marks in figures["groups"].items():
        every = sum(marks.values())
        listed = ", ".join(f"{mark} {100 * marks[mark] / every:.1f} %" for mark in of.marks if marks[mark])
        yield f"{name}, {every:,} {of.unit}: {listed}"
    seconds = ", ".join(f"{name} {value:.2f} s" for name, value in figures["seconds"].items())
    yield f"time: {seconds}"


def report(of: Benchmark, found: Sequence[Mapping[str, Any]]) -> str:
    """The figures for the terminal."""
    figures = summary(of, found, 0)
    lines = list(shares(of, figures))
    for by in of.by:
        lines += ["", *table(of, figures[by], by)]
    return "\n".join(lines)


def save(of: Benchmark, found: Sequence[Mapping[str, Any]], seed: int) -> None:
    """Keep the figures in `RESULTS`, beside those of the other benchmark."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept[of.name] = summary(of, found, seed)
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def filled(page: str, results: Mapping[str, Any]) -> str:
    """The page with what was measured."""
    for of in (DIAGNOSIS, INFERENCE):
        figures = results[of.name]
        before, _, rest = page.partition(of.begin)
        lines = [f"- {line}" for line in shares(of, figures)]
        shown = "\n".join([of.begin, "", *lines, "", *table(of, figures[of.by[0]], of.by[0]), "", of.end])
        page = before + shown + rest.partition(of.end)[2]
    return page
