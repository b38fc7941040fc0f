"""A small convolutional network (programs/lenet.lua) against the same training written for PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from bench.device import graphed, new_runtime, on_gpu, target, tolerance
from bench.measure import Result, alternate

__all__ = ["results"]

PROGRAM = Path(__file__).parent / "programs" / "lenet.lua"
LEARNING_RATE = 0.05
TARGETS = {"float64": 0.6, "float32": 1.0}
AGREE = {"float64": 1e-9, "float32": 1e-3}  # how far apart, relative, the last losses of the two may lie


class LeNet(nn.Module):
    """The network as one would write it for PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 32, 5)
        self.second = nn.Conv2d(32, 64, 5)
        self.hidden = nn.Linear(64 * 4 * 4, 200)
        self.output = nn.Linear(200, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        images = F.max_pool2d(torch.tanh(self.first(images)), 2)
        images = F.max_pool2d(torch.tanh(self.second(images)), 2)
        return F.log_softmax(self.output(torch.tanh(self.hidden(images.flatten(1)))), dim=1)


class Port:
    """The training on PyTorch, from the weights and the data of the Lua program before it trains."""

    def __init__(self, original: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        self.model = LeNet().to(inputs)
        with torch.no_grad():
            for parameter, start in zip(self.model.parameters(), original.parameters(), strict=True):
                parameter.copy_(start)
        self.optimizer = torch.optim.SGD(self.model.parameters(), LEARNING_RATE)
        self.inputs = inputs
        self.targets = targets.long() - 1

    def train(self, steps: int) -> float:
        """Train on; returns the last loss."""
        loss = math.nan
        for _ in range(steps):
            self.optimizer.zero_grad()
            value = F.nll_loss(self.model(self.inputs), self.targets)
            value.backward()
            self.optimizer.step()
            loss = value.item()
        return loss


def results(quick: bool) -> Iterator[Result]:
    rounds, batch = (1, 4) if quick else (15, 128)
    for dtype, agree in AGREE.items():
        with new_runtime(dtype=dtype) as runtime:
            program = PROGRAM.read_text().replace("= ...", f"= {batch}")
            train = runtime.execute(program, f"@{PROGRAM.name}")
            port = Port(*(runtime.globals[name] for name in ("model", "inputs", "targets")))
            ours, plain = alternate(partial(train, 1), partial(port.train, 1), rounds, unit=1e-3)
            # Both have come as far; what they do next must be the same, or the times are not comparable.
            losses = train(1), port.train(1)
            if on_gpu():
                port.model = graphed(port.model, port.inputs)
                graphs, _ = alternate(partial(port.train, 1), partial(train, 1), rounds, unit=1e-3)
        if not math.isclose(*losses, rel_tol=tolerance(agree)):
            raise RuntimeError(f"lenet, {dtype}: the two programs have different losses, {losses}")
        yield Result("lenet", f"a step, {dtype}", "ms", ours, plain, target(TARGETS[dtype]))
        if on_gpu():
            yield Result("lenet", f"a step, {dtype} (CUDA graphs)", "ms", ours, graphs, for_scale=True)
