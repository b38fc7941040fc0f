"""``cudnn.functional``: functions of layers without an object; results are written to tensors of the program.

The first argument of each is cuDNN's handle, which is ignored. An image without a batch has three dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

from torch7py.nn import half_kernels
from torch7py.nn.arguments import size_text
from torch7py.nn.window import Window
from torch7py.nn.window_max import largest
from torch7py.ops import memory
from torch7py.ops.errors import TorchError
from torch7py.packages.registry import function

__all__: list[str] = []

T = torch.Tensor
Pair = tuple[int, int]


def _batch(tensor: T) -> T:
    return tensor.unsqueeze(0) if tensor.dim() == 3 else tensor


def _put(name: str, out: T, result: T) -> None:
    """Results have the sizes that the program gave their tensor."""
    if _batch(out).shape != _batch(result).shape:
        raise TorchError(
            f"cudnn.functional.{name}: {size_text(out)} is given for a result of {size_text(result)}"
        )
    out.copy_(result.view(out.shape))


def _accumulate(out: T, result: T, scale: float, alpha: float) -> None:
    out.copy_(alpha * out + scale * result.view(out.shape))


# -- biases and convolutions -------------------------------------------------------------------------------


@function("cudnn.__bias2D_updateOutput")
def add_bias(handle: object, bias: T, output: T) -> None:
    """``cudnn.functional.bias2D_updateOutput(handle, bias, output)``: add a number to each plane of output."""
    output.add_(bias.reshape(-1, 1, 1))


@function("cudnn.__bias2D_accGradParameters")
def add_bias_gradient(handle: object, gradOutput: T, gradBias: T, scale: float = 1, alpha: float = 1) -> None:
    """``...bias2D_accGradParameters(handle, gradOutput, gradBias[, scale, alpha])``: gradBias becomes ``alpha *
    gradBias + scale * gradient``."""
    _accumulate(gradBias, _batch(gradOutput).sum((0, 2, 3)), scale, alpha)


def _geometry(strides: Pair, pads: Pair) -> tuple[Pair, Pair, Pair, bool, Pair, int]:
    return strides, pads, (1, 1), False, (0, 0), 1


@function("cudnn.__Convolution2D_updateOutput")
def convolve(
    handle: object,
    input: T,
    weight: T,
    output: T,
    strideH: int,
    strideW: int,
    padH: int,
    padW: int,
    workspace: object = None,
) -> None:
    """``...Convolution2D_updateOutput(handle, input, weight, output, strideH, strideW, padH, padW)``"""
    geometry = _geometry((int(strideH), int(strideW)), (int(padH), int(padW)))
    _put(
        "Convolution2D_updateOutput", output, half_kernels.convolution(_batch(input), weight, None, *geometry)
    )


@function("cudnn.__Convolution2D_updateGradInput")
def convolve_back(
    handle: object,
    input: T,
    weight: T,
    output: T,
    gradOutput: T,
    gradInput: T,
    strideH: int,
    strideW: int,
    padH: int,
    padW: int,
) -> None:
    """``...Convolution2D_updateGradInput(handle, input, weight, output, gradOutput, gradInput, strideH, strideW, padH,
    padW)``"""
    geometry = _geometry((int(strideH), int(strideW)), (int(padH), int(padW)))
    gradients = half_kernels.convolution_backward(
        _batch(gradOutput), _batch(input), weight, None, *geometry, (True, False, False)
    )
    _put("Convolution2D_updateGradInput", gradInput, gradients[0])


@function("cudnn.__Convolution2D_accGradParameters")
def add_kernel_gradient(
    handle: object,
    input: T,
    gradWeight: T,
    gradOutput: T,
    strideH: int,
    strideW: int,
    padH: int,
    padW: int,
    scale: float = 1,
    alpha: float = 1,
) -> None:
    """``...Convolution2D_accGradParameters(handle, input, gradWeight, gradOutput, strideH, strideW, padH, padW[, scale,
    alpha])``: gradWeight becomes ``alpha * gradWeight + scale * gradient``."""
    geometry = _geometry((int(strideH), int(strideW)), (int(padH), int(padW)))
    gradients = half_kernels.convolution_backward(
        _batch(gradOutput), _batch(input), gradWeight, None, *geometry, (False, True, False)
    )
    _accumulate(gradWeight, gradients[1], scale, alpha)


# -- pooling -----------------------------------------------------------------------------------------------


def _pool(
    name: str, largest_of: bool, input: T, grid: Pair, sizes: tuple[int, ...], ceil_mode: bool
) -> tuple[T, T]:
    """The batch, with a gradient, and the output, which must have these sizes."""
    kernel, step, pad = sizes[:2], sizes[2:4], sizes[4:]
    batch = _batch(input).detach().requires_grad_()
    rounded = math.ceil if ceil_mode else math.floor
    counts = tuple(
        rounded((size + 2 * p - k) / d + 1)
        for size, k, d, p in zip(batch.shape[2:], kernel, step, pad, strict=True)
    )
    if counts != grid:
        raise TorchError(
            f"cudnn.functional.{name}: size mismatch: {counts[0]}x{counts[1]} vs {grid[0]}x{grid[1]}"
        )
    if largest_of:
        _, indices = largest(batch.detach(), Window(kernel, step, pad, (1, 1)), counts)
        return batch, batch.flatten(2).gather(2, indices.flatten(2) - 1).view(indices.shape)
    return batch, F.avg_pool2d(batch, kernel, step, pad, ceil_mode, divisor_override=kernel[0] * kernel[1])


def _pooling(kind: str, largest_of: bool) -> None:
    def forward(
        handle: object,
        input: T,
        output: T,
        kH: int,
        kW: int,
        dH: int,
        dW: int,
        padH: int = 0,
        padW: int = 0,
        ceil_mode: bool = False,
    ) -> None:
        name = f"{kind}Pooling2D_updateOutput"
        sizes = tuple(map(int, (kH, kW, dH, dW, padH, padW)))
        grid = (output.shape[-2], output.shape[-1])
        _put(name, output, _pool(name, largest_of, input, grid, sizes, ceil_mode)[1].detach())

    def backward(
        handle: object,
        input: T,
        output: T,
        gradOutput: T,
        gradInput: T,
        kH: int,
        kW: int,
        dH: int,
        dW: int,
        padH: int = 0,
        padW: int = 0,
        ceil_mode: bool = False,
    ) -> None:
        name = f"{kind}Pooling2D_updateGradInput"
        sizes = tuple(map(int, (kH, kW, dH, dW, padH, padW)))
        grid = (gradOutput.shape[-2], gradOutput.shape[-1])
        with torch.enable_grad():
            batch, pooled = _pool(name, largest_of, input, grid, sizes, ceil_mode)
            (gradient,) = torch.autograd.grad(pooled, batch, _batch(gradOutput))
        _put(name, gradInput, gradient)

    function(f"cudnn.__{kind}Pooling2D_updateOutput")(forward)
    function(f"cudnn.__{kind}Pooling2D_updateGradInput")(backward)


_pooling("Max", True)
_pooling("Average", False)


# -- elementwise functions and softmax ---------------------------------------------------------------------


def _over_examples(softmax: Callable[..., T]) -> Callable[[T], T]:
    """A softmax over all of each example; here, unlike in the layers, dimension 1 is always that of the batch."""

    def of(input: T) -> T:
        if input.dim() < 2:
            raise TorchError(f"cudnn.functional: a softmax of a batch, not of {size_text(input)}")
        return softmax(input.flatten(1), 1).view(input.shape)

    return of


def _mapping(name: str, mapping: Callable[[T], T]) -> None:
    def forward(handle: object, input: T, output: T) -> None:
        memory.write(output, mapping(input))

    def backward(handle: object, input: T, output: T, gradOutput: T, gradInput: T) -> None:
        with torch.enable_grad():
            leaf = input.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(mapping(leaf), leaf, gradOutput)
        memory.write(gradInput, gradient)

    function(f"cudnn.__{name}_updateOutput")(forward)
    function(f"cudnn.__{name}_updateGradInput")(backward)


_mapping("ReLU", torch.relu)
_mapping("Tanh", torch.tanh)
_mapping("Sigmoid", torch.sigmoid)
_mapping("SoftMax", _over_examples(torch.softmax))
_mapping("LogSoftMax", _over_examples(torch.log_softmax))
