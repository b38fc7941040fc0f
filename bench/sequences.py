"""Recurrent layers in Sequencers (programs/sequences.lua) against the same training written for PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from bench.device import clock, graphed, new_runtime, on_gpu, target, tolerance
from bench.measure import Result, alternate
from bench.post import AGREE, LEARNING_RATE, reorder
from torch7py.bridge.runtime import Runtime

__all__ = ["results"]

PROGRAM = Path(__file__).parent / "programs" / "sequences.lua"
Sizes = tuple[int, int, int, int, int]  # vocabulary, hidden, layers, steps, batch
LARGE: Sizes = (65, 128, 2, 50, 50)
RECURRENT: Sizes = (10_000, 64, 1, 5, 8)


class Model(nn.Module):
    """The model as one would write it for PyTorch; a network without gates where ``gated`` is false."""

    def __init__(self, sizes: Sizes, gated: bool) -> None:
        super().__init__()
        vocabulary, hidden, layers, *_ = sizes
        self.embedding = nn.Embedding(vocabulary, hidden)
        if gated:
            self.recurrent: nn.Module = nn.LSTM(hidden, hidden, layers)
        else:
            self.recurrent = Simple(hidden)
        self.output = nn.Linear(hidden, vocabulary)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.recurrent(self.embedding(inputs))
        return F.log_softmax(self.output(hidden), dim=-1)


class Simple(nn.Module):
    """``h = sigmoid(W x + b + U h + d)``, in the first step a learned vector in place of ``U h + d``."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.zeros(hidden))
        self.input, self.feedback = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, None]:
        of_input = self.input(inputs)
        outputs = [torch.sigmoid(of_input[0] + self.first)]
        for step in of_input[1:]:
            outputs.append(torch.sigmoid(step + self.feedback(outputs[-1])))
        return torch.stack(outputs), None


class Port:
    """The training on PyTorch, from the weights and the text of the Lua program before it trains."""

    def __init__(self, kind: str, sizes: Sizes, original: nn.Module, text: torch.Tensor) -> None:
        table, *recurrent, output_weight, output_bias = original.parameters()
        self.model = Model(sizes, kind != "Recurrent").to(table)
        weights: dict[str, torch.Tensor] = {
            "embedding.weight": table,
            "output.weight": output_weight,
            "output.bias": output_bias,
        }
        if kind == "Recurrent":
            names = ("first", "input.weight", "input.bias", "feedback.weight", "feedback.bias")
            weights |= {f"recurrent.{name}": value for name, value in zip(names, recurrent, strict=True)}
        else:
            for layer in range(sizes[2]):
                of_input, bias, of_output = recurrent[3 * layer : 3 * layer + 3]
                weights |= {
                    f"recurrent.weight_ih_l{layer}": reorder(of_input),
                    f"recurrent.weight_hh_l{layer}": reorder(of_output),
                    f"recurrent.bias_ih_l{layer}": reorder(bias),
                    f"recurrent.bias_hh_l{layer}": torch.zeros_like(bias),
                }
        self.model.load_state_dict(weights)
        # FastLSTM has one bias where nn.LSTM adds two.
        self.parameters = [p for name, p in self.model.named_parameters() if "bias_hh" not in name]
        self.text = text.long() - 1

    def train(self, iterations: int) -> float:
        """Train on; returns the last loss, of before its step."""
        loss = math.nan
        for _ in range(iterations):
            prediction = self.model(self.text[:-1])
            wanted = self.text[1:]
            found = F.nll_loss(prediction.flatten(0, 1), wanted.flatten(), reduction="sum") / wanted.shape[1]
            found.backward()
            with torch.no_grad():
                for parameter in self.parameters:
                    assert parameter.grad is not None
                    parameter.add_(parameter.grad, alpha=-LEARNING_RATE)
                    parameter.grad = None
            loss = found.item()
        return loss


def start(runtime: Runtime, kind: str, sizes: Sizes) -> Callable[[int], float]:
    """The Lua program's function that trains."""
    runtime.globals["kind"], runtime.globals["sizes"] = kind, list(sizes)
    train: Callable[[int], float] = runtime.execute(PROGRAM.read_text(), f"@{PROGRAM.name}")
    return train


def results(quick: bool) -> Iterator[Result]:
    rounds, iterations = (1, 1) if quick else (9, 1)
    for kind, sizes, limit in (("Recurrent", RECURRENT, 0.7), ("FastLSTM", LARGE, 0.95)):
        for dtype, agree in AGREE.items():
            with new_runtime(dtype=dtype) as runtime:
                train = start(runtime, kind, sizes)
                port = Port(kind, sizes, runtime.globals["model"], runtime.globals["text"])
                count = iterations * (5 if kind == "Recurrent" and not quick else 1)
                ours, plain = _measure(train, port.train, rounds, count)
                losses = train(1), port.train(1)
                if on_gpu():
                    port.model = graphed(port.model, port.text[:-1])
                    graphs, _ = _measure(port.train, train, rounds, count)
            if not math.isclose(*losses, rel_tol=tolerance(agree)):
                raise RuntimeError(f"{kind}, {dtype}: the two programs have different losses, {losses}")
            yield Result("sequences", f"{kind}, an iteration, {dtype}", "ms", ours, plain, target(limit))
            if on_gpu():
                yield Result(
                    "sequences", f"{kind}, {dtype} (CUDA graphs)", "ms", ours, graphs, for_scale=True
                )
    with new_runtime() as one, new_runtime() as other:
        peephole, fast = start(one, "LSTM", LARGE), start(other, "FastLSTM", LARGE)
        ours, plain = _measure(peephole, fast, rounds, iterations)
    yield Result("sequences", "LSTM, beside FastLSTM, float64", "ms", ours, plain, target(1.5))


def _measure(ours: Any, plain: Any, rounds: int, iterations: int) -> Any:
    return alternate(
        partial(ours, iterations), partial(plain, iterations), rounds, unit=1e-3 * iterations, clock=clock
    )
