# expects: steps-as-epochs
import torch, lightning as L
from torch.utils.data import DataLoader, TensorDataset

x = torch.rand(320, 1)


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.l = torch.nn.Linear(1, 1)

    def training_step(self, batch, i):
        return ((self.l(batch[0]) - batch[1]) ** 2).mean()

    def configure_optimizers(self):
        o = torch.optim.AdamW(self.parameters(), lr=0.01)
        s = torch.optim.lr_scheduler.OneCycleLR(o, 0.01, total_steps=self.trainer.estimated_stepping_batches)  # here
        return [o], [s]


L.Trainer(
    max_epochs=6,
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    accelerator="cpu",
).fit(Net(), DataLoader(TensorDataset(x, x**2), batch_size=32))
