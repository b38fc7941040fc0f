"""A tiny classifier, one example a step (programs/one_example.lua), against the same training written for PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from bench.measure import Result, Target
from bench.training import beside_port
from torch7py.bridge.runtime import Runtime

__all__ = ["results"]

PROGRAM = Path(__file__).parent / "programs" / "one_example.lua"
LEARNING_RATE = 1e-2
DECAY = 1e-4


class Port:
    """The training on PyTorch, from the weights and the data of the Lua program before it trains."""

    def __init__(self, original: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        weight, bias = original.parameters()
        self.model = nn.Linear(2, 3, dtype=torch.float64)
        self.model.load_state_dict({"weight": weight, "bias": bias})
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE)
        self.inputs, self.targets = inputs, targets.long() - 1
        self.steps = 0

    def train(self, steps: int) -> float:
        """Train on; returns the last loss, of before its step."""
        loss = math.nan
        for _ in range(steps):
            row = self.steps % len(self.inputs)
            self.optimizer.zero_grad()
            found = F.nll_loss(F.log_softmax(self.model(self.inputs[row]), dim=-1), self.targets[row])
            found.backward()
            self.optimizer.param_groups[0]["lr"] = LEARNING_RATE / (1 + self.steps * DECAY)
            self.optimizer.step()
            self.steps += 1
            loss = found.item()
        return loss


def results(quick: bool) -> Iterator[Result]:
    steps, rounds = (2, 1) if quick else (3000, 7)
    with Runtime() as runtime:
        train = runtime.execute(PROGRAM.read_text(), f"@{PROGRAM.name}")
        port = Port(*(runtime.globals[name] for name in ("model", "inputs", "targets")))
        yield beside_port(
            "one_example", "a step", train, port.train, steps=steps, rounds=rounds, target=Target(1.0)
        )
