import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.rand(160, 3)
data = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16, shuffle=True)
model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
loss_of = torch.nn.MSELoss()

epochs, warm = 6, 10
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
schedulers = [
    torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=warm),
    torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs * len(data) - warm),
]
scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, schedulers, milestones=[warm])
for epoch in range(epochs):
    for a, b in data:
        optimizer.zero_grad()
        loss_of(model(a), b).backward()
        optimizer.step()
        scheduler.step()
