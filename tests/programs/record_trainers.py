"""Record Lightning's and Hugging Face's trainers into the folder named as argument; print what each update did.

The truth is the rate that stands in `param_groups` as the optimizer's own `step` runs, noted by a subclass.
"""

import json
import logging
import sys
import warnings
from pathlib import Path

import lightning
import torch
import transformers
from torch.optim.lr_scheduler import StepLR

import torch_impl

warnings.simplefilter("ignore")
for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)
transformers.logging.set_verbosity_error()
FOLDER = Path(sys.argv[1])
X = torch.arange(40, dtype=torch.float32).reshape(20, 2) / 40


class Noting(torch.optim.SGD):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.used = []

    def step(self, closure=None):
        self.used.append(self.param_groups[0]["lr"])
        return super().step(closure)


class Module(lightning.LightningModule):
    def __init__(self, recorder):
        super().__init__()
        self.dense = torch.nn.Linear(2, 1)
        self.recorder, self.losses = recorder, []

    def training_step(self, batch, index):
        loss = self.dense(batch[0]).square().mean()
        self.recorder.log(loss)
        self.losses.append(loss.item())
        return loss

    def configure_optimizers(self):
        self.optimizer = Noting(self.parameters(), lr=0.1)
        return [self.optimizer], [{"scheduler": StepLR(self.optimizer, 3, 0.5), "interval": "step"}]


def in_lightning(path, accumulate):
    torch.manual_seed(0)
    trainer = lightning.Trainer(
        max_epochs=2,
        accumulate_grad_batches=accumulate,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with torch_impl.record(path) as recorder:
        module = Module(recorder)
        trainer.fit(module, torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X), batch_size=4))
    epochs = [module.losses[:5], module.losses[5:]]
    cut = [part for losses in epochs for part in (losses[i : i + accumulate] for i in range(0, 5, accumulate))]
    return {
        "Noting": [[rate, sum(part) / len(part)] for rate, part in zip(module.optimizer.used, cut, strict=True)],
    }


class Network(torch.nn.Module):
    def __init__(self, recorder):
        super().__init__()
        self.dense = torch.nn.Linear(2, 1)
        self.recorder, self.losses = recorder, []

    def forward(self, x):
        loss = self.dense(x).square().mean()
        self.recorder.log(loss)
        self.losses.append(loss.item())
        return {"loss": loss}


def in_transformers(path, accumulate):
    torch.manual_seed(0)
    arguments = transformers.TrainingArguments(
        output_dir=str(FOLDER / "trainer"),
        num_train_epochs=2,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=accumulate,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    with torch_impl.record(path) as recorder:
        model = Network(recorder)
        optimizer = Noting(model.parameters(), lr=0.1)
        trainer = transformers.Trainer(
            model=model,
            args=arguments,
            train_dataset=[{"x": row} for row in X],
            optimizers=(optimizer, StepLR(optimizer, 3, 0.5)),
        )
        trainer.train()
    parts = [model.losses[5 * epoch :][:5][i : i + accumulate] for epoch in (0, 1) for i in range(0, 5, accumulate)]
    return {"Noting": [[rate, sum(part) / len(part)] for rate, part in zip(optimizer.used, parts, strict=True)]}


CASES = {
    "lightning": lambda path: in_lightning(path, 1),
    "lightning-accumulated": lambda path: in_lightning(path, 2),
    "transformers": lambda path: in_transformers(path, 1),
    "transformers-accumulated": lambda path: in_transformers(path, 2),
}
told = {name: case(FOLDER / f"{name}.csv") for name, case in CASES.items()}
print("\n" + json.dumps(told))
