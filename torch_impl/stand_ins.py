"""Schedules that PyTorch lacks, as a person would write them. What is built is what is printed: see `schedules.source`.

Each gives the rate at a count, of steps or of epochs, in float64; `LambdaLR` is given the rate over base_lr.
"""

from __future__ import annotations

import bisect
import math


class Constant:
    """One rate, where a schedule is asked for."""

    def __init__(self, initial):
        self.initial = initial

    def __call__(self, n):
        return self.initial


class ExponentialDecay:
    """A rate multiplied by factor once every so many counts, or smoothly."""

    def __init__(self, initial, factor, every, staircase):
        self.initial, self.factor, self.every, self.staircase = initial, factor, every, staircase

    def __call__(self, n):
        return self.initial * self.factor ** (n // self.every if self.staircase else n / self.every)


class InverseTimeDecay:
    """A rate divided by a number that grows evenly, as Keras' InverseTimeDecay."""

    def __init__(self, initial, decay_rate, every, staircase):
        self.initial, self.decay_rate, self.every, self.staircase = initial, decay_rate, every, staircase

    def __call__(self, n):
        return self.initial / (1 + self.decay_rate * (n // self.every if self.staircase else n / self.every))


class InverseSqrt:
    """A rate that falls with a power of the count: 0.5 is the inverse square root."""

    def __init__(self, initial, timescale, power):
        self.initial, self.timescale, self.power = initial, timescale, power

    def __call__(self, n):
        return self.initial * (self.timescale / (n + self.timescale)) ** self.power


class PiecewiseConstant:
    """One rate after the other; a boundary is the first count with the next one."""

    def __init__(self, boundaries, values):
        self.boundaries, self.values = boundaries, values

    def __call__(self, n):
        return self.values[bisect.bisect_right(self.boundaries, n)]


class PolynomialDecay:
    """From initial to end along a power, as Keras' PolynomialDecay; then end holds, or with cycle the length grows."""

    def __init__(self, initial, end, power, over, cycle):
        self.initial, self.end, self.power, self.over, self.cycle = initial, end, power, over, cycle

    def __call__(self, n):
        over = self.over * max(1, math.ceil(n / self.over)) if self.cycle else self.over
        x = min(n, over) / over
        return (self.initial - self.end) * (1 - x) ** self.power + self.end


class Power:
    """From initial to end along a power of the part that is done; then end holds."""

    def __init__(self, initial, end, power, over):
        self.initial, self.end, self.power, self.over = initial, end, power, over

    def __call__(self, n):
        return self.initial + (self.end - self.initial) * (min(n, self.over) / self.over) ** self.power


class Linear:
    """From initial to end in equal steps; then end holds."""

    def __init__(self, initial, end, over):
        self.initial, self.end, self.over = initial, end, over

    def __call__(self, n):
        return self.initial + (self.end - self.initial) * min(n, self.over) / self.over


class CosineDecay:
    """Half a cosine from initial to floor; then the floor holds, or the rate climbs again."""

    def __init__(self, initial, floor, over, after):
        self.initial, self.floor, self.over, self.after = initial, floor, over, after

    def __call__(self, n):
        x = (min(n, self.over) if self.after == "hold" else n % (2 * self.over)) / self.over
        return self.floor + (self.initial - self.floor) * math.cos(math.pi / 2 * x) ** 2


class CosineCycles:
    """Half a cosine from initial to floor, so many times in a given length; then floor holds."""

    def __init__(self, initial, floor, over, cycles):
        self.initial, self.floor, self.over, self.cycles = initial, floor, over, cycles

    def __call__(self, n):
        if n >= self.over:
            return self.floor
        x = self.cycles * n % self.over / self.over
        return self.floor + (self.initial - self.floor) * math.cos(math.pi / 2 * x) ** 2


class CosineRestarts:
    """Half a cosine, started afresh at the end of each period; the periods grow by t_mul, the rates by m_mul."""

    def __init__(self, initial, floor, first, t_mul, m_mul):
        self.initial, self.floor, self.first, self.t_mul, self.m_mul = initial, floor, first, t_mul, m_mul

    def __call__(self, n):
        t = n / self.first
        # the period at hand; the small number keeps a restart from coming one step late
        if self.t_mul == 1:
            period = n // self.first
            x = n % self.first / self.first
        else:
            period = math.floor(math.log1p(t * (self.t_mul - 1)) / math.log(self.t_mul) + 1e-12)
            begun = (self.t_mul**period - 1) / (self.t_mul - 1)
            x = max(0.0, t - begun) / self.t_mul**period
        high = (self.initial - self.floor) * self.m_mul**period
        return self.floor + high * math.cos(math.pi / 2 * x) ** 2


class OneCycle:
    """Up to max_lr and down far below the beginning, as OneCycleLR; then the last rate holds."""

    def __init__(self, max_lr, div_factor, final_div_factor, pct_start, over, anneal_strategy, three_phase):
        self.max_lr, self.div_factor, self.final_div_factor = max_lr, div_factor, final_div_factor
        self.pct_start, self.over = pct_start, over
        self.anneal_strategy, self.three_phase = anneal_strategy, three_phase

    def __call__(self, n):
        low = self.max_lr / self.div_factor
        lowest = low / self.final_div_factor
        # each phase: the count at which it ends, where the rate comes from and where it goes
        phases = [(self.pct_start * self.over - 1, low, self.max_lr)]
        if self.three_phase:
            phases += [(2 * self.pct_start * self.over - 2, self.max_lr, low), (self.over - 1, low, lowest)]
        else:
            phases += [(self.over - 1, self.max_lr, lowest)]
        n = min(n, self.over - 1)
        begin, (end, start, goal) = 0.0, phases[0]
        for phase in phases[1:]:
            if n > end:
                begin, (end, start, goal) = end, phase
        part = (n - begin) / ((end - begin) or 1.0)
        if self.anneal_strategy == "cos":
            return goal + (start - goal) / 2 * (1 + math.cos(math.pi * part))
        return start + (goal - start) * part


class Cyclic:
    """Up from low to max_lr and down again, cycle after cycle, as CyclicLR."""

    def __init__(self, low, max_lr, up, down, mode, gamma):
        self.low, self.max_lr, self.up, self.down, self.mode, self.gamma = low, max_lr, up, down, mode, gamma

    def __call__(self, n):
        cycle, place = divmod(n, self.up + self.down)
        height = place / self.up if place <= self.up else (self.up + self.down - place) / self.down
        if self.mode == "triangular2":
            height *= 0.5**cycle
        if self.mode == "exp_range":
            height *= self.gamma**n
        return self.low + (self.max_lr - self.low) * height


class Warmup:
    """A straight line from initial to target, then another schedule from its own count 0."""

    def __init__(self, initial, target, over, then):
        self.initial, self.target, self.over, self.then = initial, target, over, then

    def __call__(self, n):
        if n < self.over:
            return self.initial + (self.target - self.initial) * n / self.over
        return self.then(n - self.over)


class AnyWarmup:
    """A line or a curve from initial to target, before another schedule or over its beginning."""

    def __init__(self, initial, target, over, then, curve, overlaps, joins):
        self.initial, self.target, self.over, self.then = initial, target, over, then
        self.curve, self.overlaps, self.joins = curve, overlaps, joins  # joins: target is the rate of then at over

    def __call__(self, n):
        if n >= self.over:
            return self.then(n if self.overlaps else n - self.over)
        part = n / self.over
        if self.curve == "logarithm":
            part = math.log1p(n) / math.log(max(self.over, 2))
        if self.curve == "cosine":
            part = (1 - math.cos(math.pi * part)) / 2
        return self.initial + (self.target - self.initial) * part


class Sequence:
    """One schedule after the other; a milestone is the first count of the next, which begins at its own count 0."""

    def __init__(self, schedules, milestones):
        self.schedules, self.milestones = schedules, milestones

    def __call__(self, n):
        index = bisect.bisect_right(self.milestones, n)
        return self.schedules[index](n - (self.milestones[index - 1] if index else 0))


class Product:
    """One schedule times the others."""

    def __init__(self, schedules):
        self.schedules = schedules

    def __call__(self, n):
        return math.prod(schedule(n) for schedule in self.schedules)


class Clip:
    """Another schedule, but never below lowest."""

    def __init__(self, lowest, of):
        self.lowest, self.of = lowest, of

    def __call__(self, n):
        return max(self.of(n), self.lowest)


class Shift:
    """Another schedule that is asked some steps late or early."""

    def __init__(self, of, late, early):
        self.of, self.late, self.early = of, late, early

    def __call__(self, n):
        return self.of(max(n - (self.late or 0), 0) + (self.early or 0))


class Stairs:
    """Another schedule that is looked up every so many steps, and held in between."""

    def __init__(self, every, of):
        self.every, self.of = every, of

    def __call__(self, n):
        return self.of(n - n % self.every)


class Curve:
    """From initial to end along a line, half a cosine or a tanh, bent by two powers; then end holds."""

    def __init__(self, initial, end, over, shape, power, k, lower, upper):
        self.initial, self.end, self.over, self.shape = initial, end, over, shape
        self.power, self.k, self.lower, self.upper = power, k, lower, upper

    def __call__(self, n):
        if n >= self.over:
            return self.end
        z = (n / self.over) ** self.k
        if self.shape == "line":
            left = 1 - z
        elif self.shape == "cosine":
            left = math.cos(math.pi / 2 * z) ** 2
        else:
            left = (1 - math.tanh(self.lower * (1 - z) + self.upper * z)) / 2
        left = left**self.power
        return self.initial * left + self.end * (1 - left)
