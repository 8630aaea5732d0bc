"""Draws pairs, writes them as logs, asks `samestep.compare`, and counts what is right."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import samestep
from benchmarks.everyday import logs
from benchmarks.everyday.answers import VAGUE
from benchmarks.everyday.mistakes import MISTAKES, Pair, Undrawn
from benchmarks.everyday.runs import Draws

TRIES = 2000
LEAST = 3
KEPT_APART = {"same": "same", "two": "two mistakes", "plateaus": "no cause", "by-hand": "no cause"}


@dataclass(frozen=True)
class Case:
    """A pair, and how each side is logged."""

    name: str
    mistake: str
    pair: Pair
    styles: tuple[logs.Style, logs.Style]
    options: Mapping[str, int]

    def write(self, folder: Path) -> tuple[str, str]:
        """Write both logs."""
        both = zip("ab", self.styles, (self.pair.a, self.pair.b), strict=True)
        a, b = (str(logs.write(folder, side, style, rates, self.pair.steps_per_epoch)) for side, style, rates in both)
        return a, b


def draw(mistake: str, seed: int, number: int) -> Case:
    """The pair of this number. Raises Undrawn where none of many draws shows the mistake."""
    random = np.random.default_rng([seed, list(MISTAKES).index(mistake), number])
    draws = Draws(random)
    for _ in range(TRIES):
        try:
            pair = MISTAKES[mistake](draws)
        except Undrawn:
            continue
        a = logs.draw(random, len(pair.a))
        b = a if draws.chance(0.6) else logs.draw(random, len(pair.b))
        if pair.base:
            b = replace(
                b if b.format.startswith(("csv", "json")) else logs.draw(random, len(pair.b), plain=True),
                base=pair.base,
                format="csv",
            )
        options = dict(pair.options)
        if pair.steps_per_epoch and draws.chance(0.6):
            options.setdefault("steps_per_epoch", pair.steps_per_epoch)
        case = Case(f"{mistake}-{number}", mistake, pair, (a, b), options)
        if mistake == "same" or pair.base or _shows(case):
            return case
    raise Undrawn(mistake)


def _shows(case: Case) -> bool:
    """Whether enough rows show a difference that is larger than what their digits leave open."""
    last = min(len(case.pair.a), len(case.pair.b))
    shows = [0, 0]
    for place, style in enumerate(case.styles):
        steps = style.steps(len((case.pair.a, case.pair.b)[place]))
        steps = steps[steps < last]
        a, b = case.pair.a[steps], case.pair.b[steps]
        size = np.maximum(np.abs(a), np.abs(b))
        errors = [_error(each.digits, size) for each in case.styles]
        apart = np.abs(a - b) > 1e-5 * size + 3 * np.maximum(*errors)
        shows[place] = int(apart.sum())
    return min(shows) >= LEAST


def _error(digits: str, size: np.ndarray) -> np.ndarray:
    """Half a unit of the last digit."""
    match digits:
        case "all digits":
            return np.zeros_like(size)
        case "float32":
            return 6e-8 * size
        case "%.6f" | "%.8f":
            return np.full_like(size, 0.5 * 10.0 ** -int(digits[2]))
        case "round 8":
            return np.full_like(size, 5e-9)
    return size * 0.5 * 10.0 ** -(int(digits[2]) - ("g" in digits))


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
        "case": case.name, "mistake": case.mistake, "kind": case.pair.kind, "styles": [style.name for style in case.styles],
        "formats": [style.format for style in case.styles], "options": dict(case.options), "mark": mark(case, said),
        "verdict": said["verdict"], "said": _short(said["cause"]), "right": [_listed(each) for each in case.pair.answers],
        "updates": [len(case.pair.a), len(case.pair.b)], "seconds": seconds,
    }  # fmt: skip


def mark(case: Case, said: Mapping[str, Any]) -> str:
    """`right`, `vague`, `wrong`, or `false alarm` where nothing differs."""
    verdict, cause, pair = said["verdict"], said["cause"], case.pair
    if verdict in pair.verdicts:
        return "right"
    if case.mistake == "same":
        return "vague" if verdict == "inconclusive" else "false alarm"
    if verdict in ("same", "error"):
        return "wrong"
    steps = max(style.every for style in case.styles)
    relative = max(_relative(style, rates) for style, rates in zip(case.styles, (pair.a, pair.b), strict=True))
    if any(answer.allows(cause, steps, relative) for answer in pair.answers):
        return "right"
    if verdict == "inconclusive" or cause["name"] in VAGUE:
        return "right" if pair.vague else "vague"
    return "wrong"


def _relative(style: logs.Style, rates: np.ndarray) -> float:
    """How exactly a number can be known from rates of so many digits."""
    typical = np.median(rates[rates > 0]) if (rates > 0).any() else 1.0
    return float(max(1e-4, 4 * _error(style.digits, np.array([typical]))[0] / typical)) + 1e-2 * (
        style.digits != "all digits"
    )


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


def table(found: list[dict[str, Any]], by: str) -> list[str]:
    """Counts by a key, as lines of a table in Markdown."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in found:
        for key in [one[by]] if isinstance(one[by], str) else set(one[by]):
            groups[key].append(one)
    lines = [f"| {by} | pairs | right | vague | wrong | false alarm |", "|---|---:|---:|---:|---:|---:|"]
    for key in sorted(groups, key=lambda key: share(groups[key], "right")):
        counts = [
            sum(one["mark"] == mark_ for one in groups[key]) for mark_ in ("right", "vague", "wrong", "false alarm")
        ]
        lines.append(f"| {key} | {len(groups[key])} | " + " | ".join(map(str, counts)) + " |")
    return lines


def share(found: Iterable[dict[str, Any]], mark_: str) -> float:
    """The share with this mark, in per cent."""
    every = [one["mark"] == mark_ for one in found]
    return 100 * sum(every) / max(len(every), 1)


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures that the page about the diagnosis has."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in found:
        groups[KEPT_APART.get(one["mistake"], "one mistake")].append(one)
    seconds = [one["seconds"] for one in found]
    return {
        "groups": {
            name: {"pairs": len(each)}
            | {m: sum(one["mark"] == m for one in each) for m in ("right", "vague", "wrong", "false alarm")}
            for name, each in sorted(groups.items())
        },
        "seconds": {"median": float(np.median(seconds)), "p95": float(np.quantile(seconds, 0.95)), "max": max(seconds)},
    }


def report(found: list[dict[str, Any]]) -> str:
    """The figures, by mistake, by logging style and by kind of schedule."""
    figures = summary(found)
    lines = []
    for name, group in figures["groups"].items():
        shares = ", ".join(
            f"{key} {100 * group[key] / group['pairs']:.1f} %" for key in ("right", "vague", "wrong", "false alarm")
        )
        lines.append(f"{name}: {group['pairs']} pairs, {shares}")
    seconds = figures["seconds"]
    lines.append(
        f"seconds a pair: median {seconds['median']:.2f}, 95 % below {seconds['p95']:.2f}, longest {seconds['max']:.2f}"
    )
    for by in ("mistake", "styles", "formats", "kind"):
        lines += ["", *table(found, by)]
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=660, help="how many pairs, over all mistakes (default 660)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--only", nargs="+", choices=list(MISTAKES), metavar="MISTAKE", help=f"of {', '.join(MISTAKES)}"
    )
    parser.add_argument(
        "--show", choices=("wrong", "vague", "right"), nargs="+", default=[], help="print each pair with this mark"
    )
    parser.add_argument("--keep", metavar="CASE", help="write the logs of one pair, like total-3, into ./CASE")
    parser.add_argument("--out", type=Path, help="every pair and its answer, as JSON")
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
            if one["mark"] in options.show or (one["mark"] == "false alarm" and "wrong" in options.show):
                print(json.dumps(one), flush=True)
    print(report(found))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
