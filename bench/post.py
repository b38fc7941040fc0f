"""The program of the post (programs/post.lua) against the same training written for PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from bench.device import clock, new_runtime, target, tolerance
from bench.measure import Result, alternate

__all__ = ["AGREE", "LEARNING_RATE", "reorder", "results"]

PROGRAM = Path(__file__).parent / "programs" / "post.lua"
STEPS = 5
LEARNING_RATE = 0.1
AGREE = {"float64": 1e-9, "float32": 1e-4}  # how far apart, relative, the last losses of the two may lie


class Model(nn.Module):
    """The post's model as one would write it for PyTorch."""

    def __init__(self, items: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(items, hidden)
        self.lstm = nn.LSTM(hidden, hidden)
        self.output = nn.Linear(hidden, items)
        # FastLSTM has one bias where nn.LSTM adds two.
        self.lstm.get_parameter("bias_hh_l0").requires_grad_(False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.lstm(self.embedding(inputs))
        return F.log_softmax(self.output(hidden), dim=-1)


class Port:
    """The post's training on PyTorch, from the weights and the data of the Lua program before it trains."""

    def __init__(self, original: nn.Module, dataset: torch.Tensor, offsets: torch.Tensor) -> None:
        table, input_weight, bias, hidden_weight, output_weight, output_bias = original.parameters()
        self.model = Model(*table.shape).to(table)
        weights = {
            "embedding.weight": table,
            "lstm.weight_ih_l0": reorder(input_weight),
            "lstm.weight_hh_l0": reorder(hidden_weight),
            "lstm.bias_ih_l0": reorder(bias),
            "lstm.bias_hh_l0": torch.zeros_like(bias),
            "output.weight": output_weight,
            "output.bias": output_bias,
        }
        self.model.load_state_dict(weights)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.dataset = dataset.long() - 1
        self.offsets = offsets.to(self.dataset.device) - 1

    def train(self, iterations: int) -> float:
        """Train on; returns the last loss."""
        loss = math.nan
        for _ in range(iterations):
            loss = self._iterate()
        return loss

    def _iterate(self) -> float:
        steps = torch.arange(STEPS + 1, device=self.offsets.device).unsqueeze(1)
        items = self.dataset[(self.offsets + steps) % len(self.dataset)]
        self.offsets = (self.offsets + STEPS) % len(self.dataset)
        prediction = self.model(items[:-1])
        loss = F.nll_loss(prediction.flatten(0, 1), items[1:].flatten(), reduction="sum") / len(self.offsets)
        loss.backward()
        with torch.no_grad():
            for parameter in self.parameters:
                assert parameter.grad is not None
                parameter.add_(parameter.grad, alpha=-LEARNING_RATE)
                parameter.grad = None
        return loss.item()


def reorder(gates: torch.Tensor) -> torch.Tensor:
    """From FastLSTM's order of the gates (input, hidden, forget, output) to nn.LSTM's (forget second)."""
    i, g, f, o = gates.chunk(4)
    return torch.cat([i, f, g, o])


def results(quick: bool) -> Iterator[Result]:
    rounds, iterations = (1, 1) if quick else (25, 5)
    for dtype, agree in AGREE.items():
        with new_runtime(dtype=dtype) as runtime:
            train = runtime.execute(PROGRAM.read_text(), f"@{PROGRAM.name}")
            port = Port(*(runtime.globals[name] for name in ("model", "dataset", "offsets")))
            ours, plain = alternate(
                partial(train, iterations),
                partial(port.train, iterations),
                rounds,
                unit=1e-3 * iterations,
                clock=clock,
            )
            # Both have come as far; what they do next must be the same, or the times are not comparable.
            losses = train(1), port.train(1)
        if not math.isclose(*losses, rel_tol=tolerance(agree)):
            raise RuntimeError(f"post, {dtype}: the two programs have different losses, {losses}")
        yield Result("post", f"an iteration, {dtype}", "ms", ours, plain, target(0.7))
