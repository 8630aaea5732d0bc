"""``samestep compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import terminal
from .options import Accumulate, DropLast, Json, check_targets

EXAMPLE = "samestep compare a.csv b.csv --samples 1000 --batch-size 32 --json result.json"
SIDE_HELP = (
    "A trace, a log (CSV, JSON lines, text, TensorBoard, Keras, Lightning, Hugging Face, Weights & Biases, MLflow, "
    "YOLO, timm, MMEngine, fairseq and others), a folder of a run, or a schedule as for explain."
)
SETTINGS_HELP = (
    "What A alone needs: framework=, arm=, seed= to select; step_base=, lr_timing=used|next, step_unit=step|epoch, "
    "epoch_lr=first|last|mean, loss_kind=, format=, column.step=, column.lr= to say what its log means."
)


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=SIDE_HELP, show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one.", show_default=False)],
    samples: Annotated[int | None, typer.Option(help="Rows of data seen in an epoch.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows in a batch.")] = None,
    drop_last: DropLast = False,
    accumulate: Accumulate = 1,
    steps_per_epoch: Annotated[
        int | None, typer.Option(help="Updates in an epoch, instead of --samples and --batch-size.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Of two schedules: how long they are compared.")] = None,
    stepping: Annotated[
        str | None, typer.Option(metavar="step|epoch", help="How often a schedule's rate is looked up; else by step.")
    ] = None,
    ulp: Annotated[float, typer.Option(help="Float32 ULP within which two rates are the same.")] = 8,
    columns: Annotated[
        str | None, typer.Option(metavar="step=NAME,lr=NAME", help="What the columns or metrics of both are called.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The arm of both sides.")] = None,
    framework: Annotated[str | None, typer.Option(help="The framework of both sides.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of both sides.")] = None,
    of_a: Annotated[list[str] | None, typer.Option("--a", metavar="KEY=VALUE,...", help=SETTINGS_HELP)] = None,
    of_b: Annotated[list[str] | None, typer.Option("--b", metavar="KEY=VALUE,...", help="The same for B.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a report, tables and figures.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier report of samestep.")] = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML, for a CI system.")] = None,
    json: Json = None,
) -> int:
    """Line two traces, logs or schedules up: first difference, cause, fix. Exits with 0, 1 or 3 for inconclusive."""
    from ..comparison import compare as comparing
    from ..runs.settings import key_values
    from ..show import folder as output

    if force and report is None:
        raise output.OutputError("--force replaces an earlier report. Add --report, or leave --force out.")
    if junit is not None and str(junit) == "-":
        raise typer.BadParameter("'-' is not a file. Name one for the XML; --json - writes to standard output.")
    check_targets([a, b], json, junit=junit)
    if report is not None:
        output.check(report, force, "--report")
    compared = comparing.compare(
        a,
        b,
        samples=samples,
        batch_size=batch_size,
        drop_last=drop_last,
        accumulate=accumulate,
        steps_per_epoch=steps_per_epoch,
        epochs=epochs,
        stepping=stepping,
        ulp=ulp,
        columns=None if columns is None else key_values(columns, "--columns"),
        arm=arm,
        framework=framework,
        seed=seed,
        of_a=key_values(of_a or [], "--a"),
        of_b=key_values(of_b or [], "--b"),
    )
    if junit is not None:
        terminal.write(str(junit), compared.to_junit())
    terminal.finish(compared, json=json, report=report, force=force)
    return terminal.CODES[compared.verdict]
