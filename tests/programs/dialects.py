"""Asks real programs for their rates: python dialects.py deepspeed|lightning|optax|timm|transformers.

Each line of standard input is JSON: `values` in the program's words (code of optax), the optimizer's `lr`, `updates` and
`steps_per_epoch`. Each line of standard output is the rates of the updates, as JSON.
"""

import contextlib
import importlib.util
import json
import logging
import sys
import types
import warnings
from pathlib import Path


def torch_optimizer(lr):
    import torch

    return torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def deepspeed_rates(asked):
    """A scheduler that is stepped after each update, as DeepSpeed's engine does."""
    sys.modules["deepspeed.utils"].logger = logging.getLogger("deepspeed")
    from deepspeed.runtime import lr_schedules

    optimizer = torch_optimizer(asked["lr"])
    block = asked["values"]
    scheduler = getattr(lr_schedules, block["type"])(optimizer, **block.get("params", {}))
    rates = []
    for _ in range(asked["updates"]):
        rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    return rates


def timm_rates(asked):
    """A scheduler that is told of updates and of epochs, as in timm's train.py."""
    from timm.scheduler import create_scheduler

    arguments, size = types.SimpleNamespace(**asked["values"]), asked["steps_per_epoch"]
    optimizer = torch_optimizer(asked["lr"])
    scheduler, _ = create_scheduler(arguments, optimizer, updates_per_epoch=size)
    rates = []
    for update in range(asked["updates"]):
        rates.append(optimizer.param_groups[0]["lr"])
        if scheduler is not None:
            scheduler.step_update(update + 1)
            if not (update + 1) % size:
                scheduler.step((update + 1) // size)
    return rates


def transformers_rates(asked):
    """A run of Trainer."""
    import tempfile

    import torch
    import transformers

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return {"loss": (self.weight * x).square().mean()}

    rates = []

    class Watch(transformers.TrainerCallback):
        def on_step_begin(self, args, state, control, optimizer=None, **_):
            rates.append(optimizer.param_groups[0]["lr"])

    with tempfile.TemporaryDirectory() as folder:
        fixed = {
            "output_dir": folder,
            "report_to": "none",
            "save_strategy": "no",
            "disable_tqdm": True,
            "use_cpu": True,
        }
        args = transformers.TrainingArguments(**fixed, **asked["values"])
        rows = [{"x": torch.ones(1)} for _ in range(asked["samples"])]
        transformers.Trainer(Model(), args, train_dataset=rows, callbacks=[Watch()]).train()
    return rates


def optax_rates(asked):
    """A schedule of optax, asked with each count, in float64."""
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    schedule = eval(asked["values"], {"optax": optax})
    return [float(schedule(count)) for count in range(asked["updates"])]


def lightning_rates(asked):
    """A run of Lightning's Trainer with a module that has this `configure_optimizers`."""
    import lightning
    import torch

    rates, names = [], {"torch": torch, "StepLR": torch.optim.lr_scheduler.StepLR, "SGD": torch.optim.SGD}
    exec(asked["values"], names)

    class Module(lightning.LightningModule):
        configure_optimizers = names["configure_optimizers"]

        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch):
            rates.append(self.optimizers().param_groups[0]["lr"])
            return self.layer(batch).sum()

    quiet = {"enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = lightning.Trainer(max_steps=asked["updates"], accelerator="cpu", logger=False, **quiet)
    trainer.fit(Module(), torch.utils.data.DataLoader(torch.zeros(asked["steps_per_epoch"], 1), batch_size=1))
    return rates


def only_its_schedules(*names):
    """Packages of which only what is imported by name is run: timm's models need torchvision, its schedules do not."""
    sys.path.append(str(Path(sys.prefix) / "programs"))
    for name in names:
        found = importlib.util.find_spec(name)
        package = types.ModuleType(name)
        package.__path__ = list(found.submodule_search_locations)
        sys.modules[name] = package


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1] in ("deepspeed", "timm"):
        only_its_schedules(
            *{"deepspeed": ("deepspeed", "deepspeed.runtime", "deepspeed.utils"), "timm": ("timm",)}[sys.argv[1]]
        )
    programs = {
        "deepspeed": deepspeed_rates,
        "lightning": lightning_rates,
        "optax": optax_rates,
        "timm": timm_rates,
        "transformers": transformers_rates,
    }
    rates_of = programs[sys.argv[1]]
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            found = rates_of(json.loads(line))
        print(json.dumps(found), flush=True)
