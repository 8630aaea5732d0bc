"""The report in a browser: on a phone and on a desk, in light and dark, and on paper."""

import os
from pathlib import Path

import pytest

SIZES = {"phone": (360, 740), "desk": (1280, 900)}


def report(request):
    """The report that SAMESTEP_REPORT names, or that of a run made for the tests."""
    if named := os.environ.get("SAMESTEP_REPORT"):
        return Path(named).resolve(strict=True)
    return request.getfixturevalue("question_output").folder / "report.html"


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids="-".join)
def page(request, browser):
    size, scheme = request.param
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.complaints, page.requests = [], []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda asked: page.requests.append(asked.url))
    page.address = report(request).as_uri()
    page.goto(page.address)
    yield page
    page.close()


def test_nothing_is_complained_of_and_nothing_asked_of_anyone(page):
    assert page.complaints == []
    assert page.requests == [page.address]


def test_nothing_scrolls_sideways(page):
    too_wide = page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll("body *")]
            .filter(e => !e.closest("svg") && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display != "inline")
            .map(e => e.tagName + ": " + e.scrollWidth + " in " + e.clientWidth)"""
    )
    assert too_wide == []
    outside = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter(e => !e.closest("svg *"))
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName)"""
    )
    assert outside == []


def test_every_figure_is_seen(page):
    figures = page.locator("figure > svg")
    assert figures.count() == 4
    for number in range(4):
        figure = figures.nth(number)
        figure.scroll_into_view_if_needed()
        assert figure.is_visible()
        box = figure.bounding_box()
        assert box["width"] > 300
        assert box["height"] > 200
        drawn = figure.evaluate(
            "e => [...e.querySelectorAll('path')].filter(p => p.getBoundingClientRect().width > 0).length"
        )
        assert drawn > 10
        # text that a phone shrinks must still be readable
        smallest = figure.evaluate(
            "e => Math.min(...[...e.querySelectorAll('text')].map(t => t.getBoundingClientRect().height))"
        )
        assert smallest > 5


def luminance(colour):
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_stands_out_from_the_page(page):
    paper = luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    for selector in (".verdict", ".note", "h2", "td", "figcaption", "pre code", "figure svg"):
        ink = luminance(page.locator(selector).first.evaluate("e => getComputedStyle(e).color"))
        lighter, darker = max(ink, paper), min(ink, paper)
        assert (lighter + 0.05) / (darker + 0.05) > 4.5, selector  # WCAG 2, level AA


def test_paper_is_white(page):
    page.emulate_media(media="print", color_scheme="light")
    assert luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) == 1
    assert len(page.pdf()) > 10_000 if page.evaluate("innerWidth") == 1280 else True
