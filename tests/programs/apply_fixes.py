"""Applies printed fixes to real training loops of Keras, transformers and Lightning, and tells the rates that come of it.

python apply_fixes.py tensorflow|transformers|lightning, with a JSON list on standard input. Each has `code`, `updates` and
`steps_per_epoch`.
"""

import json
import os
import sys
import warnings


def keras_rates(asked):
    """A model that is trained with the code's schedule, or its callback."""
    import keras
    import numpy as np

    names = {"keras": keras}
    exec(asked["code"], names)
    rates, size = [], asked["steps_per_epoch"]

    class Recorder(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    callback = names.get("callback")
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1 if callback else names["learning_rate"]), "mse")
    data = np.zeros((size, 1), dtype="float32")
    callbacks = [*([callback] if callback else []), Recorder()]
    model.fit(data, data, batch_size=1, epochs=asked["updates"] // size, verbose=0, callbacks=callbacks, shuffle=False)
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
    import re

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
    told = {"tensorflow": keras_rates, "transformers": transformers_rates, "lightning": lightning_rates}[sys.argv[1]]
    found = [told(asked) for asked in json.load(sys.stdin)]
    sys.stdout.write("\n" + json.dumps(found) + "\n")
