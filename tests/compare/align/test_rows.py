"""Lining up in linear time: what is seen to be in order, and that rows in any other order give the same table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_helpers import PLAN, made

from samestep._compare.align import rows as aligning
from samestep._compare.align.rows import ALIGNED_COLUMNS, DIFFERENCE_COLUMNS, AlignError, align, differences
from samestep._compare.align.steps import common_rows
from samestep._compare.rates import Rates
from samestep._compare.runs.run import Key, Run
from samestep.experiment.trace import Trace, run_rows, stack

SEEDS = PLAN.replace(seeds=(3, 1))


def traced(framework, plan, noise=0):
    draws = np.random.default_rng(noise)
    steps = np.arange(plan.steps)
    return Trace(
        stack(
            [
                run_rows(
                    framework, arm.name, seed, plan.clock, arm.rate(steps, plan.clock), draws.uniform(1, 2, plan.steps)
                )
                for seed in plan.seeds
                for arm in plan.arms
            ]
        ),
        {},
        {},
    )


def rows_of(trace, rows):
    return Trace({name: column[rows] for name, column in trace.steps.items()}, {}, {})


@pytest.fixture
def joins(monkeypatch):
    """How often rows were looked up by their keys."""
    counted = []
    index = aligning._index
    monkeypatch.setattr(aligning, "_index", lambda table: (counted.append(1), index(table))[1])
    return counted


def test_traces_of_a_plan_are_lined_up_without_a_join(joins):
    traces = {name: traced(name, SEEDS, noise) for noise, name in enumerate(("tensorflow", "torch"))}
    table = align(traces, SEEDS)
    assert not joins
    assert table.columns.tolist() == ALIGNED_COLUMNS
    assert table["seed"].tolist() == [seed for seed in (3, 1) for _ in range(2 * SEEDS.steps)]
    assert np.array_equal(table["loss_torch"], traces["torch"].steps["loss"])
    assert np.array_equal(table["epoch"], traces["torch"].steps["epoch"])
    assert np.array_equal(table["lr_closed_form"], traces["torch"].steps["lr"])


def test_rows_in_another_order_are_joined_to_the_same_table(joins):
    traces = {name: traced(name, SEEDS, noise) for noise, name in enumerate(("tensorflow", "torch"))}
    in_order = align(traces, SEEDS)
    shuffled = np.random.default_rng(0).permutation(len(in_order))
    assert not joins
    again = align(traces | {"torch": rows_of(traces["torch"], shuffled)}, SEEDS)
    assert joins
    pd.testing.assert_frame_equal(in_order, again)


@pytest.mark.parametrize("arm", [object, "U40", "U15"], ids=["objects", "wide text", "text of odd width"])
def test_text_of_any_kind_is_compared(joins, arm):
    torch = made("torch")
    torch = Trace({**torch.steps, "arm": torch.steps["arm"].astype(arm)}, {}, {})
    pd.testing.assert_frame_equal(
        align({"tensorflow": made("tensorflow"), "torch": torch}, PLAN),
        align({"tensorflow": made("tensorflow"), "torch": made("torch")}, PLAN),
    )
    assert not joins


def test_a_change_of_arm_or_seed_in_the_midst_of_a_run_is_seen():
    for name, value in (("arm", "other"), ("seed", 7)):
        torch = made("torch")
        column = torch.steps[name].copy()
        column[5] = value
        with pytest.raises(AlignError, match="The torch trace lacks arm 'constant', seed 0, step 5"):
            align(
                {"tensorflow": made("tensorflow"), "torch": Trace({**torch.steps, name: column}, {}, {})},
                PLAN,
            )


def test_differences_of_traces_in_one_order_are_not_joined_and_share_their_memory(joins):
    a, b = traced("torch", SEEDS, 1), traced("torch", SEEDS, 2)
    table = differences(a, b)
    assert not joins
    assert table.columns.tolist() == DIFFERENCE_COLUMNS
    assert np.shares_memory(table["loss_a"].to_numpy(), a.steps["loss"])
    assert np.array_equal(table["loss_absolute"], np.abs(a.steps["loss"] - b.steps["loss"]))
    assert table["arm"].tolist() == a.steps["arm"].tolist()


def merged(a, b):
    """What pandas makes of it."""
    tables = [pd.DataFrame(dict(each.steps))[["arm", "seed", "step", "lr", "loss"]] for each in (a, b)]
    both = tables[0].merge(tables[1], on=["arm", "seed", "step"], suffixes=("_a", "_b"))
    for name in ("lr", "loss"):
        both[f"{name}_absolute"] = (both[f"{name}_a"] - both[f"{name}_b"]).abs()
    return both[DIFFERENCE_COLUMNS]


some_rows = st.lists(st.integers(0, 4 * SEEDS.steps - 1), unique=True, min_size=1)


@given(some_rows, some_rows)
def test_differences_are_those_of_a_merge(rows_a, rows_b):
    a, b = rows_of(traced("torch", SEEDS, 1), rows_a), rows_of(traced("torch", SEEDS, 2), rows_b)
    table = differences(a, b)
    pd.testing.assert_frame_equal(table.assign(arm=table["arm"].astype(object)), merged(a, b).astype({"arm": object}))


def test_differences_of_all_rows_are_those_of_a_merge():
    a, b = traced("torch", SEEDS, 1), traced("torch", SEEDS, 2)
    table = differences(a, b)
    pd.testing.assert_frame_equal(table.assign(arm=table["arm"].astype(object)), merged(a, b).astype({"arm": object}))


def test_differences_refuse_repeated_rows():
    with pytest.raises(AlignError, match="The trace b has more than once arm 'constant', seed 0, step 4"):
        differences(made("torch"), rows_of(made("torch"), [4, 5, 4]))


rising = st.sets(st.integers(0, 60), min_size=1).map(sorted)
gapless = st.builds(lambda first, length: list(range(first, first + length)), st.integers(0, 40), st.integers(1, 40))


@given(st.one_of(rising, gapless), st.one_of(rising, gapless))
def test_common_rows_are_those_of_an_intersection(steps_a, steps_b):
    a, b = (
        Run(Key("torch", "arm", 0), Rates.of(steps, np.ones(len(steps))), *3 * [np.zeros(len(steps))])
        for steps in (steps_a, steps_b)
    )
    rows_a, rows_b = common_rows(a, b)
    _, expected_a, expected_b = np.intersect1d(steps_a, steps_b, return_indices=True)
    assert rows_a.tolist() == expected_a.tolist()
    assert rows_b.tolist() == expected_b.tolist()
