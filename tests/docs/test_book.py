"""The pages of the book: links lead somewhere, lessons have their form, and text uses what its cells say."""

import ast
import os
import re
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

HOUSE = Path(__file__).parents[2]
DOCS = HOUSE / "docs"
BOOK = os.environ.get("SAMESTEP_BOOK")
"""The folder of a book that was built: .ci/run names it, after `make docs`."""

PAGES = sorted(DOCS.rglob("*.md"))
LESSONS = [path for path in PAGES if path.parent.name == "lessons"]
SECTIONS = ["Predict", "Run", "See", "Explain", "Fix", "Try it yourself"]

CELL = re.compile(r"^(?P<fence>`{3,})\{code-cell\}.*?\n(?P<code>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE)
FENCED = re.compile(
    r"^(?P<fence>`{3,}|~{3,})(?!\{(?:glue|toctree|literalinclude)).*?^(?P=fence)$", re.DOTALL | re.MULTILINE
)


def name(path):
    return path.relative_to(DOCS).as_posix() if path.is_relative_to(DOCS) else path.name


def prose(path):
    """A page without its cells and its examples of code."""
    return FENCED.sub("", CELL.sub("", path.read_text(encoding="utf-8")))


def anchors(path):
    """What a heading of a page is linked by, as GitHub and MyST make it of its text."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.strip().lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("path", [HOUSE / "README.md", *PAGES], ids=name)
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        page = path.parent / target if target else path
        assert page.exists(), link
        if anchor and page.suffix == ".md":
            assert anchor in anchors(page), link


def test_every_page_is_in_the_contents():
    index = DOCS / "index.md"
    assert sorted(listed(index)) == sorted(set(PAGES) - {index})


def listed(page):
    """The pages of a page's toctrees, and of theirs."""
    for block in re.findall(
        r"^`{3,}\{toctree\}\n(.*?)^`{3,}$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        for line in block.splitlines():
            if line and not line.startswith(":"):
                lists = [each for each in page.parent.glob(f"{line.split('<')[-1].rstrip('>')}.md") if each != page]
                assert lists or line == "*", (
                    f"{name(page)} lists {line}"
                )  # of pages that the build makes there may be none
                for found in lists:
                    yield found
                    yield from listed(found)


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_every_lesson_has_its_sections_in_order(path):
    text = prose(path)
    assert re.findall(r"^# (\d+) · ", text, re.MULTILINE) == [str(int(path.name[:2]))]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert "{dropdown} Answers" in text.split("## Try it yourself")[1]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_text_uses_what_the_cells_say_and_cells_say_what_it_uses(path):
    text, elsewhere = path.read_text(encoding="utf-8"), set()
    code = "\n".join(strip_options(found["code"]) for found in CELL.finditer(text))
    said, all_are_known = names_said(code)
    for helper in path.parent.glob("*.py"):  # which says some of them for several pages
        if f"from {helper.stem} import *" in code and helper.stem != "book":
            names, known = names_said(helper.read_text(encoding="utf-8"))
            elsewhere |= names
            all_are_known &= known
    outside = CELL.sub("", text)
    used = set(re.findall(r"\{glue(?::\w*)?\}`([^`:]+)", outside))
    used |= set(re.findall(r"^[`:]{3,}\{glue(?::\w*)?\} *(\S+)$", outside, re.MULTILINE))
    assert said - used == set(), "said and not used"
    assert not all_are_known or used - said - elsewhere == set(), "used and not said"


def strip_options(code):
    """A cell's code without the lines that begin it with a colon."""
    return re.sub(r"\A(?::.*\n)*", "", code)


def names_said(code):
    """The names that `say` and `glue` make known, and whether these are all: ``say(**values)`` may say any."""
    names, all_are_known = set(), True
    for call in ast.walk(ast.parse(code)):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        if call.func.id == "glue":
            all_are_known &= isinstance(call.args[0], ast.Constant)
            names |= {call.args[0].value} if isinstance(call.args[0], ast.Constant) else set()
        if call.func.id == "say":
            names |= {each.arg for each in call.keywords if each.arg}
            for each in call.keywords:
                if each.arg is None:
                    keys = each.value.keys if isinstance(each.value, ast.Dict) else [None]
                    known = [key.value for key in keys if isinstance(key, ast.Constant)]
                    names |= set(known)
                    all_are_known &= len(known) == len(keys)
    return names, all_are_known


def test_names_said_are_found_however_they_are_said():
    assert names_said("say(a=1, b=2)\nglue('c', 3)") == ({"a", "b", "c"}, True)
    assert names_said("say(**{'a': 1})") == ({"a"}, True)
    assert names_said("say(a=1, **others)") == ({"a"}, False)


def test_programs_of_the_book_import_what_make_docs_installs():
    house = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = house["optional-dependencies"]
    installed = {re.split(r"[<>=]", each)[0] for name in ("tensorflow", "torch", "docs") for each in extras[name]}
    installed |= {re.split(r"[<>=]", each)[0] for each in house["dependencies"]}
    ours = {"samestep", "compare", "experiment", "tf_impl", "torch_impl"}
    for path in DOCS.rglob("code/*.py"):
        known = {*sys.stdlib_module_names, *installed, *ours, *(each.stem for each in path.parent.glob("*.py"))}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {each.split(".")[0] for each in names} <= known, path


@pytest.fixture
def building(tmp_path, monkeypatch):
    """`python -m docs` with one page of its own in the place of the book's."""
    pytest.importorskip("babel", reason="the book's packages are not installed")
    from docs import __main__ as building

    monkeypatch.setattr(building, "TRANSLATED", ("page",))
    monkeypatch.setattr(building, "GETTEXT", tmp_path)
    monkeypatch.setattr(building, "CATALOGUES", tmp_path / "zh")
    monkeypatch.chdir(tmp_path)
    return building


def template(folder, *messages):
    (folder / "page.pot").write_text("".join(f'msgid "{each}"\nmsgstr ""\n\n' for each in messages), encoding="utf-8")


def test_a_page_without_a_catalogue_is_asked_for(building, tmp_path):
    template(tmp_path, "One.")
    assert list(building.faults()) == ["zh/page.po: there is no such file"]


def test_a_catalogue_must_be_complete_and_keep_what_cells_say(building, tmp_path):
    template(tmp_path, "The first sentence of a page.", "At step {glue:text}`n:d`: [here](a.md).", "Three.")
    building.update()
    catalogue = tmp_path / "zh" / "page.po"
    assert [fault.split(": ")[1] for fault in building.faults()] == ["empty"] * 3

    chinese = iter(["第一句。", "在第 {glue:text}`n:d` 步：[这里](a.md)。", "三。"])
    empty = re.compile(r'^msgstr ""\n(?!")', re.MULTILINE)
    text = empty.sub(lambda _: f'msgstr "{next(chinese)}"\n', catalogue.read_text(encoding="utf-8"))
    catalogue.write_text(text, encoding="utf-8")
    assert list(building.faults()) == []
    building.update()
    assert catalogue.read_text(encoding="utf-8") == text

    catalogue.write_text(text.replace("`n:d` 步", "`m:d` 步"), encoding="utf-8")
    assert [fault.split(": ")[1].split(",")[0] for fault in building.faults()] == ["not the same on both sides"]
    catalogue.write_text(text, encoding="utf-8")

    template(tmp_path, "The first sentence of the page.", "At step {glue:text}`n:d`: [here](a.md).", "Four.")
    assert [fault.split(": ")[1].split(" ")[0] for fault in building.faults()] == ["lacks", "lacks"]
    building.update()
    assert [fault.split(": ")[1] for fault in building.faults()] == ["fuzzy", "empty"]
    assert "三。" not in catalogue.read_text(encoding="utf-8")  # what is no longer said is dropped


class Links(HTMLParser):
    """Where a page leads, and the names that can be led to in it."""

    def __init__(self, path):
        super().__init__()
        self.leads, self.names = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.names |= {given["id"]} if given.get("id") else set()
        self.leads += [given[key] for key in ("href", "src") if given.get(key)]


@pytest.mark.skipif(BOOK is None, reason="SAMESTEP_BOOK names no book that was built")
def test_links_of_the_built_book_lead_somewhere():
    pages = {path.resolve(): Links(path) for path in Path(BOOK).rglob("*.html")}
    assert len(pages) > 2 * len(PAGES)
    lost = []
    for path, page in pages.items():
        for lead in page.leads:
            if re.match(r"[a-z]+:|//", lead):
                continue
            target, _, anchor = unquote(lead).partition("#")
            found = (path.parent / target.partition("?")[0]).resolve() if target else path
            state = "=" in anchor  # what the explorer keeps of itself, and no place in a page
            if not found.exists() or (anchor and not state and found in pages and anchor not in pages[found].names):
                lost.append(f"{path.relative_to(Path(BOOK).resolve())}: {lead}")
    assert lost == []
