"""Every finding in a run, each in a file of its own: when it is stated, sentence, fix, and a page as docstring."""

from __future__ import annotations

from ... import pages
from ..base import Finding
from .accumulation import Accumulation
from .ends_early import EndsEarly
from .epochs_as_steps import EpochsAsSteps
from .group_left_out import GroupLeftOut
from .logged_next import LoggedNext
from .never_stepped import NeverStepped
from .other_optimizer import OtherOptimizer
from .overwritten import Overwritten
from .past_the_end import PastTheEnd
from .plateau_per_batch import PlateauPerBatch
from .rate_zero import RateZero
from .resumed_afresh import ResumedAfresh
from .rounded import Rounded
from .stepped_again import SteppedAgain
from .stepped_first import SteppedFirst
from .steps_as_epochs import StepsAsEpochs

FINDINGS: tuple[type[Finding], ...] = (
    OtherOptimizer,
    NeverStepped,
    Accumulation,
    SteppedAgain,
    EpochsAsSteps,
    StepsAsEpochs,
    PlateauPerBatch,
    SteppedFirst,
    ResumedAfresh,
    Overwritten,
    Rounded,
    GroupLeftOut,
    PastTheEnd,
    RateZero,
    EndsEarly,
    LoggedNext,
)
"""All of them, in the order in which they are shown: first what explains others."""


def named(name: str) -> type[Finding]:
    """The finding of this name. Raises CompareError, with all names, for another."""
    return pages.named(name, FINDINGS, "finding")
