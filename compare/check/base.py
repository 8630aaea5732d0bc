"""A finding: what in one run may not be meant. Each has a room of its own; its docstring is its page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal, Self, dataclass_transform

from ..causes.scene import Fix
from ..pages import Paged
from .scene import Scene, Where

Severity = Literal["error", "warning", "note"]
"""``error``: what was recorded leaves no doubt. ``warning``: numbers speak for it, or it may be meant. ``note``: it is
as the run was started."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
@dataclass(frozen=True, repr=False)
class Finding(Paged, ABC):
    """What may not be meant. The fields of each kind are its parameters, as the JSON has them.

    Attributes:
        severity: How sure it is.
        where: The lines of code, the one to change first.
        about: The optimizer that it is about; None for the whole run.
    """

    explains: ClassVar[tuple[str, ...]] = ()
    """Findings about the same optimizer that only follow from this one."""

    severity: Severity = field(kw_only=True, repr=False)
    where: tuple[Where, ...] = field(default=(), kw_only=True, repr=False)
    about: int | None = field(default=None, kw_only=True, repr=False)

    def __init_subclass__(cls) -> None:
        """Each kind is a frozen dataclass."""
        super().__init_subclass__()
        dataclass(frozen=True, repr=False)(cls)

    @classmethod
    @abstractmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """What there is of it in a run: only where the facts, or rates and clock, leave nothing else."""

    @abstractmethod
    def sentence(self, scene: Scene) -> str:
        """What happened, with numbers and units, and what it rests on where it rests on numbers alone."""

    @abstractmethod
    def fix(self, scene: Scene) -> Fix:
        """What to write, for the framework and the trainer at hand."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Its own fields by name, as the JSON has them, without those that are None."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.repr}
        return {name: value for name, value in values.items() if value is not None}

    def to_json(self, scene: Scene) -> dict[str, Any]:
        """The finding as JSON values."""
        return {
            "name": self.name,
            "severity": self.severity,
            "sentence": self.sentence(scene),
            "parameters": self.parameters,
            "where": [asdict(each) for each in self.where],
            "fix": str(self.fix(scene)),
        }

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({shown})"
