"""n random numbers at once, as 1-D CPU tensors of doubles or 64-bit integers.

Every function returns the same numbers as n calls of its namesake in ``scalar``, to the last bit.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from torch7py.ops import libm
from torch7py.ops.errors import ArgumentError
from torch7py.ops.memory import array_of
from torch7py.ops.mersenne import Generator
from torch7py.ops.random import check

__all__ = [
    "bernoulli",
    "cauchy",
    "exponential",
    "geometric",
    "log_normal",
    "normal",
    "random",
    "uniform",
    "unsigned",
]

Doubles = NDArray[np.float64]


def uniform(generator: Generator, n: int, a: float = 0.0, b: float = 1.0) -> torch.Tensor:
    """n numbers from [a, b), float64."""
    values = _unit(generator, n)
    if a != 0 or b != 1:
        values *= b - a
        values += a
    return torch.from_numpy(values)


def normal(generator: Generator, n: int, mean: float = 0.0, stdv: float = 1.0) -> torch.Tensor:
    """n normal numbers, float64. stdv must be above 0."""
    return torch.from_numpy(_normal(generator, n, mean, stdv))


def log_normal(generator: Generator, n: int, mean: float = 1.0, stdv: float = 2.0) -> torch.Tensor:
    """exp of n normal numbers of this mean and deviation, float64."""
    return torch.from_numpy(libm.exp(_normal(generator, n, mean, stdv)))


def exponential(generator: Generator, n: int, rate: float) -> torch.Tensor:
    """n numbers of density rate * exp(-rate * x), float64."""
    logs = libm.log(1 - _unit(generator, n))
    # A rate of 0 divides by zero: inf and nan, as in C.
    with np.errstate(divide="ignore", invalid="ignore"):
        return torch.from_numpy(np.float64(-1.0) / np.float64(rate) * logs)


def cauchy(generator: Generator, n: int, median: float = 0.0, sigma: float = 1.0) -> torch.Tensor:
    """n Cauchy numbers, float64."""
    return torch.from_numpy(median + sigma * libm.tan(math.pi * (_unit(generator, n) - 0.5)))


def geometric(generator: Generator, n: int, p: float) -> torch.Tensor:
    """n whole numbers i of probability (1 - p) * p^(i - 1), int64. 0 < p < 1."""
    if n == 0:
        return torch.empty(0, dtype=torch.int64, device="cpu")
    check.geometric_p(p)
    trials = np.trunc(libm.log(1 - _unit(generator, n)) / math.log(p))
    # C's int: what does not fit is the smallest one.
    return torch.from_numpy(np.where(trials < 2**31, trials, -(2.0**31)).astype(np.int64) + 1)


def bernoulli(generator: Generator, n: int, p: float | torch.Tensor = 0.5) -> torch.Tensor:
    """n truth values (bool), true with probability p: one for all, or a tensor of n in logical order."""
    if isinstance(p, torch.Tensor):
        probabilities = p.detach().to(device="cpu", dtype=torch.float64).contiguous().view(-1)
        limits = array_of(probabilities)
        if not ((limits >= 0) & (limits <= 1)).all():
            raise ArgumentError("probabilities must be >= 0 and <= 1")
        return torch.from_numpy(_unit(generator, n) <= limits)
    if n == 0:
        return torch.empty(0, dtype=torch.bool, device="cpu")
    check.probability(p)
    words = generator.words(n)
    # word * 2^-32 <= p, without leaving whole numbers: scaling p by 2^32 is exact.
    limit = math.floor(p * 2.0**32)
    return torch.from_numpy(words <= limit)


def random(generator: Generator, n: int, *bounds: float) -> torch.Tensor:
    """n whole numbers, int64: of 32 bits, from 1 to b, or from a to b."""
    return torch.from_numpy(unsigned(generator, n, *bounds).view(np.int64))


def unsigned(generator: Generator, n: int, *bounds: float) -> NDArray[np.uint64]:
    """The numbers of ``random`` in C's unsigned arithmetic: a negative number k is 2^64 + k."""
    if not bounds:
        return generator.words(n)
    low, count = check.bounds(bounds)
    words = generator.words(n)
    words %= np.uint64(count)
    words += np.uint64(low % 2**64)
    return words


def _unit(generator: Generator, n: int) -> Doubles:
    return np.multiply(generator.words(n), 2.0**-32, dtype=np.float64)


def _normal(generator: Generator, n: int, mean: float, stdv: float) -> Doubles:
    """Box-Muller: a pair of words gives two numbers, of which the second may be left over from the last call."""
    if n == 0:
        return np.empty(0)
    check.stdv(stdv)
    pending = int(generator.pair_pending)
    pairs = (n - pending + 1) // 2
    both = np.empty(pending + 2 * pairs)
    if pending:
        x, _, rho = generator.pair
        both[0] = rho * math.sin(2.0 * math.pi * x)
    if pairs:
        unit = _unit(generator, 2 * pairs)
        xs, ys = unit[0::2], unit[1::2]
        rhos = np.sqrt(-2.0 * libm.log(1.0 - ys))
        angles = 2.0 * math.pi * xs
        np.multiply(rhos, libm.cos(angles), out=both[pending::2])
        np.multiply(rhos, libm.sin(angles), out=both[pending + 1 :: 2])
        generator.pair = (float(xs[-1]), float(ys[-1]), float(rhos[-1]))
    generator.pair_pending = len(both) > n
    both *= stdv
    both += mean
    return both[:n]
