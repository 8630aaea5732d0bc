"""Ladders whose gaps are written down here, and advice to go with them."""

import numpy as np

from samestep._compare.align.losses import ROUNDING
from samestep._compare.attribution.advice import Advice
from samestep._compare.attribution.ladder import Gap, Ladder, Rung
from samestep._compare.attribution.variants import Experiment
from samestep.experiment.plan import question

STEPS = 96  # 3 epochs
ADVICE = (
    Advice(
        "default epsilon",
        "Pass <Keras'> epsilon & no other.",
        "optimizer = Adam(parameters, eps=1e-07)\nif 1 < 2:\n    pass\n",
    ),
    Advice("data", "Give both the same rows.", ""),
)


def plan(**changed):
    whole = question().replace(epochs=3, precision="float64")
    return whole.replace(**{"arms": (whole.arms[1],)} | changed)


def gap(curve):
    curve = np.asarray(curve, dtype=np.float64)
    return Gap(float(curve.max()), float(curve[-1]), curve)


def wave(size, length=STEPS):
    """A curve whose largest value is `size`, at step 1, and whose last is half of that."""
    curve = np.full(length, size / 4)
    curve[1], curve[-1] = size, size / 2
    return curve


def ladder(sizes, *, until=STEPS, experiment=None, alone=None, curves=None):
    """A ladder of the rungs that the experiment has, of gaps of these sizes."""
    experiment = experiment or Experiment({"tensorflow": plan(), "torch": plan()}, "torch")
    controls, numerical = experiment.controls(), experiment.numerical()
    names = ["native", *controls, *numerical]
    kinds = ["native", *["control"] * len(controls), *["numerical"] * len(numerical)]
    assert len(sizes) == len(names), names
    found = curves or [gap(wave(size, until)) for size in sizes]
    rungs = [Rung("native", "native", found[0], 0.0, 0.0, None)]
    for name, kind, before, now in zip(names[1:], kinds[1:], found, found[1:], strict=False):
        went = before.max_relative - now.max_relative
        explains = went / found[0].max_relative if found[0].max_relative else 0.0
        removes = went / before.max_relative if before.max_relative else 0.0
        rungs.append(Rung(name, kind, now, explains, removes, gap(wave(sizes[0] if alone is None else alone, until))))
    return Ladder(experiment, tuple(rungs), until, STEPS, ROUNDING[experiment.plan.precision])


FALLING = [0.8, 0.9, 0.7, 0.6, 1e-5, 4e-6, 3e-6, 1e-7, 1e-15]
EXPLAINED = ladder(FALLING)
