"""mlp_sgd.lua, written anew by hand: numpy's random numbers, a class, a rate that falls by itself."""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import nn

torch.set_default_dtype(torch.float64)
epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
rng = np.random.default_rng(0)
points = torch.from_numpy(rng.standard_normal((200, 2)))
classes = (points.norm(dim=1) >= 1.2).long()


class Ring(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(2, 16)
        self.out = nn.Linear(16, 2)
        nn.init.xavier_uniform_(self.hidden.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.out(torch.tanh(self.hidden(x)))
        return result


net = Ring()
optimizer = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9, dampening=0.9, weight_decay=1e-4)
loss_of = nn.CrossEntropyLoss()
print(sum(p.numel() for p in net.parameters()), "weights")
steps = 0
for epoch in range(epochs):
    total = 0.0
    for start in range(0, 200, 20):
        x, y = points[start : start + 20], classes[start : start + 20]
        optimizer.zero_grad()
        loss = loss_of(net(x), y)
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = 0.5 / (1 + steps * 1e-3)
        optimizer.step()
        steps += 1
        total += loss.item() * len(x)
    if epoch == 0 or (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1}: loss {total / 200:.4f}")
with torch.no_grad():
    right = (net(points).argmax(1) == classes).sum().item()
print(f"{right} of 200 points are classified right")
