"""The finding `group-left-out`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np

from samestep.experiment.watching import Optimizer

from ...causes.scene import Fix
from ...runs.run import Run
from ...words import counted
from ..base import Finding
from ..code import in_language
from ..scene import Scene, Where


class GroupLeftOut(Finding):
    """A parameter group that the schedule does not move.

    Attributes:
        scheduler: The scheduler, with its numbers; left out where the script sets the rates itself.
        group: The group, counted from 0.
        known: How many groups the scheduler moves, or the script sets.
        lr: The rate that the group keeps.

    What you see:
        The rate of one group stays where it began, and those of the others fall.

    How it comes about:
        A script sets `optimizer.param_groups[0]["lr"]`, and its optimizer has two groups, of which one has no weight
        decay. Or a group was added by `add_param_group` after the scheduler was made, for layers that are unfrozen
        later: some schedulers leave a group alone that they do not know, and others raise an error.

    What it rests on:
        The group's recorded rate never changes, and the others' do. It is not among those that the scheduler knew when
        it was made; or no line sets its rate while lines set that of another, and both began with one rate. A group
        that a schedule of its own holds at its rate is meant so.

    The fix:
        Set the rate of every group. Add all groups before the scheduler is made.

    See also:
        `overwritten`; lesson 4: what PyTorch does.
    """

    scheduler: str | None
    group: int
    known: int
    lr: float

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Groups that came after the scheduler, or that no line sets."""
        for watched in scene.schedulers:
            known, runs = watched.facts.groups, scene.runs(watched.optimizer)
            if known is None or not watched.calls or len(runs) <= known:
                continue
            for group, run in enumerate(runs[known:], known):
                if not _is_left(run, runs[:known]):
                    continue
                added = watched.optimizer.groups[group].made if group < len(watched.optimizer.groups) else None
                place = () if added is None else (Where(added.file, added.line, "made"),)
                yield cls(
                    watched.label,
                    group,
                    known,
                    float(run.rates.lr[0]),
                    severity="warning",
                    where=place + watched.made,
                    about=watched.optimizer.id,
                )
        for optimizer in scene.facts.optimizers if scene.facts else ():
            if not any(each.optimizer is optimizer for each in scene.schedulers):
                yield from cls._not_set(scene, optimizer)

    @classmethod
    def _not_set(cls, scene: Scene, optimizer: Optimizer) -> Iterator[Self]:
        """Groups whose rate no line sets, beside some whose rate a line sets."""
        runs, writes = scene.runs(optimizer), [each for each in scene.writes(optimizer) if each.last_at > 0]
        written = {each.group for each in writes if each.group < len(runs)}
        for group, run in enumerate(runs):
            alike = [runs[each] for each in written if optimizer.groups[each].lr == optimizer.groups[group].lr]
            if group not in written and alike and _is_left(run, alike):
                where = tuple(Where(each.file, each.line, "written") for each in writes)
                lr, about = float(run.rates.lr[0]), optimizer.id
                yield cls(None, group, len(written), lr, severity="warning", where=where, about=about)

    def sentence(self, scene: Scene) -> str:
        """Which group, and why."""
        keeps = f"Parameter group {self.group} keeps its rate of {self.lr:g}"
        if self.scheduler is None:
            return f"{keeps}: the code sets the rate of {counted(self.known, 'group')}, and of no other."
        return f"{keeps}: it came after {self.scheduler} was made, which knows {counted(self.known, 'group')}."

    def fix(self, scene: Scene) -> Fix:
        """Every group."""
        if self.scheduler is None:
            code = 'for group in optimizer.param_groups:\n    group["lr"] = ...'
            return Fix("Set the rate of every group.", in_language(scene, code, ""))
        code = (
            "optimizer.add_param_group(...)  # first all groups\nscheduler = ...(optimizer, ...)  # then the scheduler"
        )
        return Fix("Add the group before the scheduler is made.", in_language(scene, code, ""))


def _is_left(run: Run, others: list[Run]) -> bool:
    """Whether a group keeps a rate above 0 while the rate of others changes."""
    rates, first = run.rates, int(run.rates.step[0])
    stays = len(rates) > 1 and not _moves(rates.lr) and rates.lr[0] > 0
    return bool(stays) and any(_moves(each.rates.lr[each.rates.step >= first]) for each in others)


def _moves(lr: np.ndarray) -> bool:
    return bool(len(lr)) and bool((lr != lr[0]).any())
