"""Batch normalization and a confusion matrix: tells three classes apart by four measurements
of very different scales.

   batchnorm_classifier.lua [epochs]

Translated from batchnorm_classifier.lua by torch7py."""

import math
import sys

import torch
from torch import nn

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
n, batchSize = 150, 30


class BatchNorm1d(nn.BatchNorm1d):
    """Its weights begin between 0 and 1, as in Torch7."""

    def reset_parameters(self):
        super().reset_parameters()
        if self.affine:
            nn.init.uniform_(self.weight)


class ConfusionMatrix:
    """How often each class was taken for each; they count from 1, and a target below 1 is missing."""

    def __init__(self, classes):
        self.nclasses = classes if isinstance(classes, int) else len(classes)
        self.classes = [] if isinstance(classes, int) else classes
        self.mat = torch.zeros(self.nclasses, self.nclasses, dtype=torch.int64)
        self.averageUnionValid = 0
        self.zero()

    def zero(self):
        self.mat.zero_()
        self.valids, self.unionvalids = torch.zeros(2, len(self.mat), dtype=torch.float32)
        self.totalValid, self.averageValid = 0, 0

    def add(self, prediction, target):
        self.batch_add(torch.as_tensor(prediction)[None], torch.as_tensor(target)[None])

    def batch_add(self, predictions, targets):
        # One column holds classes, as a vector does.
        found, wanted = (
            x.argmax(1) if x.dim() > 1 and x.shape[1] > 1 else x.flatten().long() - 1
            for x in (predictions, targets)
        )
        there = wanted >= 0
        size = len(self.mat)
        self.mat += torch.bincount((wanted * size + found)[there], minlength=size**2).view(size, size)

    def update_valids(self):
        right = self.mat.diagonal().double()
        self.valids = (right / self.mat.sum(1)).float()  # as optim keeps them
        self.unionvalids = (right / (self.mat.sum(0) + self.mat.sum(1) - right)).float()
        self.averageValid = self.valids.double().nanmean().item()
        self.averageUnionValid = self.unionvalids[self.mat.sum(1) > 0].double().mean().item()
        self.totalValid = (right.sum() / self.mat.sum()).item()

    def __str__(self):
        self.update_valids()
        width = max(8, 1 + math.ceil(math.log10(max(self.mat.max().item(), 1))))
        lines = ["ConfusionMatrix:"]
        for i, (row, valid) in enumerate(zip(self.mat.tolist(), self.valids.tolist())):
            numbers = "".join(f"{count:{width}d}" for count in row)
            end = "]]  " if i + 1 == len(self.mat) else "]   "
            name = f"\t[class: {self.classes[i]}]" if self.classes else ""
            lines.append(f"{' ' if i else '['}[{numbers}{end}{100 * valid:.3f}% {name}")
        lines.append(f" + average row correct: {100 * self.averageValid:.14g}% ")
        lines.append(f" + average rowUcol correct (VOC measure): {100 * self.averageUnionValid:.14g}% ")
        lines.append(f" + global correct: {100 * self.totalValid:.14g}%")
        return "\n".join(lines)


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    # Each class has its own centre, and the columns are of the order of 1, 10, 100 and 1000.
    scales = torch.tensor([1.0, 10.0, 100.0, 1000.0])

    def makeData():
        centres = torch.tensor([[0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 2.0], [2.0, 1.0, 1.0, 0.0]])
        x, classes = torch.empty(n, 4), torch.empty(n)
        for i in range(1, n + 1):
            classes[i - 1] = (i - 1) % 3 + 1
            x[i - 1].normal_(0, 0.6).add_(centres[int(classes[i - 1].item()) - 1]).mul_(scales)
        return x, classes

    x, classes = makeData()
    checkX, checkClasses = makeData()

    # columns of mean 0 and variance 1, then scaled and shifted
    model = nn.Sequential(BatchNorm1d(4), nn.Linear(4, 10), BatchNorm1d(10), nn.ReLU(), nn.Linear(10, 3))
    criterion = nn.CrossEntropyLoss()  # LogSoftMax and ClassNLLCriterion in one

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    model.train()  # normalizes by the mean and variance of each batch
    for epoch in range(1, epochs + 1):
        total = 0
        for first in range(1, n + 1, batchSize):
            inputs = x[first - 1 : first + batchSize - 1]
            targets = classes[first - 1 : first + batchSize - 1]

            def feval(*, inputs=inputs, targets=targets):
                model.zero_grad()
                outputs = model(inputs)
                loss = criterion(outputs, targets.long() - 1)
                loss.backward()
                return loss

            losses = optimizer.step(feval)
            total += losses.item() * batchSize / n
        if epoch == 1 or epoch % 5 == 0:
            print(f"epoch {epoch}: loss {total:.14g}")

    model.eval()  # now by the running mean and variance, whatever the batch
    confusion = ConfusionMatrix(["first", "second", "third"])
    confusion.batch_add(model(checkX), checkClasses)
    print(confusion)


if __name__ == "__main__":
    main()
