"""Keras <-> PyTorch: a schedule in the other framework, as code, with the proof that it is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.frameworks import BY_WORD, LABELS
from samestep.experiment.plan import Framework
from samestep.experiment.programs.process import need
from samestep.experiment.programs.simulate import Request, proof_length
from samestep.experiment.schedules import SCHEDULES, Schedule
from samestep.experiment.schedules.dialects import dialect_of, is_yaml
from samestep.experiment.schedules.text import Parsed, from_json, read
from samestep.experiment.schedules.text import to_json as schedule_json
from samestep.experiment.validation import PlanError, strict_json

from ..runs.run import CompareError
from ..runs.settings import clock as clock_from
from ..runs.settings import stepping as stepping_from
from ..show.result import Result
from ..workers import runner
from .ask import asked_json, closed_form
from .simulate import Agreement, agreement

if TYPE_CHECKING:
    import pandas as pd

    from ..show.picture import Picture

Origin = Literal["tensorflow", "torch", "vocabulary"]
TO: dict[str, Framework] = {word: each.name for word, each in BY_WORD.items()}


@dataclass(frozen=True)
class Translation(Result):
    """A schedule in another framework.

    origin : where it comes from. code : ready to paste. base_lr : what PyTorch's optimizer is made with.
    exact : whether it is a class of the framework throughout. notes : which class stands in for which and why, and what
    could not be carried over. proof : the origin's real rates (the closed form's, for the vocabulary) against the real
    ones of the code. parts_at : the first step at which both part, perhaps after the steps compared.
    """

    schedule: Schedule
    origin: Origin
    to: Framework
    clock: Clock
    stepping: Stepping
    code: str
    base_lr: float
    exact: bool
    notes: tuple[str, ...]
    proof: Agreement
    parts_at: int | None
    origin_rates: np.ndarray = field(repr=False)
    rates: np.ndarray = field(repr=False)

    @property
    def verdict(self) -> str:
        """Whether the code gives the same rates."""
        return self.proof.verdict

    @property
    def table(self) -> pd.DataFrame:
        """One row for each update that was compared: its step, and the rates of the origin and of the code."""
        import pandas as pd

        most = self.proof.compared
        rates = {"lr_origin": self.origin_rates[:most], "lr_code": self.rates[:most]}
        return pd.DataFrame({"step": np.arange(most), **rates})

    def lines(self) -> Iterator[tuple[str, str]]:
        """The code, with the proof as comments."""
        from . import words

        yield "|", self.code
        yield from (("|", f"# {sentence}") for sentence in words.proof(self))

    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """The rates of the origin and of the code."""
        from ..show.lines import lines
        from . import figures, words

        steps = np.arange(self.proof.compared)
        both = {words.ORIGINS[self.origin]: self.origin_rates, f"{LABELS[self.to]}, as code": self.rates}
        return figures.only(
            lambda: lines({name: (steps, lr[: len(steps)]) for name, lr in both.items()}),
            "Learning rate against step of the origin and of the code.",
            "The rates of both.",
        )

    def to_json(self) -> dict[str, Any]:
        """The translation as JSON values."""
        return {
            "schema": 1,
            "verdict": self.verdict,
            "from": self.origin,
            "to": self.to,
            **asked_json(self.schedule, self.clock, self.stepping),
            "code": self.code,
            "base_lr": self.base_lr,
            "exact": self.exact,
            "notes": list(self.notes),
            "max_ulp32": self.proof.max_ulp32,
            "max_relative": self.proof.max_relative,
            "tolerance": {"ulp32": self.proof.tolerance_ulp32, "drift_ulp32": self.proof.tolerance_drift},
            "compared_steps": self.proof.compared,
            "parts_at": self.parts_at,
        }


def translate(
    schedule: str | Path | Schedule,
    to: str,
    *,
    samples: int | None = None,
    batch_size: int | None = None,
    drop_last: bool = False,
    accumulate: int = 1,
    clock: Clock | None = None,
    stepping: str = "step",
    class_name: str | None = None,
) -> Translation:
    """Write a schedule as code of the other framework, and prove that it is the same.

    Args:
        schedule: As text, code or object; or a file of a Keras schedule's config, or of a PyTorch scheduler's state.
        to: ``keras`` or ``torch``.
        samples: Rows of data in an epoch.
        batch_size: Rows in a batch.
        drop_last: Whether a last batch that is shorter is left out.
        accumulate: Batches whose gradients make one update.
        clock: A `Clock`, instead of the four above; needed only if the schedule or the stepping counts epochs.
        stepping: How often the rate is looked up: ``step`` or ``epoch``.
        class_name: The scheduler's class, for a file that does not name it.

    Returns:
        The code, ready to paste, with the proof.

    Raises:
        PlanError: A file or a schedule that cannot be read.
        WorkerError: A framework that cannot build the schedule.

    Example:
        >>> print(translate("constant:initial=0.1", "torch").code)  # doctest: +SKIP
    """
    if to not in TO:
        raise CompareError(f"--to: got {to!r}. Write torch or keras.")
    clock = clock or clock_from(samples, batch_size, drop_last, accumulate)
    need([TO[to]])
    file = schedule_json(schedule) if isinstance(schedule, SCHEDULES) else str(schedule)
    return _translated(file, TO[to], clock, stepping_from(stepping), class_name)


def _translated(
    file: str, to: Framework, clock: Clock | None, stepping: Stepping, class_name: str | None
) -> Translation:
    origin, parsed = _read(file, class_name, stepping, clock)
    schedule = None if parsed is None else parsed.schedule
    known = clock or Clock.STEPS
    units = {duration.unit for _, duration in schedule.durations()} if schedule is not None else set()
    if clock is None and (stepping == "epoch" or "epochs" in units):
        raise PlanError("the schedule speaks of epochs, so their length is needed. Add --samples and --batch-size.")
    notes = () if parsed is None else parsed.assumed

    def as_code(schedule: Schedule, lr: np.ndarray) -> Request:
        return Request(known, stepping, len(lr), schedule=schedule_json(schedule))

    if schedule is None:
        asked = Request(known, stepping, None, saved=str(Path(file).absolute()), class_name=class_name)
        source: Framework = "tensorflow" if origin == "tensorflow" else "torch"
        answered, target = runner.ask_in_turn(source, asked, to, lambda read: as_code(read.schedule, read.lr))
        schedule, lr, notes = answered.schedule, answered.lr, answered.notes
    else:
        try:
            schedule.whole_steps(known)
        except ValueError as error:
            raise PlanError(f"{file[:60]}: {error}") from None
        lr = closed_form(schedule, known, stepping, proof_length(schedule, known))
        target = runner.ask({to: as_code(schedule, lr)})[to]
    proof = agreement(lr, target.lr, schedule, known, stepping)
    ends = schedule.length(known) if schedule.after_end == "error" else None
    return Translation(
        schedule=schedule,
        origin=origin,
        to=to,
        clock=known,
        stepping=stepping,
        code=target.source,
        base_lr=target.base_lr,
        exact=target.exact,
        notes=tuple(dict.fromkeys([*notes, *([target.note] if target.note else [])])),
        proof=proof,
        parts_at=proof.parts_at if proof.parts_at is not None else ends if to == "tensorflow" else None,
        origin_rates=lr,
        rates=target.lr,
    )


def _read(file: str, class_name: str | None, stepping: Stepping, clock: Clock | None) -> tuple[Origin, Parsed | None]:
    """Whose schedule a file holds; and the schedule, where its framework need not be asked for it."""
    path = Path(file)
    if not _is_file(path) or path.suffix == ".py" or is_yaml(file):
        return "vocabulary", read(file, stepping, clock)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PlanError(f"{file}: {error.strerror}. Name a file that can be read.") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:  # what torch.save writes
        return "torch", None
    if path.suffix in _SAVED_BY_TORCH and not text.lstrip().startswith("{"):
        return "torch", None
    try:
        data = strict_json(text, "a schedule")
    except PlanError as error:
        raise PlanError(f"{file}: {error}") from None
    if not isinstance(data, dict) or "kind" in data:
        return "vocabulary", Parsed(from_json(text, file))
    if dialect_of(data) is not None:
        return "vocabulary", read(file, stepping, clock)
    if "config" not in data and _looks_like_torch(data):
        return "torch", None
    if class_name is not None or {"class_name", "config", "learning_rate"} & set(data):
        return "tensorflow", None
    raise PlanError(
        f"{file}: no schedule of the vocabulary (no 'kind'), no Keras config (no 'class_name') and no state of a "
        "PyTorch scheduler (no 'last_epoch'). Write one of these."
    )


_SAVED_BY_TORCH = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")


def _looks_like_torch(data: dict[str, Any]) -> bool:
    marks = {"last_epoch", "_last_lr", "base_lrs", "class", "state", "state_dict"}
    return bool(marks & set(data)) or any("scheduler" in str(key) for key in data)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
