"""Record the pairs of runs of `tests/data/pairs` in which PyTorch takes part.

Recorded with PyTorch 2.13.0 and transformers 5.23.0, Python 3.11, on a CPU. Run:

    python tests/data/record/pairs_torch.py

One weight is trained with SGD on a gradient of 1 in float64, and put back to 0 before each update. After the update it
is therefore minus the rate that the update used, in all bits: no logger stands between.
"""

import io

import torch
from rows import write_pair
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    SequentialLR,
    StepLR,
)
from transformers import (
    get_constant_schedule,
    get_constant_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

STEPS_PER_EPOCH = 32


class Run:
    """One weight, its optimizer and its scheduler."""

    def __init__(self, rate, schedule):
        self.weight = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
        self.optimizer = torch.optim.SGD([self.weight], lr=rate)
        self.scheduler = schedule(self.optimizer)

    def train(self, updates, stepping="step"):
        """The rates that these updates used."""
        used = []
        for update in range(updates):
            with torch.no_grad():
                self.weight.zero_()
            self.optimizer.zero_grad()
            self.weight.backward()  # the loss is the weight: its gradient is 1
            self.optimizer.step()
            used.append(0.0 - self.weight.item())
            if stepping == "step" or (update + 1) % STEPS_PER_EPOCH == 0:
                self.scheduler.step()
        return used


def wrong_loop():
    """`scheduler.step()` after each epoch (a), and in the inner loop (b)."""
    for side, stepping in (("a", "epoch"), ("b", "step")):
        write_pair("wrong-loop", side, Run(0.1, lambda o: StepLR(o, 10, 0.5)).train(1600, stepping))


def unconverted_gamma():
    """A decay by 0.95 every 25 steps (a), and the same gamma at every step (b)."""
    for side, gamma in (("a", 0.95 ** (1 / 25)), ("b", 0.95)):
        write_pair("unconverted-gamma", side, Run(1e-3, lambda o, gamma=gamma: ExponentialLR(o, gamma)).train(320))


def resume_rebuilt():
    """Uninterrupted (a), and resumed at update 150 with a `StepLR` rebuilt over the loaded optimizer (b).

    The checkpoint was written after `scheduler.step()` and holds the decayed rate. `StepLR(..., last_epoch=149)`
    takes its first step as it is built, to 150, which is a multiple of 50: it decays the decayed rate again.
    """

    def schedule(optimizer):
        return StepLR(optimizer, step_size=50, gamma=0.5)

    write_pair("resume-rebuilt-scheduler", "a", Run(0.1, schedule).train(320))
    first = Run(0.1, schedule)
    before = first.train(150)
    checkpoint = io.BytesIO()
    torch.save(first.optimizer.state_dict(), checkpoint)
    checkpoint.seek(0)

    def rebuilt(optimizer):
        optimizer.load_state_dict(torch.load(checkpoint))
        return StepLR(optimizer, step_size=50, gamma=0.5, last_epoch=150 - 1)

    write_pair("resume-rebuilt-scheduler", "b", before + Run(0.1, rebuilt).train(170))


def cosine():
    """PyTorch's half of the pair: `CosineAnnealingLR` of 200 steps, 320 updates."""
    write_pair("cosine-past-the-end", "b", Run(0.1, lambda o: CosineAnnealingLR(o, 200)).train(320))


def milestone():
    """PyTorch's half of the pair: a milestone at 100, 200 updates."""
    write_pair("boundary-against-milestone", "b", Run(0.1, lambda o: MultiStepLR(o, [100])).train(200))


def forgotten_warm_up():
    """With a warm-up of 50 updates (a), and without (b): three ways in which it is written."""
    pairs = {
        "forgotten-warm-up": (
            lambda o: get_constant_schedule_with_warmup(o, num_warmup_steps=50),
            get_constant_schedule,
        ),
        "forgotten-warm-up-delays": (
            lambda o: SequentialLR(o, [LinearLR(o, 0.1, total_iters=50), StepLR(o, 60, 0.5)], milestones=[50]),
            lambda o: StepLR(o, 60, 0.5),
        ),
        "forgotten-warm-up-linear": (
            lambda o: get_linear_schedule_with_warmup(o, num_warmup_steps=50, num_training_steps=300),
            lambda o: get_linear_schedule_with_warmup(o, num_warmup_steps=0, num_training_steps=300),
        ),
    }
    for name, (with_warm_up, without) in pairs.items():
        write_pair(name, "a", Run(5e-5, with_warm_up).train(300))
        write_pair(name, "b", Run(5e-5, without).train(300))


def slow_decay():
    """PyTorch's half of the pair: 100,000 updates with gamma 0.9999."""
    write_pair("slow-decay", "b", Run(0.1, lambda o: ExponentialLR(o, 0.9999)).train(100_000), every=50)


if __name__ == "__main__":
    for record in (
        wrong_loop,
        unconverted_gamma,
        resume_rebuilt,
        cosine,
        milestone,
        forgotten_warm_up,
        slow_decay,
    ):
        record()
