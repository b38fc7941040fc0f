"""How far two tensors in a table are from each other: CosineDistance, PairwiseDistance."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import dims_of, gradient_of, numbered_tensors
from torch7py.nn.base import Module
from torch7py.nn.product import Product
from torch7py.nn.registry import layer
from torch7py.ops import state
from torch7py.ops.random import scalar

__all__ = ["CosineDistance", "PairwiseDistance"]


@layer("nn.CosineDistance", takes="table")
class CosineDistance(Product):
    """``nn.CosineDistance()``: the cosine of the angle between vectors, ``a.b / sqrt((|a|^2 + e)(|b|^2 + e))``.

    Shapes: two vectors ``(n)`` -> ``(1)``, two matrices ``(batch, n)`` -> ``(batch)``; e is 1e-12. Of tensors
    ``(batch, n, ...)`` the output is the first ``batch`` of the cosines along n, as in the original; they have no
    gradient.
    """

    traced = False

    kept = ("w1", "w22", "w32", "w")  # the product, 1 / the squares, 1 / the lengths
    fields: ClassVar[tuple[str, ...]] = kept

    def _measure(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, ...]:
        of_a, of_b = _inverse_square(a), _inverse_square(b)
        return (a * b).sum(1, keepdim=True), of_a, of_b, (of_a * of_b).sqrt()

    def forward(self, input: Any) -> torch.Tensor:
        a, b = self.rows(input)
        if input[0].dim() != 1 and input[0].shape != input[1].shape:
            raise self.mismatch(*input[:2])
        values = self._measure(a, b)
        if self.noting:
            for name, value in zip(self.kept, values, strict=True):
                self.keep(name, value.data)
        return (values[0] * values[3]).flatten()[: len(a)]

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        a, b = self.matrices(input)
        values = tuple(self.get_field(name) for name in self.kept)  # of the last forward
        if values[0] is None or values[0].shape != (len(a), 1):
            values = self._measure(a, b)
        product, of_a, of_b, inverse = values
        factor = gradient_of(self, gradOutput, (len(a), 1)) * inverse
        return self.like_inputs(input, (b - product * of_a * a) * factor, (a - product * of_b * b) * factor)

    def clearState(self) -> Module:
        self.clear(*self.kept)
        return super().clearState()


def _inverse_square(a: torch.Tensor) -> torch.Tensor:
    return 1 / ((a * a).sum(1, keepdim=True) + 1e-12)


@layer("nn.PairwiseDistance", takes="table")
class PairwiseDistance(Product):
    """``nn.PairwiseDistance([p])``: the p-norm (2 by default) of the difference.

    Shapes: two vectors ``(n)`` -> ``(1)``, two matrices ``(batch, n)`` -> ``(batch)``.

    Torch7's gradient is the derivative but for this: 1e-6 is added to the distance in the denominator; for p = 1 an
    element whose difference is 0 gets a random sign; for other p below 2 the factor ``|a - b|^(p - 2)`` is
    left out. PyTorch's autograd over ``forward`` gives the derivative itself.
    """

    exact_gradient = True

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("diff", "norm", "outExpand", "grad", "ones")

    def __init__(self, p: float = 2) -> None:
        super().__init__()
        self.keep_list("gradInput", [])
        self.keep("diff", self.new())
        self.norm = p

    def _pair(self, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
        a, b = numbered_tensors(self, input, 2)
        if a.numel() != b.numel() or dims_of(a) not in (1, 2):
            raise self.mismatch(a, b)
        return a, b.reshape(a.shape)

    def forward(self, input: Any) -> torch.Tensor:
        a, b = self._pair(input)
        return torch.linalg.vector_norm(a - b, self.norm, dim=-1, keepdim=a.dim() == 1)

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        a, b = self._pair(input)
        gradient = gradient_of(self, gradOutput, (1,) if a.dim() == 1 else (a.shape[0],)).unsqueeze(-1)
        difference = a - b
        if self.norm == 1:
            slope = _signs(difference)
        else:
            slope = difference
            if self.norm > 2:
                slope = slope * difference.abs().pow(self.norm - 2)
            distance = self.output.reshape(gradient.shape)
            slope = slope * (distance + 1e-6).pow(-(self.norm - 1))
        result = slope * gradient
        return self.like_inputs(input, result, -result)

    def clearState(self) -> Module:
        self.clear("diff", "outExpand", "grad", "ones")
        return super().clearState()


def _signs(values: torch.Tensor) -> torch.Tensor:
    """1 and -1, which a NaN has, too; for a 0 one of the two, drawn at random."""
    signs = torch.where(values > 0, 1, -1).to(values.dtype)
    if values.device.type != "meta":  # which has no values
        generator = state.current().generator
        flat = signs.reshape(-1)
        for position in (values.reshape(-1) == 0).nonzero().flatten().tolist():
            flat[position] = 2 * scalar.random(generator, 2) - 3
        signs = flat.reshape(values.shape)
    return signs
