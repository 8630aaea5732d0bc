"""What both frameworks share: data, batch order, initial weights and dropout masks.

All of it comes from NumPy's counter-based generator, keyed by seed, purpose and epoch: any epoch is known
without drawing the ones before, and no more than one epoch is held at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np

from samestep.experiment import csv_data
from samestep.experiment.plan import CsvData, Plan
from samestep.experiment.validation import PlanError


class Purpose(IntEnum):
    """What is drawn; each purpose has a stream of its own."""

    DATA = 0
    ORDER = 1
    WEIGHTS = 2
    MASKS = 3


def generator(seed: int, purpose: Purpose, epoch: int = 0, layer: int = 0) -> np.random.Generator:
    """The generator of one purpose in one epoch and layer.

    Philox counts its draws in the low words of a 256-bit counter. Epoch and layer are its high words, so two streams
    never overlap.

    Example:
        >>> generator(0, Purpose.ORDER, epoch=1).permutation(5)
        array([3, 2, 1, 4, 0])
    """
    return np.random.Generator(np.random.Philox(key=[seed, purpose], counter=[0, 0, layer, epoch]))


def native_seed(seed: int, purpose: Purpose) -> int:
    """The seed of a framework's own generator for one purpose: below 2**32, and different for each purpose.

    With one seed for all purposes, a framework would draw the same numbers as data, as order and as weights.
    """
    return int(np.random.SeedSequence([seed, purpose]).generate_state(1)[0])


def data(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """The rows to learn from: x of shape (samples, features) and y of shape (samples, 1), in the plan's precision.

    Raises:
        PlanError: the CSV file cannot be used, or a value is too large for the precision.
    """
    if isinstance(plan.data, CsvData):
        x, y = csv_data.read(plan.data.path, plan.data.target)
    else:
        draws = generator(plan.data.seed, Purpose.DATA)
        x = draws.uniform(0.0, 2.0, (plan.data.samples, 1))
        y = draws.normal(x**2, plan.data.noise)
    with np.errstate(over="ignore"):
        x, y = x.astype(plan.precision), y.astype(plan.precision)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise PlanError(f"data: a value is too large for {plan.precision}. Scale the columns or use float64.")
    return x, y


def order(plan: Plan, seed: int, epoch: int) -> np.ndarray:
    """The rows in the order of this epoch: int64, shape (samples,)."""
    return generator(seed, Purpose.ORDER, epoch).permutation(plan.clock.samples)


def weights(plan: Plan, seed: int, features: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernel of shape (inputs, outputs) and bias of shape (outputs,) of each dense layer, in the plan's precision.

    Kernels are uniform within ``sqrt(6 / (inputs + outputs))`` (Glorot), biases zero.
    """
    sizes = [features, *plan.network.hidden, 1]
    layers = []
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        limit = np.sqrt(6.0 / (inputs + outputs))
        kernel = generator(seed, Purpose.WEIGHTS, layer=layer).uniform(-limit, limit, (inputs, outputs))
        layers.append((kernel.astype(plan.precision), np.zeros(outputs, plan.precision)))
    return layers


def masks(plan: Plan, seed: int, epoch: int) -> list[np.ndarray]:
    """Factors of each hidden layer's output: shape (samples, width), in the plan's precision.

    0 drops a unit, ``1 / (1 - dropout)`` keeps it. Row k belongs to the k-th row of this epoch.
    """
    return [keeps * kept(plan) for keeps in Draws(plan).keeps(seed, epoch)]


def batches(plan: Plan, epochs: Iterable[tuple[tuple[Any, ...], Any]]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The batches of one epoch after the other: slices of its inputs and of its targets."""
    for inputs, targets in epochs:
        for begin in range(0, plan.clock.steps_per_epoch * plan.batch_size, plan.batch_size):
            rows = slice(begin, begin + plan.batch_size)
            yield tuple(each[rows] for each in inputs), targets[rows]


def draws_natively(plan: Plan) -> bool:
    """Whether a framework draws masks itself: for one network, and other ones for several side by side."""
    return plan.controls.masks == "native" and plan.network.dropout > 0 and bool(plan.network.hidden)


def kept(plan: Plan) -> np.floating:
    """The factor of a unit that `masks` keep: ``1 / (1 - dropout)`` in the plan's precision."""
    number = np.dtype(plan.precision).type
    return number(1.0) / number(1.0 - plan.network.dropout)


class Draws:
    """The same orders and masks for many seeds and epochs, faster: all use one generator, set to each in turn.

    Each thread needs its own.
    """

    def __init__(self, plan: Plan) -> None:
        self._samples, self._widths, self._keep = plan.clock.samples, plan.network.hidden, 1.0 - plan.network.dropout
        self._bits: Any = np.random.Philox(0)  # NumPy keeps the type of its state private
        self._generator = np.random.Generator(self._bits)
        self._state: dict[str, Any] = {**self._bits.state}

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """The same as `controls.order`."""
        return self._drawing(seed, Purpose.ORDER, epoch).permutation(self._samples)

    def keeps(self, seed: int, epoch: int) -> list[np.ndarray]:
        """Where each hidden layer's units are kept: bool, shape (samples, width). Times `kept`, the same as `masks`."""
        return [
            _below(self._drawing(seed, Purpose.MASKS, epoch, layer), self._keep, (self._samples, width))
            for layer, width in enumerate(self._widths)
        ]

    def _drawing(self, seed: int, purpose: Purpose, epoch: int, layer: int = 0) -> np.random.Generator:
        """As `generator`."""
        key, counter = np.array([seed, purpose], np.uint64), np.array([0, 0, layer, epoch], np.uint64)
        self._bits.state = self._state | {"state": {"key": key, "counter": counter}}
        return self._generator


def _below(draws: np.random.Generator, probability: float, shape: tuple[int, int]) -> np.ndarray:
    """Whether each of these numbers, uniform from 0 to 1, lies below a probability above 0.

    A number has 32 bits, half of what the generator gives at once. A float32 that a framework draws has 23 or 24.
    """
    last = math.ceil(probability * 2**32) - 1  # of 32 bits, also where the probability is 1
    count = math.prod(shape)
    raw = draws.bit_generator.random_raw(-(-count // 2)).astype("<u8", copy=False).view("<u4")
    return (raw[:count] <= np.uint32(last)).reshape(shape)
