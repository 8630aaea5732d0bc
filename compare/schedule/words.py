"""What is said of one schedule: its timeline, the rates of both frameworks, the proof of a translation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from samestep.experiment.frameworks import LABELS
from samestep.experiment.schedules.text import to_short

from ..show.result import aligned
from ..words import at_place, counted, epoch_in_steps, large_batch

if TYPE_CHECKING:
    from .explain import Explanation
    from .simulate import Agreement, Simulation
    from .translate import Translation


ORIGINS: dict[str, str] = {**LABELS, "vocabulary": "the closed form"}


def explanation(explained: Explanation) -> Iterator[tuple[str, str]]:
    """The timeline in words, the changes as a table, the warnings with what to write instead."""
    yield from (("", sentence) for sentence in _timeline(explained))
    within = "batch" if explained.clock.accumulate == 1 else "update"
    rows: list[tuple[str, ...]] = [("change", "step", "epoch", within, "rate")]
    half, left_out = len(explained.shown) // 2, explained.changes - len(explained.shown)
    for index, change in enumerate(explained.shown):
        if left_out and index == half:
            rows.append(("…", "…", "…", "…", "…"))
        number = index + 1 + (left_out if index >= half else 0)
        place = change.place
        counts = (f"{each:,}" for each in (number, place.step, place.epoch, place.batch))
        rows.append((*counts, f"{change.lr:.6g}"))
    yield from (("|", row) for row in (aligned(rows, left=0) if explained.shown else ()))
    for doubt in explained.warnings:
        yield "", f"Warning: {doubt.says}"
        yield "  ", doubt.advice


def _timeline(explained: Explanation) -> list[str]:
    """The timeline in words."""
    clock, first = explained.clock, explained.first_change
    looked_up = "before every update" if explained.stepping == "step" else "once, as an epoch begins"
    run = f"{counted(explained.epochs, 'epoch')} {'is' if explained.epochs == 1 else 'are'}"
    said = [
        f"{to_short(explained.schedule)}, looked up {looked_up}.",
        epoch_in_steps(clock),
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
    from .simulate import changes, changes_of

    total, changed = changes(simulated)
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
