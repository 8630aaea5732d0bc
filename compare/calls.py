"""The two calls that are also there without the command: `infer` and `diagnose`, pure functions on arrays."""

from __future__ import annotations

from compare.diagnose.diagnosis import Diagnosis
from compare.diagnose.diagnosis import diagnose as diagnose_rates
from compare.infer import Inferred
from compare.infer import infer as infer_rates
from compare.rates import Rates
from compare.runs import rates_of
from compare.tolerance import ULP32
from experiment.clock import Clock
from experiment.trace import Trace


def infer(trace: Trace | Rates, clock: Clock | None = None) -> Inferred | None:
    """Which schedule a trace follows: `schedule`, with durations in steps, `stepping`, and how well it fits.

    trace : the rows of one run, as `compare.readers.read` gives them; or rates alone.
    clock : gives the steps per epoch, where they are known.
    Returns None where no schedule of the vocabulary explains every row.
    Raises CompareError where the trace holds several runs.
    """
    return infer_rates(_rates(trace), clock)


def diagnose(a: Trace | Rates, b: Trace | Rates, clock: Clock | None = None, ulp: float = ULP32) -> Diagnosis:
    """Whether two runs walk the same schedule, where they part, and why.

    a, b : the rows of one run each; or rates alone. clock : gives the steps per epoch, where they are known.
    ulp : float32 ULP within which two rates are the same.
    Raises CompareError where a trace holds several runs.
    """
    return diagnose_rates(_rates(a), _rates(b), clock, ulp)


def _rates(given: Trace | Rates) -> Rates:
    return given if isinstance(given, Rates) else rates_of(given)
