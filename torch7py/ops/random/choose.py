"""Permutations and samples of categories: randperm, multinomial, and multinomial by the alias method.

Categories are numbered from 1, as Lua has them.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import torch
from numpy.typing import NDArray

from torch7py.ops import types
from torch7py.ops.errors import ArgumentError
from torch7py.ops.mersenne import Generator, to_long
from torch7py.ops.random import draw

__all__ = ["alias_draw", "alias_setup", "multinomial", "randperm"]

Doubles = NDArray[np.float64]


def randperm(generator: Generator, n: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """The numbers 1 to n in random order: ``torch.randperm([gen,] n)``. n must be at least 1."""
    n = to_long(n)
    if n <= 0:
        raise ArgumentError(f"randperm: n must be strictly positive, got {n}")
    # Each place but the last changes with a random one from itself on.
    partners = generator.words(n - 1) % np.arange(n, 1, -1, dtype=np.uint64)
    partners += np.arange(n - 1, dtype=np.uint64)
    order = list(range(n))
    for i, j in enumerate(partners.tolist()):
        order[i], order[j] = order[j], order[i]
    # Cast before adding, as the original did: a FloatTensor beyond 2^24 shows the difference.
    return torch.tensor(order, dtype=torch.int64, device="cpu").to(dtype) + 1


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
    result = np.empty((len(rows), n), np.int64)
    sample = _with_replacement if replacement or n == 1 else _without_replacement
    # accumulate adds from left to right, as the original's loop does.
    for row, cumulative in enumerate(np.add.accumulate(rows, axis=1)):
        total = cumulative[-1]
        if not total > 0:
            raise ArgumentError("multinomial: invalid distribution, the sum of probabilities is not above 0")
        cumulative /= total
        sample(generator, cumulative, result[row])
    result += 1
    shape = (n,) if probabilities.dim() == 1 else result.shape
    return torch.from_numpy(result).view(shape).to(probabilities.device)


def _rows(probabilities: torch.Tensor) -> Doubles:
    number_type = types.of(probabilities)
    if number_type.host.name not in ("Double", "Float"):
        raise ArgumentError(f"multinomial: probabilities in a {number_type.tensor}, expected Double or Float")
    if probabilities.dim() not in (1, 2) or probabilities.numel() == 0:
        sizes = "x".join(map(str, probabilities.shape))
        raise ArgumentError(f"multinomial: probabilities must be a vector or a matrix, got size {sizes}")
    values: Doubles = probabilities.detach().to(device="cpu", dtype=torch.float64).numpy()
    return np.atleast_2d(values)


def _with_replacement(generator: Generator, cumulative: Doubles, into: NDArray[np.int64]) -> None:
    cumulative[-1] = 1
    points = draw.uniform(generator, len(into)).numpy()
    if len(points) > 1 and (cumulative[1:] >= cumulative[:-1]).all():
        into[:] = np.searchsorted(cumulative, points)
    else:
        # Negative probabilities: only the original's own bisection, which this is, finds the same places.
        into[:] = [bisect_left(cumulative, point) for point in points.tolist()]


def _without_replacement(generator: Generator, cumulative: Doubles, into: NDArray[np.int64]) -> None:
    # Once every category of any weight is drawn, the rest is nan, and the original goes on with it.
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, point in enumerate(draw.uniform(generator, len(into)).tolist()):
            cumulative[-1] = 1
            place = bisect_left(cumulative, point)
            into[i] = place
            weight = cumulative[place] - (cumulative[place - 1] if place else 0.0)
            cumulative[place:] -= weight
            cumulative /= 1.0 - weight


def alias_setup(probabilities: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The tables of the alias method: ``torch.multinomialAliasSetup(p)``, p a vector that sums to 1.

    Returns:
        For each of C categories the other category (LongTensor, from 1) that shares its place, and the
        probability of staying (in p's type).

    The original took an alias that is the first category for no alias at all, and sampled a little too
    much of the places that had it; this does not.
    """
    rows = _rows(probabilities)
    if probabilities.dim() != 1:
        raise ArgumentError("multinomialAliasSetup: probabilities must be a vector")
    real = np.float32 if probabilities.dtype == torch.float32 else np.float64
    stay = rows[0].astype(real) * real(rows.shape[1])
    alias = np.full(len(stay), -1, np.int64)
    smaller = [i for i, value in enumerate(stay) if value < 1]
    larger = [i for i, value in enumerate(stay) if not value < 1]
    while smaller and larger:
        small, large = smaller.pop(), larger[-1]
        alias[small] = large
        stay[large] = real(float(stay[large]) - (1.0 - float(stay[small])))
        if stay[large] < 1:
            smaller.append(larger.pop())
    if not stay.min() > 0:
        raise ArgumentError("multinomialAliasSetup: every probability must be above 0")
    if stay.max() > 1:
        stay /= stay.max()
    stay[alias < 0] = 1
    alias[alias < 0] = 0
    return torch.from_numpy(alias + 1), torch.from_numpy(stay)


def alias_draw(generator: Generator, n: int, alias: torch.Tensor, stay: torch.Tensor) -> torch.Tensor:
    """n categories (LongTensor) by the tables of ``alias_setup``: ``torch.multinomialAlias(output, state)``.

    Takes two words a sample, as the original. The original gave the category before the alias, and one
    earlier with each further call; this gives the alias.
    """
    unit = draw.uniform(generator, 2 * n).numpy()
    places = (unit[0::2] * alias.numel()).astype(np.int64)
    stays = unit[1::2] <= stay.cpu().numpy()[places]
    return torch.from_numpy(np.where(stays, places + 1, alias.cpu().numpy()[places]))
