"""``samestep explain``."""

from __future__ import annotations

from . import terminal
from .options import Accumulate, BatchSize, DropLast, Epochs, Json, Plot, Samples, Spec, Stepped, check_targets

EXAMPLE = (
    "samestep explain 'exponential:initial=1e-3,factor=0.95,every=25 steps,staircase' "
    "--samples 1000 --batch-size 32 --epochs 50"
)


def explain(
    schedule: Spec,
    samples: Samples,
    batch_size: BatchSize,
    epochs: Epochs,
    drop_last: DropLast = False,
    accumulate: Accumulate = 1,
    stepping: Stepped = "step",
    plot: Plot = None,
    json: Json = None,
) -> None:
    """When the rate changes, in steps, epochs and batches; needs no framework."""
    from ..schedule import explain as schedules

    check_targets([schedule], json, plot=plot)
    explained = schedules.explain(
        schedule,
        samples=samples,
        batch_size=batch_size,
        epochs=epochs,
        drop_last=drop_last,
        accumulate=accumulate,
        stepping=stepping,
    )
    terminal.finish(explained, json=json, plot=plot)
