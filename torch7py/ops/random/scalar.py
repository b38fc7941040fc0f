"""One random number at a time: ``torch.uniform([gen,] a, b)`` and its kin, in double precision."""

from __future__ import annotations

import math

import numpy as np

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
]

UNIT = 2.0**-32


def uniform(generator: Generator, a: float = 0.0, b: float = 1.0) -> float:
    """A number from [a, b): ``torch.uniform([gen,] [a=0, b=1])``."""
    return generator.word() * UNIT * (b - a) + a


def normal(generator: Generator, mean: float = 0.0, stdv: float = 1.0) -> float:
    """A normal number: ``torch.normal([gen,] [mean=0, stdv=1])``. stdv must be above 0."""
    check.stdv(stdv)
    if generator.pair_pending:
        generator.pair_pending = False
        x, _, rho = generator.pair
        return rho * math.sin(2.0 * math.pi * x) * stdv + mean
    x = generator.word() * UNIT
    y = generator.word() * UNIT
    rho = math.sqrt(-2.0 * math.log(1.0 - y))
    generator.pair = (x, y, rho)
    generator.pair_pending = True
    return rho * math.cos(2.0 * math.pi * x) * stdv + mean


def log_normal(generator: Generator, mean: float = 1.0, stdv: float = 2.0) -> float:
    """exp of a normal number with this mean and deviation: ``torch.logNormal([gen,] [mean=1, stdv=2])``."""
    try:
        return math.exp(normal(generator, mean, stdv))
    except OverflowError:
        return math.inf


def exponential(generator: Generator, rate: float) -> float:
    """A number of density rate * exp(-rate * x): ``torch.exponential([gen,] rate)``."""
    # A rate of 0 divides by zero, which C defines and Python refuses.
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(-1.0) / np.float64(rate) * math.log(1 - generator.word() * UNIT))


def cauchy(generator: Generator, median: float = 0.0, sigma: float = 1.0) -> float:
    """A Cauchy number: ``torch.cauchy([gen,] [median=0, sigma=1])``."""
    return median + sigma * math.tan(math.pi * (generator.word() * UNIT - 0.5))


def geometric(generator: Generator, p: float) -> int:
    """A whole number i of probability (1 - p) * p^(i - 1): ``torch.geometric([gen,] p)``, 0 < p < 1."""
    check.geometric_p(p)
    trials = int(math.log(1 - generator.word() * UNIT) / math.log(p))
    # C's int: what does not fit is the smallest one.
    return (trials if trials < 2**31 else -(2**31)) + 1


def bernoulli(generator: Generator, p: float = 0.5) -> int:
    """1 with probability p, else 0: ``torch.bernoulli([gen,] [p=0.5])``."""
    check.probability(p)
    return int(generator.word() * UNIT <= p)


def random(generator: Generator, *bounds: float) -> int:
    """A whole number: of 32 bits, from 1 to b, or from a to b: ``torch.random([gen,] [[a,] b])``."""
    if not bounds:
        return generator.word()
    low, count = check.bounds(bounds)
    value = (generator.word() % count + low) % 2**64
    return value - 2**64 if value >= 2**63 else value
