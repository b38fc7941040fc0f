"""A decoder with attention (programs/attention.lua) against the same training written for PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from bench.char_rnn import reorder
from bench.measure import Result, Target
from bench.training import program_beside_port
from torch7py.nn.gmodule import GModule

__all__ = ["results"]

PROGRAM = Path(__file__).parent / "programs" / "attention.lua"
DATA = ("source", "step", "output", "words", "text")
LEARNING_RATE = 0.5
LARGEST = 5.0


@dataclass(frozen=True)
class Sizes:
    vocabulary: int = 100
    hidden: int = 32
    words: int = 15
    steps: int = 20
    batch: int = 8


class Decoder(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.source = nn.Embedding(sizes.vocabulary, sizes.hidden)
        self.words = nn.Embedding(sizes.vocabulary, sizes.hidden)
        self.cell = nn.LSTMCell(2 * sizes.hidden, sizes.hidden)
        self.query = nn.Linear(sizes.hidden, sizes.hidden, bias=False)
        self.result = nn.Linear(2 * sizes.hidden, sizes.hidden, bias=False)
        self.output = nn.Linear(sizes.hidden, sizes.vocabulary)

    def forward(self, source: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        context = self.source(source)
        taken = context.new_zeros(text.shape[1], context.shape[2])
        h = c = taken
        found = []
        for word in self.words(text):
            h, c = self.cell(torch.cat([word, taken], dim=1), (h, c))
            weights = F.softmax(torch.bmm(context, self.query(h).unsqueeze(2)).squeeze(2), dim=1)
            read = torch.bmm(weights.unsqueeze(1), context).squeeze(1)
            taken = torch.tanh(self.result(torch.cat([read, h], dim=1)))
            found.append(taken)
        return F.log_softmax(self.output(torch.stack(found)), dim=-1)


class Port:
    """The training on PyTorch, from the weights and the text of the Lua program before it trains."""

    def __init__(
        self,
        sizes: Sizes,
        source: nn.Module,
        step: GModule,
        output: nn.Module,
        words: torch.Tensor,
        text: torch.Tensor,
    ) -> None:
        named = {node.annotations.get("name"): node.module for node in step.ordered_nodes}
        inner = {node.annotations.get("name"): node.module for node in named["attention"].ordered_nodes}
        output_weight, output_bias = output.parameters()
        self.model = Decoder(sizes).double()
        self.model.load_state_dict(
            {
                "source.weight": source.weight,
                "words.weight": named["words"].weight,
                "cell.weight_ih": reorder(named["ih"].weight),
                "cell.weight_hh": reorder(named["hh"].weight),
                "cell.bias_ih": reorder(named["ih"].bias),
                "cell.bias_hh": reorder(named["hh"].bias),
                "query.weight": inner["query"].weight,
                "result.weight": inner["result"].weight,
                "output.weight": output_weight,
                "output.bias": output_bias,
            }
        )
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE)
        self.words, self.text = words - 1, text - 1

    def train(self, iterations: int) -> float:
        """Train on; returns the last loss, of before its step."""
        loss = math.nan
        for _ in range(iterations):
            self.optimizer.zero_grad()
            wanted = self.text[1:]
            prediction = self.model(self.words, self.text[:-1])
            found = F.nll_loss(prediction.flatten(0, 1), wanted.flatten(), reduction="sum") / wanted.shape[1]
            found.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST)
            self.optimizer.step()
            loss = found.item() / len(wanted)
        return loss


def results(quick: bool) -> Iterator[Result]:
    sizes = Sizes(5, 3, 4, 2, 2) if quick else Sizes()
    steps, rounds = (1, 1) if quick else (10, 7)
    yield program_beside_port(
        PROGRAM,
        "an iteration",
        astuple(sizes),
        DATA,
        lambda *data: Port(sizes, *data).train,
        steps=steps,
        rounds=rounds,
        target=Target(1.5),
        unit="ms",
    )
