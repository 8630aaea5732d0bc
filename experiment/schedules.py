"""The vocabulary of schedules. Each is asked for the rate of any update and does not change by being asked."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from experiment.clock import Clock, DurationText
from experiment.validation import Model

ArrayLike = np.ndarray | list[int] | int


class Constant(Model):
    """One rate for the whole run.

    ``lr(n) = I`` with I = `initial`.

    Source: Keras and PyTorch, a float as the optimizer's learning rate.
    """

    kind: Literal["constant"] = Field(default="constant", repr=False)
    initial: float = Field(gt=0, le=3e38)  # what float32 holds

    def rate(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Learning rate used by each update.

        step : int or int64 array, any shape; the step at which the rate is looked up, from 0.
        clock : Clock; not needed by a constant, taken so that all schedules are asked alike.
        Returns float64, the shape of `step`.
        Raises ValueError where a step is negative.
        """
        return np.full(_steps(step).shape, self.initial)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Relative drift that parameters held in float32 explain: none. float64, the shape of `step`."""
        return np.zeros(_steps(step).shape)


class ExponentialDecay(Model):
    """A rate multiplied by one factor again and again.

    ``lr(t) = I * r ** p`` with ``p = t / E``, or its floor where `staircase`;
    I = `initial`, r = `factor`, E = `every` in steps.

    Source: Keras, `ExponentialDecay`; PyTorch, `StepLR` (staircase) and `ExponentialLR` (smooth).
    """

    kind: Literal["exponential"] = Field(default="exponential", repr=False)
    initial: float = Field(gt=0, le=3e38)  # what float32 holds
    factor: float = Field(gt=0, le=1)
    every: DurationText
    staircase: bool

    def rate(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Learning rate used by each update.

        step : int or int64 array, any shape; the step at which the rate is looked up, from 0.
        clock : Clock; gives steps per epoch.
        Returns float64, the shape of `step`.
        Raises ValueError where a step is negative or `every` is not a whole number of steps.

        >>> halve = ExponentialDecay(initial=1.0, factor=0.5, every="25 steps", staircase=True)
        >>> halve.rate([24, 25], Clock(samples=1000, batch_size=32))
        array([1. , 0.5])
        """
        return self.initial * self.factor ** self.decays(step, clock)

    def decays(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """How often the factor has been applied, p: float64, the shape of `step`."""
        every = clock.steps(self.every)
        step = _steps(step)
        return (step // every).astype(np.float64) if self.staircase else step / every

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Relative drift that holding the factor in float32 explains.

        ``p * d`` with ``d = |float32(r) - r| / r``, at most ``p * 2**-24``.

        Returns float64, the shape of `step`.
        """
        return self.decays(step, clock) * float32_error(self.factor)


Schedule = Annotated[Constant | ExponentialDecay, Field(discriminator="kind")]


def float32_error(value: float) -> float:
    """Relative error of a number when it is held in float32.

    >>> round(float32_error(0.95), 11), float32_error(0.5)
    (1.255e-08, 0.0)
    """
    return abs(float(np.float32(value)) - value) / abs(value)


def _steps(step: ArrayLike) -> np.ndarray:
    steps = np.asarray(step)
    if not np.issubdtype(steps.dtype, np.integer):
        raise ValueError(f"step: {steps.dtype} values. Steps are whole numbers, counted from 0.")
    if steps.size and steps.min() < 0:
        raise ValueError(f"step: {steps.min()} is negative. Steps are counted from 0.")
    return steps.astype(np.int64)
