"""The pages on findings and their table: the docstrings in `compare.check.findings`."""

from __future__ import annotations

from pathlib import Path

from mistakes.pages import linked

from samestep._compare.check.base import Finding
from samestep._compare.check.findings import FINDINGS

HERE = Path(__file__).parent
HEADINGS = ("What you see", "How it comes about", "What it rests on", "The fix", "See also")


def write(folder: Path = HERE) -> None:
    """Write a page for each finding, where it is not there already."""
    for finding in FINDINGS:
        page = _page(finding)
        path = folder / f"{finding.name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            path.write_text(page, encoding="utf-8")


def meanings(folder: str) -> str:
    """Every finding with its meaning, as a table. folder : where the pages are."""
    rows = (f"| [`{each.name}`]({folder}{each.name}.md) | {each.meaning()} |" for each in FINDINGS)
    return "\n".join(("| finding | what happened |", "| --- | --- |", *rows))


def _page(finding: type[Finding]) -> str:
    """One page: its sections, and what its parameters mean."""
    said = finding.sections()
    parts = [f"# {finding.name}: {finding.meaning()}"]
    for heading in HEADINGS:
        parts += [f"## {heading}", linked(said[heading], heading == "See also")]
    rows = (f"| `{name}` | {meaning.removesuffix('.')} |" for name, meaning in finding.attributes().items())
    parts += ["## In the JSON", "\n".join(("| parameter | what it is |", "| --- | --- |", *rows))]
    return "\n\n".join(parts) + "\n"
