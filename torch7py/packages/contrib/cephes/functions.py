"""cephes: special functions and distributions, by SciPy, which is built on the same library.

``f([result,] x, ...)`` takes numbers and tensors; a number where all are numbers, else a tensor of the sizes of the
first tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

from torch7py.ops import state
from torch7py.ops.errors import ArgumentError
from torch7py.packages.optional_libraries import import_library
from torch7py.packages.registry import function, on_require

__all__ = ["NAMES", "evaluate"]

# Names of Cephes that SciPy has under other names, or only as a part of another function.
RENAMED: dict[str, str] = {
    "btdtr": "betainc",
    "digamma": "psi",
    "ei": "expi",
    "ellie": "ellipeinc",
    "ellik": "ellipkinc",
    "ellpj": "ellipj",
    "ellpk": "ellipkm1",
    "fac": "factorial",
    "fresnl": "fresnel",
    "hyperg": "hyp1f1",
    "igam": "gammainc",
    "igamc": "gammaincc",
    "igami": "gammainccinv",
    "incbet": "betainc",
    "incbi": "betaincinv",
    "jn": "jv",
    "lbeta": "betaln",
    "lgam": "gammaln",
    "stdtri": "stdtrit",
}
SAME = """
    airy bdtr bdtrc bdtri beta cbrt chdtr chdtrc chdtri cosdg cosm1 cotdg dawsn erf erfc exp10 exp2 expm1 expn fdtr
    fdtrc fdtri gamma gdtr gdtrc hyp2f1 i0 i0e i1 i1e iv j0 j1 jv k0 k0e k1 k1e kn kolmogi kolmogorov log1p nbdtr
    nbdtrc nbdtri ndtr ndtri pdtr pdtrc pdtri psi rgamma shichi sici sindg smirnov smirnovi spence stdtr struve
    tandg y0 y1 yn yv zeta zetac
""".split()
PLAIN: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(np, name)
        for name in "ceil cos cosh exp floor log log10 log2 round sin sinh sqrt".split()
    },
    **{name: getattr(np, name) for name in "tan tanh isnan isinf isfinite fabs".split()},
    **{f"a{name}": getattr(np, f"arc{name}") for name in "cos cosh sin sinh tan tanh".split()},
    "atan2": np.arctan2,
    "pow": np.power,
    "powi": np.power,
}
# Indices of the arguments that are integers in Cephes: their fractions are cut off.
INTEGER_ARGUMENTS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("expn", "jn", "kn", "pdtr", "pdtrc", "pdtri", "smirnov", "smirnovi", "yn"), (0,)),
    **dict.fromkeys(("bdtr", "bdtrc", "bdtri", "nbdtr", "nbdtrc", "nbdtri"), (0, 1)),
}
INPUTS = {"fac": 1, "lmvgam": 2, "round": 1, "ellpe": 1, "zeta": 2}
NAMES = sorted({*RENAMED, *SAME, *PLAIN, "lmvgam", "ellpe"})


@on_require("cephes")
def _special() -> Any:
    return import_library("scipy.special", "the functions of cephes")


def _multivariate_lgam(x: float, dimensions: float) -> float:
    """The logarithm of the gamma function of several dimensions."""
    lgam = _special().gammaln
    p = int(dimensions)
    return float(p * (p - 1) / 4 * math.log(math.pi) + sum(lgam(x - j / 2) for j in range(p)))


@cache
def _target(name: str) -> tuple[Callable[..., Any], int]:
    """The function of numpy or SciPy, and how many arguments it has."""
    if name in PLAIN:
        f: Any = PLAIN[name]
    elif name == "ellpe":
        complete = _special().ellipe

        def f(x: Any) -> Any:
            return complete(1 - x)  # Cephes takes the complement of SciPy's parameter

    elif name == "lmvgam":
        f = np.vectorize(_multivariate_lgam)
    else:
        f = getattr(_special(), RENAMED.get(name, name))
    return f, INPUTS.get(name) or f.nin


def evaluate(name: str, arguments: list[Any]) -> Any:
    """``cephes.name(arguments)``."""
    f, count = _target(name)
    result = None
    if len(arguments) == count + 1 and isinstance(arguments[0], torch.Tensor):
        result = arguments.pop(0)
    if len(arguments) != count or not all(
        isinstance(x, (torch.Tensor, int, float)) and not isinstance(x, bool) for x in arguments
    ):
        raise ArgumentError(
            f"cephes.{name}: expected [a tensor for the result,] and {count} numbers or tensors"
        )
    tensors = [x for x in arguments if isinstance(x, torch.Tensor)]
    if any(x.numel() != tensors[0].numel() for x in tensors):
        raise ArgumentError(f"cephes.{name}: the tensors have different numbers of elements")
    size = tensors[0].shape if tensors else None
    if size is None and result is not None:
        size = result.shape
    values = [
        x.detach().to("cpu", torch.float64, copy=True).reshape(size or x.shape).numpy()
        if isinstance(x, torch.Tensor)
        else float(x)
        for x in arguments
    ]
    with np.errstate(all="ignore"):
        for index in INTEGER_ARGUMENTS.get(name, ()):
            values[index] = np.trunc(values[index])
        computed = f(*values)
    if isinstance(computed, tuple):
        if result is not None:
            raise ArgumentError(f"cephes.{name} has several results and takes no tensor for them")
        return tuple(_result(part, size, None) for part in computed)
    return _result(computed, size, result)


def _result(computed: Any, size: Any, result: torch.Tensor | None) -> Any:
    if size is None:
        return float(computed)
    dtype = state.current().default_type.dtype
    values = torch.from_numpy(np.array(np.broadcast_to(computed, size), dtype=np.float64))
    if result is None:
        return values.to(dtype, copy=True)  # numpy's own memory could not grow
    result.resize_(size).copy_(values)
    return result


def _register(name: str) -> None:
    @function(f"cephes.{name}")
    def call(*arguments: Any) -> Any:
        return evaluate(name, list(arguments))


for _name in NAMES:
    _register(_name)
