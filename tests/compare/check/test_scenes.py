"""Findings that need more than one optimizer, several groups, or a log alone."""

from __future__ import annotations

import numpy as np
import pytest

import samestep
from samestep.experiment.recording.file import HEADER
from samestep.experiment.schedules import CosineDecay
from samestep.experiment.trace import write_json
from samestep.experiment.watching import Facts, Group, Optimizer, Place, Scheduler, Steps

COSINE = CosineDecay(initial=0.1, floor=0.0, over="40 steps", after="rise").model_dump(mode="json")
FALLING = np.linspace(0.1, 0.001, 40)


def recorded(folder, rates, optimizers, schedulers, **more):
    rows = (f"torch,{arm},0,{step},,,{lr!r},\n" for arm, lrs in rates.items() for step, lr in enumerate(lrs.tolist()))
    (folder / "run.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    facts = Facts("torch", ended="returned", updates=40, optimizers=optimizers, schedulers=schedulers, **more)
    write_json(folder / "run.facts.json", facts.to_json())
    return samestep.check(folder / "run.csv")


def scheduler(optimizer, **more):
    return Scheduler(0, "CosineAnnealingLR", optimizer, {"T_max": 40}, Place("train.py", 10), schedule=COSINE, **more)


def names(checked):
    return [each.name for each in checked.findings]


def test_a_scheduler_of_an_optimizer_that_does_not_train(tmp_path):
    first, second = (
        Optimizer(0, "SGD", Place("train.py", 5)),
        Optimizer(1, "SGD", Place("train.py", 12), ["SGD"], [], 40),
    )
    steps = [Steps("train.py", 20, 40, 1, 40, "update", 40)]
    checked = recorded(tmp_path, {"SGD": np.full(40, 0.1)}, [first, second], [scheduler(0, steps=steps)])
    assert names(checked) == ["other-optimizer"]
    assert [(each.line, each.role) for each in checked.findings[0].where] == [
        (10, "made"),
        (20, "stepped"),
        (5, "made"),
        (12, "made"),
    ]


def test_a_schedule_that_was_only_looked_at_is_no_finding(tmp_path):
    first, second = (
        Optimizer(0, "SGD", Place("plot.py", 5)),
        Optimizer(1, "SGD", Place("train.py", 12), ["SGD"], [], 40),
    )
    steps = [Steps("plot.py", 20, 40, 0, 0, "other", 40)]
    checked = recorded(tmp_path, {"SGD": np.full(40, 0.1)}, [first, second], [scheduler(0, steps=steps)])
    assert names(checked) == []


def test_two_optimizers_with_one_scheduler_each_train(tmp_path):
    optimizers = [Optimizer(n, "Adam", None, [arm], [], 40) for n, arm in enumerate(("Adam", "Adam-1"))]
    steps = [Steps("train.py", 20, 40, 1, 40, "update")]
    checked = recorded(tmp_path, {"Adam": FALLING, "Adam-1": np.full(40, 0.1)}, optimizers, [scheduler(0, steps=steps)])
    assert names(checked) == []


@pytest.mark.parametrize(("known", "expected"), [(1, ["group-left-out"]), (2, [])])
def test_a_group_that_came_after_the_scheduler(tmp_path, known, expected):
    groups = [Group(0.1), Group(0.01, 0, Place("train.py", 15))]
    optimizer = Optimizer(0, "SGD", Place("train.py", 5), ["SGD/pg1", "SGD/pg2"], groups, 40)
    steps = [Steps("train.py", 20, 40, 1, 40, "update")]
    rates = {"SGD/pg1": FALLING, "SGD/pg2": np.full(40, 0.01)}
    checked = recorded(tmp_path, rates, [optimizer], [scheduler(0, groups=known, steps=steps)])
    assert names(checked) == expected
    assert [each.where[0].line for each in checked.findings] == [15] * len(expected)


def test_a_log_whose_last_row_has_the_rate_after_the_end(tmp_path):
    lr = [0.1 * (1 - (step + 1) / 50) for step in range(50)]
    (tmp_path / "log.csv").write_text("step,lr\n" + "".join(f"{step},{rate}\n" for step, rate in enumerate(lr)))
    checked = samestep.check(tmp_path / "log.csv")
    assert names(checked) == ["logged-next"]
    assert names(samestep.check(tmp_path / "log.csv", log={"lr_timing": "next"})) == []
    (tmp_path / "used.csv").write_text("step,lr\n" + "".join(f"{n},{0.1 * (1 - n / 50)}\n" for n in range(50)))
    assert names(samestep.check(tmp_path / "used.csv")) == []


def test_a_log_alone_is_checked_against_its_clock():
    stairs = [0.1 * 0.5 ** (step // 25) for step in range(320)]
    assert names(samestep.check(stairs, steps_per_epoch=40)) == []  # 25 is more than the 8 epochs
    long = [0.1 * 0.9 ** (step // 25) for step in range(1600)]
    assert names(samestep.check(long, steps_per_epoch=40)) == ["epochs-as-steps"]
    assert names(samestep.check(stairs)) == []
    zero = [max(0.1 - 0.001 * step, 0.0) for step in range(150)]
    assert names(samestep.check(zero)) == ["rate-zero"]
