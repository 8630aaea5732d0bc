"""What the programs in a framework's folder have in common: their exit codes, and what they say of a mistake."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn

from samestep.experiment.plan import FRAMEWORKS, Framework
from samestep.experiment.trace import TraceError
from samestep.experiment.validation import PlanError

WRONG_USE = 2
INTERRUPTED = 130


def exit_code(work: Callable[[], None]) -> int:
    """Do the work and return the exit code; a mistake is one line on standard error."""
    try:
        work()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # nobody listens any more: whoever started this program has gone
        sys.stdout = None
        return WRONG_USE
    except (PlanError, TraceError) as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except OSError as error:
        print(f"{error.filename}: {error.strerror}. Name files that can be used.", file=sys.stderr)
        return WRONG_USE
    return 0


@contextmanager
def importing() -> Iterator[None]:
    """Imports of a framework are made within: no garbage is looked for among what stays.

    With TensorFlow that is a fifth of the time that its import takes.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # nor later
        gc.enable()


def leave(code: int) -> NoReturn:
    """End this process at once. What it wrote is written; to take a framework apart takes up to a second more."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):  # nobody listens any more
                stream.flush()
    os._exit(code)


def missing(frameworks: Sequence[Framework] = FRAMEWORKS) -> str | None:
    """One line that says what to install, or None where every framework is there. Imports none."""
    absent = [framework for framework in frameworks if importlib.util.find_spec(framework) is None]
    if not absent:
        return None
    verb = "is" if len(absent) == 1 else "are"
    return f"{' and '.join(absent)} {verb} not installed. Run: pip install 'samestep[{','.join(absent)}]'"


def need(frameworks: Sequence[Framework] = FRAMEWORKS) -> None:
    """Raise PlanError where one is not installed, with what to run."""
    if absent := missing(frameworks):
        raise PlanError(absent)
