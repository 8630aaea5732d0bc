"""Schedules as parts of another one: what PyTorch makes of several schedulers in one."""

from __future__ import annotations

from collections.abc import Sequence

from samestep.experiment.clock import Duration
from samestep.experiment.schedules.base import ScheduleModel
from samestep.experiment.schedules.calls import Call, Calls, torch_call

OWN_RATES = ", whose schedulers all begin at base_lr: these begin at rates of their own"


def as_part(schedule: ScheduleModel, count: Calls) -> Call | str:
    """PyTorch's own class for a part of another schedule, or why there is none, as it follows on that one's name."""
    if schedule.ALONE:
        return f", since its {schedule._kind} sets the optimizer's rate for itself"
    call = schedule.torch(count)
    if not call.is_stand_in:
        return call
    why = str(call.note).partition(" If your run")[0].rstrip(".")
    return why.replace("LambdaLR stands in for", ": it would need").replace("LambdaLR stands in:", ":")


def in_turn(schedule: ScheduleModel, parts: list[Call], milestones: Sequence[Duration], count: Calls) -> Call:
    """`SequentialLR`, whose schedulers all begin at one rate; the stand-in of `schedule` where these do not."""
    if len({each.base_lr for each in parts}) > 1:
        return schedule.lambda_lr(count, f"for SequentialLR{OWN_RATES}")
    base_lr = parts[0].base_lr or schedule.base_lr
    return torch_call("SequentialLR", base_lr, schedulers=parts, milestones=[count(each) for each in milestones])
