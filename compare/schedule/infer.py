"""Which schedule a run follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.text import to_short

from ..diagnose.doubt import FEW, follows
from ..infer import Inferred
from ..infer import infer as infer_rates
from ..runs.run import CompareError, Run, listed_keys
from ..runs.settings import Settings
from ..runs.settings import clock as clock_from
from ..runs.side import Side, clock_of, read_side
from ..show.result import Result

if TYPE_CHECKING:
    import pandas as pd

    from ..show.picture import Picture


def infer(
    run: object,
    *,
    samples: int | None = None,
    batch_size: int | None = None,
    drop_last: bool = False,
    accumulate: int = 1,
    steps_per_epoch: int | None = None,
    clock: Clock | None = None,
    arm: str | None = None,
    framework: str | None = None,
    seed: int | None = None,
    columns: Mapping[str, str] | None = None,
) -> Inference:
    """Find the schedule that explains every row of a run.

    Args:
        run: A path, a pandas table, the plain list of rates, a `Trace`, or what `samestep.read` gave.
        samples: Rows of data in an epoch.
        batch_size: Rows in a batch.
        drop_last: Whether a last batch that is shorter is left out.
        accumulate: Batches whose gradients make one update.
        steps_per_epoch: Updates in an epoch, instead of the four above.
        clock: A `Clock`, instead of the five above.
        arm: The arm to select, if there are several runs.
        framework: The framework to select.
        seed: The seed to select.
        columns: Names of columns by what they hold: ``{"step": "global_step", "lr": "rate"}``.

    Returns:
        The schedule and how well it fits; `schedule` is None if no schedule explains every row.

    Raises:
        CompareError: A run that cannot be read, or several runs.

    Example:
        >>> result = infer([0.1 * 0.5 ** (step // 25) for step in range(200)])
        >>> str(result.schedule.every), result.stepping
        ('25 steps', 'step')
    """
    counts = clock or clock_from(samples, batch_size, drop_last, accumulate, steps_per_epoch)
    side = read_side(run, "a", selected(arm, framework, seed, columns), counts)
    if side.schedule is not None:
        raise CompareError(f"{side.given[:60]} is a schedule already. Give a run that follows one.")
    return inference(side, counts)


def selected(arm: str | None, framework: str | None, seed: int | None, columns: Mapping[str, str] | None) -> Settings:
    """What is said of a log: which run of it, and the names of its columns."""
    select = {"arm": arm, "framework": framework, "seed": seed}
    return Settings({key: str(value) for key, value in select.items() if value is not None}, {}, columns or {})


def inference(side: Side, clock: Clock | None) -> Inference:
    """The schedule that the one run of a log follows. Raises CompareError where there are several."""
    if len(side.runs) != 1:
        keys = listed_keys([each.key for each in side.runs])
        raise CompareError(f"{len(side.runs)} runs ({keys}). Select one with --arm, --framework, --seed.")
    found = infer_rates(side.runs[0].rates, clock or clock_of(side)) if len(side.runs[0].rates) >= FEW else None
    return Inference(side, side.runs[0], found)


@dataclass(frozen=True, eq=False)
class Inference(Result):
    """The schedule that a run follows.

    Attributes:
        side: What was read.
        run: The rows.
        inferred: The schedule with its stepping, and how well it fits; None if no schedule explains every row.
    """

    side: Side
    run: Run
    inferred: Inferred | None

    @property
    def schedule(self) -> Schedule | None:
        """The schedule, with all durations in steps; None where none was found."""
        return None if self.inferred is None else self.inferred.schedule

    @property
    def stepping(self) -> str | None:
        """How often the rate is looked up, ``step`` or ``epoch``; None where no schedule was found."""
        return None if self.inferred is None else self.inferred.stepping

    @property
    def max_error(self) -> float | None:
        """The largest error of a row in parts of its tolerance, at most 1; None where no schedule was found."""
        return None if self.inferred is None else self.inferred.max_error

    @property
    def table(self) -> pd.DataFrame:
        """One row for each row of the run: its step and rate, and the rate of the schedule, NaN where there is none."""
        import pandas as pd

        rates = self.run.rates
        fitted = np.full(len(rates), np.nan) if self.inferred is None else self.inferred.rate(rates.step)
        return pd.DataFrame({"step": rates.step, "lr": rates.lr, "lr_schedule": fitted})

    def lines(self) -> Iterator[tuple[str, str]]:
        """What the run follows, how well, and what was assumed."""
        fits = f"; every row lies within {self.inferred.max_error:.2g} of its tolerance" if self.inferred else ""
        name = "The run" if self.side.given == self.side.format else self.side.given
        yield "", f"{name} {follows(self.run, self.inferred)}{fits}."
        yield from (("   ", each) for each in (self.run.said(self.side.format), *self.side.notes, *self.run.notes))

    def to_json(self) -> dict[str, Any]:
        """The schedule in the short form, its stepping and its fit; null where none was found."""
        return {
            "schema": 1,
            "name": self.side.given,
            "inferred": None if self.schedule is None else to_short(self.schedule),
            "stepping": self.stepping,
            "max_error": self.max_error,
        }

    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """The rates of the run and of the schedule."""
        from ..show.lines import lines
        from . import figures

        step, runs = self.run.rates.step, {self.side.given: self.run.rates.lr}
        if self.inferred is not None:
            runs["schedule"] = self.inferred.rate(step)
        return figures.only(
            lambda: lines({name: (step, lr) for name, lr in runs.items()}),
            f"Learning rate against step of {self.side.given}.",
            "The run's rates.",
        )
