"""Random numbers for the elements of an existing tensor: ``x:uniform([gen,] a, b)`` and the like.

Every function sets the elements in logical order, whatever the strides and the device, and returns the
tensor. Numbers are drawn in double precision and cast to the tensor's type as C casts them. Where the
original declares a parameter in the tensor's own type, a FloatTensor rounds it before the draw. The
distributions of real numbers exist for floating tensors only, the others for every type. Torch7's HalfTensor has none,
which callers check (check.py): layers in half precision draw.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from torch7py.ops import memory, types
from torch7py.ops.errors import TorchError
from torch7py.ops.mersenne import Generator
from torch7py.ops.random import draw, scalar
from torch7py.ops.tracing import in_transform

__all__ = [
    "bernoulli",
    "cauchy",
    "exponential",
    "geometric",
    "log_normal",
    "normal",
    "random",
    "uniform",
]

FEW = 40  # numbers: drawing and writing so many takes Python itself as long as numpy takes for its calls
_C_TYPES = {torch.float64: ctypes.c_double, torch.float32: ctypes.c_float}
PART = 1 << 16  # numbers drawn together: they stay in the processor's cache
# How many values x:random() takes, by type; words of the others are cast as they are.
WHOLE_RANGE = {"Byte": 2**8, "Char": 2**7, "Short": 2**15, "Int": 2**31, "Float": 2**24 + 1}


def uniform(generator: Generator, tensor: torch.Tensor, a: float = 0.0, b: float = 1.0) -> torch.Tensor:
    """``x:uniform([gen,] [a=0, b=1])``. A FloatTensor may hold b itself: rounding comes last."""
    a, b = _reals(tensor, "uniform", a, b)
    if _are_few(tensor):
        return _write_few(tensor, [scalar.uniform(generator, a, b) for _ in range(tensor.numel())])
    return _fill(tensor, lambda n: draw.uniform(generator, n, a, b))


def normal(generator: Generator, tensor: torch.Tensor, mean: float = 0.0, stdv: float = 1.0) -> torch.Tensor:
    """``x:normal([gen,] [mean=0, stdv=1])``."""
    mean, stdv = _reals(tensor, "normal", mean, stdv)
    if _are_few(tensor):
        return _write_few(tensor, [scalar.normal(generator, mean, stdv) for _ in range(tensor.numel())])
    return _fill(tensor, lambda n: draw.normal(generator, n, mean, stdv))


def log_normal(
    generator: Generator, tensor: torch.Tensor, mean: float = 1.0, stdv: float = 2.0
) -> torch.Tensor:
    """``x:logNormal([gen,] [mean=1, stdv=2])``."""
    mean, stdv = _reals(tensor, "logNormal", mean, stdv)
    return _fill(tensor, lambda n: draw.log_normal(generator, n, mean, stdv))


def cauchy(
    generator: Generator, tensor: torch.Tensor, median: float = 0.0, sigma: float = 1.0
) -> torch.Tensor:
    """``x:cauchy([gen,] [median=0, sigma=1])``."""
    median, sigma = _reals(tensor, "cauchy", median, sigma)
    return _fill(tensor, lambda n: draw.cauchy(generator, n, median, sigma))


def exponential(generator: Generator, tensor: torch.Tensor, rate: float) -> torch.Tensor:
    """``x:exponential([gen,] rate)``."""
    (rate,) = _reals(tensor, "exponential", rate)
    return _fill(tensor, lambda n: draw.exponential(generator, n, rate))


def geometric(generator: Generator, tensor: torch.Tensor, p: float) -> torch.Tensor:
    """``x:geometric([gen,] p)``: trials until one fails, each of which succeeds with probability p; in cutorch until
    one succeeds."""
    if types.of(tensor).is_cuda:
        p = 1 - p
    return _fill(tensor, lambda n: draw.geometric(generator, n, p))


def bernoulli(generator: Generator, tensor: torch.Tensor, p: float | torch.Tensor = 0.5) -> torch.Tensor:
    """``x:bernoulli([gen,] [p=0.5])``. p: one for all, or a Float- or DoubleTensor with one for every element."""
    if isinstance(p, torch.Tensor):
        if types.of_layer(p).host.name not in ("Float", "Double", "BFloat16"):
            raise TorchError(f"bernoulli: probabilities in a {types.of(p).tensor}, expected Float or Double")
        if p.numel() != tensor.numel():
            raise TorchError(f"bernoulli: {p.numel()} probabilities for {tensor.numel()} elements")
        return _write(tensor, draw.bernoulli(generator, tensor.numel(), p))
    return _fill(tensor, lambda n: draw.bernoulli(generator, n, p))


def random(generator: Generator, tensor: torch.Tensor, *bounds: float) -> torch.Tensor:
    """``x:random([gen,] [[a,] b])``: whole numbers from a (or 1) to b, or from 0 up within the type's range.

    A negative number comes out right in the types of whole numbers only. In a FloatTensor or DoubleTensor it
    is 2^64 too large: the original's arithmetic is unsigned until the cast, and the stream is the original's.
    """
    number_type = types.of_layer(tensor).host

    def numbers(n: int) -> torch.Tensor:
        values = draw.unsigned(generator, n, *bounds)
        if not bounds and number_type.name in WHOLE_RANGE:
            values %= np.uint64(WHOLE_RANGE[number_type.name])
        if number_type.name in ("Float", "Double"):
            return torch.from_numpy(values.astype(str(number_type.dtype).removeprefix("torch.")))
        return torch.from_numpy(values.view(np.int64))

    return _fill(tensor, numbers)


def _fill(tensor: torch.Tensor, numbers: Callable[[int], torch.Tensor]) -> torch.Tensor:
    """Fill a tensor with the next numbers of a stream, drawn a part at a time."""
    count = tensor.numel()
    if count <= PART or not tensor.is_contiguous():
        return _write(tensor, numbers(count))
    for part in torch.split(tensor.detach().view(-1), PART):
        _write(part, numbers(len(part)))
    return tensor


def _are_few(tensor: torch.Tensor) -> bool:
    """Whether a tensor has so few elements that numbers of Python are sooner drawn and written than arrays."""
    return (
        tensor.numel() <= FEW
        and tensor.__class__ in (torch.Tensor, torch.nn.Parameter)
        and tensor.dtype in _C_TYPES
        and tensor.is_cpu
        and tensor.is_contiguous()
        and not torch.compiler.is_compiling()
        and not in_transform()
    )


def _write_few(tensor: torch.Tensor, values: list[float]) -> torch.Tensor:
    if values:
        elements: Any = (_C_TYPES[tensor.dtype] * len(values)).from_address(tensor.data_ptr())
        elements[:] = values
        torch.autograd.graph.increment_version(tensor)
    return tensor


def _write(tensor: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    if torch.compiler.is_compiling():  # an exported program would have these very numbers for ever
        raise TorchError(
            "random numbers of Torch7's stream cannot be exported: export a model in evaluation mode"
        )
    # Detached, so that a parameter can be filled; the memory is the same.
    detached = tensor.detach() if tensor.requires_grad else tensor
    if tensor.is_contiguous():
        detached.view(-1).copy_(values)
    else:
        memory.copy(detached, values.view(tensor.shape))
    return tensor


def _reals(tensor: torch.Tensor, name: str, *parameters: float) -> tuple[float, ...]:
    number_type = types.of_layer(tensor)
    if number_type.dtype == torch.float64:
        return parameters
    if number_type.is_floating:
        return tuple(ctypes.c_float(value).value for value in parameters)
    raise TorchError(f"{number_type.tensor} has no {name}: only DoubleTensor and FloatTensor do")
