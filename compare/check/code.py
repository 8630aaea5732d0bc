"""The lines to write instead, for the trainer at hand: where a scheduler is stepped, and how a count is converted."""

from __future__ import annotations

from ..causes import snippets
from ..terms import Language
from .scene import Scene

_PER_EPOCH = {
    "lightning": '# in configure_optimizers\n"lr_scheduler": {"scheduler": scheduler, "interval": "epoch"}',
    "accelerate": """for epoch in range(epochs):
    for batch in loader:
        ...  # accelerator.backward(loss), optimizer.step()
    scheduler.step()  # after each epoch, and not passed to accelerator.prepare""",
    "ignite": "trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: scheduler.step())",
}
_PER_UPDATE = {
    "lightning": '# in configure_optimizers\n"lr_scheduler": {"scheduler": scheduler, "interval": "step"}',
    "transformers": "# Trainer(..., optimizers=(optimizer, scheduler)) steps it after each update",
    "accelerate": """model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
with accelerator.accumulate(model):
    ...  # accelerator.backward(loss)
    optimizer.step()
    scheduler.step()  # prepared, it waits for the update""",
    "ignite": "trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: scheduler.step())",
}


def trainer_of(scene: Scene) -> str | None:
    """The trainer that runs the loop; None for a loop of the user's own, or where that is not known."""
    return scene.facts.trainer if scene.facts else None


def in_language(scene: Scene, torch: str, keras: str) -> dict[Language, str]:
    """The code for the framework of the run; both where it is not known, without what is empty."""
    code: dict[Language, str] = {"PyTorch": torch, "Keras": keras}
    return {name: text for name, text in code.items() if text and scene.language in (None, name)}


def per_epoch(scene: Scene) -> str:
    """PyTorch: step the scheduler after each epoch. Empty where the trainer has no such setting."""
    if trainer_of(scene) == "transformers":
        return ""
    return _PER_EPOCH.get(trainer_of(scene) or "", snippets.STEP_PER_EPOCH)


def per_update(scene: Scene) -> str:
    """PyTorch: step the scheduler once after each update."""
    return _PER_UPDATE.get(trainer_of(scene) or "", snippets.STEP_PER_UPDATE)


def per_accumulated(scene: Scene) -> str:
    """PyTorch: step the scheduler once for each update of accumulated gradients."""
    return _PER_UPDATE.get(trainer_of(scene) or "", snippets.step_per_update(scene.accumulation))
