"""graph.lua by hand, with the weights of its layers lying the other way: what a map is for."""

from __future__ import annotations

import sys

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 300


class Affine(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(inputs, outputs) * 0.1)
        self.b = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.w + self.b


class Model(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.sum = Affine(2, 1)
        self.first = Affine(2, hidden)
        self.second = Affine(hidden, hidden)
        self.product = Affine(hidden, 1)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        both = torch.cat([a, b], 1)
        first = torch.tanh(self.first(both))
        second = first + torch.tanh(self.second(first))
        return torch.cat([self.sum(both), self.product(second)], 1)


model = Model(10)
a, b = torch.rand(50, 1) * 2 - 1, torch.rand(50, 1) * 2 - 1
targets = torch.cat([a + b, a * b], 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for i in range(1, iterations + 1):
    outputs = model(a, b)
    loss = nn.functional.mse_loss(outputs, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if i == 1 or i % 100 == 0:
        print(f"iteration {i}: loss {loss.item()}")
both = model(torch.tensor([[0.5]]), torch.tensor([[-0.5]]))[0].tolist()
print(f"0.5 and -0.5: sum {both[0]:.3f}, product {both[1]:.3f}")
