"""The softmax and its kin: a vector of positive numbers that sum to 1, or their logarithms."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.checks import fit
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["LogSoftMax", "SoftMax", "SoftMin", "SpatialLogSoftMax", "SpatialSoftMax"]


class _OverChannels(Module):
    """What the softmax layers share: the dimension they work along. Gradients are taken from the output."""

    traced = False
    rows_alone = (2, 2)

    def updateOutput(self, input: torch.Tensor) -> Any:
        return self.keep_output(self.forward(input).contiguous(), input)

    def _against_output(self, gradOutput: torch.Tensor) -> tuple[torch.Tensor, int]:
        """gradOutput in the output's shape, and the dimension to work along."""
        if not self.output.numel():
            raise TorchError(f"{self.class_name}: a backward without a forward")
        return fit(self, "gradOutput", gradOutput, self.output), self._dim(self.output)

    def _dim(self, input: torch.Tensor) -> int:
        if not 1 <= input.dim() <= 4 or input.numel() == 0:
            raise TorchError(f"{self.class_name}: the input must have 1 to 4 dimensions")
        return 0 if input.dim() in (1, 3) else 1


class _LogSoftMax(_OverChannels):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(input, self._dim(input))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradOutput, dim = self._against_output(gradOutput)
        return torch.ops.aten._log_softmax_backward_data(gradOutput, self.output, dim, input.dtype)


@layer("nn.LogSoftMax", keeps_rank=True, gradient_reads_output=True)
class LogSoftMax(_LogSoftMax):
    """``nn.LogSoftMax()``: ``y_i = x_i - log(sum_j exp(x_j))``.

    Shapes: ``(n)`` and ``(batch, n)`` over the last dimension; ``(channels, h, w)`` and
    ``(batch, channels, h, w)`` over the channels.
    """

    exact_gradient = True


class _SoftMax(_OverChannels):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.softmax(input, self._dim(input))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradOutput, dim = self._against_output(gradOutput)
        return torch.ops.aten._softmax_backward_data(gradOutput, self.output, dim, input.dtype)


@layer("nn.SoftMax", keeps_rank=True, gradient_reads_output=True)
class SoftMax(_SoftMax):
    """``nn.SoftMax()``: ``y_i = exp(x_i) / sum_j exp(x_j)``. Shapes as for ``nn.LogSoftMax``."""

    exact_gradient = True


@layer("nn.SoftMin", keeps_rank=True, gradient_reads_output=True)
class SoftMin(_SoftMax):
    """``nn.SoftMin()``: the softmax of ``-x``. Shapes as for ``nn.LogSoftMax``."""

    exact_gradient = True

    fields: ClassVar[tuple[str, ...]] = ("mininput",)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return super().forward(-input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return super().grad_input(input, gradOutput).neg_()

    def clearState(self) -> Module:
        self.clear("mininput")
        return super().clearState()


@layer("nn.SpatialSoftMax", keeps_rank=True, example="C H W", gradient_reads_output=True)
class SpatialSoftMax(_SoftMax):
    """``nn.SpatialSoftMax()``: the softmax over the channels at each place; the same as ``nn.SoftMax``."""

    exact_gradient = True


@layer("nn.SpatialLogSoftMax", keeps_rank=True, example="C H W", gradient_reads_output=True)
class SpatialLogSoftMax(_LogSoftMax):
    """``nn.SpatialLogSoftMax()``: the log of the softmax over the channels; the same as ``nn.LogSoftMax``."""

    exact_gradient = True
