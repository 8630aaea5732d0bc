"""What the report of a run says, as plain values: the templates only lay it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samestep.experiment.frameworks import LABELS
from samestep.experiment.plan import FRAMEWORKS, Arm, Framework, Plan
from samestep.experiment.schedules import Constant, ExponentialDecay
from samestep.experiment.schedules.text import to_short

from ..words import at_place, counted, epoch_in_steps, setting
from .summary import ArmSummary, Run, Summary, question_arms, within_an_epoch
from .words import arm_name, evidence, verdict, warnings

Manifests = Mapping[Framework, Mapping[str, Any]]


def page(summary: Summary, plan: Plan, manifests: Manifests) -> dict[str, Any]:
    """All values that the templates of the report use, except versions and pictures."""
    return {
        "plan": plan,
        "verdict": verdict(summary, plan),
        "evidence": evidence(summary),
        "warnings": warnings(summary),
        "why": _why(plan, summary, manifests),
        "arm_rows": [_arm_row(arm, plan, manifests) for arm in summary.arms],
        "difference_rows": [_difference_row(arm, plan) for arm in summary.arms],
        "notes": _notes(plan, manifests),
        "partings": _partings(plan, summary),
        "controls": _controls(plan),
        "setting": setting(plan),
    }


def _why(plan: Plan, summary: Summary, manifests: Manifests) -> dict[str, Any] | None:
    """Why the rate fell in the first epoch, and what to write instead: one block of code per framework."""
    found = within_an_epoch(plan)
    if found is None:
        return None
    (arm, count), per_epoch = found, plan.clock.steps_per_epoch
    run = next(each for each in summary.arms if each.arm == arm.name).frameworks["tensorflow"]
    sentences = [f"decay_steps={count} counts optimizer steps, one per batch, not epochs.", epoch_in_steps(plan.clock)]
    if run.first_change:
        sentences.append(
            f"{counted(count, 'step')} {'is' if count == 1 else 'are'} less than one epoch, so the rate first changed "
            f"at {at_place(run.first_change)}, and {counted(run.changes, 'time')} in {counted(plan.epochs, 'epoch')}."
        )
    sentences.append(
        f"To count in epochs, write decay_steps={count * per_epoch}, that is {count} × {per_epoch}, or keep {count} "
        "and have the rate looked up once per epoch. PyTorch has the same choice: step_size counts calls of "
        "scheduler.step(), and its place in the loop says what they are."
    )
    sources = {LABELS[framework]: manifests[framework]["arms"][arm.name]["meant"] for framework in FRAMEWORKS}
    return {
        "sentences": sentences,
        "per_step": {label: source["step"] for label, source in sources.items()},
        "per_epoch": {label: source["epoch"] for label, source in sources.items()},
    }


def captions(summary: Summary, plan: Plan) -> dict[str, tuple[str, str]]:
    """For each picture of the report the words for those who do not see it, and its caption."""
    seed = f" Seed {plan.seeds[0]} of {len(plan.seeds)}." if len(plan.seeds) > 1 else ""
    arms = [arm for arm in summary.arms if arm.seed == plan.seeds[0]]
    changes = "; ".join(f"{arm.arm} {_changes(arm.frameworks['tensorflow'])}" for arm in arms)
    gap = max(arm.loss.max_relative for arm in arms)
    shown = [arm.name for arm in question_arms(plan)]
    firsts = {arm.arm: arm.frameworks["tensorflow"].loss_parts for arm in arms if arm.arm in shown[1:]}
    parted = "; ".join(f"{arm} {'never' if at is None else f'step {at.step}'}" for arm, at in firsts.items())
    first = f"First batch loss that differs: {parted}." if parted and plan.constant_arm else ""
    apart = f"they differ by at most {gap:.1e} relative"
    agree = all(arm.loss.verdict == "same" for arm in arms if arm.arm in shown)
    same = "; PyTorch's coincide with them" if agree else ""
    return {
        "rates": (
            f"Learning rate against step for each arm, whole run and first epochs. Rate changes: {changes}.",
            f"The rate that each update used. Vertical lines are epoch boundaries.{seed}",
        ),
        "losses": (
            f"Batch loss against step, one panel for each arm, Keras and PyTorch drawn over one another; {apart}.",
            f"Batch losses, dropout on. Where only one line is visible, both coincide.{seed}",
        ),
        "loss-differences": (
            f"Relative difference of the batch losses of Keras and PyTorch against step; at most {gap:.1e}.",
            f"The difference between the losses of both frameworks: the largest in each bin of steps.{seed}",
        ),
        "question": (
            f"Rate, eval loss and distance from {shown[0]} against step for {', '.join(shown)}. {first}",
            f"Keras' runs{same}.{seed}",
        ),
    }


def _changes(run: Run) -> str:
    if run.first_change is None:
        return "never"
    return f"{f'{run.changes} times, first' if run.changes > 1 else 'once,'} at step {run.first_change.step}"


def _describe(arm: Arm) -> str:
    match schedule := arm.schedule:
        case Constant():
            return f"{schedule.initial:g} throughout"
        case ExponentialDecay():
            kind = "staircase" if schedule.staircase else "smooth"
            return f"{schedule.initial:g} × {schedule.factor:g} every {schedule.every}, {kind}"
        case _:
            return to_short(schedule)


def _arm_row(arm: ArmSummary, plan: Plan, manifests: Manifests) -> dict[str, str]:
    planned = next(each for each in plan.arms if each.name == arm.arm)
    keras, torch = (arm.frameworks[framework] for framework in FRAMEWORKS)
    agree = (keras.changes, keras.first_change) == (torch.changes, torch.first_change)
    first = keras.first_change
    return {
        "arm": arm_name(arm, plan),
        "schedule": _describe(planned),
        "stepping": planned.stepping,
        "Keras": manifests["tensorflow"]["arms"][arm.arm]["native"],
        "PyTorch": manifests["torch"]["arms"][arm.arm]["native"],
        "changes": str(keras.changes) if agree else f"{keras.changes} in Keras, {torch.changes} in PyTorch",
        "first change": "–" if first is None else f"step {first.step}, epoch {first.epoch}, batch {first.batch}",
        "final rate": f"{torch.final_lr:.6g}",
        "rates": arm.lr.verdict,
        "losses": arm.loss.verdict,
    }


def _difference_row(arm: ArmSummary, plan: Plan) -> dict[str, str]:
    return {
        "arm": arm_name(arm, plan),
        "rates, ULP of allowed": f"{arm.lr.applied.ulp32:.1f} of {arm.lr.applied.allowed_ulp32:.1f}",
        "rates, relative": f"{arm.lr.max_relative:.1e}",
        "Keras from closed form": f"{arm.frameworks['tensorflow'].max_relative:.1e}",
        "PyTorch from closed form": f"{arm.frameworks['torch'].max_relative:.1e}",
        "losses, relative": f"{arm.loss.max_relative:.1e}",
    }


def _partings(plan: Plan, summary: Summary) -> list[str]:
    if plan.constant_arm is None:
        return []
    said = []
    for arm in summary.arms:
        if arm.arm == plan.constant_arm.name or arm.seed != plan.seeds[0]:
            continue
        keras, torch = (arm.frameworks[framework] for framework in FRAMEWORKS)
        alike = (keras.lr_parts, keras.loss_parts) == (torch.lr_parts, torch.loss_parts)
        for who, run in [("both frameworks", keras)] if alike else [("Keras", keras), ("PyTorch", torch)]:
            rate = "never changes" if run.lr_parts is None else f"first differs at {at_place(run.lr_parts)}"
            loss = "never does" if run.loss_parts is None else f"at {at_place(run.loss_parts)}"
            said.append(f"{arm.arm}, {who}: the rate {rate}, the batch loss {loss}.")
    return said


def _controls(plan: Plan) -> list[tuple[str, str, str]]:
    chosen = plan.controls.model_dump()
    made = {
        "data": "the rows of training data",
        "order": "the order of the rows, shuffled anew in each epoch",
        "weights": "the initial weights" + (": Glorot uniform, zero bias" if chosen["weights"] == "shared" else ""),
        "masks": "which units dropout leaves out in each update",
    }
    says = {
        "shared": "drawn once with NumPy and given to both frameworks",
        "native": "made by each framework in its own way, from the same seed",
    }
    said = [(name, made[name], says[chosen[name]]) for name in made]
    if plan.data.kind == "csv":
        rows = f"the rows of {plan.data.path}, target {plan.data.target}"
        said[0] = ("data", rows, "read from the file by each framework")
    return said


def _notes(plan: Plan, manifests: Manifests) -> list[str]:
    return [
        f"{arm.name}, {LABELS[framework]}: {manifests[framework]['arms'][arm.name]['note']}"
        for arm in plan.arms
        for framework in FRAMEWORKS
        if manifests[framework]["arms"][arm.name]["note"]
    ]
