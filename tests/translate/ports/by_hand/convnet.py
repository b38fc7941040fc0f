"""convnet.lua by hand, with a generator of its own and batches by a data loader that shuffles."""

from __future__ import annotations

import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_default_dtype(torch.float64)
epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 8
generator = torch.Generator().manual_seed(1)


def make_images(n: int) -> TensorDataset:
    images = torch.randn(3 * n, 1, 8, 8, generator=generator) * 0.4
    labels = torch.arange(3 * n) % 3
    y, x = torch.meshgrid(torch.arange(1, 9), torch.arange(1, 9), indexing="ij")
    patterns = torch.stack([y % 2 == 0, x % 2 == 0, (x + y) % 2 == 0]).to(images.dtype)
    return TensorDataset(images + patterns[labels].unsqueeze(1), labels)


train, check = make_images(20), make_images(10)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(36, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        return F.log_softmax(self.fc(x.flatten(1)), dim=1)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9, weight_decay=1e-4)
for epoch in range(1, epochs + 1):
    total = 0.0
    for x, y in DataLoader(train, batch_size=10, shuffle=True):
        optimizer.zero_grad()
        loss = F.nll_loss(net(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * 10 / 60
    images, labels = check.tensors
    with torch.no_grad():
        accuracy = (net(images).argmax(1) == labels).double().mean().item()
    print(f"epoch {epoch}: loss {total:.6f}, {100 * accuracy:.1f} % of the others right")
print(sum(p.numel() for p in net.parameters()), "weights")
