import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.rand(160, 3)
data = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16, shuffle=True)
model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
loss_of = torch.nn.MSELoss()

epochs, warm = 5, 10
steps = epochs * len(data)


def factor(step):
    return step / warm if step < warm else (steps - step) / (steps - warm)


optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
for epoch in range(epochs):
    for a, b in data:
        loss_of(model(a), b).backward()
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
