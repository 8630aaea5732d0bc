"""Record plain logs of a PyTorch loop: CSV, JSON lines, and TensorBoard's SummaryWriter.

Recorded with PyTorch 2.13.0 and TensorBoard 2.21.0, Python 3.11, on a CPU. Run:

    python tests/data/record/torch_logs.py

100 updates in 5 epochs of 20; update n uses 0.1 * 0.97 ** n.
"""

import csv
import json
import shutil

import torch
from rows import DATA
from torch.utils.tensorboard import SummaryWriter


def updates():
    """Step, epoch, the rate that the update used, its loss."""
    torch.manual_seed(0)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)
    for step in range(100):
        x = torch.rand(4, 1)
        optimizer.zero_grad()
        loss = (model(x) - x.square()).square().mean()
        loss.backward()
        rate = optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()
        yield step, step // 20, rate, loss.item()


def plain(folder):
    folder.mkdir(parents=True, exist_ok=True)
    names = ("step", "epoch", "lr", "loss")
    with (
        (folder / "log.csv").open("w", newline="") as log,
        (folder / "six-digits.csv").open("w", newline="") as six,
        (folder / "semicolons.csv").open("w", newline="") as semicolons,
        (folder / "log.jsonl").open("w") as lines,
        (folder / "other-names.jsonl").open("w") as others,
    ):
        wide, spreadsheet = csv.writer(log), csv.writer(semicolons, delimiter=";", quoting=csv.QUOTE_ALL)
        wide.writerow(names)
        spreadsheet.writerow(names)
        six.write(",".join(names) + "\n")
        for step, epoch, rate, loss in updates():
            wide.writerow([step, epoch, rate, loss])
            spreadsheet.writerow([step, epoch, rate, loss])
            six.write(f"{step},{epoch},{rate:.6g},{loss:.6g}\n")
            lines.write(json.dumps({"step": step, "epoch": epoch, "lr": rate, "loss": loss}) + "\n")
            others.write(json.dumps({"global_step": step + 1, "optim": {"rate": rate}, "message": "= ok"}) + "\n")


def tensorboard(folder, **options):
    shutil.rmtree(folder, ignore_errors=True)
    with SummaryWriter(folder) as writer:
        for step, _, rate, loss in updates():
            writer.add_scalar("train/learning_rate", rate, step, **options)
            writer.add_scalar("train/loss", loss, step, **options)


if __name__ == "__main__":
    plain(DATA / "logs" / "plain")
    tensorboard(DATA / "logs" / "torch-tensorboard" / "scalars")
    tensorboard(DATA / "logs" / "torch-tensorboard" / "tensors", new_style=True)
    tensorboard(DATA / "logs" / "torch-tensorboard" / "double-precision-alone", double_precision=True)
    tensorboard(DATA / "logs" / "torch-tensorboard" / "doubles", new_style=True, double_precision=True)
