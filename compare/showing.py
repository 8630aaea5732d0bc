"""What the subcommands show on a terminal: each is given a console, or a function that prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console

    from compare.comparison import Comparison
    from compare.explain import Explanation
    from compare.simulate import Simulation
    from compare.summary import Summary
    from experiment.plan import Plan


class Say(Protocol):
    """Prints one paragraph."""

    def __call__(self, text: str, indent: str = "", wrap: bool = True) -> None:
        """Print a text behind an indentation; `wrap` it at the width of the terminal, or leave it as it is."""


def run(console: Console, summary: Summary, plan: Plan, folder: Path) -> None:
    """The verdict, a table of the arms, and where the report is."""
    from rich.table import Table

    from compare.report.sentences import advice, verdict, warnings
    from compare.words import large_batch

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("arm", "changes", "first change: step", "final rate", "rates", "losses"):
        table.add_column(heading)
    for arm in summary.arms:
        torch = arm.frameworks["torch"]
        first = torch.first_change
        table.add_row(
            arm.arm if len(plan.seeds) == 1 else f"{arm.arm}, seed {arm.seed}",
            str(torch.changes),
            f"{first.step} (epoch {first.epoch}, batch {first.batch})" if first else "never",
            f"{torch.final_lr:.6g}",
            arm.lr.verdict,
            arm.loss.verdict,
        )
    console.print(table)
    for text in filter(None, (verdict(summary, plan), large_batch(plan.clock), advice(plan), *warnings(summary))):
        console.print(text, markup=False, highlight=False)
    console.print(f"Report: {folder / 'report.html'}", markup=False, highlight=False, soft_wrap=True)


def explanation(say: Say, explained: Explanation) -> None:
    """The timeline in words, the changes as a table, the warnings with what to write instead."""
    from compare.explain import sentences

    for text in sentences(explained):
        say(text)
    within = "batch" if explained.clock.accumulate == 1 else "update"
    rows: list[tuple[str, ...]] = [("change", "step", "epoch", within, "rate")]
    half, left_out = len(explained.shown) // 2, explained.changes - len(explained.shown)
    for index, change in enumerate(explained.shown):
        if left_out and index == half:
            rows.append(("…", "…", "…", "…", "…"))
        number = index + 1 + (left_out if index >= half else 0)
        place = change.place
        counts = (f"{each:,}" for each in (number, place.step, place.epoch, place.batch))
        rows.append((*counts, f"{change.lr:.6g}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if explained.shown else ():
        say("  ".join(cell.rjust(each) for cell, each in zip(row, widths, strict=True)), wrap=False)
    for doubt in explained.warnings:
        say(f"Warning: {doubt.says}")
        say(doubt.advice, indent="  ")


def simulation(console: Console, simulated: Simulation) -> None:
    """The changes as a table with all three rates, and how far each framework lies from the closed form."""
    from rich.table import Table

    from compare.runner import LABELS
    from compare.simulate import changes, changes_of, tolerance_words
    from compare.words import counted, large_batch

    total, rows = changes(simulated)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("step", "epoch", "batch", "closed form", *LABELS.values()):
        table.add_column(heading, justify="right")
    for index, row in enumerate(rows):
        if total > len(rows) - 1 and index == 1 + (len(rows) - 1) // 2:
            table.add_row(*["…"] * 6)
        rates = [row[name] for name in ("lr_closed_form", "lr_tensorflow", "lr_torch")]
        table.add_row(
            *(f"{row[name]:,}" for name in ("step", "epoch", "batch")),
            *("–" if rate is None else f"{rate:.9g}" for rate in rates),
        )
    console.print(table)
    if said := large_batch(simulated.clock):
        console.print(said, highlight=False)
    steps = counted(len(simulated.lr_closed_form), "step")
    console.print(f"{counted(total, 'change')} of the closed form in {steps}.", highlight=False)
    if len(simulated.lr_closed_form) < simulated.run_steps:
        console.print(f"The schedule ends there; the run has {counted(simulated.run_steps, 'step')}.", highlight=False)
    for name, answer in simulated.answers.items():
        label, against = LABELS[name], simulated.against[name]
        parts = f", parts at step {against.parts_at}" if against.parts_at is not None else ""
        console.print(
            f"{label}: {answer.native}, {counted(len(changes_of(answer.lr)), 'change')}, at most "
            f"{against.max_ulp32:.2g} float32 ULP from the closed form ({against.max_relative:.1e} relative){parts}; "
            f"{tolerance_words(against)}.",
            markup=False,
            highlight=False,
        )
        if answer.note:
            console.print(f"  {answer.note}", markup=False, highlight=False)


def comparison(say: Say, compared: Comparison, report: Path | None) -> None:
    """The verdict, both sides, the first difference, the cause, the fix, and where the report is."""
    from compare.comparison_text import lines

    for indent, text in lines(compared):
        say(text, "" if indent == "|" else indent, wrap=indent != "|" and bool(text))
    if report is not None:
        say(f"Report: {report / 'report.html'}", wrap=False)
