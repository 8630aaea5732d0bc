"""How figures look: lines are thinned without losing what they show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from samestep._compare.show import style
from samestep.experiment.clock import Clock
from samestep.experiment.frameworks import BY_NAME, BY_WORD, LABELS, LANGUAGES

values = st.lists(st.floats(0, 1), min_size=1, max_size=300).map(np.array)


@given(values, st.integers(2, 40))
def test_corners_are_few_and_keep_both_ends(rates, most):
    steps, kept = style.corners(np.arange(len(rates)), rates, most)
    assert len(steps) <= most
    assert (steps[0], steps[-1]) == (0, len(rates) - 1)
    assert (kept == rates[steps]).all()


def test_a_staircase_keeps_every_corner():
    rates = np.repeat([1.0, 0.5, 0.25], 1000)
    assert style.corners(np.arange(3000), rates)[0].tolist() == [0, 1000, 2000, 2999]


@given(values, st.integers(1, 40))
def test_bins_keep_the_largest(apart, most):
    steps, largest = style.largest_in_bins(np.arange(len(apart)), apart, most)
    assert len(steps) <= most
    assert largest.max() == apart.max()
    rows = style.rows_of_largest(apart, most)
    assert (apart[rows] == largest).all()


def test_what_is_not_known_hides_nothing():
    apart = np.array([np.nan, 2.0, np.nan, np.nan, 1.0])
    assert style.largest_in_bins(np.arange(5), apart, 2)[1].tolist() == [2.0, 1.0]
    assert style.rows_of_largest(apart, 2).tolist() == [1, 4]
    assert style.rows_of_largest(apart[:0]).tolist() == []


def test_no_two_of_many_lines_look_alike():
    assert len({str(style.line(place)) for place in range(36)}) == 36


@pytest.mark.parametrize("epochs", [1, 50, 70, 5000])
def test_epochs_are_never_a_grey_wall(epochs):
    axes = Figure().subplots()
    axes.plot([0, 32 * epochs], [0, 1])
    style.steps_axis(axes, Clock(1000, 32))
    lines = [line for line in axes.lines if line.get_alpha() == 0.16]
    assert 1 <= len(lines) <= 62
    assert all(line.get_xdata()[0] % 32 == 0 for line in lines)


def test_a_framework_is_named_in_one_place():
    assert list(BY_NAME) == ["tensorflow", "torch"]
    assert LABELS == {"tensorflow": "Keras", "torch": "PyTorch"}
    assert {word: each.label for word, each in BY_WORD.items()} == {
        "keras": "Keras", "tensorflow": "Keras", "torch": "PyTorch", "pytorch": "PyTorch",
    }  # fmt: skip
    assert LANGUAGES["lightning"] == "PyTorch"
    assert len({each.colour for each in BY_NAME.values()}) == len({str(each.line) for each in BY_NAME.values()}) == 2
