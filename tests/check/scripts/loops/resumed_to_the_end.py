# expects: resumed-afresh
import io

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(240, 4)
loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=20, shuffle=True)


def build():
    model = nn.Linear(4, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def train(model, optimizer, scheduler, epochs):
    for epoch in epochs:
        for a, b in loader:
            optimizer.zero_grad()
            nn.functional.mse_loss(model(a), b).backward()
            optimizer.step()
        scheduler.step()


model, optimizer = build()
train(model, optimizer, CosineAnnealingLR(optimizer, T_max=10), range(4))
saved = io.BytesIO()
torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, saved)

saved.seek(0)
state = torch.load(saved)
model, optimizer = build()
model.load_state_dict(state["model"])
optimizer.load_state_dict(state["optimizer"])
scheduler = CosineAnnealingLR(optimizer, T_max=10)  # here
train(model, optimizer, scheduler, range(4, 10))
