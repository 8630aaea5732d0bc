"""Steps that begin anew: read on where the rates go on, and only there."""

import numpy as np
import pytest

from samestep._compare.runs.going_on import going_on


def decay(n):
    return 0.1 * 0.97 ** np.asarray(n)


def stairs(n):
    return 0.1 * 0.5 ** (np.asarray(n) // 40)


def warm(n):
    return np.minimum(np.asarray(n) / 16, 1) * decay(n)


@pytest.mark.parametrize("rate", [decay, stairs, warm])
@pytest.mark.parametrize(("every", "first"), [(1, 0), (1, 1), (10, 0), (10, 9), (10, 10)])
def test_a_counter_that_begins_anew_is_read_on(rate, every, first):
    true = np.arange(first, 300, every)
    step = np.concatenate([true[true < 100], true[true >= 100] - 100, true[true >= 200] - 200][:2])
    read = going_on(step, rate(true))
    assert read.step.tolist() == true.tolist()
    assert "begin anew 1 time while the rates go on" in read.said[0]


def test_it_may_begin_anew_more_than_once():
    true = np.arange(300)
    read = going_on(true % 100, decay(true))
    assert read.step.tolist() == true.tolist()
    assert (
        "begin anew 2 times while the rates go on: the rows after that were read on, the first as step 100"
        in read.said[0]
    )


def test_rows_that_overlap_are_found_by_their_rates():
    step = np.concatenate([np.arange(100), np.arange(60)])
    true = np.concatenate([np.arange(100), np.arange(90, 150)])
    read = going_on(step, decay(true))
    assert read.step.tolist() == true.tolist()


@pytest.mark.parametrize("rate", [decay, warm])
def test_a_run_that_begins_anew_stays(rate):
    step = np.concatenate([np.arange(100), np.arange(60)])
    read = going_on(step, rate(step))
    assert (read.step.tolist(), read.said) == (step.tolist(), ())


def test_a_resume_from_a_checkpoint_stays():
    step = np.concatenate([np.arange(100), np.arange(80, 160)])
    read = going_on(step, decay(step))
    assert (read.step.tolist(), read.said) == (step.tolist(), ())


def test_another_run_in_one_file_stays():
    step = np.concatenate([np.arange(100), np.arange(100)])
    read = going_on(step, np.concatenate([decay(np.arange(100)), 0.05 * np.ones(100)]))
    assert (read.step.tolist(), read.said) == (step.tolist(), ())
