"""The files of a ladder: JSON, tables, figures and the report, of curves that are written down here."""

import csv
import json
import re

import numpy as np
import pytest
from attribution_helpers import ADVICE, EXPLAINED, FALLING, STEPS, gap, ladder, plan

from samestep._compare.attribution import figures
from samestep._compare.attribution import words as sentences
from samestep._compare.attribution.result import Attribution
from samestep._compare.attribution.variants import Experiment
from samestep._compare.show import folder as output
from samestep._compare.words import number
from samestep.experiment.plan import SGD, Momentum, Plan, RMSprop, question
from samestep.experiment.trace import json_text

KEYS = (
    "schema",
    "plan",
    "arm",
    "seed",
    "precision",
    "mended",
    "updates",
    "until",
    "bound",
    "rungs",
    "residual",
    "advice",
)
RUNG_KEYS = ("name", "kind", "max_relative", "final_relative", "explains", "removes", "alone", "sentence")


UNEXPLAINED = ladder([*FALLING[:-1], 3e-8])
EQUAL = ladder([0.0] * 9)
DIVERGED = ladder(FALLING, until=40)
LADDERS = {"explained": EXPLAINED, "unexplained": UNEXPLAINED, "equal": EQUAL, "diverged": DIVERGED}


@pytest.fixture(params=LADDERS)
def each(request):
    return LADDERS[request.param]


WRITTEN = {"explained": EXPLAINED, "equal-diverged": ladder([0.0] * 9, until=40)}


@pytest.fixture(scope="module", params=WRITTEN)
def written(request, tmp_path_factory):
    """A ladder, and the folder in which it is written; one that is unexplained is written below."""
    out = tmp_path_factory.mktemp("ladder") / "out"
    with output.folder(out, force=False) as beside:
        Attribution(WRITTEN[request.param], ADVICE).write(beside)
    return WRITTEN[request.param], out


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_json_says_what_the_ladder_says(each):
    told = json.loads(json_text(Attribution(each, ADVICE).to_json()), parse_constant=pytest.fail)
    assert tuple(told) == KEYS
    assert [told[key] for key in KEYS[:6]] == [1, "question", "staircase-steps", 0, "float64", "torch"]
    assert (told["updates"], told["until"], told["bound"]) == (STEPS, each.until, 1e-12)
    for rung, said in zip(each.rungs, told["rungs"], strict=True):
        assert tuple(said) == RUNG_KEYS
        assert (said["max_relative"], said["final_relative"]) == (rung.gap.max_relative, rung.gap.final_relative)
        assert said["sentence"] == sentences.rung_sentence(each, rung)
    assert told["rungs"][0]["alone"] is None
    assert told["rungs"][1]["alone"] == {
        key: getattr(each.rungs[1].alone, key) for key in ("max_relative", "final_relative")
    }
    assert told["residual"]["max_relative"] == told["rungs"][-1]["max_relative"]
    assert told["residual"]["verdict"] == ("unexplained" if each is UNEXPLAINED else "rounding")
    assert told["advice"][0] == vars(ADVICE[0])


def test_tables_keep_every_bit(written):
    each, folder = written
    header, *body = rows(folder / "attribution.csv")
    assert header == [
        "name", "kind", "max_relative", "final_relative", "explains", "removes", "alone_max_relative", "alone_final_relative",
    ]  # fmt: skip
    assert body[0][-2:] == ["", ""]
    for row, rung in zip(body, each.rungs, strict=True):
        assert row[:2] == [rung.name, rung.kind]
        assert [float(cell) for cell in row[2:6]] == [
            rung.gap.max_relative,
            rung.gap.final_relative,
            rung.explains,
            rung.removes,
        ]
    assert float(body[3][6]) == each.rungs[3].alone.max_relative
    header, *body = rows(folder / "gaps.csv")
    assert header == ["step", *(rung.name for rung in each.rungs)]
    assert [row[0] for row in body] == [str(step) for step in range(each.until)]
    for place, rung in enumerate(each.rungs, 1):
        np.testing.assert_array_equal([float(row[place]) for row in body], rung.gap.curve)


def test_folder_has_all_its_files_and_is_known_to_be_ours(written):
    each, out = written
    pictures = [f"figures/{name}.{kind}" for name in ("waterfall", "gaps") for kind in ("svg", "png")]
    names = [
        "attribution.json",
        "attribution.csv",
        "gaps.csv",
        "manifest.json",
        "plan.json",
        "report.html",
        "report.md",
    ]
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == sorted(
        names + pictures
    )
    assert Plan.load(out / "plan.json") == each.experiment.plan
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["plans"]) == {"tensorflow", "torch"}
    assert {"samestep", "numpy"} <= set(manifest["versions"])
    output.check(out, force=True)  # may be replaced


def test_two_plans_are_both_written_and_no_name_is_taken_for_markup(tmp_path):
    name = "<img src=x onerror=alert(1)>&\"'é漢"
    arm = plan().arms[0].model_copy(update={"name": name})  # past the plan's own check of names
    keras = plan().model_copy(update={"arms": (arm,), "name": "</title><script>"})
    torch = keras.model_copy(update={"network": keras.network.model_copy(update={"activation": "relu"})})
    told = ladder([*FALLING[:-1], 0.2], experiment=Experiment({"tensorflow": keras, "torch": torch}, "torch"))
    with output.folder(tmp_path / "out", force=False) as beside:
        Attribution(told, ()).write(beside)
    assert "look at network.activation (tanh in Keras, relu in PyTorch)." in sentences.residual_sentence(told)
    plans = [json.loads((tmp_path / "out" / f"plan-{each}.json").read_text()) for each in ("tensorflow", "torch")]
    assert [each["network"]["activation"] for each in plans] == ["tanh", "relu"]
    assert json.loads((tmp_path / "out" / "attribution.json").read_text())["arm"] == name
    output.check(tmp_path / "out", force=True)
    for report in ("report.html", "report.md"):
        text = (tmp_path / "out" / report).read_text(encoding="utf-8")
        assert "<img" not in text
        assert "<script" not in text
        assert "é漢" in text
        assert "tanh, dropout 0.2" in text
        assert "relu, dropout 0.2" in text
        assert "To reproduce" not in text
        assert re.search(
            r'class="warning" role="note">0.2 relative is left|^> 0.2 relative is left', text, re.MULTILINE
        )


def test_what_is_left_is_never_absorbed():
    said = sentences.residual_sentence(UNEXPLAINED)
    assert said.startswith("3e-08 relative is left that none of these explains: 3e+04 times the 1e-12 that rounding")
    assert "step 0, before any update" in said
    assert "another activation, another loss" in said
    assert sentences.verdict_sentence(UNEXPLAINED).startswith("The gap is not explained.")
    late = np.where(np.arange(STEPS) < 31, 1e-16, 1e-3)
    curves = [*(rung.gap for rung in UNEXPLAINED.rungs[:-1]), gap(late)]
    said = sentences.residual_sentence(ladder([0.8] * 9, curves=curves))
    assert "first passes that at step 31" in said
    assert "short last batch" in said
    assert sentences.residual_sentence(EXPLAINED) == (
        "Nothing is left but rounding: at most 1e-15 relative, where sums taken in another order make up to 1e-12 in float64."
    )


def test_a_residual_of_just_the_bound_is_rounding_and_more_is_not():
    assert sentences.verdict(ladder([*FALLING[:-1], 1e-12])) == "rounding"
    assert sentences.verdict(ladder([*FALLING[:-1], 1.01e-12])) == "unexplained"


def test_sentences_say_what_happened_to_the_gap():
    said = {rung.name: sentences.rung_sentence(EXPLAINED, rung) for rung in EXPLAINED.rungs}
    assert "data, initial weights, order of the rows and dropout masks" in said["native"]
    assert "does not shrink (0.8 before, 0.9 after)" in said["data"]
    assert (
        "from 0.9 to 0.7: 22.2 % of it is gone. As the only difference in an otherwise equal pair it makes a gap of 0.8."
        in said["weights"]
    )
    assert "from 0.6 to 1e-05: over 99.9 % of it is gone" in said["masks"]
    assert (
        "Keras takes 1e-07 and PyTorch takes 1e-08. Here PyTorch is given the plan's 1e-07, as Keras is"
        in said["default epsilon"]
    )
    assert (
        "(sqrt(v) + eps). PyTorch: lr / (1 - b1**t) * m / (sqrt(v) / sqrt(1 - b2**t) + eps)"
        in said["epsilon placement"]
    )
    assert all("Nothing was left to remove" not in each for each in said.values())
    equal = [sentences.rung_sentence(EQUAL, rung) for rung in EQUAL.rungs]
    assert "The batch losses are all the same" in equal[0]
    assert all("Nothing was left to remove: 0 is rounding already." in each for each in equal[1:])
    assert sentences.verdict_sentence(EQUAL).startswith("There is no gap to explain")
    gone = ladder([*FALLING[:-1], 0.0], alone=1e-14)
    last = sentences.rung_sentence(gone, gone.rungs[-1])
    assert "from 1e-07 to 0: all losses are the same." in last
    assert last.endswith("it makes 1e-14: rounding.")


@pytest.mark.parametrize("mended", ["torch", "tensorflow"])
@pytest.mark.parametrize(
    "optimizer",
    [SGD(), Momentum(momentum=0.9, nesterov=True), RMSprop(rho=0.9, epsilon=1e-6), question().optimizer],
    ids=lambda optimizer: optimizer.kind,
)
def test_every_difference_of_every_optimizer_has_its_sentence(optimizer, mended):
    chosen = plan(optimizer=optimizer, network=plan().network.model_copy(update={"dropout": 0.0}))
    experiment = Experiment({"tensorflow": chosen, "torch": chosen}, mended)
    count = 1 + len(experiment.controls()) + len(experiment.numerical())
    told = ladder(list(np.geomspace(0.5, 1e-14, count)), experiment=experiment)
    assert "masks" not in [rung.name for rung in told.rungs]
    assert "masks" not in sentences.rung_sentence(told, told.rungs[0])
    for rung in told.rungs[1:]:
        said = sentences.rung_sentence(told, rung)
        assert "None" not in said
        if rung.kind == "numerical":
            assert f"Here {'PyTorch' if mended == 'torch' else 'Keras'} is" in said


def test_diverged_ladder_says_from_where_on_it_is_silent():
    assert sentences.until_sentence(EXPLAINED) is None
    said = sentences.until_sentence(DIVERGED)
    assert said.startswith("The ladder ends at step 40")
    assert "the 40 updates before it" in said


def drawn(line):
    return np.isfinite(np.asarray(line.get_ydata(), dtype=float)).sum()


def test_waterfall_shows_each_gap_where_it_is(each):
    (axes,) = figures.waterfall(each).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [*(rung.name for rung in each.rungs), f"residual: {sentences.verdict(each)}"]
    low, high = axes.get_xlim()
    assert axes.get_xscale() == "log"
    assert low < each.bound < high
    sizes = [max(rung.gap.max_relative, low) for rung in each.rungs]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    expected = [(min(pair), max(pair)) for pair in zip([low, *sizes], sizes, strict=False)]
    np.testing.assert_allclose(ends, [*expected, (low, sizes[-1])], rtol=1e-12)
    (alone,) = [line for line in axes.lines if line.get_label() == "as the only difference"]
    assert list(alone.get_ydata()) == list(range(1, len(each.rungs)))
    written = [text.get_text() for text in axes.texts]
    gaps = [*(rung.gap.max_relative for rung in each.rungs), each.residual.max_relative]
    assert written == [*map(number, gaps), "left"]


def test_lines_leave_zeros_out_and_keep_a_lone_point():
    lone = np.zeros(STEPS)
    lone[50] = 1e-9
    curves = [*(rung.gap for rung in EXPLAINED.rungs[:-2]), gap(lone), gap(np.zeros(STEPS))]
    told = ladder([0.8] * 9, curves=curves)
    axes = figures.gaps(told).axes[0]
    assert axes.get_yscale() == "log"
    lines = {line.get_label(): line for line in axes.lines}
    assert drawn(lines["native"]) == STEPS
    assert drawn(lines[told.rungs[-2].name]) == 1
    assert drawn(lines["rates in float32 (0 throughout)"]) == 0
    marks = [line for line in axes.lines if line.get_marker() == "." and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in marks] == [[50]]


def test_lines_of_long_runs_are_thinned_to_their_peaks():
    curve = np.full(STEPS, 1e-9)
    long = np.tile(curve, 400)
    long[12_345] = 1e-3
    told = ladder([0.8] * 9, until=STEPS, curves=[gap(long)] * 9)
    (line, *_) = figures.gaps(told).axes[0].lines
    assert len(line.get_xdata()) <= 400
    assert np.nanmax(line.get_ydata()) == 1e-3


def test_pictures_of_every_ladder_can_be_drawn(each):
    shown = figures.gaps(each).axes[0]
    assert shown.get_xlim()[1] >= STEPS - 1
    assert (any(text.get_text() == "no difference at any step" for text in shown.texts)) == (each is EQUAL)
    assert any("diverged, step 40" in line.get_label() for line in shown.lines) == (each is DIVERGED)


def test_report_has_the_verdict_first_and_stands_by_itself(written):
    each, folder = written
    html = (folder / "report.html").read_text(encoding="utf-8")
    headings = re.findall(r"<h2>(.*?)</h2>", html)
    assert headings == [
        "Rung by rung", "To reproduce this Keras run in PyTorch", "The gap over the run", "What was trained", "Versions",
    ]  # fmt: skip
    assert html.index(sentences.verdict_sentence(each)) < html.index("<h2>")
    assert not re.search(r"<script|<img|<iframe|@import|url\((?!#)|src=|href=\"(?!data:|#)", html)
    assert len(set(re.findall(r' id="([^"]+)"', html))) == len(re.findall(r' id="([^"]+)"', html))
    assert html.count("<svg") == 2
    assert all(len(told) > 60 for told in re.findall(r"<title id=.*?>(.*?)</title>", html))
    assert "Pass &lt;Keras&#39;&gt; epsilon &amp; no other." in html
    assert "if 1 &lt; 2:\n    pass</code>" in html
    assert ('class="warning"' in html) == (each is not EXPLAINED)
    assert html.count("<pre>") == 1
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", markdown, re.MULTILINE) == headings
    for path in re.findall(r"\]\((figures/[^)]+)\)", markdown):
        assert (folder / path).is_file()
    for block in re.findall(r"```python\n(.*?)```", markdown, re.DOTALL):
        compile(block, "report.md", "exec")
    table = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(each.rungs)
    assert {line.count("|") for line in table} == {8}
