"""The sentences of a ladder: what each rung removes, what that changes, and what is left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, cast

from samestep.experiment import differences
from samestep.experiment.frameworks import LABELS
from samestep.experiment.plan import FRAMEWORKS, Plan
from samestep.experiment.schedules.text import to_short

from ..show.result import aligned
from ..words import counted, listed, number, setting, share
from .advice import Advice
from .ladder import Gap, Ladder, Rung
from .variants import DEFAULT_EPSILON, EPSILONS, Control

Verdict = Literal["rounding", "unexplained"]

_SHARED: dict[Control, str] = {
    "data": "Both train on the same rows; before, each drew its own.",
    "weights": (
        "Both start from the same weights, Glorot uniform with biases of 0; before, Keras drew its own such weights, "
        "and PyTorch weights and biases uniform within 1/sqrt(inputs) of 0."
    ),
    "order": "Both see the rows in the same order in each epoch; before, each shuffled on its own.",
    "masks": "Dropout drops the same units in both at each update; before, each drew its own.",
}

_MEANINGS: dict[differences.Name, str] = {
    "epsilon placement": (
        "Epsilon keeps the division by the root of the squared gradients from growing without bound; the place where "
        "it is added decides how much it weighs against small gradients."
    ),
    "beta powers in float32": (
        "The averages of the gradients begin at 0, and powers of the betas correct for that; the powers are rounded "
        "differently."
    ),
    "beta_2 in float32": (
        "The average of the squared gradients decays at each update by a factor near 1; what float32 rounds off that "
        "factor adds up over all the updates that the average remembers."
    ),
    "rate in the velocity": (
        "Momentum carries earlier gradients along; once the rate changes, it matters whether they carry the rate of "
        "their own update or take the present one."
    ),
    "weight decay in one factor": "Each weight shrinks a little at each update, and that is rounded in another place.",
    "constants in float32": "A constant such as 0.9 is not a float32 number, so float32 rounds it to another one.",
    "rates in float32": "The learning rate itself is rounded differently.",
}


def verdict(ladder: Ladder) -> Verdict:
    """What the residual is."""
    return "rounding" if ladder.is_explained else "unexplained"


def verdict_sentence(ladder: Ladder) -> str:
    """Whether the gap is explained, with its size before and after."""
    first, left = ladder.rungs[0].gap.max_relative, ladder.residual.max_relative
    taken = counted(len(ladder.rungs) - 1, "difference")
    if first <= ladder.bound and ladder.is_explained:
        return (
            "There is no gap to explain: with everything native the batch losses of Keras and PyTorch differ by at "
            f"most {number(first)} relative, which is rounding."
        )
    gap = f"With everything native the batch losses of Keras and PyTorch differ by up to {number(first)} relative"
    if ladder.is_explained:
        return f"The gap is explained. {gap}; with {taken} removed {number(left)} is left, which is rounding."
    return f"The gap is not explained. {gap}; with {taken} removed {number(left)} is left, more than rounding makes."


def rung_sentence(ladder: Ladder, rung: Rung) -> str:
    """What was taken away, what it means and what it did, for somebody who meets it for the first time."""
    if rung.alone is None:
        return _native(ladder, rung)
    before = next(before for before, each in pairwise(ladder.rungs) if each is rung)
    return f"{_taken_away(ladder, rung)} {_effect(before, rung, ladder.bound)} {_alone(ladder, rung.alone)}"


def residual_sentence(ladder: Ladder) -> str:
    """What is left at the top: rounding, or something that no rung explains."""
    left = number(ladder.residual.max_relative)
    if ladder.is_explained:
        size = "the losses are the same to the bit" if not ladder.residual.max_relative else f"at most {left} relative"
        return (
            f"Nothing is left but rounding: {size}, where sums taken in another order make up to {number(ladder.bound)}"
            f" in {ladder.experiment.plan.precision}."
        )
    times = number(ladder.residual.max_relative / ladder.bound)
    said = (
        f"{left} relative is left that none of these explains: {times} times the {number(ladder.bound)} that rounding "
        f"makes in {ladder.experiment.plan.precision}. {_where_it_begins(ladder)}"
    )
    if ladder.reduction is not None:
        said += f" {_of_frameworks(ladder.reduction.sentence)}"
    unequal = _unequal_settings(ladder)
    return f"{said} The two plans are not the same: look at {listed(unequal)}." if unequal else said


def _of_frameworks(sentence: str) -> str:
    """A sentence on the losses of a and b, as one on Keras and PyTorch."""
    names = dict(zip("ab", (f"{LABELS[each]}'s".replace("s's", "s'") for each in FRAMEWORKS), strict=True))
    return re.sub(r"\b([ab])'s", lambda found: names[found[1]], sentence)


def trained(plan: Plan) -> str:
    """What one framework, or both, trained."""
    (arm,) = plan.arms
    return f"Arm {arm.name}: {to_short(arm.schedule)}, looked up once per {arm.stepping}. {setting(plan)}"


def until_sentence(ladder: Ladder) -> str | None:
    """Where the ladder ends; None if it covers the whole run."""
    if ladder.until >= ladder.updates:
        return None
    return (
        f"The ladder ends at step {ladder.until:,}: there a training diverged, and its loss is not finite. All gaps "
        f"cover the {counted(ladder.until, 'update')} before it."
    )


def lines(ladder: Ladder, advice: Sequence[Advice]) -> Iterator[tuple[str, str]]:
    """What a terminal shows: a row for each rung, what is left, and what to write."""
    rows = [("taken away", "gap left", "at the end", "of all", "of the rest", "alone")]
    for rung in ladder.rungs:
        left = number(rung.gap.max_relative), number(rung.gap.final_relative)
        if rung.alone is None:
            rows.append(("(all native)", *left, "", "", ""))
        else:
            rows.append((rung.name, *left, share(rung.explains), share(rung.removes), number(rung.alone.max_relative)))
    yield from (("|", row) for row in aligned(rows))
    yield from (("", text) for text in (until_sentence(ladder), residual_sentence(ladder)) if text)
    for each in advice:
        yield "", ""
        yield "", f"{each.difference}: {each.sentence}"
        yield from (("|", f"    {line}") for line in each.code.splitlines())


def _native(ladder: Ladder, rung: Rung) -> str:
    own = {"data": "data", "weights": "initial weights", "order": "order of the rows", "masks": "dropout masks"}
    made = listed([own[each] for each in ladder.experiment.controls()])
    gap = rung.gap.max_relative
    apart = f"differ by up to {number(gap)} relative" if gap else "are all the same"
    return (
        f"Everything native: each framework makes its own {made} from the same seed, and its optimizer computes "
        f"in its own way. The batch losses {apart}."
    )


def _taken_away(ladder: Ladder, rung: Rung) -> str:
    if rung.kind == "control":
        return _SHARED[cast(Control, rung.name)]
    mended, other = LABELS[ladder.experiment.mended], LABELS[ladder.experiment.reference]
    if rung.name == DEFAULT_EPSILON:
        chosen = getattr(ladder.experiment.plan.optimizer, "epsilon", None)
        defaults = listed([f"{LABELS[each]} takes {EPSILONS[each]:g}" for each in FRAMEWORKS])
        return f"Where no epsilon is written, {defaults}. Here {mended} is given the plan's {chosen:g}, as {other} is."
    found = next(each for each in differences.of(ladder.experiment.plan) if each.name == rung.name)
    both = f"Keras: {found.keras}. PyTorch: {found.torch}."
    return f"{_MEANINGS[found.name]} {both} Here {mended} is made to do what {other} does."


def _effect(before: Rung, rung: Rung, bound: float) -> str:
    had, left = before.gap.max_relative, rung.gap.max_relative
    if had <= bound:
        now = "" if left <= bound else f" Without it the gap is {number(left)}."
        return f"Nothing was left to remove: {number(had)} is rounding already.{now}"
    if left >= had:
        now = f"{number(had)} before, {number(left)} after"
        return f"The gap does not shrink ({now}): what still differs makes as large a gap by itself."
    if not left:
        return f"The gap falls from {number(had)} to 0: all losses are the same."
    goes = share(rung.removes).replace("> ", "over ").replace("< ", "under ")
    return f"The gap falls from {number(had)} to {number(left)}: {goes} of it is gone."


def _alone(ladder: Ladder, alone: Gap) -> str:
    gap = number(alone.max_relative)
    made = f"{gap}: rounding" if alone.max_relative <= ladder.bound else f"a gap of {gap}"
    return f"As the only difference in an otherwise equal pair it makes {made}."


def _where_it_begins(ladder: Ladder) -> str:
    """Where the residual first passes the bound, and what that leaves to look at."""
    step = int((ladder.residual.curve > ladder.bound).argmax())
    if step == 0:
        return (
            "It is there at step 0, before any update, so that the runs already compute another loss: look for another "
            "activation, another loss or a mean over something else, other data or weights, layers in another order."
        )
    return (
        f"It first passes that at step {step:,}, and the losses before agree, so look at what an update does and at "
        "what came late: another optimizer or gradient, another mean over a short last batch, other data from there "
        "on, an activation or a loss that differs for some values only. A training that is unstable can also make "
        "rounding grow; a smaller rate then makes it go away."
    )


def _unequal_settings(ladder: Ladder) -> list[str]:
    """Keys of the two plans whose values differ, with both values."""
    keras, torch = (_flat(ladder.experiment.plans[each].model_dump(mode="json", by_alias=True)) for each in FRAMEWORKS)
    return [
        f"{key} ({keras.get(key, 'none')} in Keras, {torch.get(key, 'none')} in PyTorch)"
        for key in dict.fromkeys([*keras, *torch])
        if keras.get(key) != torch.get(key)
    ]


def _flat(value: object, name: str = "") -> dict[str, object]:
    """Nested values below dotted keys; a list of numbers or texts is one value."""
    if isinstance(value, dict):
        items = {f"{name}.{key}" if name else str(key): each for key, each in value.items()}
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        items = {f"{name}.{place}": each for place, each in enumerate(value)}
    else:
        return {name: value}
    return {key: found for each, inner in items.items() for key, found in _flat(inner, each).items()}
