"""A small plan, and traces of it that are made by hand."""

import numpy as np
from helpers import exponential

from samestep.experiment.plan import Arm, Constant, question
from samestep.experiment.trace import Trace, run_rows, stack

PLAN = question().replace(
    data=question().data.model_copy(update={"samples": 40}),
    batch_size=10,
    epochs=5,
    arms=(
        Arm(name="constant", schedule=Constant(initial=0.5), stepping="step"),
        Arm(name="stairs", schedule=exponential("3 steps", initial=0.5, factor=0.9), stepping="step"),
    ),
)
STEPS = np.arange(PLAN.steps)


def made(framework, lr=lambda arm, rates: rates, loss=lambda arm, losses: losses):
    """A trace whose rates are the closed form and whose losses fall, with something done to them."""
    rows = [
        run_rows(
            framework,
            arm.name,
            0,
            PLAN.clock,
            lr(arm.name, arm.rate(STEPS, PLAN.clock)),
            loss(arm.name, 1 / (STEPS + 1.0)),
        )
        for arm in PLAN.arms
    ]
    return Trace(stack(rows), {}, {})
