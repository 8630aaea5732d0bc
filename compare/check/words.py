"""What is said of a check: the timeline, then each finding with its lines of code and its fix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..schedule.words import timeline
from ..words import counted
from .base import Finding
from .scene import Scene, Where

if TYPE_CHECKING:
    from .result import Check

FEW = 3
"""Parameter groups whose whole timeline is shown at most; of more, each has one line."""


def lines(checked: Check) -> Iterator[tuple[str, str]]:
    """All of it."""
    scene = checked.scene
    if not scene.timelines:
        yield "", f"{checked.given}: no update was recorded, so nothing can be said."
        return
    whole = len(scene.timelines) <= FEW
    for number, each in enumerate(scene.timelines):
        if number and whole:
            yield "", ""
        yield from timeline(each, warns=False) if whole else each.inference.lines()
    if checked.left_out:
        yield "", f"{counted(checked.left_out, 'more set')} of rates not looked at. Select one with --arm."
    if said := _of_facts(scene):
        yield "", said
    for finding in checked.findings:
        yield "", ""
        yield from _finding(finding, scene)
    yield "", ""
    yield "", _verdict(checked)
    if checked.findings:
        names = dict.fromkeys(each.name for each in checked.findings)
        yield "", f"More on this: samestep why {' '.join(names)}"


def _finding(finding: Finding, scene: Scene) -> Iterator[tuple[str, str]]:
    yield "", f"{finding.severity.capitalize()}: {finding.name}. {finding.sentence(scene)}"
    yield from (("  ", f"{at(place)}: {place.role}") for place in finding.where)
    fix = finding.fix(scene)
    yield "  ", f"Fix: {fix.advice}"
    for language, code in fix.code.items():
        if len(fix.code) > 1:
            yield "  ", f"{language}:"
        yield from (("|", f"    {line}" if line else "") for line in code.splitlines())


def _of_facts(scene: Scene) -> str:
    """How long the run was, and how it ended, as it was recorded."""
    facts = scene.facts
    if facts is None:
        return ""
    size, passes = scene.steps_per_epoch, len(facts.epochs)
    said = [counted(facts.updates, "update")]
    if passes:
        said.append(f"{counted(passes, 'pass', 'passes')} over the data")
    if size:
        said.append(f"{counted(size, 'update')} per epoch")
    ends = {None: "; it was still running, or was killed", "raised": "; it ended with an error"}.get(facts.ended, "")
    cut = f"; it was cut by --{facts.cut_by}" if facts.cut_by else ""
    return f"Recorded: {', '.join(said)}{cut or ends}."


def _verdict(checked: Check) -> str:
    if checked.verdict == "inconclusive":
        return "Too few updates to say anything."
    counts = {name: sum(each.severity == name for each in checked.findings) for name in ("error", "warning", "note")}
    said = [counted(count, name) for name, count in counts.items() if count]
    return f"{', '.join(said)}." if said else "Nothing found: the schedule is stepped as its counts are meant."


def at(place: Where) -> str:
    """A line of code, its file as it is called from here where that is shorter."""
    path = place.file
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        relative = path
    shown = relative if not relative.startswith("..") else path
    return f"{Path(shown).as_posix()}:{place.line}"
