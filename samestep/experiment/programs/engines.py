"""How updates are made, and where: one call of the framework for each, or many within one call; on a CPU or a GPU.

What is computed is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import psutil

from samestep.experiment.trace import Numbers
from samestep.experiment.validation import PlanError

Engine = Literal["fast", "plain", "graph", "xla"]
"""``fast`` chooses what is fastest for the length of the run. ``plain`` is the training that everybody writes, and the
reference for the others. ``graph`` and ``xla`` say how Keras compiles the fast one; PyTorch's is the same for both."""
ENGINES: tuple[Engine, ...] = get_args(Engine)

Device = Literal["cpu", "gpu"]
"""Where both frameworks train. On a CPU the same run gives the same bits on every machine of a kind."""
DEVICES: tuple[Device, ...] = get_args(Device)


_BETWEEN = 2**18
"""Numbers between two layers, of all networks that are looked at side by side: what fits a processor's cache."""


@dataclass(frozen=True)
class Trained:
    """What one arm trained with one seed gave.

    lr, loss : float64, shape (updates,): the rate and the loss of each update, widened from what the framework held.
    eval_loss : float64, shape (epochs,).
    """

    lr: Numbers
    loss: Numbers
    eval_loss: Numbers


def parse(text: str) -> Engine:
    """The engine of a name. Raises PlanError for another one."""
    for engine in ENGINES:
        if text == engine:
            return engine
    raise PlanError(f"engine: got {text!r}. Write one of {', '.join(ENGINES)}.")


def parse_device(text: str) -> Device:
    """The device of a name. Raises PlanError for another one."""
    for device in DEVICES:
        if text == device:
            return device
    raise PlanError(f"device: got {text!r}. Write one of {', '.join(DEVICES)}.")


def no_gpu(framework: str) -> PlanError:
    """What to raise where a GPU is asked for and a framework sees none."""
    return PlanError(f"device: {framework} sees no GPU here. Leave --device out, or install {framework} for one.")


def free_memory() -> int:
    """Memory of this machine that is free, in bytes."""
    return int(psutil.virtual_memory().available)


def together(rows: int, hidden: Sequence[int]) -> int:
    """How many networks are looked at side by side, on so many rows. hidden : the widths of their layers."""
    return max(1, _BETWEEN // (rows * max(hidden, default=1)))


def chunks(seeds: Sequence[int], bytes_per_seed: int, free: int) -> Iterator[Sequence[int]]:
    """The seeds in as few parts as memory has room for, each part to be trained side by side.

    bytes_per_seed : what one more seed takes. free : memory there is; half of it is used at most.
    """
    room = max(1, free // 2 // bytes_per_seed)
    parts = -(-len(seeds) // room)
    for part in range(parts):
        yield seeds[part * len(seeds) // parts : (part + 1) * len(seeds) // parts]
