"""Record what Lightning's loggers write of a run with two parameter groups, every step and every tenth step.

Recorded with Lightning 2.6.6, PyTorch 2.13.0 and TensorBoard 2.21.0, Python 3.11, on a CPU. Run:

    python tests/data/record/lightning_logs.py

`LearningRateMonitor(logging_interval="step")` gives the rates; the loss comes from `self.log`. The rates used are
0.1 * 0.97 ** n and 0.01 * 0.97 ** n. Two epochs of 20 updates.
"""

import shutil
import warnings

import lightning
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from rows import DATA


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(1, 2), torch.nn.Linear(2, 1)

    def training_step(self, batch, index):
        (x,) = batch
        loss = (self.second(self.first(x)) - x).square().mean()
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        groups = [{"params": self.first.parameters()}, {"params": self.second.parameters(), "lr": 0.01}]
        optimizer = torch.optim.SGD(groups, lr=0.1)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def train(logger, every):
    lightning.seed_everything(0, verbose=False)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(80, 1)), batch_size=4)
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=logger,
        log_every_n_steps=every,
        callbacks=[LearningRateMonitor(logging_interval="step")],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(), data)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for every in (1, 10):
        for kind, name in ((CSVLogger, "lightning-csv"), (TensorBoardLogger, "lightning-tensorboard")):
            shutil.rmtree(DATA / "logs" / name / f"every-{every}", ignore_errors=True)
            train(kind(DATA / "logs", name=name, version=f"every-{every}"), every)
