"""Stages of layers side by side, and of layers that only change the shape (see stages.py)."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn.container import ConcatTable, ParallelTable, add_up
from torch7py.rnn.stages import StepByStep, of_step

__all__ = ["BRANCHES", "BranchStage", "ShapeStage"]

T = torch.Tensor
BRANCHES = (ConcatTable, ParallelTable)


class BranchStage:
    """nn.ConcatTable and nn.ParallelTable: each module has a run of its own.

    They have no state and draw nothing: what they would do in one step is mixed with what the others do.
    """

    def __init__(self, module: Any, runs: list[Any]) -> None:
        if not runs or module.gradInput is None or any(run.recurrents or run.masks.stages for run in runs):
            raise StepByStep
        self.module, self.runs = module, runs
        self.parallel = type(module) is ParallelTable

    def _inputs(self, x: Any) -> list[Any]:
        if not self.parallel:
            return [x] * len(self.runs)
        if not isinstance(x, list) or len(x) != len(self.runs):
            raise StepByStep
        return x

    def output(self, x: Any) -> Any:
        return [run.forward(part, inner=True) for run, part in zip(self.runs, self._inputs(x), strict=True)]

    def show(self, steps: int) -> None:
        self.module.keep_list("output", [child.output for child in self.module.child_list()])

    def grad_input(self, x: Any, gradient: Any) -> Any:
        parts = zip(self.runs, self._inputs(x), gradient, strict=True)
        found = [run.grad_input(part, of_part) for run, part, of_part in parts]
        self.of_input: Any = found if self.parallel else add_up(found, x)
        return self.of_input

    def show_gradient(self) -> None:
        module = self.module
        if self.parallel:
            module.keep_list("gradInput", [child.gradInput for child in module.child_list()])
        else:
            module.keep_grad_input(of_step(self.of_input, 0))

    def fill(self, of_input: Any, gradient: Any) -> None:
        """Steps are not counted here."""

    def acc_grad(self, x: Any, scale: float) -> None:
        for run in self.runs:
            run.acc_grad(scale)


class ShapeStage:
    """A layer that gives the elements of its input another shape: all steps the one that it gives the first."""

    def __init__(self, module: Any) -> None:
        if module.gradInput is None:
            raise StepByStep
        self.module = module

    def output(self, x: T) -> T:
        with torch.no_grad():
            shape = self.module.forward(x[0]).shape
        self.result = x.reshape(len(x), *shape)
        return self.result

    def show(self, steps: int) -> None:
        self.module.keep("output", self.result[0 if self.module.training else -1])

    def grad_input(self, x: T, gradient: T) -> T:
        self.of_input = gradient.reshape(x.shape)
        return self.of_input

    def show_gradient(self) -> None:
        self.module.keep("gradInput", self.of_input[0])

    def fill(self, of_input: T, gradient: T) -> None:
        """Steps are not counted here."""

    def acc_grad(self, x: T, scale: float) -> None:
        """There are no parameters."""
