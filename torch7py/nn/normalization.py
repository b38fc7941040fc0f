"""Normalization of each example by its norm, and of each feature by its mean and variance over the batch."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_flag, check_type, fit, number
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older
from torch7py.ops.random import uniform_

__all__ = ["BatchNormalization", "Normalize", "SpatialBatchNormalization", "VolumetricBatchNormalization"]


@layer("nn.Normalize", keeps_rank=True)
class Normalize(Module):
    """``nn.Normalize(p[, eps])``: ``y = x / ||x||_p``; p may be ``math.huge``.

    Shapes: ``(n)``, ``(batch, n)`` with a norm for each example. ``eps`` (1e-10) is added to the sum of the
    p-th powers, or to the largest. The gradient is the original's, which differs from the derivative by about eps
    where p is below 2 or infinite.
    """

    traced = False
    rows_alone = (2, 2)
    scratch = ("_output", "_indices", "_gradInput", "buffer", "norm", "normp", "cross")
    fields: ClassVar[tuple[str, ...]] = ("p", "eps", "buffer2", *scratch)

    def __init__(self, p: float, eps: float = 1e-10) -> None:
        super().__init__()
        self.p = number("nn.Normalize", "p", p)
        self.eps = number("nn.Normalize", "eps", eps)
        if not p > 0:
            raise TorchError(f"nn.Normalize: there is no {p}-norm")

    def _check(self, input: torch.Tensor) -> None:
        if not 1 <= input.dim() <= 2 or input.numel() == 0:
            raise TorchError(f"{self.class_name}: the input must be a vector or a matrix")

    def _infinite(self) -> bool:
        """Whether the norm is the largest element, by a way of its own."""
        return math.isinf(self.p) and not older("Normalize infinite")

    def _norms(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The norm of each row, and its p-th power (the norm again for p infinite)."""
        if self._infinite():
            norm = input.abs().amax(-1, keepdim=True) + self.eps
            return norm, norm
        powers = (input.square() if self.p == 2 else input.abs().pow(self.p)).sum(-1, keepdim=True) + self.eps
        return powers.pow(1 / self.p), powers

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self._check(input)
        norm, powers = self._norms(input)
        if self.noting:
            self.keep("norm", norm.data)
            self.keep("normp", powers.data)
            self.__dict__["_largest"] = input.abs().argmax(-1, keepdim=True) if self._infinite() else None
        return input / norm

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        self._check(input)
        gradOutput = fit(self, "gradOutput", gradOutput, input)
        norm, powers = self.norm, self.normp
        if norm is None or norm.shape[:-1] != input.shape[:-1]:  # there was no forward of such an input
            norm, powers = self._norms(input)
        cross = (input * gradOutput).sum(-1, keepdim=True)
        gradient = powers * gradOutput - self._slope(input, norm) * cross
        return gradient / (powers * norm)

    def _slope(self, input: torch.Tensor, norm: torch.Tensor) -> torch.Tensor:
        """``x |x|^(p-2)``: how the p-th power of the norm changes with x, divided by p."""
        if self.p == 2:
            return input
        if self._infinite():
            largest = self.__dict__.get("_largest")
            if largest is None or largest.shape != norm.shape:
                largest = input.abs().argmax(-1, keepdim=True)
            return torch.zeros_like(input).scatter_(-1, largest, input.gather(-1, largest) / norm)
        magnitude = input.abs()
        # The original keeps the base of a negative power from 0.
        if self.p < 2 and not older("Normalize zero"):
            magnitude = magnitude + self.eps
        return magnitude.pow(self.p - 2) * input

    def clearState(self) -> Module:
        self.clear(*self.scratch)
        self.__dict__.pop("_largest", None)
        return super().clearState()

    def describe(self) -> str:
        whole = self.p % 1 == 0
        return f"{self.class_name}({int(self.p) if whole else format(self.p, 'f')})"


@layer(
    "nn.BatchNormalization",
    keeps_rank=True,
    differs_in_training=True,
    begins_training=True,
    over_batch=True,
    parameters="weight:1~uniform(0,1) bias:1~constant(0)",
    example="nOutput",
)
class BatchNormalization(Module):
    """``nn.BatchNormalization(nOutput[, eps, momentum, affine])``: ``y = (x - mean) / sqrt(var + eps) * w + b``.

    Shapes: ``(batch, nOutput)``; in evaluation ``(nOutput)`` too, which gives ``(1, nOutput)``. In training mean
    and variance are those of each feature over the batch, and ``running_mean`` and ``running_var`` (the unbiased
    variance) move towards them by ``momentum`` (0.1); in evaluation, and for a batch of one example, they are the
    running ones. eps is 1e-5. Unless ``affine`` is false w is learned, at first drawn from ``uniform(0, 1)``, and b,
    at first 0.

    In 2015 ``running_std`` (of 1 / standard deviation, the biased one) ran along in place of ``running_var``: a module
    that has this field is of that kind, which is how one is made in a program of 2015.

    The mode at the time of the backward decides which gradient it is; mean and variance are those of the last forward
    in training.
    """

    traced = False
    buffer_fields = ("running_mean", "running_var")
    gives: ClassVar[dict[str, str]] = {"accGradParameters": "gradInput"}
    version = 2
    fields: ClassVar[tuple[str, ...]] = (
        "affine",
        "eps",
        "momentum",
        "running_mean",
        "running_var",
        "running_std",
        "save_mean",
        "save_std",
        "_input",
        "_gradOutput",
    )
    dims: ClassVar[int] = 2

    def __init__(
        self, nOutput: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool | None = True
    ) -> None:
        super().__init__()
        name = self.torch7_name
        if number(name, "nOutput", nOutput) < 1:
            raise TorchError(f"{name}: nOutput must be at least 1")
        self.affine = check_flag(name, "affine", affine)
        self.eps = number(name, "eps", eps)
        self.momentum = number(name, "momentum", momentum)
        self.set_training()
        self.register_buffer("running_mean", self.new(int(nOutput)))
        runs_along = "running_std" if older("BatchNormalization running_std") else "running_var"
        self.register_buffer(runs_along, self.new(int(nOutput)))
        for parameter in ("weight", "bias"):
            if self.affine:
                self.add_parameter(parameter, self.new(int(nOutput)))
            else:
                self.register_parameter(parameter, None)
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset()``: draw the weight anew, set the bias to 0 and forget the running statistics."""
        if self.weight is not None:
            uniform_(self.weight.data)
        if self.bias is not None:
            self.bias.data.zero_()
        self.running_mean.zero_()
        (self.running_std if self._of_2015() else self.running_var).fill_(1)

    def _of_2015(self) -> bool:
        return self._buffers.get("running_std") is not None

    def _batch(self, tensor: torch.Tensor, what: str = "the input") -> torch.Tensor:
        """A tensor as a batch, checked."""
        single = tensor.dim() == self.dims - 1 and not self.training
        if (tensor.dim() != self.dims and not single) or tensor.numel() == 0:
            raise TorchError(
                f"{self.class_name}: {what} must be a batch of {self.dims} dimensions, not {size_text(tensor)}"
            )
        batch = tensor.unsqueeze(0) if single else tensor
        if batch.shape[1] != self.running_mean.numel():
            raise TorchError(
                f"{self.class_name}: {what} of {size_text(tensor)} has {batch.shape[1]} features, "
                f"not {self.running_mean.numel()}"
            )
        check_type(self, what, tensor, self.running_mean)
        return batch

    def _by_batch(self, batch: torch.Tensor) -> bool:
        """Whether the batch's own statistics count."""
        return self.training and (batch.shape[0] > 1 or self._of_2015())

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self._batch(input)
        by_batch = self._by_batch(batch)
        if self._of_2015():
            return self._forward_of_2015(input, batch, by_batch)
        output, mean, inverse_std = torch.native_batch_norm(
            batch,
            self.weight,
            self.bias,
            self.running_mean,
            self.running_var,
            by_batch,
            self.momentum,
            self.eps,
        )
        if by_batch:
            self._note_statistics(mean, inverse_std)
        return output

    def _note_statistics(self, mean: torch.Tensor, inverse_std: torch.Tensor) -> None:
        if self.noting:
            self.__dict__.pop("_unmeasured", None)
            self.keep("save_mean", mean.data)
            self.keep("save_std", inverse_std.data)

    def _forward_of_2015(self, input: torch.Tensor, batch: torch.Tensor, by_batch: bool) -> torch.Tensor:
        if not by_batch:
            features = (1, -1, *(1 for _ in batch.shape[2:]))
            output = (batch - self.running_mean.view(features)) * self.running_std.view(features)
            if self.weight is not None:
                output = output * self.weight.view(features)
            return output if self.bias is None else output + self.bias.view(features)
        output, mean, inverse_std = torch.native_batch_norm(
            batch, self.weight, self.bias, None, None, True, 0, self.eps
        )
        for running, seen in ((self.running_mean, mean), (self.running_std, inverse_std)):
            running.mul_(1 - self.momentum).add_(seen.data, alpha=self.momentum)
        self._note_statistics(mean, inverse_std)
        return output

    def updateOutput(self, input: torch.Tensor) -> Any:
        output = self.keep_output(self.noted(self.forward, input).contiguous(), input)
        for name in ("save_mean", "save_std"):  # they are there after any forward, if only with zeros
            if self.__dict__.get(name) is None:
                self.keep(name, torch.zeros_like(self.running_mean))
                self.__dict__["_unmeasured"] = True
        return output

    def _statistics(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and 1 / standard deviation: those of the last forward, or this batch's if there was none."""
        mean, inverse_std = self.get_field("save_mean"), self.get_field("save_std")
        if mean is not None and mean.numel() and "_unmeasured" not in self.__dict__:
            return mean, inverse_std
        _, mean, inverse_std = torch.native_batch_norm(batch, None, None, None, None, True, 0, self.eps)
        return mean, inverse_std

    def _kernel(
        self, input: torch.Tensor, gradOutput: torch.Tensor, wanted: tuple[bool, bool, bool]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The gradients of input, weight and bias, as far as wanted."""
        batch, gradient = self._batch(input), self._batch(gradOutput, "gradOutput")
        if gradient.shape != batch.shape:
            raise TorchError(
                f"{self.class_name}: gradOutput is {size_text(gradOutput)}, not {size_text(batch)}"
            )
        by_batch = self._by_batch(batch)
        if self._of_2015() and not by_batch:
            raise TorchError(f"{self.class_name}: no backward in evaluation, as of 2015")
        mean, inverse_std = self._statistics(batch) if by_batch else (None, None)
        result: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
        result = torch.ops.aten.native_batch_norm_backward(
            gradient,
            batch.data,
            None if self.weight is None else self.weight.data,
            None if self._of_2015() else self.running_mean,
            None if self._of_2015() else self.running_var,
            mean,
            inverse_std,
            by_batch,
            self.eps,
            wanted,
        )
        return result

    def _add(self, name: str, gradient: torch.Tensor, scale: float) -> None:
        buffer = self.gradient(name)
        if buffer is not None and self.get_field(name) is not None:
            buffer.add_(gradient, alpha=scale)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return self._kernel(input, gradOutput, (True, False, False))[0]

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        _, for_weight, for_bias = self._kernel(input, gradOutput, (False, self.affine, self.affine))
        if self.affine:
            self._add("weight", for_weight, scale)
            self._add("bias", for_bias, scale)

    def backward(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> Any:
        """All three gradients from one kernel."""
        wanted = (self.gradInput is not None, self.affine, self.affine)
        gradient, for_weight, for_bias = self._kernel(input, gradOutput, wanted)
        if self.affine:
            self._add("weight", for_weight, scale)
            self._add("bias", for_bias, scale)
        return None if self.gradInput is None else self.keep_grad_input(gradient, gradOutput)

    def set_field(self, name: str, value: Any) -> Any:
        if name in (
            "running_mean",
            "running_var",
            "running_std",
        ):  # never parameters, though of a floating type
            self._buffers[name] = value
            return value
        return super().set_field(name, value)

    def clearState(self) -> Module:
        self.clear("save_mean", "save_std", "_input", "_gradOutput")
        return super().clearState()

    def describe(self) -> str:
        if older("BatchNormalization text"):
            return self.class_name
        return f"{self.class_name} ({self.dims}D) ({self.running_mean.numel()})"


@layer("nn.SpatialBatchNormalization", example="nOutput H W")
class SpatialBatchNormalization(BatchNormalization):
    """``nn.SpatialBatchNormalization(nOutput[, eps, momentum, affine])``: each feature map as one feature.

    Shapes: ``(batch, nOutput, h, w)``; in evaluation ``(nOutput, h, w)`` too. Otherwise ``nn.BatchNormalization``.
    """

    version = 2
    dims = 4


@layer("nn.VolumetricBatchNormalization", example="nOutput T H W")
class VolumetricBatchNormalization(BatchNormalization):
    """``nn.VolumetricBatchNormalization(nOutput[, eps, momentum, affine])``: each volume as one feature.

    Shapes: ``(batch, nOutput, t, h, w)``; in evaluation ``(nOutput, t, h, w)`` too. Otherwise
    ``nn.BatchNormalization``.
    """

    dims = 5
