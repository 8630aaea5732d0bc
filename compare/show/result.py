"""What every call gives back: it prints, displays in a notebook, gives a table and figures, saves."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import for_python
from .manifest import DRAWS, versions

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from .picture import Picture


class Result(ABC):
    """A result shows itself. Whatever draws or lays out is imported when it is asked for.

    A subclass says what it is in `lines`, `table`, `to_json` and `pictures`, and all the rest follows. One with a
    report of its own names its two templates in `report`, and has a `page` and `write_tables` for them.
    """

    report = "show/plain"

    @abstractmethod
    def lines(self) -> Iterator[tuple[str, str]]:
        """What a terminal shows: paragraphs, each an indentation and a text; ``|`` marks what must not be wrapped."""

    @property
    @abstractmethod
    def table(self) -> pd.DataFrame:
        """The rows of the result."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The result as JSON values: what ``--json`` writes."""

    @abstractmethod
    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """By its name, what draws each picture of the report; the first one shows most."""

    def page(self) -> dict[str, Any]:
        """All values that the templates use, except the pictures."""
        return {"said": str(self), "versions": versions(*DRAWS)}

    def write_tables(self, folder: Path) -> None:
        """Write tables, JSON and manifest into a folder."""
        from samestep.experiment.trace import write_csv, write_json

        from .folder import MANIFEST

        write_csv(folder / "table.csv", dict(self.table))
        write_json(folder / "result.json", self.to_json())
        write_json(folder / MANIFEST, {"schema": 1, "versions": versions(*DRAWS)})

    def __str__(self) -> str:
        return "\n".join(printable(text if indent == "|" else f"{indent}{text}") for indent, text in self.lines())

    def _repr_html_(self) -> str:
        """The body of the report, for a notebook."""
        from . import page

        text = page.html(self._drawn(), self.report)
        body = text[text.index("<main>") + len("<main>") : text.index("</main>")]
        return f'<div class="samestep">{_NOTEBOOK}{body}</div>'

    def figure(self, name: str | None = None) -> Figure:
        """One figure of the report; the first one without a name.

        Raises ValueError for a name that there is not; the message lists those that there are.
        """
        pictures = self.pictures()
        if name is None:
            name = next(iter(pictures))
        if name not in pictures:
            raise ValueError(f"figure: got {name!r}. Write one of {', '.join(pictures)}.")
        return pictures[name]().figure

    @for_python
    def save(self, folder: str | Path, *, force: bool = False) -> None:
        """Write the report with its tables and figures: made beside the folder and moved into place.

        force : an earlier output of samestep is replaced. Raises OutputError where the folder cannot be written.
        """
        from . import folder as output

        with output.folder(Path(folder), force, "--report") as beside:
            self.write(beside)

    def write(self, folder: Path) -> None:
        """Write all that `save` does into a folder that is there and empty."""
        from . import page

        self.write_tables(folder)
        page.write(folder, self._drawn(), self.report)

    def _drawn(self) -> dict[str, Any]:
        return {**self.page(), "pictures": {name: draw() for name, draw in self.pictures().items()}}


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """A table as lines: its first columns, as many as `left`, to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def printable(text: str) -> str:
    """Without the control characters that names in a foreign log may hold, and a terminal would obey."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "�", text)


_NOTEBOOK = (
    "<style>.samestep svg { width: 100%; max-width: 42rem; height: auto; } "
    ".samestep pre { white-space: pre-wrap; }</style>"
)
