"""One rate after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, DurationText, Stepping
from samestep.experiment.schedules.base import Level, ScheduleModel, check_rising, ratio, rising_steps, tidy
from samestep.experiment.schedules.calls import (
    Call,
    Calls,
    Config,
    Counts,
    State,
    counted,
    key_number,
    lambda_call,
    torch_call,
    written,
)
from samestep.experiment.schedules.constant import Constant


class PiecewiseConstant(ScheduleModel):
    """One rate after the other. The last one holds.

    ``lr(t) = v[i]`` where i boundaries are at most t: a boundary is the first step with the next value, as in PyTorch.
    v = `values`, one more than `boundaries`.

    Source: Keras, `PiecewiseConstantDecay`, which changes one step after its boundary; PyTorch, `MultiStepLR` where the
    values are powers of one factor, `ConstantLR` where there are two and they rise.
    """

    EXAMPLES: ClassVar = {
        "piecewise constant, powers of one factor": (
            "piecewise-constant:boundaries=[2 epochs,4 epochs],values=[0.1,0.01,0.001]"
        ),
        "piecewise constant, two values, rising": "piecewise-constant:boundaries=[1 epoch],values=[0.01,0.1]",
        "piecewise constant, any values": "piecewise-constant:boundaries=[1 epoch,3 epochs],values=[0.1,0.05,0.01]",
    }
    KERAS: ClassVar = {"PiecewiseConstantDecay": {"boundaries": "boundaries", "values": "values"}}
    TORCH: ClassVar = {
        "MultiStepLR": {"milestones": "boundaries", "gamma": "values"},
        "ConstantLR": {"factor": "values", "total_iters": "boundaries"},
    }

    AFTER: ClassVar = "hold"

    kind: Literal["piecewise-constant"] = Field(default="piecewise-constant", repr=False)
    boundaries: Annotated[tuple[DurationText, ...], Field(strict=False, min_length=1)]
    values: Annotated[tuple[Level, ...], Field(strict=False)]

    @model_validator(mode="after")
    def _fit(self) -> PiecewiseConstant:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"values: {len(self.values)} for {len(self.boundaries)} boundaries. "
                f"Write {len(self.boundaries) + 1}, one more than boundaries."
            )
        if not max(self.values):
            raise ValueError("values: all are 0. Write at least one rate above 0.")
        check_rising("boundaries", self.boundaries)
        return self

    @property
    def base_lr(self) -> float:
        """The first value; the highest where the first is 0."""
        return self.values[0] or max(self.values)

    def length(self, clock: Clock) -> int:
        """Steps until the last value."""
        return self.starts(clock)[-1]

    def starts(self, clock: Clock) -> list[int]:
        """The first step of each value but the first. Raises ValueError where they do not rise."""
        return rising_steps("boundaries", self.boundaries, clock)

    def whole_steps(self, clock: Clock) -> None:
        """Besides, the boundaries rise."""
        super().whole_steps(clock)
        self.starts(clock)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return np.asarray(self.values)[np.searchsorted(self.starts(clock), t, side="right")]

    def keras(self, count: Counts) -> Call:
        """`PiecewiseConstantDecay`, which changes where step > boundary, the vocabulary at the boundary."""
        return super().keras(count).having(boundaries=[count(each) - 1 for each in self.boundaries])

    def _torch(self, count: Calls) -> Call:
        """One factor at every milestone, or a lower rate at first."""
        first, *values = self.values
        # of several boundaries before one call, only the last is seen
        later = dict(zip(map(count.first, self.boundaries), values, strict=True))
        (milestone, value), *more = later.items()
        if first and not more and first < value:
            return torch_call("ConstantLR", value, factor=ratio(first, value), total_iters=milestone)
        times = _powers((first, *later.values()))
        if times is None:
            return self.lambda_lr(count, "for MultiStepLR, whose values are powers of one factor: these are not")
        gamma, powers = times
        repeated = [each for each, power in zip(later, powers, strict=True) for _ in range(power)]
        return torch_call("MultiStepLR", first, milestones=repeated, gamma=gamma)

    def in_a_line(self, count: Calls) -> Call:
        """A list of factors, and how many boundaries have been reached."""
        factors = [float(f"{value / self.base_lr:.12g}") for value in self.values]
        edges = written([count.first(each) for each in self.boundaries])
        return lambda_call(self.base_lr, f"{factors}[sum(n >= edge for edge in {edges})]")

    @classmethod
    def from_keras(cls, config: Config) -> PiecewiseConstant:
        """Keras changes at the first whole count above its boundary."""
        first = [math.floor(each) + 1 for each in config["boundaries"]]
        boundaries = tuple(counted("boundaries", each, config.stepping) for each in first)
        return cls(boundaries=boundaries, values=tuple(config["values"]))

    @classmethod
    def from_torch(cls, state: State) -> PiecewiseConstant | Constant:
        """A factor at each milestone, as often as it is named; or one for the first calls alone."""
        base = state.base_lr
        if state.name == "ConstantLR":
            low = tidy(base * state.number("factor"))
            if state["total_iters"] <= 0 or low == base:
                return Constant(initial=low)
            return cls(boundaries=(state.count("total_iters"),), values=(low, base))
        # PyTorch looks its count up among the milestones, and none that is no whole number is ever found
        given = {key_number(key): int(value) for key, value in dict(state["milestones"]).items()}
        times = {key: value for key, value in given.items() if isinstance(key, int)}
        gamma = state.number("gamma")
        milestones = sorted(key for key in times if key > 0)
        powers = [sum(times[key] for key in times if 0 <= key <= milestone) for milestone in (0, *milestones)]
        values = tuple(tidy(base * gamma**power) if power else base for power in powers)
        if not milestones:
            return Constant(initial=values[0])
        return cls(boundaries=tuple(counted("milestones", each, state.stepping) for each in milestones), values=values)


def tabulated(rates: Sequence[float], stepping: Stepping) -> PiecewiseConstant | Constant:
    """One rate after the other, as many as there are; the last one holds.

    stepping : ``epoch`` where there is one rate for each epoch.
    """
    changes = [n for n in range(1, len(rates)) if rates[n] != rates[n - 1]]
    if not changes:
        return Constant(initial=float(rates[0]))
    boundaries = tuple(counted("calls", n, stepping) for n in changes)
    return PiecewiseConstant(boundaries=boundaries, values=tuple(float(rates[n]) for n in (0, *changes)))


def _powers(values: tuple[float, ...]) -> tuple[float, list[int]] | None:
    """The one factor that leads from each value to the next, and how often it is applied; None where there is none."""
    if 0 in values[:-1]:
        return None
    factors = [ratio(later, one) for one, later in pairwise(values)]
    if factors == [0.0]:
        return 0.0, [1]
    if 0 in factors or 1 in factors:
        return None
    gamma = min(factors, key=lambda factor: abs(math.log(factor)))
    powers = [round(math.log(factor) / math.log(gamma)) for factor in factors]
    reached = values[0]
    for power, value in zip(powers, values[1:], strict=True):
        reached *= gamma**power
        if not 1 <= power <= 100 or abs(reached - value) > 1e-14 * value:
            return None
    return gamma, powers
