"""The pytest fixture `schedule_check`: a few updates of a training, held against a schedule kept in the repository.

pytest loads this module in every run, so it imports nothing but what a test that uses the fixture needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from samestep._compare.comparison.result import Comparison


@pytest.fixture
def schedule_check(tmp_path: Path) -> Callable[..., Comparison]:
    """Record the first updates of a training and compare their rates with a schedule; fail with the sentence.

    The training runs as ``samestep record --updates N -- COMMAND`` runs it: unchanged, in a process of its own, which
    ends after so many updates.

    Example:
        >>> def test_the_schedule_is_the_one_we_agreed_on(schedule_check):
        ...     schedule_check("python train.py --epochs 50", "schedule.json", updates=10)
    """

    def check(
        command: str | Sequence[str], schedule: object, *, updates: int = 10, timeout: float = 600.0, **clock: Any
    ) -> Comparison:
        """Record a command and compare it with a schedule.

        Args:
            command: The training, as typed in a shell or as a list of words.
            schedule: A file of a schedule, its text or an object; or a recording that is trusted.
            updates: How many updates are recorded.
            timeout: Seconds after which the test fails.
            clock: What `samestep.compare` takes besides: ``steps_per_epoch``, ``samples``, ``batch_size``, ``of_a``.
        """
        return _checked(command, schedule, updates, timeout, tmp_path / "schedule-check", clock)

    return check


def _checked(
    command: str | Sequence[str], schedule: object, updates: int, timeout: float, folder: Path, clock: dict[str, Any]
) -> Comparison:
    import shlex
    import subprocess
    import sys

    import samestep

    words = shlex.split(command) if isinstance(command, str) else list(map(str, command))
    if words and words[0] in ("python", "python3"):
        words[0] = sys.executable  # the one that runs the tests
    folder.mkdir(exist_ok=True)
    run = folder / f"run-{len(list(folder.iterdir()))}.csv"
    record = [sys.executable, "-m", "samestep", "record", "--no-check", "--out", str(run), "--updates", str(updates)]
    done = subprocess.run(
        [*record, "--", *words], check=False, capture_output=True, text=True, errors="replace", timeout=timeout
    )
    if done.returncode or not run.exists():
        said = "\n".join((done.stdout + done.stderr).splitlines()[-MOST_LINES:])
        pytest.fail(f"{shlex.join(words)} ended with {done.returncode}:\n{said}", pytrace=False)
    compared = samestep.compare(run, schedule, **clock)
    if compared.verdict != "same":
        pytest.fail(f"The first {updates} updates do not follow {schedule}.\n{compared}", pytrace=False)
    return compared


MOST_LINES = 20
"""Lines of what a training that failed said that are shown."""
