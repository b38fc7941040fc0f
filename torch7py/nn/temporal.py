"""Layers over sequences of frames: convolutions, subsampling and pooling along the time."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_shape, check_type, number, truthy
from torch7py.nn.convolution import draw_uniform
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.window_max import nan_as_least, whole_indices
from torch7py.ops import sorting
from torch7py.ops.errors import TorchError

__all__ = [
    "TemporalConvolution",
    "TemporalDynamicKMaxPooling",
    "TemporalMaxPooling",
    "TemporalRowConvolution",
    "TemporalSubSampling",
]


class _Temporal(Module):
    """A layer with a window of kW frames that moves on by dW."""

    kW: Any
    dW: Any

    def set_window(self, kW: float, dW: float) -> None:
        for field, value in (("kW", kW), ("dW", dW)):
            if number(self.torch7_name, field, value) < 1:
                raise TorchError(f"{self.torch7_name}: {field} must be at least 1")
            setattr(self, field, value)

    def check_frames(
        self, input: torch.Tensor, frame: float | None = None, ranks: tuple[int, ...] = (2, 3)
    ) -> None:
        """Refuse what is no sequence ``(frames, size)`` or batch of such, with frames of this size."""
        if input.dim() not in ranks or input.numel() == 0:
            allowed = " or ".join(map(str, ranks))
            raise TorchError(
                f"{self.class_name}: the input must have {allowed} dimensions, not {size_text(input)}"
            )
        if frame is not None and input.shape[-1] != frame:
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} has frames of {input.shape[-1]}, not {frame}"
            )
        if input.shape[-2] < self.kW:
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} has {input.shape[-2]} frames, "
                f"the window needs {self.kW}"
            )

    def windows(self, input: torch.Tensor, dim: int = -2) -> torch.Tensor:
        """The windows along a dimension, ``(..., windows, ..., kW)``: a view."""
        return input.unfold(dim, int(self.kW), int(self.dW))

    def back(self, parts: torch.Tensor, input: torch.Tensor) -> torch.Tensor:
        """The sum over all windows ``(..., windows, kW, size)`` of what goes to each frame."""
        result = torch.zeros_like(input, memory_format=torch.contiguous_format)
        step = int(self.dW)
        last = (parts.shape[-3] - 1) * step + 1
        for offset in range(int(self.kW)):
            result[..., offset : offset + last : step, :] += parts[..., offset, :]
        return result


@layer(
    "nn.TemporalConvolution",
    keeps_rank=True,
    parameters="weight:2~uniform(1/sqrt(kW*inputFrameSize)) bias:1~uniform(1/sqrt(kW*inputFrameSize))",
    example="L inputFrameSize",
)
class TemporalConvolution(_Temporal):
    """``nn.TemporalConvolution(inputFrameSize, outputFrameSize, kW[, dW])``: a linear map of every kW frames.

    Shapes: ``(frames, inputFrameSize)`` -> ``((frames - kW) // dW + 1, outputFrameSize)``, or both as a batch.
    ``weight`` is ``(outputFrameSize, kW * inputFrameSize)``, frame after frame. Parameters are drawn from
    ``uniform(-s, s)``, ``s = 1 / sqrt(kW inputFrameSize)``: weight, then bias.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("inputFrameSize", "outputFrameSize", "kW", "dW")

    def __init__(self, inputFrameSize: int, outputFrameSize: int, kW: int, dW: int = 1) -> None:
        super().__init__()
        self.inputFrameSize = inputFrameSize
        self.outputFrameSize = outputFrameSize
        self.set_window(kW, dW)
        self.add_parameter("weight", self.new(int(outputFrameSize), int(inputFrameSize) * int(kW)))
        self.add_parameter("bias", self.new(int(outputFrameSize)))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: draw the parameters with this standard deviation."""
        draw_uniform(self, self.kW * self.inputFrameSize, stdv)

    def _rows(self, input: torch.Tensor) -> torch.Tensor:
        """Every window as a row, ``(..., windows, kW * inputFrameSize)``."""
        self.check_frames(input, self.inputFrameSize)
        check_type(self, "the input", input, self.weight)
        return self.windows(input).transpose(-1, -2).flatten(-2)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(self._rows(input), self.weight, self.bias)

    # The products alone, as for nn.Linear.

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient = self._gradient(input, gradOutput)
        parts = (gradient @ self.weight.data).unflatten(-1, (int(self.kW), -1))
        return self.back(parts, input)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        gradient = self._gradient(input, gradOutput).reshape(-1, int(self.outputFrameSize))
        weight, bias = self.gradient("weight"), self.gradient("bias")
        if weight is not None:
            weight.addmm_(gradient.t(), self._rows(input).reshape(len(gradient), -1), alpha=scale)
        if bias is not None:
            bias.add_(gradient.sum(0), alpha=scale)

    def _gradient(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        """gradOutput, checked against the input."""
        self.check_frames(input, self.inputFrameSize)
        check_type(self, "gradOutput", gradOutput, input)
        windows = (input.shape[-2] - int(self.kW)) // int(self.dW) + 1
        shape = (*input.shape[:-2], windows, int(self.outputFrameSize))
        check_shape(self, "gradOutput", gradOutput, input.new_empty(1).expand(shape))
        return gradOutput

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.defaultAccUpdateGradParameters(input, gradOutput, lr)


@layer(
    "nn.TemporalRowConvolution",
    keeps_rank=True,
    parameters="weight:3~uniform(1/sqrt(kW*inputFrameSize)) bias:1~uniform(1/sqrt(kW*inputFrameSize))",
    example="L inputFrameSize",
)
class TemporalRowConvolution(_Temporal):
    """``nn.TemporalRowConvolution(inputFrameSize, kW[, dW, featFirst])``: a window of its own for each element of a
    frame.

    Shapes: ``(frames, inputFrameSize)`` -> ``((frames - kW) // dW + 1, inputFrameSize)``, or both as a batch; with
    ``featFirst`` the last two dimensions are the other way round. ``weight`` is ``(inputFrameSize, 1, kW)``. Parameters
    are drawn as for ``nn.TemporalConvolution``.
    """

    exact_gradient = True

    copies_parameters = True  # as products of many matrices by one do
    graph_of = "forward"
    fields: ClassVar[tuple[str, ...]] = ("inputFrameSize", "kW", "dW", "featFirst", "finput", "fgradInput")
    lua_methods = names("noBias")

    def __init__(self, inputFrameSize: int, kW: int, dW: int = 1, featFirst: Any = False) -> None:
        super().__init__()
        self.inputFrameSize = inputFrameSize
        self.set_window(kW, dW)
        self.add_parameter("weight", self.new(int(inputFrameSize), 1, int(kW)))
        self.add_parameter("bias", self.new(int(inputFrameSize)))
        self.featFirst = truthy(featFirst)
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: draw the parameters with this standard deviation."""
        draw_uniform(self, self.kW * self.inputFrameSize, stdv)

    def noBias(self) -> Any:
        """``m:noBias()``: drop the bias."""
        self.set_field("bias", None)
        self.set_field("gradBias", None)
        return self

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        turn = self.featFirst and input.dim() >= 2
        self.check_frames(input.transpose(-1, -2) if turn else input, self.inputFrameSize)
        check_type(self, "the input", input, self.weight)
        rows = input if self.featFirst else input.transpose(-1, -2)
        windows = self.windows(rows, -1)  # (..., elements, windows, kW)
        output = (windows @ self.weight.transpose(1, 2)).squeeze(-1)
        if self.bias is not None:
            output = output + self.bias.unsqueeze(1)
        return output if self.featFirst else output.transpose(-1, -2)

    def keep_output(self, value: torch.Tensor, input: Any = None) -> Any:
        # Of the original's output, too, the two last dimensions are exchanged.
        return self.keep("output", value.data, is_result=True)

    def laid_out(self, gradOutput: Any, gradient: Any) -> Any:
        return gradient

    def clearState(self) -> Module:
        self.clear("finput", "fgradInput", "_input", "_gradOutput")
        return super().clearState()

    def describe(self) -> str:
        text = f"{self.class_name}({self.inputFrameSize}, {self.kW}"
        text += f", {self.dW})" if self.dW != 1 else ")"
        return text if self.bias is not None else text + " without bias"


@layer(
    "nn.TemporalSubSampling",
    keeps_rank=True,
    parameters="weight:1~uniform(1/sqrt(kW)) bias:1~uniform(1/sqrt(kW))",
    example="L inputFrameSize",
)
class TemporalSubSampling(_Temporal):
    """``nn.TemporalSubSampling(inputFrameSize, kW[, dW])``: the sum of every kW frames, times a weight, plus a bias.

    Shapes: ``(frames, inputFrameSize)`` -> ``((frames - kW) // dW + 1, inputFrameSize)``; no batch. ``weight`` and
    ``bias`` have inputFrameSize elements, drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(kW)``.
    """

    exact_gradient = True
    graph_of = "memory"

    fields: ClassVar[tuple[str, ...]] = ("inputFrameSize", "kW", "dW")

    def __init__(self, inputFrameSize: int, kW: int, dW: int = 1) -> None:
        super().__init__()
        self.inputFrameSize = inputFrameSize
        self.set_window(kW, dW)
        self.add_parameter("weight", self.new(int(inputFrameSize)))
        self.add_parameter("bias", self.new(int(inputFrameSize)))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: draw the parameters with this standard deviation."""
        draw_uniform(self, self.kW, stdv)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self.check_frames(input, self.inputFrameSize, (2,))
        check_type(self, "the input", input, self.weight)
        return self.windows(input).sum(-1) * self.weight + self.bias


class _Chosen(_Temporal):
    """A pooling layer that keeps in ``indices`` which frames it has taken; its gradient goes by them."""

    traced = False
    indices: torch.Tensor | None = None

    def chosen(self, gradOutput: torch.Tensor) -> torch.Tensor:
        """The indices of the last forward, which must fit the gradient."""
        indices = whole_indices(self)
        check_shape(self, "gradOutput", gradOutput, indices)
        return indices

    def clearState(self) -> Module:
        self.clear("indices")
        return super().clearState()


@layer("nn.TemporalMaxPooling", keeps_rank=True)
class TemporalMaxPooling(_Chosen):
    """``nn.TemporalMaxPooling(kW[, dW])``: the largest of every kW frames, element by element; dW is kW by default.

    Shapes: ``(frames, size)`` -> ``((frames - kW) // dW + 1, size)``, or both as a batch. ``indices`` has the place of
    each in its window, from 0.
    """

    fields: ClassVar[tuple[str, ...]] = ("kW", "dW", "indices")
    lua_methods = names(empty="clearState")

    def __init__(self, kW: int, dW: int | None = None) -> None:
        super().__init__()
        self.set_window(kW, kW if dW is None else dW)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self.check_frames(input)
        largest = self.windows(input).max(-1)
        plain = nan_as_least(input, largest.values) if self.noting else None
        if plain is not None:
            largest = self.windows(plain).max(-1)
            # A window without a number has no place, and is the type's least.
            largest.indices.masked_fill_(largest.values == -math.inf, -1)
            largest.values.clamp_(min=torch.finfo(input.dtype).min)
        self.note("indices", largest.indices)
        return largest.values

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        positions = self.chosen(gradOutput)
        gradOutput, positions = gradOutput.masked_fill(positions < 0, 0), positions.clamp(min=0)
        starts = torch.arange(positions.shape[-2], device=positions.device) * int(self.dW)
        result = torch.zeros_like(input, memory_format=torch.contiguous_format)
        return result.scatter_add_(-2, positions + starts.unsqueeze(-1), gradOutput)


@layer("nn.TemporalDynamicKMaxPooling", keeps_rank=True)
class TemporalDynamicKMaxPooling(_Chosen):
    """``nn.TemporalDynamicKMaxPooling(minK[, factor])``: the k largest of all frames, element by element, in the
    order of the input.

    Shapes: ``(frames, size)`` -> ``(k, size)``, or both as a batch; k is ``max(minK, ceil(factor * frames))``, factor 0
    by default. ``indices`` are the frames, from 1. (Kalchbrenner et al., 2014.)
    """

    fields: ClassVar[tuple[str, ...]] = ("minK", "factor", "indices")

    def __init__(self, minK: int, factor: float = 0) -> None:
        super().__init__()
        self.minK = number(self.torch7_name, "minK", minK)
        self.factor = number(self.torch7_name, "factor", factor)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() not in (2, 3) or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must have 2 or 3 dimensions, not {size_text(input)}"
            )
        frames = input.shape[-2]
        k = int(max(self.minK, math.ceil(self.factor * frames)))
        if frames < k:
            raise TorchError(f"{self.class_name}: cannot take {k} frames of the {frames} in the input")
        _, order = sorting.sort(input.detach(), input.dim() - 2, descending=True)
        positions = order.narrow(-2, 0, k).sort(-2).values
        self.note("indices", positions)
        return input.gather(-2, positions - 1)

    def keep_output(self, value: torch.Tensor, input: Any = None) -> Any:
        self.let_go("output")
        return super().keep_output(value, input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        positions = whole_indices(self) - 1
        gradOutput = gradient_of(self, gradOutput, positions.shape)
        result = torch.zeros_like(input, memory_format=torch.contiguous_format)
        return result.scatter_(-2, positions, gradOutput)
