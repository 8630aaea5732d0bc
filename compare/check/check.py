"""Check one run: which schedule it follows, and what in it may not be meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from samestep.experiment.clock import Clock
from samestep.experiment.watching import Facts, FactsError, read_facts

from ..runs.run import CompareError
from ..runs.settings import Settings
from ..runs.settings import clock as clock_from
from ..runs.side import Side, clock_of, read_side
from ..schedule.infer import selected
from ..schedule.timeline import of_side
from .base import Finding
from .findings import FINDINGS
from .result import Check
from .scene import Scene

MOST_RUNS = 16
"""Parameter groups whose schedule is inferred at most; of more, the first ones are looked at."""


def check(
    run: object,
    *,
    samples: int | None = None,
    batch_size: int | None = None,
    drop_last: bool = False,
    accumulate: int = 1,
    steps_per_epoch: int | None = None,
    clock: Clock | None = None,
    show: int = 8,
    columns: Mapping[str, str] | None = None,
    arm: str | None = None,
    framework: str | None = None,
    seed: int | None = None,
    log: Mapping[str, object] | None = None,
) -> Check:
    """Check one run, recorded or logged: its schedule, its timeline, and what in it may not be meant.

    A recording that `samestep record` wrote has facts beside it, ``RUN.facts.json``: who made and stepped a scheduler,
    and where. A log without them gets the findings that its rates and the clock alone allow.

    Args:
        run: A path, a pandas table, the plain list of rates of a training loop, or what `samestep.read` gave.
        samples: Rows of data in an epoch.
        batch_size: Rows in a batch.
        drop_last: Whether a last batch that is shorter is left out.
        accumulate: Batches whose gradients make one update.
        steps_per_epoch: Updates in an epoch, instead of the four counts of data above.
        clock: A `Clock`, instead of these. A recording knows it already.
        show: Changes that are kept, half from the beginning and half from the end.
        columns: Names of a log's columns by what they hold: ``{"step": "global_step", "lr": "rate"}``.
        arm: The arm to select: an optimizer, or one of its parameter groups.
        framework: The framework to select.
        seed: The seed to select.
        log: What a log means, as `of_a` of `samestep.compare`: ``{"step_base": 1, "lr_timing": "used"}``.

    Returns:
        The verdict, the findings with the lines of code, and the timeline.

    Raises:
        CompareError: What cannot be read, or an argument that has no effect.

    Example:
        >>> result = check([0.001 * 0.95 ** (step // 25) for step in range(1600)], samples=1000, batch_size=32)
        >>> result.verdict, [finding.name for finding in result.findings]
        ('findings', ['epochs-as-steps'])
    """
    counts = clock or clock_from(samples, batch_size, drop_last, accumulate, steps_per_epoch)
    facts = _facts_beside(run)
    if facts is not None and not facts.updates:
        return Check(_name(run), Scene((), facts, counts), ())
    chosen = Settings.of(log, "log", selected(arm, framework, seed, columns))
    side = read_side(run, "log", chosen, counts)
    if side.schedule is not None:
        raise CompareError(f"{side.given[:60]} is a schedule. Give a run: a recording or a log.")
    counts = counts or _clock_of(side, facts)
    shown = [replace(side, runs=(each,)) for each in side.runs[:MOST_RUNS]]
    timelines = tuple(of_side(each, counts, show) for each in shown)
    scene = Scene(timelines, facts, counts, frozenset(chosen.overrides))
    return Check(side.given, scene, findings(scene), len(side.runs) - len(shown))


def findings(scene: Scene) -> tuple[Finding, ...]:
    """All that there is, without what only follows from another finding."""
    found = [finding for kind in FINDINGS for finding in kind.found(scene)]
    return tuple(
        finding
        for finding in found
        if not any(finding.name in other.explains and finding.about == other.about for other in found)
    )


def _facts_beside(run: object) -> Facts | None:
    """What `samestep record` noted beside a recording; None where there is nothing."""
    if not isinstance(run, str | Path) or not str(run).endswith(".csv"):
        return None
    path = Path(run).with_suffix(".facts.json")
    if not path.is_file():
        return None
    try:
        return read_facts(path)
    except FactsError as error:
        raise CompareError(str(error)) from None


def _clock_of(side: Side, facts: Facts | None) -> Clock | None:
    if facts is not None and facts.steps_per_epoch:
        return Clock(facts.steps_per_epoch, 1)
    return clock_of(side)


def _name(run: object) -> str:
    return str(run) if isinstance(run, str | Path) else "the run"
