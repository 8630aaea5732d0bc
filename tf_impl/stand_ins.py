"""Schedules that Keras lacks, as a person would write them. What is built is what is printed: see `schedules.source`.

Each counts what `schedules.build` counts, steps or epochs, computes in float64 and rounds once, at the end.
"""

from __future__ import annotations

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="samestep")
class Constant(keras.optimizers.schedules.LearningRateSchedule):
    """One rate, where a schedule is asked for."""

    def __init__(self, initial):
        self.initial = initial

    def __call__(self, step):
        return ops.cast(self.initial + 0.0 * ops.cast(step, "float64"), keras.config.floatx())

    def get_config(self):
        return {"initial": self.initial}


@keras.saving.register_keras_serializable(package="samestep")
class InverseSqrt(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that falls with a power of the step: 0.5 is the inverse square root."""

    def __init__(self, initial, timescale, power):
        self.initial, self.timescale, self.power = initial, timescale, power

    def __call__(self, step):
        part = self.timescale / (ops.cast(step, "float64") + self.timescale)
        return ops.cast(self.initial * ops.power(part, self.power), keras.config.floatx())

    def get_config(self):
        return {"initial": self.initial, "timescale": self.timescale, "power": self.power}


@keras.saving.register_keras_serializable(package="samestep")
class Power(keras.optimizers.schedules.LearningRateSchedule):
    """From initial to end along a power of the part that is done; then end holds."""

    def __init__(self, initial, end, power, over):
        self.initial, self.end, self.power, self.over = initial, end, power, over

    def __call__(self, step):
        part = ops.minimum(ops.cast(step, "float64"), self.over) / self.over
        rate = self.initial + (self.end - self.initial) * ops.power(part, self.power)
        return ops.cast(rate, keras.config.floatx())

    def get_config(self):
        return {"initial": self.initial, "end": self.end, "power": self.power, "over": self.over}


@keras.saving.register_keras_serializable(package="samestep")
class CosineCycles(keras.optimizers.schedules.LearningRateSchedule):
    """Half a cosine from initial to floor, so many times in a given length; then floor holds."""

    def __init__(self, initial, floor, over, cycles):
        self.initial, self.floor, self.over, self.cycles = initial, floor, over, cycles

    def __call__(self, step):
        n = ops.cast(step, "float64")
        x = ops.where(n < self.over, ops.mod(self.cycles * n, self.over) / self.over, 1.0)
        rate = self.floor + (self.initial - self.floor) * ops.square(ops.cos(math.pi / 2 * x))
        return ops.cast(rate, keras.config.floatx())

    def get_config(self):
        return {"initial": self.initial, "floor": self.floor, "over": self.over, "cycles": self.cycles}


@keras.saving.register_keras_serializable(package="samestep")
class CosineAnnealing(keras.optimizers.schedules.LearningRateSchedule):
    """Half a cosine down to the floor, half a cosine up again, and so on, as PyTorch's CosineAnnealingLR."""

    def __init__(self, initial, floor, over):
        self.initial, self.floor, self.over = initial, floor, over

    def __call__(self, step):
        x = ops.cast(ops.mod(ops.cast(step, "int64"), 2 * self.over), "float64") / self.over
        rate = self.floor + (self.initial - self.floor) * ops.square(ops.cos(math.pi / 2 * x))
        return ops.cast(rate, keras.config.floatx())

    def get_config(self):
        return {"initial": self.initial, "floor": self.floor, "over": self.over}


@keras.saving.register_keras_serializable(package="samestep")
class CosineRestarts(keras.optimizers.schedules.LearningRateSchedule):
    """Half a cosine, started afresh at the end of each period; the periods grow by t_mul, the rates by m_mul."""

    def __init__(self, initial, floor, first, t_mul, m_mul):
        self.initial, self.floor, self.first, self.t_mul, self.m_mul = initial, floor, first, t_mul, m_mul

    def __call__(self, step):
        t = ops.cast(step, "float64") / self.first
        # the period at hand; the small number keeps a restart from coming one step late
        if self.t_mul == 1:
            period = ops.floor(t)
            x = t - period
        else:
            period = ops.floor(ops.log1p(t * (self.t_mul - 1)) / math.log(self.t_mul) + 1e-12)
            begun = (ops.power(self.t_mul, period) - 1) / (self.t_mul - 1)
            x = ops.maximum(0.0, t - begun) / ops.power(self.t_mul, period)
        high = (self.initial - self.floor) * ops.exp(math.log(self.m_mul) * period)
        return ops.cast(self.floor + high * ops.square(ops.cos(math.pi / 2 * x)), keras.config.floatx())

    def get_config(self):
        return {
            "initial": self.initial,
            "floor": self.floor,
            "first": self.first,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
        }


@keras.saving.register_keras_serializable(package="samestep")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up to max_lr and down far below the beginning, as PyTorch's OneCycleLR; then the last rate holds."""

    def __init__(self, max_lr, div_factor, final_div_factor, pct_start, over, anneal_strategy, three_phase):
        self.max_lr, self.div_factor, self.final_div_factor = max_lr, div_factor, final_div_factor
        self.pct_start, self.over = pct_start, over
        self.anneal_strategy, self.three_phase = anneal_strategy, three_phase

    def __call__(self, step):
        low = self.max_lr / self.div_factor
        lowest = low / self.final_div_factor
        # each phase: the step at which it ends, where the rate comes from and where it goes
        phases = [(self.pct_start * self.over - 1, low, self.max_lr)]
        if self.three_phase:
            phases += [(2 * self.pct_start * self.over - 2, self.max_lr, low), (self.over - 1, low, lowest)]
        else:
            phases += [(self.over - 1, self.max_lr, lowest)]
        step = ops.minimum(ops.cast(step, "float64"), self.over - 1)
        begins = [0.0] + [end for end, _, _ in phases[:-1]]
        rate = None
        for begin, (end, start, goal) in reversed(list(zip(begins, phases))):
            part = (step - begin) / ((end - begin) or 1.0)
            if self.anneal_strategy == "cos":
                way = goal + (start - goal) / 2 * (1 + ops.cos(math.pi * part))
            else:
                way = start + (goal - start) * part
            rate = way if rate is None else ops.where(step <= end, way, rate)
        return ops.cast(rate, keras.config.floatx())

    def get_config(self):
        return {
            "max_lr": self.max_lr,
            "div_factor": self.div_factor,
            "final_div_factor": self.final_div_factor,
            "pct_start": self.pct_start,
            "over": self.over,
            "anneal_strategy": self.anneal_strategy,
            "three_phase": self.three_phase,
        }


@keras.saving.register_keras_serializable(package="samestep")
class Cyclic(keras.optimizers.schedules.LearningRateSchedule):
    """Up from low to max_lr and down again, cycle after cycle, as PyTorch's CyclicLR."""

    def __init__(self, low, max_lr, up, down, mode, gamma):
        self.low, self.max_lr, self.up, self.down, self.mode, self.gamma = low, max_lr, up, down, mode, gamma

    def __call__(self, step):
        step = ops.cast(step, "int64")
        cycle = ops.cast(step // (self.up + self.down), "float64")
        place = ops.cast(step % (self.up + self.down), "float64")
        height = ops.where(place <= self.up, place / self.up, (self.up + self.down - place) / self.down)
        if self.mode == "triangular2":
            height = height * ops.exp(-math.log(2) * cycle)
        if self.mode == "exp_range":
            height = height * ops.exp(math.log(self.gamma) * ops.cast(step, "float64"))
        return ops.cast(self.low + (self.max_lr - self.low) * height, keras.config.floatx())

    def get_config(self):
        return {
            "low": self.low,
            "max_lr": self.max_lr,
            "up": self.up,
            "down": self.down,
            "mode": self.mode,
            "gamma": self.gamma,
        }


@keras.saving.register_keras_serializable(package="samestep")
class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    """A straight line from initial to target, then another schedule from its own step 0."""

    def __init__(self, initial, target, over, then):
        self.initial, self.target, self.over, self.then = initial, target, over, then

    def __call__(self, step):
        part = ops.cast(step, "float64") / self.over
        line = ops.cast(self.initial + (self.target - self.initial) * part, keras.config.floatx())
        later = ops.cast(self.then(ops.maximum(step - self.over, 0)), keras.config.floatx())
        return ops.where(step < self.over, line, later)

    def get_config(self):
        then = keras.optimizers.schedules.serialize(self.then)
        return {"initial": self.initial, "target": self.target, "over": self.over, "then": then}

    @classmethod
    def from_config(cls, config):
        return cls(**config | {"then": keras.optimizers.schedules.deserialize(config["then"])})


@keras.saving.register_keras_serializable(package="samestep")
class AnyWarmup(keras.optimizers.schedules.LearningRateSchedule):
    """A line or a curve from initial to target, before another schedule or over its beginning."""

    def __init__(self, initial, target, over, then, curve, overlaps, joins):
        self.initial, self.target, self.over, self.then = initial, target, over, then
        self.curve, self.overlaps, self.joins = curve, overlaps, joins  # joins: target is the rate of then at over

    def __call__(self, step):
        n = ops.cast(step, "float64")
        part = n / self.over
        if self.curve == "logarithm":
            part = ops.log1p(n) / math.log(max(self.over, 2))
        if self.curve == "cosine":
            part = (1 - ops.cos(math.pi * part)) / 2
        way = ops.cast(self.initial + (self.target - self.initial) * part, keras.config.floatx())
        asked = ops.maximum(step, self.over) - (0 if self.overlaps else self.over)
        later = ops.cast(self.then(asked), keras.config.floatx())
        return ops.where(step < self.over, way, later)

    def get_config(self):
        return {
            "initial": self.initial,
            "target": self.target,
            "over": self.over,
            "then": keras.optimizers.schedules.serialize(self.then),
            "curve": self.curve,
            "overlaps": self.overlaps,
            "joins": self.joins,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config | {"then": keras.optimizers.schedules.deserialize(config["then"])})


@keras.saving.register_keras_serializable(package="samestep")
class Sequence(keras.optimizers.schedules.LearningRateSchedule):
    """One schedule after the other; a milestone is the first step of the next, which begins at its own step 0."""

    def __init__(self, schedules, milestones):
        self.schedules, self.milestones = schedules, milestones

    def __call__(self, step):
        rate = ops.cast(self.schedules[0](step), keras.config.floatx())
        for milestone, schedule in zip(self.milestones, self.schedules[1:]):
            later = ops.cast(schedule(ops.maximum(step - milestone, 0)), keras.config.floatx())
            rate = ops.where(step >= milestone, later, rate)
        return rate

    def get_config(self):
        schedules = [keras.optimizers.schedules.serialize(each) for each in self.schedules]
        return {"schedules": schedules, "milestones": self.milestones}

    @classmethod
    def from_config(cls, config):
        schedules = [keras.optimizers.schedules.deserialize(each) for each in config["schedules"]]
        return cls(schedules, config["milestones"])


@keras.saving.register_keras_serializable(package="samestep")
class Product(keras.optimizers.schedules.LearningRateSchedule):
    """One schedule times the others."""

    def __init__(self, schedules):
        self.schedules = schedules

    def __call__(self, step):
        rate = 1.0
        for schedule in self.schedules:
            rate = rate * ops.cast(schedule(step), "float64")
        return ops.cast(rate, keras.config.floatx())

    def get_config(self):
        return {"schedules": [keras.optimizers.schedules.serialize(each) for each in self.schedules]}

    @classmethod
    def from_config(cls, config):
        return cls([keras.optimizers.schedules.deserialize(each) for each in config["schedules"]])


@keras.saving.register_keras_serializable(package="samestep")
class Clip(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule, but never below lowest."""

    def __init__(self, lowest, of):
        self.lowest, self.of = lowest, of

    def __call__(self, step):
        return ops.maximum(ops.cast(self.of(step), keras.config.floatx()), self.lowest)

    def get_config(self):
        return {"lowest": self.lowest, "of": keras.optimizers.schedules.serialize(self.of)}

    @classmethod
    def from_config(cls, config):
        return cls(config["lowest"], keras.optimizers.schedules.deserialize(config["of"]))


@keras.saving.register_keras_serializable(package="samestep")
class Shift(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule that is asked some steps late or early."""

    def __init__(self, of, late, early):
        self.of, self.late, self.early = of, late, early

    def __call__(self, step):
        return self.of(ops.maximum(step - (self.late or 0), 0) + (self.early or 0))

    def get_config(self):
        of = keras.optimizers.schedules.serialize(self.of)
        return {"of": of, "late": self.late, "early": self.early}

    @classmethod
    def from_config(cls, config):
        return cls(keras.optimizers.schedules.deserialize(config["of"]), config["late"], config["early"])


@keras.saving.register_keras_serializable(package="samestep")
class Stairs(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule that is looked up every so many steps, and held in between."""

    def __init__(self, every, of):
        self.every, self.of = every, of

    def __call__(self, step):
        return self.of(step - ops.mod(step, self.every))

    def get_config(self):
        return {"every": self.every, "of": keras.optimizers.schedules.serialize(self.of)}

    @classmethod
    def from_config(cls, config):
        return cls(config["every"], keras.optimizers.schedules.deserialize(config["of"]))


@keras.saving.register_keras_serializable(package="samestep")
class Curve(keras.optimizers.schedules.LearningRateSchedule):
    """From initial to end along a line, half a cosine or a tanh, bent by two powers; then end holds."""

    def __init__(self, initial, end, over, shape, power, k, lower, upper):
        self.initial, self.end, self.over, self.shape = initial, end, over, shape
        self.power, self.k, self.lower, self.upper = power, k, lower, upper

    def __call__(self, step):
        n = ops.cast(step, "float64")
        z = ops.power(ops.minimum(n, self.over) / self.over, self.k)
        if self.shape == "line":
            left = 1 - z
        elif self.shape == "cosine":
            left = ops.square(ops.cos(math.pi / 2 * z))
        else:
            left = (1 - ops.tanh(self.lower * (1 - z) + self.upper * z)) / 2
        left = ops.where(n < self.over, ops.power(left, self.power), 0.0)
        return ops.cast(self.initial * left + self.end * (1 - left), keras.config.floatx())

    def get_config(self):
        values = {"initial": self.initial, "end": self.end, "over": self.over, "shape": self.shape}
        return values | {"power": self.power, "k": self.k, "lower": self.lower, "upper": self.upper}
