# expects: none
import torch, lightning as L
from torch.utils.data import DataLoader, TensorDataset

x = torch.rand(320, 1)


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.l = torch.nn.Linear(1, 1)

    def training_step(self, batch, i):
        return ((self.l(batch[0]) - batch[1]) ** 2).mean()

    def validation_step(self, batch, i):
        self.log("v", 1.0)

    def configure_optimizers(self):
        o = torch.optim.AdamW(self.parameters(), lr=0.01)
        return [o], [torch.optim.lr_scheduler.CosineAnnealingLR(o, 50)]


d = DataLoader(TensorDataset(x, x**2), batch_size=32)
L.Trainer(
    max_epochs=50,
    callbacks=[L.pytorch.callbacks.EarlyStopping("v", patience=3)],
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    accelerator="cpu",
    accumulate_grad_batches=2,
).fit(Net(), d, d)
