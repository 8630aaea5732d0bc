"""What a program is told in its own words: the schedule that is read has the rates of the real program."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import samestep
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.dialects import DIALECTS
from samestep.experiment.schedules.text import ScheduleError, read

PROGRAM = Path(__file__).parents[1] / "programs" / "dialects.py"
CLOCK = Clock(samples=40, batch_size=8)
UPDATES = 150
rates = st.sampled_from([1e-4, 5e-5, 3e-3, 0.1, 0.5])
lows = st.sampled_from([0.0, 1e-6, 1e-5, 2e-3])


class Program:
    """A process of the real program, which is asked again and again."""

    def __init__(self, name):
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __call__(self, values, **more):
        self.process.stdin.write(json.dumps({"values": values} | more) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"{self.name} ended at {values}"
        return np.array(json.loads(line))


@pytest.fixture(scope="module")
def programs():
    started = {}

    def ask(name, *given, **more):
        if name in ("deepspeed", "timm") and not (Path(sys.prefix) / "programs" / name).exists():
            assert not os.environ.get("CI"), "make test installs it, and CI must not skip it"
            pytest.skip(f"{name} is not installed; make test does that")
        if name not in started:
            started[name] = Program(name)
        return started[name](*given, **more)

    yield ask
    for each in started.values():
        each.process.stdin.close()
        each.process.wait()
        each.process.stdout.close()


def held(text, expected, stepping="step", clock=CLOCK):
    schedule = read(text, stepping, clock).schedule
    steps = clock.looked_up(np.arange(len(expected)), stepping)
    np.testing.assert_allclose(schedule.rate(steps, clock), expected, rtol=0, atol=1e-12 * expected.max())


def warm(**more):
    return st.fixed_dictionaries(
        more, optional={"warmup_num_steps": st.integers(1, 60), "warmup_type": st.sampled_from(["log", "linear"])}
    )


BLOCKS = st.one_of(
    st.tuples(st.just("WarmupLR"), warm(warmup_max_lr=rates, warmup_min_lr=lows)),
    st.tuples(
        st.just("WarmupDecayLR"),
        st.fixed_dictionaries(
            {"total_num_steps": st.integers(61, 140), "warmup_num_steps": st.integers(1, 60)},
            optional={"warmup_min_lr": lows, "warmup_max_lr": rates, "warmup_type": st.sampled_from(["log", "linear"])},
        ),
    ),
    st.tuples(
        st.just("WarmupCosineLR"),
        st.fixed_dictionaries(
            {"total_num_steps": st.integers(61, 140), "warmup_num_steps": st.integers(1, 60)},
            optional={
                "warmup_min_ratio": st.sampled_from([0.0, 0.01, 0.3]),
                "cos_min_ratio": st.sampled_from([0.0, 0.1]),
                "warmup_type": st.sampled_from(["log", "linear"]),
            },
        ),
    ),
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(1, 5), rates, lows).map(
        lambda drawn: (
            "OneCycle",
            {
                "cycle_min_lr": drawn[5],
                "cycle_max_lr": drawn[4],
                "cycle_first_step_size": drawn[0] * drawn[2],
                "cycle_first_stair_count": drawn[2],
                "cycle_second_step_size": drawn[1] * drawn[3],
                "cycle_second_stair_count": drawn[3],
            },
        )
    ),
    st.tuples(
        st.just("OneCycle"),
        st.fixed_dictionaries(
            {"cycle_min_lr": lows, "cycle_max_lr": rates, "cycle_first_step_size": st.integers(1, 50)},
            optional={
                "cycle_second_step_size": st.integers(1, 50),
                "decay_lr_rate": st.sampled_from([0.1, 1.0]),
                "decay_step_size": st.sampled_from([0, 1, 7]),
            },
        ),
    ),
)


def test_deepspeed(programs):
    @settings(max_examples=120, suppress_health_check=list(HealthCheck))
    @given(BLOCKS, rates)
    def check(drawn, lr):
        block = {"type": drawn[0], "params": drawn[1]}
        found = programs("deepspeed", block, lr=lr, updates=UPDATES)
        whole = {"optimizer": {"type": "Adam", "params": {"lr": lr}}, "scheduler": block, "fp16": {"enabled": False}}
        held(json.dumps(whole), found)
        if drawn[0] in ("WarmupDecayLR", "OneCycle"):
            held(json.dumps(block), found)
            held(f"deepspeed:{json.dumps(block)}", found)

    check()


ARGUMENTS = st.fixed_dictionaries(
    {
        "sched": st.sampled_from(["cosine", "poly", "tanh", "step", "multistep", "constant", "wsd"]),
        "epochs": st.integers(12, 25),
        "warmup_epochs": st.integers(0, 5),
        "warmup_lr": lows,
        "min_lr": lows,
        "decay_rate": st.sampled_from([0.1, 0.5, 1.0]),
        "decay_milestones": st.lists(st.integers(6, 25), min_size=1, max_size=3, unique=True).map(sorted),
        "warmup_prefix": st.booleans(),
        "lr_cycle_decay": st.sampled_from([0.5, 1.0]),
        "sched_on_updates": st.booleans(),
    },
    optional={
        "decay_epochs": st.integers(1, 7),
        "lr_cycle_limit": st.integers(1, 3),
        "lr_cycle_mul": st.sampled_from([1.0, 2.0]),
        "cooldown_epochs": st.integers(0, 9),
        "lr_k_decay": st.sampled_from([1.0, 0.5, 2.0]),
        "lr_decay_fn": st.sampled_from(["1-sqrt", "linear", "cosine"]),
    },
)


def test_timm(programs, tmp_path):
    path = tmp_path / "args.yaml"

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(ARGUMENTS, rates)
    def check(values, lr):
        if values["sched"] in ("step", "wsd"):
            values = {"decay_epochs": 5} | values
        if values["sched"] == "multistep":
            values = values | {"sched_on_updates": False}
        if values["sched"] == "wsd":
            values = values | {"min_lr": min(lr, values["min_lr"])}
        found = programs("timm", values, lr=lr, updates=UPDATES, steps_per_epoch=CLOCK.steps_per_epoch)
        stepping = "step" if values["sched_on_updates"] or values["sched"] == "constant" else "epoch"
        if values["sched"] == "constant" and not values["sched_on_updates"]:
            stepping = "epoch"  # its warm-up is
        path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in (values | {"lr": lr}).items()))
        held(str(path), found, stepping)
        flags = " ".join(
            f"--{key.replace('_', '-')} {value}"
            for key, value in (values | {"lr": lr}).items()
            if not isinstance(value, list)
        )
        if values["sched"] != "multistep":
            held(f"timm:{flags}", found, stepping)

    check()


steps = st.integers(1, 60)
begins = st.sampled_from([0, 0, 7])
factors = st.sampled_from([0.1, 0.5, 0.9])
scales = st.dictionaries(st.integers(1, 140), st.sampled_from([0.1, 0.5, 2.0]), max_size=3)


def call(name, **arguments):
    """Code of a call with drawn arguments."""

    def code(drawn):
        return f"optax.{name}({', '.join(f'{key}={value!r}' for key, value in drawn.items() if value != 'left out')})"

    return st.fixed_dictionaries(arguments).map(code)


def or_not(strategy):
    return st.one_of(st.just("left out"), strategy)


def joined(drawn):
    """Code that joins schedules, each of which lasts some steps."""
    begins_at = np.cumsum([lasts for _, lasts in drawn[:-1]]).tolist()
    return f"optax.join_schedules([{', '.join(code for code, _ in drawn)}], {begins_at})"


SIMPLE = st.one_of(
    call("constant_schedule", value=rates),
    call("linear_schedule", init_value=rates, end_value=lows, transition_steps=steps, transition_begin=begins),
    call("linear_schedule", init_value=lows, end_value=rates, transition_steps=steps, transition_begin=begins),
    call(
        "polynomial_schedule", init_value=rates, end_value=lows, power=st.sampled_from([0.5, 1, 2.0]),
        transition_steps=st.integers(-1, 60), transition_begin=begins,
    ),
    call(
        "exponential_decay", init_value=rates, transition_steps=st.integers(0, 60), decay_rate=factors,
        transition_begin=begins, staircase=st.booleans(), end_value=or_not(st.sampled_from([None, 0.0, 1e-5])),
    ),
    call(
        "cosine_decay_schedule", init_value=rates, decay_steps=steps, alpha=or_not(factors),
        exponent=or_not(st.sampled_from([1.0, 2, 0.5])),
    ),
    call("piecewise_constant_schedule", init_value=rates, boundaries_and_scales=scales),
    call(
        "piecewise_interpolate_schedule", interpolate_type=st.sampled_from(["linear", "cosine"]), init_value=rates,
        boundaries_and_scales=scales.filter(bool),
    ),
    call(
        "linear_onecycle_schedule", transition_steps=st.integers(10, 100), peak_value=rates,
        pct_start=or_not(st.sampled_from([0.1, 0.25])),
    ),
    call(
        "cosine_onecycle_schedule", transition_steps=st.integers(10, 100), peak_value=rates,
        div_factor=or_not(st.just(10.0)),
    ),
    call("warmup_constant_schedule", init_value=lows, peak_value=rates, warmup_steps=steps),
    call(
        "warmup_cosine_decay_schedule", init_value=lows, peak_value=rates, warmup_steps=st.integers(0, 60),
        decay_steps=st.integers(61, 140), end_value=or_not(lows),
    ),
    call(
        "warmup_exponential_decay_schedule", init_value=lows, peak_value=rates, warmup_steps=st.integers(0, 60),
        transition_steps=steps, decay_rate=factors, transition_begin=begins, staircase=st.booleans(),
        end_value=or_not(st.just(1e-5)),
    ),
)  # fmt: skip
JOINED = st.lists(st.tuples(SIMPLE, st.integers(1, 40)), min_size=2, max_size=3).map(joined)
SGDR = (
    "optax.sgdr_schedule([dict(init_value=0.0, peak_value=1.0, warmup_steps=10, decay_steps=50), "
    "{'init_value': 0.1, 'peak_value': 0.5, 'warmup_steps': 0, 'decay_steps': 40}])"
)


def test_optax(programs):
    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(st.one_of(SIMPLE, JOINED, st.just(SGDR)))
    def check(code):
        held(code, programs("optax", code, updates=UPDATES))

    check()


MODULE = "def configure_optimizers(self):\n    optimizer = SGD(self.parameters(), lr=0.1)\n    s = StepLR(optimizer, 3, 0.5)\n"
RETURNED = {
    "{'optimizer': optimizer, 'lr_scheduler': {'scheduler': s, 'interval': 'step', 'frequency': 1}}": "step",
    "{'optimizer': optimizer, 'lr_scheduler': {'scheduler': s, 'interval': 'epoch'}}": "epoch",
    "{'optimizer': optimizer, 'lr_scheduler': {'scheduler': s}}": "epoch",
    "{'optimizer': optimizer, 'lr_scheduler': s}": "epoch",
    "[optimizer], [{'scheduler': s, 'interval': 'step'}]": "step",
    "[optimizer], [s]": "epoch",
}


@pytest.mark.parametrize("returned", RETURNED)
def test_lightning(programs, returned):
    code, stepping = f"{MODULE}    return {returned}", RETURNED[returned]
    found = programs("lightning", code, updates=40, steps_per_epoch=CLOCK.steps_per_epoch)
    held(code, found, stepping)
    assert read(code, stepping).assumed == ()  # how often is said
    other, what_to_write = ("epoch", "Leave out") if stepping == "step" else ("step", "Add")
    with pytest.raises(
        ScheduleError, match=f"Lightning steps the scheduler once per {stepping}. {what_to_write} --stepping"
    ):
        read(code, other)


RUNS = {
    "ratio": {"lr_scheduler_type": "cosine", "learning_rate": 3e-4, "warmup_ratio": 0.1, "num_train_epochs": 3},
    "steps": {"lr_scheduler_type": "linear", "learning_rate": 5e-5, "warmup_steps": 4, "num_train_epochs": 2.5},
    "accumulated": {"lr_scheduler_type": "linear", "learning_rate": 1e-3, "gradient_accumulation_steps": 2, "num_train_epochs": 3},
    "max_steps": {"lr_scheduler_type": "polynomial", "learning_rate": 1e-3, "max_steps": 30, "lr_scheduler_kwargs": {"power": 2.0}},
    "constant": {"lr_scheduler_type": "constant_with_warmup", "learning_rate": 1e-3, "warmup_steps": 5, "num_train_epochs": 2},
    "inverse": {"lr_scheduler_type": "inverse_sqrt", "learning_rate": 1e-3, "warmup_steps": 5, "num_train_epochs": 2},
}  # fmt: skip


@pytest.mark.parametrize("run", RUNS)
def test_a_run_of_trainer(programs, run):
    values = RUNS[run]
    clock = Clock(samples=50, batch_size=8, accumulate=values.get("gradient_accumulation_steps", 1))
    real = dict(values)
    if ratio := real.pop("warmup_ratio", None):  # transformers 5 has it as a number of steps below 1
        real["warmup_steps"] = ratio
    found = programs("transformers", real | {"per_device_train_batch_size": 8}, samples=50)
    held(json.dumps(values), found, clock=clock)
    held(json.dumps(real), found, clock=clock)
    pairs = ",".join(f"{key}={value}" for key, value in values.items())
    held(f"transformers:{pairs}", found, clock=clock)


WRONG = {
    "timm:sched=cosin,lr=1": "timm: sched: got 'cosin'. Did you mean cosine?",
    "timm:sched=plateau,lr=1": "timm: timm's plateau depends on the losses",
    "timm:sched=rsqrt,lr=1": "samestep has no word for timm's rsqrt",
    "timm:sched=cosine,epochs=5": "timm: lr is missing",
    "timm:sched=cosine,lr=0.1": "looked up once per epoch. Add --stepping epoch",
    "timm:sched=cosine,lr=0.1,lr_noise=0.5": "a rate with noise follows no schedule",
    "timm:--sched cosine --sched step": "'sched' is there twice",
    "timm:cosine": "timm: 'cosine' is not one of its names. Known: sched, lr",
    "timm:sched=cosine,lr=1,warmup_epoch=5": "'warmup_epoch' is not one of its names. Did you mean warmup_epochs?",
    "timm:--model vit --sched cosine --lr 1 --warmup-epoch 5": "Did you mean warmup_epochs?",
    "timm:": "nothing follows timm:. Write timm:sched=cosine",
    "timm:--lr 'a": "no closing quotation. Close it.",
    "timm:sched=wsd,lr=1e-4,min_lr=1,sched_on_updates": "min_lr: got 1, above lr 0.0001. Write less.",
    "timm:sched=step,lr=fast": "lr: got 'fast'. Write a number.",
    'deepspeed:{"type": "WarmupLr"}': "deepspeed: type: got 'WarmupLr'. Did you mean WarmupLR?",
    'deepspeed:{"type": "WarmupLR", "params": {"warmup_max": 1}}': "params.warmup_max is not known there. Did you mean warmup_max_lr?",
    'deepspeed:{"type": "WarmupLR", "params": {"warmup_max_lr": "auto"}}': "'auto' is filled in by the program that runs",
    'deepspeed:{"type": "WarmupLR", "params": {"warmup_max_lr": [1, 2]}}': "one for each parameter group",
    'deepspeed:{"type": "WarmupLR", "params": 3}': "params: got 3. Write an object",
    'deepspeed:{"type": "WarmupLR"}': "warmup_max_lr is missing",
    'deepspeed:{"type": "WarmupCosineLR", "params": {"total_num_steps": 99}}': "the optimizer's rate is missing",
    'deepspeed:{"type": "WarmupDecayLR", "params": {"total_num_steps": 99}}': "got 99 with a warm-up of 1000",
    'deepspeed:{"type": "OneCycle", "params": {"cycle_min_lr": 0, "cycle_max_lr": 1, "cycle_first_stair_count": 3}}': "3 stairs do not divide 2000 steps",
    'deepspeed:{"type": "LRRangeTest", "params": {}}': "a line without an end",
    "optax.exponential_decay(0.1, 10, 1.1, end_value=1.0)": "it is the highest rate, which samestep can't say",
    "optax.join_schedules([optax.constant_schedule(0.1)], [3])": "boundaries: 1 for 1 schedules. Write one less",
    "optax.join_schedules([0.1], [])": "schedules: got [0.1]. Write a list of schedules of optax.",
    "optax.warmup_cosine_decay_schedule(0.0, 1.0, 100, 50)": "decay_steps: got 50 with a warm-up of 100",
    "optax.piecewise_constant_schedule(1.0, [100])": "Write a dictionary, like {100: 0.1}.",
    "tf.compat.v1.train.exponential_decay(0.1, 0, 10, 0.5)": "is not optax's exponential_decay",
    "from jax.example_libraries.optimizers import exponential_decay; exponential_decay(0.1, 10, 0.5)": "is not optax's",
    "exponential_decay(0.1, 0, 10, 0.5)": "exponential_decay may be optax's or TensorFlow 1's. Write it with its module.",
    f"{MODULE}    return {{'scheduler': s, 'frequency': 2}}": "frequency: got 2, with which the scheduler is stepped",
    f"{MODULE}    return {{'scheduler': s, 'interval': 'batch'}}": "interval: got 'batch'. Lightning takes 'step'",
    "optax:cosine": "optax: its schedules are calls. Write one, like optax.cosine_decay_schedule(0.1, 1000).",
    "transformers:lr_scheduler_type=cosin,max_steps=9": "no schedule 'cosin'. Did you mean cosine?",
    "transformers:lr_scheduler_type=cosine": "Add --samples and --batch-size",
    "transformers:warmup_ratio=0.1,warmup_steps=10,max_steps=20": "are both there. Keep one.",
    "transformers:warmup_ratio=10,max_steps=20": "Write a part of the run",
    "transformers:lr_scheduler_type=polynomial,max_steps=20,lr_scheduler_kwargs={'powr': 2}": "Did you mean power?",
    "transformers:lr_scheduler_type=reduce_lr_on_plateau,max_steps=20": "depends on the losses",
    "transformers:max_steps=20,lr_scheduler_kwargs=3": "lr_scheduler_kwargs: got 3. Write a JSON object.",
}  # fmt: skip


def test_accumulated_batches_are_counted_alike_in_both():
    text = "transformers:lr_scheduler_type=linear,gradient_accumulation_steps=2"
    with pytest.raises(ScheduleError, match=r"steps is 2, and --accumulate 1\. Write --accumulate 2\."):
        read(text, clock=CLOCK)
    assert read(text, clock=Clock(samples=20, batch_size=1)).schedule.over.count == 60  # updates, not batches


@pytest.mark.parametrize("text", WRONG)
def test_wrong_words_are_named(text):
    with pytest.raises(ScheduleError) as error:
        read(text)
    assert WRONG[text] in str(error.value)
    assert "\n" not in str(error.value)


PIECES = [
    "",
    " ",
    ",",
    "=",
    "--",
    "{",
    "}",
    "[",
    "(",
    "'",
    '"',
    "0",
    "-1",
    "1e400",
    "nan",
    "null",
    "true",
    ":",
    "\x00",
    "9" * 5000,
]
TEXTS = [
    *(f"{name}:{dialect.example}" for name, dialect in DIALECTS.items()),
    "timm:--sched step --lr 0.1 --decay-rate 0.5 --warmup-epochs 5 --decay-milestones 3 6",
    'deepspeed:{"type": "OneCycle", "params": {"cycle_min_lr": 0.1, "cycle_max_lr": 0.2, "decay_lr_rate": 1, "decay_step_size": 9}}',
    'deepspeed:{"type": "WarmupCosineLR", "params": {"total_num_steps": 99, "warmup_num_steps": 9}, "lr": 0.1}',
    "transformers:lr_scheduler_type=polynomial,learning_rate=1e-3,max_steps=99,warmup_steps=9,lr_scheduler_kwargs={'power': 2}",
]  # fmt: skip


@given(st.sampled_from(TEXTS), st.lists(st.tuples(st.integers(0, 60), st.sampled_from(PIECES)), min_size=1, max_size=3))
def test_wrong_words_are_said_in_one_line_whatever_they_are(text, changes):
    head, colon, rest = text.partition(":")
    pieces = re.findall(r"[\w.]+|\s+|.", rest)
    for place, piece in changes:
        pieces[place % len(pieces)] = piece
    for stepping in ("step", "epoch"):
        said = ""
        try:
            schedule = read(head + colon + "".join(pieces), stepping, CLOCK).schedule
            schedule.whole_steps(CLOCK)
        except ValueError as error:
            said = str(error)
        else:
            assert schedule.rate(0, CLOCK) >= 0
        assert len(said.splitlines()) <= 1, said
        assert len(said) < 500, said


def test_examples_are_read():
    assert read(DIALECTS["optax"].example)
    for dialect in DIALECTS.values():
        assert dialect.name == "optax" or read(
            f"{dialect.name}:{dialect.example}", "epoch" if dialect.name == "timm" else "step"
        )


def test_yaml_with_tags_runs_nothing(tmp_path):
    path = tmp_path / "args.yaml"
    path.write_text("sched: !!python/object/apply:os.getcwd []\n", encoding="utf-8")
    done = samestep("explain", path, "--samples", 100, "--batch-size", 10, "--epochs", 2)
    assert done.returncode == 2
    assert "args.yaml: not plain YAML in line 1" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_state_of_a_run_is_a_log(tmp_path):
    """trainer_state.json has the words of a run as well."""
    path = tmp_path / "trainer_state.json"
    rows = [{"step": step, "learning_rate": 1e-3} for step in range(1, 9)]
    path.write_text(json.dumps({"num_train_epochs": 1, "max_steps": 8, "log_history": rows, "best_global_step": None}))
    done = samestep("compare", path, "constant:initial=1e-3")
    assert done.returncode == 0, done.stderr
    assert "hugging-face" in done.stdout.lower() or "8 steps" in done.stdout
