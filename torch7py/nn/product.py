"""Products of two tensors in a table: MM, MV, DotProduct."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import (
    dims_of,
    exact_table,
    gradient_of,
    numbered_tensors,
    size_text,
    tensors,
)
from torch7py.nn.base import Module
from torch7py.nn.checks import as_rows
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["MM", "MV", "DotProduct"]


class Product(Module):
    """The base of layers with two tensors as input."""

    def __init__(self) -> None:
        super().__init__()
        self.keep_list("gradInput", [self.new(), self.new()])

    def rows(self, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """The two tensors, of one size, with the examples in the first dimension: a vector is one example."""
        a, b = numbered_tensors(self, input, 2)
        if a.numel() != b.numel() or dims_of(a) == 0:
            raise self.mismatch(a, b)
        a = as_rows(a)
        return a, b.reshape(a.shape)

    def matrices(self, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """The same for gradients, of which tensors of more dimensions have none."""
        a, b = self.rows(input)
        if a.dim() != 2:
            raise self.mismatch(a, b)
        return a, b

    def like_inputs(self, input: Any, *gradients: torch.Tensor) -> list[torch.Tensor]:
        """The gradients of the two tensors in the shapes of these."""
        return [gradient.reshape(x.shape) for gradient, x in zip(gradients, input[:2], strict=True)]

    def mismatch(self, a: torch.Tensor, b: torch.Tensor) -> TorchError:
        return TorchError(f"{self.class_name}: inputs of {size_text(a)} and {size_text(b)}")


@layer("nn.MM", takes="table")
class MM(Product):
    """``nn.MM([transA, transB])``: the matrix product of two matrices, or batch by batch.

    Shapes: ``{(n, k), (k, m)}`` -> ``(n, m)``, ``{(batch, n, k), (batch, k, m)}`` -> ``(batch, n, m)``; transA and
    transB exchange the last two dimensions of their matrix first.
    """

    exact_gradient = True

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("transA", "transB")

    def __init__(self, transA: bool = False, transB: bool = False) -> None:
        super().__init__()
        self.transA = transA
        self.transB = transB

    def _factors(self, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
        a, b = tensors(self, exact_table(self, input, 2))
        if a.dim() not in (2, 3) or a.dim() != b.dim() or a.shape[:-2] != b.shape[:-2]:
            raise self.mismatch(a, b)
        left = a.mT if self.transA else a
        right = b.mT if self.transB else b
        if left.shape[-1] != right.shape[-2]:
            raise self.mismatch(a, b)
        return left, right

    def forward(self, input: Any) -> torch.Tensor:
        left, right = self._factors(input)
        return left @ right

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        left, right = self._factors(input)
        gradient = gradient_of(self, gradOutput, (*left.shape[:-1], right.shape[-1]))
        return [
            right @ gradient.mT if self.transA else gradient @ right.mT,
            gradient.mT @ left if self.transB else left.mT @ gradient,
        ]


@layer("nn.MV", takes="table")
class MV(Product):
    """``nn.MV([trans])``: the product of a matrix and a vector, or batch by batch.

    Shapes: ``{(n, k), (k)}`` -> ``(n)``, ``{(batch, n, k), (batch, k)}`` -> ``(batch, n)``; trans exchanges the
    matrix's dimensions first.
    """

    exact_gradient = True

    fields: ClassVar[tuple[str, ...]] = ("trans",)

    def __init__(self, trans: bool = False) -> None:
        super().__init__()
        if not isinstance(trans, bool):
            raise TorchError("nn.MV: the argument must be true or false")
        self.trans = trans

    def forward(self, input: Any) -> torch.Tensor:
        matrix, vector = tensors(self, exact_table(self, input, 2))
        if (
            matrix.dim() not in (2, 3)
            or vector.dim() != matrix.dim() - 1
            or matrix.shape[:-2] != vector.shape[:-1]
        ):
            raise self.mismatch(matrix, vector)
        left = matrix.mT if self.trans else matrix
        if left.shape[-1] != vector.shape[-1]:
            raise self.mismatch(matrix, vector)
        return (left @ vector.unsqueeze(-1)).squeeze(-1)

    def keep_grad_input(self, value: Any, gradOutput: Any = None) -> Any:
        if value[1].dim() == 1:
            self.let_go("gradInput/2")
        return super().keep_grad_input(value, gradOutput)


@layer("nn.DotProduct", takes="table")
class DotProduct(Product):
    """``nn.DotProduct()``: ``sum_i a_i b_i``.

    Shapes: two vectors ``(n)`` -> ``(1)``, two matrices ``(batch, n)`` -> ``(batch)``. Of tensors
    ``(batch, n, ...)`` the output is the first ``batch`` of the sums along n, as in the original; they have no
    gradient.
    """

    traced = False

    def forward(self, input: Any) -> torch.Tensor:
        a, b = self.rows(input)
        return (a * b).sum(1).flatten()[: len(a)]

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        a, b = self.matrices(input)
        gradient = gradient_of(self, gradOutput, (len(a), 1))
        return self.like_inputs(input, b * gradient, a * gradient)
