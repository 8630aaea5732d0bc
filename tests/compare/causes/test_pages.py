"""The gallery of mistakes: a page for each cause, all of one form, whose links lead somewhere."""

import re
import sys
from pathlib import Path

import pytest

from samestep._compare.causes import CAUSES

DOCS = Path(__file__).parents[3] / "docs"
SECTIONS = ["What you see", "What samestep says", "How it comes about", "The fix", "See also"]
every_cause = pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)


@pytest.fixture(scope="module")
def pages():
    sys.path.insert(0, str(DOCS))
    from mistakes import pages

    yield pages
    sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def folder(pages, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    pages.write(folder)
    return folder


def test_every_cause_has_an_example(pages):
    assert set(pages.EXAMPLES) == set(CAUSES)


@every_cause
def test_its_page_makes_its_own_example_and_has_every_section(folder, cause):
    text = (folder / f"{cause.name}.md").read_text(encoding="utf-8")
    assert re.findall(r"^# (.+)$", text, re.MULTILINE) == [f"{cause.name}: {cause.meaning()}"]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert re.findall(r"Mistake\(\"([\w-]+)\"\)", text) == [cause.name]
    for name in re.findall(r":pyobject: (\w+)", text):
        assert re.search(rf"^def {name}\(", "".join(path.read_text() for path in DOCS.glob("mistakes/code/*.py")), re.M)


@every_cause
def test_links_of_its_page_lead_somewhere(folder, cause):
    links = re.findall(r"\]\(([^)]+)\)", (folder / f"{cause.name}.md").read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (folder / link).exists() or (DOCS / "mistakes" / link).exists(), link


def test_tables_have_every_cause(pages):
    assert all(f"[`{cause.name}`](mistakes/{cause.name}.md)" in pages.meanings("mistakes/") for cause in CAUSES)
    assert pages.alike().count("\n") == sum(len(cause.alike) for cause in CAUSES) + 1
