"""What is said of a run on a terminal and in the report: the verdict, its figures, what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

from samestep.experiment.frameworks import LABELS
from samestep.experiment.plan import Plan

from ..show.result import aligned
from ..words import at_place, counted, large_batch
from .summary import ArmSummary, Summary, within_an_epoch


def lines(summary: Summary, plan: Plan) -> Iterator[tuple[str, str]]:
    """What a terminal shows: a table of the arms, the verdict, what to write instead, and what must be known."""
    rows = [("arm", "changes", "first change: step", "final rate", "rates", "losses")]
    for arm in summary.arms:
        torch = arm.frameworks["torch"]
        first, verdicts = torch.first_change, (arm.lr.verdict, arm.loss.verdict)
        changed = f"{first.step} (epoch {first.epoch}, batch {first.batch})" if first else "never"
        rows.append((arm_name(arm, plan), str(torch.changes), changed, f"{torch.final_lr:.6g}", *verdicts))
    yield from (("|", row) for row in aligned(rows, left=len(rows[0])))
    texts = (large_batch(plan.clock), verdict(summary, plan), advice(plan), *warnings(summary))
    yield from (("", text) for text in texts if text)


def verdict(summary: Summary, plan: Plan) -> str:
    """The verdict in a sentence."""
    count = f"all {len(plan.arms)} arms" if len(plan.arms) > 1 else f"arm {plan.arms[0].name}"
    loss = max(arm.loss.max_relative for arm in summary.arms)
    if summary.verdict == "same":
        said = f"Keras and PyTorch used the same learning rates in {count}, to within rounding"
    else:
        said = f"Keras and PyTorch did not use the same learning rates: {_parting(summary)}"
    match summary.loss_verdict:
        case "same":
            near = f"to {loss:.1e}" if loss else "to the bit"
            return f"{said}, and their batch losses agree {near}: what changes the training is the schedule."
        case "differs":
            return f"{said}, but their batch losses differ by up to {loss:.1e}."
        case _:
            return f"{said}; there is no verdict on the losses, for the reason below."


def evidence(summary: Summary) -> list[str]:
    """The figures behind the verdict, each with its tolerance."""
    losses = max(summary.arms, key=lambda arm: arm.loss.max_relative)
    said = [_rate_difference(summary)]
    if losses.loss.compared:
        said.append(
            f"The batch losses differ by at most {losses.loss.max_relative:.1e} relative, in arm {losses.arm}; the "
            f"tolerance with this optimizer is {losses.loss.tolerance:g}{_first_beyond(summary)}."
        )
    return said


def warnings(summary: Summary) -> list[str]:
    """What a reader must know before anything else: divergence, and why losses cannot be or are not the same."""
    said = [
        f"Arm {arm.arm}, seed {arm.seed}: in {LABELS[framework]} the training diverged: the loss is not finite "
        f"from {at_place(run.diverged)} on. Statements about losses cover the updates before that."
        for arm in summary.arms
        for framework, run in arm.frameworks.items()
        if run.diverged
    ]
    notes = [arm.loss.note for arm in summary.arms if arm.loss.note and arm.loss.verdict != "same"]
    return said + list(dict.fromkeys(note for note in notes if "not finite" not in note))


def advice(plan: Plan) -> str | None:
    """What to write instead, in a line, for the first arm in steps whose period is shorter than an epoch."""
    found = within_an_epoch(plan)
    if found is None:
        return None
    (arm, count), per_epoch = found, plan.clock.steps_per_epoch
    return (
        f"Arm {arm.name}: {counted(count, 'step')} {'is' if count == 1 else 'are'} less than an epoch of {per_epoch}. "
        f"If {counted(count, 'epoch')} {'was' if count == 1 else 'were'} meant, write "
        f"decay_steps={count * per_epoch} in Keras, step_size={count * per_epoch} in PyTorch."
    )


def _rate_difference(summary: Summary) -> str:
    """How far the rates differ, with the tolerance that was applied."""
    most = max(summary.arms, key=lambda arm: arm.lr.max_relative)
    if most.lr.max_relative == 0:
        return "The rates have the same bits in all arms."
    said = f"The rates differ by at most {most.lr.max_relative:.1e} relative, in arm {most.arm}."
    arm = max(summary.arms, key=lambda arm: arm.lr.applied.used)
    where = "Furthest beyond" if arm.lr.verdict == "differs" else "Closest to"
    said += f" {where} its tolerance is arm {arm.arm}, at step {arm.lr.applied.row:,}: {arm.lr.applied}."
    if arm.lr.drift_per_decay:
        said += (
            f" float32 holds its decay factor with a relative error of {arm.lr.drift_per_decay:.2e}, which each decay "
            f"repeats, and rounds the exponent of a smooth decay; without this drift at most "
            f"{arm.lr.residual_ulp32:.1f} ULP are left."
        )
    return said


def _first_beyond(summary: Summary) -> str:
    first = next((arm for arm in summary.arms if arm.loss.verdict == "differs"), None)
    if first is None or first.loss.first_difference is None:
        return ""
    return f", first exceeded in arm {first.arm} at {at_place(first.loss.first_difference)}"


def _parting(summary: Summary) -> str:
    for arm in summary.arms:
        at = arm.lr.first_difference
        if at:
            return f"in arm {arm.arm} they first differ at {at_place(at)}, {at.a:g} in Keras and {at.b:g} in PyTorch"
    arm, framework = next(
        (arm, framework)
        for arm in summary.arms
        for framework, run in arm.frameworks.items()
        if run.verdict == "differs"
    )
    far = arm.frameworks[framework].max_relative
    return f"in arm {arm.arm} the rates of {LABELS[framework]} differ from the closed form by up to {far:.1e} relative"


def arm_name(arm: ArmSummary, plan: Plan) -> str:
    """The arm, with its seed where there are several."""
    return arm.arm if len(plan.seeds) == 1 else f"{arm.arm}, seed {arm.seed}"
