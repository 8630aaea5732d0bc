"""Keras <-> PyTorch: a schedule in the other framework, as code, with the proof that it is the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from compare import runner
from compare.explain import closed_form
from compare.runner import LABELS
from compare.simulate import Agreement, agreement, tolerance_words
from experiment.clock import Clock, Stepping
from experiment.plan import Framework
from experiment.programs.simulate import Answer, Request, proof_length
from experiment.schedules import Schedule
from experiment.schedules.text import from_json, parse
from experiment.schedules.text import to_json as schedule_json
from experiment.validation import PlanError, strict_json

Origin = Literal["tensorflow", "torch", "vocabulary"]
TO: dict[str, Framework] = {"keras": "tensorflow", "tensorflow": "tensorflow", "torch": "torch", "pytorch": "torch"}

ORIGINS: dict[str, str] = {**LABELS, "vocabulary": "the closed form"}


@dataclass(frozen=True)
class Translation:
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


def translate(
    file: str, to: Framework, clock: Clock | None, stepping: Stepping, class_name: str | None = None
) -> Translation:
    """Read a schedule, build it in a framework, and prove that it is the same.

    file : JSON of the vocabulary (or its short form), a Keras schedule's config, or a PyTorch scheduler's state.
    clock : None where neither the stepping nor a duration speaks of epochs.
    class_name : for a file that does not say which class it is of.
    Raises PlanError or WorkerError with one line for what cannot be read or built.
    """
    origin, schedule = _read(file, class_name)
    known = clock or Clock(1, 1)
    if clock is None and (stepping == "epoch" or (schedule is not None and _speaks_of_epochs(schedule))):
        raise PlanError("the schedule speaks of epochs, so their length is needed. Add --samples and --batch-size.")
    notes: tuple[str, ...] = ()
    if schedule is None:
        asked = Request(known, stepping, None, saved=str(Path(file).absolute()), class_name=class_name)
        source: Framework = "tensorflow" if origin == "tensorflow" else "torch"
        answered, target = runner.ask_in_turn(source, asked, to, lambda answer: _follow(answer, asked))
        schedule, lr, notes = answered.schedule, answered.lr, answered.notes
    else:
        try:
            schedule.whole_steps(known)
        except ValueError as error:
            raise PlanError(f"{file[:60]}: {error}") from None
        lr = closed_form(schedule, known, stepping, proof_length(schedule, known))
        target = runner.ask({to: Request(known, stepping, len(lr), schedule=schedule_json(schedule))})[to]
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
    )


def _follow(answer: Answer, asked: Request) -> Request:
    """What the other framework is asked: the schedule that was read, for as many updates."""
    return Request(asked.clock, asked.stepping, len(answer.lr), schedule=schedule_json(answer.schedule))


def to_json(translation: Translation) -> dict[str, Any]:
    """The translation as JSON values."""
    return {
        "schema": 1,
        "verdict": translation.proof.verdict,
        "from": translation.origin,
        "to": translation.to,
        "schedule": translation.schedule.model_dump(mode="json"),
        "clock": asdict(translation.clock),
        "stepping": translation.stepping,
        "code": translation.code,
        "base_lr": translation.base_lr,
        "exact": translation.exact,
        "notes": list(translation.notes),
        "max_ulp32": translation.proof.max_ulp32,
        "max_relative": translation.proof.max_relative,
        "tolerance": {"ulp32": translation.proof.tolerance_ulp32, "drift_ulp32": translation.proof.tolerance_drift},
        "compared_steps": translation.proof.compared,
        "parts_at": translation.parts_at,
    }


def proof_sentences(translation: Translation) -> list[str]:
    """The proof in words, a line each."""
    proof, to = translation.proof, LABELS[translation.to]
    whose = f"{to}'" if to.endswith("s") else f"{to}'s"
    built = f"{whose} own class" if translation.exact else f"{to} with a stand-in"
    compared = (
        f"Proof: {proof.compared:,} steps, {ORIGINS[translation.origin]} against {built}: at most "
        f"{proof.max_ulp32:.2g} float32 ULP apart ({proof.max_relative:.1e} relative); "
        f"{tolerance_words(proof)}."
    )
    said = [compared]
    if proof.parts_at is not None:
        said.append(f"They part at step {proof.parts_at}.")
    elif translation.parts_at is not None:
        after = "after the end: PyTorch extrapolates once and then raises, Keras holds"
        said.append(f"They part at step {translation.parts_at}, {after}.")
    return said + [f"Note: {note}" for note in translation.notes]


def _read(file: str, class_name: str | None) -> tuple[Origin, Schedule | None]:
    """Whose schedule a file holds; and the schedule, where it is one of the vocabulary."""
    path = Path(file)
    if not _is_file(path):
        return "vocabulary", parse(file)
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
        return "vocabulary", from_json(text, file)
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


def _speaks_of_epochs(schedule: Schedule) -> bool:
    return any(duration.unit == "epochs" for _, duration in schedule.durations())
