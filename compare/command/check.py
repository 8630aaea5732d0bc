"""``samestep check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import terminal
from .options import Accumulate, DropLast, Force, Json, Plot, check_targets

EXAMPLE = "samestep check run.csv --json result.json"


def check(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A recording, with its facts beside it; or any log, as for compare.", show_default=False
        ),
    ],
    samples: Annotated[int | None, typer.Option(help="Rows of data seen in an epoch; a recording knows it.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows in a batch.")] = None,
    drop_last: DropLast = False,
    accumulate: Accumulate = 1,
    steps_per_epoch: Annotated[
        int | None, typer.Option(help="Updates in an epoch, instead of --samples and --batch-size.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="step=NAME,lr=NAME", help="What the columns or metrics of a log are called.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The optimizer or parameter group.")] = None,
    framework: Annotated[str | None, typer.Option(help="The framework of a log.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of a log.")] = None,
    log: Annotated[
        list[str] | None, typer.Option("--log", metavar="KEY=VALUE,...", help="What a log means, as --a of compare.")
    ] = None,
    plot: Plot = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a report, tables and figures.")] = None,
    force: Force = False,
    json: Json = None,
) -> int:
    """One run: its schedule, its timeline, mistakes with the line of code. Exits with 0, 1 or 3 for inconclusive."""
    from ..check import check as checking
    from ..runs.settings import key_values
    from ..show import folder as output

    if force and report is None:
        raise output.OutputError("--force replaces an earlier report. Add --report, or leave --force out.")
    check_targets([run], json, plot=plot)
    if report is not None:
        output.check(report, force, "--report")
    checked = checking.check(
        run,
        samples=samples,
        batch_size=batch_size,
        drop_last=drop_last,
        accumulate=accumulate,
        steps_per_epoch=steps_per_epoch,
        columns=None if columns is None else key_values(columns, "--columns"),
        arm=arm,
        framework=framework,
        seed=seed,
        log=key_values(log or [], "--log"),
    )
    terminal.finish(checked, json=json, report=report, force=force, plot=plot)
    return terminal.CODES[checked.verdict]
