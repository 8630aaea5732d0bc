"""The cause `shift`: a log may hold the next rates; a schedule has no log."""

from cause_helpers import rates, scene

from samestep._compare.causes.reset import Reset
from samestep._compare.causes.scale import Scale
from samestep._compare.causes.shift import Shift
from samestep._compare.causes.warmup import Warmup


def test_a_schedule_has_no_log_that_could_be_wrong():
    assert "b's log holds the next rate" in Shift(1).sentence(scene(frameworks=("", "torch")))
    said = Shift(1).sentence(scene(frameworks=("", "schedule")))
    assert "So a is late" in said
    assert "b's log" not in said


def test_only_a_single_step_may_be_a_convention():
    run = rates("constant:initial=0.1", 3)
    ahead = [shift.one_ahead(run, run, 8) for shift in (Shift(1), Shift(-1), Shift(2), Shift(1, second=Scale(2.0)))]
    assert ahead == ["b", "a", None, None]


def test_a_beginning_again_of_no_more_steps_takes_it_back():
    others = (Reset("b", 60), Reset("b", 61), Warmup("b", 60, "delayed"), Scale(2.0))
    assert [Shift(-20).undone_by(other) for other in others] == [True, False, True, False]
