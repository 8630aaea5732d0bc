"""The pages of the book: links lead somewhere, lessons have their form, and text uses what its cells say."""

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
DOCS = HOUSE / "docs"
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


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_every_page_is_in_the_contents(path):
    contents = [path.with_suffix("").relative_to(DOCS).as_posix() for path in listed(DOCS / "index.md")]
    assert name(path) == "index.md" or name(path).removesuffix(".md") in contents


def listed(page):
    """The pages of a page's toctrees, and of theirs."""
    for block in re.findall(
        r"^`{3,}\{toctree\}\n(.*?)^`{3,}$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        for line in block.splitlines():
            if line and not line.startswith(":"):
                found = (page.parent / f"{line.split('<')[-1].rstrip('>')}.md").resolve()
                assert found.exists(), f"{name(page)} lists {line}"
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
    text = path.read_text(encoding="utf-8")
    said, all_are_known = names_said("\n".join(strip_options(found["code"]) for found in CELL.finditer(text)))
    outside = CELL.sub("", text)
    used = set(re.findall(r"\{glue(?::\w*)?\}`([^`:]+)", outside))
    used |= set(re.findall(r"^[`:]{3,}\{glue(?::\w*)?\} *(\S+)$", outside, re.MULTILINE))
    assert said - used == set(), "said and not used"
    assert not all_are_known or used - said == set(), "used and not said"


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
