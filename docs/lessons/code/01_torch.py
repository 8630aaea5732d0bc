"""25 epochs in PyTorch: StepLR counts calls of step()."""

import torch

parameter = torch.nn.Parameter(torch.zeros(()))
optimizer = torch.optim.Adam([parameter], lr=1e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=25, gamma=0.95)

rates = []
for epoch in range(50):
    for batch in range(32):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
    scheduler.step()  # once an epoch, so that 25 are epochs

print(next(step for step, rate in enumerate(rates) if rate < 1e-3))
