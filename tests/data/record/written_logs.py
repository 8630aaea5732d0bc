"""Write the logs of programs that are not installed here, line for line in the form that each of them writes.

The rates are those of PyTorch's own schedulers (2.13.0) over 60 updates in 6 epochs of 10. Run:

    python tests/data/record/written_logs.py

The forms are those of the programs' own code: YOLOv5 7.0, Ultralytics 8.3, MAE, MMEngine 0.10, MMCV 1.7, detectron2 0.6,
fairseq 0.12, LLaMA-Factory 0.9, transformers 4.40 and 5.0 (its printed lines), Stable-Baselines3 2.4, timm 1.0,
pytorch-classification.
"""

import json
import math

import torch
from rows import DATA
from torch.utils.tensorboard import SummaryWriter

LOGS = DATA / "logs"
EPOCHS, SIZE = 6, 10
COUNT = EPOCHS * SIZE
SCHEDULERS = torch.optim.lr_scheduler


def rates(make, initial=0.1, per=1):
    """The rate of each update, and the one after the last; the scheduler steps once in `per` updates."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=initial)
    scheduler = make(optimizer)
    found = []
    for step in range(COUNT + 1):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if (step + 1) % per == 0:
            scheduler.step()
    return found


def stairs(optimizer):
    return SCHEDULERS.StepLR(optimizer, 2, 0.5)


def cosine(optimizer):
    return SCHEDULERS.CosineAnnealingLR(optimizer, COUNT)


def warm_linear(optimizer):
    return SCHEDULERS.LambdaLR(optimizer, lambda n: n / 6 if n < 6 else max(COUNT - n, 0) / (COUNT - 6))


def inverse_sqrt(optimizer):
    return SCHEDULERS.LambdaLR(optimizer, lambda n: n / 8 if n < 8 else math.sqrt(8 / n))


def write(name, lines):
    path = LOGS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def loss(step):
    return 2.0 / (1 + step / 20)


def yolo():
    """The rate of the epoch's last update; warm-up per update, and the first group's from above."""
    used = rates(cosine)
    ends = range(SIZE - 1, COUNT, SIZE)
    groups = [[used[n], used[n], min(used[n] + 0.01 * max(20 - n, 0), 0.3)] for n in ends]
    names = ["epoch", "train/box_loss", "train/obj_loss", "x/lr0", "x/lr1", "x/lr2"]
    rows = [[epoch, loss(10 * epoch), 0.01, *three] for epoch, three in enumerate(groups)]
    text = [("%20.5g," * 6 % tuple(row)).rstrip(",") for row in rows]
    write("yolo/yolov5/results.csv", [("%20s," * 6 % tuple(names)).rstrip(","), *text])
    names = ["epoch", "time", "train/box_loss", "metrics/mAP50(B)", "lr/pg0", "lr/pg1", "lr/pg2"]
    rows = [[epoch + 1, 3.2 * epoch, loss(10 * epoch), 0.5, *three] for epoch, three in enumerate(groups)]
    write("yolo/ultralytics/results.csv", [",".join(names), *(("%.6g," * 7 % tuple(row)).rstrip(",") for row in rows)])
    with SummaryWriter(str(LOGS / "yolo" / "events")) as writer:
        for epoch, three in enumerate(groups):
            for group, rate in enumerate(three):
                writer.add_scalar(f"lr/pg{group}", rate, epoch + 1)


def per_epoch():
    used = rates(warm_linear)
    means = [sum(used[e * SIZE : (e + 1) * SIZE]) / SIZE for e in range(EPOCHS)]
    write(
        "deit/log.txt",
        (
            json.dumps({"train_lr": mean, "train_loss": loss(10 * e), "test_acc1": 50.0, "epoch": e, "n_parameters": 9})
            for e, mean in enumerate(means)
        ),
    )
    held = rates(stairs, per=SIZE)[::SIZE]
    names = "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr"
    write("timm/summary.csv", [names, *(f"{e},{loss(10 * e)},1.5,50.0,80.0,{held[e]}" for e in range(EPOCHS))])
    names = ("Learning Rate", "Train Loss", "Valid Loss", "Train Acc.", "Valid Acc.")
    rows = ((held[e], loss(10 * e), 1.5, 50.0, 50.0) for e in range(EPOCHS))
    text = ["".join(f"{name}\t" for name in names), *("".join(f"{cell:.6f}\t" for cell in row) for row in rows)]
    write("pytorch-classification/log.txt", text)


def openmmlab():
    used = rates(warm_linear)
    lines = []
    for step in range(4, COUNT, 5):
        epoch, batch = step // SIZE + 1, step + 1
        line = {"lr": used[step], "data_time": 0.01, "loss": loss(step), "time": 0.2}
        lines.append(line | {"epoch": epoch, "iter": batch, "memory": 1000, "step": batch})
        if batch % SIZE == 0:
            lines.append({"accuracy/top1": 50.0, "data_time": 0.01, "time": 0.2, "step": epoch})
    write("mmengine/scalars.json", map(json.dumps, lines))
    lines = [{"env_info": "sys.platform: linux", "config": "lr = 0.1", "seed": 0, "exp_name": "a.py"}]
    for step in range(4, COUNT, 5):
        epoch, batch = step // SIZE + 1, step % SIZE + 1
        line = {"mode": "train", "epoch": epoch, "iter": batch, "lr": round(used[step], 5), "memory": 1000}
        lines.append(line | {"data_time": 0.01, "loss": round(loss(step), 5), "time": 0.2})
        if batch == SIZE:
            lines.append({"mode": "val", "epoch": epoch, "iter": 3, "lr": round(used[step], 5), "bbox_mAP": 0.3})
    write("mmengine/mmcv.log.json", map(json.dumps, lines))
    lines = [
        {"data_time": 0.01, "iteration": step, "loss_cls": 0.5, "lr": used[step], "total_loss": loss(step)}
        for step in range(4, COUNT, 5)
    ]
    write("detectron2/metrics.json", map(json.dumps, [*lines, {"bbox/AP": 30.0, "iteration": COUNT - 1}]))


def fairseq():
    """After an update fairseq counts it and sets the next rate; then it logs."""
    rate = rates(inverse_sqrt, 5e-4)
    of_json, simple = [], []
    head = "2026-01-02 03:04:05 | INFO"
    for count in range(2, COUNT + 1, 2):
        epoch, batch = (count - 1) // SIZE + 1, (count - 1) % SIZE + 1
        values = {"loss": f"{loss(count):.3f}", "ppl": "8.5", "wps": "12345.6", "ups": "3.4", "wpb": "3600"}
        values |= {"bsz": "100", "num_updates": str(count), "lr": f"{rate[count]:g}", "gnorm": "2.1", "clip": "0"}
        first = {"epoch": epoch, "update": round(epoch - 1 + batch / SIZE, 3)}
        of_json.append(f"{head} | train_inner | {json.dumps(first | values)}")
        pairs = ", ".join(f"{name}={value}" for name, value in values.items())
        simple.append(f"{head} | train_inner | epoch {epoch:03d}: {batch:6d} / {SIZE} {pairs}, train_wall=30, wall=35")
        if batch == SIZE:
            valid = {"epoch": epoch, "valid_loss": "2.0", "valid_num_updates": str(count), "valid_best_loss": "2.0"}
            of_json.append(f"{head} | valid | {json.dumps(valid)}")
            simple.append(
                f"{head} | valid | epoch {epoch:03d} | valid on 'valid' subset | loss 2.0 | num_updates {count}"
            )
            train = {"epoch": epoch, "train_loss": "2.0", "train_num_updates": str(count), "train_lr": "0.0001"}
            of_json.append(f"{head} | train | {json.dumps(train)}")
            simple.append(
                f"{head} | train | epoch {epoch:03d} | loss 2.0 | num_updates {count} | lr 0.0001 | gnorm 2.0"
            )
    write("fairseq/json/train.log", [f"{head} | fairseq_cli.train | task: TranslationTask", *of_json])
    write("fairseq/simple/train.log", [f"{head} | fairseq_cli.train | num. shared model params: 44,140,544", *simple])


def trainers():
    """What transformers' callbacks write elsewhere; before 4.51.3 the next rate, since then the used one."""
    rate = rates(warm_linear, 2e-4)
    lines = []
    for count in range(5, COUNT + 1, 5):
        values = {"current_steps": count, "total_steps": COUNT, "loss": round(loss(count), 4), "lr": rate[count]}
        values |= {"epoch": count / SIZE, "percentage": round(100 * count / COUNT, 2), "elapsed_time": "0:00:10"}
        lines.append(json.dumps(values | {"remaining_time": "0:01:00"}))
    write("llama-factory/trainer_log.jsonl", lines)
    printed, quoted = ["***** Running training *****", "  Num examples = 320"], []
    for count in range(5, COUNT + 1, 5):
        values = {"loss": round(loss(count), 4), "grad_norm": 1.5, "learning_rate": rate[count]}
        printed.append(str(values | {"epoch": round(count / SIZE, 2)}))
        texts = {"loss": f"{loss(count):.4g}", "grad_norm": "1.5", "learning_rate": f"{rate[count - 1]:.4g}"}
        quoted.append(f" {100 * count // COUNT:3d}%|███       | {count}/{COUNT}")
        quoted.append(str(texts | {"epoch": f"{count / SIZE:.4g}"}))
    printed.append("{'train_runtime': 12.3, 'train_samples_per_second': 26.0, 'train_loss': 1.2, 'epoch': 6.0}")
    write("trainer-output/before-4.51.log", printed)
    write("trainer-output/5.0.log", quoted)


def stable_baselines3():
    """PPO with a linear schedule of 6,000 timesteps and rollouts of 100: a row is written before its training."""
    names = "rollout/ep_rew_mean,time/iterations,time/total_timesteps,train/learning_rate,train/loss,train/n_updates"
    rows = ["20.0,1,100,,,"]
    for row in range(2, COUNT + 1):
        rate = 3e-4 * (1 - 100 * (row - 1) / 6000)
        rows.append(f"20.0,{row},{100 * row},{rate},{loss(row)},{10 * (row - 1)}")
    write("stable-baselines3/progress.csv", [names, *rows])


def text():
    used = rates(cosine)
    form = "2026-01-02 03:04:05 INFO Train: [{}/6][ {:2d}/10] step: {} eta 0:01:00 loss {:.4f} lr: {:.3e} mem 100MB"
    lines = [form.format(n // SIZE, n % SIZE, n, loss(n), used[n]) for n in range(0, COUNT, 4)]
    write("text/colons.log", ["Start training", *lines])
    write("text/equals.log", [f"[main] iter={n} train_loss={loss(n):.5g} lr={used[n]:.5g}" for n in range(0, COUNT, 4)])
    write("text/words.log", [f"after {n} updates the rate is now {used[n]:.6f}, fine" for n in range(0, COUNT, 4)])


if __name__ == "__main__":
    for each in (yolo, per_epoch, openmmlab, fairseq, trainers, stable_baselines3, text):
        each()
