"""Logs in the form of programs that are not installed here, whose rates are those of PyTorch's own schedulers.

`tests/data/record/written_logs.py` wrote them: 60 updates, 6 epochs of 10.
"""

import math
from pathlib import Path

import numpy as np
import pytest

from samestep._compare.readers import Options, ReadError, read, rounding
from samestep._compare.tolerance import allowed

LOGS = Path(__file__).parents[2] / "data" / "logs"
COUNT, SIZE = 60, 10
EPOCHS = Options(steps_per_epoch=SIZE)


def cosine(n):  # float64 closed forms
    return 0.1 * (1 + math.cos(math.pi * n / COUNT)) / 2


def warm_linear(n, peak=0.1):
    return peak * (n / 6 if n < 6 else max(COUNT - n, 0) / (COUNT - 6))


def small_linear(n):
    return warm_linear(n, 2e-4)


def inverse_sqrt(n):
    return 5e-4 * (n / 8 if n < 8 else math.sqrt(8 / n))


def stairs(n):
    return 0.1 * 0.5 ** (n // 20)


def mean_of_epoch(n):
    return sum(warm_linear(n + k) for k in range(SIZE)) / SIZE


def by_timesteps(n):
    return 3e-4 * (1 - n / 6000)


def warm_group(n):
    return cosine(n) + 0.01 * max(20 - n, 0)


CASES = {
    "yolo/yolov5/results.csv": ("yolo", EPOCHS, "x/lr0", cosine, range(9, 60, 10)),
    "yolo/ultralytics/results.csv": ("yolo", EPOCHS, "lr/pg2", warm_group, range(9, 60, 10)),
    "yolo/events": ("tensorboard", EPOCHS, "lr/pg1", cosine, range(9, 60, 10)),
    "deit/log.txt": ("deit", EPOCHS, "train_lr", mean_of_epoch, range(0, 60, 10)),
    "timm/summary.csv": ("timm", EPOCHS, "lr", stairs, range(9, 60, 10)),
    "pytorch-classification/log.txt": ("pytorch-classification", EPOCHS, "Learning Rate", stairs, range(0, 60, 10)),
    "mmengine/scalars.json": ("mmengine", Options(), "lr", warm_linear, range(4, 60, 5)),
    "mmengine/mmcv.log.json": ("mmengine", EPOCHS, "lr", warm_linear, range(4, 60, 5)),
    "detectron2/metrics.json": ("detectron2", Options(), "lr", warm_linear, range(4, 60, 5)),
    "fairseq/json/train.log": ("fairseq", Options(), "lr", inverse_sqrt, range(2, 61, 2)),
    "fairseq/simple/train.log": ("fairseq", Options(), "lr", inverse_sqrt, range(2, 61, 2)),
    "llama-factory/trainer_log.jsonl": ("llama-factory", Options(), "lr", small_linear, range(5, 61, 5)),
    "trainer-output/before-4.51.log": ("trainer-output", EPOCHS, "learning_rate", small_linear, range(5, 61, 5)),
    "trainer-output/5.0.log": ("trainer-output", EPOCHS, "learning_rate", small_linear, range(4, 60, 5)),
    "stable-baselines3/progress.csv": (
        "stable-baselines3",
        Options(),
        "train/learning_rate",
        by_timesteps,
        range(100, 6000, 100),
    ),
    "text/colons.log": ("text", Options(), "lr", cosine, range(0, 60, 4)),
    "text/equals.log": ("text", Options(), "lr", cosine, range(0, 60, 4)),
    "text/words.log": (
        "text",
        Options(columns={"step": r"after (\d+) updates", "lr": r"rate is now (\S+),"}),
        r"rate is now (\S+),",
        cosine,
        range(0, 60, 4),
    ),
}


@pytest.mark.parametrize("log", CASES)
def test_each_update_has_the_rate_that_its_scheduler_gave_it(log):
    form, options, name, closed, steps = CASES[log]
    if log == "text/words.log":
        options = Options(columns=options.columns, format="text")
    trace = read(LOGS / log, options)
    assert trace.manifest["format"] == form
    rows = trace.steps["arm"] == name
    assert trace.steps["step"][rows].tolist() == list(steps)
    lr, expected = trace.steps["lr"][rows], np.array([closed(n) for n in steps])
    assert (np.abs(lr - expected) <= allowed(np.maximum(lr, expected), rounding(trace)[rows] * (1 + 1e-9))).all()
    moved = trace.manifest["conventions"]["lr_timing"] == "next"  # a loss stays with its own update
    assert moved or np.isfinite(trace.steps["loss"][rows]).any() or log in ("yolo/events", "text/words.log")


def test_what_each_program_does_is_said():
    said = {log: " ".join(read(LOGS / log, CASES[log][1]).manifest["assumed"]) for log in CASES if "words" not in log}
    assert "that of its last update" in said["yolo/yolov5/results.csv"]
    assert "the mean of the epoch's rates" in said["deit/log.txt"]
    assert "MMEngine counts updates from 1" in said["mmengine/scalars.json"]
    assert "the rate of the update after it" in said["fairseq/json/train.log"]
    assert "rows hold the next rate" in said["llama-factory/trainer_log.jsonl"]
    assert "A step is one of the environment" in said["stable-baselines3/progress.csv"]
    assert all(said.values())


@pytest.mark.parametrize("log", [log for log, case in CASES.items() if case[1] == EPOCHS])
def test_a_log_that_needs_the_steps_of_an_epoch_asks_for_them(log):
    with pytest.raises(ReadError, match="--steps-per-epoch"):
        read(LOGS / log)


def test_mmcv_counts_iterations_within_the_epoch_and_rounds_to_five_decimals():
    with pytest.raises(ReadError, match="line 5: iter 5 after 10, since MMCV counts it within the epoch"):
        read(LOGS / "mmengine" / "mmcv.log.json")
    assert read(LOGS / "mmengine" / "mmcv.log.json", EPOCHS).manifest["rounding"] == {"decimals": 5}


@pytest.mark.parametrize("size", [50, 57, 100, 300, 500, 1234])
@pytest.mark.parametrize("every", [1, 10, 50])
@pytest.mark.parametrize("form", ["{:.2f}", "{:.4g}", "{!r}"])
def test_the_steps_of_printed_epochs_are_found(tmp_path, size, every, form):
    steps = range(every, 601, every)
    lines = [f"{{'loss': 1.0, 'learning_rate': 1e-05, 'epoch': {float(form.format(n / size))}}}\n" for n in steps]
    (tmp_path / "log").write_text("".join(lines))
    assert read(tmp_path / "log", Options(steps_per_epoch=size, step_base=0)).steps["step"].tolist() == list(steps)


def test_trainer_epochs_that_fit_no_step_are_refused(tmp_path):
    lines = [f"{{'loss': 1.0, 'learning_rate': 0.1, 'epoch': {epoch}}}\n" for epoch in (0.01, 0.5, 0.51)]
    (tmp_path / "log").write_text("".join(lines))
    with pytest.raises(ReadError, match="do not show at which of 333 steps an epoch each line stands"):
        read(tmp_path / "log", Options(steps_per_epoch=333))


def test_a_pattern_that_is_none_is_refused():
    options = Options(columns={"lr": "rate ("}, format="text")
    with pytest.raises(ReadError, match=r"column\.lr: 'rate \(' is not a pattern"):
        read(LOGS / "text" / "words.log", options)


def test_the_unit_of_a_step_and_the_rate_of_an_epoch_may_be_stated(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("step,lr\n1,0.1\n2,0.2\n3,0.3\n")
    options = Options(step_unit="epoch", steps_per_epoch=10, step_base=1, epoch_lr="last")
    assert read(path, options).steps["step"].tolist() == [9, 19, 29]
    with pytest.raises(ReadError, match="epoch_lr=last is about a log with one row per epoch"):
        read(path, Options(epoch_lr="last"))
    with pytest.raises(ReadError, match=r"step_unit: 'minute'\. Write step or epoch"):
        Options(step_unit="minute")


def test_a_file_of_weights_and_biases_says_how_to_export_it(tmp_path):
    (tmp_path / "run-abc.wandb").write_bytes(b":W&B\xe1\xbe\x00" + b"\0" * 100)
    with pytest.raises(ReadError, match=r"Export the run's history as CSV"):
        read(tmp_path / "run-abc.wandb")


LINES = {
    "Megatron": " iteration {step:8d}/  500000 | consumed samples: {step:12d} | learning rate: {lr:.3E} | lm loss: 6.12E+00 |",
    "Swin": "[2026-01-02 10:00:00 swin](main.py 240): INFO Train: [{epoch}/6][{batch}/10]\teta 0:10:00 lr {lr:.6f}\t wd 0.05",
    "timm": "Train: {epoch} [{batch:4d}/10 ( 12%)]  Loss: 6.93 (6.93)  Time: 0.4s  LR: {lr:.3e}  Data: 0.01",
    "MMCV from 1": "2026-01-02 10:00:00,000 - mmdet - INFO - Epoch [{epoch1}][{batch}/10]\tlr: {lr:.3e}, eta: 1:00:00, time: 0.5",
    "nanoGPT": "iter {step}: loss 2.3456, lr {lr:.4e}, time 123.45ms",
    "llm.c": "step {step:4d}/19560 | loss 10.9 (+nanz)| norm 15.3 (+nanz)| lr {lr:.2e} | 3000 ms | 54% bf16 MFU",
    "loguru": "2026-01-02 10:00:00.123 | INFO     | __main__:train:42 - Step: {step}, Loss: 1.5, Learning Rate: {lr:.6e}",
    "JSON": '2026-01-02 10:00:00 INFO metrics {{"step": {step}, "lr": {lr!r}, "loss": 1.5}}',
    "torchtitan": "[rank0]:[titan] 2026-01-02 10:00:00,000 - root - INFO - step: {step:2d}  loss:  8.1  lr: {lr:.2e} tps: 7,000",
    "DeepSpeed": "[2026-01-02 10:00:00,000] [INFO] [logging.py:96:log_dist] [Rank 0] step={step}, skipped=0, lr=[{lr!r}]",
}


@pytest.mark.parametrize("form", LINES)
def test_step_and_rate_are_found_in_lines_of_text(tmp_path, form):
    steps = range(2, 60, 4)
    lines = [
        LINES[form].format(step=n, lr=cosine(n), epoch=n // 10, epoch1=n // 10 + 1, batch=n % 10) + "\n" for n in steps
    ]
    (tmp_path / "log").write_text("".join(["starting\n", *lines, "done\n"]))
    trace = read(tmp_path / "log")
    assert (trace.manifest["format"], trace.steps["step"].tolist()) == ("text", list(steps))
    expected = np.array([cosine(n) for n in steps])
    assert (np.abs(trace.steps["lr"] - expected) <= allowed(expected, rounding(trace) * (1 + 1e-9))).all()


def test_several_rows_of_an_epoch_are_no_log_of_epochs(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,batch,lr\n0,0,0.1\n0,1,0.09\n1,0,0.08\n")
    with pytest.raises(ReadError, match=r"line 3: another rate of epoch 0\. Its rows are not epochs"):
        read(tmp_path / "log.csv", EPOCHS)


KERAS = {
    "epoch,learning_rate,loss\n0,0.10000000149011612,1\n": "keras",
    "epoch,accuracy,loss,lr,val_accuracy,val_loss\n0,0.5,1,0.1,0.5,1\n": "keras",
    "epoch,learning_rate,loss\n1,0.10000000149011612,1\n": "csv",
    "epoch,learning_rate,loss\n0,0.08102915,1\n1,0.09755282581475769,1\n": "csv",
    "epoch,loss,lr\n0,1,0.1\n": "csv",
    "epoch,lr,test_acc\n0,0.1,0.5\n": "csv",
    "epoch,loss,lr,train/acc,val_loss\n0,1,0.1,0.5,1\n": "csv",
}


@pytest.mark.parametrize("text", KERAS)
def test_a_table_is_called_keras_only_where_nothing_speaks_against_it(tmp_path, text):
    (tmp_path / "log.csv").write_text(text)
    assert read(tmp_path / "log.csv", EPOCHS).manifest["format"] == KERAS[text]
