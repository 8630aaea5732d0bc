"""What every call gives back: it prints, displays in a notebook, gives a table and figures, saves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from compare.show.picture import Picture


class Result(ABC):
    """A result shows itself. Whatever draws or lays out is imported when it is asked for.

    A subclass says what it is in `lines`, `table`, `to_json`, `pictures`, `page` and `write_tables`; all the rest
    follows. `report` names its two templates.
    """

    report = "plain"

    @abstractmethod
    def lines(self) -> Iterator[tuple[str, str]]:
        """What a terminal shows, as paragraphs: each an indentation and a text; ``|`` marks what must not be wrapped."""

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

    @abstractmethod
    def page(self) -> dict[str, Any]:
        """All values that the templates use, except the pictures."""

    @abstractmethod
    def write_tables(self, folder: Path) -> None:
        """Write tables, JSON and manifest into a folder."""

    def __str__(self) -> str:
        return "\n".join(text if indent == "|" else f"{indent}{text}" for indent, text in self.lines())

    def _repr_html_(self) -> str:
        """The body of the report, for a notebook."""
        from compare.show import page as render

        page = render.html(self._drawn(), f"{self.report}.html.j2")
        body = page[page.index("<main>") + len("<main>") : page.index("</main>")]
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

    def save(self, folder: str | Path, *, force: bool = False) -> None:
        """Write the report with its tables and figures: made beside the folder and moved into place.

        force : an earlier output of samestep is replaced. Raises OutputError where the folder cannot be written.
        """
        from compare.show import folder as output

        with output.folder(Path(folder), force, "--report") as beside:
            self.write(beside)

    def write(self, folder: Path) -> None:
        """Write all that `save` does into a folder that is there and empty."""
        import warnings

        from compare.show import page as render
        from compare.training.result import write_figures

        self.write_tables(folder)
        values = self._drawn()
        with warnings.catch_warnings():
            # a letter that the PNG's font lacks is a box there; in HTML and SVG the reader's own fonts have it
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            write_figures(folder / "figures", values["pictures"])
            (folder / "report.html").write_text(render.html(values, f"{self.report}.html.j2"), encoding="utf-8")
        (folder / "report.md").write_text(render.markdown(values, f"{self.report}.md.j2"), encoding="utf-8")

    def _drawn(self) -> dict[str, Any]:
        return {**self.page(), "pictures": {name: draw() for name, draw in self.pictures().items()}}


_NOTEBOOK = (
    "<style>.samestep svg { width: 100%; max-width: 42rem; height: auto; } "
    ".samestep pre { white-space: pre-wrap; }</style>"
)
