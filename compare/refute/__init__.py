"""A statement on two runs, and the rows that refute it: what a cause needs to make one."""

from . import predict
from .claim import Claim, Pair
from .curve import Curve, Known
from .predict import Prediction

__all__ = ["Claim", "Curve", "Known", "Pair", "Prediction", "predict"]
