"""Activations: functions of each element, and the log of the softmax."""

from __future__ import annotations

import torch

from torch7py.nn.base import Module
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["Identity", "LogSoftMax", "ReLU", "Sigmoid", "Tanh", "Threshold"]


@layer("nn.Identity")
class Identity(Module):
    """``nn.Identity()``: the output is the input itself, a tensor or a table."""

    def forward(self, input: object) -> object:
        return input

    def updateOutput(self, input: object) -> object:
        self.__dict__["output"] = input
        return input

    def updateGradInput(self, input: object, gradOutput: object) -> object:
        self.__dict__["gradInput"] = gradOutput
        return gradOutput

    def clearState(self) -> Module:
        # The output is another module's or the script's: let go of it instead of emptying it.
        self.__dict__["output"] = [] if isinstance(self.output, list) else self.new()
        self.__dict__["gradInput"] = [] if isinstance(self.gradInput, list) else self.new()
        return self


@layer("nn.Tanh")
class Tanh(Module):
    """``nn.Tanh()``: ``y = tanh(x)``, any shape. The gradient is taken from the output."""

    traced = False

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.tanh(input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.ops.aten.tanh_backward(gradOutput, self.output)


@layer("nn.Sigmoid")
class Sigmoid(Module):
    """``nn.Sigmoid()``: ``y = 1 / (1 + exp(-x))``, any shape. The gradient is taken from the output."""

    traced = False

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.ops.aten.sigmoid_backward(gradOutput, self.output)


@layer("nn.Threshold")
class Threshold(Module):
    """``nn.Threshold([threshold, value, inplace])``: ``y = x`` where ``x > threshold``, else ``value``.

    Any shape; threshold and value are 0 by default. In place the input is the output, and gradInput takes the
    place of gradOutput.
    """

    traced = False
    fields = ("threshold", "val", "inplace")

    def __init__(self, th: float = 1e-6, v: float = 0, ip: bool = False) -> None:
        super().__init__()
        if not isinstance(th, (int, float)) or not isinstance(v, (int, float)):
            raise TorchError("nn.Threshold: threshold and value must be numbers")
        if ip and v > th:
            raise TorchError("nn.Threshold: in place the value must not be above the threshold")
        self.threshold = th
        self.val = v
        self.inplace = ip

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.threshold(input, self.threshold, self.val)

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        if self.inplace:
            return self.keep_output(torch.threshold_(input.data, self.threshold, self.val))
        return super().updateOutput(input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        off = input <= self.threshold
        return gradOutput.masked_fill_(off, 0) if self.inplace else gradOutput.masked_fill(off, 0)


@layer("nn.ReLU")
class ReLU(Threshold):
    """``nn.ReLU([inplace])``: ``y = max(0, x)``, any shape."""

    def __init__(self, p: bool = False) -> None:
        super().__init__(0, 0, p)


@layer("nn.LogSoftMax")
class LogSoftMax(Module):
    """``nn.LogSoftMax()``: ``y_i = x_i - log(sum_j exp(x_j))``.

    Shapes: ``(n)`` and ``(batch, n)`` over the last dimension; ``(channels, h, w)`` and
    ``(batch, channels, h, w)`` over the channels.
    """

    traced = False

    def _dim(self, input: torch.Tensor) -> int:
        if not 1 <= input.dim() <= 4 or input.numel() == 0:
            raise TorchError("nn.LogSoftMax: the input must have 1 to 4 dimensions")
        return 0 if input.dim() in (1, 3) else 1

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(input, self._dim(input))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.ops.aten._log_softmax_backward_data(
            gradOutput, self.output, self._dim(input), input.dtype
        )
