"""What `samestep run` shows on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from compare.training.summary import Summary
    from experiment.plan import Plan


def run(console: Console, summary: Summary, plan: Plan, folder: Path) -> None:
    """The verdict, a table of the arms, and where the report is."""
    from rich.table import Table

    from compare.training.words import advice, verdict, warnings

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
    for text in filter(None, (verdict(summary, plan), advice(plan), *warnings(summary))):
        console.print(text, markup=False, highlight=False)
    console.print(f"Report: {folder / 'report.html'}", markup=False, highlight=False, soft_wrap=True)
