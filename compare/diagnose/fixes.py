"""What to write so that two runs agree: a sentence for each cause, and code for the framework at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from compare.causes.code import in_epochs, written
from compare.diagnose import snippets
from compare.diagnose.diagnosis import Cause
from compare.diagnose.scene import Language, Name, Scene, other
from compare.diagnose.words import faster, multiple
from experiment.clock import Duration
from experiment.schedules import ExponentialDecay, Schedule

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Fix:
    """What to do.

    advice : one or two sentences. code : Python for each framework that it may concern, perhaps none.
    """

    advice: str
    code: Mapping[Language, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The advice, and below it the code of each framework under its name as a comment."""
        return "\n".join([self.advice, *(f"# {name}\n{code}" for name, code in self.code.items())])


def fix(cause: Cause, scene: Scene) -> Fix:
    """What to write, for the side that is the likelier one to be wrong. Of two causes, the first one's comes first."""
    first = _FIXES[cause.name](cause.parameters, scene)
    if cause.second is None:
        return first
    then = _FIXES[cause.second.name](cause.second.parameters, scene)
    languages = dict.fromkeys([*first.code, *then.code])
    parts = {name: dict.fromkeys(filter(None, (first.code.get(name), then.code.get(name)))) for name in languages}
    both = {name: "\n\n".join(found) for name, found in parts.items()}
    return Fix(f"{first.advice} Besides that: {then.advice}", both)


def _changed(scene: Scene, likely: Name) -> Name:
    """The side to change: the likelier one, unless it was given as what is meant."""
    return other(likely) if scene.is_intended(likely) and not scene.is_intended(other(likely)) else likely


def _coded(scene: Scene, side: Name, make: Callable[[Language], str]) -> dict[Language, str]:
    return {language: make(language) for language in scene.languages(side)}


def _follow(scene: Scene, side: Name, schedule: Schedule | None) -> dict[Language, str]:
    """The code of the schedule that one side should have, where it is known."""
    if schedule is None:
        return {}
    count = in_epochs(scene.steps_per_epoch)
    first = f"steps_per_epoch = {scene.steps_per_epoch}\n"

    def make(language: Language) -> str:
        code = written(schedule, language, count)
        return first + code if "steps_per_epoch" in code else code

    return _coded(scene, side, make)


_LOG_MORE = Fix("Log more updates of both, at least until the rate changes, and compare again.")


def _nothing(_: Parameters, scene: Scene) -> Fix:
    return _LOG_MORE if scene.compared == 1 else Fix("Nothing is to be mended.")


def _rounding(_: Parameters, scene: Scene) -> Fix:
    if scene.compared == 1:
        return _LOG_MORE
    if scene.digits and scene.written:
        return Fix(
            f"Nothing is to be mended as far as {scene.written} tell. For more, log each rate with all its digits, as "
            "repr(rate) writes them."
        )
    if scene.largest < 1e-5:
        return Fix("Nothing is to be mended: float32 cannot hold the rates more exactly.")
    return Fix(
        "Nothing is to be mended: the schedules are the same. Where the drift matters, write fewer decays with a "
        "smaller factor: float32 then rounds less often."
    )


def _counter(parameters: Parameters, scene: Scene) -> Fix:
    fast, slow, times = faster(parameters)
    pace = multiple(times)
    match parameters["reading"]:
        case "steps-vs-epochs":
            advice = f"If epochs were meant, have {fast} count them: an epoch is {pace} steps."
            return Fix(advice, _coded(scene, fast, lambda name: _counting_epochs(name, scene, fast, int(times))))
        case "gradient-accumulation":
            advice = f"Have {fast} count updates: make its durations {pace} times as long, or step it once per update."
            return Fix(advice, _coded(scene, fast, lambda name: _counting_updates(name, scene, fast, int(times))))
        case "unconverted-rate":
            advice = (
                f"Convert {fast}'s factor to one step, factor ** (1 / {pace}), or give it a period of {pace} steps."
            )
            return Fix(advice, _coded(scene, fast, lambda name: _converted(name, scene, fast, int(times))))
    advice = f"If {slow} is what was meant, make every duration of {fast} {pace} times as long."
    return Fix(advice, _coded(scene, fast, lambda name: _longer(name, scene.schedule(fast), pace)))


def _counting_epochs(language: Language, scene: Scene, fast: Name, times: int) -> str:
    schedule = scene.schedule(fast)
    if language == "PyTorch" and (schedule is None or not _is_smooth(scene, other(fast))):
        made = "" if schedule is None else f"{written(schedule, language)}\n"
        return made + snippets.STEP_PER_EPOCH
    if schedule is None:
        return snippets.slower(times)
    return f"steps_per_epoch = {times}\n" + written(schedule, language, _times("steps_per_epoch"))


def _is_smooth(scene: Scene, side: Name) -> bool:
    """Whether a side changes its rate at every step, so that stepping its scheduler once per epoch is not the same."""
    inferred = scene.inferred(side)
    if inferred is None or inferred.stepping == "epoch":
        return False
    return not (getattr(inferred.schedule, "staircase", False) or inferred.schedule.kind == "piecewise-constant")


def _counting_updates(language: Language, scene: Scene, fast: Name, times: int) -> str:
    if language == "PyTorch":
        return snippets.step_per_update(times)
    schedule = scene.schedule(other(fast))
    if schedule is None:
        return snippets.slower(times)
    return f"accumulate = {times}\n" + written(schedule, language, _times("accumulate"))


def _converted(language: Language, scene: Scene, fast: Name, times: int) -> str:
    schedule = scene.schedule(fast)
    if not isinstance(schedule, ExponentialDecay):
        return _longer(language, schedule, str(times))
    return written(schedule.model_copy(update={"every": Duration.parse(f"{times} steps")}), language)


def _longer(language: Language, schedule: Schedule | None, pace: str) -> str:
    if schedule is not None and "." not in pace and "e" not in pace:
        return written(schedule, language, _times(pace))
    return snippets.slower(pace) if language == "Keras" else snippets.step_every(pace)


def _times(name: str) -> Callable[[Duration], str]:
    return lambda duration: f"{duration.count} * {name}"


def _shift(parameters: Parameters, scene: Scene) -> Fix:
    steps = int(parameters["steps"])
    early = _changed(scene, "b" if steps > 0 else "a")
    if abs(steps) == 1:
        advice = (
            f"Where {early}'s log is wrong, read the rate before the update, as below. Where both logs are right, mind "
            "that Keras' PiecewiseConstantDecay changes one step after its boundary and PyTorch's MultiStepLR at its "
            f"milestone: {_boundaries(scene)}"
        )
        return Fix(advice, _coded(scene, early, lambda name: snippets.READ_BEFORE[name]))
    advice = (
        f"Begin {early}'s schedule at step 0, or, where its log counts from another number, give --{early} step_base=…."
    )
    return Fix(advice, _coded(scene, early, lambda name: snippets.COUNT_FROM_ZERO[name]))


def _boundaries(scene: Scene) -> str:
    """Where the first change comes, as both write it."""
    step = 100 if scene.first is None else scene.first.step
    return f"PiecewiseConstantDecay([{max(step - 1, 0)}], …) is MultiStepLR(optimizer, milestones=[{max(step, 1)}])."


def _scale(parameters: Parameters, scene: Scene) -> Fix:
    side = _changed(scene, "b")
    rate = scene.schedule(other(side))
    if rate is not None:
        return Fix(f"If {other(side)} is what was meant, give {side} its rate.", _follow(scene, side, rate))
    factor = float(parameters["factor"]) if side == "b" else 1 / float(parameters["factor"])
    return Fix(f"If {other(side)} is what was meant, divide the initial rate of {side} by {multiple(factor)}.")


def _as_the_other(_: Parameters, scene: Scene) -> Fix:
    side = _changed(scene, "b")
    schedule = scene.schedule(other(side))
    advice = f"If {other(side)} is what was meant, give {side} the schedule of {other(side)}"
    return Fix(f"{advice}:" if schedule else f"{advice}.", _follow(scene, side, schedule))


def _staircase(parameters: Parameters, scene: Scene) -> Fix:
    stairs: Name = parameters["side"]
    side = _changed(scene, other(stairs))
    schedule, every = scene.schedule(other(side)), int(parameters["every"])
    inferred = scene.inferred(other(side))
    if inferred is not None and inferred.stepping == "epoch":
        advice = f"Have {side} look its rate up once per epoch, as {stairs} does; or {stairs} at every step."
        return Fix(advice, _coded(scene, side, lambda name: snippets.PER_EPOCH[name]))
    kind = f"a staircase of {scene.steps(every)}" if side != stairs else "smooth"
    return Fix(f"If {other(side)} is what was meant, make {side} {kind}.", _follow(scene, side, schedule))


def _floor(parameters: Parameters, scene: Scene) -> Fix:
    side = _changed(scene, other(parameters["side"]))
    if side == parameters["side"]:
        return Fix(f"Take the floor of {parameters['rate']:.6g} out of {side}.")
    rate = float(parameters["rate"])
    return Fix(f"If the floor is meant, give {side} one.", _coded(scene, side, lambda name: snippets.floor(name, rate)))


def _tail(parameters: Parameters, scene: Scene) -> Fix:
    holding: Name = parameters["side"]
    side, step = other(holding), int(parameters["step"])
    advice = f"End both runs at step {step:,}; or have {side} hold its rate from there on."
    return Fix(advice, _coded(scene, side, lambda name: snippets.hold(name, step)))


def _warmup(parameters: Parameters, scene: Scene) -> Fix:
    warming: Name = parameters["side"]
    side = _changed(scene, other(warming))
    if side == warming:
        return Fix(f"Take the warm-up of {scene.steps(parameters['steps'])} out of {side}.")
    schedule = scene.schedule(warming)
    advice = f"If the warm-up is meant, give {side} one of {scene.steps(parameters['steps'])}."
    if schedule is not None:
        return Fix(advice, _follow(scene, side, schedule))
    delayed = parameters["then"] == "delayed"
    return Fix(advice, _coded(scene, side, lambda name: snippets.warmup(name, int(parameters["steps"]), delayed)))


def _reset(parameters: Parameters, scene: Scene) -> Fix:
    side = _changed(scene, parameters["side"])
    advice = f"Save and restore the step counter of {side}'s schedule with the weights, before it trains on."
    return Fix(advice, _coded(scene, side, lambda name: snippets.resume(name, int(parameters["step"]))))


def _extra_decay(parameters: Parameters, scene: Scene) -> Fix:
    side = _changed(scene, parameters["side"])
    advice = (
        f"Where {side} is resumed at step {parameters['step']:,}, make its scheduler first and load its state last."
    )
    return Fix(advice, _coded(scene, side, lambda name: snippets.resume(name, int(parameters["step"]))))


def _gaps(parameters: Parameters, _: Scene) -> Fix:
    lacking = [name for name in ("a", "b") if parameters.get(f"missing_{name}")]
    if lacking:
        lack = "lack" if len(lacking) > 1 else "lacks"
        return Fix(f"Nothing in the schedule is to be mended. Find out why {' and '.join(lacking)} {lack} rows.")
    return Fix("Nothing in the schedule is to be mended. Log each update once.")


def _length(_: Parameters, scene: Scene) -> Fix:
    if scene.compared == 1:
        return _LOG_MORE
    return Fix("Nothing in the schedule is to be mended. Train both for as long, or compare only what both have.")


def _unexplained(_: Parameters, scene: Scene) -> Fix:
    if scene.first is not None and (scene.zero_a or scene.zero_b):
        zero = "a" if scene.zero_a else "b"
        return Fix(
            f"Find out why {zero}'s rate is 0: an initial rate of 0, a factor of 0, or a metric that was never set."
        )
    if scene.first is not None and scene.compared is not None and scene.compared < 3:
        return _LOG_MORE
    if scene.first is None:
        return Fix("Record both runs from the same step on, or compare each with the schedule that was meant.")
    return Fix(
        "Compare each side with the schedule that was meant: samestep compare LOG SCHEDULE. It tells which of the two "
        "went astray, and where."
    )


_FIXES: dict[str, Callable[[Parameters, Scene], Fix]] = {
    "identical": _nothing,
    "rounding": _rounding,
    "counter": _counter,
    "shift": _shift,
    "staircase": _staircase,
    "scale": _scale,
    "factor": _as_the_other,
    "period": _as_the_other,
    "floor": _floor,
    "tail": _tail,
    "warmup": _warmup,
    "reset": _reset,
    "extra-decay": _extra_decay,
    "gaps": _gaps,
    "length": _length,
    "family": _as_the_other,
    "unexplained": _unexplained,
}
