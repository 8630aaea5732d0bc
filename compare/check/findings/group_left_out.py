"""The finding `group-left-out`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from ...causes.scene import Fix
from ...words import counted
from ..base import Finding
from ..code import in_language
from ..scene import Scene, Where


class GroupLeftOut(Finding):
    """A parameter group that the schedule does not move.

    Attributes:
        scheduler: The scheduler, with its numbers.
        group: The group, counted from 0.
        known: How many groups the optimizer had when the scheduler was made.
        lr: The rate that the group keeps.

    What you see:
        The rate of one group stays where it began, and those of the others fall.

    How it comes about:
        The group was added to the optimizer by `add_param_group` after the scheduler was made, for layers that are
        unfrozen later. Most schedulers hold a list of the first rates of the groups that they know, and leave others
        alone.

    What it rests on:
        The group is not among those that the scheduler knows, its recorded rate never changes, and the others' do. A
        group that a schedule of its own holds at its rate is meant so.

    The fix:
        Add all groups before the scheduler is made, those that begin later with a rate of 0, or make a scheduler anew.

    See also:
        `overwritten`; lesson 4: what PyTorch does.
    """

    scheduler: str
    group: int
    known: int
    lr: float

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Groups that came after the scheduler."""
        for watched in scene.schedulers:
            known = watched.facts.groups
            runs = scene.runs(watched.optimizer)
            if known is None or not watched.calls or len(runs) <= known:
                continue
            others = max((int(run.rates.step[-1]) for run in runs[:known] if _moves(run.rates.lr)), default=-1)
            for group, run in enumerate(runs[known:], known):
                rates = run.rates
                moved = [each for each in runs[:known] if _moves(each.rates.lr[each.rates.step >= int(rates.step[0])])]
                if len(rates) < 2 or _moves(rates.lr) or not moved or others < 0 or not rates.lr[0]:
                    continue
                added = watched.optimizer.groups[group].made if group < len(watched.optimizer.groups) else None
                yield cls(
                    watched.label,
                    group,
                    known,
                    float(rates.lr[0]),
                    severity="warning",
                    where=(*([] if added is None else [Where(added.file, added.line, "made")]), *watched.made),
                    about=watched.optimizer.id,
                )

    def sentence(self, scene: Scene) -> str:
        """Which group, and why."""
        return (
            f"Parameter group {self.group} keeps its rate of {self.lr:g}: it came after {self.scheduler} was made, "
            f"which knows {counted(self.known, 'group')}."
        )

    def fix(self, scene: Scene) -> Fix:
        """All groups first."""
        code = (
            "optimizer.add_param_group(...)  # first all groups\nscheduler = ...(optimizer, ...)  # then the scheduler"
        )
        return Fix("Add the group before the scheduler is made.", in_language(scene, code, ""))


def _moves(lr: object) -> bool:
    import numpy as np

    rates = np.asarray(lr)
    return bool(len(rates)) and bool((rates != rates[0]).any())
