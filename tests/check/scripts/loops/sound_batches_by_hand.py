# expects: none
import torch

X = torch.randn(320, 4)
y = X.sum(1, keepdim=True)


def train_epoch(model, optimizer, epoch):
    order = torch.randperm(len(X))
    for batch in order.split(32):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(X[batch]), y[batch]).backward()
        optimizer.step()


def main():
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    for epoch in range(12):
        train_epoch(model, optimizer, epoch)
        scheduler.step()


main()
