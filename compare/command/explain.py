"""``samestep explain``."""

from __future__ import annotations

from typing import Annotated

import typer

from . import terminal
from .options import SCHEDULE_HELP, Accumulate, DropLast, Json, Plot, check_targets

EXAMPLE = (
    "samestep explain 'exponential:initial=1e-3,factor=0.95,every=25 steps,staircase' "
    "--samples 1000 --batch-size 32 --epochs 50"
)


def explain(
    schedule: Annotated[
        str,
        typer.Argument(
            metavar="SCHEDULE|LOG",
            help=f"{SCHEDULE_HELP} Or a log as for compare: which schedule it follows, when it changes.",
            show_default=False,
        ),
    ],
    samples: Annotated[int | None, typer.Option(help="Rows of data seen in an epoch.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows in a batch.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data. A log has its own length.")] = None,
    drop_last: DropLast = False,
    accumulate: Accumulate = 1,
    steps_per_epoch: Annotated[
        int | None, typer.Option(help="Updates in an epoch, instead of --samples and --batch-size.")
    ] = None,
    stepping: Annotated[
        str | None, typer.Option(metavar="step|epoch", help="How often a schedule's rate is looked up; else by step.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="step=NAME,lr=NAME", help="What the columns or metrics of a log are called.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The arm of a log.")] = None,
    framework: Annotated[str | None, typer.Option(help="The framework of a log.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of a log.")] = None,
    log: Annotated[
        list[str] | None, typer.Option("--log", metavar="KEY=VALUE,...", help="What a log means, as --a of compare.")
    ] = None,
    plot: Plot = None,
    json: Json = None,
) -> None:
    """When the rate of a schedule or a log changes, in steps, epochs and batches; needs no framework."""
    from ..runs.settings import key_values
    from ..schedule import explain as schedules

    check_targets([schedule], json, plot=plot)
    explained = schedules.explain(
        schedule,
        samples=samples,
        batch_size=batch_size,
        epochs=epochs,
        drop_last=drop_last,
        accumulate=accumulate,
        steps_per_epoch=steps_per_epoch,
        stepping=stepping,
        columns=None if columns is None else key_values(columns, "--columns"),
        arm=arm,
        framework=framework,
        seed=seed,
        log=key_values(log or [], "--log"),
    )
    terminal.finish(explained, json=json, plot=plot)
