"""The report: what it must say, in which order, and that the page stands by itself."""

import re
from html.parser import HTMLParser

import pytest

from samestep.experiment.plan import question

SECTIONS = [
    "Why the rate fell in the first epoch",
    "The arms",
    "The rates",
    "The losses",
    "What was written and what was meant",
    "How the traces were controlled",
    "Versions",
]


@pytest.fixture(scope="module")
def html(question_output):
    return (question_output.folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def markdown(question_output):
    return (question_output.folder / "report.md").read_text(encoding="utf-8")


class Page(HTMLParser):
    """Tags as they are opened, whether each is closed, and the ids."""

    VOID = ("meta", "link", "br", "img", "hr")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.ids, self.links = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        self.links += [values[name] for name in ("href", "src", "xlink:href") if name in values]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_report_answers_in_order(request, kind):
    text = request.getfixturevalue(kind)
    headings = re.findall(r"<h2>(.*?)</h2>" if kind == "html" else r"^## (.*)$", text, re.MULTILINE)
    assert headings == SECTIONS


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_verdict_stands_first_and_the_way_out_is_code(request, kind):
    text = request.getfixturevalue(kind)
    said = text.index("Keras and PyTorch used the same learning rates in all 5 arms")
    assert said < text.index("Why the rate fell")
    assert "32 steps an epoch (31 full batches and one of 8)" in text
    assert "step 25 (epoch 0, batch 25), and 63 times in 50 epochs" in text
    assert "write decay_steps=800, that is 25 × 32" in text
    assert "decay_steps=800, decay_rate=0.95, staircase=True" in text
    assert "StepLR(optimizer, step_size=800, gamma=0.95)" in text


def test_advice_is_computed_from_the_plan(tmp_path, small):
    from helpers import run_plan

    output = run_plan(small, tmp_path)  # 28 rows in batches of 8: 4 steps an epoch, halved every 2 steps
    text = (output.folder / "report.md").read_text(encoding="utf-8")
    assert "28 samples in batches of 8 make 4 steps an epoch (3 full batches and one of 4)" in text
    assert "write decay_steps=8, that is 2 × 4" in text
    assert "StepLR(optimizer, step_size=8, gamma=0.5)" in text


def test_page_is_one_file_without_scripts(html):
    page = Page(html)
    assert page.open == []
    assert not {"script", "iframe", "object", "img"} & {tag for tag, _ in page.tags}
    assert not [name for _, values in page.tags for name in values if name.startswith("on")]
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", html)
    assert len(html.encode()) < 2_000_000


def test_page_has_no_id_twice_and_no_reference_to_nowhere(html):
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    wanted = {link[1:] for link in page.links if link.startswith("#")} | set(re.findall(r"url\(#([^)]+)\)", html))
    assert wanted <= set(page.ids)


def test_every_figure_is_told_in_words(html, markdown):
    page = Page(html)
    figures = [values for tag, values in page.tags if tag == "svg"]
    assert len(figures) == 4
    for values in figures:
        assert values["role"] == "img"
        told = re.search(rf'<title id="{values["aria-labelledby"]}">(.*?)</title>', html)
        assert len(told[1]) > 60
    pictures = re.findall(r"!\[(.+?)\]\((.+?)\)", markdown)
    assert [path for _, path in pictures] == [
        f"figures/{name}.svg" for name in ("rates", "losses", "loss-differences", "question")
    ]
    assert all(len(alt) > 60 for alt, _ in pictures)


def test_markdown_refers_to_files_that_are_there(question_output, markdown):
    for path in re.findall(r"\]\((figures/[^)]+)\)", markdown):
        assert (question_output.folder / path).read_text().startswith("<?xml")


def test_names_are_escaped_in_html_and_pictures_follow_the_page_s_ink(html):
    assert "currentColor" in html
    assert "#1f2328" not in html.split("</style>", 1)[1]


def test_code_in_the_report_is_valid_python(markdown):
    blocks = re.findall(r"```python\n(.*?)```", markdown, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        compile(block, "report.md", "exec")


def test_numbers_in_the_tables_are_those_of_the_summary(question_output, markdown):
    for arm in question_output.summary["arms"]:
        row = next(line for line in markdown.splitlines() if line.startswith(f"| {arm['arm']} | 0.001"))
        run = arm["frameworks"]["torch"]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[5] == str(run["changes"])
        assert cells[7] == f"{run['final_lr']:.6g}"
        assert cells[8:] == ["same", "same"]


def test_default_plan_is_the_one_that_is_described(markdown):
    plan = question()
    assert f"{plan.epochs} epochs, {plan.steps:,} steps in all" in markdown
