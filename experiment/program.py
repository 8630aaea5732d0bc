"""What the programs in a framework's folder have in common: their exit codes, and what they say of a mistake."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence

from experiment.plan import FRAMEWORKS, Framework
from experiment.trace import TraceError
from experiment.validation import PlanError

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


def missing(frameworks: Sequence[Framework] = FRAMEWORKS) -> str | None:
    """One line that says what to install, or None where every framework is there. Imports none."""
    absent = [framework for framework in frameworks if importlib.util.find_spec(framework) is None]
    if not absent:
        return None
    verb = "is" if len(absent) == 1 else "are"
    return f"{' and '.join(absent)} {verb} not installed. Run: pip install 'samestep[{','.join(absent)}]'"
