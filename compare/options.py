"""What the options of the subcommands mean, and where results go: what cannot be is refused before any work."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiment.clock import Clock, Stepping
    from experiment.schedules import Schedule


def check_targets(
    taken: Sequence[Path | str | None],
    json: str | None,
    csv: Path | None = None,
    plot: Path | None = None,
    others: Mapping[str, Path | None] = MappingProxyType({}),
) -> None:
    """Refuse before any work what could not be written after it."""
    used = [Path(each).resolve() for each in taken if each is not None and len(str(each)) < 200]
    for option, target in {"--json": json, "--csv": csv, "--plot": plot, **others}.items():
        if target is None or (target == "-" and option == "--json"):
            continue
        path = Path(str(target))
        if path.is_dir() or not path.absolute().parent.is_dir():
            name = str(target) or "A file without a name"
            raise refused(f"{name} cannot be written. Name a file in a folder that exists with {option}.")
        if path.resolve() in used:
            raise refused(f"{target} is read or written already. Name another file with {option}.")
        used.append(path.resolve())
    if plot is not None and plot.suffix not in (".png", ".svg", ".pdf"):
        raise refused(f"--plot: got {str(plot)!r}. Write a name that ends in .png, .svg or .pdf.")


def refused(message: str) -> ValueError:
    """An error of use: one line that says what to do."""
    from compare.show.folder import OutputError

    return OutputError(message)


def schedule(text: str) -> Schedule:
    """A schedule as written. Raises ScheduleError."""
    from experiment.schedules.text import parse

    return parse(text)


def clock(samples: int, batch_size: int, drop_last: bool, accumulate: int) -> Clock:
    """The clock of a run. Raises OutputError where it makes no sense."""
    from experiment.clock import Clock

    try:
        return Clock(samples, batch_size, drop_last, accumulate)
    except ValueError as error:
        raise refused(str(error)) from None


def stepping(text: str) -> Stepping:
    """How often the rate is looked up. Raises OutputError for any other word than step and epoch."""
    if text == "step":
        return "step"
    if text == "epoch":
        return "epoch"
    raise refused(f"--stepping: got {text!r}. Write step or epoch.")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure in the format that its name ends in, moved into place when complete."""
    from experiment.trace import moved_into_place

    drawn = io.BytesIO()  # a pipe can only be written in one go
    figure.savefig(drawn, format=path.suffix[1:], dpi=150)
    with moved_into_place(path.resolve()) as beside:
        beside.write_bytes(drawn.getvalue())
