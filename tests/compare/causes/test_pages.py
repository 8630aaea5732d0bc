"""The gallery of mistakes: one page for each cause that the code can name, all of one form, and named in the output."""

import re
from pathlib import Path

import pytest
from compare.diagnose.words import MEANINGS, READINGS, more, pages

from compare.diagnose.diagnosis import Cause

HOUSE = Path(__file__).parents[1]
GALLERY = HOUSE / "docs" / "mistakes"
SECTIONS = ["What you see", "What samestep says", "How it comes about", "The fix", "See also"]


def page(name):
    return (GALLERY / f"{name}.md").read_text(encoding="utf-8")


def test_there_is_exactly_one_page_for_each_cause():
    assert sorted(path.stem for path in GALLERY.glob("*.md")) == sorted([*MEANINGS, "index"])


def test_the_index_lists_every_cause_with_its_meaning():
    rows = re.findall(r"^\| \[([\w-]+)\]\(([\w-]+)\.md\) \| (.+) \|$", page("index"), re.MULTILINE)
    assert sorted((name, said) for name, _, said in rows) == sorted(MEANINGS.items())
    assert all(name == target for name, target, _ in rows)
    listed = re.search(r"```\{toctree\}\n:hidden:\n\n(.*?)\n```", page("index"), re.DOTALL).group(1)
    assert listed.split() == [name for name, _, _ in rows]


@pytest.mark.parametrize("cause", MEANINGS)
def test_a_page_asserts_its_own_cause_and_has_every_section(cause):
    text = page(cause)
    assert re.search(rf"^# {cause}: ", text, re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert re.findall(r"\bMistake\(\s*\"([\w-]+)\"", text) == [cause]


@pytest.mark.parametrize("reading", READINGS)
def test_the_readings_of_a_counter_are_told_on_its_page(reading):
    assert f"`{reading}`" in page("counter")


@pytest.mark.parametrize("cause", MEANINGS)
def test_the_output_names_a_page_that_is_there(cause):
    (named,) = pages(Cause(cause, {}, 0.0))
    assert (HOUSE / named).is_file()
    assert more(Cause(cause, {}, 0.0)) == f"More on this: {named}"


def test_two_causes_name_two_pages():
    both = Cause("warmup", {}, 0.0, Cause("scale", {}, 0.0))
    assert more(both) == "More on this: samestep why warmup scale"
    assert more(Cause("scale", {}, 0.0, Cause("scale", {}, 0.0))) == "More on this: samestep why scale"
