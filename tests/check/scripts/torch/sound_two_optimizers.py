import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.rand(160, 3)
data = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16, shuffle=True)
model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
loss_of = torch.nn.MSELoss()

critic = torch.nn.Linear(1, 1)
first = torch.optim.Adam(model.parameters(), lr=1e-3)
second = torch.optim.Adam(critic.parameters(), lr=4e-3)
schedulers = [torch.optim.lr_scheduler.ExponentialLR(each, gamma=0.8) for each in (first, second)]
for epoch in range(8):
    for a, b in data:
        second.zero_grad()
        (critic(b).mean() - critic(model(a).detach()).mean()).abs().backward()
        second.step()
        first.zero_grad()
        (loss_of(model(a), b) + critic(model(a)).mean().abs()).backward()
        first.step()
    for scheduler in schedulers:
        scheduler.step()
