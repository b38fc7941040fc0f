"""Products of vectors and matrices.

The ``add...`` family computes ``beta * src + alpha * product``. Its forms::

    torch.addmm([out,] [beta,] src, [alpha,] a, b)
    x:addmm([alpha,] a, b)             x = x + alpha * a * b
    x:addmm(beta, alpha, a, b)         x = beta * x + alpha * a * b
    x:addmm([beta,] src, [alpha,] a, b)

With ``beta`` 0 the old elements do not count, not even as nan.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from torch7py.ops import memory
from torch7py.ops.dot import dot
from torch7py.ops.errors import TorchError
from torch7py.ops.expanded_inplace import repeated_dims, repetitions
from torch7py.ops.registry import Form, operation
from torch7py.ops.shape import check_dim

__all__: list[str] = []

T = torch.Tensor


operation("dot", "a:T b:like", Form.METHOD, returns="value")(dot)


def _register_product(
    name: str,
    signature: str,
    dims: tuple[int, int],
    shape: Callable[[T, T], tuple[int, ...]],
    function: Callable[..., T],
    about: str,
) -> None:
    """Register a product of two tensors with these numbers of dimensions; ``shape`` computes that of the result."""

    def check(a: T, b: T) -> None:
        if (a.dim(), b.dim()) != dims:
            actual = f"{len(memory.size_of(a))}D and {len(memory.size_of(b))}D"
            raise TorchError(f"{name}: {dims[0]}D and {dims[1]}D tensors expected, got {actual}")
        if name != "ger" and (a.shape[-1] != b.shape[-min(2, dims[1])] or a.shape[:-2] != b.shape[:-2]):
            shapes = " by ".join("x".join(map(str, t.shape)) for t in (a, b))
            raise TorchError(f"{name}: size mismatch in a product of {shapes}")

    def multiply(a: T, b: T) -> T:
        check(a, b)
        return function(a, b)

    def multiply_into(out: T, a: T, b: T) -> None:
        check(a, b)
        if 0 not in out.stride() and memory.separate(out, a, b):
            memory.resize(out, shape(a, b))
            function(a, b, out=out)
        else:
            memory.write_expanded(out, function(a, b))

    operation(name, signature, Form.RESULT, inplace=multiply_into, about=about)(multiply)


def _shape_of_addmv(a: T, b: T) -> tuple[int, ...]:
    return (a.size(0),)


def _shape_of_addr(a: T, b: T) -> tuple[int, ...]:
    return (a.size(0), b.size(0))


def _shape_of_addmm(a: T, b: T) -> tuple[int, ...]:
    return (a.size(0), b.size(-1))


def _shape_of_addbmm(a: T, b: T) -> tuple[int, ...]:
    return (a.size(1), b.size(-1))


def _shape_of_baddbmm(a: T, b: T) -> tuple[int, ...]:
    return (a.size(0), a.size(1), b.size(-1))


_register_product(
    "mv",
    "matrix:T vector:T",
    (2, 1),
    _shape_of_addmv,
    torch.mv,
    "A matrix (n, m) times a vector (m): a vector (n).",
)
_register_product(
    "mm",
    "a:T b:T",
    (2, 2),
    _shape_of_addmm,
    torch.mm,
    "A matrix (n, k) times a matrix (k, m): a matrix (n, m).",
)
_register_product(
    "bmm",
    "a:T b:T",
    (3, 3),
    _shape_of_baddbmm,
    torch.bmm,
    "Matrix by matrix: (b, n, k) times (b, k, m) is (b, n, m).",
)
_register_product(
    "ger",
    "a:T b:T",
    (1, 1),
    _shape_of_addr,
    torch.outer,
    "The outer product of vectors (n) and (m): a matrix (n, m).",
)

# -- beta * src + alpha * product -------------------------------------------------------------------------


def _register_sum(
    name: str,
    dims: tuple[int, int],
    shape: Callable[[T, T], tuple[int, ...]],
    function: Callable[..., T],
    update: Callable[..., T],
    update_expanded: Callable[[T, float, float, T, T], object],
    about: str,
) -> None:
    """Register the forms of ``beta * src + alpha * product`` for factors with these numbers of dimensions.

    ``shape`` computes the shape of the product. ``update_expanded`` adds it to an expanded tensor.
    """

    def check(src: T, a: T, b: T) -> None:
        if (a.dim(), b.dim()) != dims:
            raise TorchError(
                f"{name}: {dims[0]}D and {dims[1]}D tensors expected, got {a.dim()}D and {b.dim()}D"
            )
        wanted = shape(a, b)
        if tuple(src.shape) != wanted:
            raise TorchError(f"size mismatch: {tuple(src.shape)} is to be added to a product of {wanted}")

    def add(src: T, beta: float, alpha: float, a: T, b: T) -> T:
        check(src, a, b)
        return function(src, a, b, beta=beta, alpha=alpha)

    def add_(src: T, beta: float, alpha: float, a: T, b: T) -> T:
        check(src, a, b)
        if 0 in src.stride() and repeated_dims(src):
            update_expanded(src, beta, alpha, a, b)
            return src
        return update(src, a, b, beta=beta, alpha=alpha)

    def add_one(src: T, alpha: float, a: T, b: T) -> T:
        return add(src, 1, alpha, a, b)

    def add_one_(src: T, alpha: float, a: T, b: T) -> T:
        return add_(src, 1, alpha, a, b)

    def add_in_order(beta: float, src: T, alpha: float, a: T, b: T) -> T:
        return add(src, beta, alpha, a, b)

    about = f"``beta * src + alpha * product``, where the product is that of {about}."
    first = "src:T alpha:real=1 a:T b:T"
    operation(name, first, Form.UPDATE, inplace=add_one_, copies_first=True, about=about)(add_one)
    operation(name, "beta:real src:T alpha:real=1 a:T b:T", copies_first=True)(add_in_order)
    operation(name, "src:T beta:real alpha:real a:T b:T", inplace=add_, copies_first=True)(add)


# Several positions of an expanded tensor share an element. These functions reproduce the original's own loops; where it
# called the BLAS, which does not define the result, the call is an error.


def _last_position_wins(function: Callable[..., T]) -> Callable[[T, float, float, T, T], object]:
    """Compute the result in a copy, as the original does: an element gets the value of its last position."""

    def update_expanded(src: T, beta: float, alpha: float, a: T, b: T) -> T:
        return memory.copy(src, function(src, a, b, beta=beta, alpha=alpha))

    return update_expanded


def _matrix_by_matrix(src: T, beta: float, alpha: float, a: T, b: T) -> None:
    """The matrices of an expanded batch share elements: each product is added to the result of the last one."""
    for matrix, first, second in zip(src, a, b, strict=True):
        memory.copy(matrix, torch.addmm(matrix, first, second, beta=beta, alpha=alpha))


def _row_by_row(src: T, beta: float, alpha: float, a: T, b: T) -> None:
    """Add the products of all rows to the one element in order; for a column-major matrix it is scaled before."""
    total = src[0].clone()
    if a.stride(0) == 1 and beta != 1:
        if src.is_floating_point():
            raise TorchError(
                "addmv: a matrix that lies by columns cannot be multiplied into a scaled expanded vector"
            )
        for _ in src:
            total *= beta
        beta = 1
    for product in torch.mv(a, b).mul_(alpha):
        total = total * beta + product if beta else product
    src[0] = total


def _outer_product(src: T, beta: float, alpha: float, a: T, b: T) -> None:
    """Scale the elements once for every position, then add; unless rows or columns are dense, in a copy."""
    dense = 1 in src.stride()
    if dense and src.is_floating_point():
        raise TorchError(
            "addr: an outer product cannot be added to an expanded tensor of dense rows or columns"
        )
    for select in repetitions(src):
        select(src).mul_(beta) if beta else select(src).zero_()
    product = torch.outer(a, b).mul_(alpha)
    if dense:
        for select in repetitions(src):
            select(src).add_(select(product))
    else:
        memory.copy(src, src + product)


_register_sum(
    "addmv",
    (2, 1),
    _shape_of_addmv,
    torch.addmv,
    T.addmv_,
    _row_by_row,
    "a matrix (n, m) and a vector (m)",
)
_register_sum(
    "addr",
    (1, 1),
    _shape_of_addr,
    torch.addr,
    T.addr_,
    _outer_product,
    "two vectors, the outer one: (n, m)",
)
_register_sum(
    "addmm",
    (2, 2),
    _shape_of_addmm,
    torch.addmm,
    T.addmm_,
    _last_position_wins(torch.addmm),
    "two matrices, (n, k) and (k, m)",
)
_register_sum(
    "addbmm",
    (3, 3),
    _shape_of_addbmm,
    torch.addbmm,
    T.addbmm_,
    _last_position_wins(torch.addbmm),
    "(b, n, k) and (b, k, m) matrix by matrix, added up to (n, m)",
)
_register_sum(
    "baddbmm",
    (3, 3),
    _shape_of_baddbmm,
    torch.baddbmm,
    T.baddbmm_,
    _matrix_by_matrix,
    "(b, n, k) and (b, k, m) matrix by matrix: (b, n, m)",
)

# -- vectors of three -------------------------------------------------------------------------------------


@operation("cross", "a:T b:T dim:index=None", Form.QUERY)
def _cross(a: T, b: T, dim: int | None) -> T:
    """The cross product along a dimension of size 3; without a dimension, or with 0, along the first such."""
    if a.shape != b.shape:
        raise TorchError(f"inconsistent tensor sizes {tuple(a.shape)}, {tuple(b.shape)}")
    if dim is None or dim < 0:
        dim = next((d for d, size in enumerate(a.shape) if size == 3), None)
        if dim is None:
            raise TorchError(f"no dimension of size 3 in {tuple(a.shape)}")
    if a.size(check_dim(a, dim)) != 3:
        raise TorchError(f"dimension {dim + 1} does not have size 3")
    product: T = torch.linalg.cross(a, b, dim=dim)
    return product
