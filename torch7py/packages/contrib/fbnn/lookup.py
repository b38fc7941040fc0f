"""Lookup tables: with a weight for each index, with counts, and with the features first."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import argument_text, gradient_of, rows
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, truthy
from torch7py.nn.linear import LookupTable
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.random import normal_

__all__ = ["FasterLookup", "LookupTableGPU", "WeightedLookupTable"]


@layer("nn.WeightedLookupTable", package="fbnn", keeps_rank=True, items="")
class WeightedLookupTable(LookupTable):
    """``nn.WeightedLookupTable(nIndex, nOutput)``: ``nn.LookupTable`` whose rows are multiplied by a weight.

    Shapes: ``(n, 2)``, rows of an index from 1 and its weight -> ``(n, nOutput)``. gradInput is 0: there is no gradient
    of the weights.
    """

    version = 2
    fields: ClassVar[tuple[str, ...]] = ("_gradOutput", "_embeddings")
    spare: ClassVar[dict[str, Any]] = {"_gradOutput": (), "_embeddings": ()}
    rows_alone = None

    def __init__(self, nIndex: int, nOutput: int) -> None:
        super().__init__(nIndex, nOutput)

    def _pair(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if not isinstance(input, torch.Tensor) or input.dim() != 2 or input.shape[1] != 2:
            raise TorchError(f"{self.class_name}: the input must be n x 2, not {argument_text(input)}")
        check_type(self, "the input", input, self.weight)
        return input[:, 0].detach(), input[:, 1].detach().unsqueeze(1)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        indices, weights = self._pair(input)
        return super().forward(indices) * weights

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        indices, weights = self._pair(input)
        gradient = gradient_of(self, gradOutput, (len(indices), self.weight.shape[1]))
        super().accGradParameters(indices, gradient * weights, scale)


@layer("nn.FasterLookup", package="fbnn", parameters="weight:2~normal(1)", items="nIndex")
class FasterLookup(Module):
    """``nn.FasterLookup(nIndex, dim[, skipBoundChecking, scaleGradByFreq, concurrentUpdates])``: rows of a table by
    number.

    Shapes: an IntTensor ``(n)`` -> ``(n, dim)``, or ``(batch, n)`` -> ``(batch, n, dim)``, of indices from 1, which
    are checked in any case. ``count`` says how often each was in a backward since ``zeroGradParameters``, which must
    come before the first: ``updateParameters`` goes over those rows alone, and with ``scaleGradByFreq`` divides their
    rate by the count. ``m:type()`` returns nothing. There is no gradInput. Weights are drawn from ``normal(0, 1)``.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("count", "skipBoundChecking", "scaleGradByFreq", "concUpdates")
    count: torch.Tensor

    def __init__(
        self,
        nIndex: int,
        dim: int,
        skipBoundChecking: bool | None = None,
        scaleGradByFreq: bool | None = None,
        concurrentUpdates: bool | None = None,
    ) -> None:
        super().__init__()
        self.add_parameter("weight", self.new(int(nIndex), int(dim)))
        self.__dict__["count"] = torch.zeros(int(nIndex), dtype=torch.int32, device=self.new().device)
        self.skipBoundChecking = truthy(skipBoundChecking)
        self.scaleGradByFreq = truthy(scaleGradByFreq)
        self.concUpdates = truthy(concurrentUpdates)
        normal_(self.weight.data, 0, 1)

    def _rows(self, input: torch.Tensor) -> torch.Tensor:
        if input.dtype != torch.int32 or input.dim() not in (1, 2) or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must be an IntTensor of 1 or 2 dimensions, not {argument_text(input)}"
            )
        return rows(self, input, self.weight.shape[0])

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return F.embedding(self._rows(input), self.weight)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        return self.gradInput

    def _of_rows(self, input: torch.Tensor, gradOutput: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        indices = self._rows(input)
        gradient = gradient_of(self, gradOutput, (*input.shape, self.weight.shape[1]))
        return indices.flatten(), gradient.flatten(0, -2)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        indices, gradient = self._of_rows(input, gradOutput)
        self.count.index_add_(0, indices, torch.ones_like(indices, dtype=self.count.dtype))
        weight = self.gradient("weight")
        if weight is not None:
            weight.index_add_(0, indices, gradient, alpha=scale)

    def accUpdateGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, lr: float) -> None:
        indices, gradient = self._of_rows(input, gradOutput)
        if self.scaleGradByFreq:
            self.count[indices] = 0
            self.count.index_add_(0, indices, torch.ones_like(indices, dtype=self.count.dtype))
            gradient = gradient / self.count[indices].unsqueeze(1).to(gradient.dtype)
        self.weight.data.index_add_(0, indices, gradient, alpha=-lr)

    def updateParameters(self, learningRate: float) -> None:
        weight = self.gradient("weight")
        if weight is None:
            return
        used = self.count > 0
        rates = used.to(weight.dtype) * learningRate
        if self.scaleGradByFreq:
            rates = torch.where(used, learningRate / self.count.to(weight.dtype), 0)
        self.weight.data.sub_(weight * rates.unsqueeze(1))

    def zeroGradParameters(self) -> None:
        super().zeroGradParameters()
        self.count.zero_()

    def convert(self, convert: Any, type_name: str | None, seen: set[int] | None = None) -> None:
        """The counts stay an IntTensor."""
        count = self.__dict__.pop("count", None)
        try:
            super().convert(convert, type_name, seen)
        finally:
            if count is not None:
                self.__dict__["count"] = count.to(self.weight.device)


@layer("nn.LookupTableGPU", package="fbcunn", parameters="weight:2~normal(1)")
class LookupTableGPU(Module):
    """``nn.LookupTableGPU(nInput, nOutput[, featuresInDim2])``: rows of a table by number.

    Shapes: ``(n)`` -> ``(n, nOutput)``; ``(batch, n)`` -> ``(batch, n, nOutput)``, or with ``featuresInDim2``
    ``(batch, nOutput, n)``. The input is of any number type and holds indices from 1. Of the index ``unk_index``, a
    field that a program may set, the row is 0 and has no gradient. There is no gradInput. Weights are drawn from
    ``normal(0, 1)``.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("nInput", "nOutput", "featuresInDim2", "unk_index", "zeros")
    unk_index: float | None = None

    def __init__(self, nInput: int, nOutput: int, featuresInDim2: bool | None = None) -> None:
        super().__init__()
        self.nInput, self.nOutput = nInput, nOutput
        self.featuresInDim2 = truthy(featuresInDim2)
        self.add_parameter("weight", self.new(int(nInput), int(nOutput)))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: draw the weights with this standard deviation."""
        normal_(self.weight.data, 0, 1 if stdv is None else stdv)

    def _rows(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Rows, from 0, and which of them count, None for all."""
        if not isinstance(input, torch.Tensor) or input.dim() not in (1, 2) or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must be a vector or a matrix, not {argument_text(input)}"
            )
        if self.unk_index is None:
            return rows(self, input, self.weight.shape[0]), None
        mask = input != self.unk_index
        return rows(self, torch.where(mask, input, 1), self.weight.shape[0]), mask

    def _turned(self, input: torch.Tensor) -> bool:
        return bool(self.featuresInDim2) and input.dim() == 2

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        indices, mask = self._rows(input)
        vectors = F.embedding(indices, self.weight)
        if mask is not None:
            vectors = vectors * mask.unsqueeze(-1)
        return vectors.transpose(1, 2).contiguous() if self._turned(input) else vectors

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Nothing: indices have no gradient."""
        return None

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        weight = self.gradient("weight")
        if weight is None:
            return
        indices, mask = self._rows(input)
        shape = (*input.shape, self.weight.shape[1])
        if self._turned(input):
            gradient = gradient_of(self, gradOutput, (shape[0], shape[2], shape[1])).transpose(1, 2)
        else:
            gradient = gradient_of(self, gradOutput, shape)
        if mask is not None:
            indices, gradient = indices[mask], gradient[mask]
        weight.index_add_(0, indices.flatten(), gradient.reshape(-1, weight.shape[1]), alpha=scale)
