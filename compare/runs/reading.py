"""A log that was read: what it holds, and what was assumed of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samestep.experiment.trace import Trace

from .. import readers
from ..show.result import Result
from .run import Run, cleaned_run, runs_of, writable

if TYPE_CHECKING:
    import pandas as pd

    from ..show.picture import Picture


def read(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    step_base: int | None = None,
    lr_timing: str | None = None,
    loss_kind: str | None = None,
    steps_per_epoch: int | None = None,
    format: str | None = None,  # noqa: A002 - as the command's settings call it
    step_unit: str | None = None,
    epoch_lr: str | None = None,
) -> Reading:
    """Read a log, whatever program wrote it.

    Args:
        path: A file, or a folder that holds one log: the formats of ``samestep compare``.
        columns: Names of columns or metrics by what they hold: ``step``, ``lr``, ``loss``.
        step_base: The number that the log gives to the first update.
        lr_timing: ``used``, ``next`` or ``unknown``: whether a row's rate is the one that its update used.
        loss_kind: What the loss is, in words, like ``batch mean``.
        steps_per_epoch: Updates in an epoch; a log with one row per epoch cannot be read without it.
        format: The format's name, where the content does not show it.
        step_unit: ``step`` or ``epoch``: what the log's steps count.
        epoch_lr: ``first``, ``last``, ``mean`` or ``unknown``: which rate the row of an epoch holds.

    Returns:
        The rows, with what was assumed.

    Raises:
        ReadError: A file that cannot be read; the message is one line that names it.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "log.csv")
        >>> _ = file.write_text("step,lr\\n0,0.1\\n1,0.05\\n")
        >>> read(file).table.lr.tolist()
        [0.1, 0.05]
    """
    options = readers.Options(
        dict(columns or {}), step_base, lr_timing, loss_kind, steps_per_epoch, format, step_unit, epoch_lr
    )
    return Reading(writable(str(path)), readers.read(path, options))


@dataclass(frozen=True, eq=False)
class Reading(Result):
    """A log as a trace.

    Attributes:
        given: The path as it was given.
        trace: Steps from 0, each rate at the update that used it.
    """

    given: str
    trace: Trace

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Each run of the log, cleaned so that its steps rise."""
        return tuple(cleaned_run(key, rows, self.trace) for key, rows in runs_of(self.trace.steps))

    @property
    def table(self) -> pd.DataFrame:
        """One row for each row of the log, with the columns of a trace."""
        import pandas as pd

        return pd.DataFrame(dict(self.trace.steps))

    def lines(self) -> Iterator[tuple[str, str]]:
        """What each run holds, then what was assumed and left out."""
        manifest = self.trace.manifest
        for run in self.runs:
            yield "", f"{self.given}: {run.said(str(manifest.get('format', 'trace')))}"
            yield from (("   ", note) for note in run.notes)
        yield from (("   ", f"assumed: {each}") for each in manifest.get("assumed") or ())
        yield from (("   ", str(each)) for each in manifest.get("notes") or ())

    def to_json(self) -> dict[str, Any]:
        """The manifest, and the runs with their rows counted."""
        runs = [{**run.key._asdict(), "rows": len(run.rates), "notes": list(run.notes)} for run in self.runs]
        return {"schema": 1, "name": self.given, "runs": runs, "manifest": dict(self.trace.manifest)}

    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """The rate of each run against steps."""
        return {"rates": self._rates}

    def _rates(self) -> Picture:
        from ..show.lines import lines
        from ..show.picture import Picture

        runs = {str(run.key): (run.rates.step, run.rates.lr) for run in self.runs}
        alt = f"Learning rate against step of {self.given}."
        return Picture("rates", lines(runs), alt, "The rate that each update used.")
