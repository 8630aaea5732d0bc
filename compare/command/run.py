"""``samestep run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import terminal
from .options import Force, Plan, check_targets

EXAMPLE = "samestep run --plan plan.json --out out/mine --json -"


def run(
    plan: Plan = None,
    out: Annotated[Path | None, typer.Option(help="The folder to write. Left out: out/ and the plan's name.")] = None,
    force: Force = False,
    engine: Annotated[
        str,
        typer.Option(
            metavar="fast|plain|graph|xla",
            help="How updates are made: the fastest way, the plain loop that everybody writes, or how Keras compiles.",
        ),
    ] = "fast",
    device: Annotated[
        str, typer.Option(metavar="cpu|gpu", help="Where both frameworks train. A GPU is not needed.")
    ] = "cpu",
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the summary as JSON; - for standard output.")
    ] = None,
) -> None:
    """Train every arm in both frameworks; write CSV, figures and the report."""
    from samestep.experiment.plan import Plan as Experiment
    from samestep.experiment.plan import question
    from samestep.experiment.programs import engines
    from samestep.experiment.programs.process import need

    from .. import training
    from ..show import folder as output
    from . import progress

    engines.parse(engine), engines.parse_device(device)
    chosen = question() if plan is None else Experiment.load(plan)
    need()
    folder = out or Path("out", chosen.name)
    check_targets([plan, folder, getattr(chosen.data, "path", None)], json)
    with output.folder(folder, force) as beside:
        with progress.epochs(chosen, terminal.tell) as on_progress:
            trained = training.run(chosen, engine=engine, device=device, on_progress=on_progress)
        trained.write(beside)
    terminal.finish(trained, json=json, written=folder)
