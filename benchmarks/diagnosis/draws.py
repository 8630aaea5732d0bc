"""Random schedules as people write them, of a length that a run of so many updates shows something of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.text import parse

Draw = Callable[[np.random.Generator, int], str]


def schedule(kind: str, random: np.random.Generator, updates: int) -> Schedule:
    """A schedule of one kind of `KINDS` for a run of so many updates; all durations in steps."""
    return parse(KINDS[kind](random, updates))


def rate(random: np.random.Generator) -> float:
    """An initial rate: one or two digits, from 1e-5 to 1."""
    return float(f"{random.choice([1, 1, 2, 3, 5, 2.5, 1.5, 7.3])}e{random.integers(-5, 0)}")


def steps(random: np.random.Generator, least: float, most: float) -> int:
    """A number of steps, evenly over orders of magnitude."""
    low, high = np.log(max(1, least)), np.log(max(1, most, least))
    return max(1, round(float(np.exp(random.uniform(low, high)))))


def _of(random: np.random.Generator, values: Sequence[float]) -> float:
    return float(random.choice(np.array(values)))


def _constant(random: np.random.Generator, updates: int) -> str:
    return f"constant:initial={rate(random)}"


def _exponential(random: np.random.Generator, updates: int, staircase: bool) -> str:
    every = steps(random, max(2, updates / 60), updates / 4)
    factor = _of(random, [0.5, 0.1, 0.9, 0.95, 0.96, 0.8, 0.3, 0.97, 0.7])
    return f"exponential:initial={rate(random)},factor={factor},every={every} steps{',staircase' * staircase}"


def _inverse_time(random: np.random.Generator, updates: int, staircase: bool) -> str:
    every = steps(random, max(2, updates / 60), updates / 4)
    decay_rate = _of(random, [0.1, 0.5, 1.0, 0.25, 2.0])
    return f"inverse-time:initial={rate(random)},decay_rate={decay_rate},every={every} steps{',staircase' * staircase}"


def _inverse_sqrt(random: np.random.Generator, updates: int) -> str:
    timescale = steps(random, max(2, updates / 60), updates / 2)
    return f"inverse-sqrt:initial={rate(random)},timescale={timescale} steps,power={_of(random, [0.5, 0.5, 1, 0.7])}"


def _piecewise(random: np.random.Generator, updates: int) -> str:
    count = int(random.integers(2, 5))
    bounds = sorted({int(each) for each in random.integers(updates // 10 + 1, updates * 9 // 10, count)})
    values = rate(random) * np.cumprod([1.0, *random.choice([0.5, 0.1, 0.2, 0.3], len(bounds))])
    listed = ",".join(f"{value:.6g}" for value in values)
    return f"piecewise-constant:boundaries=[{','.join(f'{each} steps' for each in bounds)}],values=[{listed}]"


def _polynomial(random: np.random.Generator, updates: int, cycle: bool = False) -> str:
    initial, power = rate(random), _of(random, [2, 0.5, 0.9, 3, 1.5])
    over = steps(random, updates / 4, updates * (0.4 if cycle else 0.9))
    end = initial * _of(random, [0, 0.1, 0.01])
    return f"polynomial:initial={initial},end={end:.6g},power={power},over={over} steps{',cycle' * cycle}"


def _power(random: np.random.Generator, updates: int) -> str:
    initial, over = rate(random), steps(random, updates / 4, updates * 0.9)
    end, power = initial * _of(random, [0, 0.1, 0.01]), _of(random, [0.5, 0.5, 2, 3])
    return f"power:initial={initial},end={end:.6g},power={power},over={over} steps"


def _linear(random: np.random.Generator, updates: int) -> str:
    initial = rate(random)
    over = steps(random, updates / 4, updates * 0.9)
    return f"linear:initial={initial},end={initial * _of(random, [0, 0.1, 0.01]):.6g},over={over} steps"


def _cosine(random: np.random.Generator, updates: int) -> str:
    initial, after = rate(random), random.choice(["hold", "rise"])
    over = steps(random, updates / 4, updates * 0.9)
    return f"cosine:initial={initial},floor={initial * _of(random, [0, 0.1, 0.01]):.6g},over={over} steps,after={after}"


def _restarts(random: np.random.Generator, updates: int) -> str:
    initial, first = rate(random), steps(random, max(5, updates / 12), updates / 4)
    floor, t_mul = initial * _of(random, [0, 0.1, 0.01]), _of(random, [1, 2])
    return f"cosine-restarts:initial={initial},floor={floor:.6g},first={first} steps,t_mul={t_mul},m_mul=1"


def _one_cycle(random: np.random.Generator, updates: int) -> str:
    over = steps(random, max(20, updates / 2), updates * 0.95)
    strategy, three = random.choice(["cos", "linear"]), ",three_phase" * int(random.integers(2))
    return (
        f"one-cycle:max_lr={rate(random)},div_factor={_of(random, [25, 10])},final_div_factor=1e4,"
        f"pct_start={_of(random, [0.25, 0.3, 0.4])},over={over} steps,anneal_strategy={strategy}{three},after=hold"
    )


def _cyclic(random: np.random.Generator, updates: int) -> str:
    high, up = rate(random), steps(random, max(4, updates / 20), updates / 5)
    down = up if random.random() < 0.7 else steps(random, max(4, updates / 20), updates / 5)
    mode = random.choice(["triangular", "triangular2", "exp_range"])
    gamma = 1 if mode != "exp_range" else f"{1 - 1 / updates:.6g}"
    return f"cyclic:low={high / 10:.6g},max_lr={high},up={up} steps,down={down} steps,mode={mode},gamma={gamma}"


def _warmup(random: np.random.Generator, updates: int) -> str:
    over = steps(random, max(4, updates / 40), updates / 5)
    then = KINDS[str(random.choice(["cosine", "exponential, smooth", "exponential, staircase", "constant", "linear"]))]
    return f"warmup:initial={_of(random, [0, 1e-7])},over={over} steps,then=({then(random, updates - over)})"


def _curved_warmup(random: np.random.Generator, updates: int) -> str:
    return f"{_warmup(random, updates)},curve={random.choice(['logarithm', 'cosine'])}"


def _clip(random: np.random.Generator, updates: int) -> str:
    of = KINDS[str(random.choice(["cosine", "exponential, smooth", "exponential, staircase", "linear"]))](
        random, updates
    )
    rates = parse(of).rate(np.array([0, updates - 1]), Clock.STEPS)
    return f"clip:lowest={float(rates.max() - np.ptp(rates) * random.uniform(0.5, 0.95)):.2g},of=({of})"


def _sequence(random: np.random.Generator, updates: int) -> str:
    initial, first = rate(random), steps(random, updates / 6, updates / 3)
    second = steps(random, updates / 6, updates / 3)
    factor = _of(random, [0.5, 0.9, 0.8])
    every = steps(random, max(2, updates / 40), updates / 8)
    return (
        f"sequence:schedules=[(constant:initial={initial}),"
        f"(exponential:initial={initial},factor={factor},every={every} steps),"
        f"(linear:initial={initial * 0.1:.6g},end=0,over={updates} steps)],"
        f"milestones=[{first} steps,{first + second} steps]"
    )


def _product(random: np.random.Generator, updates: int) -> str:
    over = steps(random, max(4, updates / 10), updates / 3)
    decay = _exponential(random, updates, bool(random.integers(2)))
    return f"product:schedules=[({decay}),(linear:initial={_of(random, [0.1, 0.3])},end=1,over={over} steps)]"


KINDS: dict[str, Draw] = {
    "constant": _constant,
    "exponential, staircase": lambda random, updates: _exponential(random, updates, True),
    "exponential, smooth": lambda random, updates: _exponential(random, updates, False),
    "inverse-time, staircase": lambda random, updates: _inverse_time(random, updates, True),
    "inverse-time, smooth": lambda random, updates: _inverse_time(random, updates, False),
    "inverse-sqrt": _inverse_sqrt,
    "piecewise-constant": _piecewise,
    "polynomial": _polynomial,
    "polynomial, cycle": lambda random, updates: _polynomial(random, updates, True),
    "power": _power,
    "linear": _linear,
    "cosine": _cosine,
    "cosine-restarts": _restarts,
    "one-cycle": _one_cycle,
    "cyclic": _cyclic,
    "warmup": _warmup,
    "warmup, along a curve": _curved_warmup,
    "warmup, over the beginning": lambda random, updates: f"{_warmup(random, updates)},overlaps",
    "warmup, joining": lambda random, updates: f"{_warmup(random, updates)},overlaps,joins",
    "sequence": _sequence,
    "product": _product,
    "clip": _clip,
}
"""A draw for each kind of the vocabulary, and for each of its forms that behave differently."""
