"""Every arm of a plan trained in both frameworks: ``samestep run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from samestep.experiment.plan import Plan

    from ..workers.runner import OnProgress
    from .result import Training


def run(
    plan: Plan | str | Path | None = None,
    *,
    engine: str = "fast",
    device: str = "cpu",
    on_progress: OnProgress | None = None,
) -> Training:
    """Train every arm of a plan in Keras and in PyTorch, both at once, and compare them.

    Args:
        plan: A `Plan` or a file of one; None for the default plan, ``question``.
        engine: How updates are made: ``fast``, ``plain``, ``graph`` or ``xla``.
        device: ``cpu`` or ``gpu``.
        on_progress: Called with the framework, the epochs done, the epochs in all, and the arm.

    Raises:
        PlanError: For what is no plan, engine or device.
        WorkerError: Where a framework is missing or its training fails.

    Example:
        >>> result = run()  # doctest: +SKIP
        >>> result.verdict  # doctest: +SKIP
        'same'
    """
    from samestep.experiment.plan import Plan, question
    from samestep.experiment.programs import engines
    from samestep.experiment.programs.process import missing

    from ..workers import runner
    from ..workers.ahead import Ahead

    how, where = engines.parse(engine), engines.parse_device(device)
    chosen = question() if plan is None else plan if isinstance(plan, Plan) else Plan.load(plan)
    if absent := missing():
        raise runner.WorkerError(absent)
    with Ahead("samestep._compare.training.result") as result:
        # pandas and matplotlib come while the workers train, and not before these are on their way
        say = on_progress or (lambda *_: None)
        traces = runner.train(chosen, say, engine=how, device=where, on_started=result.begin)
        training: Training = result.module().Training(chosen, traces)
    return training
