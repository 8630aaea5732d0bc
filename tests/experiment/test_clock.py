import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samestep.experiment.clock import Clock, Duration

clocks = st.builds(Clock, samples=st.integers(1, 5000), batch_size=st.integers(1, 400), drop_last=st.just(False))


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("25 steps", 25, "steps"),
        ("1 step", 1, "steps"),
        ("25epochs", 25, "epochs"),
        (" 2.5 epochs ", Fraction(5, 2), "epochs"),
        ("0.1 epochs", Fraction(1, 10), "epochs"),
    ],
)
def test_duration_is_read_with_its_unit(text, count, unit):
    assert Duration.parse(text) == Duration(Fraction(count), unit)


@pytest.mark.parametrize("text", ["25 steps", "1 step", "1 epoch", "2.5 epochs", "0.000000001 epochs"])
def test_duration_is_written_as_it_was_read(text):
    assert str(Duration.parse(text)) == text


@given(st.integers(1, 10**12 - 1), st.integers(0, 10**9 - 1))
def test_duration_survives_text(whole, decimals):
    duration = Duration(Fraction(whole) + Fraction(decimals, 10**9), "epochs")
    assert Duration.parse(str(duration)) == duration


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("25", "'25' has no unit. Write '25 steps' or '25 epochs'."),
        (25, "'25' has no unit. Write '25 steps' or '25 epochs'."),
        (2.5, "'2.5' has no unit"),
        ("25 batches", "'25 batches' is not a duration"),
        ("steps", "'steps' is not a duration"),
        ("0 steps", "'0 steps' is not a positive duration"),
        ("-3 epochs", "'-3 epochs' is not a positive duration"),
        ("2.5 steps", "'2.5 steps' divides a step"),
        ("nan epochs", "'nan epochs' is not a duration"),
        ("９ steps", "'９ steps' is not a duration"),
        (True, "True is not a duration"),
        (None, "None is not a duration"),
        ("9" * 40 + " steps", "is not a duration"),
    ],
)
def test_wrong_duration_is_refused(text, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        Duration.parse(text)


def test_question_has_32_steps_per_epoch_and_a_last_batch_of_8():
    clock = Clock(samples=1000, batch_size=32)
    assert clock.steps_per_epoch == 32
    assert clock.batch_sizes.tolist() == [32] * 31 + [8]
    assert Clock(samples=1000, batch_size=32, drop_last=True).steps_per_epoch == 31


@given(st.integers(1, 5000), st.integers(1, 400), st.booleans())
def test_batches_cover_the_samples(samples, batch_size, drop_last):
    if drop_last and batch_size > samples:
        with pytest.raises(ValueError, match="no update"):
            Clock(samples, batch_size, drop_last)
        return
    clock = Clock(samples, batch_size, drop_last)
    sizes = clock.batch_sizes
    assert len(sizes) == clock.steps_per_epoch
    assert sizes.sum() == (samples - samples % batch_size if drop_last else samples)
    assert (sizes[:-1] == batch_size).all()
    assert 1 <= sizes[-1] <= batch_size


@given(clocks, st.integers(0, 10**6))
def test_epoch_and_batch_make_up_the_step(clock, step):
    epoch, batch = clock.epoch(step), clock.batch(step)
    assert epoch * clock.steps_per_epoch + batch == step
    assert 0 <= batch < clock.steps_per_epoch


@given(clocks, st.integers(0, 10**6))
def test_rate_is_looked_up_at_the_step_or_where_its_epoch_began(clock, step):
    assert clock.looked_up(step, "step") == step
    # DESIGN: t(n) = S * floor(n / S)
    assert clock.looked_up(step, "epoch") == clock.steps_per_epoch * (step // clock.steps_per_epoch)


def test_durations_become_steps():
    clock = Clock(samples=1000, batch_size=32)
    assert clock.steps(Duration.parse("25 epochs")) == 800
    assert clock.steps(Duration.parse("25 steps")) == 25
    assert clock.steps(Duration.parse("0.5 epochs")) == 16
    with pytest.raises(ValueError, match=r"'0\.3 epochs' is 9\.6 steps with 32 steps per epoch"):
        clock.steps(Duration.parse("0.3 epochs"))


def test_steps_are_arrays_of_int64():
    clock = Clock(samples=1000, batch_size=32)
    steps = np.array([[0, 31], [32, 1599]])
    assert clock.epoch(steps).tolist() == [[0, 0], [1, 49]]
    assert clock.batch(steps).dtype == np.int64
