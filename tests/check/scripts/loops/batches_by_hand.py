# expects: epochs-as-steps
import torch

torch.manual_seed(0)
X = torch.randn(320, 4)
y = X.sum(1, keepdim=True)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
n_epochs, batch_size = 12, 32
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=n_epochs)  # here

for epoch in range(n_epochs):
    permutation = torch.randperm(X.size(0))
    for i in range(0, X.size(0), batch_size):
        indices = permutation[i : i + batch_size]
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(X[indices]), y[indices])
        loss.backward()
        optimizer.step()
        scheduler.step()
