"""gan.lua by hand: the networks are made, initialized and handed to optimizers in another order."""

from __future__ import annotations

import sys

import torch
from torch import nn

torch.set_default_dtype(torch.float64)


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(nn.Linear(2, 8), nn.ReLU(True), nn.Linear(8, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.main(x)  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2, True), nn.Linear(8, 1), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.main(x)  # type: ignore[no-any-return]


def init(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.5)
        nn.init.zeros_(module.bias)


generator, discriminator = Generator().apply(init), Discriminator().apply(init)
for_generator = torch.optim.SGD(generator.parameters(), lr=0.1)
for_discriminator = torch.optim.SGD(discriminator.parameters(), lr=0.1)
loss_of = nn.BCELoss()
for step in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
    discriminator.zero_grad()
    of_real = loss_of(discriminator(torch.randn(8, 2) * 0.1 + 1), torch.ones(8, 1))
    of_real.backward()
    fake = generator(torch.randn(8, 2))
    of_fake = loss_of(discriminator(fake.detach()), torch.zeros(8, 1))
    of_fake.backward()
    for_discriminator.step()
    generator.zero_grad()
    of_generator = loss_of(discriminator(fake), torch.ones(8, 1))
    of_generator.backward()
    for_generator.step()
    print(step + 1, (of_real + of_fake).item(), of_generator.item())
