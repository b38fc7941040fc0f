"""dropout.lua by hand."""

from __future__ import annotations

import argparse

import torch
from torch import nn


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("epochs", type=int, nargs="?", default=5)
    epochs = parser.parse_args().epochs
    torch.set_default_dtype(torch.float64)
    model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Dropout(0.4), nn.Linear(12, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(20, 6), torch.randn(20, 1)
    for epoch in range(1, epochs + 1):
        model.train()
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            without = criterion(model(x), y)
        print(f"epoch {epoch}: {loss.item()}, without dropout {without.item()}")


if __name__ == "__main__":
    main()
