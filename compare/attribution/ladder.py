"""The ladder: everything native first, then one difference after the other removed, and what is left each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from samestep.experiment.plan import FRAMEWORKS, Framework

from ..align.losses import ROUNDING, loss_difference
from ..align.reduction_words import Reduction
from ..align.reductions import find_reduction
from ..workers.runner import OnProgress
from . import variants
from .variants import CONTROLS, Experiment, State

NATIVE = "native"
LOGGED = {"float32": 2e-5, "float64": 1e-6}
"""Within which the losses of one framework must be a reduction of the other's; Keras' means are sums in float32."""

Kind = Literal["native", "control", "numerical"]


class LadderError(ValueError):
    """A ladder that has nothing to say; the message is one line."""


@dataclass(frozen=True)
class Gap:
    """The difference between the batch losses of a pair of runs.

    max_relative, final_relative : the largest relative difference and that of the last update, see `loss_difference`.
    curve : float64, one for each update.
    """

    max_relative: float
    final_relative: float
    curve: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Rung:
    """One step up: a difference is taken away.

    name : of the difference, or ``native`` for the first. gap : what is left with it gone, and with all before it.
    explains : part of the first rung's gap that went with it. removes : part of what the rung before had left.
    alone : the gap of a pair in which this is the only difference; None for the first rung.
    """

    name: str
    kind: Kind
    gap: Gap
    explains: float
    removes: float
    alone: Gap | None


@dataclass(frozen=True)
class Ladder:
    """What a gap between two runs is made of.

    until : updates that are compared: all, or those before the first loss that is no finite number. updates : all.
    bound : what rounding alone leaves. reduction : where more than that is left, whether one framework's losses are a
    known reduction of the other's, with ``a`` for Keras and ``b`` for PyTorch: then only what was noted differs.
    """

    experiment: Experiment
    rungs: tuple[Rung, ...]
    until: int
    updates: int
    bound: float
    reduction: Reduction | None = None

    @property
    def residual(self) -> Gap:
        """What is left at the top."""
        return self.rungs[-1].gap

    @property
    def is_explained(self) -> bool:
        """Whether nothing but rounding is left."""
        return self.residual.max_relative <= self.bound


def climb(experiment: Experiment, folder: Path, on_progress: OnProgress) -> Ladder:
    """Train what is needed, measure, and climb.

    folder : where traces are kept; those that are there already are not trained again.
    Raises LadderError where the runs diverge at once, and what `runner` raises.
    """
    controls, numerical = experiment.controls(), experiment.numerical()
    every: State = frozenset(controls + numerical)
    sharing = [every - frozenset(controls[:count]) for count in range(len(controls) + 1)]
    alone = [frozenset({each}) for each in controls + numerical]
    nothing: State = frozenset()
    variants.train(experiment, [*sharing, *alone], sharing, folder, on_progress)
    variants.train(experiment, [], [*alone, nothing], folder, on_progress)
    pairs = {left: variants.losses(experiment, left, folder) for left in (*sharing, *alone, nothing)}
    effects = {each: _gap(pairs[frozenset({each})]).max_relative for each in numerical}
    numerical.sort(key=lambda name: -np.nan_to_num(effects[name], nan=np.inf))
    mending = [frozenset(numerical[count:]) for count in range(1, len(numerical))]
    variants.train(experiment, [], mending, folder, on_progress)
    pairs |= {left: variants.losses(experiment, left, folder) for left in mending}

    until, updates = _finite(pairs.values())
    bound = ROUNDING[experiment.plan.precision]
    gap = {left: _gap(pair, until) for left, pair in pairs.items()}
    climbed = [gap[left] for left in (*sharing, *mending, nothing)]
    rungs = _rungs([NATIVE, *controls, *numerical], climbed, lambda name: gap[frozenset({name})])
    unexplained = gap[nothing].max_relative > bound
    reduction = _reduction(experiment, pairs[nothing], until) if unexplained else None
    return Ladder(experiment, tuple(rungs), until, updates, bound, reduction)


def _reduction(experiment: Experiment, pair: dict[Framework, np.ndarray], until: int) -> Reduction | None:
    clock = experiment.plan.clock
    keras, torch = (pair[each][: until // clock.steps_per_epoch * clock.steps_per_epoch] for each in FRAMEWORKS)
    return find_reduction(keras, torch, clock, LOGGED[experiment.plan.precision]) if len(keras) else None


def _rungs(names: Sequence[str], gaps: Sequence[Gap], alone: Callable[[str], Gap]) -> list[Rung]:
    whole = gaps[0].max_relative
    found = [Rung(names[0], "native", gaps[0], 0.0, 0.0, None)]
    for name, before, gap in zip(names[1:], gaps, gaps[1:], strict=False):
        kind: Kind = "control" if name in CONTROLS else "numerical"
        went = before.max_relative - gap.max_relative
        removes = went / before.max_relative if before.max_relative else 0.0
        found.append(Rung(name, kind, gap, went / whole if whole else 0.0, removes, alone(name)))
    return found


def _gap(pair: dict[Framework, np.ndarray], until: int | None = None) -> Gap:
    curve = loss_difference(*pair.values())[:until]
    return Gap(float(curve.max()), float(curve[-1]), curve)


def _finite(pairs: Iterable[dict[Framework, np.ndarray]]) -> tuple[int, int]:
    """How many updates every run has finite losses for, and how many there are."""
    runs = [losses for pair in pairs for losses in pair.values()]
    updates = min(len(losses) for losses in runs)
    finite = np.logical_and.reduce([np.isfinite(losses[:updates]) for losses in runs])
    until = updates if finite.all() else int(finite.argmin())
    if not until:
        raise LadderError("The loss is not finite from the first update on. Lower the rate or scale the data.")
    return until, updates
