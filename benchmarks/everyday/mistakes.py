"""Mistakes as people make them: each a pair of runs, with every answer that is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.everyday.answers import Answer
from benchmarks.everyday.courses import (
    decayed_twice,
    epoch_repeated,
    never_stepped,
    remade,
    reset,
    resumed_longer,
    rises_again,
    skipped,
)
from benchmarks.everyday.numbers import (
    along_a_logarithm,
    cycles,
    factor,
    factor_and_period,
    floor_forgotten,
    floor_other,
    keras_factor,
    last_milestone,
    milestone,
    milestone_never_met,
    never_decays,
    pct_start,
    peak_with_floor,
    power,
    scale,
    step_size,
    total,
    warmup_length,
    warmup_missing,
    warmup_plus_one,
    warmup_start,
    wsd_decay,
)
from benchmarks.everyday.paces import (
    accumulated,
    column_begins_again,
    counts_from_one,
    keras_epochs,
    next_rate,
    off_by_epoch,
    per_epoch,
    processes,
    undivided,
)
from benchmarks.everyday.pairs import FLOOR, WARMUP, WITH_TOTAL, Pair, Undrawn, lowest_of, numbered, pair_of
from benchmarks.everyday.runs import Draws
from benchmarks.everyday.schedules import plateau


def plateaus(draws: Draws) -> Pair:
    """Two runs under ReduceLROnPlateau."""
    steps, epochs = draws.epochs(30)
    lr, factor_ = draws.of((0.1, 1e-3, 0.01)), draws.of((0.1, 0.5, 0.2))
    patience = int(draws.of((2, 3, 5)))
    both = [
        np.repeat(
            plateau(lr, factor_, patience, np.exp(-np.arange(epochs) / 8) + 0.05 * draws.random.random(epochs)), steps
        )
        for _ in "ab"
    ]
    return Pair("ReduceLROnPlateau", both[0], both[1], (), vague=True, steps_per_epoch=steps)


def other_kind(draws: Draws) -> Pair:
    """Two schedules of different kinds, with the same rate and length."""
    groups = [
        ["hf-linear", "hf-cosine", "hf-inverse-sqrt", "hf-wsd", "hf-constant-warmup"],
        ["StepLR", "CosineAnnealingLR", "ExponentialLR", "poly", "MultiStepLR"],
    ]
    group = draws.of(groups)
    one = draws.run(group)
    for _ in range(200):
        other = draws.run([kind for kind in group if kind != one.recipe.kind])
        if (other.updates, other.steps_per_epoch, other.per) == (one.updates, one.steps_per_epoch, one.per):
            break
    else:
        raise Undrawn
    other = other.but(
        lr=one.recipe["lr"],
        **({"warmup": one.recipe["warmup"]} if "warmup" in one.recipe and "warmup" in other.recipe else {}),
    )
    kinds = {one.recipe.kind, other.recipe.kind}
    # `ExponentialLR(gamma)` stepped per epoch is `StepLR(1, gamma)`: other numbers, but no other kind
    alike = {"hf-wsd", "hf-constant-warmup"} <= kinds or kinds == {"StepLR", "ExponentialLR"}
    if alike or (other.recipe.kind == "hf-inverse-sqrt" and not other.recipe["warmup"]):
        raise Undrawn
    more = [Answer("family")]
    if "hf-constant-warmup" in (one.recipe.kind, other.recipe.kind):
        more += [Answer(name) for name in ("never-falls", "tail", "floor")]
    return pair_of(one, other, *more)


def same(draws: Draws) -> Pair:
    """The same run, logged twice."""
    run = draws.run()
    return pair_of(run, run.rates(), verdicts=("same",))


def by_hand(draws: Draws) -> Pair:
    """What no cause names: rates that somebody turned down now and then, or noise."""
    run = draws.run()
    rates = run.rates().copy()
    if draws.chance(0.5):
        for at in sorted(draws.random.integers(run.updates // 10, run.updates, int(draws.of((3, 4, 5)))).tolist()):
            rates[at:] *= draws.of((0.5, 0.3, 0.7, 2.0))
    else:
        rates *= np.exp(0.05 * draws.random.standard_normal(len(rates)))
    return pair_of(run, rates, vague=True)


def scaled(draws: Draws) -> Pair:
    """Another rate, and one more mistake."""
    pair = draws.of((processes, warmup_missing, total, milestone, factor, per_epoch, reset, undivided, cycles))(draws)
    by = draws.of((10, 0.1, 2, 0.5))
    if not np.isclose(pair.a.max(), pair.b.max()):
        raise Undrawn
    peak = float(pair.a.max())
    answers = [Answer("scale", (("factor", by),), second=each) for each in pair.answers if each.second is None]
    answers += [replace(each, each_of=(((peak, peak * by),),)) for each in pair.answers if each.one_of]
    return replace(pair, b=pair.b * by, answers=tuple(answers), runs=None, each=(pair.b,))


def two_numbers(draws: Draws) -> Pair:
    """Two numbers of a schedule: the warm-up, the total, or the floor."""
    run = draws.run(["hf-linear", "hf-cosine", "hf-cosine-min-lr", "nanogpt-2023"])
    warm, length = WARMUP[run.recipe.kind], WITH_TOTAL[run.recipe.kind]
    x, count, lowest = int(run.recipe[warm]), int(run.recipe[length]), lowest_of(run)
    if not x:
        raise Undrawn
    y, other_count = draws.warmup(count, x), round(count * draws.of((2, 1.5, 0.8)))
    if max(x, y) > 0.4 * min(count, other_count):
        raise Undrawn
    changes = [((x, y), warm, y), ((count, other_count), length, other_count)]
    changes += [((lowest, 0.0), FLOOR[run.recipe.kind], 0.0)] if lowest else []
    left_out = int(draws.random.integers(len(changes))) if len(changes) > 2 else None
    chosen = [each for place, each in enumerate(changes) if place != left_out]
    other = run.but(**{name: value for _, name, value in chosen})
    decays = (int(run.recipe[length]) - x, int(other.recipe[length]) - int(other.recipe[warm]))
    groups = tuple((both, decays) if name == length else (both,) for both, name, _ in chosen)
    named = replace(numbered(*groups[0]), each_of=groups[1:], may=(decays, (count, int(other.recipe[length]))))
    each = tuple(run.but(**{name: value}).rates() for _, name, value in chosen)
    return replace(pair_of(run, other, named), each=each)


MISTAKES: dict[str, Callable[[Draws], Pair]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        total, warmup_missing, warmup_length, warmup_start, warmup_plus_one, along_a_logarithm, floor_forgotten,
        floor_other, peak_with_floor, scale, factor, keras_factor, step_size, factor_and_period, milestone,
        last_milestone, milestone_never_met, power, pct_start, cycles, wsd_decay, never_decays, per_epoch, keras_epochs,
        processes, accumulated, undivided, next_rate, off_by_epoch, counts_from_one, column_begins_again,
        resumed_longer, remade, epoch_repeated, reset, decayed_twice, skipped, never_stepped, rises_again, plateaus,
        other_kind, by_hand, same, scaled, two_numbers,
    )
}  # fmt: skip
"""By name. `same` has no mistake, `by-hand` and `plateaus` none that a cause names, `scaled` and `two-numbers` two."""
