"""The schedules of Hugging Face's transformers, which are functions: a warm-up from 0, and what comes after it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from samestep.experiment.clock import Duration, Stepping
from samestep.experiment.schedules import Constant, CosineCycles, CosineDecay, Linear, PolynomialDecay, Schedule, Warmup
from samestep.experiment.schedules.calls import Call, counted, number


def from_transformers(call: Call, stepping: Stepping) -> Schedule:
    """Read a call of one of these functions, with all its arguments and the optimizer's rate.

    Raises:
        ValueError: The vocabulary can't say it.
    """
    given = call.arguments
    lr = number("lr", call.base_lr)
    warm = given["num_warmup_steps"]
    over = None if warm == 0 else counted("num_warmup_steps", warm, stepping)
    then = _then(call.name, given, lr, Fraction(0) if over is None else over.count, stepping)
    return then if over is None else Warmup(initial=0.0, over=over, then=then)


def _then(name: str, given: Any, lr: float, warm: Fraction, stepping: Stepping) -> Schedule:
    """What comes after a warm-up of so many counts."""
    if name == "get_constant_schedule_with_warmup":
        return Constant(initial=lr)
    total = counted("num_training_steps", given["num_training_steps"], stepping)
    if total.count <= warm:
        raise ValueError(f"num_training_steps: got {total.count} with a warm-up of {warm}. Write more.")
    over = Duration(total.count - warm, total.unit)
    if name == "get_linear_schedule_with_warmup":
        return Linear(initial=lr, end=0.0, over=over)
    if name == "get_polynomial_decay_schedule_with_warmup":
        end, power = number("lr_end", given["lr_end"]), number("power", given["power"])
        return PolynomialDecay(initial=lr, end=end, power=power, over=over, cycle=False)
    if name == "get_cosine_with_hard_restarts_schedule_with_warmup":
        return CosineCycles(initial=lr, floor=0.0, over=over, cycles=number("num_cycles", given["num_cycles"]))
    if given["num_cycles"] != 0.5:
        raise ValueError(f"num_cycles: got {given['num_cycles']!r}. samestep reads half a cycle; write 0.5.")
    return CosineDecay(initial=lr, floor=0.0, over=over, after="rise")
