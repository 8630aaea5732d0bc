"""From what a user asked to the experiment of a ladder, and where its trainings are kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from samestep.experiment.frameworks import BY_WORD
from samestep.experiment.plan import Framework, Plan, Precision, question
from samestep.experiment.schedules import Constant
from samestep.experiment.validation import PlanError, describe

from ..show.folder import OutputError
from .variants import Experiment


def experiment(
    plan: Plan | str | Path | None,
    against: Plan | str | Path | None = None,
    arm: str | None = None,
    seed: int | None = None,
    precision: str | None = None,
    mend: str = "torch",
) -> Experiment:
    """One arm of a plan, or of two, to be trained in both frameworks.

    plan : one, or a file of it; None for the default plan. against : another one, for the framework that is mended.
    Raises PlanError with one line for a plan, an arm, a seed, a precision or a framework that cannot be had.
    """
    if mend not in BY_WORD:
        raise PlanError(f"--mend: {mend!r} is not torch or keras. Write one of them.")
    if precision is not None and precision not in get_args(Precision):
        raise PlanError(f"--precision: {precision!r} is not float32 or float64. Write one of them.")
    mended = BY_WORD[mend].name
    ours = _one_run(question() if plan is None else _loaded(plan), arm, seed, precision)
    other: Framework = "tensorflow" if mended == "torch" else "torch"
    theirs = ours if against is None else _one_run(_loaded(against), arm, seed, precision)
    if theirs.clock != ours.clock or theirs.epochs != ours.epochs:
        raise PlanError(
            f"--against: {theirs.steps} updates of {theirs.batch_size} rows, where the other plan has {ours.steps} of "
            f"{ours.batch_size}. Losses are compared update by update: give both the same samples, batches and epochs."
        )
    if theirs.precision != ours.precision:
        raise PlanError(f"--against: {theirs.precision}, where the other plan has {ours.precision}. Add --precision.")
    return Experiment({other: ours, mended: theirs}, mended)


def _loaded(plan: Plan | str | Path) -> Plan:
    return plan if isinstance(plan, Plan) else Plan.load(plan)


def _one_run(plan: Plan, arm: str | None, seed: int | None, precision: str | None) -> Plan:
    arms = {each.name: each for each in plan.arms}
    for option, asked, there in (("arm", arm, list(arms)), ("seed", seed, plan.seeds)):
        if asked is not None and asked not in there:
            more = f" and {len(there) - 10} more" if len(there) > 10 else ""
            few = ", ".join(map(str, there[:10]))
            raise PlanError(f"--{option}: {asked!r} is not one of {few}{more}. Write one of them.")
    moving = [each for each in plan.arms if not isinstance(each.schedule, Constant)]
    chosen = arms[arm] if arm is not None else (moving or plan.arms)[0]
    seeds = (plan.seeds[0] if seed is None else seed,)
    try:
        return plan.replace(arms=(chosen,), seeds=seeds, precision=precision or plan.precision)
    except ValidationError as error:
        raise PlanError(describe(error)) from None


@contextmanager
def kept_runs(out: Path) -> Iterator[Path]:
    """A folder beside `out` for the trainings: it stays where the ladder is interrupted, and goes when it is done.

    Raises OutputError where it cannot be made.
    """
    folder = out.parent / f".{out.name}.trainings"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}. Name another folder with --out.") from None
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
