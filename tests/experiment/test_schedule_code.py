"""A schedule as code that people paste: never run, and what is said where it makes no schedule."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import ScheduleError, is_schedule, parse, read

DECAY = "exponential:initial=0.001,factor=0.95,every=25 steps,staircase"
KERAS = "ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)"
CONFIG = {
    "module": "keras.optimizers.schedules",
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 1e-3, "decay_steps": 25, "decay_rate": 0.95, "staircase": True},
    "registered_name": None,
}

SAME = {
    "alone": KERAS,
    "in full": f"tf.keras.optimizers.schedules.{KERAS}",
    "with a prompt": f">>> rate = 1e-3\n>>> schedule = {KERAS.replace('1e-3', 'rate')}",
    "indented": f"    schedule = {KERAS}\n    # a comment",
    "by another name": f"schedules = tf.keras.optimizers.schedules\nschedules.{KERAS}",
    "in an optimizer": f"keras.optimizers.Adam(learning_rate={KERAS})",
    "asked at once": f"print({KERAS}(10).numpy())",
    "in a call": f"model.compile(optimizer=Adam({KERAS}), loss='mse', metrics=['mae'])",
    "with arithmetic": "ExponentialDecay(2e-3 / 2, 5**2, 1 - 0.05, True)",
    "config": json.dumps(CONFIG),
    "config of an optimizer": json.dumps({"class_name": "Adam", "config": {"learning_rate": CONFIG}}),
    "learning rate of a config": json.dumps({"name": "adam", "learning_rate": CONFIG}),
}


@pytest.mark.parametrize("how", SAME)
def test_every_way_of_pasting_is_the_same_schedule(tmp_path, how):
    assert is_schedule(SAME[how])
    assert read(SAME[how]).schedule == parse(DECAY)
    assert read(SAME[how]).assumed == ()
    path = tmp_path / ("schedule.json" if SAME[how].startswith("{") else "schedule.py")
    path.write_text(SAME[how])
    assert is_schedule(str(path))
    assert parse(str(path)) == parse(DECAY)


def test_code_is_never_run(tmp_path):
    marker = tmp_path / "run"
    with pytest.raises(ScheduleError, match="has no value here"):
        parse(f"ExponentialDecay(open({str(marker)!r}, 'w'), 25, 0.95)")
    parse(f"print(open({str(marker)!r}, 'w'))\n{KERAS}")
    assert not marker.exists()


def test_the_rate_of_pytorch_comes_from_the_optimizer():
    torch = "StepLR(optimizer, step_size=25, gamma=0.95)"
    given = read(f"optimizer = torch.optim.Adam(model.parameters(), lr=1e-3); {torch}")
    assert given.schedule == parse(DECAY)
    assert [each.split(":")[0] for each in given.assumed] == ["StepLR counts calls of scheduler.step()"]
    beside = read(f"base_lr = 1e-3  # optimizer = ...(model.parameters(), lr=base_lr)\nscheduler = {torch}")
    assert beside.schedule == given.schedule
    assert beside.assumed[0] == "The optimizer's rate was taken to be base_lr = 0.001."
    with pytest.raises(
        ScheduleError, match=r"StepLR takes its first rate from its optimizer. Add it, as in: optimizer"
    ):
        parse(torch)


def test_what_a_framework_counts_is_counted_in_epochs_where_it_is_asked_once_per_epoch():
    epochs = parse(DECAY.replace("steps", "epochs"))
    assert read(KERAS, "epoch").schedule == epochs
    assert read(json.dumps(CONFIG), "epoch").schedule == epochs
    found = read("lr = 1e-3\nscheduler = StepLR(optimizer, 25, 0.95)", "epoch")
    assert found.schedule == epochs
    assert found.assumed == ("The optimizer's rate was taken to be lr = 0.001.",)
    assert read(DECAY, "epoch").schedule == parse(DECAY)


def test_a_gamma_of_calls_is_that_of_one_step():
    clock = Clock(samples=320, batch_size=32)
    code = "CyclicLR(optimizer, 0.01, 0.1, 2, mode='exp_range', gamma=0.5)"
    assert read(code, "epoch", clock).schedule.gamma == pytest.approx(0.5**0.1)
    with pytest.raises(ScheduleError, match="Add --samples and --batch-size"):
        read(code, "epoch")


PIECES = ["(", ")", "[]", "[[1]]", ",", "0", "-1", "None", "True", "'a'", "1e308", "1e400", "{'a': 1}", "nan", "*", "**",
          "lambda n: n", "optimizer", ";", "\n", "if", "2**70", "SGD(params, lr=0.1)", "StepLR(optimizer, 3)"]  # fmt: skip
CODES = [
    KERAS,
    "PiecewiseConstantDecay([40, 80], [1e-1, 1e-2, 1e-3])",
    "CosineDecay(0.0, 80, warmup_target=0.1, warmup_steps=20)",
    "optimizer = SGD(params, lr=0.1)\nMultiStepLR(optimizer, milestones=[30, 80], gamma=0.5)",
    "lr = 0.1; SequentialLR(o, [LinearLR(o, 0.1, total_iters=9), CosineAnnealingLR(o, T_max=90)], [9])",
    "OneCycleLR(optimizer, 0.1, epochs=5, steps_per_epoch=40, pct_start=0.25, three_phase=True)",
    "CyclicLR(optimizer, 0.01, 0.1, 20, 30, mode='exp_range', gamma=0.99)",
]


@given(st.sampled_from(CODES), st.lists(st.tuples(st.integers(0, 60), st.sampled_from(PIECES)), min_size=1, max_size=3))
def test_wrong_code_is_said_in_one_line_whatever_it_is(code, changes):
    pieces = re.findall(r"[\w.]+|\s+|.", code)
    for place, piece in changes:
        pieces[place % len(pieces)] = piece
    said = ""
    try:
        read(f"x = 1\n{''.join(pieces)}")
    except ScheduleError as error:
        said = str(error)
    assert "\n" not in said


WRONG = {
    "syntax": ("ExponentialDecay(1e-3, 25, 0.95", "not Python: '(' was never closed, in line 1. Write code like"),
    "missing": ("ExponentialDecay(1e-3, 25)", "ExponentialDecay: decay_rate is missing. Add decay_rate=…."),
    "unknown argument": ("ExponentialDecay(1e-3, decay_step=25, decay_rate=1)", "no argument 'decay_step'. Did you mean decay_steps?"),
    "of another class": ("StepLR(optimizer, T_max=3)", "StepLR has no argument 'T_max'. Known: optimizer, step_size, gamma"),
    "twice": ("CosineDecay(0.1, 100, decay_steps=50)", "decay_steps is there twice, as 100 and 50. Keep one."),
    "too many": ("ExponentialLR(optimizer, 0.9, -1, 4)", "ExponentialLR: got 4 arguments. It takes optimizer, gamma, last_epoch."),
    "class": ("keras.optimizers.schedules.CosineDecy(0.1, 100)", "CosineDecy' is not a schedule. Did you mean CosineDecay?"),
    "a file that is not there": ("run (1).csv", "'run' is not a schedule of Keras or PyTorch. Write one of CosineDecay,"),
    "nothing": ("lr = 1", "no schedule of Keras or PyTorch. Write one of CosineDecay,"),
    "two schedules": (f"a = {KERAS}\nb = {KERAS}", "2 schedules (ExponentialDecay, ExponentialDecay). Give the code of one."),
    "a name": ("ExponentialDecay(1e-3, args.steps, 0.95)", "decay_steps is 'args.steps', which has no value here. Write its value"),
    "a length": ("OneCycleLR(opt, 0.1, epochs=3, steps_per_epoch=len(data))", "steps_per_epoch is 'len(data)', which has no value here."),
    "no length": ("OneCycleLR(opt, 0.1)", "OneCycleLR: total_steps is missing. Add total_steps=…, or epochs=… and steps_per_epoch=…."),
    "text for a number": ("CosineDecay('0.1', 100)", "initial_learning_rate: got '0.1'. Write a number."),
    "truth for a number": ("ExponentialDecay(1e-3, 25, True)", "decay_rate: got 'True'. Write a number."),
    "negative": ("CosineDecay(-0.1, 100)", "CosineDecay: initial: got -0.1. Write a number above 0"),
    "negative steps": ("CosineDecay(0.1, -100)", "decay_steps: got -100.0. samestep counts in whole numbers from 1"),
    "whole rate": ("ExponentialDecay(1, 100, 0.5)", "got 1, an integer, with which Keras computes in whole numbers. Write 1.0."),
    "whole value": ("PiecewiseConstantDecay([10], [0.5, 0])", "values: got [0.5, 0], of which 0 is an integer: Keras fails. Write 0.0."),
    "divided by 0": ("CosineDecay(0.1, 10 / 0)", "'10 / 0' has no value (division by zero). Write a number."),
    "a huge power": ("CosineDecay(0.1, 9**9**9)", "'9 ** 9 ** 9' has no value (Numerical result out of range)."),
    "spread": ("CosineDecay(0.1, **kwargs)", "CosineDecay: its arguments are in a variable. Write each of them."),
    "milestones of lists": ("lr = 0.1; SequentialLR(o, [StepLR(o, 3), StepLR(o, 9)], [[]])", "milestones: got '[]'. Write a number."),
    "from the present rate": ("SWALR(optimizer, swa_lr=0.05)", "SWALR goes on from the rate that it finds, which no code says."),
    "a function": ("LambdaLR(optimizer, lambda n: 0.9**n)", "LambdaLR calls a function, which samestep does not run."),
    "an imported function": ("from torch.optim.lr_scheduler import LambdaLR\nLambdaLR(opt, f)", "LambdaLR calls a function"),
    "part without a rate": ("ChainedScheduler([StepLR(opt, 3)])", "StepLR takes its first rate from its optimizer."),
    "cycles": ("lr = 0.1; get_cosine_schedule_with_warmup(opt, 1, 9, num_cycles=3)", "num_cycles: got 3, of which half a one takes 1.33333 of 8 steps."),
    "a name of a schedule": ("lr = 0.1; get_scheduler('cosin', opt, 1, 9)", "get_scheduler has no schedule 'cosin'. Did you mean cosine?"),
    "a schedule of the losses": ("lr = 0.1; get_scheduler('greedy', opt)", "greedy depends on the losses"),
    "an argument of another": (
        "lr = 0.1; get_scheduler('linear', opt, 1, 9, {'num_cycles': 2})",
        "get_linear_schedule_with_warmup has no argument 'num_cycles'.",
    ),
    "no warm-up": ("lr = 0.1; get_scheduler('linear', opt, num_training_steps=9)", "num_warmup_steps is missing, which linear needs. Add"),
    "no total": ("lr = 0.1; get_scheduler('cosine', opt, 1)", "num_training_steps is missing, which cosine needs. Add"),
    "keywords in a variable": ("lr = 0.1; get_scheduler('cosine', opt, 1, 9, kwargs)", "scheduler_specific_kwargs is 'kwargs', which has no value here."),
    "two lowest rates": (
        "lr = 0.1; get_cosine_with_min_lr_schedule_with_warmup(opt, 1, 9, min_lr=0.01, min_lr_rate=0.1)",
        "min_lr and min_lr_rate are both there. Keep one.",
    ),
    "no lowest rate": ("lr = 0.1; get_scheduler('cosine_with_min_lr', opt, 1, 9)", "min_lr is missing. Add min_lr=… or min_lr_rate=…."),
    "ways longer than the run": ("lr = 0.1; get_wsd_schedule(opt, 5, 5, 9)", "num_training_steps: got 9, less than both ways take."),
    "another way up": ("lr = 0.1; get_wsd_schedule(opt, 2, 2, 9, warmup_type='1-sqrt')", "warmup_type: got '1-sqrt'. samestep reads linear and cosine"),
    "another way down": ("lr = 0.1; get_wsd_schedule(opt, 2, 2, 9, decay_type='slow')", "decay_type: got 'slow'. Write linear, cosine or 1-sqrt."),
    "a warm-up as long as the run": ("lr = 0.1; get_linear_schedule_with_warmup(opt, 9, 9)", "num_training_steps: got 9 with a warm-up of 9."),
    "of the losses": ("ReduceLROnPlateau(optimizer)", "ReduceLROnPlateau depends on the losses"),
    "in the middle": ("lr = 0.1; StepLR(opt, 30, last_epoch=4)", "last_epoch=4 begins in the middle. Leave it out."),
    "no rate in the optimizer": ("StepLR(SGD(params, lr=args.lr), 30)", "the rate of 'SGD(params, lr=args.lr)' is args.lr. Write one number"),
    "default rate": ("StepLR(Adam(model.parameters()), 30)", "the rate of 'Adam(model.parameters())' is PyTorch's default. Write"),
    "no optimizer": ("StepLR(build(model, 0.9), 30)", "StepLR takes its first rate from its optimizer."),
    "another by the same name": ("StepLR = mine.StepLR\nlr = 1.0\nStepLR(opt, 3)", "mine.StepLR is not PyTorch's StepLR."),
    "a name of another": ("StepLR = Mine\nlr = 1.0\nStepLR(opt, 3)", "'Mine' is not a schedule of Keras or PyTorch."),
    "groups": ("StepLR(SGD([{'params': p, 'lr': 0.1}]), 30)", "is another for each parameter group. Write one number, like lr=0.1."),
    "a loop": ("for epoch in range(3):\n    pass", "is neither a file nor a schedule"),
    "a loop after it": (f"schedule = {KERAS}\nfor n in range(3):\n    fit()", "line 2, 'for n in range(3):', does not make a schedule."),
    "another's": ("from mine import StepLR\nlr = 1.0\nStepLR(opt, 3)", "mine.StepLR is not PyTorch's StepLR."),
    "a milestone": ("lr = 1.0; MultiStepLR(opt, [600.6])", "milestones: got 600.6, which no call of scheduler.step() reaches."),
    "a milestone too many": ("lr = 1.0; SequentialLR(opt, [StepLR(opt, 3)], [3])", "SequentialLR: 1 milestones for 1 schedulers."),
    "cycles in a sequence": (
        "lr = 1.0; SequentialLR(opt, [StepLR(opt, 3), OneCycleLR(opt, 1.0, 9)], [3])",
        "OneCycleLR within SequentialLR is not what it is alone.",
    ),
    "a sequence in a sequence": (
        "lr = 1.0; SequentialLR(opt, [SequentialLR(opt, [StepLR(opt, 3), StepLR(opt, 3)], [3]), StepLR(opt, 3)], [9])",
        "SequentialLR within SequentialLR is not what it is alone.",
    ),
    "a user's scale": ("CyclicLR(opt, 0.1, 1.0, 9, scale_fn=1)", "CyclicLR's scale_fn calls a function"),
    "config of another class": ('{"class_name": "CosineDecey", "config": {}}', "'CosineDecey' is not a schedule of Keras that samestep can read."),
    "config with a new key": (
        '{"class_name": "CosineDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 9, "warmup": 3}}',
        "CosineDecay has no argument 'warmup'. Did you mean warmup_steps?",
    ),
    "config without a key": ('{"class_name": "CosineDecay", "config": {"decay_steps": 9}}', "initial_learning_rate is missing"),
    "config of nothing": ('{"class_name": "Adam", "config": {"learning_rate": "fast"}}', "no config of a schedule."),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_schedule_is_said_in_one_line(case):
    text, says = WRONG[case]
    with pytest.raises(ScheduleError) as error:
        parse(text)
    assert says in str(error.value)
    assert len(str(error.value).splitlines()) == 1
