# expects: none
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.rand(320, 1)
y = x**2
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
valid = DataLoader(TensorDataset(x[:64], y[:64]), batch_size=32)
model = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))
loss_fn = nn.MSELoss()
S = len(loader)
d = nn.Linear(1, 1)
og = torch.optim.Adam(model.parameters(), 0.01)
od = torch.optim.Adam(d.parameters(), 0.01)
sg = torch.optim.lr_scheduler.ExponentialLR(og, 0.9)
sd = torch.optim.lr_scheduler.ExponentialLR(od, 0.9)

for epoch in range(8):
    for a, b in loader:
        od.zero_grad()
        (d(model(a).detach()).mean() - d(b).mean()).backward()
        od.step()
        og.zero_grad()
        (-d(model(a)).mean()).backward()
        og.step()
    sg.step()
    sd.step()
