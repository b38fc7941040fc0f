"""Single examples as batches of one: what the dpnn package adds to modules and criterions."""

from __future__ import annotations

from typing import ClassVar

import torch

from torch7py.nn.object import TorchObject
from torch7py.ops.errors import TorchError

__all__ = ["Batching"]


class Batching(TorchObject):
    """``toBatch`` and ``fromBatch``; the field ``dpnn_online`` says whether the last ``toBatch`` got one example."""

    fields: ClassVar[tuple[str, ...]] = ("dpnn_online",)
    dpnn_online: bool | None = None

    def toBatch(self, tensor: torch.Tensor, nDim: int, batchDim: int = 1) -> torch.Tensor:
        """``m:toBatch(tensor, nDim[, batchDim])``: a tensor of nDim dimensions as a batch of one, others as they are.

        batchDim (1) is the number that the batch's dimension then has.
        """
        self.dpnn_online = tensor.dim() == nDim
        if not self.dpnn_online:
            return tensor
        if not 1 <= batchDim <= tensor.dim() + 1:
            raise TorchError(
                f"toBatch: a tensor of {tensor.dim()} dimensions cannot get a dimension {batchDim:g}"
            )
        return tensor.unsqueeze(int(batchDim) - 1)

    def fromBatch(self, tensor: torch.Tensor, batchDim: int | None = None) -> torch.Tensor:
        """``m:fromBatch(tensor[, batchDim])``: without the dimension that the last ``toBatch`` added, if it did.

        batchDim is that dimension's number, by default the last one's.
        """
        if not self.dpnn_online:
            return tensor
        dim = tensor.dim() if batchDim is None else int(batchDim)
        if not 1 <= dim <= tensor.dim() or tensor.shape[dim - 1] != 1:
            sizes = "x".join(map(str, tensor.shape))
            raise TorchError(f"fromBatch: dimension {dim} of {sizes} is not that of a batch of one")
        return tensor.squeeze(dim - 1)
