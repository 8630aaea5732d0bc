"""Compares two sides: reads them, pairs their runs, diagnoses each pair, and puts the result into words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from compare.comparison_doubt import doubt, is_zero, modest
from compare.diagnose.diagnosis import Cause, Diagnosis, Verdict, diagnose
from compare.diagnose.fixes import Fix, fix
from compare.diagnose.scene import Scene
from compare.diagnose.words import sentence
from compare.losses import Losses, losses
from compare.requests import refuse_idle
from compare.runs import SELECTS, CompareError, Run, common_rows, listed_keys
from compare.sides import Settings, Side, clock_of, read_side, schedule_run
from compare.tolerance import ULP32, ulp32
from compare.words import large_batch
from experiment.clock import Clock, Place, Stepping

MOST_STEPS = 100_000_000
WORST: tuple[Verdict, ...] = ("differs", "inconclusive", "same")


@dataclass(frozen=True)
class Request:
    """What is to be compared.

    a, b : a trace, a log, a folder of a run, or a schedule. clock : where it was given.
    ulp : float32 ULP within which two rates are the same. stepping : of a side that is a schedule; None for by step.
    epochs : of two schedules, how long they are looked at.
    """

    a: str
    b: str
    clock: Clock | None = None
    ulp: float = ULP32
    settings_a: Settings = field(default_factory=Settings)
    settings_b: Settings = field(default_factory=Settings)
    stepping: Stepping | None = None
    epochs: int | None = None


@dataclass(frozen=True, eq=False)
class Compared:
    """One run of a against one of b.

    name : what tells this pair from the others. verdict : `inconclusive` also where the diagnosis stands, but may be
    what the log's convention makes of two equal runs; `doubt` then says how to settle it, and `depends_on` what it is.
    digits : the written digits without which two rates would not be the same: a's 6 digits.
    """

    name: str
    a: Run
    b: Run
    diagnosis: Diagnosis
    verdict: Verdict
    sentence: str
    fix: Fix
    also: tuple[tuple[Cause, str], ...]
    doubt: str | None
    losses: Losses
    depends_on: str | None = None
    digits: str = ""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two sides and every pair of their runs; at least one pair."""

    a: Side
    b: Side
    clock: Clock | None
    stepping: Stepping
    pairs: tuple[Compared, ...]
    notes: tuple[str, ...] = ()

    @property
    def worst(self) -> Compared:
        """The pair that decides: the first with the worst verdict."""
        return min(self.pairs, key=lambda pair: WORST.index(pair.verdict))

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of any pair."""
        return self.worst.verdict

    def place(self, step: int) -> Place | None:
        """Where a step is; None where the steps of an epoch are not known."""
        return None if self.clock is None else self.clock.place(step)


def compare(request: Request) -> Comparison:
    """Compare two sides.

    Raises CompareError or ReadError, with one or two lines, for what cannot be read or paired.
    """
    a = read_side(request.a, "a", request.settings_a, request.clock)
    b = read_side(request.b, "b", request.settings_b, request.clock)
    refuse_idle(request, a, b)
    clock = request.clock or _clock(a, b)
    notes = [said] if clock and (said := large_batch(clock)) else []
    found = []
    for name, run_a, run_b in _pairs(a, b, clock, request, notes):
        found.append(_compared(name, (a, run_a), (b, run_b), clock, request.ulp))
    return Comparison(a, b, clock, request.stepping or "step", tuple(found), tuple(notes))


def _clock(a: Side, b: Side) -> Clock | None:
    """The clock that the logs speak of. Raises CompareError where they speak of two."""
    clocks = [clock_of(side) for side in (a, b)]
    known = [clock for clock in clocks if clock is not None]
    sizes = {clock.steps_per_epoch for clock in known}
    if len(sizes) > 1:
        raise CompareError(
            f"a has {known[0].steps_per_epoch} steps in an epoch and b {known[1].steps_per_epoch}. "
            "Give --samples and --batch-size, or --steps-per-epoch, to say which to count in."
        )
    whole = [clock for clock in known if clock.samples > clock.steps_per_epoch]  # a plan knows more than columns do
    return next(iter([*whole, *known]), None)


def _pairs(a: Side, b: Side, clock: Clock | None, request: Request, notes: list[str]) -> Iterator[tuple[str, Run, Run]]:
    if a.schedule is not None and b.schedule is not None:
        steps = _steps_of_schedules(a, b, clock, request, notes)
        both = [schedule_run(side, steps, clock, request.stepping or "step") for side in (a, b)]
        yield "schedules", both[0], both[1]
        return
    if a.schedule is not None:
        for name, run in _named(b.runs):
            yield name, schedule_run(a, run.rates.step, clock, request.stepping or "step"), run
        return
    if b.schedule is not None:
        for name, run in _named(a.runs):
            yield name, run, schedule_run(b, run.rates.step, clock, request.stepping or "step")
        return
    yield from _matched(a, b)


def _named(runs: Sequence[Run]) -> Iterator[tuple[str, Run]]:
    """Runs with what tells each from the others."""
    differing = [part for part in SELECTS if len({getattr(run.key, part) for run in runs}) > 1]
    for run in runs:
        yield ", ".join(_part(run, part) for part in differing) or run.key.arm, run


def _part(run: Run, part: str) -> str:
    value = getattr(run.key, part)
    return f"seed {value}" if part == "seed" else str(value)


def _matched(a: Side, b: Side) -> Iterator[tuple[str, Run, Run]]:
    """Runs of the same name; what each side has only one of need not have the same name."""
    sides = (a.runs, b.runs)
    free = [part for part in SELECTS if all(len({getattr(run.key, part) for run in runs}) == 1 for runs in sides)]
    keyed = [{tuple(getattr(r.key, part) for part in SELECTS if part not in free): r for r in runs} for runs in sides]
    if keyed[0].keys() != keyed[1].keys():
        listed = [listed_keys([run.key for run in runs]) for runs in sides]
        raise CompareError(
            f"a and b hold different runs. a: {listed[0]}. b: {listed[1]}.\n"
            "Select with --arm, --framework, --seed, or for one side with --a arm=…,framework=…,seed=… and --b …."
        )
    for name, run in _named(a.runs):
        key = tuple(getattr(run.key, part) for part in SELECTS if part not in free)
        yield name, run, keyed[1][key]


def _steps_of_schedules(a: Side, b: Side, clock: Clock | None, request: Request, notes: list[str]) -> np.ndarray:
    """As long as was asked for; else twice the length of the longer one, so that what comes after is seen."""
    counts = clock or Clock(1, 1)
    if request.epochs is not None:
        if clock is None:
            raise CompareError("--epochs counts epochs. Add --samples and --batch-size, or --steps-per-epoch.")
        steps = request.epochs * counts.steps_per_epoch
    else:
        try:
            lengths = [each.schedule.length(counts) for each in (a, b) if each.schedule is not None]
        except ValueError as error:
            raise CompareError(str(error)) from None
        known = [length for length in lengths if length is not None]
        if not known:
            raise CompareError("Neither schedule has an end. Say with --epochs how long to look at both.")
        steps = 2 * max(known)
        notes.append(f"Two schedules, over {steps:,} steps: twice the length of the longer one.")
    if not 1 <= steps <= MOST_STEPS:
        raise CompareError(f"{steps:,} steps. Write at least one epoch, and no more than {MOST_STEPS:,} steps.")
    return np.arange(steps, dtype=np.int64)


def _compared(name: str, a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None, ulp: float) -> Compared:
    diagnosis = modest(diagnose(a[1].rates, b[1].rates, clock, ulp), a, b)
    scene = _scene(a, b, clock, diagnosis)
    doubtful = doubt(diagnosis, a, b)
    return Compared(
        name=name,
        a=a[1],
        b=b[1],
        diagnosis=diagnosis,
        verdict="inconclusive" if doubtful else diagnosis.verdict,
        sentence=sentence(diagnosis.cause, scene),
        fix=fix(diagnosis.cause, scene),
        also=tuple((each, sentence(each, scene)) for each in diagnosis.also_possible),
        doubt=doubtful.says if doubtful else None,
        losses=losses(a, b, clock),
        depends_on=doubtful.on if doubtful else None,
        digits=scene.written if scene.digits else "",
    )


def _scene(a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None, diagnosis: Diagnosis) -> Scene:
    frameworks = ["schedule" if side.schedule is not None else run.key.framework for side, run in (a, b)]
    scene = Scene(
        clock=clock,
        inferred_a=diagnosis.inferred_a,
        inferred_b=diagnosis.inferred_b,
        framework_a=frameworks[0],
        framework_b=frameworks[1],
        first=diagnosis.first_difference,
        largest=diagnosis.max_relative,
        range_a=_range(a[1]),
        range_b=_range(b[1]),
        compared=diagnosis.compared,
        written_a=a[1].written,
        written_b=b[1].written,
        zero_a=is_zero(a[1]),
        zero_b=is_zero(b[1]),
    )
    if diagnosis.cause.name != "rounding":
        return scene
    left, most = _beside_drift(a[1], b[1], diagnosis)
    drifted = left < most / 2
    digits = 0.0 if drifted or most <= diagnosis.ulp32 else max(_digits(run) for _, run in (a, b))
    return replace(scene, drifted=drifted, rounding_ulp32=left, digits=digits)


def _digits(run: Run) -> float:
    """The largest part of a rate that its written digits leave open."""
    known = run.rates.lr > 0
    return float((run.rates.rounding[known] / run.rates.lr[known]).max(initial=0.0))


def _range(run: Run) -> tuple[int, int]:
    return int(run.rates.step[0]), int(run.rates.step[-1])


def _beside_drift(a: Run, b: Run, diagnosis: Diagnosis) -> tuple[float, float]:
    """How far the differences lie from the drift of the schedules, and from 0: the largest of each, in float32 ULP."""
    rows_a, rows_b = common_rows(a, b)
    if not len(rows_a):
        return 0.0, 0.0
    step, lr_a, lr_b = a.rates.step[rows_a], a.rates.lr[rows_a], b.rates.lr[rows_b]
    inferred = [each for each in (diagnosis.inferred_a, diagnosis.inferred_b) if each is not None]
    drifts = [each.float32_drift(step) for each in inferred]
    drift = np.max(drifts, axis=0) if drifts else np.zeros(len(step))
    apart, unit = np.abs(lr_a - lr_b), ulp32(np.maximum(lr_a, lr_b))
    return float((np.abs(apart - drift) / unit).max()), float((apart / unit).max())
