"""Values of moves from single examples (programs/value_learning.lua) against the same training written for PyTorch."""

from __future__ import annotations

import copy
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

PROGRAM = Path(__file__).parent / "programs" / "value_learning.lua"
DATA = ("before", "after", "moves", "rewards")
DISCOUNT = 0.9
LEARNING_RATE = 0.01
COPY_EVERY = 100


class Port:
    """The training on PyTorch, from the weights and the data of the Lua program before it trains."""

    def __init__(
        self,
        original: nn.Module,
        before: torch.Tensor,
        after: torch.Tensor,
        moves: torch.Tensor,
        rewards: torch.Tensor,
    ) -> None:
        first, _, second, _, third, _ = original.parameters()
        self.network = nn.Sequential(
            nn.Linear(first.shape[1], first.shape[0]),
            nn.Tanh(),
            nn.Linear(second.shape[1], second.shape[0]),
            nn.ReLU(),
            nn.Linear(third.shape[1], third.shape[0]),
        ).double()
        with torch.no_grad():
            for ours, theirs in zip(self.network.parameters(), original.parameters(), strict=True):
                ours.copy_(theirs)
        self.older = copy.deepcopy(self.network)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=LEARNING_RATE)
        self.before, self.after = before, after
        self.moves, self.rewards = (moves.long() - 1).tolist(), rewards.tolist()
        self.made = 0

    def train(self, steps: int) -> float:
        """Train on; returns the last loss, of before its step."""
        loss = math.nan
        for _ in range(steps):
            loss = self._step()
        return loss

    def _step(self) -> float:
        if self.made % COPY_EVERY == 0:
            self.older.load_state_dict(self.network.state_dict())
        i = self.made % len(self.moves)
        self.made += 1
        value = self.rewards[i]
        if value == 0:
            with torch.no_grad():
                value = DISCOUNT * self.older(self.after[i]).max()
        values = self.network(self.before[i])
        wanted = values.detach().clone()
        wanted[self.moves[i]] = value
        loss = F.mse_loss(values, wanted)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def results(quick: bool) -> Iterator[Result]:
    steps, rounds = (2, 1) if quick else (1500, 7)
    with Runtime() as runtime:
        train = runtime.execute(PROGRAM.read_text(), f"@{PROGRAM.name}")
        port = Port(runtime.globals["network"], *(runtime.globals[name] for name in DATA))
        yield beside_port(
            "value_learning", "a step", train, port.train, steps=steps, rounds=rounds, target=Target(1.5)
        )
