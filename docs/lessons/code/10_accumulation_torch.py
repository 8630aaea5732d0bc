"""4 batches to an update in PyTorch: the scheduler stepped for each batch, for each update, and by Accelerate."""

import torch
from accelerate import Accelerator
from torch.nn.functional import mse_loss

import torch_impl

x = torch.ones(8, 1)


def made():
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    return network, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, step_size=40, gamma=0.5)


# written
network, optimizer, scheduler = made()
with torch_impl.record("torch-written.csv", steps_per_epoch=20):
    for batch in range(800):
        (mse_loss(network(x), x) / 4).backward()
        if (batch + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
        scheduler.step()  # for each batch

# fixed
network, optimizer, scheduler = made()
with torch_impl.record("torch-fixed.csv", steps_per_epoch=20):
    for batch in range(800):
        (mse_loss(network(x), x) / 4).backward()
        if (batch + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()  # for each update

# Accelerate
accelerator = Accelerator(gradient_accumulation_steps=4, cpu=True)
network, optimizer, scheduler = accelerator.prepare(*made())
with torch_impl.record("accelerate.csv", steps_per_epoch=20):
    for batch in range(800):
        with accelerator.accumulate(network):
            accelerator.backward(mse_loss(network(x), x))
            optimizer.step()
            scheduler.step()  # for each batch, and it waits for the update
            optimizer.zero_grad()

# end
print(accelerator.num_processes)
