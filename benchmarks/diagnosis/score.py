"""How often the diagnosis is right: ``python -m benchmarks.diagnosis``.

Pairs of logs whose difference is known (`benchmarks.diagnosis.cases`), half of them from closed forms and half from the
rates of the frameworks' own schedulers. Prints how often the top answer is right with its parameters, a confusion
matrix, and every wrong answer.
"""

from __future__ import annotations

import argparse
import atexit
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.diagnosis import cases, drafts
from benchmarks.real_rates import PACKAGES, Framework
from samestep._compare.causes import CAUSES
from samestep._compare.causes.base import Cause
from samestep._compare.diagnose import Diagnosis, diagnose
from samestep._compare.tolerance import NEAR_ZERO, ULP32, ulp32

SAME_DATA = {frozenset({cause.name, other}) for cause in CAUSES for other in cause.alike}
"""Pairs of causes that can give the very same data; either counts, the other must be listed as possible."""


PART = 20
"""Pairs that a process draws at a time."""


def answer(case: cases.Case) -> Diagnosis:
    """The diagnosis of a case."""
    return diagnose(case.a, case.b, case.clock)


def is_right(case: cases.Case, diagnosis: Diagnosis) -> bool:
    """Whether the top answer is the truth, or the truth is named beside one that gives the same data."""
    match case.name:
        case "same":
            return diagnosis.verdict == "same"
        case "unexplained":
            return diagnosis.cause.name == "unexplained"
    if case.second is not None:
        return _same_parameters(case, diagnosis.cause) or any(
            _same_parameters(case, also) and _is_listed(diagnosis.cause, also) for also in diagnosis.also_possible
        )
    if diagnosis.cause.name == case.name:
        return _same_parameters(case, diagnosis.cause)
    listed = frozenset({diagnosis.cause.name, case.name}) in SAME_DATA
    return listed and any(also.name == case.name and _same_parameters(case, also) for also in diagnosis.also_possible)


def _is_listed(one: Cause, other: Cause) -> bool:
    """Whether two pairs of causes are the same but for two that can give the same data."""
    names = [{each.name, each.second.name if each.second else ""} for each in (one, other)]
    return frozenset(names[0] ^ names[1]) in SAME_DATA


SAME_KINDS = (
    {"linear", "warmup"},  # a line that holds its end is a warm-up to a constant
    {"linear", "polynomial"},  # of power 1
    {"one-cycle", "warmup"},  # up in a line and down in another
    {"piecewise-constant", "exponential"},  # one change or two
    {"piecewise-constant", "inverse-time"},
    {"cosine", "cosine-restarts"},  # before the first restart
    {"linear", "cyclic"},  # before it turns
    {"linear", "one-cycle"},
)
"""Kinds of schedule that can give the very same rates; a family's name may be either."""


def _same_parameters(case: cases.Case, cause: Cause) -> bool:
    """Whether parameters are the true ones; or, where rows are missing or digits few, others that give the same."""
    if case.second is not None:
        named = {cause.name: cause.parameters} | ({cause.second.name: cause.second.parameters} if cause.second else {})
        true = {case.name: case.parameters, case.second[0]: case.second[1]}
        apart = max(int(np.diff(each.step).max()) for each in (case.a, case.b))
        return named.keys() == true.keys() and all(_equal(true[name], named[name], apart - 1) for name in true)
    if cause.second is not None:
        return False
    if case.name == "family":
        kinds = [{case.parameters[key], cause.parameters[key]} for key in ("kind_a", "kind_b")]
        return all(len(each) == 1 or each in SAME_KINDS for each in kinds)
    return _equal(case.parameters, cause.parameters) or _gives_the_same(case, cause.parameters)


def _gives_the_same(case: cases.Case, given: Mapping[str, Any]) -> bool:
    """Whether other parameters give the same rows as the true ones, so that no row could tell."""
    fixed = {"side", "reading", "then"} & case.parameters.keys()
    if case.again is None or any(case.parameters[key] != given.get(key) for key in fixed):
        return False
    made = case.a if case.turned else case.b
    try:
        ours, theirs = (case.again(each)(made.step) for each in (case.parameters, given))
    except (KeyError, ValueError):
        return False
    size = np.maximum(ours, NEAR_ZERO * ours.max())
    return bool((np.abs(ours - theirs) <= 2 * ULP32 * ulp32(size) + 2 * made.rounding).all())


def _equal(true: Mapping[str, Any], given: Mapping[str, Any], apart: int = 0) -> bool:
    """Whether all parameters are the true ones; a step that lies between two rows may be any of them.

    apart : steps between two rows that have none.
    """
    for key, value in true.items():
        number = given.get(key)
        if isinstance(value, float) and isinstance(number, int | float):
            if abs(number - value) > 3e-6 * abs(value):
                return False
        elif isinstance(value, int) and isinstance(number, int) and key in ("step", "steps"):
            if abs(number - value) > apart:
                return False
        elif isinstance(value, Mapping) and isinstance(number, Mapping):
            if value.keys() != number.keys() or not all(
                np.allclose(value[each], number[each], 3e-6, 0) for each in value
            ):
                return False
        elif number != value:
            return False
    return True


def run(wanted: Mapping[str, int], seed: int, worker: int) -> list[dict[str, Any]]:
    """Draw and diagnose so many pairs of each sort; what came out of each."""
    random = np.random.default_rng([seed, worker])
    voices = drafts.Voices(random, _frameworks())
    labels = list(drafts.EVERY)
    found = []
    for sort, count in wanted.items():
        for number in range(count):
            source = "closed form" if number % 2 else "frameworks"
            label = labels[(number // 2 + worker) % len(labels)] if sort == "causes" else sort
            found.append(_one(label, voices, source, random))
    return found


@cache
def _frameworks() -> dict[str, Framework]:
    """Both frameworks, started once in this process."""
    started = {name: Framework(name) for name in PACKAGES}
    for framework in started.values():
        atexit.register(framework.close)
    return started


def _part(part: tuple[dict[str, int], int, int]) -> list[dict[str, Any]]:
    return run(*part)


def parts(wanted: Mapping[str, int], seed: int) -> list[tuple[dict[str, int], int, int]]:
    """The work in parts of `PART` pairs of one sort, each with a number that its draws begin with; sorts mixed."""
    sizes = [(sort, min(PART, count - done)) for sort, count in wanted.items() for done in range(0, count, PART)]
    every = [({sort: size}, seed, number) for number, (sort, size) in enumerate(sizes)]
    return [every[place] for place in np.random.default_rng(seed).permutation(len(every))]


def _one(label: str, voices: drafts.Voices, source: str, random: np.random.Generator) -> dict[str, Any]:
    for _ in range(1000):
        try:
            if label == "unexplained":
                case = cases.unexplained(voices, source, random)
            else:
                case = cases.draw(label, voices, source, random)
            break
        except drafts.Undrawn:
            continue
    began = time.perf_counter()
    diagnosis = answer(case)
    seconds = time.perf_counter() - began
    return {
        "label": label,
        "kind": case.kind,
        "source": case.source,
        "written": case.written,
        "rows": max(len(case.a), len(case.b)),
        "right": is_right(case, diagnosis),
        "true": {"name": case.name, **case.parameters, "second": case.second},
        "verdict": diagnosis.verdict,
        "told": _as_json(diagnosis.cause),
        "also": [_as_json(each) for each in diagnosis.also_possible],
        "schedule": case.schedule,
        "seconds": seconds,
    }


def _as_json(cause: Cause) -> dict[str, Any]:
    second = {"second": _as_json(cause.second)} if cause.second else {}
    return {"name": cause.name, **cause.parameters, **second}


def report(found: list[dict[str, Any]]) -> str:
    """Shares, the confusion matrix as a table in Markdown, and the wrong answers."""
    lines = []
    for sort in ("causes", "same", "unexplained"):
        these = [
            each for each in found if (each["label"] if each["label"] in ("same", "unexplained") else "causes") == sort
        ]
        if these:
            right = sum(each["right"] for each in these)
            lines.append(f"{sort}: {right} of {len(these)} right, {100 * right / len(these):.2f} %")
    rows, columns = (sorted({_named(each, side) for each in found}) for side in ("true", "told"))
    counts = Counter((_named(each, "true"), _named(each, "told")) for each in found)
    lines += ["", "| true \\ told | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {row} | " + " | ".join(str(counts[row, column] or "") for column in columns) + " |" for row in rows]
    return "\n".join(lines)


def _named(each: dict[str, Any], side: str) -> str:
    if side == "told":
        return each["verdict"] if each["verdict"] == "same" else each["told"]["name"]
    return str(each["true"]["name"])


DOCS = Path(__file__).parents[2] / "docs" / "diagnosis.md"
BEGIN, END = "<!-- what came out: written by python -m benchmarks.diagnosis --docs -->", "<!-- until here -->"


def write_docs(found: list[dict[str, Any]]) -> None:
    """Put the shares and the confusion matrix into the page about the diagnosis."""
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    lines = report(found).splitlines()
    shares = [f"- {line}" for line in lines[: lines.index("")]]
    whole = "\n".join([BEGIN, "", *shares, "", *lines[lines.index("") + 1 :], "", END])
    DOCS.write_text(before + whole + rest.partition(END)[2], encoding="utf-8")


def main() -> None:
    """Run the benchmark and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    for sort, count in (("causes", 2000), ("same", 1000), ("unexplained", 500)):
        parser.add_argument(f"--{sort}", type=int, default=count, help=f"pairs of this sort (default {count})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--wrong", action="store_true", help="print every wrong answer")
    parser.add_argument("--docs", action="store_true", help="put what came out into docs/diagnosis.md")
    parser.add_argument("--out", type=Path, default=None, help="every pair and its answer, as JSON")
    options = parser.parse_args()
    wanted = {sort: getattr(options, sort) for sort in ("causes", "same", "unexplained")}
    found: list[dict[str, Any]] = []
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for part in pool.imap_unordered(_part, parts(wanted, options.seed)):
            found += part
            if options.out:  # what there is so far
                options.out.write_text(json.dumps(found), encoding="utf-8")
        pool.close()
        pool.join()
    print(report(found))
    seconds = [one["seconds"] for one in found]
    print(f"\nmedian {1e3 * np.median(seconds):.0f} ms, longest {max(seconds):.1f} s")
    if options.docs:
        write_docs(found)
    if options.wrong:
        for one in found:
            if not one["right"]:
                print(json.dumps({key: value for key, value in one.items() if key != "right"}))
