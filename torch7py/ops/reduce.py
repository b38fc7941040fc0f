"""Many elements to one: sums, extremes, norms and moments, of a whole tensor or along a dimension.

Of a whole tensor the result is a number. Along a dimension it is a tensor in which that dimension has size 1.
Sums of a FloatTensor are carried in double, sums of integers in 64 bits, as in the original.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from torch7py.ops import memory
from torch7py.ops.errors import TorchError
from torch7py.ops.ordered_sum import BLOCK, ordered_sum
from torch7py.ops.registry import Form, operation
from torch7py.ops.shape import check_dim

__all__: list[str] = []

T = torch.Tensor
Pair = tuple[T, T]


def _not_empty(x: T) -> T:
    if not x.numel():
        raise TorchError("empty tensor")
    return x


def _wide(x: T) -> torch.dtype:
    """The type in which a number is accumulated."""
    return torch.float64 if x.is_floating_point() else torch.int64


def _wide_along(x: T, dim: int) -> torch.dtype:
    """The type in which numbers along a dimension are accumulated: a wide one where they lie side by side."""
    return _wide(x) if x.stride(dim) == 1 else x.dtype


# -- sums and products ------------------------------------------------------------------------------------


@operation("sum", "x:T", Form.QUERY, returns="value", loop="0; s + x; s")
def _sum(x: T) -> float:
    """The sum of all elements, or the sums along a dimension, which is then of size 1.

    Those of floats are carried in double where the elements lie side by side; a sum of all integers is one of longs.
    """
    if x.is_floating_point():
        return ordered_sum(x, torch.float64).item()
    return x.sum().item()  # of integers one of longs


@operation("sum", "x:T dim:index")
def _sum_along(x: T, dim: int) -> T:
    check_dim(x, dim)
    wide = _wide_along(x, dim)
    if wide == torch.float64 and 0 < x.numel() <= BLOCK and x.device.type == "cpu":
        return x.cumsum(dim, dtype=wide).narrow(dim, -1, 1).to(x.dtype, copy=True)
    return x.sum(dim, keepdim=True, dtype=wide).to(x.dtype)


@operation("prod", "x:T", Form.QUERY, returns="value")
def _product(x: T) -> float:
    """The product of all elements, or the products along a dimension, carried as sums are."""
    return x.prod(dtype=_wide(x)).item()


@operation("prod", "x:T dim:index")
def _product_along(x: T, dim: int) -> T:
    check_dim(x, dim)
    return x.prod(dim, keepdim=True, dtype=_wide_along(x, dim)).to(x.dtype)


@operation("cumsum", "x:T dim:index=0", Form.QUERY)
def _running_sum(x: T, dim: int, *, out: T | None = None) -> T:
    """Along a dimension (the first) each element with all before it added up."""
    return _running(torch.cumsum, x, dim, out)


@operation("cumprod", "x:T dim:index=0", Form.QUERY)
def _running_product(x: T, dim: int, *, out: T | None = None) -> T:
    """Along a dimension (the first) each element times all before it."""
    return _running(torch.cumprod, x, dim, out)


def _running(function: Callable[..., T], x: T, dim: int, out: T | None) -> T:
    check_dim(x, dim)
    # PyTorch carries what it adds up of floats in double, on the CPU.
    if _wide(x) == x.dtype or (x.dtype == torch.float32 and x.device.type == "cpu"):
        return function(x, dim, out=out)
    result = function(x, dim, dtype=_wide(x)).to(x.dtype)
    return result if out is None else out.copy_(result)


@operation("trace", "x:T", Form.METHOD, returns="value")
def _trace(x: T) -> float:
    """The sum of a matrix's diagonal, which need not be square."""
    if len(memory.size_of(x)) != 2:
        raise TorchError("expected a matrix")
    if x.dtype == _wide(x):
        return x.trace().item()  # one after the other, as in the original
    return x.diagonal().sum(dtype=_wide(x)).item()


# -- extremes ---------------------------------------------------------------------------------------------


def _register_extreme(name: str, whole: Callable[[T], T], along: Callable[..., Pair]) -> None:
    """``max`` or ``min``: the value, or the values and where they are first met, counted from 1."""

    def pair(x: T, dim: int) -> Pair:
        values, indices = along(x, check_dim(x, dim), keepdim=True)
        return values, indices + 1

    word = "greatest" if name == "max" else "least"
    about = (
        f"The {word} element; along a dimension, which is then of size 1, the {word} elements and a LongTensor of "
        "where they are, counted from 1. NaN is taken where there is one. Without elements an error."
    )
    sign = ">" if name == "max" else "<"
    loop = f"x; (x {sign} s or x ~= x) and x or s; s"
    operation(name, "x:T", Form.QUERY, returns="value", loop=loop, about=about)(
        lambda x: whole(_not_empty(x)).item()
    )
    operation(name, "x:T dim:index", returns="multi", outs=2)(pair)


_register_extreme("max", torch.max, torch.max)
_register_extreme("min", torch.min, torch.min)

# -- moments ----------------------------------------------------------------------------------------------


@operation("mean", "x:F", Form.QUERY, returns="value", loop="0; s + x; s / n")
def _mean(x: T) -> float:
    """The mean of all elements, or the means along a dimension, which is then of size 1."""
    return _sum(_not_empty(x)) / x.numel()


@operation("mean", "x:F dim:index")
def _mean_along(x: T, dim: int) -> T:
    return _sum_along(x, dim) / x.size(dim)


def _variance(x: T, biased: bool) -> float:
    """From the squares of the differences to the mean, in double."""
    count = _not_empty(x).numel() - (not biased)
    mean = _sum(x) / x.numel()
    squares = ordered_sum((x.double() - mean).square_()).item()
    return squares / count if count else math.nan


def _variance_along(x: T, dim: int, biased: bool) -> T:
    """From the sum and the sum of squares, as in the original: far from 0 less exact than ``x:var()``."""
    count = x.size(check_dim(x, dim))
    mean = x.sum(dim, keepdim=True, dtype=torch.float64) / count
    squares = (x * x).sum(dim, keepdim=True, dtype=torch.float64)
    if biased:
        return (squares / count - mean.square()).clamp(min=0)
    if count == 1:
        return torch.full_like(mean, math.nan)
    return (squares / (count - 1) - count / (count - 1) * mean.square()).clamp(min=0)


@operation("var", "x:F biased:bool=False", Form.QUERY, returns="value")
def _var(x: T, biased: bool) -> float:
    """The variance, over n - 1 unless ``biased``."""
    return _variance(x, biased)


@operation("var", "x:F dim:index biased:bool=False")
def _var_along(x: T, dim: int, biased: bool) -> T:
    return _variance_along(x, dim, biased).to(x.dtype)


@operation("std", "x:F biased:bool=False", Form.QUERY, returns="value")
def _std(x: T, biased: bool) -> float:
    """The standard deviation, over n - 1 unless ``biased``."""
    return math.sqrt(_variance(x, biased))


@operation("std", "x:F dim:index biased:bool=False")
def _std_along(x: T, dim: int, biased: bool) -> T:
    return _variance_along(x, dim, biased).sqrt().to(x.dtype)


# -- norms ------------------------------------------------------------------------------------------------


def _inverse(p: float) -> float:
    return 1 / p if p else math.inf


def _root(total: T, p: float, dtype: torch.dtype) -> float:
    """``total^(1/p)``, rounded to a type: PyTorch's own roots of floats may be off by a last digit."""
    return total.double().pow(_inverse(p)).to(dtype).item()


@operation(
    "norm",
    "x:F p:real=2",
    Form.QUERY,
    returns="value",
    loop="0; s + x * x; sqrt(s)",
    loop_when="v == 2",
)
def _norm(x: T, p: float) -> float:
    """``(sum |x|^p)^(1/p)``; for p = 0 the number of elements that are not 0."""
    if p == 0:
        return float(torch.count_nonzero(x))
    if p == 1:
        return ordered_sum(x.abs(), torch.float64).item()
    if p == 2:
        return math.sqrt(ordered_sum(x.double().square()).item())
    return _root(ordered_sum(x.abs().pow(p), torch.float64), p, x.dtype)


@operation("norm", "x:F p:real dim:index")
def _norm_along(x: T, p: float, dim: int) -> T:
    check_dim(x, dim)
    if p == 0:
        return (x != 0).sum(dim, keepdim=True).to(x.dtype)
    if p in (1, 2):
        return torch.linalg.vector_norm(x, p, dim, keepdim=True, dtype=torch.float64).to(x.dtype)
    return x.abs().pow(p).sum(dim, keepdim=True, dtype=torch.float64).pow(_inverse(p)).to(x.dtype)


@operation("dist", "x:F other:like p:real=2", Form.METHOD, returns="value")
def _distance(x: T, other: T, p: float) -> float:
    """``(sum |x - other|^p)^(1/p)``, which is carried in the tensors' own type."""
    return _root(ordered_sum((x - other).abs_().pow_(p)), p, x.dtype)


def _limit_norms_(src: T, p: float, dim: int, limit: float) -> T:
    if 0 in src.stride():
        memory.write_expanded(src, _limit_norms(src, p, dim, limit))
        return src
    return _limit_norms(src, p, dim, limit, out=src)


@operation("renorm", "src:F p:real dim:index limit:real", Form.UPDATE, inplace=_limit_norms_)
def _limit_norms(src: T, p: float, dim: int, limit: float, *, out: T | None = None) -> T:
    """The slices along ``dim``, those of a p-norm above ``limit`` scaled down to it."""
    check_dim(src, dim)
    if p <= 0:
        raise TorchError("non-positive-norm not supported")
    if src.dim() < 2:
        raise TorchError(f"need at least 2 dimensions, got {src.dim()} dimensions")
    if limit >= 0 and p in (1, 2):
        return torch.renorm(src, p, dim, limit, out=out)
    # PyTorch asks for a limit that a norm can have, and raises the sum to 1 / p otherwise.
    rest = [other for other in range(src.dim()) if other != dim]
    root = float(torch.tensor(1 / p, dtype=src.dtype))
    norms = src.abs().pow_(p).sum(rest, keepdim=True).double().pow_(root).to(src.dtype)
    factors = (limit / (norms.double() + 1e-7)).to(src.dtype)
    return torch.mul(src, torch.where(norms > limit, factors, torch.ones_like(factors)), out=out)


# -- between tensors --------------------------------------------------------------------------------------


@operation("match", "a:T b:T gain:real=1", Form.RESULT)
def _square_distances(a: T, b: T, gain: float) -> T:
    """``gain`` times the squared distance of every row of ``a`` to every row of ``b``."""
    rows, others = _not_empty(a).reshape(a.size(0), -1), _not_empty(b).reshape(b.size(0), -1)
    if rows.size(1) != others.size(1):
        raise TorchError("m1 and m2 must have the same inner vector dim")
    return torch.stack([(row - others).square().sum(1, dtype=a.dtype) for row in rows]) * gain
