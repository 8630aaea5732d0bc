"""How far trainings are: bars on a terminal, elsewhere lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from samestep.experiment.frameworks import LABELS
from samestep.experiment.plan import Framework, Plan

from ..workers.runner import OnProgress

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Tell = Callable[[str], None]
"""Prints one line on standard error."""


@contextmanager
def epochs(plan: Plan, tell: Tell) -> Iterator[OnProgress]:
    """A bar per framework on a terminal; elsewhere a line per arm."""
    total = len(plan.seeds) * len(plan.arms) * plan.epochs
    if not sys.stderr.isatty():
        told: dict[Framework, int] = {}

        def line(framework: Framework, done: int, total: int, arm: str) -> None:
            runs = done // plan.epochs
            if runs > told.get(framework, 0):  # several at once where seeds are trained side by side
                told[framework] = runs
                tell(f"{LABELS[framework]}: {done} of {total} epochs, {arm} done")

        yield line
        return
    with _bars("epochs", remaining=True) as bars:
        tasks = {name: bars.add_task("", total=total, label=label, what="starting") for name, label in LABELS.items()}
        yield lambda framework, done, total, arm: bars.update(tasks[framework], completed=done, what=arm)


@contextmanager
def trainings(tell: Tell) -> Iterator[OnProgress]:
    """A bar per framework on a terminal, one after the other as trainings are needed; elsewhere a line each."""
    if not sys.stderr.isatty():
        yield lambda framework, done, total, name: tell(f"{LABELS[framework]}: training {done} of {total}, {name}")
        return
    with _bars("trainings") as bars:
        tasks: dict[tuple[str, int], TaskID] = {}

        def bar(framework: Framework, done: int, total: int, name: str) -> None:
            if (framework, total) not in tasks:
                tasks[framework, total] = bars.add_task("", total=total, label=LABELS[framework], what=name)
            bars.update(tasks[framework, total], completed=done, what=name)

        yield bar


def _bars(unit: str, remaining: bool = False) -> Progress:
    """Bars with a `label` before each, and after it how many of a unit are done and `what` is under way."""
    from rich.console import Console  # its bars are for terminals, and take a while to import
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    counts = [TextColumn(f"{{task.completed}}/{{task.total}} {unit}"), *[TimeRemainingColumn()] * remaining]
    shown = (TextColumn("{task.fields[label]:<8}"), BarColumn(), *counts, TextColumn("{task.fields[what]}"))
    return Progress(*shown, console=Console(stderr=True))
