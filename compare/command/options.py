"""What several subcommands take, and where results go: what cannot be is refused before any work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

SCHEDULE_HELP = (
    "A short form like 'exponential:initial=1e-3,factor=0.95,every=25 steps,staircase', JSON, code of Keras or PyTorch "
    "like 'CosineDecay(0.1, decay_steps=1000)', another program's words like 'timm:sched=step,lr=1', or a file of them."
)
Spec = Annotated[str, typer.Argument(metavar="SCHEDULE", help=SCHEDULE_HELP, show_default=False)]
Samples = Annotated[int, typer.Option(help="Rows of data seen in an epoch.")]
BatchSize = Annotated[int, typer.Option(help="Rows in a batch.")]
DropLast = Annotated[bool, typer.Option("--drop-last", help="Leave out a last batch that is shorter.")]
Accumulate = Annotated[int, typer.Option(help="Batches whose gradients make one update.")]
Epochs = Annotated[int, typer.Option(help="Passes over the data.")]
Stepped = Annotated[
    str, typer.Option(metavar="step|epoch", help="How often the rate is looked up: before each update, or per epoch.")
]
Plan = Annotated[Path | None, typer.Option(help="The experiment as JSON; left out: the default plan, 'question'.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an earlier output of samestep.")]
Json = Annotated[str | None, typer.Option(metavar="FILE", help="Write the result as JSON; - for standard output.")]
Plot = Annotated[Path | None, typer.Option(help="Draw it: a .png, .svg or .pdf file.")]


def check_targets(
    taken: Sequence[Path | str | None],
    json: str | None,
    csv: Path | None = None,
    plot: Path | None = None,
    junit: Path | None = None,
) -> None:
    """Reject targets that cannot be written, before any work. Raises OutputError."""
    from ..show.folder import OutputError

    used = [Path(each).resolve() for each in taken if each is not None and len(str(each)) < 200]
    for option, target in {"--json": json, "--csv": csv, "--plot": plot, "--junit": junit}.items():
        if target is None or (target == "-" and option == "--json"):
            continue
        path = Path(str(target))
        if path.is_dir() or not path.absolute().parent.is_dir():
            name = str(target) or "A file without a name"
            raise OutputError(f"{name} cannot be written. Name a file in a folder that exists with {option}.")
        if path.resolve() in used:
            raise OutputError(f"{target} is read or written already. Name another file with {option}.")
        used.append(path.resolve())
    if plot is not None and plot.suffix not in (".png", ".svg", ".pdf"):
        raise OutputError(f"--plot: got {str(plot)!r}. Write a name that ends in .png, .svg or .pdf.")
