"""Methods of optim with a closure of Lua (programs/optimizers.lua) against those of torch.optim."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch

from bench.measure import Result, Target
from bench.training import beside_port
from torch7py.bridge.runtime import Runtime

__all__ = ["COUNTS", "METHODS", "results"]

PROGRAM = Path(__file__).parent / "programs" / "optimizers.lua"
METHODS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
}
COUNTS = (1, 100, 10_000)


class Port:
    """The same steps by torch.optim."""

    def __init__(self, method: str, numbers: torch.Tensor) -> None:
        self.numbers = torch.nn.Parameter(numbers.clone())
        self.numbers.grad = torch.empty_like(numbers)
        self.optimizer: torch.optim.Optimizer = METHODS[method]([self.numbers], lr=1e-3)

    def closure(self) -> float:
        """The gradient is known, so nothing is traced."""
        assert self.numbers.grad is not None
        with torch.no_grad():
            self.numbers.grad.copy_(self.numbers)
            return 0.5 * self.numbers.dot(self.numbers).item()

    def train(self, steps: int) -> float:
        """Take steps; returns the last loss, of before its step."""
        loss = math.nan
        for _ in range(steps):
            loss = self.optimizer.step(self.closure)
        return loss


def results(quick: bool) -> Iterator[Result]:
    steps, rounds = (2, 1) if quick else (3000, 5)
    with Runtime() as runtime:
        for method in METHODS:
            for count in COUNTS:
                runtime.globals["method"], runtime.globals["count"] = method, count
                train = runtime.execute(PROGRAM.read_text(), f"@{PROGRAM.name}")
                port = Port(method, runtime.globals["numbers"])
                yield beside_port(
                    "optimizers",
                    f"{method}, {count} numbers",
                    train,
                    port.train,
                    steps=steps,
                    rounds=rounds,
                    target=Target(1.0),
                )
