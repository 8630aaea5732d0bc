"""Draws pairs, writes them as logs, asks `samestep.compare`, and counts what is right."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import samestep
from benchmarks.everyday import figures, logs
from benchmarks.everyday.answers import VAGUE
from benchmarks.everyday.mistakes import MISTAKES
from benchmarks.everyday.pairs import Pair, Undrawn
from benchmarks.everyday.runs import Draws

TRIES = 2000
LEAST = 3
KEPT_APART = {
    "same": "no mistake",
    "column-begins-again": "no mistake",
    "scaled": "two mistakes",
    "two-numbers": "two mistakes",
    "plateaus": "a mistake that no cause names",
    "by-hand": "a mistake that no cause names",
    "along-a-logarithm": "a mistake that no cause names",
}
NO_MISTAKE = [name for name, group in KEPT_APART.items() if group == "no mistake"]


@dataclass(frozen=True)
class Case:
    """A pair, and how each side is logged; None where a is the schedule, as text."""

    name: str
    mistake: str
    pair: Pair
    styles: tuple[logs.Style | None, logs.Style]
    options: Mapping[str, int]

    def write(self, folder: Path) -> tuple[str, str]:
        """Write both logs."""
        a, b = (
            str(logs.write(folder, side, style, rates, self.pair.steps_per_epoch) if style else self.pair.schedule)
            for side, style, rates in self.sides
        )
        return a, b

    @property
    def sides(self) -> list[tuple[str, logs.Style | None, np.ndarray]]:
        """Each side's name, how it is logged, and the rate of every update."""
        return list(zip("ab", self.styles, (self.pair.a, self.pair.b), strict=True))

    @property
    def logged(self) -> list[tuple[logs.Style, np.ndarray]]:
        """How each side that is no schedule is logged, and its rates."""
        return [(style, rates) for _, style, rates in self.sides if style is not None]


def draw(mistake: str, seed: int, number: int) -> Case:
    """The pair of this number. Raises Undrawn where none of many draws shows the mistake."""
    random = np.random.default_rng([seed, zlib.crc32(mistake.encode()), number])
    draws = Draws(random)
    for _ in range(TRIES):
        try:
            pair = MISTAKES[mistake](draws)
        except Undrawn:
            continue
        styles = _styles(draws, pair)
        case = Case(f"{mistake}-{number}", mistake, pair, styles, _options(draws, pair, styles[0] is None))
        if KEPT_APART.get(mistake) == "no mistake" or pair.base or _shows(case):
            return case
    raise Undrawn(mistake)


def _styles(draws: Draws, pair: Pair) -> tuple[logs.Style | None, logs.Style]:
    """Both sides logged alike, or each in its own way, or a given as a schedule."""
    a = logs.draw(draws.random, len(pair.a))
    b = a if draws.chance(0.6) else logs.draw(draws.random, len(pair.b))
    if pair.base or pair.restart:  # a format that does not say what it counts from
        while b.format not in ("csv", "csv-loss", "jsonl"):
            b = logs.draw(draws.random, len(pair.b))
        b = replace(b, base=pair.base, restart=pair.restart, **({"every": 1, "offset": 0} if pair.restart else {}))
    return (None if pair.schedule and draws.chance(0.15) else a), b


def _options(draws: Draws, pair: Pair, is_typed: bool) -> dict[str, int]:
    """What the caller says of the clock; a schedule in epochs needs it."""
    if is_typed and "epochs" in (pair.schedule or "") and not pair.options:
        return {"steps_per_epoch": pair.steps_per_epoch or 1}
    if pair.options or not pair.steps_per_epoch or draws.chance(0.4):
        return dict(pair.options)
    return {"steps_per_epoch": pair.steps_per_epoch}


def _shows(case: Case) -> bool:
    """Whether enough rows show each mistake, by more than what their digits leave open."""
    return all(_differ(case, b) for b in (case.pair.b, *case.pair.each))


def _differ(case: Case, b: np.ndarray) -> bool:
    last = min(len(case.pair.a), len(b))
    shows = []
    for style, rates in case.logged:
        steps = style.steps(len(rates))
        steps = steps[steps < last]
        sides = case.pair.a[steps], b[steps]
        size = np.maximum(*np.abs(sides))
        unknown = np.max([each.error(size) for each, _ in case.logged], axis=0)
        shows.append(int((np.abs(sides[0] - sides[1]) > 1e-5 * size + 3 * unknown).sum()))
    return min(shows) >= LEAST


def scored(case: Case) -> dict[str, Any]:
    """What `samestep.compare` says of the written logs, and whether it is right."""
    with tempfile.TemporaryDirectory(prefix="samestep-everyday-") as folder:
        a, b = case.write(Path(folder))
        began = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said = samestep.compare(a, b, **case.options).to_json()
        except Exception as error:  # what a user would see as a crash or as an error counts as wrong
            said = {"verdict": "error", "cause": {"name": type(error).__name__, "sentence": str(error)}}
        seconds = time.perf_counter() - began
    return {
        "case": case.name,
        "group": KEPT_APART.get(case.mistake, "one mistake"),
        "mistake": case.mistake,
        "kind of schedule": case.pair.kind,
        "style": [style.name for style, _ in case.logged],
        "format": [style.format if style else "schedule" for style in case.styles],
        "options": dict(case.options),
        "mark": mark(case, said),
        "verdict": said["verdict"],
        "said": _short(said["cause"]),
        "right": [_listed(each) for each in case.pair.answers],
        "updates": [len(case.pair.a), len(case.pair.b)],
        "seconds": seconds,
    }


def mark(case: Case, said: Mapping[str, Any]) -> str:
    """`right`, `vague`, `wrong`, or `false alarm` where nothing differs."""
    verdict, cause, pair = said["verdict"], said["cause"], case.pair
    if verdict in pair.verdicts:
        return "right"
    if _is_seen(case, cause):
        return "right"
    if case.mistake in NO_MISTAKE:
        return "vague" if verdict == "inconclusive" else "false alarm"
    if verdict in ("same", "error"):
        return "wrong"
    steps = max(style.every for style, _ in case.logged)
    relative = max(_relative(style, rates) for style, rates in case.logged)
    if any(answer.allows(cause, steps, relative) for answer in pair.answers):
        return "right"
    if verdict == "inconclusive" or cause["name"] in VAGUE:
        return "right" if pair.vague else "vague"
    return "wrong"


def _is_seen(case: Case, cause: Mapping[str, Any]) -> bool:
    """Whether it says no more than where a log ends: there it may be shorter, or not have come to its first fall."""
    lasts = {side: style and int(style.steps(len(rates))[-1]) for side, style, rates in case.sides}
    if cause["name"] == "length":
        return None not in lasts.values() and lasts["a"] != lasts["b"] and case.mistake in NO_MISTAKE
    if cause["name"] != "never-falls":
        return False
    _, style, rates = next(each for each in case.sides if each[0] == cause["side"])
    seen = rates if style is None else rates[style.steps(len(rates))]
    return bool((np.diff(seen) >= 0).all())


def _relative(style: logs.Style, rates: np.ndarray) -> float:
    """How exactly a number can be known from rates of so many digits."""
    typical = np.median(rates[rates > 0]) if (rates > 0).any() else 1.0
    coarse = 0.0 if style.digits == "all digits" else 1e-2
    return float(max(1e-4, 4 * style.error(np.array([typical]))[0] / typical)) + coarse


def _short(cause: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        key: value
        for key, value in cause.items()
        if key not in ("fix", "fix_code", "residual_ulp32", "second") and value is not None
    }
    return kept | ({"second": _short(cause["second"])} if cause.get("second") else {})


def _listed(answer: Any) -> str:
    parts = [f"{key}={value}" for key, value in answer.values]
    parts += [f"{x:g} against {y:g}" for x, y in answer.one_of] + list(answer.readings)
    return f"{answer.name}({', '.join(parts)})" + (f" + {_listed(answer.second)}" if answer.second else "")


def _one(wanted: tuple[str, int, int]) -> dict[str, Any] | None:
    try:
        return scored(draw(*wanted))
    except Undrawn:
        return None


def main() -> None:
    """Run the benchmark and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=660, help="how many pairs, over all mistakes (default 660)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    known = ", ".join(MISTAKES)
    parser.add_argument("--only", nargs="+", choices=list(MISTAKES), metavar="MISTAKE", help=f"of {known}")
    marks = figures.DIAGNOSIS.marks
    parser.add_argument("--show", choices=marks, nargs="+", default=[], help="print each pair with this mark")
    parser.add_argument("--keep", metavar="CASE", help="write the logs of one pair, like total-3, into ./CASE")
    parser.add_argument("--out", type=Path, help="every pair and its answer, as JSON")
    parser.add_argument("--save", action="store_true", help="keep the figures for the page about the diagnosis")
    options = parser.parse_args()
    if options.keep:
        mistake, number = options.keep.rsplit("-", 1)
        case = draw(mistake, options.seed, int(number))
        Path(options.keep).mkdir()
        print(*case.write(Path(options.keep)), case.options)
        return
    names = options.only or list(MISTAKES)
    wanted = [(names[place % len(names)], options.seed, place // len(names)) for place in range(options.pairs)]
    found = []
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for one in pool.imap_unordered(_one, wanted, chunksize=1):
            if one is None:
                continue
            found.append(one)
            if one["mark"] in options.show:
                print(json.dumps(one), flush=True)
    print(figures.report(figures.DIAGNOSIS, found))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    if options.save:
        figures.save(figures.DIAGNOSIS, found, options.seed)
