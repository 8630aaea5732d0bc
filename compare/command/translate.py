"""``samestep translate``."""

from __future__ import annotations

from typing import Annotated

import typer

from . import terminal
from .options import Accumulate, DropLast, Json, Stepped, check_targets

EXAMPLE = "samestep translate schedule.json --to torch --samples 1000 --batch-size 32"


def translate(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A schedule of the vocabulary (JSON or short form), as code or in another program's words; a Keras "
            "schedule's config (JSON), or a PyTorch scheduler's state_dict (JSON or .pt).",
            show_default=False,
        ),
    ],
    to: Annotated[str, typer.Option(metavar="torch|keras", help="The framework to write it for.")],
    samples: Annotated[int | None, typer.Option(help="Rows of data in an epoch, where units change.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows in a batch, where units change.")] = None,
    drop_last: DropLast = False,
    accumulate: Accumulate = 1,
    stepping: Stepped = "step",
    class_name: Annotated[
        str | None, typer.Option("--class", help="The scheduler's class, where the file does not say it.")
    ] = None,
    json: Json = None,
) -> int:
    """The same schedule in the other framework, as code, with proof."""
    from ..schedule import translate as schedules

    check_targets([file], json)
    translated = schedules.translate(
        file,
        to,
        samples=samples,
        batch_size=batch_size,
        drop_last=drop_last,
        accumulate=accumulate,
        stepping=stepping,
        class_name=class_name,
    )
    terminal.finish(translated, json=json)
    return terminal.CODES[translated.verdict]
