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
    from rich.progress import TaskID

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
    from rich.console import Console  # its bars are for terminals, and take a while to import
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.fields[label]:<8}"), BarColumn(), TextColumn("{task.completed}/{task.total} epochs"))
    with Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[arm]}"), console=console) as bars:
        tasks = {name: bars.add_task("", total=total, label=label, arm="starting") for name, label in LABELS.items()}
        yield lambda framework, done, total, arm: bars.update(tasks[framework], completed=done, arm=arm)


@contextmanager
def trainings(tell: Tell) -> Iterator[OnProgress]:
    """A bar per framework on a terminal, one after the other as trainings are needed; elsewhere a line each."""
    if not sys.stderr.isatty():
        yield lambda framework, done, total, name: tell(f"{LABELS[framework]}: training {done} of {total}, {name}")
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    done = TextColumn("{task.completed}/{task.total} trainings")
    columns = (TextColumn("{task.fields[label]:<8}"), BarColumn(), done, TextColumn("{task.fields[name]}"))
    with Progress(*columns, console=console) as bars:
        tasks: dict[tuple[str, int], TaskID] = {}

        def bar(framework: Framework, done: int, total: int, name: str) -> None:
            if (framework, total) not in tasks:
                tasks[framework, total] = bars.add_task("", total=total, label=LABELS[framework], name=name)
            bars.update(tasks[framework, total], completed=done, name=name)

        yield bar
