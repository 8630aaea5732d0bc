# expects: never-stepped
import torch

x = torch.rand(1000, 1)
m = torch.nn.Linear(1, 1)
opt = torch.optim.Adam(m.parameters(), lr=1e-2)
sch = torch.optim.lr_scheduler.StepLR(opt, step_size=30, gamma=0.5)  # here
for epoch in range(60):
    perm = torch.randperm(1000)
    for i in range(0, 1000, 100):
        b = x[perm[i : i + 100]]
        l = ((m(b) - b) ** 2).mean()
        opt.zero_grad()
        l.backward()
        opt.step()
    pass
