"""Linear algebra on matrices of floating type: factorizations, solvers, eigenvalues.

These are functions only, ``torch.inverse(x)``, and take tensors for all their results first, or for none:
``torch.gesv(X, LU, B, A)``. They are named after the LAPACK routines. Signs that are not determined (of eigenvectors
and singular vectors) are those of the LAPACK under PyTorch, which may differ from the original's. Results that LAPACK
leaves in column-major order are so here (``columns``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import torch

from torch7py.ops import memory
from torch7py.ops.errors import TorchError
from torch7py.ops.registry import Form, operation
from torch7py.ops.support import restricted

__all__: list[str] = []

T = torch.Tensor
Pair = tuple[T, T]
P = ParamSpec("P")
R = TypeVar("R")
LinAlgError = torch.linalg.LinAlgError  # type: ignore[attr-defined]


def _lapack(function: Callable[P, R]) -> Callable[P, R]:
    """Raise the errors of PyTorch's LAPACK (a singular matrix and the like) as errors of the script."""

    @functools.wraps(function)
    def call(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*arguments, **keywords)
        except LinAlgError as error:
            raise TorchError(f"Lapack Error: {error}") from error

    return call


def _matrix(a: T) -> T:
    if len(memory.size_of(a)) != 2:
        raise TorchError(f"A should have 2 dimensions, but has {len(memory.size_of(a))}")
    return a


def _square(a: T) -> T:
    if _matrix(a).size(0) != a.size(1):
        raise TorchError(f"A should be square, but is {a.size(0)}x{a.size(1)}")
    return a


def _columns(b: T, a: T) -> T:
    """The right-hand sides as a matrix with the rows of ``a``; a vector is one column."""
    if len(memory.size_of(b)) not in (1, 2):
        raise TorchError(f"B should have 1 or 2 dimensions, but has {len(memory.size_of(b))}")
    if b.size(0) != a.size(0):
        raise TorchError(f"A,B size incompatible - A has {a.size(0)} rows, B has {b.size(0)}")
    return b if b.dim() == 2 else b[:, None]


def _flag(option: str, true: str, false: str) -> bool:
    """A one-letter option of LAPACK; only its first letter counts."""
    if option[:1] not in (true, false) or not option:
        raise TorchError(f"option '{option}' should be '{true}' or '{false}'")
    return option[0] == true


def _options(options: Sequence[str | None], allowed: Sequence[str]) -> list[str]:
    """One-letter options of LAPACK in their order, any of which may be left out; the default is the first allowed.

    A letter is for the next option that allows it: ``symeig(a, 'L')`` leaves out 'N'. Only first letters count.
    """
    chosen = [letters[0] for letters in allowed]
    next_index = 0
    for option in options:
        if option is None:
            continue
        fits = [i for i in range(next_index, len(allowed)) if option[:1] and option[0] in allowed[i]]
        if not fits:
            expected = " or ".join(f"'{letter}'" for letters in allowed[next_index:] for letter in letters)
            raise TorchError(f"option '{option}' should be {expected or 'left out'}")
        chosen[fits[0]] = option[0]
        next_index = fits[0] + 1
    return chosen


# -- solvers ----------------------------------------------------------------------------------------------


@operation("gesv", "b:F a:F", Form.SOLVE, returns="multi", outs=2, columns=(0, 1))
@_lapack
def _solve(b: T, a: T) -> Pair:
    """X with ``A X = B``, and the factors L and U of A in one matrix."""
    b = _columns(b, _square(a))
    factors, pivots, info = torch.linalg.lu_factor_ex(a)
    if info.item():
        raise TorchError(f"Lapack Error in gesv : U({info.item()},{info.item()}) is zero, singular U.")
    return torch.linalg.lu_solve(factors, pivots, b), factors


@operation("gels", "b:F a:F", Form.SOLVE, returns="multi", outs=2, columns=(0, 1))
@_lapack
def _least_squares(b: T, a: T) -> Pair:
    """X that minimizes ``|A X - B|``, the least such X when A is wide, and the QR or LQ factors of A."""
    b = _columns(b, _matrix(a))
    tall = a.size(0) >= a.size(1)
    factors = torch.geqrf(a if tall else a.t())[0]
    solution = torch.linalg.lstsq(a, b, driver="gels").solution
    return solution, factors if tall else factors.t()


@operation(
    "trtrs",
    "b:F a:F uplo:string=None trans:string=None diag:string=None",
    Form.SOLVE,
    returns="multi",
    outs=2,
    columns=(0, 1),
)
def _solve_triangular(b: T, a: T, uplo: str | None, trans: str | None, diag: str | None) -> Pair:
    """X with ``A X = B`` (``A' X = B`` for trans 'T') by the triangle ``uplo`` of A, and a copy of A."""
    b = _columns(b, _square(a))
    triangle, transposition, diagonal = _options((uplo, trans, diag), ("UL", "NT", "NU"))
    upper, transposed, unit = triangle == "U", transposition == "T", diagonal == "U"
    zeros = (a.diagonal() == 0).nonzero()
    if not unit and len(zeros):
        first = zeros[0].item() + 1
        raise TorchError(f"Lapack Error in trtrs : A({first},{first}) is zero, singular A")
    matrix = a.t() if transposed else a
    solution = torch.linalg.solve_triangular(matrix, b, upper=upper != transposed, unitriangular=unit)
    return solution, a.clone()


@operation("inverse", "a:F", Form.SOLVE, columns=(0,))
@_lapack
def _inverse(a: T) -> T:
    """The inverse of a square matrix; of a singular one a Lapack error."""
    result: T = torch.linalg.inv(_square(a))
    return result


# -- Cholesky ---------------------------------------------------------------------------------------------


@operation("potrf", "a:F uplo:string='U'", Form.SOLVE, columns=(0,))
@_lapack
def _cholesky(a: T, uplo: str) -> T:
    """U with ``U' U = A``, or L with ``L L' = A``, from the triangle ``uplo`` of A."""
    upper = _flag(uplo, "U", "L")
    lower: T = torch.linalg.cholesky(_square(a).triu().t() if upper else _square(a).tril())
    return lower.t() if upper else lower


@operation("potrs", "b:F factor:F uplo:string='U'", Form.SOLVE, columns=(0,))
def _solve_cholesky(b: T, factor: T, uplo: str) -> T:
    """X with ``A X = B``, A being given by its factor from ``potrf``."""
    return torch.cholesky_solve(_columns(b, _square(factor)), factor, upper=_flag(uplo, "U", "L"))


@operation("potri", "factor:F uplo:string='U'", Form.SOLVE, columns=(0,))
@_lapack
def _inverse_cholesky(factor: T, uplo: str) -> T:
    """The inverse of A, A being given by its factor from ``potrf``."""
    return torch.cholesky_inverse(_square(factor), upper=_flag(uplo, "U", "L"))


@operation(
    "pstrf", "a:F uplo:string='U' tolerance:real=-1", Form.SOLVE, returns="multi", outs=2, columns=(0,)
)
def _cholesky_pivoted(a: T, uplo: str, tolerance: float) -> Pair:
    """The factor of ``P' A P`` and the permutation, an IntTensor: column j of P is column ``piv[j]`` of 1.

    The next pivot is the greatest diagonal element left. One not above ``tolerance`` (below 0: n times the
    machine's precision times the greatest diagonal element) is an error: A is not positive definite.
    """
    upper = _flag(uplo, "U", "L")
    rest = _square(a).t() if upper else a
    rest = rest.tril() + rest.tril(-1).t()
    count = a.size(0)
    order = torch.arange(1, count + 1, dtype=torch.int32)
    factor = torch.zeros_like(rest)
    if tolerance < 0:
        tolerance = count * torch.finfo(a.dtype).eps / 2 * rest.diagonal().max().item()
    for k in range(count):
        pivot = k + int(rest.diagonal()[k:].argmax())
        swap = torch.arange(count)
        swap[[k, pivot]] = swap[[pivot, k]]
        rest, factor, order = rest[swap][:, swap], factor[swap], order[swap]
        if not rest[k, k] > max(tolerance, 0):
            raise TorchError("Lapack Error pstrf : matrix is rank deficient or not positive semidefinite")
        factor[k:, k] = rest[k:, k] / rest[k, k].sqrt()
        rest = rest - torch.outer(factor[:, k], factor[:, k])
    return (factor.t() if upper else factor), order


# -- QR ---------------------------------------------------------------------------------------------------


@operation("qr", "a:F", Form.SOLVE, returns="multi", outs=2, columns=(0,))
def _qr(a: T) -> Pair:
    """Q with orthonormal columns and R upper triangular, ``Q R = A``."""
    q, r = torch.linalg.qr(_matrix(a))
    return q, r


@operation("geqrf", "a:F", Form.SOLVE, returns="multi", outs=2, columns=(0,))
def _qr_factors(a: T) -> Pair:
    """R above the reflectors whose product is Q, and the reflectors' scales."""
    factors, scales = torch.geqrf(_matrix(a))
    return factors, scales


@operation("orgqr", "a:F tau:F", Form.SOLVE, columns=(0,))
def _q_of_factors(a: T, tau: T) -> T:
    """Q from the result of ``geqrf``; columns of ``a`` beyond the reflectors stay."""
    result = _matrix(a).clone()
    scales = _scales(tau)
    result[:, : len(scales)] = torch.orgqr(a[:, : len(scales)], scales)
    return result


def _scales(tau: T) -> T:
    """The reflectors' scales: as many elements as the first dimension has, whatever the others."""
    return tau.reshape(-1)[: tau.size(0)]


@operation("ormqr", "a:F tau:F c:F side:string=None trans:string=None", Form.SOLVE, columns=(0,))
def _multiply_q(a: T, tau: T, c: T, side: str | None, trans: str | None) -> T:
    """``Q C`` or ``C Q`` (side 'R'), with Q turned for trans 'T'; Q as ``geqrf`` gives it."""
    letter, transposed = _options((side, trans), ("LR", "NT"))
    return torch.ormqr(_matrix(a), _scales(tau), _matrix(c), left=letter == "L", transpose=transposed == "T")


# -- eigenvalues and singular values ----------------------------------------------------------------------


@operation(
    "symeig", "a:F vectors:string=None uplo:string=None", Form.SOLVE, returns="multi", outs=2, columns=(1,)
)
@_lapack
def _symmetric_eigen(a: T, vectors: str | None, uplo: str | None) -> Pair:
    """The eigenvalues, ascending, of a symmetric matrix given by one triangle; for 'V' also the eigenvectors.

    For 'N' the second result is n x n zeros; the original left there what LAPACK had used it for.
    """
    wanted, triangle = _options((vectors, uplo), ("NV", "UL"))
    if wanted == "V":
        values, columns = torch.linalg.eigh(_square(a), UPLO=triangle)
        return values, columns
    return torch.linalg.eigvalsh(_square(a), UPLO=triangle), torch.zeros_like(a)


@operation("eig", "a:F vectors:string='N'", Form.SOLVE, returns="multi", outs=2, columns=(1,))
@_lapack
def _eigen(a: T, vectors: str) -> Pair:
    """The eigenvalues, n x 2 (real, imaginary), and for 'V' the right eigenvectors, else an empty tensor.

    The two columns of a conjugate pair hold the real and the imaginary part of the first one's vector.
    """
    if not _flag(vectors, "V", "N"):
        return torch.view_as_real(torch.linalg.eigvals(_square(a))), a.new_empty(0)
    values, columns = torch.linalg.eig(_square(a))
    # The second of a pair is the first one's conjugate: minus its imaginary part is the first one's.
    return torch.view_as_real(values), torch.where(values.imag < 0, -columns.imag, columns.real)


@operation("svd", "a:F size:string='S'", Form.SOLVE, returns="multi", outs=3, columns=(0,))
@_lapack
def _singular_values(a: T, size: str) -> tuple[T, T, T]:
    """U, S and V with ``U diag(S) V' = A``; for 'A' U and V are square."""
    u, s, vt = torch.linalg.svd(_matrix(a), full_matrices=_flag(size, "A", "S"))
    return u, s, vt.t()


# The original called syev and gesvd, which are not in PyTorch's libraries; up to 25 rows syevd is syev's algorithm.
_SIGNS = "the signs of the vectors are those of PyTorch's LAPACK"
restricted("torch.eig", f"{_SIGNS}, by the original's driver geev")
restricted("torch.symeig", f"{_SIGNS}, by syevd instead of the original's syev")
restricted("torch.svd", f"{_SIGNS}, by gesdd instead of the original's gesvd")
