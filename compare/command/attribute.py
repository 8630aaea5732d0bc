"""``samestep attribute``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from . import terminal
from .options import Force, Json, Plan, check_targets

EXAMPLE = "samestep attribute --arm staircase-steps --precision float64"


def attribute(
    plan: Plan = None,
    against: Annotated[
        Path | None, typer.Option(help="Another plan for the framework that is changed; left out: the same.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The arm. Left out: the first whose rate changes.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed. Left out: the plan's first.")] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="float32|float64", help="Train in this, whatever the plan says.")
    ] = None,
    mend: Annotated[
        str, typer.Option(metavar="torch|keras", help="The framework whose optimizer is made to do as the other's.")
    ] = "torch",
    out: Annotated[
        Path | None, typer.Option(help="The folder to write. Left out: out/ and the plan's name, with -attribution.")
    ] = None,
    force: Force = False,
    json: Json = None,
) -> None:
    """Which part of a loss gap between Keras and PyTorch comes from what, and what to write so that it goes."""
    from samestep.experiment.programs.process import need

    from .. import attribution
    from ..attribution import experiment as asking
    from ..show import folder as output
    from . import progress

    experiment = asking.experiment(plan, against, arm, seed, precision, mend)
    need()
    folder = out or Path("out", f"{experiment.plan.name}-attribution")
    check_targets([plan, against, folder], json)
    with output.folder(folder, force) as beside, asking.kept_runs(folder) as runs:
        try:
            with progress.trainings(terminal.tell) as on_progress:
                attributed = attribution.attribute(
                    plan,
                    against,
                    arm=arm,
                    seed=seed,
                    precision=precision,
                    mend=mend,
                    keep=runs,
                    on_progress=on_progress,
                )
        except KeyboardInterrupt:
            said = f"Interrupted; what was trained is kept in {runs}: ask again to go on."
            sys.exit(terminal.fail(said, terminal.INTERRUPTED))
        attributed.write(beside)
    terminal.finish(attributed, json=json, written=folder)
