"""Dictionary: a LookupTable of 2015 that moves only the rows it has used."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.dpnn_methods import limit_norms
from torch7py.nn.linear import LookupTable
from torch7py.nn.registry import layer
from torch7py.nn.sequence_methods import other_generation
from torch7py.ops import state
from torch7py.ops.errors import TorchError

__all__ = ["Dictionary"]


@layer("nn.Dictionary", package="dpnn")
class Dictionary(LookupTable):
    """``nn.Dictionary(dictSize, embeddingSize[, accUpdate])``: an ``nn.LookupTable`` that counts the rows it has used.

    ``inputs`` holds how often each row has been used in backward passes since ``zeroGradParameters``; these rows are
    what ``sparseParameters`` gives, so that only they are moved and their gradients zeroed. Clones that share the
    gradients share the counts. With ``accUpdate`` there is no gradient buffer.

    Shapes: those of ``nn.LookupTable``. Of the package of 2015; in later ones making one is an error, as it was there.
    """

    fields: ClassVar[tuple[str, ...]] = ("accUpdate", "inputs", "nBackward")
    sparse = True
    rows_alone = None  # the counts are this object's: step after step

    inputs: dict[int, int]
    nBackward: int

    def __init__(self, dictSize: int, embeddingSize: int, accUpdate: bool = False) -> None:
        if state.current().generation != 2015:
            raise other_generation("nn.Dictionary", 2015)
        super().__init__(dictSize, embeddingSize)
        self.__dict__.update(accUpdate=accUpdate, inputs={}, nBackward=0)
        if accUpdate:
            self.accUpdateOnly()

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self.__dict__.update(accUpdate=False, inputs={}, nBackward=0)

    def shared_by_clones(self) -> list[Any]:
        return [self.inputs]

    def accUpdateOnly(self) -> LookupTable:
        # As in the original: the field says false from here on.
        self.__dict__["accUpdate"] = False
        return super().accUpdateOnly()

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        rows, counts = torch.unique(input, return_counts=True)
        for row, count in zip(rows.tolist(), counts.tolist(), strict=True):
            self.inputs[int(row)] = self.inputs.get(int(row), 0) + count
        self.__dict__["nBackward"] += input.numel()
        super().accGradParameters(input, gradOutput, scale)

    def sparseParameters(self) -> Any:
        """``m:sparseParameters()``: the rows used, by number: parameters, gradients, factors of 1; and how many rows
        there are."""
        weight, gradient = self.weight.data, self.gradient("weight")
        parameters = {row: weight[row - 1] for row in self.inputs}
        gradients = {} if gradient is None else {row: gradient[row - 1] for row in self.inputs}
        return parameters, gradients, dict.fromkeys(self.inputs, 1), len(weight)

    def updateParameters(self, learningRate: float) -> None:
        if self.gradient("weight") is not None:
            super().updateParameters(learningRate)

    def zeroGradParameters(self) -> None:
        super().zeroGradParameters()
        self.inputs.clear()
        self.__dict__["nBackward"] = 0

    def updateGradParameters(self, *_: Any) -> None:
        # The original takes the means of rows for those of the whole table, and fails where it adds.
        raise TorchError(f"{self.class_name} has no momentum")

    def maxParamNorm(self, maxOutNorm: float | None = None, maxInNorm: float | None = None) -> None:
        """Here each element of the rows used is held to maxOutNorm, or else maxInNorm."""
        limits = (self.maxOutNorm, maxOutNorm, self.maxInNorm, maxInNorm)
        limit = next((limit for limit in limits if limit is not None), None)
        for row in self.inputs:
            limit_norms(self.weight.data[row - 1 : row], 1, limit)
