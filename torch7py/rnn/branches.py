"""Stages for branches of layers, and for layers that only change the shape (see stages.py)."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn.container import ConcatTable, ParallelTable, add_up
from torch7py.rnn.stages import Stage, StepByStep, of_step

__all__ = ["BRANCHES", "BranchStage", "ShapeStage"]

T = torch.Tensor
BRANCHES = (ConcatTable, ParallelTable)


class BranchStage(Stage):
    """nn.ConcatTable and nn.ParallelTable: each branch is a sequence of its own."""

    def __init__(self, module: Any, runs: list[Any]) -> None:
        if not runs or module.gradInput is None:
            raise StepByStep
        self.module, self.runs = module, runs
        self.parallel = type(module) is ParallelTable

    def plain(self) -> bool:
        """Whether nothing inside has a state or draws random numbers."""
        return not any(run.recurrents or run.masks.stages for run in self.runs)

    def _inputs(self, x: Any) -> list[Any]:
        if not self.parallel:
            return [x] * len(self.runs)
        if not isinstance(x, list) or len(x) != len(self.runs):
            raise StepByStep
        return x

    def output(self, x: Any) -> Any:
        return [run.compute(part) for run, part in zip(self.runs, self._inputs(x), strict=True)]

    def _shown(self, name: str, values: list[T], step: int) -> list[Any]:
        """The field of each module; a module with steps has that of the last step."""
        return [
            value[step] if child in run.own else getattr(child, name)
            for child, run, value in zip(self.module.child_list(), self.runs, values, strict=True)
        ]

    def show(self, steps: int) -> None:
        for run in self.runs:
            run.show()
        outputs = [run.output for run in self.runs]
        self.module.keep_list("output", self._shown("output", outputs, 0 if self.module.training else -1))

    def grad_input(self, x: Any, gradient: Any) -> Any:
        parts = zip(self.runs, self._inputs(x), gradient, strict=True)
        self.grad_inputs = [run.grad_input(part, of_part) for run, part, of_part in parts]
        self.of_input: Any = self.grad_inputs if self.parallel else add_up(self.module, self.grad_inputs)
        return self.of_input

    def show_gradient(self) -> None:
        if self.parallel:
            self.module.keep_list("gradInput", self._shown("gradInput", self.grad_inputs, 0))
        else:
            self.module.keep_grad_input(of_step(self.of_input, 0))

    def acc_grad(self, x: Any, scale: float) -> None:
        for run, part in zip(self.runs, self._inputs(x), strict=True):
            run.take(part)
            run.acc_grad(scale)


class ShapeStage(Stage):
    """A layer that only changes the shape; all steps get the shape that it gives the first."""

    def __init__(self, module: Any) -> None:
        if module.gradInput is None:
            raise StepByStep
        self.module = module

    def output(self, x: T) -> T:
        with torch.no_grad():
            self.shape = self.module.forward(x[0]).shape
        self.result = self.passed_on(x)
        return self.result

    def passed_on(self, x: T) -> T:
        """The same numbers in the output's shape."""
        return x.reshape(len(x), *self.shape)

    def show(self, steps: int) -> None:
        self.module.keep("output", self.result[0 if self.module.training else -1])

    def grad_input(self, x: T, gradient: T) -> T:
        self.of_input = gradient.reshape(x.shape)
        return self.of_input

    def show_gradient(self) -> None:
        self.module.keep("gradInput", self.of_input[0])
