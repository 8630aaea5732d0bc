"""What a schedule does in a run, step by step, from its closed form alone; or what a log holds. Needs no framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from samestep.experiment.clock import Clock, Place, Stepping
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.text import Parsed, to_short

from ..runs.run import CompareError
from ..runs.settings import Settings
from ..runs.settings import clock as clock_from
from ..runs.settings import stepping as stepping_from
from ..show.result import Result
from . import warnings
from .ask import asked_json, changes_of, closed_form, first_and_last, is_log, run_steps, schedule_of

if TYPE_CHECKING:
    import pandas as pd

    from ..show.picture import Picture
    from .timeline import Timeline


@dataclass(frozen=True)
class Change:
    """An update whose rate is another than the one before had, and that rate."""

    place: Place
    lr: float

    @property
    def step(self) -> int:
        """The step of the update."""
        return self.place.step


@dataclass(frozen=True)
class Explanation(Result):
    """A schedule in a run.

    steps : updates in the run, or until the schedule may not be asked any more. changes : how often the rate changes.
    shown : the first changes and the last ones. assumed : what the text of the schedule does not say.
    """

    schedule: Schedule
    clock: Clock
    stepping: Stepping
    epochs: int
    steps: int
    changes: int
    shown: tuple[Change, ...]
    first_rate: float
    final_rate: float
    assumed: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[warnings.Doubt, ...]:
        """What may not be meant."""
        return tuple(warnings.of_run(self))

    @property
    def first_change(self) -> Change | None:
        """The first update with another rate."""
        return self.shown[0] if self.shown else None

    @property
    def rates(self) -> np.ndarray:
        """The rate of each update: float64."""
        return closed_form(self.schedule, self.clock, self.stepping, self.steps)

    @property
    def table(self) -> pd.DataFrame:
        """One row for each update: its step, epoch and batch, and its rate."""
        import pandas as pd

        step = np.arange(self.steps)
        places = {"epoch": self.clock.epoch(step), "batch": self.clock.batch(step)}
        return pd.DataFrame({"step": step, **places, "lr": self.rates})

    def lines(self) -> Iterator[tuple[str, str]]:
        """The timeline, the changes as a table, the warnings with what to write instead."""
        from . import words

        return words.explanation(self)

    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """The rate in the whole run, and in its first epochs."""
        from . import figures

        return figures.only(
            lambda: figures.explained(self),
            f"Learning rate against step of {to_short(self.schedule)}.",
            "The rate in the whole run, and in its first epochs.",
        )

    def to_json(self) -> dict[str, Any]:
        """The explanation as JSON values."""
        return {
            "schema": 1,
            **asked_json(self.schedule, self.clock, self.stepping),
            "epochs": self.epochs,
            "steps": self.steps,
            "steps_per_epoch": self.clock.steps_per_epoch,
            "changes": self.changes,
            "first_change": asdict(self.first_change.place) if self.first_change else None,
            "first_rate": self.first_rate,
            "final_rate": self.final_rate,
            "assumed": list(self.assumed),
            "warnings": [each.says for each in self.warnings],
            "advice": [each.advice for each in self.warnings],
        }


def explain(
    schedule: object,
    *,
    samples: int | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    drop_last: bool = False,
    accumulate: int = 1,
    steps_per_epoch: int | None = None,
    clock: Clock | None = None,
    stepping: str | None = None,
    show: int = 8,
    columns: Mapping[str, str] | None = None,
    arm: str | None = None,
    framework: str | None = None,
    seed: int | None = None,
    log: Mapping[str, object] | None = None,
) -> Explanation | Timeline:
    """Explain, step by step, what a schedule does in a run, or what a log holds. This needs no framework.

    Args:
        schedule: The schedule as text, code or a file of either, or an object. Or a log: a path, a pandas table, the
            plain list of rates of a training loop, or what `samestep.read` gave.
        samples: Rows of data in an epoch.
        batch_size: Rows in a batch.
        epochs: Passes over the data. A schedule needs it, and a log has its own length.
        drop_last: Whether a last batch that is shorter is left out.
        accumulate: Batches whose gradients make one update.
        steps_per_epoch: Updates in an epoch, instead of the four counts of data above.
        clock: A `Clock`, instead of these.
        stepping: How often the rate of a schedule is looked up: ``step`` (the default) or ``epoch``.
        show: Changes that are kept, half from the beginning and half from the end.
        columns: Names of a log's columns by what they hold: ``{"step": "global_step", "lr": "rate"}``.
        arm: The arm of a log to select.
        framework: The framework of a log to select.
        seed: The seed of a log to select.
        log: What a log means, as `of_a` of `samestep.compare`: ``{"step_base": 1, "lr_timing": "used"}``.

    Returns:
        The timeline, with warnings about what may not be meant. That of a log has the schedule that it follows.

    Raises:
        PlanError: A schedule that does not fit the clock, or a run that is too long.
        CompareError: A log that cannot be read or holds several runs, or an argument that has no effect.

    Example:
        >>> text = "exponential:initial=1e-3,factor=0.95,every=25 steps,staircase"
        >>> explain(text, samples=1000, batch_size=32, epochs=50).first_change.place
        Place(step=25, epoch=0, batch=25)
        >>> explain([0.1] * 60 + [0.05] * 40).first_change.step
        60
    """
    counts = clock or clock_from(samples, batch_size, drop_last, accumulate, steps_per_epoch)
    looked_up = "step" if stepping is None else stepping_from(stepping)
    of_schedules = {"epochs": epochs, "stepping": stepping}
    of_logs = {"columns": columns, "arm": arm, "framework": framework, "seed": seed, "log": log or None}
    here, other, idle = ("a log", "a schedule", of_schedules) if is_log(schedule) else ("a schedule", "a log", of_logs)
    if given := next((option for option, value in idle.items() if value is not None), None):
        raise CompareError(f"--{given} is about {other}; here is {here}. Leave it out.")
    if idle is of_logs:
        return _explained(schedule_of(schedule, looked_up, counts), counts, looked_up, epochs, show)
    from . import timeline  # and what infers with it
    from .infer import selected

    chosen = Settings.of(log, "log", selected(arm, framework, seed, columns))
    return timeline.read(schedule, chosen, counts, show)


def _explained(parsed: Parsed, clock: Clock | None, stepping: Stepping, epochs: int | None, show: int) -> Explanation:
    """A schedule in a run."""
    if clock is None:
        raise CompareError("The steps of an epoch are needed. Write --samples and --batch-size, or --steps-per-epoch.")
    if epochs is None:
        raise CompareError("The length of the run is needed. Write --epochs.")
    steps = run_steps(parsed.schedule, clock, stepping, epochs)
    rate = closed_form(parsed.schedule, clock, stepping, steps)
    changed = changes_of(rate)
    return Explanation(
        schedule=parsed.schedule,
        clock=clock,
        stepping=stepping,
        epochs=epochs,
        steps=steps,
        changes=len(changed),
        shown=tuple(Change(clock.place(int(step)), float(rate[step])) for step in first_and_last(changed, show)),
        first_rate=float(rate[0]),
        final_rate=float(rate[-1]),
        assumed=parsed.assumed,
    )
