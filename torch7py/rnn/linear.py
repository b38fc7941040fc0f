"""The small layers that the recurrent modules are made of: LinearNoBias, SAdd."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn.base import Module
from torch7py.nn.linear import Linear
from torch7py.nn.registry import layer
from torch7py.rnn import generation

__all__ = ["LinearNoBias", "SAdd"]


@layer("nn.LinearNoBias", package="rnn", parameters="weight:2~uniform(1/sqrt(inputSize))")
class LinearNoBias(Linear):
    """``nn.LinearNoBias(inputSize, outputSize)``: ``y = W x``, otherwise as ``nn.Linear``."""

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__(inputSize, outputSize, False)

    def describe(self) -> str:
        text = super().describe()
        return text if generation.current().linear_says_no_bias else text.removesuffix(" without bias")


@layer("nn.SAdd", package="rnn", keeps_rank=True)
class SAdd(Module):
    """``nn.SAdd(addend[, negate])``: ``y = x + addend``, or ``-(x + addend)``; any shape."""

    resizes_as_grad_output = True
    fields = ("addend", "negate")

    def __init__(self, addend: float, negate: bool = False) -> None:
        super().__init__()
        self.addend = addend
        self.negate = negate

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        total = input + self.addend
        return -total if self.negate else total

    # The original copies what it is given into the last result, and then makes a new one.

    def keep_output(self, value: torch.Tensor, input: Any = None) -> Any:
        if input is not None:
            self.keep("output", input.data.clone(), is_result=True)
        self.let_go("output")
        return super().keep_output(value, input)

    def keep_grad_input(self, value: Any, gradOutput: Any = None) -> Any:
        if self.negate:
            if gradOutput is not None and self.gradInput is not None:
                self.keep("gradInput", gradOutput.data.clone(), is_result=True)
            self.let_go("gradInput")
        return super().keep_grad_input(value, gradOutput)
