"""batchnorm_classifier.lua by hand: a data loader, and the matrix of confusions as the original prints it."""

from __future__ import annotations

import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
scales = torch.tensor([1, 10, 100, 1000], dtype=torch.float64)


def make_data() -> TensorDataset:
    centres = torch.tensor([[0, 0, 1, 1], [1, 0, 0, 2], [2, 1, 1, 0]], dtype=torch.float64)
    targets = torch.arange(150) % 3
    x = torch.empty(150, 4, dtype=torch.float64).normal_(0, 0.6)
    return TensorDataset((x + centres[targets]) * scales, targets)


train, check = make_data(), make_data()
model = nn.Sequential(
    nn.BatchNorm1d(4, eps=1e-5), nn.Linear(4, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Linear(10, 3)
).double()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

model.train()
for epoch in range(1, epochs + 1):
    total = 0.0
    for x, y in DataLoader(train, batch_size=30):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * 30 / 150
    if epoch == 1 or epoch % 5 == 0:
        print(f"epoch {epoch}: loss {total}")

model.eval()
x, y = check.tensors
counts = torch.zeros(3, 3, dtype=torch.long)
for target, guess in zip(y.tolist(), model(x).argmax(1).tolist(), strict=True):
    counts[target, guess] += 1
rows = counts.diagonal() / counts.sum(1)
unions = counts.diagonal() / (counts.sum(0) + counts.sum(1) - counts.diagonal())
print("ConfusionMatrix:")
for number, name in enumerate(("first", "second", "third")):
    numbers = "".join(f"{x:8d}" for x in counts[number].tolist())
    start, end = ("[[" if number == 0 else " ["), ("]]" if number == 2 else "] ")
    print(f"{start}{numbers}{end} {100 * rows[number].item():8.3f}% \t[class: {name}]")
print(f" + average row correct: {100 * rows.mean().item()}% ")
print(f" + average rowUcol correct (VOC measure): {100 * unions.mean().item()}% ")
print(f" + global correct: {100 * (counts.diagonal().sum() / counts.sum()).item():g}%")
