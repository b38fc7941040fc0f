"""Random numbers drawn directly into a tensor's memory by kernels: the numbers of ``draw``, to the last bit."""

from __future__ import annotations

import math

import torch

from torch7py.kernels import available, kernel
from torch7py.ops import types
from torch7py.ops.mersenne import Generator
from torch7py.ops.random import check, scalar
from torch7py.ops.tracing import numbers_known

__all__ = ["fill", "fill_normal", "fits"]

AT_ONCE = 1 << 16  # words drawn together: they stay in the cache
FEW = 64  # up to so many elements ``draw`` is as fast


def fits(tensor: torch.Tensor) -> bool:
    """Whether a kernel can fill a tensor: a contiguous one on the CPU."""
    return (
        tensor.numel() > FEW
        and tensor.device.type == "cpu"
        and tensor.is_contiguous()
        and tensor.dtype != torch.float16
        and available()
        and numbers_known()
    )


def fill(generator: Generator, tensor: torch.Tensor, name: str, *parameters: float) -> torch.Tensor:
    """Distributions of one word an element: uniform, exponential, cauchy, random (of a lowest number and a count)."""
    _fill(generator, name, tensor.data_ptr(), tensor.numel(), tensor, parameters)
    return tensor


def fill_normal(
    generator: Generator, tensor: torch.Tensor, name: str, mean: float, stdv: float
) -> torch.Tensor:
    """normal or log_normal: drawn in pairs. The second number of a pair may be pending before and after the call."""
    check.stdv(stdv)
    one = scalar.normal if name == "normal" else scalar.log_normal
    flat = tensor.detach().view(-1)
    first = int(generator.pair_pending)
    if first:
        flat[0] = one(generator, mean, stdv)
    count = (len(flat) - first) // 2 * 2
    if count:
        at = flat.data_ptr() + first * flat.element_size()
        x, y = (word * scalar.UNIT for word in _fill(generator, name, at, count, flat, (mean, stdv)))
        generator.pair = (x, y, math.sqrt(-2.0 * math.log(1.0 - y)))
    if first + count < len(flat):
        flat[-1] = one(generator, mean, stdv)
    return tensor


def _fill(
    generator: Generator,
    name: str,
    at: int,
    count: int,
    like: torch.Tensor,
    parameters: tuple[float, ...],
) -> tuple[int, int]:
    """Write numbers to an address; returns the last two words, of an even number of them."""
    draw = kernel("draw", OUT=types.of(like).ctype)
    done, last = 0, 0
    while done < count:
        wanted = min(AT_ONCE, count - done)
        pairs = generator.pairs(wanted)
        drawn, last = min(2 * len(pairs), wanted), int(pairs[-1])
        draw(name, pairs.ctypes.data, drawn, at + done * like.element_size(), *parameters)
        done += drawn
    return last >> 32, last & 0xFFFFFFFF
