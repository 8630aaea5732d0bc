"""Record `trainer_state.json` of Hugging Face's Trainer, logging every step and every tenth.

Recorded with transformers 5.23.0, accelerate 1.15.0 and PyTorch 2.13.0, Python 3.11, on a CPU. Run:

    python tests/data/record/hugging_face.py

40 updates in two epochs: a warm-up of 5 updates to 0.1, then linear to 0. `tests/data/used` gets the
rates that the optimizer's steps used, noted by PyTorch's own hook before each step.
"""

import shutil
import tempfile
from pathlib import Path

import torch
from rows import DATA, write
from torch.optim.optimizer import register_optimizer_step_pre_hook
from transformers import Trainer, TrainingArguments


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, x, labels):
        prediction = self.linear(x)
        return {"loss": (prediction - labels).square().mean(), "logits": prediction}


def train(name, **options):
    used = []
    hook = register_optimizer_step_pre_hook(
        lambda optimizer, args, kwargs: used.append(optimizer.param_groups[0]["lr"])
    )
    data = [{"x": torch.rand(1), "labels": torch.rand(1)} for _ in range(80)]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=4,
            num_train_epochs=2,
            learning_rate=0.1,
            lr_scheduler_type="linear",
            warmup_steps=5,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            seed=0,
            **options,
        )
        trainer = Trainer(Model(), arguments, train_dataset=data)
        trainer.train()
        trainer.save_state()
        target = DATA / "logs" / "hugging-face" / name
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(folder) / "trainer_state.json", target)
    hook.remove()
    write(DATA / "used" / f"hugging-face-{name}.csv", ["step", "lr"], list(enumerate(used)))


if __name__ == "__main__":
    torch.manual_seed(0)
    train("every-1", logging_steps=1)
    train("every-10", logging_steps=10)
    train("first-step", logging_steps=10, logging_first_step=True, gradient_accumulation_steps=2)
