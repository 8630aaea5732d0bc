"""A warm-up in PyTorch, interrupted after 60 of its 100 updates and taken up again in two orders."""

import torch

import torch_impl

network = torch.nn.Linear(1, 1)


def sgd():
    return torch.optim.SGD(network.parameters(), lr=0.1)


def warm_up(optimizer):
    return torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=100)


def train(optimizer, scheduler, updates, file):
    with torch_impl.record(file, steps_per_epoch=20):
        for _ in range(updates):
            optimizer.zero_grad()
            network(torch.ones(8, 1)).square().mean().backward()
            optimizer.step()
            scheduler.step()


optimizer = sgd()
train(optimizer, warm_up(optimizer), 160, "whole.csv")

for file in ("right.csv", "wrong.csv"):
    optimizer = sgd()
    scheduler = warm_up(optimizer)
    train(optimizer, scheduler, 60, file)
    torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, file + ".pt")

# the scheduler is made first, and its state is loaded last
state = torch.load("right.csv.pt")
optimizer = sgd()
scheduler = warm_up(optimizer)
optimizer.load_state_dict(state["optimizer"])
scheduler.load_state_dict(state["scheduler"])
train(optimizer, scheduler, 100, "right.csv")

# the scheduler is made over the loaded optimizer
state = torch.load("wrong.csv.pt")
optimizer = sgd()
optimizer.load_state_dict(state["optimizer"])
scheduler = warm_up(optimizer)
scheduler.load_state_dict(state["scheduler"])
train(optimizer, scheduler, 100, "wrong.csv")
