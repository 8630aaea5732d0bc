"""``samestep simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import terminal
from .options import Accumulate, BatchSize, DropLast, Epochs, Json, Plot, Samples, Spec, Stepped, check_targets

EXAMPLE = (
    "samestep simulate 'cosine:initial=0.1,floor=0,over=50 epochs,after=hold' "
    "--samples 1000 --batch-size 32 --epochs 50 --csv rates.csv"
)


def simulate(
    schedule: Spec,
    samples: Samples,
    batch_size: BatchSize,
    epochs: Epochs,
    drop_last: DropLast = False,
    accumulate: Accumulate = 1,
    stepping: Stepped = "step",
    csv: Annotated[Path | None, typer.Option(help="Write one row per update.")] = None,
    plot: Plot = None,
    json: Json = None,
) -> int:
    """Ask the real schedulers of both frameworks, without training."""
    from ..schedule import simulate as schedules

    check_targets([schedule], json, csv, plot)
    simulated = schedules.simulate(
        schedule,
        samples=samples,
        batch_size=batch_size,
        epochs=epochs,
        drop_last=drop_last,
        accumulate=accumulate,
        stepping=stepping,
    )
    terminal.finish(simulated, json=json, csv=csv, plot=plot)
    return terminal.CODES[simulated.verdict]
