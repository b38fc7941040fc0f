"""Functions of matrices, whose results are several tensors: each gives them as a tuple."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["DECOMPOSITIONS"]


def _letters(options: tuple[Any, ...], allowed: str) -> str:
    """The first letters of what a function is told, which are among the allowed ones."""
    letters = "".join(option[:1] for option in options if isinstance(option, str))
    if len(letters) < len(options) or not set(letters) <= set(allowed):
        raise TypeError(f"{options} where letters of {allowed} are expected")
    return letters


def _symeig(a: torch.Tensor, *options: Any) -> tuple[torch.Tensor, ...]:
    letters = _letters(options, "NVUL")
    part = "L" if "L" in letters else "U"
    if "V" in letters:
        return tuple(torch.linalg.eigh(a, UPLO=part))
    return torch.linalg.eigvalsh(a, UPLO=part), torch.zeros_like(a)


def _eig(a: torch.Tensor, *options: Any) -> tuple[torch.Tensor, ...]:
    if "V" not in _letters(options, "NV"):
        return torch.view_as_real(torch.linalg.eigvals(a)), a.new_empty(0)
    values, columns = torch.linalg.eig(a)
    # the second of a pair is the first one's conjugate: minus its imaginary part is the first one's
    return torch.view_as_real(values), torch.where(values.imag < 0, -columns.imag, columns.real)


def _svd(a: torch.Tensor, *options: Any) -> tuple[torch.Tensor, ...]:
    u, s, vt = torch.linalg.svd(a, full_matrices="A" in _letters(options, "AS"))
    return u, s, vt.t()


def _columns(b: torch.Tensor) -> torch.Tensor:
    return b if b.dim() == 2 else b[:, None]


def _gesv(b: torch.Tensor, a: torch.Tensor) -> tuple[torch.Tensor, ...]:
    factors, pivots = torch.linalg.lu_factor(a)
    return torch.linalg.lu_solve(factors, pivots, _columns(b)), factors


def _gels(b: torch.Tensor, a: torch.Tensor) -> tuple[torch.Tensor, ...]:
    is_tall = a.shape[0] >= a.shape[1]
    factors = torch.geqrf(a if is_tall else a.t())[0]
    solution = torch.linalg.lstsq(a, _columns(b), driver="gels").solution
    return solution, factors if is_tall else factors.t()


def _potrf(a: torch.Tensor, *options: Any) -> torch.Tensor:
    is_lower = "L" in _letters(options, "UL")
    lower: torch.Tensor = torch.linalg.cholesky(a.tril() if is_lower else a.triu().t())
    return lower if is_lower else lower.t()


DECOMPOSITIONS: dict[str, Callable[..., Any]] = {
    "eig": _eig,
    "gels": _gels,
    "gesv": _gesv,
    "inverse": lambda a: torch.linalg.inv(a),
    "potrf": _potrf,
    "potri": lambda a, *options: torch.cholesky_inverse(a, upper="L" not in _letters(options, "UL")),
    "potrs": lambda b, a, *options: torch.cholesky_solve(
        _columns(b), a, upper="L" not in _letters(options, "UL")
    ),
    "qr": lambda a: tuple(torch.linalg.qr(a)),
    "svd": _svd,
    "symeig": _symeig,
}
