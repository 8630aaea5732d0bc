"""The facts of a recorded run, as ``RUN.facts.json`` has them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

SCHEMA = 1


class FactsError(ValueError):
    """A file that holds no facts; the message is one line that says what to do."""


@dataclass
class Place:
    """A line of code."""

    file: str
    line: int


@dataclass
class Process:
    """One of the processes that train."""

    rank: int = 0
    world_size: int = 1


@dataclass
class Group:
    """A parameter group of an optimizer.

    lr : the rate it began with. added_at : updates of the run before it was added. made : the line that added it later.
    """

    lr: float
    added_at: int = 0
    made: Place | None = None


@dataclass
class Optimizer:
    """An optimizer.

    id : unique in the run. kind : its class. arms : of its groups, as the recording's rows have them.
    updates : that it made. skipped : those that a gradient scaler left out.
    loaded_at : its updates before its state was loaded, the last time; None where it never was. loaded_step : the
    updates that the loaded state had made; None where it does not say. loaded_decayed : whether a loaded rate was
    another than the initial one.
    """

    id: int
    kind: str
    made: Place | None = None
    arms: list[str] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    updates: int = 0
    skipped: int = 0
    loaded_at: int | None = None
    loaded_step: int | None = None
    loaded_decayed: bool = False


@dataclass
class Steps:
    """A line that steps a scheduler.

    count : calls. first_at, last_at : updates of the run before the first and the last call.
    per : ``update``, ``epoch``, ``micro-batch``, ``several per update`` or ``other``.
    before_first_update : calls before the first update of its optimizer. with_argument : whether it says where it is.
    """

    file: str
    line: int
    count: int = 0
    first_at: int = 0
    last_at: int = 0
    per: str = "other"
    before_first_update: int = 0
    with_argument: bool = False


@dataclass
class Scheduler:
    """A scheduler, a schedule object, or a callback that sets the rate.

    arguments : numbers and texts, without those that are defaults. optimizer : its id. part_of : the id of the
    scheduler that steps this one, such as a `SequentialLR`. groups : parameter groups that it knows. schedule : in the
    vocabulary, with its calls as steps; None where it cannot be read, and `why`. asked : counts, and the rate that its
    function gives for each, where that is all that can be read. loaded_at : updates of the run before
    its state was loaded; None where it never was. began_at : what it had counted before its first call here.
    """

    id: int
    kind: str
    optimizer: int
    arguments: dict[str, Any] = field(default_factory=dict)
    made: Place | None = None
    part_of: int | None = None
    groups: int | None = None
    schedule: dict[str, Any] | None = None
    why: str | None = None
    asked: list[tuple[int, float]] = field(default_factory=list)
    loaded_at: int | None = None
    began_at: int = 0
    steps: list[Steps] = field(default_factory=list)


@dataclass
class Writes:
    """A line that sets the rate of a group, other than a scheduler. by : what it is in words, for a sentence."""

    optimizer: int
    group: int
    file: str
    line: int
    by: str
    count: int = 0
    first_at: int = 0
    last_at: int = 0


@dataclass
class Facts:
    """What is known of a run beside its rates.

    cut_by : the option of `samestep record` that ended it. ended : None while it runs, or where it was killed.
    updates : of all optimizers. accumulation : micro-batches of an update, where that is known.
    epochs : updates of the run before each pass over the training data.
    """

    framework: str
    command: list[str] = field(default_factory=list)
    cut_by: Literal["updates", "epochs"] | None = None
    ended: Literal["returned", "raised"] | None = None
    process: Process = field(default_factory=Process)
    trainer: str | None = None
    updates: int = 0
    accumulation: int | None = None
    epochs: list[int] = field(default_factory=list)
    steps_per_epoch: int | None = None
    planned_epochs: int | None = None
    optimizers: list[Optimizer] = field(default_factory=list)
    schedulers: list[Scheduler] = field(default_factory=list)
    writes: list[Writes] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The facts as JSON values."""
        return {"schema": SCHEMA, **asdict(self)}


def read_facts(path: str | Path) -> Facts:
    """Read the facts of a run. Raises FactsError, with one line, for a file that holds none."""
    from pydantic import TypeAdapter, ValidationError  # a run that is recorded does without

    try:
        held = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(held, dict) or held.pop("schema", None) != SCHEMA:
            raise ValueError("it is not of schema 1")
        return TypeAdapter(Facts).validate_python(held)
    except ValidationError as error:
        first = error.errors()[0]
        said = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (OSError, ValueError, RecursionError) as error:
        said = str(getattr(error, "strerror", None) or error)
    raise FactsError(f"{path} holds no facts of a run ({said[:120]}). Record the run again, or move it away.")
