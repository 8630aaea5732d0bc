"""Compares two sides: reads them, pairs their runs, diagnoses each pair, and puts the result into words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from samestep.experiment.clock import Clock, Stepping

from ..align.epochs import epoch_means
from ..align.losses import losses
from ..align.steps import common_rows
from ..causes.scene import Scene, Seen
from ..diagnose import Diagnosis, diagnose
from ..diagnose.doubt import doubt, is_zero, modest
from ..infer import Inferred
from ..refute.estimate import usual_distance
from ..runs.run import SELECTS, CompareError, Run, listed_keys
from ..runs.settings import Settings
from ..runs.settings import clock as clock_from
from ..runs.settings import stepping as stepping_from
from ..runs.side import Side, clock_of, holds_means, read_side, schedule_run
from ..terms import SIDES
from ..tolerance import ULP32, ulp32
from ..words import counted, large_batch
from .result import Compared, Comparison

MOST_STEPS = 100_000_000


def compare(
    a: object,
    b: object,
    *,
    samples: int | None = None,
    batch_size: int | None = None,
    drop_last: bool = False,
    accumulate: int = 1,
    steps_per_epoch: int | None = None,
    clock: Clock | None = None,
    epochs: int | None = None,
    stepping: str | None = None,
    ulp: float = ULP32,
    common: bool = False,
    columns: Mapping[str, str] | None = None,
    arm: str | None = None,
    framework: str | None = None,
    seed: int | None = None,
    of_a: Mapping[str, object] | None = None,
    of_b: Mapping[str, object] | None = None,
) -> Comparison:
    """Compare the learning rates of two runs: do they follow the same schedule, where do they first differ, and why?

    Args:
        a: A path to a log, a trace or the folder of a run; a pandas table with a column ``lr``; the plain list of rates
            of a training loop; a `Trace`; a schedule as text or object; or what `samestep.read` gave.
        b: The same, for the other run.
        samples: Rows of data in an epoch.
        batch_size: Rows in a batch.
        drop_last: Whether a last batch that is shorter is left out.
        accumulate: Batches whose gradients make one update.
        steps_per_epoch: Updates in an epoch, instead of the four above.
        clock: A `Clock`, instead of the five above.
        epochs: How long two schedules are compared.
        stepping: How often the rate of a schedule is looked up: ``step`` or ``epoch``.
        ulp: Float32 units in the last place within which two rates are the same.
        common: Whether only the steps that both logs have are compared.
        columns: Names of columns in both logs by what they hold: ``{"step": "global_step", "lr": "rate"}``.
        arm: The arm to select in both.
        framework: The framework to select in both.
        seed: The seed to select in both.
        of_a: What a alone needs: ``framework``, ``arm``, ``seed`` to select; ``step_base``, ``lr_timing``,
            ``loss_kind``, ``format``, ``column.step``, ``column.lr`` to say what its log means.
        of_b: The same for b.

    Returns:
        The comparison: it prints, shows itself in a notebook, and has the verdict, the cause and the fix as members.

    Raises:
        CompareError: Inputs that cannot be read or paired, or an argument that has no effect on them.

    Example:
        >>> meant = [0.1 * 0.5 ** (step // 96) for step in range(320)]
        >>> written = [0.1 * 0.5 ** (step // 3) for step in range(320)]
        >>> result = compare(meant, written, samples=1000, batch_size=32)
        >>> result.verdict, result.cause.name, result.cause.factor
        ('differs', 'counter', 32)
    """
    counts = clock or clock_from(samples, batch_size, drop_last, accumulate, steps_per_epoch)
    looked_up = None if stepping is None else stepping_from(stepping)
    if not (math.isfinite(ulp) and ulp >= 0):
        raise CompareError(f"--ulp: got {ulp:g}. Write a number from 0 on, like 8.")
    select = {"arm": arm, "framework": framework, "seed": seed}
    both = Settings({key: str(value) for key, value in select.items() if value is not None}, {}, columns or {})
    sides = (
        read_side(a, "a", Settings.of(of_a, "a", both), counts, looked_up or "step"),
        read_side(b, "b", Settings.of(of_b, "b", both), counts, looked_up or "step"),
    )
    _refuse_idle(sides, both, looked_up, epochs, common)
    counts = counts or _clock(*sides)
    notes = [said] if counts and (said := large_batch(counts)) else []
    pairs = list(_pairs(*sides, counts, looked_up or "step", epochs, notes))
    if common:
        pairs = [(name, *_common(run_a, run_b, f"{name}: " * (len(pairs) > 1), notes)) for name, run_a, run_b in pairs]
    found = tuple(
        _compared(name, (sides[0], a), (sides[1], b), counts, looked_up or "step", ulp) for name, a, b in pairs
    )
    return Comparison(*sides, counts, looked_up or "step", found, tuple(notes))


def _refuse_idle(
    sides: tuple[Side, Side], both: Settings, stepping: Stepping | None, epochs: int | None, common: bool
) -> None:
    """Reject options that have no effect on these inputs. Raises CompareError, with one line, that says what for."""
    schedules = sum(side.schedule is not None for side in sides)
    if epochs is not None and schedules < 2:
        raise CompareError(
            "--epochs says how long two schedules are compared; a log is compared as far as its rows go. Leave it out."
        )
    if stepping is not None and not schedules:
        raise CompareError("--stepping says how often a schedule's rate is looked up; here are two logs. Leave it out.")
    if common and schedules == 2:
        raise CompareError("--common is about logs; a schedule has a rate at each step. Leave it out.")
    given = [f"--{name}" for name in both.select] + (["--columns"] if both.columns else [])
    if schedules == 2 and given:
        raise CompareError(f"{given[0]} is about logs; here are two schedules. Leave it out.")


def _clock(a: Side, b: Side) -> Clock | None:
    """The clock that the logs speak of. Raises CompareError where they speak of two."""
    known = [clock for side in (a, b) if (clock := clock_of(side)) is not None]
    sizes = {clock.steps_per_epoch for clock in known}
    if len(sizes) > 1:
        raise CompareError(
            f"a has {known[0].steps_per_epoch} steps in an epoch and b {known[1].steps_per_epoch}. "
            "Give --samples and --batch-size, or --steps-per-epoch, to say which to count in."
        )
    whole = [clock for clock in known if clock.samples > clock.steps_per_epoch]  # a plan knows more than columns do
    return next(iter([*whole, *known]), None)


def _pairs(
    a: Side, b: Side, clock: Clock | None, stepping: Stepping, epochs: int | None, notes: list[str]
) -> Iterator[tuple[str, Run, Run]]:
    if a.schedule is not None and b.schedule is not None:
        steps = _steps_of_schedules(a, b, clock, epochs, notes)
        both = [schedule_run(side, steps, clock, stepping) for side in (a, b)]
        yield "schedules", both[0], both[1]
    elif a.schedule is None and b.schedule is None:
        yield from ((name, *_in_means((a, run_a), (b, run_b), clock)) for name, run_a, run_b in _matched(a, b))
    else:
        schedule, log = (a, b) if a.schedule is not None else (b, a)
        for name, run in _named(log.runs):
            predicted = schedule_run(schedule, run.rates.step, clock, stepping, holds_means(log))
            yield (name, run, predicted) if a.schedule is None else (name, predicted, run)


def _named(runs: Sequence[Run]) -> Iterator[tuple[str, Run]]:
    """Each run with the name that identifies it."""
    differing = [part for part in SELECTS if len({getattr(run.key, part) for run in runs}) > 1]
    for run in runs:
        parts = (f"{'seed ' if part == 'seed' else ''}{getattr(run.key, part)}" for part in differing)
        yield ", ".join(parts) or run.key.arm, run


def _matched(a: Side, b: Side) -> Iterator[tuple[str, Run, Run]]:
    """Runs of the same name; what each side has only one of need not have the same name."""
    sides = (a.runs, b.runs)
    named = [part for part in SELECTS if any(len({getattr(run.key, part) for run in runs}) != 1 for runs in sides)]
    keyed = [{tuple(getattr(run.key, part) for part in named): run for run in runs} for runs in sides]
    if keyed[0].keys() != keyed[1].keys():
        listed = [listed_keys([run.key for run in runs]) for runs in sides]
        raise CompareError(
            f"a and b hold different runs. a: {listed[0]}. b: {listed[1]}.\n"
            "Select with --arm, --framework, --seed, or for one side with --a arm=…,framework=…,seed=… and --b …."
        )
    for name, run in _named(a.runs):
        yield name, run, keyed[1][tuple(getattr(run.key, part) for part in named)]


def _common(a: Run, b: Run, place: str, notes: list[str]) -> tuple[Run, Run]:
    """Two runs at the steps that both have; how many rows that leaves becomes a note.

    place : which runs they are, for the note. Raises CompareError where they have no step in common.
    """
    rows_a, rows_b = common_rows(a, b)
    if not len(rows_a):
        (first_a, last_a), (first_b, last_b) = ([int(run.rates.step[end]) for end in (0, -1)] for run in (a, b))
        raise CompareError(
            f"{place}a and b have no step in common: a has {counted(len(a.rates), 'row')} in steps {first_a:,} to "
            f"{last_a:,}, b {counted(len(b.rates), 'row')} in {first_b:,} to {last_b:,}. Leave --common out."
        )
    left = f"{counted(len(rows_a), 'step')} that both have {'is' if len(rows_a) == 1 else 'are'} compared"
    notes.append(f"{place}Only the {left}, of {counted(len(a.rates), 'row')} of a and {len(b.rates):,} of b.")
    return a.at(rows_a), b.at(rows_b)


def _in_means(a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None) -> tuple[Run, Run]:
    """Both runs; if one holds the mean of each epoch, so does the other, as far as it has all rows of an epoch."""
    means = [holds_means(side) for side, _ in (a, b)]
    if clock is None or means[0] == means[1]:
        return a[1], b[1]
    if means[0]:
        return a[1], epoch_means(b[1], clock) or b[1]
    return epoch_means(a[1], clock) or a[1], b[1]


def _steps_of_schedules(a: Side, b: Side, clock: Clock | None, epochs: int | None, notes: list[str]) -> np.ndarray:
    """As long as was asked for; else twice the length of the longer one, so that what comes after is seen."""
    counts = clock or Clock.STEPS
    if epochs is not None:
        if clock is None:
            raise CompareError("--epochs counts epochs. Add --samples and --batch-size, or --steps-per-epoch.")
        steps = epochs * counts.steps_per_epoch
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


def _compared(
    name: str, a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None, stepping: Stepping, ulp: float
) -> Compared:
    diagnosis = _diagnosis(a, b, clock, stepping, ulp)
    if diagnosis.verdict != "same":
        for other_a, other_b in _read_otherwise(a, b, clock, stepping):
            otherwise = _diagnosis(other_a, other_b, clock, stepping, ulp)
            if otherwise.verdict == "same":
                a, b, diagnosis = other_a, other_b, otherwise
                break
    scene = _scene(a, b, clock, diagnosis)
    doubtful = doubt(diagnosis, a, b, clock, stepping)
    return Compared(
        name=name,
        a=a[1],
        b=b[1],
        diagnosis=diagnosis,
        verdict="inconclusive" if doubtful else diagnosis.verdict,
        sentence=diagnosis.cause.sentences(scene),
        fix=diagnosis.cause.fixes(scene),
        also=tuple((each, each.sentences(scene)) for each in diagnosis.also_possible),
        doubt=doubtful.says if doubtful else None,
        losses=losses(a, b, clock),
        depends_on=doubtful.on if doubtful else None,
        digits=scene.written if scene.digits else "",
    )


def _diagnosis(
    a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None, stepping: Stepping, ulp: float
) -> Diagnosis:
    asked = zip(SIDES, (a, b), strict=True)
    given = {name: found for name, side in asked if (found := _given(*side, clock, stepping)) is not None}
    return modest(diagnose(a[1].rates, b[1].rates, clock, ulp, given), a, b)


def _read_otherwise(
    a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None, stepping: Stepping
) -> Iterator[tuple[tuple[Side, Run], tuple[Side, Run]]]:
    """Both sides with a column of steps that begins anew read the other way, as far as their rates then agree."""
    ways = [[run] if run.otherwise is None else [run, run.otherwise] for _, run in (a, b)]
    for run_a, run_b in list(product(*ways))[1:]:
        both = [
            (side, run if side.schedule is None else schedule_run(side, log.rates.step, clock, stepping, means))
            for (side, run), log, means in zip(
                ((a[0], run_a), (b[0], run_b)), (run_b, run_a), (holds_means(b[0]), holds_means(a[0])), strict=True
            )
        ]
        rows = common_rows(both[0][1], both[1][1])
        lr_a, lr_b = (run.rates.lr[at] for (_, run), at in zip(both, rows, strict=True))
        if _mostly_same(lr_a, lr_b):
            yield both[0], both[1]


def _mostly_same(a: np.ndarray, b: np.ndarray) -> bool:
    return len(a) > 0 and bool((np.abs(a - b) <= 0.01 * np.maximum(a, b)).mean() > 0.9)


def _given(side: Side, run: Run, clock: Clock | None, stepping: Stepping) -> Inferred | None:
    """The schedule of a side that was given as one; None for a log."""
    if side.schedule is None or not len(run.rates):
        return None
    counts = clock or Clock.STEPS
    size = counts.steps_per_epoch if stepping == "epoch" else 1
    return Inferred(side.schedule.in_steps(counts), stepping, size, 0.0, float(run.rates.lr.max()))


def _scene(a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None, diagnosis: Diagnosis) -> Scene:
    seen = (_seen(*a, diagnosis.inferred_a), _seen(*b, diagnosis.inferred_b))
    first, largest, compared = diagnosis.first_difference, diagnosis.max_relative, diagnosis.compared
    scene = Scene(*seen, clock, first=first, largest=largest, compared=compared)
    if diagnosis.cause.is_exact or diagnosis.cause.verdict != "same":
        return scene
    left, most = _beside_drift(a[1], b[1], diagnosis)
    drifted = left < most / 2
    digits = 0.0 if drifted or most <= diagnosis.ulp32 else max(_digits(run) for _, run in (a, b))
    return replace(scene, drifted=drifted, rounding_ulp32=left, digits=digits)


def _digits(run: Run) -> float:
    """The largest part of a rate that its written digits leave open."""
    known = run.rates.lr > 0
    return float((run.rates.rounding[known] / run.rates.lr[known]).max(initial=0.0))


def _seen(side: Side, run: Run, inferred: Inferred | None) -> Seen:
    framework = "schedule" if side.schedule is not None else run.key.framework
    step = run.rates.step
    apart = usual_distance(run.rates)
    return Seen(inferred, framework, int(step[0]), int(step[-1]), run.written, is_zero(run), apart)


def _beside_drift(a: Run, b: Run, diagnosis: Diagnosis) -> tuple[float, float]:
    """How far the differences lie from the drift of the schedules, and from 0: the largest of each, in float32 ULP."""
    rows_a, rows_b = common_rows(a, b)
    if not len(rows_a):
        return 0.0, 0.0
    step, lr_a, lr_b = a.rates.step[rows_a], a.rates.lr[rows_a], b.rates.lr[rows_b]
    inferred = [each for each in (diagnosis.inferred_a, diagnosis.inferred_b) if each is not None]
    drift = np.max([np.zeros(len(step)), *(each.float32_drift(step) for each in inferred)], axis=0)
    apart, unit = np.abs(lr_a - lr_b), ulp32(np.maximum(lr_a, lr_b))
    return float((np.abs(apart - drift) / unit).max()), float((apart / unit).max())
