"""A ladder on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from compare.attribution.advice import Advice
from compare.attribution.ladder import Ladder
from compare.attribution.words import number, residual_sentence, share, until_sentence


def ladder(console: Console, climbed: Ladder, advised: Sequence[Advice], folder: Path) -> None:
    """A row for each rung with the gap that it leaves and the parts that went with it, the residual, what to write."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("taken away")  # where there is little room, names give way, not figures
    for heading in ("gap left", "at the end", "of all", "of the rest", "alone"):
        table.add_column(heading, justify="right", no_wrap=True)
    for rung in climbed.rungs:
        first = rung.alone is None
        table.add_row(
            "(all native)" if first else rung.name,
            number(rung.gap.max_relative),
            number(rung.gap.final_relative),
            "" if first else share(rung.explains),
            "" if first else share(rung.removes),
            "" if rung.alone is None else number(rung.alone.max_relative),
        )
    console.print(table)
    for text in filter(None, (until_sentence(climbed), residual_sentence(climbed))):
        console.print(text, markup=False, highlight=False)
    for each in advised:
        console.print(f"\n{each.difference}: {each.sentence}", markup=False, highlight=False)
        for line in each.code.splitlines():
            console.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"\nReport: {folder / 'report.html'}", markup=False, highlight=False, soft_wrap=True)
