"""Measure what loops, Lightning and Hugging Face's Trainer show as the loss, beside each batch's own; print as JSON."""

import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import lightning
import torch
import transformers

import torch_impl

warnings.simplefilter("ignore")
for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)
transformers.logging.set_verbosity_error()
SAMPLES, BATCH_SIZE, EPOCHS = 1000, 32, 3  # the last batch has 8 rows
torch.manual_seed(0)
X = torch.rand(SAMPLES, 1) * 2
DATA = torch.utils.data.TensorDataset(X, X**2 + 0.05 * torch.randn(SAMPLES, 1))


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(1, 10), torch.nn.Tanh(), torch.nn.Dropout(0.2), torch.nn.Linear(10, 1))


def looped():
    """A loop by hand, with every figure that people print from one."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loader = torch.utils.data.DataLoader(DATA, BATCH_SIZE, shuffle=True)
    mean, total = torch.nn.MSELoss(), torch.nn.MSELoss(reduction="sum")
    found = {key: [] for key in ("running", "summed", "half", "over_batches", "over_samples", "epoch_sum")}
    with torch_impl.record(FOLDER / "own.csv") as recorder:
        for _ in range(EPOCHS):
            running, weighted, rows = 0.0, 0.0, 0
            for batch, (x, y) in enumerate(loader):
                optimizer.zero_grad()
                prediction = model(x)
                loss = mean(prediction, y)
                loss.backward()
                optimizer.step()
                recorder.log(loss)
                running += loss.item()
                weighted += loss.item() * len(x)
                rows += len(x)
                found["running"].append(running / (batch + 1))
                found["summed"].append(total(prediction, y).item())
                found["half"].append((0.5 * (prediction - y).square().mean()).item())
            found["over_batches"].append(running / len(loader))
            found["over_samples"].append(weighted / rows)
            found["epoch_sum"].append(running)
    return found | {"own": own(FOLDER / "own.csv")}


def own(path):
    """The losses that the recorder wrote; of several parameter groups, with the first."""
    names, *lines = [line.split(",") for line in path.read_text().splitlines()]
    arm, loss = names.index("arm"), names.index("loss")
    return [float(line[loss]) for line in lines if line[arm] == lines[0][arm]]


class Module(lightning.LightningModule):
    """Logs as most do: by step and by epoch, and leaves the batch size to Lightning."""

    def __init__(self, recorder):
        super().__init__()
        self.network, self.recorder = network(), recorder

    def training_step(self, batch, index):
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.network(x), y)
        self.recorder.log(loss)
        self.log("loss", loss, on_step=True, on_epoch=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


def in_lightning():
    logger = lightning.pytorch.loggers.CSVLogger(FOLDER / "lightning")
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", devices=1, logger=logger, log_every_n_steps=1,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    with torch_impl.record(FOLDER / "lightning.csv") as recorder:
        trainer.fit(Module(recorder), torch.utils.data.DataLoader(DATA, BATCH_SIZE))
    lines = [line.split(",") for line in (Path(logger.log_dir) / "metrics.csv").read_text().splitlines()]
    columns = {name: [float(cell) for line in lines[1:] if (cell := line[lines[0].index(name)])] for name in
               ("loss_step", "loss_epoch")}  # fmt: skip
    return columns | {"own": own(FOLDER / "lightning.csv")}


class Network(torch.nn.Module):
    def __init__(self, recorder):
        super().__init__()
        self.network, self.recorder = network(), recorder

    def forward(self, x, y):
        loss = torch.nn.functional.mse_loss(self.network(x), y)
        self.recorder.log(loss)
        return {"loss": loss}


def in_transformers(every):
    """Rows of the Trainer's log: step, counted from 1, and loss."""
    arguments = transformers.TrainingArguments(
        str(FOLDER / "hugging-face"), num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH_SIZE,
        learning_rate=0.01, use_cpu=True, report_to="none", save_strategy="no", logging_steps=every,
        logging_nan_inf_filter=False, disable_tqdm=True,
    )  # fmt: skip
    rows = [{"x": x, "y": y} for x, y in DATA]
    path = FOLDER / f"hugging-face-{every}.csv"
    with torch_impl.record(path) as recorder:
        trainer = transformers.Trainer(Network(recorder), arguments, train_dataset=rows)
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    shown = [(row["step"], row["loss"]) for row in trainer.state.log_history if "loss" in row]
    return {"shown": shown, "own": own(path)}


with tempfile.TemporaryDirectory() as folder:
    FOLDER = Path(folder)
    measured = {"loop": looped(), "lightning": in_lightning(), "hugging_face": in_transformers(10)}
json.dump(measured, sys.stdout)
