import io

import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.rand(160, 3)
data = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16, shuffle=True)
model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
loss_of = torch.nn.MSELoss()

def made():
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return optimizer, torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.1)


def train(optimizer, scheduler, epochs):
    for epoch in range(epochs):
        for a, b in data:
            optimizer.zero_grad()
            loss_of(model(a), b).backward()
            optimizer.step()
        scheduler.step()


optimizer, scheduler = made()
train(optimizer, scheduler, 6)
saved = io.BytesIO()
torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, saved)
saved.seek(0)
state = torch.load(saved)
optimizer, scheduler = made()
model.load_state_dict(state["model"])
optimizer.load_state_dict(state["optimizer"])
train(optimizer, scheduler, 6)
