"""A model of very many small modules (programs/many_modules.lua) against the same built of PyTorch's modules."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from bench.measure import Result, Target, alternate
from bench.training import beside_port
from torch7py.bridge.runtime import Runtime

__all__ = ["results"]

PROGRAM = Path(__file__).parent / "programs" / "many_modules.lua"


@dataclass(frozen=True)
class Sizes:
    branches: int = 2125  # of eight modules each
    rows: int = 25
    columns: int = 10


class Select(nn.Module):
    def __init__(self, row: int) -> None:
        super().__init__()
        self.row = row

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[self.row]


class Concat(nn.ModuleList):
    """The results of all, one behind the other."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([module(x) for module in self])


class Port:
    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.build()

    def build(self) -> None:
        sizes = self.sizes
        branches = [
            nn.Sequential(
                Select(i % sizes.rows),
                nn.Linear(sizes.columns, 4),
                nn.Tanh(),
                Concat([nn.Linear(4, 1), nn.Linear(4, 1)]),
            )
            for i in range(sizes.branches)
        ]
        self.model = nn.Sequential(Concat(branches), nn.Linear(2 * sizes.branches, 3)).double()

    def start_from(self, original: nn.Module, inputs: torch.Tensor) -> None:
        with torch.no_grad():
            for ours, theirs in zip(self.model.parameters(), original.parameters(), strict=True):
                ours.copy_(theirs)
        self.inputs, self.target = inputs, torch.tensor(0)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)

    def train(self, times: int) -> float:
        """Train on; returns the last loss, of before its step."""
        loss = math.nan
        for _ in range(times):
            self.optimizer.zero_grad()
            found = F.nll_loss(F.log_softmax(self.model(self.inputs), dim=0), self.target)
            found.backward()
            self.optimizer.step()
            loss = found.item()
        return loss


def results(quick: bool) -> Iterator[Result]:
    sizes = Sizes(4, 2, 3) if quick else Sizes()
    steps, rounds = (1, 1) if quick else (3, 5)
    with Runtime() as runtime:
        runtime.globals["sizes"] = list(astuple(sizes))
        build, run = runtime.execute(PROGRAM.read_text(), f"@{PROGRAM.name}")
        port = Port(sizes)
        ours, plain = alternate(
            build, port.build, 1 if quick else 3, unit=1e-3, clock=time.process_time, collects=False
        )
        yield Result("many_modules", "building", "ms", ours, plain, Target(2.0))
        port.start_from(runtime.globals["model"], runtime.globals["inputs"])
        yield beside_port(
            "many_modules",
            "a step",
            run,
            port.train,
            steps=steps,
            rounds=rounds,
            target=Target(1.5),
            unit="ms",
        )
