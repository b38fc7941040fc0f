"""Agents that talk to each other (programs/policy.lua) against the same training written for PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from bench.measure import Result, Target
from bench.training import program_beside_port
from torch7py.nn.gmodule import GModule

__all__ = ["results"]

PROGRAM = Path(__file__).parent / "programs" / "policy.lua"
DATA = ("model", "names", "draws")
ROUNDS = 2


@dataclass(frozen=True)
class Sizes:
    agents: int = 5
    hidden: int = 32
    actions: int = 5
    steps: int = 6
    batch: int = 8


class Agents(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        hidden = sizes.hidden
        self.people = nn.Embedding(4 * sizes.agents, sizes.hidden)
        self.own = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(ROUNDS))
        self.said = nn.ModuleList(nn.Linear(hidden, hidden, bias=False) for _ in range(ROUNDS))
        self.action = nn.Linear(hidden, sizes.actions)
        self.value = nn.Linear(hidden, 1)

    def forward(self, who: torch.Tensor, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        encoded = torch.tanh(self.people(who))
        for own, said in zip(self.own, self.said, strict=True):
            everyone = h.view(self.sizes.batch, self.sizes.agents, -1)
            others = (everyone.sum(1, keepdim=True) - everyone) / (self.sizes.agents - 1)
            h = torch.tanh(own(h) + said(others.view_as(h)) + encoded)
        return F.log_softmax(self.action(h), dim=1), self.value(h).squeeze(1), h


class Port:
    """The training on PyTorch, from the weights, the players and the draws of the Lua program before it trains."""

    def __init__(self, sizes: Sizes, step: GModule, names: torch.Tensor, draws: torch.Tensor) -> None:
        self.sizes = sizes
        self.model = Agents(sizes).double()
        state: dict[str, torch.Tensor] = {}
        for node in step.ordered_nodes:
            name = node.annotations.get("name", "")
            if name:
                key = f"{name[:-1]}.{int(name[-1]) - 1}" if name[-1].isdigit() else name
                state |= {f"{key}.{kind}": value for kind, value in node.module.named_parameters()}
        self.model.load_state_dict(state)
        self.optimizer = torch.optim.RMSprop(self.model.parameters(), lr=1e-3, alpha=0.97)
        self.names, self.draws = names - 1, draws
        self.played = 0

    def train(self, games: int) -> float:
        """Train on; returns the loss of the last game's predictions."""
        loss = math.nan
        for _ in range(games):
            loss = self._game()
        return loss

    def _game(self) -> float:
        sizes = self.sizes
        agents, actions, batch = sizes.agents, sizes.actions, sizes.batch
        game = self.played % len(self.names)
        self.played += 1
        h = self.draws.new_zeros(batch * agents, sizes.hidden)
        of_actions, of_values = [], []
        for who, numbers in zip(self.names[game], self.draws[game], strict=True):
            log_probabilities, values, h = self.model(who, h)
            with torch.no_grad():
                sums = log_probabilities.exp().cumsum(1)
                chosen = torch.searchsorted(sums, numbers.unsqueeze(1)).clamp_(max=actions - 1)
                taken = F.one_hot(chosen.view(batch, agents), actions).amax(1)
                rewards = (taken.sum(1).to(values.dtype) / agents).repeat_interleave(agents)
                advantages = (rewards - values) / batch
            of_actions.append(-(log_probabilities.gather(1, chosen).squeeze(1) * advantages).sum())
            of_values.append(F.mse_loss(values, rewards))
        loss = torch.stack(of_values).sum()
        self.optimizer.zero_grad()
        (torch.stack(of_actions).sum() + loss).backward()
        self.optimizer.step()
        return loss.item() / sizes.steps


def results(quick: bool) -> Iterator[Result]:
    sizes = Sizes(3, 4, 2, 2, 2) if quick else Sizes()
    steps, rounds = (1, 1) if quick else (40, 7)
    yield program_beside_port(
        PROGRAM,
        "a game",
        astuple(sizes),
        DATA,
        lambda *data: Port(sizes, *data).train,
        steps=steps,
        rounds=rounds,
        target=Target(1.5),
        unit="ms",
    )
