"""Record training loops of every kind into the folder named as argument; print as JSON what each update did.

Weights have a gradient of 1 and begin each update at 0 under SGD, so that the update made is minus the rate. Where an
optimizer does not allow that, the truth is the rate that stands in `param_groups` before the step.
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from torch.optim.lr_scheduler import ExponentialLR, StepLR

import torch_impl

FOLDER = Path(sys.argv[1])
STEPS = 8
warnings.simplefilter("error")


def weight():
    return torch.nn.Parameter(torch.zeros((), dtype=torch.float64))


def step(optimizer, call=None):
    """One update; the rate of each group as the change that it made, None where it made none."""
    weights = [group["params"][0] for group in optimizer.param_groups]
    with torch.no_grad():
        for each in weights:
            each.zero_()
    optimizer.zero_grad()
    sum(weights).backward()
    (call or optimizer.step)()
    return [-each.item() for each in weights]


def plain(path):
    optimizer = torch.optim.SGD([weight()], lr=0.1)
    scheduler, made = StepLR(optimizer, 3, 0.5), []
    with torch_impl.record(path, steps_per_epoch=3) as recorder:
        for n in range(STEPS):
            made.append([*step(optimizer), n / 7])
            recorder.log(torch.tensor(n / 7, dtype=torch.float64, requires_grad=True))
            scheduler.step()
    step(optimizer)  # not recorded any more
    return {"SGD": made}


def loss_first(path):
    optimizer = torch.optim.SGD([weight()], lr=0.1)
    scheduler, made = ExponentialLR(optimizer, 0.9), []
    with torch_impl.record(path) as recorder:
        for n in range(STEPS):
            loss = None
            if n % 3 == 0:  # not every update's loss is logged
                recorder.log(loss := float(n))
            made.append([*step(optimizer), loss])
            scheduler.step()
    return {"SGD": made}


def loss_sometimes(path):
    optimizer = torch.optim.SGD([weight()], lr=0.1)
    made = []
    with torch_impl.record(path) as recorder:
        for n in range(STEPS):
            made.append([*step(optimizer), float(n) if n % 3 == 1 else None])
            if n % 3 == 1:
                recorder.log(float(n))
    return {"SGD": made}


def no_loss(path):
    optimizer = torch.optim.SGD([weight()], lr=0.1)
    with torch_impl.record(path, arm="=mine, of course"):
        return {"=mine, of course": [[*step(optimizer), None] for _ in range(STEPS)]}


def groups(path):
    optimizer = torch.optim.SGD([{"params": [weight()]}, {"params": [weight()], "lr": 0.3}], lr=0.1)
    scheduler, made = StepLR(optimizer, 2, 0.5), []
    with torch_impl.record(path) as recorder:
        for n in range(STEPS):
            made.append(step(optimizer))
            recorder.log(n)
            scheduler.step()
        optimizer.add_param_group({"params": [weight()], "lr": 0.7})
        late = step(optimizer)
    return {
        "SGD/pg1": [[one, float(n)] for n, (one, _) in enumerate(made)] + [[late[0], None]],
        "SGD/pg2": [[two, float(n)] for n, (_, two) in enumerate(made)] + [[late[1], None]],
        "SGD/pg3": [[late[2], None]],
    }


def named_groups(path):
    optimizer = torch.optim.SGD(
        [{"params": [weight()], "name": "body"}, {"params": [weight()], "name": "-head"}], lr=0.1
    )
    with torch_impl.record(path):
        made = [step(optimizer) for _ in range(STEPS)]
    return {"SGD/body": [[one, None] for one, _ in made], "SGD/-head": [[two, None] for _, two in made]}


def optimizers(path):
    """Two in turn as a GAN has them, the second every other time, and one of another class."""
    one, two = (torch.optim.SGD([weight()], lr=rate) for rate in (0.1, 0.2))
    third = torch.optim.ASGD([weight()], lr=0.3)
    made = {"SGD": [], "SGD-1": [], "ASGD": []}
    with torch_impl.record(path) as recorder:
        for n in range(STEPS):
            made["SGD"].append([*step(one), n + 0.25])
            recorder.log(n + 0.25)
            if n % 2:
                made["SGD-1"].append([*step(two), n + 0.5])
                made["ASGD"].append([third.param_groups[0]["lr"], n + 0.5])
                step(third)
                recorder.log(n + 0.5)  # one loss for both
    return made


def watched(path):
    """Only one of two optimizers, and by a Recorder of its own."""
    one, two = (torch.optim.SGD([weight()], lr=rate) for rate in (0.1, 0.2))
    recorder = torch_impl.Recorder(path)
    recorder.watch(two)
    made = []
    for n in range(STEPS):
        step(one)
        made.append([*step(two), float(n)])
        recorder.log(n)
    recorder.release()
    step(two)
    return {"SGD": made}


def accumulated(path):
    """Losses of micro-batches, logged before the step that their gradients end in."""
    optimizer = torch.optim.SGD([weight()], lr=0.1)
    scheduler, made = StepLR(optimizer, 2, 0.5), []
    with torch_impl.record(path) as recorder:
        for n in range(STEPS):
            for micro in range(4):
                recorder.log(10 * n + micro)
            made.append([*step(optimizer), 10 * n + 1.5])
            scheduler.step()
    return {"SGD": made}


def amp(path, fused):
    """The scaler finds the third gradient infinite, and makes no update."""
    optimizer = torch.optim.SGD([weight()], lr=0.1, fused=fused)
    scaler, scheduler, made = torch.amp.GradScaler("cpu", init_scale=2.0), StepLR(optimizer, 1, 0.5), []
    with torch_impl.record(path) as recorder:
        for n in range(STEPS):

            def scaled(n=n):
                w = optimizer.param_groups[0]["params"][0]
                w.grad.fill_(float("inf") if n == 2 else 1.0)
                scaler.scale(torch.zeros(()))  # as the loss is, which readies the scaler
                w.grad.mul_(scaler.get_scale())
                scaler.step(optimizer)
                scaler.update()

            rate = step(optimizer, scaled)
            assert (rate == [0.0]) == (n == 2), rate
            if n != 2:
                made.append([*rate, float(n)])
            recorder.log(n)
            scheduler.step()
    return {"SGD": made}


def closure(path):
    """LBFGS asks its closure several times in each step."""
    w = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.LBFGS([w], lr=0.5, max_iter=5)
    scheduler, made = StepLR(optimizer, 2, 0.5), []
    with torch_impl.record(path) as recorder:
        for _ in range(4):
            losses = []

            def ask(losses=losses):
                optimizer.zero_grad()
                loss = (w**4).sum()
                loss.backward()
                recorder.log(loss)
                losses.append(loss.item())
                return loss

            made.append([optimizer.param_groups[0]["lr"], None])
            optimizer.step(ask)
            assert len(losses) > 1
            made[-1][1] = losses[0]
            scheduler.step()
    return {"LBFGS": made}


def compiled(path, tensor):
    w = weight()
    optimizer = torch.optim.SGD([w], lr=torch.tensor(0.1, dtype=torch.float64) if tensor else 0.1)
    scheduler, made = StepLR(optimizer, 1, 0.9), []
    torch.compiler.reset()
    call = torch.compile(optimizer.step, backend="aot_eager")
    with torch_impl.record(path) as recorder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, of its compiler
        for n in range(STEPS):
            made.append([*step(optimizer, call), float(n)])
            recorder.log(n)
            scheduler.step()
    return {"SGD": made}


class Nested(torch.optim.SGD):
    def step(self, closure=None):
        return super().step(closure)


def nested(path):
    """A step that calls the step of its base class, which has hooks as well, is one update; one that fails is none."""
    optimizer = Nested([weight()], lr=0.1)

    def fails():
        optimizer.step(lambda: 1 / 0)

    made = []
    with torch_impl.record(path):
        for n in range(STEPS):
            if n == 3:
                try:
                    step(optimizer, fails)
                except ZeroDivisionError:
                    continue
            made.append([*step(optimizer), None])
    return {"Nested": made}


def loaders(path):
    """Workers forked while recording have the same hooks and no part in the file."""
    optimizer = torch.optim.SGD([weight()], lr=0.1)
    made = []

    class Rows(torch.utils.data.Dataset):
        def __len__(self):
            return STEPS

        def __getitem__(self, row):
            step(torch.optim.SGD([weight()], lr=99.0))
            return row

    with torch_impl.record(path) as recorder:
        loader = torch.utils.data.DataLoader(Rows(), num_workers=2, multiprocessing_context="fork")
        for row in loader:
            made.append([*step(optimizer), row.item()])
            recorder.log(row)
    return {"SGD": made}


def left_open(path):
    """Nobody releases it: rows are written as the process ends."""
    optimizer = torch.optim.SGD([weight()], lr=0.1)
    recorder = torch_impl.Recorder(path)
    recorder.watch(optimizer)
    made = []
    for n in range(STEPS):
        made.append([*step(optimizer), float(n)])
        recorder.log(n)
    return {"SGD": made}


def refused(call):
    """What the error says that a call must raise."""
    try:
        call()
    except (TypeError, ValueError) as error:
        return str(error)
    raise AssertionError("not refused")


def wrong_losses(path):
    """What is no loss is refused in one line and leaves no mark."""
    optimizer = torch.optim.SGD([weight()], lr=0.1)
    with torch_impl.record(path) as recorder:
        made = [[*step(optimizer), 0.5]]
        for wrong in ("x", None, torch.zeros(2), torch.tensor(1j), []):
            said = refused(lambda wrong=wrong: recorder.log(wrong))
            assert said.startswith("log: got "), said
            assert "\n" not in said, said
        recorder.log(torch.tensor([0.5]))
    return {"SGD": made}


CASES = {
    "plain": plain,
    "loss-first": loss_first,
    "loss-sometimes": loss_sometimes,
    "no-loss": no_loss,
    "groups": groups,
    "named-groups": named_groups,
    "optimizers": optimizers,
    "watched": watched,
    "accumulated": accumulated,
    "amp": lambda path: amp(path, fused=False),
    "amp-fused": lambda path: amp(path, fused=True),
    "closure": closure,
    "compiled": lambda path: compiled(path, tensor=False),
    "compiled-tensor-rate": lambda path: compiled(path, tensor=True),
    "nested": nested,
    "loaders": loaders,
    "left-open": left_open,
    "wrong-losses": wrong_losses,
}
print(json.dumps({name: case(FOLDER / f"{name}.csv") for name, case in CASES.items()}))
