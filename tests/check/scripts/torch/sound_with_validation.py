import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.rand(160, 3)
data = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16, shuffle=True)
model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
loss_of = torch.nn.MSELoss()

held_out = DataLoader(TensorDataset(x[:32], x[:32].sum(1, keepdim=True)), batch_size=16)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[4, 7], gamma=0.1)
for epoch in range(9):
    model.train()
    for i, (a, b) in enumerate(data):
        optimizer.zero_grad()
        loss_of(model(a), b).backward()
        optimizer.step()
        if i == len(data) // 2:
            with torch.no_grad():
                print(sum(loss_of(model(c), d).item() for c, d in held_out))
    with torch.no_grad():
        print(sum(loss_of(model(c), d).item() for c, d in held_out))
    scheduler.step()
