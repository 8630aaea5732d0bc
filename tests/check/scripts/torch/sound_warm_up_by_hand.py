import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.rand(160, 3)
data = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16, shuffle=True)
model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
loss_of = torch.nn.MSELoss()

optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)
for epoch in range(12):
    for i, (a, b) in enumerate(data):
        if epoch < 2:
            for group in optimizer.param_groups:
                group["lr"] = 0.1 * (epoch * len(data) + i + 1) / (2 * len(data))
        optimizer.zero_grad()
        loss_of(model(a), b).backward()
        optimizer.step()
    scheduler.step()
