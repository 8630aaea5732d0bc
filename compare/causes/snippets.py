"""Code of Keras and PyTorch that is the same whatever the schedule is: where a rate is read, stepped, held, resumed."""

from __future__ import annotations

from typing import Literal

from ..terms import Language

Trainer = Literal["lightning", "hugging-face"]
"""What runs the loop itself, and steps the scheduler."""

STEP_PER_EPOCH = """for epoch in range(epochs):
    for batch in loader:
        ...  # forward, backward, optimizer.step()
    scheduler.step()  # after each epoch, not after each batch"""

STEP_PER_UPDATE = """optimizer.step()
scheduler.step()  # once after each update"""

PER_EPOCH = """# pass the callback to fit
callback = keras.callbacks.LearningRateScheduler(lambda epoch: float(learning_rate(epoch * steps_per_epoch)))"""

READ_BEFORE: dict[Language, str] = {
    "Keras": """class UsedRate(keras.callbacks.Callback):
    rates = []

    def on_train_batch_begin(self, batch, logs=None):  # in on_train_batch_end it is already the next one
        self.rates.append(float(self.model.optimizer.learning_rate))""",
    "PyTorch": """used = optimizer.param_groups[0]["lr"]  # before both steps: the rate that this update uses
optimizer.step()
scheduler.step()  # after it: the next one""",
}

READ_BEFORE_IN: dict[Trainer, str] = {
    "lightning": """# a callback of Trainer, which reads the rate before the update
monitor = lightning.pytorch.callbacks.LearningRateMonitor(logging_interval="step")""",
    "hugging-face": """class UsedRate(transformers.TrainerCallback):
    rates = []

    def on_step_begin(self, args, state, control, lr_scheduler=None, **kwargs):  # an older Trainer logs the next one
        self.rates.append(lr_scheduler.get_last_lr()[0])""",
}

COUNT_FROM_ZERO = "model.optimizer.iterations.assign(0)"

RESUME_IN: dict[Trainer, str] = {
    "lightning": """trainer.fit(model, ckpt_path="last")  # with the states of optimizer and scheduler""",
    "hugging-face": """trainer.train(resume_from_checkpoint=True)  # with the states of optimizer and scheduler""",
}

SMALL_SCALE: dict[Language, str] = {
    "Keras": "optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1024.0)",
    "PyTorch": "scaler = torch.amp.GradScaler(init_scale=1024.0)",
}

_WRAPPER = """class {name}(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, schedule):
        self.schedule = schedule

    def __call__(self, step):
        return {rate}

learning_rate = {name}(learning_rate)"""


def slower(times: int | str) -> str:
    """A Keras schedule that runs so many times slower."""
    return _WRAPPER.format(name="Slower", rate=f"self.schedule(keras.ops.cast(step, 'float32') // {times})")


def step_every(times: str) -> str:
    """A PyTorch scheduler that is stepped only once in so many updates."""
    return f"""updates = 0  # before the loop
optimizer.step()
updates += 1
if updates % {times} < 1:
    scheduler.step()  # once in {times} updates"""


def step_per_update(batches: int) -> str:
    """A PyTorch scheduler that is stepped once for each update of accumulated gradients."""
    return f"""for index, batch in enumerate(loader):
    ...  # forward, backward
    if (index + 1) % {batches} == 0:
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()  # once for each update, not for each batch"""


def floor(language: Language, rate: float) -> str:
    """A rate that does not fall below a floor."""
    if language == "Keras":
        return _WRAPPER.format(name="Floored", rate=f"keras.ops.maximum(self.schedule(step), {rate!r})")
    return f"""scheduler.step()
for group in optimizer.param_groups:
    group["lr"] = max(group["lr"], {rate!r})"""


def hold(language: Language, step: int) -> str:
    """A rate that stays where it is from one step on."""
    if language == "Keras":
        return _WRAPPER.format(name="Held", rate=f"self.schedule(keras.ops.minimum(step, {step}))")
    return f"""optimizer.step()
if scheduler.last_epoch < {step}:  # counts the calls of scheduler.step()
    scheduler.step()"""


def warmup_before(language: Language, steps: int, begins: float) -> str:
    """A line up to the schedule's first rate, from a part of it, before the schedule."""
    if language == "Keras":
        part = f"{begins!r} + (1 - {begins!r}) * keras.ops.minimum(keras.ops.cast(step, 'float32') / {steps}, 1.0)"
        return _WRAPPER.format(name="WarmedUp", rate=f"self.schedule(keras.ops.maximum(step - {steps}, 0)) * ({part})")
    part = f"{begins!r} + (1 - {begins!r}) * min(n / {steps}, 1)"
    return f"""warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: {part})
scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, scheduler], milestones=[{steps}])"""


def resume(language: Language, step: int) -> str:
    """A run that goes on where it was, counter included."""
    if language == "Keras":
        return f"""model.save("run.keras")  # a fresh model seldom takes the count of steps from save_weights
model = keras.models.load_model("run.keras")
assert int(model.optimizer.iterations) == {step}"""
    return """# when it is saved
torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, "run.pt")
# when it goes on: optimizer and scheduler are made as at first, and only then
state = torch.load("run.pt")
optimizer.load_state_dict(state["optimizer"])
scheduler.load_state_dict(state["scheduler"])"""
