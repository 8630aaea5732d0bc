"""What a program is told in its own words: the schedule that is read has the rates of the real program."""

import json
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
        "sched": st.sampled_from(["cosine", "poly", "step", "multistep", "constant", "wsd"]),
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
    "timm:sched=tanh,lr=1": "samestep has no word for timm's tanh",
    "timm:sched=cosine,epochs=5": "timm: lr is missing",
    "timm:sched=cosine,lr=0.1": "looked up once per epoch. Add --stepping epoch",
    "timm:sched=cosine,lr=0.1,lr_noise=0.5": "a rate with noise follows no schedule",
    "timm:--sched cosine --sched step": "'sched' is there twice",
    "timm:cosine": "timm: 'cosine' is not one of its names. Known: sched, lr",
    "timm:sched=cosine,lr=1,warmup_epoch=5": "'warmup_epoch' is not one of its names. Did you mean warmup_epochs?",
    "timm:--model vit --sched cosine --lr 1 --warmup-epoch 5": "Did you mean warmup_epochs?",
    "timm:": "nothing follows timm:. Write timm:sched=cosine",
    "timm:--lr 'a": "no closing quotation. Close it.",
    "timm:sched=step,lr=fast": "lr: got 'fast'. Write a number.",
    'deepspeed:{"type": "WarmupLr"}': "deepspeed: type: got 'WarmupLr'. Did you mean WarmupLR?",
    'deepspeed:{"type": "WarmupLR", "params": {"warmup_max": 1}}': "params.warmup_max is not known there. Did you mean warmup_max_lr?",
    'deepspeed:{"type": "WarmupLR", "params": {"warmup_max_lr": "auto"}}': "'auto' is filled in by the program that runs",
    'deepspeed:{"type": "WarmupLR", "params": {"warmup_max_lr": [1, 2]}}': "one for each parameter group",
    'deepspeed:{"type": "WarmupLR", "params": 3}': "params: got 3. Write an object",
    'deepspeed:{"type": "WarmupLR"}': "warmup_max_lr is missing",
    'deepspeed:{"type": "WarmupCosineLR", "params": {"total_num_steps": 99}}': "the optimizer's rate is missing",
    'deepspeed:{"type": "WarmupDecayLR", "params": {"total_num_steps": 99}}': "got 99 with a warm-up of 1000",
    'deepspeed:{"type": "LRRangeTest", "params": {}}': "a line without an end",
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


def test_examples_are_read():
    for dialect in DIALECTS.values():
        assert read(f"{dialect.name}:{dialect.example}", "epoch" if dialect.name == "timm" else "step")


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
