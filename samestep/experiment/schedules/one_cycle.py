"""One cycle: up, and down far below the beginning."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from samestep.experiment.clock import Clock, Duration, DurationText
from samestep.experiment.schedules.base import LARGEST, Peak, ScheduleModel
from samestep.experiment.schedules.calls import Call, Calls, Counts, State, number, torch_call
from samestep.experiment.schedules.constant import Constant
from samestep.experiment.schedules.piecewise_constant import PiecewiseConstant, tabulated


class OneCycle(ScheduleModel):
    """Up to `max_lr` and down far below the beginning, in T = `over` steps. Then it may not be asked, or holds.

    The rates are ``s = max_lr / div_factor``, max_lr, and ``e = s / final_div_factor``. Two phases: s to max_lr until
    step ``a = pct_start * T - 1``, then to e until step T - 1. With `three_phase`: back to s until step
    ``b = 2 * pct_start * T - 2``, then to e. The step at which a phase ends belongs to it. Between two rates the way is
    half a cosine or a line, as `anneal_strategy` says.

    Source: PyTorch, `OneCycleLR`; Keras has none. Smith and Topin, Super-convergence, 2018.
    """

    EXAMPLES: ClassVar = {
        "one-cycle, then an error": (
            "one-cycle:max_lr=0.1,div_factor=25,final_div_factor=1e4,pct_start=0.3,over=6 epochs,anneal_strategy=cos,"
            "after=error"
        ),
        "one-cycle, then hold": (
            "one-cycle:max_lr=0.1,div_factor=10,final_div_factor=100,pct_start=0.4,over=4 epochs,"
            "anneal_strategy=linear,three_phase,after=hold"
        ),
    }
    ADDED: ClassVar = ("max_lr", "base_lr")
    KERAS: ClassVar = {"OneCycle": {}}
    TORCH: ClassVar = {"OneCycleLR": {"total_steps": "over", "_schedule_phases": "pct_start"}}
    SAYS: ClassVar = {"OneCycle": {"after": "hold"}}
    ALONE: ClassVar = True

    kind: Literal["one-cycle"] = Field(default="one-cycle", repr=False)
    max_lr: Peak
    div_factor: float = Field(gt=0, le=1e12)
    final_div_factor: float = Field(gt=0, le=LARGEST)
    pct_start: Annotated[float, Field(ge=0, le=1)]
    over: DurationText
    anneal_strategy: Literal["cos", "linear"]
    three_phase: bool
    after: Literal["error", "hold"]

    @property
    def stretches(self) -> bool:
        """No: a phase ends one count early, whatever is counted."""
        return False

    @property
    def base_lr(self) -> float:
        """The rate it begins with."""
        return self.max_lr / self.div_factor

    def phases(self, clock: Clock) -> list[tuple[float, float, float]]:
        """Each phase as the step at which it ends, the rate it comes from and the one it goes to."""
        over = clock.steps(self.over)
        low, lowest = self.base_lr, self.base_lr / self.final_div_factor
        up = (float(self.pct_start * over) - 1, low, self.max_lr)
        if self.three_phase:
            return [up, (float(2 * self.pct_start * over) - 2, self.max_lr, low), (over - 1, low, lowest)]
        return [up, (over - 1, self.max_lr, lowest)]

    def whole_steps(self, clock: Clock) -> None:
        """Besides, no phase that is asked has a length of 0, by which PyTorch divides."""
        super().whole_steps(clock)
        self._check(clock)

    def _check(self, clock: Clock) -> None:
        begin, last = 0.0, clock.steps(self.over) - 1
        for end, _, _ in self.phases(clock):
            if end == begin and begin == 0.0:
                raise ValueError(
                    f"pct_start: {self.pct_start} of {last + 1} steps leaves no step to go up in, and OneCycleLR "
                    "divides by zero. Write another pct_start or a longer over."
                )
            begin = end

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        self._check(clock)
        t = np.minimum(t, clock.steps(self.over) - 1)
        phases = self.phases(clock)
        begins = [0.0, *(end for end, _, _ in phases[:-1])]
        rate = np.full(t.shape, np.nan)
        for begin, (end, low, high) in zip(reversed(begins), reversed(phases), strict=True):  # the first to end decides
            part = (t - begin) / (end - begin) if end != begin else np.ones(t.shape)
            rate = np.where(t <= end, self._between(low, high, part), rate)
        return rate

    def _between(self, start: float, end: float, part: np.ndarray) -> np.ndarray:
        if self.anneal_strategy == "linear":
            return np.asarray(start + (end - start) * part)
        return np.asarray(end + (start - end) * (1 + np.cos(np.pi * part)) / 2)

    def keras(self, count: Counts) -> Call:
        """Ours, which holds after its end."""
        call = super().keras(count)
        if self.after == "hold":
            return call
        end = f"After {count(self.over)} {count.unit} it holds; PyTorch extrapolates once and raises."
        return replace(call, note=f"{call.note} {end}")

    def _torch(self, count: Calls) -> Call:
        if count.stepping == "epoch":
            return self.lambda_lr(count, f"for OneCycleLR, {COUNTS_CALLS}")
        if self.after == "hold":
            return self.lambda_lr(count, "for OneCycleLR, which raises after its last step, while this holds")
        return torch_call(
            "OneCycleLR",
            self.base_lr,
            note=MOMENTUM.format("OneCycleLR"),
            max_lr=self.max_lr,
            total_steps=count(self.over),
            pct_start=self.pct_start,
            anneal_strategy=self.anneal_strategy,
            cycle_momentum=False,
            div_factor=self.div_factor,
            final_div_factor=self.final_div_factor,
            three_phase=self.three_phase,
        )

    @classmethod
    def from_torch(cls, state: State) -> OneCycle | PiecewiseConstant | Constant:
        """From its phases, and from its rates, which `OneCycleLR` keeps with the optimizer.

        It counts calls, and its phases end one call early: per epoch it is one rate for each.
        """
        group = state.group
        if "max_lr" not in group or "min_lr" not in group:
            raise ValueError(
                "OneCycleLR keeps max_lr with the optimizer, not in its own state. "
                "Save optimizer.state_dict() as well, under the key 'optimizer'."
            )
        total, phases = int(state["total_steps"]), state["_schedule_phases"]
        high, low, lowest = (number(key, group[key]) for key in ("max_lr", "initial_lr", "min_lr"))
        cycle = cls(
            max_lr=high,
            div_factor=_divisor(high, low),
            final_div_factor=_divisor(low, lowest),
            pct_start=_shortest((float(phases[0]["end_step"]) + 1) / total),
            over=Duration.parse(f"{total} steps"),
            anneal_strategy=state["_anneal_func_type"],
            three_phase=len(phases) == 3,
            after="error",
        )
        if state.stepping == "step":
            return cycle
        return tabulated(cycle.rate(np.arange(total), Clock(1, 1)).tolist(), "epoch")


COUNTS_CALLS = "which counts single calls: stepped per epoch it is another schedule"
MOMENTUM = "{} is made with cycle_momentum=False, so that it leaves the momentum alone."


def _divisor(above: float, below: float) -> float:
    """The divisor that made `below` of `above`, as short as it can be written; the largest there is where that is 0."""
    if not below:
        return LARGEST
    for digits in range(1, 18):
        found = float(f"{above / below:.{digits}g}")
        if above / found == below:
            return found
    return above / below


def _shortest(value: float) -> float:
    """A number without the bits that adding 1 and dividing left in it."""
    return min(1.0, max(0.0, float(f"{value:.12g}")))
