"""When each finding is stated, and when not: from facts and rates as a recording holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import samestep
from samestep._compare.check.findings import FINDINGS
from samestep.experiment.clock import Clock
from samestep.experiment.recording.file import HEADER
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.text import read
from samestep.experiment.trace import write_json
from samestep.experiment.watching import Facts, Group, Optimizer, Place, Process, Scheduler, Steps, Writes

MADE, STEPPED, WRITTEN = 10, 20, 30
PER_EPOCH = 8


def schedule_of(text: str) -> Schedule:
    return read(text, "step", None).schedule


@dataclass
class Case:
    """One optimizer with one scheduler, in 10 epochs of 8 updates.

    text : its schedule, with calls as steps. per : what it is stepped for. times : calls for each update, or epoch.
    """

    text: str | None
    kind: str = "CosineAnnealingLR"
    arguments: dict[str, Any] = field(default_factory=dict)
    per: str = "update"
    times: int = 1
    updates: int = 80
    facts: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, Any] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    scheduler: dict[str, Any] = field(default_factory=dict)
    more_steps: tuple[Steps, ...] = ()
    writes: tuple[Writes, ...] = ()
    rates: Any = None

    def calls_before(self) -> np.ndarray:
        step = np.arange(self.updates)
        return self.times * (step // PER_EPOCH if self.per == "epoch" else step)

    def lr(self) -> np.ndarray:
        if self.rates is not None:
            return np.asarray(self.rates, dtype=float)
        if self.text is None:
            return np.full(self.updates, 0.1)
        return schedule_of(self.text).rate(self.calls_before(), Clock.STEPS)

    def check(self, folder) -> Any:
        path = folder / "run.csv"
        rows = (
            f"torch,SGD,0,{step},{step // PER_EPOCH},{step % PER_EPOCH},{lr!r},\n"
            for step, lr in enumerate(self.lr().tolist())
        )
        path.write_text(HEADER + "".join(rows), encoding="utf-8")
        occasions = -(-self.updates // PER_EPOCH) if self.per == "epoch" else self.updates
        known: dict[str, Any] = {
            "count": self.times * occasions,
            "first_at": 1,
            "last_at": self.updates,
            "per": self.per,
        }
        steps = [Steps("train.py", STEPPED, **known | self.steps), *self.more_steps]
        dumped = None if self.text is None else schedule_of(self.text).model_dump(mode="json")
        scheduler = Scheduler(0, self.kind, 0, self.arguments, Place("train.py", MADE), groups=1, schedule=dumped)
        scheduler.steps = [each for each in steps if each.count]
        optimizer = Optimizer(0, "SGD", Place("train.py", 5), ["SGD"], [Group(0.1)], self.updates)
        for noted, more in ((optimizer, self.optimizer), (scheduler, self.scheduler)):
            for name, value in more.items():
                setattr(noted, name, value)
        facts = Facts("torch", ended="returned", updates=self.updates, steps_per_epoch=PER_EPOCH)
        facts.epochs = list(range(0, self.updates, PER_EPOCH))
        facts.optimizers, facts.schedulers, facts.writes = [optimizer], [scheduler], list(self.writes)
        for name, value in self.facts.items():
            setattr(facts, name, value)
        write_json(path.with_suffix(".facts.json"), facts.to_json())
        return samestep.check(path)


def cosine(over: int, after: str = "rise") -> str:
    return f"cosine:initial=0.1,floor=0,over={over} steps,after={after}"


def stairs(every: int, factor: float = 0.5) -> str:
    return f"exponential:initial=0.1,factor={factor},every={every} steps,staircase"


def milestones(*counts: int) -> str:
    values = ",".join(str(0.1 / 10**place) for place in range(len(counts) + 1))
    return f"piecewise-constant:boundaries=[{','.join(f'{each} steps' for each in counts)}],values=[{values}]"


def by_hand(first: int, last: int, count: int = 1) -> tuple[Writes, ...]:
    return (Writes(0, 0, "train.py", WRITTEN, "The code", count, first, last),)


UNMOVED = np.full(80, 0.1)
WARM = "warmup:initial=0,over=4 steps,then=(cosine:initial=0.1,floor=0,over=76 steps,after=hold)"

# the finding, the case, and the line that is named first
MISTAKES = {
    "a cosine over the epochs": ("epochs-as-steps", Case(cosine(10), arguments={"T_max": 10}), MADE),
    "stairs of a few epochs": ("epochs-as-steps", Case(stairs(3), "StepLR", {"step_size": 3}), MADE),
    "milestones within an epoch": ("epochs-as-steps", Case(milestones(4, 7), "MultiStepLR", {"milestones": [4, 7]}), MADE),
    "a decay to nothing": ("epochs-as-steps", Case("exponential:initial=0.1,factor=0.8,every=1 step", "ExponentialLR", {"gamma": 0.8}), MADE),
    "a horizon in steps": ("steps-as-epochs", Case(cosine(80), arguments={"T_max": 80}, per="epoch"), STEPPED),
    "milestones in steps": ("steps-as-epochs", Case(milestones(56, 72), "MultiStepLR", {"milestones": [56, 72]}, per="epoch"), STEPPED),
    "no step": ("never-stepped", Case(stairs(3), "StepLR", steps={"count": 0}, rates=UNMOVED), MADE),
    "stepped first": ("stepped-first", Case(stairs(3), "StepLR", per="epoch", steps={"before_first_update": 1, "first_at": 0}), STEPPED),
    "two lines per epoch": ("stepped-again", Case(stairs(3), "StepLR", per="epoch", more_steps=(Steps("train.py", 21, 10, 8, 80, "epoch"),)), STEPPED),
    "per update and per epoch": ("stepped-again", Case(cosine(80), more_steps=(Steps("train.py", 21, 10, 8, 80, "epoch"),)), STEPPED),
    "one line twice per update": ("stepped-again", Case(stairs(30), "StepLR", per="several per update", times=2), STEPPED),
    "once per process": ("stepped-again", Case(cosine(80, "hold"), "LambdaLR", per="several per update", times=4, facts={"process": Process(0, 4), "trainer": "accelerate"}), STEPPED),
    "micro-batches": ("accumulation", Case(cosine(80, "hold"), "LambdaLR", per="micro-batch", times=4, facts={"accumulation": 4}), STEPPED),
    "a horizon in micro-batches": ("accumulation", Case(cosine(320, "hold"), "LambdaLR", facts={"accumulation": 4}), MADE),
    "a cosine that climbs": ("past-the-end", Case(cosine(50), arguments={"T_max": 50}), MADE),
    "one cycle that raises": ("past-the-end", Case("one-cycle:max_lr=0.1,div_factor=25,final_div_factor=1e4,pct_start=0.3,over=60 steps,anneal_strategy=cos,after=error", "OneCycleLR", updates=60, facts={"ended": "raised"}), MADE),
    "a run that is too short": ("ends-early", Case(cosine(200), arguments={"T_max": 200}, facts={"planned_epochs": 10}), MADE),
    "set by hand in the middle": ("overwritten", Case(cosine(80), writes=by_hand(40, 40)), WRITTEN),
    "a loop over groups": ("overwritten", Case(cosine(80), writes=by_hand(0, 79, 80)), WRITTEN),
    "plateau per batch": ("plateau-per-batch", Case(None, "ReduceLROnPlateau", {"patience": 5}), STEPPED),
    "only the optimizer loaded": ("resumed-afresh", Case(stairs(30), "StepLR", optimizer={"loaded_at": 0, "loaded_step": 40}), MADE),
    "loaded and wound forward": ("resumed-afresh", Case(stairs(30), "StepLR", optimizer={"loaded_at": 0, "loaded_step": 40}, scheduler={"loaded_at": 0}, more_steps=(Steps("train.py", 15, 40, 0, 0, "other", 40),)), MADE),
    "zero after the end": ("rate-zero", Case(cosine(60, "hold"), "LambdaLR"), MADE),
    "an epoch at zero": ("rate-zero", Case("linear:initial=0,end=0.1,over=3 steps", "LambdaLR", per="epoch"), MADE),
    "a float milestone": ("rounded", Case(None, "MultiStepLR", {"milestones": [40.4]}), MADE),
}  # fmt: skip

SOUND = {
    "a cosine per update": Case(cosine(80), arguments={"T_max": 80}),
    "a cosine per epoch": Case(cosine(10), arguments={"T_max": 10}, per="epoch"),
    "warm-up and cosine": Case(WARM, "SequentialLR"),
    "one cycle": Case("one-cycle:max_lr=0.1,div_factor=25,final_div_factor=1e4,pct_start=0.3,over=80 steps,anneal_strategy=cos,after=error", "OneCycleLR", {"max_lr": 0.1, "total_steps": 80}),
    "stairs per epoch": Case(stairs(3), "StepLR", {"step_size": 3}, per="epoch"),
    "stairs of one epoch": Case(stairs(1, 0.9), "StepLR", {"step_size": 1}, per="epoch"),
    "stairs of one epoch in updates": Case(stairs(8), "StepLR", {"step_size": 8}),
    "a decay for many steps in a short run": Case(stairs(50), "StepLR", {"step_size": 50}),
    "a slow decay per update": Case("exponential:initial=0.1,factor=0.999,every=1 step", "ExponentialLR", {"gamma": 0.999}),
    "milestones that are not reached": Case(milestones(30, 60), "MultiStepLR", {"milestones": [30, 60]}, per="epoch"),
    "restarts with an argument": Case("cosine-restarts:initial=0.1,floor=0,first=2 steps,t_mul=1,m_mul=1", "CosineAnnealingWarmRestarts", {"T_0": 2}, steps={"with_argument": True}, rates=np.abs(np.sin(np.arange(80.0))) + 0.01),
    "cycles": Case("cyclic:low=0,max_lr=0.1,up=4 steps,down=4 steps,mode=triangular,gamma=1", "CyclicLR", {"step_size_up": 4}),
    "accumulation in updates": Case(cosine(80, "hold"), "LambdaLR", facts={"accumulation": 4}),
    "accumulation in micro-batches": Case(cosine(320, "hold"), "LambdaLR", per="micro-batch", times=4, facts={"accumulation": 4}),
    "a horizon for all processes": Case(cosine(320, "hold"), "LambdaLR", per="several per update", times=4, facts={"process": Process(0, 4)}),
    "cut by --updates before the first epoch ends": Case(stairs(3), "StepLR", per="epoch", updates=5, steps={"count": 0}, facts={"cut_by": "updates"}, rates=np.full(5, 0.1)),
    "cut by --updates": Case(cosine(800), facts={"cut_by": "updates"}),
    "stopped before its planned epochs": Case(cosine(400), facts={"planned_epochs": 50, "trainer": "lightning"}),
    "plateau per epoch": Case(None, "ReduceLROnPlateau", {"patience": 5}, per="epoch"),
    "plateau with a patience of epochs in batches": Case(None, "ReduceLROnPlateau", {"patience": 40}),
    "warmed up by hand": Case(stairs(3), "StepLR", per="epoch", writes=by_hand(0, 16, 16)),
    "set before the training": Case(cosine(80), writes=by_hand(0, 0)),
    "wound forward": Case(stairs(30), "StepLR", more_steps=(Steps("train.py", 15, 40, 0, 0, "other", 40),), optimizer={"loaded_at": 0, "loaded_step": 40}),
    "loaded before anything was trained": Case(stairs(30), "StepLR", optimizer={"loaded_at": 0, "loaded_step": 0}),
    "if and else": Case(stairs(30), "StepLR", steps={"count": 40, "last_at": 40}, more_steps=(Steps("train.py", 22, 40, 41, 80, "update"),)),
    "the first update at zero": Case("linear:initial=0,end=0.1,over=40 steps", "LambdaLR"),
    "whole numbers as floats": Case(milestones(40), "MultiStepLR", {"milestones": [40.0]}),
    "skipped by a gradient scaler": Case(cosine(80), steps={"before_first_update": 1, "first_at": 0}, optimizer={"skipped": 1}),
    "a cosine of several whole turns": Case(cosine(16), arguments={"T_max": 16}),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_at_its_line(name, tmp_path):
    expected, case, line = MISTAKES[name]
    checked = case.check(tmp_path)
    told = [each for each in checked.findings if each.severity != "note"]
    assert [each.name for each in told] == [expected]
    assert (told[0].where[0].file, told[0].where[0].line) == ("train.py", line)
    assert checked.verdict == "findings"
    assert told[0].name in str(checked)
    assert f"train.py:{line}" in str(checked)


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_found_where_nothing_is_wrong(name, tmp_path):
    checked = SOUND[name].check(tmp_path)
    assert [each for each in checked.findings if each.severity != "note"] == []
    assert checked.verdict in ("clean", "inconclusive")


def test_every_finding_has_a_mistake_here_or_of_its_own():
    of_its_own = {"other-optimizer", "group-left-out", "logged-next"}
    assert {expected for expected, _, _ in MISTAKES.values()} | of_its_own == {each.name for each in FINDINGS}


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.name)
def test_its_docstring_is_a_page(finding):
    assert set(finding.sections()) == {
        "Attributes",
        "What you see",
        "How it comes about",
        "What it rests on",
        "The fix",
        "See also",
    }
    assert set(finding.attributes()) == {name for name in finding.__annotations__ if name != "explains"}
    assert finding.page().startswith(f"{finding.name}: ")
