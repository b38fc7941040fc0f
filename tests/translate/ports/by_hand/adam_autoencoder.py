"""adam_autoencoder.lua by hand: Adam as the original has it, on tensors without modules."""

from __future__ import annotations

import sys

import torch

torch.set_default_dtype(torch.float64)
iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 500
w1 = torch.randn(3, 8, requires_grad=True)
b1 = torch.zeros(3, requires_grad=True)
w2 = torch.randn(8, 3, requires_grad=True)
b2 = torch.zeros(8, requires_grad=True)
patterns = torch.eye(8)


class Adam(torch.optim.Optimizer):
    def __init__(self, params: list[torch.Tensor], lr: float, eps: float = 1e-8) -> None:
        super().__init__(params, {"lr": lr, "eps": eps})
        self.t = 0

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        self.t += 1
        for group in self.param_groups:
            rate = group["lr"] * (1 - 0.999**self.t) ** 0.5 / (1 - 0.9**self.t)
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                v = self.state[p].setdefault("v", torch.zeros_like(p))
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                p.addcdiv_(m, v.sqrt() + group["eps"], value=-rate)


def encode(x: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(x @ w1.t() + b1)


def decode(code: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(code @ w2.t() + b2)


optimizer = Adam([w1, b1, w2, b2], lr=0.1)
for i in range(1, iterations + 1):
    optimizer.zero_grad()
    output = decode(encode(patterns))
    loss = -(patterns * (output + 1e-12).log() + (1 - patterns) * (1 - output + 1e-12).log()).mean()
    loss.backward()
    optimizer.step()
    if i == 1 or i % 100 == 0:
        print(f"iteration {i}: loss {loss.item()}")
codes = encode(patterns)
largest = decode(codes).argmax(1)
for number in range(8):
    shown = " ".join(f"{x:.2f}" for x in codes[number].tolist())
    print(f"pattern {number + 1}: code {shown}, read as {largest[number] + 1}")
