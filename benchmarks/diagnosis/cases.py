"""Pairs of logs whose difference is known: every cause on every kind of schedule that can have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.diagnosis import draws
from benchmarks.diagnosis.drafts import EVERY, SMOOTH, Rate, Setting, Undrawn, Voices, same
from samestep._compare.rates import Rates
from samestep._compare.tolerance import NEAR_ZERO, ULP32, ulp32
from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import to_short

WRITINGS = ("every 10th step", "every 50th step", "float32", "6 digits")


@dataclass(frozen=True)
class Case:
    """Two logs and why they differ.

    parameters : what the diagnosis should say, beside the name. again : the rates of b from other parameters, in closed
    form, to tell whether the data could have told them apart; None where they are exact.
    """

    name: str
    kind: str
    source: str
    written: tuple[str, str]
    a: Rates
    b: Rates
    clock: Clock | None
    parameters: Mapping[str, Any]
    schedule: str
    again: Callable[[Mapping[str, Any]], Rate] | None = None
    second: tuple[str, Mapping[str, Any]] | None = None
    turned: bool = False


def draw(label: str, voices: Voices, source: str, random: np.random.Generator) -> Case:
    """A pair of logs that differ by one cause, or `same`. Raises Undrawn where this draw shows nothing."""
    make, kinds = EVERY.get(label, (same, tuple(draws.KINDS)))
    kind = str(random.choice(kinds))
    updates = draws.steps(random, 50, 100_000)
    first, second = voices.two(source)
    schedule = draws.schedule(kind, random, updates)
    made = Setting(
        random, voices, kind, schedule, updates, voices.ask(first, schedule), lambda each: voices.ask(second, each)
    )
    draft = make(made)
    step = np.arange(updates)
    x, y = Rates.of(step, draft.x(step)), Rates.of(step, draft.y(step))
    parameters = dict(draft.parameters)
    if label in ("gaps", "length"):
        y, parameters = _with_rows_lost(label, y, random)
    written = (_writing(updates, random), _writing(updates, random))
    if label == "shift and scale" and any("step" in each for each in written):
        raise Undrawn("a shift by a step or two may fall between the rows")
    if label in ("gaps", "length"):
        written = tuple("as it is" if "step" in each else each for each in written)  # type: ignore[assignment]
    x, y = as_written(x, written[0]), as_written(y, written[1])
    if label not in ("same", "gaps", "length") and not _differ(x, y):
        raise Undrawn("no row shows it")
    if label in ("counter", "period", "factor", "warmup and counter") and not (np.ptp(x.lr) and np.ptp(y.lr)):
        raise Undrawn("a rate that never changes has any clock")
    case = Case(
        label.split(",")[0].split(" and ")[0], kind, source, written, x, y, draft.clock, parameters,
        to_short(schedule), draft.again, draft.second,
    )  # fmt: skip
    return _turned(case) if random.random() < 0.5 and draft.second is None else case


def unexplained(voices: Voices, source: str, random: np.random.Generator) -> Case:
    """A pair whose difference is none of the causes: noise, or a part of it edited by hand."""
    case = draw("same", voices, source, random)
    lr = case.b.lr.copy()
    count = len(lr)
    if count < 30:
        raise Undrawn("too short")
    moving = case.kind in SMOOTH and case.a.lr[-1] > 0.01 * case.a.lr.max()
    how = str(
        random.choice(
            ["noise", "some noise", "walk", *(["scaled segment", "bent segment", "reversed"] if moving else [])]
        )
    )
    begin = int(random.integers(count // 8, count // 2))
    part = slice(begin, begin + int(random.integers(max(4, count // 20), count // 3)))
    size = float(np.exp(random.uniform(np.log(1e-3), np.log(0.2))))
    match how:
        case "noise":
            lr *= np.exp(size * random.standard_normal(count))
        case "some noise":
            lr *= np.exp(size * random.standard_normal(count) * (random.random(count) < 0.3))
        case "walk":
            lr *= np.exp(np.cumsum(size * random.standard_normal(count)) / np.sqrt(count))
        case "scaled segment":
            lr[part] *= 1 + size
        case "bent segment":
            width = len(lr[part])
            lr[part] *= 1 + size * np.sin(np.linspace(0, np.pi, width))
        case "reversed":
            lr[part] = lr[part][::-1]
    changed = replace(case.b, lr=lr)
    beyond = np.abs(case.b.lr - lr) > 20 * ULP32 * ulp32(np.maximum(case.b.lr, NEAR_ZERO * case.b.lr.max()))
    if not _differ(case.a, changed) or beyond[10:-10].sum() < 5:
        raise Undrawn("no row shows it")
    return replace(case, name="unexplained", b=changed, parameters={"how": how})


def as_written(rates: Rates, how: str) -> Rates:
    """A log as a program may write it."""
    match how:
        case "every 10th step":
            return rates.rows(slice(None, None, 10))
        case "every 50th step":
            return rates.rows(slice(None, None, 50))
        case "float32":
            return replace(rates, lr=rates.lr.astype(np.float32).astype(np.float64))
        case "6 digits":
            lr = np.array([float(f"{each:.6g}") for each in rates.lr.tolist()])
            with np.errstate(divide="ignore"):
                unit = np.where(lr > 0, 10.0 ** (np.floor(np.log10(np.where(lr > 0, lr, 1.0))) - 5), 0.0)
            return replace(rates, lr=lr, rounding=unit / 2)
        case _:
            return rates


def _writing(updates: int, random: np.random.Generator) -> str:
    """One log of three is thinned or written with fewer digits."""
    if random.random() > 1 / 3:
        return "as it is"
    thinnable = {"every 10th step": 500, "every 50th step": 2500}
    return str(random.choice([how for how in WRITINGS if updates >= thinnable.get(how, 0)]))


def _with_rows_lost(label: str, rates: Rates, random: np.random.Generator) -> tuple[Rates, dict[str, Any]]:
    count = len(rates)
    if label == "length":
        kept = int(random.integers(count // 2, count - 2))
        return rates.rows(slice(None, kept)), {"steps_a": count, "steps_b": kept}
    lost = random.choice(np.arange(1, count - 1), max(1, int(count * random.uniform(0.01, 0.2))), replace=False)
    kept = np.ones(count, dtype=bool)
    kept[lost] = False
    return rates.rows(kept), {
        "missing_a": 0,
        "missing_b": len(lost),
        "repeated_a": 0,
        "repeated_b": 0,
        "step": int(lost.min()),
    }


def _differ(x: Rates, y: Rates) -> bool:
    """Whether a row that both have differs by more than rounding and drift could."""
    _, ours, theirs = np.intersect1d(x.step, y.step, return_indices=True)
    a, b = x.lr[ours], y.lr[theirs]
    peak = max(a.max(initial=0), b.max(initial=0))
    allowed = (
        4 * ULP32 * ulp32(np.maximum(np.maximum(a, b), peak))
        + x.rounding[ours]
        + y.rounding[theirs]
        + 2e-5 * np.maximum(a, b)
    )
    return bool((np.abs(a - b) > allowed).any())


def _turned(case: Case) -> Case:
    """The same pair the other way round."""
    swap = {"a": "b", "b": "a"}
    turned: dict[str, Any] = {}
    for key, value in case.parameters.items():
        match key:
            case "side":
                turned[key] = swap[value]
            case "steps" if case.name == "shift":
                turned[key] = -value
            case "factor":
                turned[key] = 1 / value
            case "numbers":
                turned[key] = {name: pair[::-1] for name, pair in value.items()}
            case _ if key.endswith(("_a", "_b")):
                turned[key[:-1] + swap[key[-1]]] = value
            case _:
                turned[key] = value
    again = case.again and (lambda told, again=case.again: again(_back(case.name, told)))
    return replace(case, a=case.b, b=case.a, written=case.written[::-1], parameters=turned, again=again, turned=True)


def _back(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a pair that was turned, as they were before."""
    swap = {"a": "b", "b": "a"}
    found: dict[str, Any] = {}
    for key, value in told.items():
        if key == "steps" and name == "shift":
            found[key] = -value
        elif key == "factor":
            found[key] = 1 / value
        elif key.endswith(("_a", "_b")):
            found[key[:-1] + swap[key[-1]]] = value
        else:
            found[key] = swap.get(value, value) if key == "side" else value
    return found
