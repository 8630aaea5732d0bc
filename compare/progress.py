"""How far trainings are: bars on a terminal, elsewhere lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from compare.runner import LABELS, OnProgress
from experiment.plan import Framework, Plan

Tell = Callable[[str], None]
"""Prints one line on standard error."""


@contextmanager
def epochs(plan: Plan, tell: Tell) -> Iterator[OnProgress]:
    """A bar per framework on a terminal; elsewhere a line per arm."""
    console = Console(stderr=True)
    total = len(plan.seeds) * len(plan.arms) * plan.epochs
    if not console.is_terminal:
        told: dict[Framework, int] = {}

        def line(framework: Framework, done: int, total: int, arm: str) -> None:
            runs = done // plan.epochs
            if runs > told.get(framework, 0):  # several at once where seeds are trained side by side
                told[framework] = runs
                tell(f"{LABELS[framework]}: {done} of {total} epochs, {arm} done")

        yield line
        return
    columns = (TextColumn("{task.fields[label]:<8}"), BarColumn(), TextColumn("{task.completed}/{task.total} epochs"))
    with Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[arm]}"), console=console) as bars:
        tasks = {name: bars.add_task("", total=total, label=label, arm="starting") for name, label in LABELS.items()}
        yield lambda framework, done, total, arm: bars.update(tasks[framework], completed=done, arm=arm)


@contextmanager
def trainings(tell: Tell) -> Iterator[OnProgress]:
    """A bar per framework on a terminal, one after the other as trainings are needed; elsewhere a line each."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda framework, done, total, name: tell(f"{LABELS[framework]}: training {done} of {total}, {name}")
        return
    done = TextColumn("{task.completed}/{task.total} trainings")
    columns = (TextColumn("{task.fields[label]:<8}"), BarColumn(), done, TextColumn("{task.fields[name]}"))
    with Progress(*columns, console=console) as bars:
        tasks: dict[tuple[str, int], TaskID] = {}

        def bar(framework: Framework, done: int, total: int, name: str) -> None:
            if (framework, total) not in tasks:
                tasks[framework, total] = bars.add_task("", total=total, label=LABELS[framework], name=name)
            bars.update(tasks[framework, total], completed=done, name=name)

        yield bar
