"""The rates that both frameworks' own schedulers give, without training, held against the closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.plan import FRAMEWORKS, Framework
from samestep.experiment.programs.process import need
from samestep.experiment.programs.simulate import Answer, Request
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.text import to_json as schedule_json
from samestep.experiment.schedules.text import to_short
from samestep.experiment.validation import PlanError

from ..runs.settings import stepping as stepping_from
from ..show.result import Result
from ..tolerance import ULP32, rate_size, rate_tolerance, ulp32
from ..workers import runner
from .ask import asked_json, changes_of, clock_of, closed_form, first_and_last, run_steps, schedule_of

if TYPE_CHECKING:
    import pandas as pd

    from ..show.picture import Picture

Verdict = Literal["same", "differs"]


@dataclass(frozen=True)
class Agreement:
    """How far two traces of rates lie apart.

    compared : steps. max_ulp32, max_relative : the largest difference, in float32 ULP of and relative to the size at
    which the rate is rounded (`tolerance.rate_size`). tolerance_ulp32, tolerance_drift : what is allowed where the
    difference is largest, the drift in ULP as well. parts_at : the first step beyond it, or at which one of both has
    no rate any more.
    """

    verdict: Verdict
    compared: int
    max_ulp32: float
    max_relative: float
    tolerance_ulp32: int
    tolerance_drift: float
    parts_at: int | None


@dataclass(frozen=True)
class Simulation(Result):
    """One schedule in both frameworks.

    run_steps : updates in the run; `lr_closed_form` has fewer where the schedule may not be asked any more.
    answers, against : by framework, what it gives, and how far that lies from the closed form. between : the two.
    assumed : what the text of the schedule does not say.
    """

    schedule: Schedule
    clock: Clock
    stepping: Stepping
    run_steps: int
    lr_closed_form: np.ndarray
    answers: Mapping[Framework, Answer]
    against: Mapping[Framework, Agreement]
    between: Agreement
    assumed: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Whether both are the closed form."""
        return "same" if all(each.verdict == "same" for each in self.against.values()) else "differs"

    def columns(self) -> dict[str, np.ndarray]:
        """One row per update: step, epoch, batch, the three rates, and the differences from the closed form in ULP."""
        compared = min(len(self.lr_closed_form), *(len(answer.lr) for answer in self.answers.values()))
        step = np.arange(compared)
        closed = self.lr_closed_form[:compared]
        scale = self.schedule.float32_scale(self.clock.looked_up(step, self.stepping), self.clock)
        unit = ulp32(rate_size(closed, scale))
        rates = {name: self.answers[name].lr[:compared] for name in FRAMEWORKS}
        return {
            "step": step,
            "epoch": self.clock.epoch(step),
            "batch": self.clock.batch(step),
            "lr_closed_form": closed,
            **{f"lr_{name}": lr for name, lr in rates.items()},
            **{f"ulp32_{name}": np.abs(lr - closed) / unit for name, lr in rates.items()},
        }

    @property
    def table(self) -> pd.DataFrame:
        """One row for each update: the columns of ``--csv``."""
        import pandas as pd

        return pd.DataFrame(self.columns())

    def changes(self, show: int = 8) -> tuple[int, list[dict[str, Any]]]:
        """How often the closed form changes; step 0, the first and the last changes as rows with all three rates."""
        changed = changes_of(self.lr_closed_form)
        rates = {"lr_closed_form": self.lr_closed_form} | {f"lr_{name}": self.answers[name].lr for name in FRAMEWORKS}
        rows = [
            asdict(self.clock.place(step))
            | {name: float(lr[step]) if step < len(lr) else None for name, lr in rates.items()}
            for step in [0, *map(int, first_and_last(changed, show))]
        ]
        return len(changed), rows

    def lines(self) -> Iterator[tuple[str, str]]:
        """The changes as a table with all three rates, and how far each framework lies from the closed form."""
        from . import words

        return words.simulation(self)

    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """The rates of both frameworks over the closed form, and how far each lies from it."""
        from . import figures

        return figures.only(
            lambda: figures.simulated(self),
            f"Learning rate against step of {to_short(self.schedule)}, in both frameworks and from its closed form.",
            "The rates of both frameworks over the closed form, and how far each lies from it.",
        )

    def to_json(self) -> dict[str, Any]:
        """The simulation as JSON values, without the rates of every step."""
        total, rows = self.changes()
        return {
            "schema": 1,
            "verdict": self.verdict,
            **asked_json(self.schedule, self.clock, self.stepping),
            "steps": len(self.lr_closed_form),
            "run_steps": self.run_steps,
            "steps_per_epoch": self.clock.steps_per_epoch,
            "changes": total,
            "rows": rows,
            "frameworks": {
                name: {
                    **{each: getattr(answer, each) for each in ("native", "exact", "note", "source")},
                    "changes": len(changes_of(answer.lr)),
                    "first_change": _first_change(answer.lr, self.clock),
                    **asdict(self.against[name]),
                }
                for name, answer in self.answers.items()
            },
            "between": asdict(self.between),
            "assumed": list(self.assumed),
        }


def simulate(
    schedule: str | Path | Schedule,
    *,
    samples: int | None = None,
    batch_size: int | None = None,
    epochs: int,
    drop_last: bool = False,
    accumulate: int = 1,
    clock: Clock | None = None,
    stepping: str = "step",
) -> Simulation:
    """Ask the real schedulers of both frameworks for the rate of each update, without training.

    Args:
        schedule: As text, code or a file of either, or an object.
        samples: Rows of data in an epoch.
        batch_size: Rows in a batch.
        epochs: Passes over the data.
        drop_last: Whether a last batch that is shorter is left out.
        accumulate: Batches whose gradients make one update.
        clock: A `Clock`, instead of the four above.
        stepping: How often the rate is looked up: ``step`` or ``epoch``.

    Returns:
        The rates of both, and how far each lies from the closed form.

    Raises:
        PlanError: A schedule that does not fit the clock, or a framework that is not installed.
        WorkerError: A framework that cannot build the schedule.

    Example:
        >>> simulate("constant:initial=0.1", samples=4, batch_size=1, epochs=1).verdict  # doctest: +SKIP
        'same'
    """
    clock = clock_of(clock, samples, batch_size, drop_last, accumulate)
    need()
    looked_up = stepping_from(stepping)
    parsed = schedule_of(schedule, looked_up, clock)
    schedule = parsed.schedule
    steps = run_steps(schedule, clock, looked_up, epochs)
    lr = closed_form(schedule, clock, looked_up, steps)
    answers = runner.ask(dict.fromkeys(FRAMEWORKS, Request(clock, looked_up, steps, schedule=schedule_json(schedule))))
    against = {name: agreement(lr, answer.lr, schedule, clock, looked_up) for name, answer in answers.items()}
    between = agreement(answers["torch"].lr, answers["tensorflow"].lr, schedule, clock, looked_up)
    run = epochs * clock.steps_per_epoch
    return Simulation(schedule, clock, looked_up, run, lr, answers, against, between, parsed.assumed)


def agreement(a: np.ndarray, b: np.ndarray, schedule: Schedule, clock: Clock, stepping: Stepping) -> Agreement:
    """Hold two traces of one schedule's rates against each other; the tolerance is that of the first."""
    compared = min(len(a), len(b))
    if not compared:
        raise PlanError("there is no step to compare. Write more epochs.")
    step = clock.looked_up(np.arange(compared), stepping)
    rate, other = a[:compared], b[:compared]
    scale, drift = schedule.float32_scale(step, clock), schedule.float32_drift(step, clock)
    size, difference = rate_size(rate, scale), np.abs(rate - other)
    beyond = ~(difference <= rate_tolerance(rate, drift, scale))
    unit = ulp32(size)
    largest = int((difference / unit).argmax())
    parts_at = int(beyond.argmax()) if beyond.any() else compared if len(a) != len(b) else None
    return Agreement(
        verdict="differs" if parts_at is not None else "same",
        compared=compared,
        max_ulp32=float((difference / unit).max()),
        max_relative=float((difference / size).max()),
        tolerance_ulp32=ULP32,
        tolerance_drift=float(drift[largest] / unit[largest]),
        parts_at=parts_at,
    )


def _first_change(lr: np.ndarray, clock: Clock) -> dict[str, int] | None:
    changed = changes_of(lr)
    return asdict(clock.place(int(changed[0]))) if len(changed) else None
