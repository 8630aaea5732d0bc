# expects: accumulation
import torch, tempfile
from transformers import Trainer, TrainingArguments


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.l = torch.nn.Linear(1, 1)

    def forward(self, x, labels=None):
        y = self.l(x)
        return {"loss": ((y - labels) ** 2).mean(), "logits": y}


data = [{"x": torch.rand(1), "labels": torch.rand(1)} for _ in range(320)]
with tempfile.TemporaryDirectory() as d:
    a = TrainingArguments(
        d,
        per_device_train_batch_size=16,
        num_train_epochs=4,
        lr_scheduler_type="cosine",
        warmup_steps=5,
        gradient_accumulation_steps=2,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
        logging_strategy="no",
    )
    n = Net()
    o = torch.optim.AdamW(n.parameters(), 1e-3)
    s = torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=80)  # here
    Trainer(n, a, train_dataset=data, optimizers=(o, s)).train()
