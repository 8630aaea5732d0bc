"""The gallery of mistakes and the tables of causes: the docstrings in `compare.causes`, with an example of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from samestep._compare.causes import CAUSES
from samestep._compare.causes.base import Cause
from samestep._compare.causes.counter import READINGS, Counter
from samestep._compare.causes.extra_decay import ExtraDecay
from samestep._compare.causes.factor import Factor
from samestep._compare.causes.family import Family
from samestep._compare.causes.floor import Floor
from samestep._compare.causes.gaps import Gaps
from samestep._compare.causes.identical import Identical
from samestep._compare.causes.length import Length
from samestep._compare.causes.never_falls import NeverFalls
from samestep._compare.causes.parameters import Parameters
from samestep._compare.causes.period import Period
from samestep._compare.causes.reset import Reset
from samestep._compare.causes.rounding import Rounding
from samestep._compare.causes.scale import Scale
from samestep._compare.causes.shift import Shift
from samestep._compare.causes.skipped import Skipped
from samestep._compare.causes.staircase import Staircase
from samestep._compare.causes.tail import Tail
from samestep._compare.causes.unexplained import Unexplained
from samestep._compare.causes.warmup import Warmup

HERE = Path(__file__).parent
CLOCK = "--samples 1000 --batch-size 32"


@dataclass(frozen=True)
class Example:
    """Two traces from real schedulers.

    cause : which `samestep compare` must name. a, b : what the traces are called in the picture; alt : the picture in
    words. pair : of `tests/data/pairs`; else the cause's own, from `code/`. options : of the command; exits : its code.
    first : the step of the first difference, where the page speaks of it. mark : a step to mark in its place.
    until, bottom : up to which step the picture goes, and the rate that it begins at.
    others : more recorded pairs with this cause, each with its options. shows : the functions of `code/` that the page
    shows. has_fix : whether there is code to write.
    """

    cause: Cause
    a: str
    b: str
    alt: str
    pair: str | None = None
    options: str = CLOCK
    exits: int = 1
    first: int | None = None
    mark: int | None = None
    until: int | None = None
    bottom: float = 0.0
    others: tuple[tuple[str, str], ...] = ()
    shows: tuple[str, ...] = ()
    has_fix: bool = True


BOTH = ("keras", "torch")
EXAMPLES: dict[type[Cause], Example] = {
    type(example.cause): example
    for example in (
        Example(
            Identical(),
            "Keras",
            "PyTorch",
            "Two learning rates against steps, on the very same stairs.",
            exits=0,
            shows=BOTH,
            has_fix=False,
        ),
        Example(
            Rounding(),
            "Keras",
            "PyTorch",
            "Two learning rates against 100,000 steps, on one falling curve.",
            pair="slow-decay",
            options="",
            exits=0,
            has_fix=False,
        ),
        Example(
            Counter(32, "steps-vs-epochs"),
            "counts epochs",
            "counts steps",
            "Two learning rates against steps. a stays level for half of the run and falls once. b falls from the "
            "first epoch on, in many small stairs, nearly to 0.",
            pair="question",
            first=25,
            others=(
                ("gradient-accumulation", "--samples 640 --batch-size 32"),
                ("unconverted-gamma", CLOCK),
                ("question", ""),
            ),
        ),
        Example(
            Shift(1),
            "used",
            "read after the batch",
            "Two learning rates against steps, both falling in one small stair. b's stair is one step to the left "
            "of a's.",
            pair="read-at-batch-end",
            exits=3,
            first=24,
            until=40,
            bottom=0.0009,
            others=(("boundary-against-milestone", "--a lr_timing=used --b lr_timing=used"),),
        ),
        Example(
            Staircase("a", 50),
            "PyTorch, StepLR",
            "Keras, smooth",
            "Two learning rates against steps. a goes down in stairs of 50 steps; b is a smooth curve that touches "
            "the left end of each stair and lies below it elsewhere.",
            first=1,
            shows=BOTH,
        ),
        Example(
            Scale(4.0),
            "Keras, one process",
            "PyTorch, four processes",
            "Two learning rates against steps. Both go down in stairs at the same steps; b is four times as high as "
            "a everywhere.",
            first=0,
            shows=BOTH,
        ),
        Example(
            Factor(factor_a=0.5, factor_b=0.1),
            "Keras",
            "PyTorch, gamma left out",
            "Two learning rates against steps. Both go down in stairs of the same width; a by a half each time, b "
            "by much more, so that it is near 0 after the second stair.",
            first=50,
            shows=BOTH,
        ),
        Example(
            Period(160, 120),
            "PyTorch",
            "Keras",
            "Two learning rates against steps, both half a cosine from 0.1 to 0. b reaches 0 after three quarters "
            "of the run and stays there; a reaches it at the end.",
            options="--samples 100 --batch-size 32",
            shows=BOTH,
        ),
        Example(
            Floor("a", 0.02),
            "Keras, with a floor",
            "PyTorch, without",
            "Two learning rates against steps, on one falling curve. From the marked step on a is level, and b goes "
            "on falling.",
            first=117,
            shows=BOTH,
        ),
        Example(
            Tail("a", 200),
            "Keras, CosineDecay",
            "PyTorch, CosineAnnealingLR",
            "Two learning rates against steps, on one half cosine down to 0. After its end a stays at 0, and b "
            "rises along the mirror image of the curve.",
            pair="cosine-past-the-end",
            options="--samples 640 --batch-size 32",
        ),
        Example(
            Warmup("a", 50, "delayed"),
            "with a warm-up",
            "without",
            "Two learning rates against steps. a rises in a straight line and then goes down in stairs; b goes down "
            "in the same stairs, earlier by the length of the rise.",
            pair="forgotten-warm-up-delays",
            others=(("forgotten-warm-up", CLOCK),),
        ),
        Example(
            Parameters((("last_rate", 0.02, 0.0),)),
            "PyTorch, eta_min=0.02",
            "PyTorch, eta_min left out",
            "Two learning rates against steps, both on half a cosine from 0.1. b ends at 0, a above it.",
            first=1,
            shows=("parameters", "without_eta_min"),
        ),
        Example(
            NeverFalls("a", 107),
            "PyTorch, milestones that are no whole numbers",
            "PyTorch, whole milestones",
            "Two learning rates against steps. b goes down in two stairs, the first at the marked step; a stays at the "
            "first rate to the end.",
            first=107,
            shows=("never_falls", "whole_milestones"),
        ),
        Example(
            Skipped("b", 3, 3),
            "float32",
            "mixed precision, three updates skipped",
            "Two learning rates against steps, on one half cosine from 0.1 to 0. b is a little later, in the end by "
            "three steps.",
            shows=("skipped", "mixed_precision"),
        ),
        Example(
            Reset("b", 160),
            "uninterrupted",
            "resumed",
            "Two learning rates against steps. Both go down in the same stairs; at the marked step b jumps back up "
            "to its first rate and goes down in the same stairs once more.",
            pair="resume-load-weights",
        ),
        Example(
            ExtraDecay("b", 150, 0.5),
            "uninterrupted",
            "resumed",
            "Two learning rates against steps. Both go down in the same stairs; from the marked step on b is half "
            "as high as a.",
            pair="resume-rebuilt-scheduler",
            first=150,
        ),
        Example(
            Gaps(0, 52, 0, 0, step=128, step_b=128),
            "all rows",
            "rows lost",
            "Two learning rates against steps, on the same stairs. The line of b has a hole after the marked step, "
            "and goes on where a is by then.",
            mark=128,
            shows=("killed_and_resumed",),
            has_fix=False,
        ),
        Example(
            Length(320, 310),
            "Keras",
            "PyTorch, drop_last",
            "Two learning rates against steps, on the same stairs. b ends at the marked step, shortly before a does.",
            mark=310,
            shows=BOTH,
            has_fix=False,
        ),
        Example(
            Family(
                "cosine",
                "linear",
                "cosine:initial=0.1,floor=0.0,over=320 steps,after=hold",
                "linear:initial=0.1,end=0.0,over=320 steps",
            ),
            "Keras, CosineDecay",
            "PyTorch, PolynomialLR",
            "Two learning rates against steps, from the same first rate to 0. a is an S-shaped curve, b a straight "
            "line; they cross in the middle.",
            shows=BOTH,
        ),
        Example(
            Unexplained(),
            "one seed",
            "another seed",
            "Two learning rates against steps. Both go down in stairs of irregular width, and differ in where the "
            "stairs are.",
            until=90,
            shows=("unexplained",),
            has_fix=False,
        ),
    )
}


def write(folder: Path = HERE) -> None:
    """Write a page for each cause, where it is not there already."""
    options = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    environment = Environment(loader=FileSystemLoader(HERE), undefined=StrictUndefined, **options)
    template = environment.get_template("page.md.j2")
    for cause in CAUSES:
        said = {heading: linked(text, heading == "See also") for heading, text in cause.sections().items()}
        page = template.render(cause=cause, example=EXAMPLES[cause], both=BOTH, said=said)
        path = folder / f"{cause.name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            path.write_text(page, encoding="utf-8")


def linked(text: str, causes: bool) -> str:
    """A text with links: to a lesson by its number, to a page by its name; to causes, where it names these."""
    text = re.sub(r"[Ll]esson (\d+)", lambda found: f"[{found[0]}](../lessons/{_lesson(found[1])})", text)
    text = re.sub(r"([Pp]age) `(\w+)`", r"\1 [\2](../\2.md)", text)
    return re.sub(r"`([a-z-]+)`(?=,)", r"[\1](\1.md)", text) if causes else text


def _lesson(number: str) -> str:
    return next((HERE.parent / "lessons").glob(f"{int(number):02}-*.md")).name


def meanings(folder: str) -> str:
    """Every cause with its meaning, as a table. folder : where the pages are."""
    return _table(("cause", "what it says"), ((_page(cause, folder), cause.meaning()) for cause in CAUSES))


def parameters() -> str:
    """What the parameters of each cause mean, as a table."""
    rows = (
        (f"`{cause.name}`", f"`{name}`", said.removesuffix("."))
        for cause in CAUSES
        for name, said in cause.attributes().items()
    )
    return _table(("cause", "parameter", "what it is"), rows)


def readings() -> str:
    """What a counter's readings mean, as a table."""
    return _table(("reading", "what it says"), ((f"`{name}`", said) for name, said in READINGS.items()))


def alike() -> str:
    """What can be the very same data, as a table."""
    rows = ((f"`{cause.name}`, `{other}`", when) for cause in CAUSES for other, when in cause.alike.items())
    return _table(("causes", "when"), rows)


def _page(cause: type[Cause], folder: str) -> str:
    return f"[`{cause.name}`]({folder}{cause.name}.md)"


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(_lines([headings, ("---",) * len(headings), *rows]))


def _lines(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    return (f"| {' | '.join(row)} |" for row in rows)
