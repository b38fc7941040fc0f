"""two_branch.lua by hand: random, no optimizer, gradients asked for by autograd.grad."""

from __future__ import annotations

import math
import random
import sys

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 1200
n = 60
measurements = torch.rand(n, 3)
categories = torch.zeros(n, dtype=torch.long)
y = torch.zeros(n, 1)
for i in range(n):
    m, c = measurements[i].tolist(), random.randint(1, 4)
    categories[i] = c - 1
    y[i] = m[0] - 2 * m[1] + 0.5 * c + (math.sin(6 * m[2]) if c == 3 else 0)


class Shortcut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(16, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.tanh(self.inner(x))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Sequential(nn.Linear(3, 8), nn.Tanh())
        self.right = nn.Embedding(4, 8)
        self.shortcut = Shortcut()
        self.last = nn.Linear(16, 1)

    def forward(self, measurements: torch.Tensor, categories: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([self.left(measurements), self.right(categories)], 1)
        return self.last(self.shortcut(joined))  # type: ignore[no-any-return]


model = Model()
print("branches: 2 tensors, 8 and 8 columns")
print("joined: 16 columns")
for i in range(1, iterations + 1):
    loss = ((model(measurements, categories) - y) ** 2).mean()
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            assert p.grad is not None
            p.sub_(0.05 * p.grad)
    if i == 1 or i % 300 == 0:
        print(f"iteration {i}: loss {loss.item()}")
