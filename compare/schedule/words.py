"""What is said of one schedule or log: its timeline, the rates of both frameworks, the proof of a translation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from samestep.experiment.clock import Clock, Place
from samestep.experiment.frameworks import LABELS
from samestep.experiment.schedules.text import to_short

from ..show.result import aligned
from ..words import at_place, counted, epoch_in_steps, large_batch, listed
from .ask import changes_of

if TYPE_CHECKING:
    from .explain import Explanation
    from .simulate import Agreement, Simulation
    from .timeline import Timeline
    from .translate import Translation
    from .warnings import Doubt


ORIGINS: dict[str, str] = {**LABELS, "vocabulary": "the closed form"}


def explanation(explained: Explanation) -> Iterator[tuple[str, str]]:
    """The timeline in words, the changes as a table, the warnings with what to write instead."""
    yield from (("", sentence) for sentence in _timeline(explained))
    yield from (("", f"Assumed: {sentence}") for sentence in explained.assumed)
    shown = [(change.place.step, change.place, change.lr) for change in explained.shown]
    yield from _changes(explained.clock, explained.changes, shown)
    yield from _warnings(explained.warnings)


def timeline(explained: Timeline, warns: bool = True) -> Iterator[tuple[str, str]]:
    """What a log follows, its timeline in words, the changes as a table, the warnings with what to write instead."""
    from ..refute.estimate import usual_distance  # and what infers with it

    yield from explained.inference.lines()
    yield from (("   ", f"assumed: {sentence}") for sentence in explained.inference.side.assumed)
    rates, first = explained.rates, explained.first_change
    rows, last = counted(len(rates), "row"), at_step(explained.clock, int(rates.step[-1]))
    at = f", at {at_step(explained.clock, int(rates.step[0]))}," if rates.step[0] else ""
    begins = f"The rate begins at {rates.lr[0]:.6g}{at}"
    if first is None:
        yield "", f"{begins} and never changes in {rows}."
    else:
        yield (
            "",
            (
                f"{begins} and first changes at {at_step(explained.clock, first.step)}, to {first.lr:.6g}: "
                f"{counted(explained.changes, 'change')} in {rows}. The final rate is {rates.lr[-1]:.6g}, at {last}."
            ),
        )
    if (apart := usual_distance(rates)) > 1 and first is not None:
        early = counted(apart - 1, "step")
        yield "", f"The rows are {counted(apart, 'step')} apart: a change may lie up to {early} before its row."
    if steps := explained.starts_again:
        places = [at_step(explained.clock, step) for step in steps[:FEW_PLACES]]
        more = [f"{len(steps) - FEW_PLACES:,} more"] if len(steps) > FEW_PLACES else []
        times = "" if len(steps) == 1 else f" {len(steps):,} times"
        yield "", f"It starts again{times}, at {listed([*places, *more])}."
    shown = [(change.step, explained.place(change.step), change.lr) for change in explained.shown]
    yield from _changes(explained.clock, explained.changes, shown)
    yield from _warnings(explained.warnings if warns else ())


FEW_PLACES = 6
"""Places that a sentence lists at most."""


def _changes(
    clock: Clock | None, changes: int, shown: Sequence[tuple[int, Place | None, float]]
) -> Iterator[tuple[str, str]]:
    """The changes as a table: each its step, its place and its rate."""
    within = "batch" if clock is None or clock.accumulate == 1 else "update"
    rows: list[tuple[str, ...]] = [("change", "step", "epoch", within, "rate")]
    half, left_out = len(shown) // 2, changes - len(shown)
    for index, (step, place, lr) in enumerate(shown):
        if left_out and index == half:
            rows.append(("…", "…", "…", "…", "…"))
        number = index + 1 + (left_out if index >= half else 0)
        of_epoch = ("–", "–") if place is None else (f"{place.epoch:,}", f"{place.batch:,}")
        rows.append((f"{number:,}", f"{step:,}", *of_epoch, f"{lr:.6g}"))
    yield from (("|", row) for row in (aligned(rows, left=0) if shown else ()))


def _warnings(found: Sequence[Doubt]) -> Iterator[tuple[str, str]]:
    for doubt in found:
        yield "", f"Warning: {doubt.says}"
        yield "  ", doubt.advice


def at_step(clock: Clock | None, step: int) -> str:
    """Where an update is, with its epoch and batch where they are known."""
    return f"step {step:,}" if clock is None else at_place(clock.place(step))


def _timeline(explained: Explanation) -> list[str]:
    """The timeline in words."""
    clock, first = explained.clock, explained.first_change
    looked_up = "before every update" if explained.stepping == "step" else "once, as an epoch begins"
    run = f"{counted(explained.epochs, 'epoch')} {'is' if explained.epochs == 1 else 'are'}"
    said = [
        f"{to_short(explained.schedule)}, looked up {looked_up}.",
        epoch_in_steps(clock) if clock.batch_size > 1 else f"An epoch is {counted(clock.steps_per_epoch, 'step')}.",
        f"{run} {counted(explained.epochs * clock.steps_per_epoch, 'step')}.",
    ]
    if first is None:
        return [*said, f"The rate is {explained.first_rate:g} and never changes."]
    at = at_place(first.place)
    if clock.accumulate > 1:
        begins = first.place.batch * clock.accumulate
        within = f"update {first.place.batch} of it, from batch {begins} on"
        at = f"step {first.place.step} (epoch {first.place.epoch}, {within})"
    said.append(
        f"The rate begins at {explained.first_rate:g} and first changes at {at}, to "
        f"{first.lr:.6g}: {counted(explained.changes, 'change')} in {counted(explained.epochs, 'epoch')}. "
        f"The final rate is {explained.final_rate:.6g}."
    )
    return said


def simulation(simulated: Simulation) -> Iterator[tuple[str, str]]:
    """The changes as a table with all three rates, and how far each framework lies from the closed form."""
    total, changed = simulated.changes()
    rows: list[tuple[str, ...]] = [("step", "epoch", "batch", "closed form", *LABELS.values())]
    for index, row in enumerate(changed):
        if total > len(changed) - 1 and index == 1 + (len(changed) - 1) // 2:
            rows.append(("…",) * 6)
        rates = [row[name] for name in ("lr_closed_form", "lr_tensorflow", "lr_torch")]
        counts = (f"{row[name]:,}" for name in ("step", "epoch", "batch"))
        rows.append((*counts, *("–" if rate is None else f"{rate:.9g}" for rate in rates)))
    yield from (("|", row) for row in aligned(rows, left=0))
    if said := large_batch(simulated.clock):
        yield "", said
    yield from (("", f"Assumed: {sentence}") for sentence in simulated.assumed)
    steps = counted(len(simulated.lr_closed_form), "step")
    yield "", f"{counted(total, 'change')} of the closed form in {steps}."
    if len(simulated.lr_closed_form) < simulated.run_steps:
        yield "", f"The schedule ends there; the run has {counted(simulated.run_steps, 'step')}."
    for name, answer in simulated.answers.items():
        label, against = LABELS[name], simulated.against[name]
        parts = f", first beyond the tolerance at step {against.parts_at}" if against.parts_at is not None else ""
        said = (
            f"{label}: {answer.native}, {counted(len(changes_of(answer.lr)), 'change')}, at most "
            f"{against.max_ulp32:.2g} float32 ULP from the closed form ({against.max_relative:.1e} relative){parts}; "
            f"{_tolerance(against)}."
        )
        yield "", said
        if answer.note:
            yield "  ", answer.note


def proof(translation: Translation) -> list[str]:
    """The proof in words, a line each."""
    proof, to = translation.proof, LABELS[translation.to]
    whose = f"{to}'" if to.endswith("s") else f"{to}'s"
    built = f"{whose} own class" if translation.exact else f"{to} with a stand-in"
    compared = (
        f"Proof: {proof.compared:,} steps, {ORIGINS[translation.origin]} against {built}: at most "
        f"{proof.max_ulp32:.2g} float32 ULP apart ({proof.max_relative:.1e} relative); "
        f"{_tolerance(proof)}."
    )
    said = [compared]
    if proof.parts_at is not None:
        said.append(f"They first differ at step {proof.parts_at}.")
    elif translation.parts_at is not None:
        after = "after the end: PyTorch extrapolates once and then raises, Keras holds"
        said.append(f"They first differ at step {translation.parts_at}, {after}.")
    return said + [f"Note: {note}" for note in (large_batch(translation.clock), *translation.notes) if note]


def _tolerance(agreement: Agreement) -> str:
    """The tolerance in words."""
    said = f"the tolerance is {agreement.tolerance_ulp32} ULP"
    if agreement.tolerance_drift >= 0.05:
        said += f", and {agreement.tolerance_drift:.2g} ULP that parameters held in float32 explain"
    return said
