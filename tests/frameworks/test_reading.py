"""Native schedules that a user made become vocabulary schedules with the same rates: all that either framework has."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import samestep

from samestep._compare.tolerance import rate_tolerance
from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import from_json

PROGRAMS = Path(__file__).parents[1] / "programs"
CLOCK = Clock(samples=100, batch_size=8)

# what no vocabulary schedule becomes: a function is asked instead, and what depends on losses is no schedule
ONLY_ASKED = {"MultiplicativeLR"}
REFUSED = {"ReduceLROnPlateau"}
UNREADABLE = {
    "StepLR of a subclass that differs": "Floored does not give what its values say: at call 7 its rate is 0.02",
    "StepLR of a rate of 0": "StepLR has a rate of 0 throughout: it shows no schedule.",
    "ConstantLR from 0": "ConstantLR raises ZeroDivisionError when it is stepped",
    "CyclicLR of a function": "CyclicLR has a scale_fn of its user's",
    "SequentialLR in SequentialLR, smooth first": "at call 0 its rate is 0.05, where 0.1 would be read. Record a run and compare it. With calls=N",
    "SequentialLR then SequentialLR": "PyTorch's SequentialLR cannot lead to another SequentialLR",
    "ChainedScheduler with a cosine and a decay": "ChainedScheduler does not give what its values say: at call 21",
    "ChainedScheduler with a cosine to a floor": "ChainedScheduler does not give what its values say: at call 1",
    "ChainedScheduler with restarts first": "sets the rate at each call, whatever the others did before",
    "ChainedScheduler with a function": "its rate comes from a function, which no state holds.",
    "CyclicLR of fractions": "step_size_up: got 7.5. samestep counts in whole numbers",
}


WRONG = {
    "tensorflow-class.json": (b'{"class_name": "CosineDecey", "config": {}}', "Did you mean CosineDecay?"),
    "tensorflow-newer.json": (
        b'{"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 1, "decay_steps": 2, "decay_rate": 0.5, "heat": 1}}',
        "ExponentialDecay has no 'heat' in Keras",
    ),
    "tensorflow-hole.json": (
        b'{"class_name": "ExponentialDecay", "config": {}}',
        "the config of ExponentialDecay has no 'initial_learning_rate'.",
    ),
    "tensorflow-fraction.json": (
        b'{"class_name": "CosineDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 2.5}}',
        "decay_steps: got 2.5. samestep counts in whole numbers from 1 to 2**40; write one.",
    ),
    "tensorflow-text.json": (
        b'{"class_name": "CosineDecay"}',
        "Write what keras.optimizers.schedules.serialize gives.",
    ),
    "tensorflow-order.json": (
        b'{"class_name": "PiecewiseConstantDecay", "config": {"boundaries": [9, 3], "values": [1.0, 0.5, 0.1]}}',
        "boundaries: '4 steps' comes after '10 steps'. Write them in rising order.",
    ),
    "tensorflow-null.json": (
        b'{"class_name": "ExponentialDecay", "config": {"initial_learning_rate": null, "decay_steps": 2, "decay_rate": 0.5}}',
        "initial_learning_rate: got 'None'. Write a number.",
    ),
    "tensorflow-range.json": (
        b'{"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 1e10}}',
        "ExponentialDecay: factor: got 10000000000.0. Write a number of at most 1000000000.",
    ),
    "tensorflow-endless.json": (
        b'{"class_name": "CosineDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": Infinity}}',
        "decay_steps: got 'inf'. Write a number.",
    ),
    "tensorflow-long.json": (
        b'{"class_name": "CosineDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 1000000000000000000000000000000}}',
        "decay_steps: got 1e+30. samestep counts in whole numbers from 1 to 2**40; write one.",
    ),
    "torch-endless.json": (
        b'{"class": "StepLR", "last_epoch": 3, "base_lrs": [0.1], "step_size": Infinity, "gamma": 0.1}',
        "step_size: got 'inf'. Write a number.",
    ),
    "torch-no-rate.json": (
        b'{"class": "StepLR", "last_epoch": 3, "base_lrs": [], "step_size": 3, "gamma": 0.1}',
        "StepLR: initial: got nan. Write a number.",
    ),
    "torch-milestones.json": (
        b'{"class": "MultiStepLR", "last_epoch": 3, "base_lrs": [0.1], "milestones": {"a": 1}, "gamma": 0.1}',
        "milestones: got 'a'. Write whole numbers.",
    ),
    "torch-changed.json": (
        b'{"class": "StepLR", "last_epoch": 3, "base_lrs": [0.1], "step_size": 2, "gamma": 0.1, "_last_lr": [0.02]}',
        "its last rate is 0.02, and a scheduler of this state gives 0.01 at call 3: it was stepped in another way,",
    ),
    "torch-unnamed.json": (b'{"last_epoch": 3, "heat": 2}', "no scheduler of PyTorch has the keys last_epoch, heat."),
    "torch-class.json": (
        b'{"class": "FancyLR", "last_epoch": 3, "base_lrs": [0.1]}',
        "FancyLR is not a scheduler that samestep can read.",
    ),
    "torch-hole.json": (
        b'{"class": "StepLR", "last_epoch": 3, "base_lrs": [0.1]}',
        "StepLR: its state has no 'step_size'. Save scheduler.state_dict() whole.",
    ),
    "torch-nothing.json": (b'{"weights": 3}', "no state of a scheduler; it has weights."),
    "torch-list.json": (b"[1]", "got list. Write scheduler.state_dict()"),
    "torch-range.json": (
        b'{"class": "StepLR", "last_epoch": 3, "base_lrs": [0.1], "step_size": 0, "gamma": 0.1}',
        "step_size: got 0.",
    ),
    "torch-text.json": (
        b'{"class": "StepLR", "last_epoch": 3, "base_lrs": ["fast"], "step_size": 2, "gamma": 0.1}',
        "base_lrs: got 'fast'. Write a number.",
    ),
    "torch-garbage.pt": (b"\x80garbage", "another pickle could run code."),
    "torch-evil.pt": (pickle.dumps({"last_epoch": 0, "run": os.system}), "another pickle could run code."),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    (folder / "wrong").mkdir()
    for name, (content, _) in WRONG.items():
        (folder / "wrong" / name).write_bytes(content)
    return folder


def made(framework, folder):
    kept = folder / framework
    kept.mkdir()
    done = subprocess.run(
        [sys.executable, PROGRAMS / f"read_{framework}.py", kept], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def torch_made(folder):
    return made("torch", folder)


@pytest.fixture(scope="module")
def keras_made(folder):
    return made("tensorflow", folder)


def test_every_scheduler_of_pytorch_is_read_and_has_its_rates(torch_made):
    for name, told in torch_made["read"].items():
        if told["class"] in REFUSED:
            assert "can be recorded and compared, not translated" in told["error"]
            continue
        if (name := name.partition(" per ")[0]) in UNREADABLE:
            assert UNREADABLE[name] in told["error"]
            continue
        assert "error" not in told, f"{name}: {told.get('error')}"
        steps = np.arange(len(told["rates"]))
        asked = steps if told["stepping"] == "step" else steps * CLOCK.steps_per_epoch
        schedule = from_json(told["schedule"])
        native = np.array(told["rates"])
        closed_form = schedule.rate(asked, CLOCK)
        # 1e-12 of the peak; CosineAnnealingLR past T_max, of 20 calls here, has lost more: docs/facts.md
        bound = 1e-11 if told["class"] in ("CosineAnnealingLR", "SequentialLR", "ChainedScheduler") else 1e-12
        assert np.abs(native - closed_form).max() <= bound * native.max(), name


def test_every_schedule_of_keras_is_read_and_has_its_rates(keras_made):
    for name, told in keras_made["read"].items():
        for stepping in {"step", "epoch"} & set(told):
            steps = np.arange(len(told["rates"]))
            asked = steps if stepping == "step" else steps * CLOCK.steps_per_epoch
            schedule = from_json(told[stepping])
            closed_form = schedule.rate(asked, CLOCK)
            scale, drift = schedule.float32_scale(asked, CLOCK), schedule.float32_drift(asked, CLOCK)
            apart = np.abs(np.array(told["rates"]) - closed_form)
            assert (apart <= rate_tolerance(closed_form, drift, scale)).all(), f"{name} per {stepping}"


def test_no_schedule_of_either_framework_has_been_forgotten(torch_made, keras_made, askers):
    from samestep.experiment.schedules import EXAMPLES
    from samestep.experiment.schedules.text import parse

    def built(framework):
        return {askers[framework](parse(text), CLOCK, "step", 1)["name"] for text in EXAMPLES.values()}

    seen = {told["class"] for told in torch_made["read"].values()} - {"SWALR", "Renamed", "Floored"}
    assert seen == set(torch_made["classes"]) - {"LRScheduler"}
    assert set(torch_made["classes"]) - {"LRScheduler"} - built("torch") == ONLY_ASKED | REFUSED
    read = {told["class"] for told in keras_made["read"].values()} - {"MyOwn", "LearningRateScheduler", "Renamed"}
    assert read == set(keras_made["classes"]) - {"LearningRateSchedule"}
    assert set(keras_made["classes"]) - {"LearningRateSchedule"} <= built("tensorflow")


def test_rates_that_tensorflow_takes_for_0_are_noted(keras_made):
    *small, large = keras_made["noted"].items()
    for text, note in small:
        assert "1.2e-38 for 0" in note or "takes 1e-" in note, text
    assert large[1] is None


@pytest.mark.parametrize(
    ("name", "says"),
    {
        "CosineDecay of 0": "CosineDecay has a rate of 0 throughout: it shows no schedule.",
        "Floored": "at count 16 its rate is 0.03, where 0.028711 would be read. With calls=N, read asks it N times.",
        "ExponentialDecay of a whole number": "is given 1, an integer, so Keras computes in whole numbers: at count 1 its",
        "PiecewiseConstantDecay of both": "is given 1, an integer, so Keras computes in whole numbers: Keras cannot",
        "CosineDecayRestarts that shrink": "t_mul: 0.5 shrinks the periods to nothing until 14 steps",
    }.items(),
)
def test_what_keras_computes_otherwise_is_refused(keras_made, name, says):
    assert says in keras_made["refused"][name]


def test_what_cannot_be_read_is_refused_in_a_line(keras_made):
    assert "MyOwn is not a schedule that samestep can read" in keras_made["refused"]["MyOwn"]
    assert "calls=N" in keras_made["refused"]["MyOwn"]
    assert "not translated" in keras_made["refused"]["ReduceLROnPlateau"]


@pytest.mark.parametrize("name", WRONG)
def test_what_is_saved_wrongly_is_refused_in_a_line(torch_made, keras_made, folder, name):
    said = (torch_made["wrong"] | keras_made["wrong"])[name]
    assert said.startswith(f"{folder / 'wrong' / name}: ")
    assert WRONG[name][1] in said
    assert "\n" not in said


def test_repeated_milestones_come_back_as_one_factor(askers, torch_made):
    schedule = from_json(torch_made["read"]["MultiStepLR twice at one per step"]["schedule"])
    told = askers["torch"](schedule, CLOCK, "step", 60, source=True)
    assert (told["name"], told["exact"]) == ("MultiStepLR", True)
    assert "milestones=[10, 10, 30], gamma=0.1" in told["source"]


def test_a_nested_sequence_is_read_as_pytorch_steps_it(torch_made):
    """A SequentialLR that is first within another is a call ahead of those within it (PyTorch 2.13)."""
    told = torch_made["read"]["SequentialLR in SequentialLR per step"]
    assert told["rates"][:8] == pytest.approx([0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01])
    assert from_json(told["schedule"]).rate(np.arange(8), CLOCK) == pytest.approx(told["rates"][:8])


def test_a_milestone_that_is_no_whole_number_is_never_met(torch_made):
    told = torch_made["read"]["MultiStepLR that never falls per step"]
    assert set(told["rates"]) == {0.1}
    assert from_json(told["schedule"]).kind == "constant"
    assert "10.5, 40.2 are no whole numbers: the rate never falls there." in told["notes"][0]
    assert "600.6, 900.9 are no whole numbers" in torch_made["live"]["never falls"][0]


@pytest.mark.parametrize(
    ("name", "says"),
    {
        "after calls": "The state is at call 3; the schedule is read from its beginning.",
        "by a part of a call": "It was stepped by a part of a call: its T_cur is 0.3.",
        "to a part of a call": "It was stepped by a part of a call: its T_cur is 5.75.",
        "to a part of a call of StepLR": "It was stepped by a part of a call: its last_epoch is 0.5.",
        "by hand": "Its last rate is 0.03, and a scheduler of this state gives 0.1 at call 2:",
        "by hand, of a function": "Its last rate is 0.03, and a scheduler of this state gives 0.081 at call 2:",
        "resumed one call off": "Its last rate is 0.06561, and a scheduler of this state gives 0.059049 at call 5:",
        "two max_lr": "Its parameter groups have rates of their own (5.0, 7.0); the first is read.",
        "two functions": "Its parameter groups have functions of their own; the first is read.",
        "two rates": "Its parameter groups have rates of their own (0.02, 0.01; 0.5, 0.25; 2e-06, 1e-06);",
        "resumed where it was": "It is at call 5 after 0 of its own: it was resumed there, or stepped with a number.",
        "by a table": "The state is at call 2; the schedule is read from its beginning.",
    }.items(),
)
def test_what_a_live_scheduler_did_besides_its_schedule_is_noted(torch_made, name, says):
    assert says in " ".join(torch_made["live"][name])


def test_a_live_scheduler_that_did_nothing_else_has_no_notes(torch_made):
    assert torch_made["live"]["as made"] == torch_made["live"]["two of one"] == []


@pytest.mark.parametrize("name", ["two max_lr", "two functions", "two rates"])
def test_each_parameter_group_is_read_where_it_is_named(torch_made, name):
    told = torch_made["groups"][name]
    for read, rates in zip(told["read"], told["rates"], strict=True):
        assert from_json(read).rate(np.arange(7), CLOCK) == pytest.approx(rates)
    assert told["rates"][0] != told["rates"][1]


def test_a_file_of_two_schedulers_says_that_it_holds_two(torch_made):
    assert "The file holds 2 schedulers; the first is read." in torch_made["read"]["StepLR per step"]["two"]


def test_an_older_state_of_one_cycle_is_read(torch_made):
    told = torch_made["read"]["OneCycleLR per step"]
    assert told["older"] == told["schedule"]


@pytest.mark.parametrize("stepping", ["step", "epoch"])
def test_printed_code_is_read_back(torch_made, keras_made, stepping):
    from samestep.experiment.schedules import EXAMPLES
    from samestep.experiment.schedules.text import parse

    step = np.arange(0, 130, 1 if stepping == "step" else CLOCK.steps_per_epoch)
    for made in (torch_made, keras_made):
        for name, text in EXAMPLES.items():
            meant, back = parse(text), from_json(made["printed"][f"{name} per {stepping}"])
            lasts = step[step < meant.length(CLOCK)] if meant.after_end == "error" else step
            expected = meant.rate(lasts, CLOCK)
            np.testing.assert_allclose(back.rate(lasts, CLOCK), expected, rtol=1e-11, atol=1e-12 * expected.max())


def test_printed_code_leaves_our_registered_names_alone(keras_made):
    assert keras_made["registered"] == {"samestep>Cyclic": True, "printed_by_samestep>Cyclic": False}
    assert keras_made["read"]["printed and saved"]["json"] == keras_made["printed"]["cyclic, triangular per step"]


def test_momentum_that_moves_as_well_is_noted(torch_made):
    assert "moves the momentum as well" in torch_made["read"]["OneCycleLR per step"]["notes"][0]
    assert torch_made["read"]["StepLR per step"]["notes"] == []


def test_saved_states_are_read_as_the_live_scheduler_is(torch_made):
    for name, told in torch_made["read"].items():
        if told["class"] in REFUSED or "per epoch" in name or name.partition(" per ")[0] in UNREADABLE:
            continue
        if told["class"] in ("LambdaLR", "MultiplicativeLR"):
            assert "comes from a function, which no state holds" in told["pt"][0]
            continue
        if told["class"] == "Renamed":
            assert "Renamed is not a scheduler that samestep can read" in told["pt"][0]
            continue
        assert told["pt"][2], f"{name}: the proof asked another scheduler"
        assert told["pt"][0] == told["stepped.pt"][0] == told["schedule"], name
        assert "The state is at call 7; the schedule is read from its beginning." in told["stepped.pt"][1]
        if "OneCycleLR" not in name and "SWALR" not in name:
            assert told["named.pt"] == told["pt"], name
        if "OneCycleLR" in name or "SWALR" in name:  # its rates are with the optimizer, which the JSON lacks
            assert "Save optimizer.state_dict() as well" in told["json"][0]
        else:
            assert told["json"][0] == told["schedule"], name
            assert told["json"][1][0].startswith(f"Its keys are those of {told['class']}.")


def test_saved_configs_are_read_as_the_live_schedule_is(keras_made):
    saved = [told for told in keras_made["read"].values() if "json" in told and "step" in told]
    assert len(saved) == 21
    for told in saved:
        assert told["json"] == told["step"]


def translated(*arguments):
    done = samestep("translate", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_saved_state_is_translated_to_keras(torch_made, folder):
    told = translated(folder / "torch" / "OneCycleLR.pt", "--to", "keras")
    assert "learning_rate = OneCycle(" in told["code"]
    assert (told["exact"], told["from"], told["to"]) == (False, "torch", "tensorflow")
    assert told["max_ulp32"] <= 8
    assert (told["compared_steps"], told["parts_at"]) == (60, 60)  # there PyTorch raises, and Keras holds
    assert "moves the momentum as well" in told["notes"][0]
    assert "stands in" in told["notes"][1]


def test_what_is_proved_is_what_was_given(torch_made, folder):
    never = translated(folder / "torch" / "MultiStepLR that never falls.pt", "--to", "keras")
    assert never["code"] == "learning_rate = 0.1\n"
    assert "the rate never falls there." in never["notes"][-1]
    nested = translated(folder / "torch" / "SequentialLR in SequentialLR.pt", "--to", "keras")
    assert (nested["verdict"], nested["schedule"]["schedules"][0]["milestones"]) == ("same", ["1 step"])


def test_saved_config_is_translated_to_pytorch(keras_made, folder):
    told = translated(folder / "tensorflow" / "optimizer.json", "--to", "torch")
    assert "\nscheduler = torch.optim.lr_scheduler.LambdaLR(" in told["code"]
    assert (told["exact"], told["base_lr"], told["parts_at"]) == (False, 0.1, None)
    assert "CosineAnnealingLR(optimizer, T_max=25, eta_min=0.01) is the same" in told["notes"][0]
    assert told["compared_steps"] >= 1000
    assert told["max_ulp32"] <= 8 + told["tolerance"]["drift_ulp32"]
    assert told["max_relative"] < 1e-5


def test_saved_state_that_is_no_schedule_is_refused(torch_made, folder):
    done = samestep("translate", folder / "torch" / "ReduceLROnPlateau.pt", "--to", "keras")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "ReduceLROnPlateau.pt: ReduceLROnPlateau depends on the losses" in done.stderr
