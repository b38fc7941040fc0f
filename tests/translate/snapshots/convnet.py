"""A small convolutional network: tells horizontal stripes, vertical stripes and checkers apart, in noisy images.

convnet.lua [epochs] Translated from convnet.lua by torch7py."""

import sys

import torch
import torch.nn.functional as F
from torch import nn

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 8
size, perClass, batchSize = 8, 20, 10


# n images of each class, in turn: one channel of size x size numbers.
def makeImages(n):
    images = torch.randn(3 * n, 1, size, size).mul_(0.4)
    labels = torch.empty(3 * n, dtype=torch.int64)
    for i in range(1, 3 * n + 1):
        class_ = (i - 1) % 3 + 1
        labels[i - 1] = class_
        for y in range(1, size + 1):
            for x in range(1, size + 1):
                bright = None
                if class_ == 1:
                    bright = y % 2 == 0
                elif class_ == 2:
                    bright = x % 2 == 0
                else:
                    bright = (x + y) % 2 == 0
                if bright:
                    images[i - 1, 0, y - 1, x - 1] += 1
    return images, labels


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)  # nn.SpatialConvolution, 1 x 8 x 8 -> 4 x 6 x 6
        self.linear = nn.Linear(4 * 3 * 3, 3)  # convnet.lua:42

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2).flatten(1)
        return F.log_softmax(self.linear(x), dim=-1)


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    images, labels = makeImages(perClass)
    checkImages, checkLabels = makeImages(10)

    model = Model()  # 4 x 3 x 3
    criterion = nn.NLLLoss()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9, weight_decay=1e-4)

    # The share of images whose class is found.
    def accuracy(x, y):
        found = model(x).argmax(1, keepdim=True) + 1
        return (found.view(-1) == y).sum().item() / y.shape[0]

    for epoch in range(1, epochs + 1):
        order = (torch.randperm(images.shape[0]) + 1).long()
        total = 0
        for first in range(1, images.shape[0] + 1, batchSize):
            chosen = order[first - 1 : first + batchSize - 1]
            inputs, targets = images[chosen - 1], labels[chosen - 1]

            def feval(*, inputs=inputs, targets=targets):
                model.zero_grad()
                outputs = model(inputs)
                loss = criterion(outputs, targets.long() - 1)
                loss.backward()
                return loss

            losses = optimizer.step(feval)
            total += losses.item() * batchSize / images.shape[0]
        print(
            f"epoch {epoch}: loss {total:.6f}, {100 * accuracy(checkImages, checkLabels):.1f} % of the others right"
        )
    print(f"{sum(p.numel() for p in model.parameters())} weights")


if __name__ == "__main__":
    main()
