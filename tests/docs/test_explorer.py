"""The schedule explorer of the book: its numbers are the closed form's, its code is the frameworks' own, and its page works."""

import random
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest

from samestep._compare.schedule.explain import explain
from samestep.experiment.clock import Clock, Duration
from samestep.experiment.schedules import ExponentialDecay
from samestep.experiment.validation import PlanError

DOCS = Path(__file__).parents[2] / "docs"
NEAR = 1e-12
"""Relative: two `pow` of float64 differ in their last bits."""
SMALLEST = 1e-300
"""Below it float64 has fewer bits: there the last of them decide how often a rate changes until it is 0."""


@dataclass(frozen=True)
class Setting:
    """What the explorer is set to."""

    samples: int = 1000
    batch: int = 32
    last: str = "keep"
    epochs: int = 50
    initial: float = 0.001
    factor: float = 0.95
    every: str = "25 steps"
    form: str = "staircase"
    stepping: str = "step"

    @property
    def texts(self) -> dict[str, str]:
        return {name: str(value) for name, value in vars(self).items()}

    @property
    def clock(self) -> Clock:
        return Clock(self.samples, self.batch, drop_last=self.last == "drop")

    @property
    def schedule(self) -> ExponentialDecay:
        every, staircase = Duration.parse(self.every), self.form == "staircase"
        return ExponentialDecay(initial=self.initial, factor=self.factor, every=every, staircase=staircase)

    def explained(self):
        return explain(self.schedule, clock=self.clock, stepping=self.stepping, epochs=self.epochs)

    def __str__(self) -> str:
        start = vars(Setting())
        return ",".join(f"{name}={value}" for name, value in vars(self).items() if value != start[name]) or "start"


FORMS = [(form, stepping) for form in ("staircase", "smooth") for stepping in ("step", "epoch")]
EDGES = [
    *(
        Setting(every=every, last=last, form=form, stepping=stepping)  # the last batch short or dropped
        for every in ("25 steps", "25 epochs")
        for last in ("keep", "drop")
        for form, stepping in FORMS
    ),
    *(
        Setting(
            every=every, form=form, stepping=stepping
        )  # no divisor, inside an epoch, parts of one, longer than the run
        for every in (
            "1 step",
            "7 steps",
            "31 steps",
            "32 steps",
            "33 steps",
            "45 steps",
            "64 steps",
            "1599 steps",
            "1600 steps",
            "1601 steps",
            "1 epoch",
            "0.5 epochs",
            "2.5 epochs",
            "49 epochs",
            "50 epochs",
            "60 epochs",
        )
        for form, stepping in FORMS
    ),
    *(
        Setting(factor=factor, every="3 epochs", form=form, stepping=stepping)
        for factor in (1.0, 1.05, 2.0, 10.0, 1e-5)
        for form, stepping in FORMS
    ),
    *(
        Setting(
            samples=samples, batch=batch, epochs=epochs, every="2 steps", form=form, stepping=stepping
        )  # one step an epoch, one step at all
        for samples, batch, epochs in ((5, 8, 7), (8, 8, 1), (9, 8, 1), (16, 8, 1))
        for form, stepping in FORMS
    ),
    *(
        Setting(initial=initial, factor=0.1234567890123456)
        for initial in (1.0, 1e-5, 2.5e-17, 123456.789, 1e16, 1e22, 3e38)
    ),
    Setting(factor=0.5, every="1 step"),  # 0 at the end, exactly
    Setting(factor=0.9, every="1 step", epochs=300),  # 0 at the end, through float64's last bits
    Setting(factor=0.125, every="1 step", form="smooth"),
    Setting(samples=100_000, batch=1, epochs=30, every="7 epochs", form="smooth"),
    Setting(samples=3_000_000, batch=1, epochs=1, every="999999 steps"),
    Setting(factor=1.0000001, every="3 epochs", form="smooth"),
    Setting(
        initial=0.12345678901234567, factor=0.98765432109876543, every="123456789 steps", form="smooth"
    ),  # long lines
    Setting(initial=0.12345678901234567, factor=0.98765432109876543, every="123456789012 steps", stepping="epoch"),
]
REFUSED = [
    Setting(factor=2.0, every="1 step"),  # grows past float32
    Setting(factor=10.0, every="1 epoch", form="smooth"),
    Setting(factor=10.0, every="1 epoch", stepping="epoch"),
    Setting(samples=10, batch=32, last="drop"),
    Setting(samples=1000, batch=32, last="drop", every="2.5 epochs"),
    Setting(every="0.1 epochs"),
    Setting(samples=1_000_000, batch=1, epochs=1000),
]


def drawn(number: int) -> list[Setting]:
    """Settings by chance, the same at each run; none that either side refuses."""
    chance = random.Random(20)
    found: list[Setting] = []
    while len(found) < number:
        samples, epochs = chance.choice([chance.randint(1, 40), chance.randint(1, 5000)]), chance.randint(1, 60)
        batch = chance.randint(1, samples + 3)
        per_epoch = -(-samples // batch)
        if per_epoch * epochs > 60_000:
            continue
        unit = chance.choice(["steps", "epochs"])
        count = chance.randint(1, chance.choice([3, 40, 2 * epochs if unit == "epochs" else per_epoch * epochs + 5]))
        setting = Setting(
            samples, batch, chance.choice(["keep", "drop"]), epochs, float(f"{10 ** chance.uniform(-6, 1):.{chance.randint(1, 17)}g}"),
            float(f"{chance.choice([chance.uniform(0.05, 1), chance.uniform(0.9, 1.1)]):.{chance.randint(1, 17)}g}"),
            f"{count} {unit}", *chance.choice(FORMS),
        )  # fmt: skip
        try:
            setting.explained()
        except ValueError:  # no update in an epoch, or past what float32 holds
            continue
        found.append(setting)
    return found


SETTINGS = EDGES + drawn(170)
ON_THE_PAGE = [*EDGES[:8], *EDGES[16:24], *SETTINGS[-6:]]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A page with nothing but the explorer, as the book's page has it."""
    (block,) = re.findall(r"```\{raw\} html\n(.*?)```", (DOCS / "explorer.md").read_text(encoding="utf-8"), re.DOTALL)
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    file = tmp_path_factory.mktemp("explorer") / "explorer.html"
    file.write_text(
        f"{head}<title>explorer</title><body>{block}</body>".replace("_static/", f"{DOCS.as_uri()}/_static/")
    )
    return file.as_uri()


def opened(browser, address, width=1000):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(address)
    return page


@pytest.fixture(scope="module")
def asked(browser, address):
    """One page that is asked for the numbers of many settings."""
    page = opened(browser, address)
    yield page
    assert page.complaints == []
    page.close()


@pytest.fixture
def page(browser, address):
    page = opened(browser, address)
    yield page
    assert page.complaints == []
    page.close()


COMPUTE = """([setting, at, changes]) => {
    const found = samestepExplorer.compute(setting);
    return found.errors ? found : {
        ...found, code: samestepExplorer.sources(found), rates: at.map(found.rate), at: changes.map(found.changeStep),
    };
}"""


def computed(page, setting, at=(), changes=()):
    return page.evaluate(COMPUTE, [setting.texts, [int(each) for each in at], list(changes)])


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_numbers_are_those_of_the_closed_form(asked, setting):
    explained, clock = setting.explained(), setting.clock
    steps, shown = explained.steps, explained.shown
    around = [change.place.step + by for change in shown for by in (-1, 0, 1)]
    at = np.unique([each for each in (0, 1, steps // 3, steps // 2, steps - 1, *around) if each < steps])
    # explain keeps the first changes and the last ones
    numbers = [
        *range(1, len(shown) // 2 + 1),
        *range(explained.changes - (len(shown) - len(shown) // 2) + 1, explained.changes + 1),
    ]
    found = computed(asked, setting, at, numbers)
    expected = setting.schedule.rate(clock.looked_up(at, setting.stepping), clock)
    np.testing.assert_allclose(np.array(found["rates"], dtype=float), expected, rtol=NEAR, atol=SMALLEST)
    assert found["finalRate"] == pytest.approx(explained.final_rate, rel=NEAR, abs=SMALLEST)
    assert (found["steps"], found["perEpoch"]) == (steps, clock.steps_per_epoch)
    first = explained.first_change
    if first is None:
        assert found["first"] is None
    else:
        place = {name: found["first"][name] for name in ("step", "epoch", "batch")}
        assert place == vars(first.place)
        assert found["first"]["rate"] == pytest.approx(first.lr, rel=NEAR)
    exact = explained.final_rate >= SMALLEST
    assert abs(found["changes"] - explained.changes) <= (0 if exact or setting.factor == 0.5 else 3)
    if exact:
        assert found["at"] == [change.place.step for change in shown]


def test_there_are_enough_settings():
    assert len(set(SETTINGS)) >= 250
    explained = [setting.explained() for setting in SETTINGS]
    assert sum(each.changes == 0 for each in explained) > 10
    assert sum(each.changes > 100 for each in explained) > 30
    assert {setting.last for setting in SETTINGS if setting.samples % setting.batch} == {"keep", "drop"}


@pytest.mark.parametrize("setting", REFUSED, ids=str)
def test_what_explain_refuses_is_refused(asked, setting):
    with pytest.raises((PlanError, ValueError)):
        setting.explained()
    assert len(computed(asked, setting)["errors"]) == 1


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize(("framework", "tab"), [("tensorflow", "keras"), ("torch", "torch")])
def test_code_is_what_the_framework_s_own_module_writes(askers, asked, framework, tab, setting):
    told = askers[framework](setting.schedule, setting.clock, setting.stepping, updates=0, source=True)
    assert computed(asked, setting)["code"][tab] == told["source"]


def set_fields(page, setting):
    """As a person does: typed, chosen, clicked."""
    count, unit = setting.every.split()
    for name in ("samples", "batch", "epochs", "initial", "factor"):
        page.get_by_label(
            {"batch": "batch size", "initial": "initial rate", "factor": "decay factor"}.get(name, name), exact=True
        ).fill(setting.texts[name])
    page.get_by_label("every", exact=True).fill(count)
    page.get_by_label("unit of every").select_option(unit if unit.endswith("s") else unit + "s")
    page.get_by_role("radio", name=setting.last, exact=True).check()
    page.get_by_role("radio", name=setting.form, exact=True).check()
    page.get_by_role("radio", name=f"per {setting.stepping}", exact=True).check()


CHANGES = re.compile(
    r"The rate changes for the first time at step ([\d,]+) \(epoch ([\d,]+), batch ([\d,]+)\), (once|([\d,]+) times) in the "
    r"([\d,]+) steps? of this run, and the final rate is (\S+)\."
)
STAYS = re.compile(
    r"The rate never changes in the ([\d,]+) steps? of this run: it is (\S+) from the first to the last\."
)


def number(text):
    return int(text.replace(",", ""))


def sentence(page):
    return page.locator(".change-sentence").inner_text()


def line(page):
    return page.locator("svg .line").get_attribute("d")


def place_of(page, selector, kind):
    """Where the axis of this kind has a place on the picture, read off its own labels."""
    labels = page.locator(f"svg text.{kind}").evaluate_all("all => all.map(e => [e.textContent, +e.getAttribute('x')])")
    (one, at), (other, there) = [(number(text), x) for text, x in (labels[0], labels[-1])]
    x = float(page.locator(selector).get_attribute("cx"))
    return one + (x - at) / (there - at) * (other - one)


@pytest.mark.parametrize("setting", ON_THE_PAGE, ids=str)
def test_the_page_says_and_draws_what_is_set(page, setting):
    set_fields(page, setting)
    explained = setting.explained()
    first, mark = explained.first_change, page.locator("svg .mark")
    if first is None:
        steps, rate = STAYS.fullmatch(sentence(page)).groups()
        assert (number(steps), rate) == (explained.steps, f"{explained.final_rate:.6g}")
        assert mark.count() == 0
    else:
        step, epoch, batch, once, times, steps, rate = CHANGES.fullmatch(sentence(page)).groups()
        assert [number(each) for each in (step, epoch, batch)] == list(vars(first.place).values())
        assert (1 if once == "once" else number(times)) == explained.changes
        assert (number(steps), rate) == (explained.steps, f"{explained.final_rate:.6g}")
        assert int(mark.get_attribute("data-step")) == first.place.step
        assert mark.locator("text").inner_html() == f"first change: step {first.place.step:,}"
        if page.locator("svg text.step").count() > 1:
            assert place_of(page, "svg .mark circle", "step") == pytest.approx(
                first.place.step, abs=explained.steps / 5e3
            )
        if page.locator("svg text.epoch").count() > 1:
            in_epochs = first.place.step / setting.clock.steps_per_epoch
            assert place_of(page, "svg .mark circle", "epoch") == pytest.approx(in_epochs, abs=setting.epochs / 5e3)
    code = computed(page, setting)["code"]
    for tab, name in (("Keras", "keras"), ("PyTorch", "torch")):
        page.get_by_role("tab", name=tab).click()
        panel = page.get_by_role("tabpanel")
        assert panel.count() == 1
        assert panel.text_content() == code[name]


def test_the_address_holds_the_setting(page, address):
    page.get_by_label("every", exact=True).fill("2.5")
    page.get_by_label("unit of every").select_option("epochs")
    page.get_by_role("radio", name="smooth").check()
    page.wait_for_url("**form=smooth*")
    assert "every=2.5+epochs" in page.url
    said, drawn = sentence(page), line(page)
    page.reload()
    assert page.get_by_label("every", exact=True).input_value() == "2.5"
    assert page.get_by_label("unit of every").input_value() == "epochs"
    assert (sentence(page), line(page)) == (said, drawn)


def test_an_address_is_shown_when_it_is_opened_and_when_it_changes(page, address):
    start = sentence(page)
    other = Setting(
        samples=600, batch=10, epochs=7, every="90 steps", form="smooth", stepping="epoch", last="drop", factor=1.5
    )
    page.goto(f"{address}#{urlencode(other.texts)}")
    page.wait_for_function("document.querySelector('#explorer-samples').value === '600'")
    assert number(CHANGES.fullmatch(sentence(page))[1]) == other.explained().first_change.place.step == 60
    page.evaluate("location.hash = 'samples=1000&batch=32&every=25+steps'")  # the rest is as at the start
    page.wait_for_function("document.querySelector('#explorer-samples').value === '1000'")
    assert sentence(page) == start


def test_links_of_the_book_s_page_are_settings(page):
    text = (DOCS / "explorer.md").read_text(encoding="utf-8")
    links = [unescape(each) for each in re.findall(r'<a href="(#[^"]*)">', text)]
    assert len(links) == 6
    for link in links:
        page.evaluate("link => location.hash = link", link)
        page.wait_for_function("link => location.hash === link", arg=link)
        assert page.locator(".said").all_inner_texts() == [""] * 9


BAD = [
    ("samples", "0", "Got '0'. Write a number from 1 to 1,000,000,000."),
    ("samples", "-5", "Got '-5'. Write a number from 1 to 1,000,000,000."),
    ("samples", "", "Empty. Write a number."),
    ("samples", "1e9", "The run has 1,562,500,000 steps. Write fewer epochs: 100,000,000 steps at most."),
    ("batch", "2.5", "Got '2.5'. Write a whole number."),
    ("batch", "1e99", "Got '1e99'. Write a number from 1 to 1,000,000,000."),
    ("epochs", "1e9", "Got '1e9'. Write a number from 1 to 1,000,000."),
    ("epochs", "9" * 40, f"Got '{'9' * 23}…'. Write a number from 1 to 1,000,000."),
    ("initial", "NaN", "Got 'NaN'. Write a number."),
    ("initial", "0", "Got '0'. Write a number from 1e-38 to 3e+38."),
    ("initial", "Infinity", "Got 'Infinity'. Write a number."),
    ("factor", "-0.95", "Got '-0.95'. Write a number from 1e-30 to 10."),
    ("factor", "11", "Got '11'. Write a number from 1e-30 to 10."),
    ("factor", "0,95", "Got '0,95'. Write a number."),
    ("factor", "10", "The rate grows past 3e+38, what float32 holds, at step 1,050. Write less, or train shorter."),
    ("every", "0", "Got '0'. Write at least '1 step'."),
    ("every", "-1", "Got '-1'. Write at least '1 step'."),
    ("every", "1e3", "Got '1e3'. Write a number like 25 or 2.5, with 9 decimals at most."),
    ("every", "2.5", "'2.5 steps' divides a step. Write a whole number of steps."),
    ("every", "x y", "Got 'x y steps'. Write a count with its unit, like '25 steps' or '25 epochs'."),
    ("every", "", "Empty. Write a number."),
    ("every", "<b>1</b>", "Got '<b>1</b>'. Write a number like 25 or 2.5, with 9 decimals at most."),
]


@pytest.mark.parametrize(("field", "text", "says"), BAD, ids=[f"{field}-{text[:9]}" for field, text, _ in BAD])
def test_bad_input_is_refused_and_the_picture_stays(page, field, text, says):
    said, drawn, code = sentence(page), line(page), page.get_by_role("tabpanel").text_content()
    box = page.locator(f"#explorer-{field}")
    box.fill(text)
    assert [each for each in page.locator(".said").all_inner_texts() if each] == [says]
    beside = "epochs" if says.startswith("The run has") else field  # what is too long is the run
    assert page.locator(f"#explorer-{beside}-said").inner_text() == says
    assert page.locator(f"#explorer-{beside}").get_attribute("aria-invalid") == "true"
    assert (sentence(page), line(page), page.get_by_role("tabpanel").text_content()) == (said, drawn, code)
    assert page.get_by_text("The picture shows the last setting that was accepted.").is_visible()
    box.fill(Setting().texts[field].split()[0])
    assert page.locator(".said").all_inner_texts() == [""] * 9
    assert page.locator("[aria-invalid=true]").count() == 0
    assert page.locator(".stale-sentence").is_hidden()


@pytest.mark.parametrize(
    ("fragment", "says"),
    [
        ("every=25", "Got '25'. Write a count with its unit, like '25 steps' or '25 epochs'."),
        ("last=maybe", "Got 'maybe'. Choose keep or drop."),
        (
            "samples=20&batch=32&last=drop",
            "Leaves no full batch in an epoch. Write at most 20, or keep the last short batch.",
        ),
        ("every=0.1+epochs", "'0.1 epochs' is 3.2 steps with 32 steps per epoch. Write a whole number of steps."),
        ("factor=%E0%A4%A", None),
    ],
)
def test_a_bad_address_is_refused_and_the_start_is_drawn(browser, address, fragment, says):
    page = opened(browser, f"{address}#{fragment}")
    (said,) = [each for each in page.locator(".said").all_inner_texts() if each]
    assert says is None or said == says
    assert "step 25 (epoch 0, batch 25), 63 times" in sentence(page)
    assert page.complaints == []
    page.close()


@pytest.mark.parametrize("name", ["samples", "batch", "epochs", "initial", "factor", "every"])
def test_a_slider_walks_by_keys_and_takes_its_field_along(page, name):
    slider, field = page.locator(f"#explorer-{name}-slider"), page.locator(f"#explorer-{name}")
    before, drawn = float(field.input_value()), page.locator("#explorer svg").inner_html()
    at = slider.input_value()
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert float(field.input_value()) > before
    assert slider.get_attribute("aria-valuetext").split()[0] == field.input_value()
    assert page.locator("#explorer svg").inner_html() != drawn
    page.keyboard.press("ArrowLeft")
    assert float(field.input_value()) == before
    page.keyboard.press("End")
    page.keyboard.press("Home")
    assert slider.input_value() == "0"
    field.fill(str(before))
    assert slider.input_value() == at  # and the slider follows the field


def test_tabs_are_walked_by_arrows(page):
    page.get_by_role("tab", name="Keras").focus()
    for key, shown in (("ArrowRight", "torch"), ("ArrowRight", "keras"), ("End", "torch"), ("Home", "keras")):
        page.keyboard.press(key)
        assert page.get_by_role("tabpanel").get_attribute("id") == f"explorer-{shown}"
        assert page.locator("[role=tab][aria-selected=true]").evaluate("e => e === document.activeElement")


def test_everything_has_a_name(page):
    for each in page.locator("#explorer input, #explorer select, #explorer button").all():
        named = each.evaluate(
            "e => e.ariaLabel || [...(e.labels ?? [])].map(l => l.textContent).join() || e.textContent"
        )
        assert named.strip()
    assert (
        page.get_by_role("img")
        .get_attribute("aria-label")
        .startswith("Learning rate against 1,600 steps in 50 epochs: from 0.001 to")
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "fragment", ["", "samples=1000000&epochs=1000&every=25+epochs&stepping=epoch", "factor=9&every=20+epochs"]
)
def test_it_fits_a_phone(browser, address, fragment, scheme):
    page = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.goto(f"{address}#{fragment}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    outside = page.evaluate(
        """() => [...document.querySelectorAll("#explorer, #explorer *")].filter(e => !e.closest("pre code"))
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < 0)
            .map(e => e.outerHTML)"""
    )
    assert outside == []
    clipped = page.evaluate(
        """() => { const box = document.querySelector("svg").getBoundingClientRect();
            return [...document.querySelectorAll("svg text")].filter(e => { const b = e.getBoundingClientRect();
                return b.left < box.left - 1 || b.right > box.right + 1 || b.top < box.top - 1 || b.bottom > box.bottom + 1; })
            .map(e => e.textContent) }"""
    )
    assert clipped == []
    overlapping = page.evaluate(
        """() => ["step", "epoch", "rate"].flatMap(kind => { const all = [...document.querySelectorAll("svg text." + kind)]
            .map(e => e.getBoundingClientRect()); return all.slice(1).filter((b, i) => kind === "rate"
                ? b.bottom > all[i].top + 2 : b.left < all[i].right + 2).map(() => kind) })"""
    )
    assert overlapping == []
    page.close()


@pytest.mark.parametrize(
    "setting", [Setting(1_000_000, 32, epochs=1000, form=form, stepping=stepping) for form, stepping in FORMS], ids=str
)
def test_a_long_run_is_drawn_at_once(page, setting):
    set_fields(page, setting)
    took = page.evaluate(
        """() => { const start = performance.now(); const field = document.querySelector("#explorer-samples");
            field.dispatchEvent(new Event("input", {bubbles: true})); return performance.now() - start; }"""
    )
    assert "31,250,000 steps" in sentence(page)
    assert len(line(page).split("L")) <= 2000
    assert took < 500  # milliseconds; about 10 where nothing else runs


def test_it_is_drawn_anew_when_the_window_changes(page):
    before = page.locator("#explorer svg").bounding_box()["width"]
    page.set_viewport_size({"width": 500, "height": 800})
    page.wait_for_function(
        "before => document.querySelector('#explorer svg').getBoundingClientRect().width < before - 300", arg=before
    )
