"""What a cause means: in one line for a table, and in a sentence with the numbers of two runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from compare.causes.scene import Name, Scene, other
from compare.diagnose.diagnosis import Cause
from compare.infer.rows import CLOCK
from compare.words import counted, listed
from experiment.schedules import ExponentialDecay, InverseTimeDecay, Schedule
from experiment.schedules.base import float32_error
from experiment.schedules.text import to_short

MEANINGS: dict[str, str] = {
    "identical": "every rate has the same bits",
    "rounding": "the rates are the same within the tolerance",
    "counter": "the clock of one runs several times as fast as that of the other",
    "shift": "one is some steps ahead of the other",
    "staircase": "one holds its rate and then jumps, where the other goes smoothly; all else is equal",
    "scale": "one has a multiple of the other's rate at every step",
    "factor": "the same kind of decay with another factor",
    "period": "the same kind of schedule with another length",
    "floor": "equal until one stops falling",
    "tail": "equal until the schedule's end, where one holds its rate and the other does not",
    "warmup": "one warms up first; afterwards both are equal, perhaps delayed by the warm-up",
    "reset": "equal until a step at which one starts its schedule afresh",
    "extra-decay": "equal until a step after which they differ by one constant factor",
    "gaps": "equal where both have rows; one lacks or repeats steps",
    "length": "equal as long as both last",
    "family": "two different kinds of schedule",
    "unexplained": "none of these reaches the tolerance",
}
"""Each cause in a line. The order is that of the docs."""

READINGS: dict[str, str] = {
    "steps-vs-epochs": "one schedule counts steps, the other epochs",
    "gradient-accumulation": "one counts batches, the other updates made of several batches",
    "unconverted-rate": "a factor meant for a longer period is multiplied with at every step",
    "unknown": "neither of these fits",
}
"""What makes one clock run faster than the other."""


def sentence(cause: Cause, scene: Scene) -> str:
    """What happened, for somebody who has never heard of it: with numbers, units and the names of the sides."""
    said = _SAYS[cause.name](cause.parameters, scene)
    if cause.second is None:
        return said
    return f"Two things at once. {said} Besides that: {_SAYS[cause.second.name](cause.second.parameters, scene)}"


def pages(cause: Cause) -> list[str]:
    """The pages of the docs on a cause, or on both of two."""
    names = [cause.name, *([] if cause.second is None else [cause.second.name])]
    return [f"docs/mistakes/{name}.md" for name in dict.fromkeys(names)]


def more(cause: Cause) -> str:
    """Where to read on about a cause."""
    return f"More on this: {listed(pages(cause))}"


def multiple(value: float) -> str:
    """A factor as people write it: 32, 0.95, 1.6667."""
    return f"{value:.6g}"


def _identical(_: Mapping[str, Any], scene: Scene) -> str:
    if scene.zero_a and scene.zero_b:
        return "Both rates are 0 at every step, so that no update of either changes a weight."
    last = "digit that was written" if scene.written_a and scene.written_b else "bit"
    return _few(scene) or f"Every rate that both have is the same to the last {last}."


def _few(scene: Scene) -> str | None:
    """What is to be said where so few rows agree that hardly anything follows; None where there are more."""
    if scene.compared == 1:
        return "The one row that both have holds the same rate, and one row does not tell a schedule."
    if scene.compared == 2:
        return "The two rows that both have hold the same rates; they say nothing of any other step."
    return None


def _rounding(_: Mapping[str, Any], scene: Scene) -> str:
    if few := _few(scene):
        return few
    if scene.digits and scene.written:
        return (
            f"The rates are the same within what {scene.written} tell: at most {part(scene.largest)} apart, where the "
            f"digits leave open up to {part(scene.digits)}."
        )
    said = f"The rates are the same to within rounding: at most {part(scene.largest)} apart."
    found = _drifting(scene) if scene.drifted else None
    if found is None:
        return said
    schedule, decays = found
    error = float32_error(schedule.factor)
    explained = error * decays
    return (
        f"{said} Of this, float32's rounding of the factor {schedule.factor!r} explains up to {part(explained)}: "
        f"{counted(decays, 'decay')} of {error:.3g} each; "
        f"without it the rates lie within {scene.rounding_ulp32:.2g} float32 ULP of one another."
    )


def _drifting(scene: Scene) -> tuple[ExponentialDecay, int] | None:
    """The decay that float32 leads away furthest, and how often it decays by the last step."""
    found = []
    for schedule, last in ((scene.schedule("a"), scene.range_a[1]), (scene.schedule("b"), scene.range_b[1])):
        while schedule is not None and schedule.kind == "warmup":
            schedule = schedule.then
        if isinstance(schedule, ExponentialDecay):
            decays = round(float(np.max(schedule.decays(np.array([last]), CLOCK))))
            found.append((float32_error(schedule.factor) * decays, decays, schedule))
    if not found:
        return None
    _, decays, schedule = max(found, key=lambda each: each[0])
    return schedule, decays


def part(relative: float) -> str:
    """A relative difference: in percent, or as a number where that would be too small to read."""
    return f"{100 * relative:.3g} %" if relative >= 1e-5 else f"{relative:.2g} relative"


def faster(parameters: Mapping[str, Any]) -> tuple[Name, Name, float]:
    """Of a counter: the fast side, the slow one, and how many times as fast."""
    factor = float(parameters["factor"])
    return ("b", "a", factor) if factor >= 1 else ("a", "b", round(1 / factor, 9))


def _counter(parameters: Mapping[str, Any], scene: Scene) -> str:
    fast, slow, times = faster(parameters)
    pace = multiple(times)
    match parameters["reading"]:
        case "steps-vs-epochs":
            batches = scene.clock is not None and times != scene.steps_per_epoch
            unit = "batches" if batches else "steps"
            return (
                f"{fast}'s schedule counts {unit} where {slow}'s counts epochs: it runs {pace} times as fast, {pace} "
                f"{unit} being an epoch."
            )
        case "gradient-accumulation":
            return (
                f"{fast}'s schedule runs {pace} times as fast as {slow}'s: it counts batches, as it does when the "
                f"gradients of {pace} batches are accumulated for one update, where {slow}'s counts updates."
            )
        case "unconverted-rate":
            schedule = scene.schedule(fast)
            factor = schedule.factor if isinstance(schedule, ExponentialDecay) else None
            by = "the same factor" if factor is None else f"{factor:.9g}"
            return (
                f"{fast} multiplies its rate by {by} at every step, {slow} only once in {pace} steps: the factor for "
                f"{pace} steps was not converted to one step, so {fast} decays {pace} times as fast."
            )
    return (
        f"{fast}'s schedule runs {pace} times as fast as {slow}'s: the rate that {fast} has at step n is the one that "
        f"{slow} has at step {pace} · n."
    )


def _shift(parameters: Mapping[str, Any], scene: Scene) -> str:
    steps = int(parameters["steps"])
    early: Name = "b" if steps > 0 else "a"
    late, count = other(early), abs(steps)
    said = (
        f"{early} is {scene.steps(count)} ahead of {late}: at each step it has the rate that {late} has "
        f"{counted(count, 'step')} later."
    )
    if scene.is_intended(early):
        return f"{said} So {late} is late: it begins to count later, or its log numbers the steps otherwise."
    if count == 1:
        return (
            f"{said} Either {early}'s log holds the next rate, read after the update; or its schedule changes one step "
            "earlier."
        )
    return f"{said} It began to count earlier, or its log numbers the steps otherwise."


def _scale(parameters: Mapping[str, Any], _: Scene) -> str:
    factor = float(parameters["factor"])
    if factor < 1 and abs(round(1 / factor) - 1 / factor) < 1e-9:
        return f"a's rate is {multiple(1 / factor)} times b's at every step."
    return f"b's rate is {multiple(factor)} times a's at every step."


def _staircase(parameters: Mapping[str, Any], scene: Scene) -> str:
    side: Name = parameters["side"]
    return (
        f"{side} is a staircase where {other(side)} is not: for {scene.steps(parameters['every'])} at a time it keeps "
        f"the rate that {other(side)} has at the first of them; all else is equal."
    )


def _factor(parameters: Mapping[str, Any], scene: Scene) -> str:
    schedule = scene.schedule("a")
    every = ""
    if isinstance(schedule, ExponentialDecay | InverseTimeDecay):
        every = f" every {scene.steps(float(schedule.every.count))}"
    if "factor_a" in parameters:
        a, b = parameters["factor_a"], parameters["factor_b"]
        return f"Both decay in the same way, but a multiplies its rate by {a:.9g}{every} and b by {b:.9g}."
    a, b = parameters["decay_rate_a"], parameters["decay_rate_b"]
    return f"Both decay in the same way, but a's decay rate is {a:.9g}{every} and b's {b:.9g}."


def _period(parameters: Mapping[str, Any], scene: Scene) -> str:
    a, b = (scene.steps(float(parameters[name])) for name in ("period_a", "period_b"))
    return f"Both follow the same kind of schedule with the same rates, but in a its period is {a}, in b {b}."


def _floor(parameters: Mapping[str, Any], _: Scene) -> str:
    side: Name = parameters["side"]
    return f"Both are equal until {side} stops falling, at a rate of {parameters['rate']:.6g}; {other(side)} falls on."


def _tail(parameters: Mapping[str, Any], scene: Scene) -> str:
    side: Name = parameters["side"]
    first = scene.first
    goes = "goes on"
    if first is not None:
        holds, goes_to = (first.a, first.b) if side == "a" else (first.b, first.a)
        goes = "rises again" if goes_to > holds else "falls on"
    at = f"step {parameters['step']:,}"
    return (
        f"Both are equal until the schedule's end at {at}: from there {side} holds its rate and {other(side)} {goes}."
    )


def _warmup(parameters: Mapping[str, Any], scene: Scene) -> str:
    side: Name = parameters["side"]
    said = f"{side} warms up over its first {scene.steps(parameters['steps'])}, {other(side)} does not"
    if parameters["then"] == "aligned":
        return f"{said}; from then on both have the same rate at the same step."
    return f"{said}; then {side} begins the schedule of {other(side)}, {counted(parameters['steps'], 'step')} later."


def _reset(parameters: Mapping[str, Any], _: Scene) -> str:
    side, step = parameters["side"], parameters["step"]
    return (
        f"Both are equal until step {step:,}, where {side} starts its schedule again from the beginning, as a run does "
        f"that was resumed without its step counter."
    )


def _extra_decay(parameters: Mapping[str, Any], _: Scene) -> str:
    side, factor = parameters["side"], float(parameters["factor"])
    times = factor if side == "b" else 1 / factor
    return (
        f"Both are equal until step {parameters['step']:,}; from there on {side} has {multiple(times)} times the rate "
        f"of {other(side)}, as a run does that was resumed and decayed once more."
    )


def _gaps(parameters: Mapping[str, Any], _: Scene) -> str:
    said = []
    for name in ("a", "b"):
        does = []
        if missing := parameters.get(f"missing_{name}"):
            first = parameters[f"step_{name}"]
            does.append(f"lacks {counted(missing, 'step')}, {'the first at ' if missing > 1 else ''}step {first:,}")
        if parameters.get(f"repeated_{name}"):
            does.append(f"has {counted(parameters[f'repeated_{name}'], 'row')} twice")
        if does:
            said.append(f"{name} {' and '.join(does)}")
    return f"The rates agree wherever both have rows, but {'; '.join(said)}."


def _length(parameters: Mapping[str, Any], scene: Scene) -> str:
    a, b = (scene.steps(parameters[name]) for name in ("steps_a", "steps_b"))
    few = f"{_few(scene)} Besides, " if scene.compared == 1 else "The rates agree as long as both last, but "
    return f"{few}a ends after {a} and b after {b}."


def _family(parameters: Mapping[str, Any], _: Scene) -> str:
    return (
        f"a and b follow two different kinds of schedule: a is {parameters['kind_a']} ({parameters['schedule_a']}), b "
        f"is {parameters['kind_b']} ({parameters['schedule_b']})."
    )


def _unexplained(_: Mapping[str, Any], scene: Scene) -> str:
    zero = "a" if scene.zero_a else "b" if scene.zero_b else None
    if zero and scene.first is not None:
        return (
            f"{zero}'s rate is 0 at every step, so that no update of it changes a weight and nothing shows a schedule."
        )
    if scene.first is not None and scene.compared is not None and scene.compared < 3:
        rows = "the one row" if scene.compared == 1 else "the two rows"
        return f"The rates differ, but {rows} that both have cannot tell why."
    if scene.first is None:
        a, b = (f"{first:,} to {last:,}" for first, last in (scene.range_a, scene.range_b))
        return (
            f"a and b have no step in common, and nothing tells what either used at the other's steps: a has rows for "
            f"steps {a}, b for {b}."
        )
    return (
        "None of the causes that samestep knows, nor any two of them, explains how a and b differ. Somebody may have "
        "changed the rate by hand, or it follows what happens in training, as ReduceLROnPlateau does."
    )


_SAYS: dict[str, Callable[[Mapping[str, Any], Scene], str]] = {
    "identical": _identical,
    "rounding": _rounding,
    "counter": _counter,
    "shift": _shift,
    "staircase": _staircase,
    "scale": _scale,
    "factor": _factor,
    "period": _period,
    "floor": _floor,
    "tail": _tail,
    "warmup": _warmup,
    "reset": _reset,
    "extra-decay": _extra_decay,
    "gaps": _gaps,
    "length": _length,
    "family": _family,
    "unexplained": _unexplained,
}


def short(schedule: Schedule | None, most: int = 160) -> str | None:
    """A schedule in the short form, cut where it is long; None for none."""
    if schedule is None:
        return None
    text = to_short(schedule)
    return text if len(text) <= most else f"{text[: most - 1]}…"
