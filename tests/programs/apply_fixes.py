"""Applies printed fixes to real training loops and trainers, and tells the rates that come of it.

python apply_fixes.py tensorflow|torch|transformers|lightning, with a JSON list on standard input. Each has `code`,
`updates`, `steps_per_epoch`, and `accumulate`: batches whose gradients make an update.
"""

import ast
import json
import os
import re
import sys
import warnings


def keras_rates(asked):
    """A model that is trained with the code's schedule, or its callback."""
    import keras
    import numpy as np

    names = {"keras": keras}
    exec(asked["code"], names)
    rates, size, accumulate = [], asked["steps_per_epoch"], asked["accumulate"]

    class Recorder(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if not (batch + 1) % accumulate:
                rates.append(float(self.model.optimizer.learning_rate))

    callback = names.get("callback")
    model = keras.Sequential([keras.layers.Dense(1)])
    more = {"gradient_accumulation_steps": accumulate} if accumulate > 1 else {}
    model.compile(keras.optimizers.SGD(0.1 if callback else names["learning_rate"], **more), "mse")
    data = np.zeros((size * accumulate, 1), dtype="float32")
    callbacks = [*([callback] if callback else []), Recorder()]
    model.fit(data, data, batch_size=1, epochs=asked["updates"] // size, verbose=0, callbacks=callbacks, shuffle=False)
    return rates


def torch_rates(asked):
    """A loop that has the code's own loop, or the usual one; what the code leaves to `...` is done by the loader."""
    import torch

    made = float(re.search(r"made with lr=([-+\d.e]+)", asked["code"]).group(1))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=made)
    rates = []
    optimizer.register_step_pre_hook(lambda *_: rates.append(optimizer.param_groups[0]["lr"]))
    parts = {True: [], False: []}
    for statement in ast.parse(asked["code"]).body:
        parts["er.step()" in ast.unparse(statement)].append(ast.unparse(statement))
    loop = "\n".join(parts[True]) or "optimizer.step()\nscheduler.step()"

    def batches():
        for _ in range(asked["steps_per_epoch"] * asked["accumulate"]):
            yield 0
            if "optimizer.step()" not in loop:
                optimizer.step()

    class Loader:
        def __iter__(self):
            return batches()

    epochs = asked["updates"] // asked["steps_per_epoch"]
    names = {"torch": torch, "optimizer": optimizer, "loader": Loader(), "epochs": epochs}
    exec("\n".join(parts[False]), names)
    while len(rates) < asked["updates"]:
        exec(loop, names)
    return rates


def transformers_rates(asked):
    """The scheduler that `Trainer` makes of its arguments, stepped after each update as it does."""
    import torch
    import transformers

    names = {"transformers": transformers}
    exec(asked["code"], names)
    args = names["args"]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=args.learning_rate)
    total = args.max_steps if args.max_steps > 0 else asked["updates"]
    scheduler = transformers.get_scheduler(
        args.lr_scheduler_type, optimizer, args.get_warmup_steps(total), total, args.lr_scheduler_kwargs
    )
    rates = []
    for _ in range(asked["updates"]):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def lightning_rates(asked):
    """A module whose `configure_optimizers` is the code, in a real `Trainer`."""
    import lightning
    import torch

    made = float(re.search(r"made with lr=([-+\d.e]+)", asked["code"]).group(1))
    rates = []

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch):
            rates.append(self.optimizers().param_groups[0]["lr"])
            return self.layer(batch).sum()

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=made)
            names = {"torch": torch, "optimizer": optimizer}
            exec(asked["code"], names)
            return {"optimizer": optimizer, "lr_scheduler": names["lr_scheduler_config"]}

    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = lightning.Trainer(max_steps=asked["updates"], accelerator="cpu", **quiet)
    trainer.fit(Module(), torch.utils.data.DataLoader(torch.zeros(asked["steps_per_epoch"], 1), batch_size=1))
    return rates


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    warnings.simplefilter("ignore")
    programs = {
        "tensorflow": keras_rates,
        "torch": torch_rates,
        "transformers": transformers_rates,
        "lightning": lightning_rates,
    }
    found = [programs[sys.argv[1]](asked) for asked in json.load(sys.stdin)]
    sys.stdout.write("\n" + json.dumps(found) + "\n")
