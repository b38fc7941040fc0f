"""A multi-layer perceptron (MLP) that learns which points of the plane lie inside a ring, by stochastic
gradient descent (SGD): the usual way to train with the optim package.

   mlp_sgd.lua [epochs]

Translated from mlp_sgd.lua by torch7py."""

import sys

import torch
from torch import nn

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
batchSize = 20


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    # 200 points around the origin; class 1 is inside the ring, class 2 outside
    points = torch.randn(200, 2)
    classes = torch.empty(200)
    for i in range(200):
        classes[i] = 1 if points[i].norm().item() < 1.2 else 2

    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2), nn.LogSoftmax(dim=-1))
    criterion = nn.NLLLoss()

    # all weights as one vector, and their gradients as another; the layers' own tensors are views of them
    print(f"{sum(p.numel() for p in model.parameters())} weights")

    # The state of the optimizer: what it is told, and what it remembers from one call to the next.
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9, weight_decay=1e-4, dampening=0.9)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step * 1e-3))

    for epoch in range(1, epochs + 1):
        total = 0
        for first in range(1, points.shape[0] + 1, batchSize):
            # narrow(d, first, n) is a view of n rows of dimension d
            x = points[first - 1 : first + batchSize - 1]
            y = classes[first - 1 : first + batchSize - 1]

            # The function to be made smaller: gives its value and its gradient at the weights w. They are those of
            # the model already, as optim changes the vector in place.
            def feval(*, x=x, y=y):
                model.zero_grad()
                output = model(x)
                loss = criterion(output, y.long() - 1)
                loss.backward()
                return loss

            # gives the weights, and a table with the loss before the step
            losses = optimizer.step(feval)
            scheduler.step()
            total += losses.item() * batchSize
        if epoch == 1 or epoch % 10 == 0:
            print(f"epoch {epoch}: loss {total / points.shape[0]:.14g}")

    # max gives the largest values along a dimension and where they are: the class that is most likely
    guesses = model(points).argmax(1, keepdim=True) + 1
    right = (guesses.to(classes.dtype) == classes.view(200, 1)).sum().item()
    print(f"{right} of 200 points are classified right")


if __name__ == "__main__":
    main()
