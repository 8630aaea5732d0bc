"""Which part of a loss gap between Keras and PyTorch comes from what: ``samestep attribute``.

`experiment` is what is asked, `variants` what is trained for it and kept, `ladder` climbs and measures, `advice` turns
what mattered into code, `result` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from samestep.experiment.plan import Plan

    from ..workers.runner import OnProgress
    from .result import Attribution


def attribute(
    plan: Plan | str | Path | None = None,
    against: Plan | str | Path | None = None,
    *,
    arm: str | None = None,
    seed: int | None = None,
    precision: str | None = None,
    mend: str = "torch",
    keep: Path | None = None,
    on_progress: OnProgress | None = None,
) -> Attribution:
    """Measure what the loss gap between Keras and PyTorch is made of: train without one difference after another.

    Args:
        plan: A `Plan` or a file of one; None for the default plan, ``question``.
        against: Another plan, for the framework that `mend` names.
        arm: The plan's arm; None for the first whose rate changes.
        seed: The plan's seed; None for the first.
        precision: ``float32`` or ``float64``, whatever the plan says.
        mend: The framework whose optimizer is made to do what the other's does: ``torch`` or ``keras``.
        keep: A folder for the trainings: what is there already is not trained again.
        on_progress: Called with the framework, the trainings done, the trainings in all, and what was trained.

    Raises:
        PlanError: For what is no plan, arm, seed, precision or framework.
        LadderError: Where the training diverges at once.
        WorkerError: Where a framework is missing or its training fails.

    Example:
        >>> print(attribute(arm="staircase-steps", precision="float64"))  # doctest: +SKIP
    """
    import tempfile
    from contextlib import ExitStack
    from pathlib import Path

    from samestep.experiment.programs.process import missing

    from ..workers.runner import WorkerError
    from .experiment import experiment
    from .ladder import climb

    asked = experiment(plan, against, arm, seed, precision, mend)
    if absent := missing():
        raise WorkerError(absent)
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="samestep-")))
        climbed = climb(asked, folder, on_progress or (lambda *_: None))
    from .result import Attribution  # matplotlib: not before there is something to show

    return Attribution.of(climbed)
