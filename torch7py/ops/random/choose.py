"""Permutations and samples of categories: randperm, multinomial, and multinomial by the alias method.

Categories are numbered from 1, as Lua has them.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from torch7py.kernels import available, kernel
from torch7py.ops import types
from torch7py.ops.errors import ArgumentError
from torch7py.ops.mersenne import Generator, to_long
from torch7py.ops.random import draw

__all__ = ["alias_draw", "alias_setup", "multinomial", "randperm"]

Doubles = NDArray[np.float64]
Longs = NDArray[np.int64]

FEW = 1 << 10  # samples in all, up to which the kernel is faster than the check whether PyTorch can be used
AT_ONCE = 1 << 16  # words drawn together for a kernel: they stay in the cache


def randperm(generator: Generator, n: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """The numbers 1 to n in random order: ``torch.randperm([gen,] n)``. n must be at least 1."""
    n = to_long(n)
    if n <= 0:
        raise ArgumentError(f"randperm: n must be strictly positive, got {n}")
    order = (_shuffled if available() else _shuffled_in_python)(generator, n)
    # Cast before adding, as the original did: a FloatTensor beyond 2^24 shows the difference.
    return order.to(dtype).add_(1)


def _shuffled(generator: Generator, n: int) -> torch.Tensor:
    """0 to n - 1, every position but the last exchanged with a random one from itself on."""
    order = torch.arange(n, dtype=torch.int32, device="cpu")
    shuffle = kernel("shuffle")
    for first in range(0, n - 1, AT_ONCE):
        words = generator.words(min(AT_ONCE, n - 1 - first))
        shuffle(words.ctypes.data, len(words), order.data_ptr(), first, n)
    return order


def _shuffled_in_python(generator: Generator, n: int) -> torch.Tensor:
    partners = generator.words(n - 1) % np.arange(n, 1, -1, dtype=np.uint64)
    partners += np.arange(n - 1, dtype=np.uint64)
    order = list(range(n))
    for i, j in enumerate(partners.tolist()):
        order[i], order[j] = order[j], order[i]
    return torch.tensor(order, dtype=torch.int64, device="cpu")


def multinomial(
    generator: Generator, probabilities: torch.Tensor, n: float, replacement: bool = False
) -> torch.Tensor:
    """n categories drawn by probability: ``torch.multinomial([gen,] p, n [, replacement=false])``.

    Args:
        probabilities: DoubleTensor or FloatTensor, (C) or (R, C) with a distribution in each row. A row need
            not sum to 1.
        replacement: whether a category may come more than once in a row.

    Returns:
        LongTensor of (n) or (R, n), categories from 1.

    Raises:
        ArgumentError: n below 1, more than C without replacement, or a row whose sum is not above 0.
    """
    rows = _rows(probabilities)
    n = to_long(n)
    if n <= 0:
        raise ArgumentError(f"multinomial: cannot draw {n} samples")
    if not replacement and n > rows.shape[1]:
        raise ArgumentError(f"multinomial: cannot draw {n} of {rows.shape[1]} categories without replacement")
    # cumsum adds from left to right, as the original's loop does.
    sums = torch.cumsum(rows, 1)
    totals = sums[:, -1:].clone()
    count = rows.shape[0]
    if not totals.min().item() > 0:
        # The rows before an invalid one have drawn their words before it is met.
        generator.words(int(torch.nonzero(~(totals > 0))[0, 0]) * n)
        raise ArgumentError("multinomial: invalid distribution, the sum of probabilities is not above 0")
    words = generator.words(count * n)
    sums /= totals
    once = not replacement and n > 1
    few = count * n < FEW and available()
    if not once and not few and rows.min() >= 0 and totals.max() < math.inf:
        sums[:, -1] = 1
        points = np.multiply(words, 2.0**-32, dtype=np.float64).reshape(count, n)
        result = torch.searchsorted(sums, torch.from_numpy(points)).add_(1)
    else:
        # If the sums do not ascend only the original's bisection finds the same categories.
        result = torch.empty((count, n), dtype=torch.int64, device="cpu")
        if available():
            addresses = sums.data_ptr(), words.ctypes.data, result.data_ptr()
            kernel("sample")(addresses[0], *sums.shape, addresses[1], n, once, addresses[2])
        else:
            samples = np.empty(result.shape, np.int64)
            _sample_in_python(sums.numpy(), words, once, samples)
            result.copy_(torch.from_numpy(samples))  # numpy's memory could not be resized
    return (result[0] if probabilities.dim() == 1 else result).to(probabilities.device)


def _sample_in_python(sums: Doubles, words: NDArray[np.uint64], once: bool, into: Longs) -> None:
    points = np.multiply(words, 2.0**-32, dtype=np.float64).reshape(into.shape)
    # Once every category of any weight is drawn, the rest is nan, and the original goes on with it.
    with np.errstate(divide="ignore", invalid="ignore"):
        for row, cumulative in enumerate(sums):
            for i, point in enumerate(points[row].tolist()):
                cumulative[-1] = 1
                category = bisect_left(cumulative, point)
                into[row, i] = category + 1
                if once:
                    weight = cumulative[category] - (cumulative[category - 1] if category else 0.0)
                    cumulative[category:] -= weight
                    cumulative /= 1.0 - weight


def _rows(probabilities: torch.Tensor) -> torch.Tensor:
    number_type = types.of_layer(probabilities)
    if number_type.host.name not in ("Double", "Float", "BFloat16"):
        raise ArgumentError(f"multinomial: probabilities in a {number_type.tensor}, expected Double or Float")
    if probabilities.dim() not in (1, 2) or probabilities.numel() == 0:
        sizes = "x".join(map(str, probabilities.shape))
        raise ArgumentError(f"multinomial: probabilities must be a vector or a matrix, got size {sizes}")
    values = probabilities.detach().to(device="cpu", dtype=torch.float64)
    return values.contiguous().view(-1, values.shape[-1])


def alias_setup(probabilities: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The tables of the alias method: ``torch.multinomialAliasSetup(p)``, p a vector that sums to 1.

    Returns:
        For each of C categories the other category (LongTensor, from 1) that shares its column, and the
        probability of staying (in p's type).

    The original took an alias that is the first category for no alias at all, and drew the categories that had it a
    little too often; this does not.
    """
    rows = _rows(probabilities)
    if probabilities.dim() != 1:
        raise ArgumentError("multinomialAliasSetup: probabilities must be a vector")
    real = np.float32 if probabilities.dtype == torch.float32 else np.float64
    stay = rows[0].clone().numpy().astype(real) * real(rows.shape[1])
    alias = np.full(len(stay), -1, np.int64)
    if np.isnan(stay).any():
        raise ArgumentError("multinomialAliasSetup: every probability must be above 0")
    _share(stay, alias)
    if not stay.min() > 0:
        raise ArgumentError("multinomialAliasSetup: every probability must be above 0")
    if stay.max() > 1:
        stay /= stay.max()
    stay[alias < 0] = 1
    alias[alias < 0] = 0
    return torch.from_numpy(alias + 1), torch.from_numpy(stay)


def _share(stay: NDArray[np.floating[Any]], alias: Longs) -> None:
    real = stay.dtype.type
    smaller = [i for i, value in enumerate(stay) if value < 1]
    larger = [i for i, value in enumerate(stay) if not value < 1]
    while smaller and larger:
        small, large = smaller.pop(), larger[-1]
        alias[small] = large
        stay[large] = real(float(stay[large]) - (1.0 - float(stay[small])))
        if stay[large] < 1:
            smaller.append(larger.pop())


def alias_draw(generator: Generator, n: int, alias: torch.Tensor, stay: torch.Tensor) -> torch.Tensor:
    """n categories (LongTensor) by the tables of ``alias_setup``: ``torch.multinomialAlias(output, state)``.

    Takes two words a sample, as the original. The original gave the category before the alias, and one
    earlier with each further call; this gives the alias.
    """
    unit = draw.uniform(generator, 2 * n)
    columns = (unit[0::2] * alias.numel()).long()
    stays = unit[1::2] <= stay.cpu()[columns]
    return torch.where(stays, columns + 1, alias.cpu()[columns])
