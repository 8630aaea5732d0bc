"""The finding `resumed-afresh`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from ...causes import snippets
from ...causes.scene import Fix
from ...words import counted
from ..base import Finding
from ..code import in_language, trainer_of
from ..scene import Scene, Watched


class ResumedAfresh(Finding):
    """The optimizer was loaded, and the schedule began again, or began twice as far.

    Attributes:
        scheduler: The scheduler or schedule object, with its numbers.
        at: How many updates the loaded state had made; left out where it does not say so.
        began: ``again`` or ``twice``.

    What you see:
        The rate jumps back up where a run is resumed, and falls once more. Or it is lower than it was.

    How it comes about:
        `optimizer.load_state_dict` is there and `scheduler.load_state_dict` is not, so that the schedule begins at its
        first count. Or the scheduler's state is loaded and it is wound forward by as many calls as well. In Keras,
        `load_weights` and a new `compile` lose the count of updates.

    What it rests on:
        The loaded state of the optimizer holds updates, and the scheduler was neither loaded, nor wound forward, nor
        given a count to begin at. Weights alone may be loaded for a new training and are left out. In Keras, `fit` was
        called with an `initial_epoch`, and the optimizer had made no update.

    The fix:
        Save and load the states of both, optimizer and scheduler.

    See also:
        `stepped-first`; lesson 9: resuming.
    """

    explains: ClassVar = ("ends-early",)

    scheduler: str
    at: int | None
    began: str

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Schedulers whose optimizer was loaded."""
        for watched in scene.schedulers:
            began = _began(watched)
            if began is not None:
                yield cls(
                    watched.label,
                    watched.optimizer.loaded_step,
                    began,
                    severity="error",
                    where=watched.made + watched.stepped[:1],
                    about=watched.optimizer.id,
                )

    def sentence(self, scene: Scene) -> str:
        """What was loaded, and what was not."""
        done = "a state" if self.at is None else f"a state of {counted(self.at, 'update')}"
        if scene.language == "Keras":
            return f"fit was called with a later initial_epoch, and {self.scheduler} began again at its count 0."
        if self.began == "twice":
            return f"The optimizer was loaded with {done}. {self.scheduler} was loaded too, and wound forward again."
        return f"The optimizer was loaded with {done}, and {self.scheduler} began again: its own state was not loaded."

    def fix(self, scene: Scene) -> Fix:
        """Both states."""
        trainer = {"lightning": "lightning", "transformers": "hugging-face"}.get(trainer_of(scene) or "")
        code = snippets.RESUME_IN[trainer] if trainer else snippets.resume("PyTorch", self.at or 0)  # type: ignore[index]
        keras = 'model.save("run.keras")  # with the count of updates\nmodel = keras.models.load_model("run.keras")'
        return Fix("Save and load the states of both.", in_language(scene, code, keras))


def _began(watched: Watched) -> str | None:
    """How the schedule of a loaded optimizer began; None where it went on, or nothing was loaded."""
    optimizer, scheduler = watched.optimizer, watched.facts
    if optimizer.loaded_at is None or optimizer.loaded_at >= max(optimizer.updates, 1) or not watched.calls:
        return None
    if optimizer.loaded_step == 0 or (optimizer.loaded_step is None and not optimizer.loaded_decayed):
        return None
    if scheduler.loaded_at is not None:
        return "twice" if watched.wound_forward > 1 else None
    begins = scheduler.arguments.get("last_epoch")
    wound = watched.wound_forward > 0 or (isinstance(begins, int) and begins > 0) or watched.takes_argument
    return None if wound or watched.is_plateau or optimizer.loaded_at > 0 else "again"
