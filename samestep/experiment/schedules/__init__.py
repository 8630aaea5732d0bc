"""The vocabulary of schedules. Each is asked for the rate of any update and does not change by being asked.

One file for each kind: its keys, its closed form, and what it is called in both frameworks. `base` holds what all have
in common, `calls` what a framework's schedule is without the framework, `text` how one is read from what a person
writes.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from samestep.experiment.schedules import clip, product, sequence, shift, stairs, warmup
from samestep.experiment.schedules.base import ArrayLike, ScheduleModel, float32_error
from samestep.experiment.schedules.clip import Clip
from samestep.experiment.schedules.constant import Constant
from samestep.experiment.schedules.cosine import CosineDecay
from samestep.experiment.schedules.cosine_cycles import CosineCycles
from samestep.experiment.schedules.cosine_restarts import CosineRestarts
from samestep.experiment.schedules.curve import Curve
from samestep.experiment.schedules.cyclic import Cyclic
from samestep.experiment.schedules.exponential import ExponentialDecay
from samestep.experiment.schedules.inverse_sqrt import InverseSqrt
from samestep.experiment.schedules.inverse_time import InverseTimeDecay
from samestep.experiment.schedules.linear import Linear
from samestep.experiment.schedules.one_cycle import OneCycle
from samestep.experiment.schedules.piecewise_constant import PiecewiseConstant
from samestep.experiment.schedules.polynomial import PolynomialDecay
from samestep.experiment.schedules.power import Power
from samestep.experiment.schedules.product import Product
from samestep.experiment.schedules.sequence import Sequence
from samestep.experiment.schedules.shift import Shift
from samestep.experiment.schedules.stairs import Stairs
from samestep.experiment.schedules.warmup import Warmup

Schedule = Annotated[
    Constant
    | ExponentialDecay
    | InverseTimeDecay
    | InverseSqrt
    | PiecewiseConstant
    | PolynomialDecay
    | Power
    | Curve
    | Linear
    | CosineDecay
    | CosineCycles
    | CosineRestarts
    | OneCycle
    | Cyclic
    | Warmup
    | Sequence
    | Product
    | Clip
    | Shift
    | Stairs,
    Field(discriminator="kind"),
]
"""Any of the vocabulary; the kind says which."""

for _made_of_others in (warmup, sequence, product, clip, shift, stairs):
    vars(_made_of_others)["Schedule"] = Schedule  # pydantic looks the name up there when it first checks one

SCHEDULES: tuple[type[ScheduleModel], ...] = get_args(get_args(Schedule)[0])
"""Every class of the vocabulary."""

KINDS: dict[str, type[ScheduleModel]] = {each.model_fields["kind"].default: each for each in SCHEDULES}
"""Every class of the vocabulary by its kind."""

EXAMPLES: dict[str, str] = {name: text for each in SCHEDULES for name, text in each.EXAMPLES.items()}
"""One schedule for every row of the table of schedules: short forms by what the row says."""

__all__ = [
    "EXAMPLES",
    "KINDS",
    "SCHEDULES",
    "ArrayLike",
    "Clip",
    "Constant",
    "CosineCycles",
    "CosineDecay",
    "CosineRestarts",
    "Curve",
    "Cyclic",
    "ExponentialDecay",
    "InverseSqrt",
    "InverseTimeDecay",
    "Linear",
    "OneCycle",
    "PiecewiseConstant",
    "PolynomialDecay",
    "Power",
    "Product",
    "Schedule",
    "ScheduleModel",
    "Sequence",
    "Shift",
    "Stairs",
    "Warmup",
    "float32_error",
]
