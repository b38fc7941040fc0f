"""The way back from pooling by the largest element."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.checks import check_shape
from torch7py.nn.object import names
from torch7py.nn.pooling_max import MaxPooling, SpatialMaxPooling, VolumetricMaxPooling
from torch7py.nn.registry import layer
from torch7py.nn.window import Gridded
from torch7py.nn.window_max import whole_indices
from torch7py.ops.errors import TorchError
from torch7py.ops.tracing import in_transform, numbers_known

__all__ = ["SpatialMaxUnpooling", "VolumetricMaxUnpooling"]


class _MaxUnpooling(Gridded):
    """Each element goes back to where a pooling layer has taken it from; the rest is 0."""

    links: ClassVar[tuple[str, ...]] = ("pooling",)
    lua_methods = names(empty="clearState")
    kind: ClassVar[type[MaxPooling]]

    def __init__(self, pooling: Module) -> None:
        super().__init__()
        if type(pooling) is not self.kind:
            raise TorchError(f"{self.torch7_name}: the argument must be a {self.kind.torch7_name}")
        if pooling.along("k") != pooling.along("d"):
            raise TorchError(f"{self.torch7_name}: the pooling's kernel must be as large as its step")
        self._modules["pooling"] = pooling
        self.restored()

    def restored(self) -> None:
        pooling = self._modules.get("pooling")
        if pooling is not None:
            pooling.__dict__["_unpooled"] = True

    def places(self, batch: torch.Tensor) -> tuple[torch.Tensor, list[int]]:
        """Where the elements go, from 0, and the sizes of the output's planes: as the pooling is at this moment."""
        pooling: Any = self._modules["pooling"]
        indices = whole_indices(pooling, self)
        if not numbers_known():
            context = "part of a function transform" if in_transform() else "exported"
            raise TorchError(f"{self.class_name} cannot be {context}: it looks into another layer")
        sizes = [int(getattr(pooling, field)) for field in pooling.sizes]
        self.note("indices", indices)
        for mine, size in zip(self.own_sizes, sizes, strict=True):
            self.note(mine, size)
        indices = indices if indices.dim() == batch.dim() else indices.unsqueeze(0)
        check_shape(self, "the input", batch, indices)
        positions = pooling.decode(indices, sizes) - 1
        return positions, sizes

    own_sizes: ClassVar[tuple[str, ...]] = ("oheight", "owidth")

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        positions, sizes = self.places(batch)
        planes = batch.new_zeros((*batch.shape[:2], torch.Size(sizes).numel()))
        output = planes.scatter(2, positions.flatten(2), batch.flatten(2))
        return self.like_input(output.view(*batch.shape[:2], *sizes), input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        positions, sizes = self.places(batch)
        gradient = self.gradient_batch(gradOutput, input, (*batch.shape[:2], *sizes))
        result = gradient.flatten(2).gather(2, positions.flatten(2)).view(batch.shape)
        return self.like_input(result, input)

    def describe(self) -> str:
        # upstream writes this name whatever the class
        pooling: Any = self._modules["pooling"]
        return f"{self.torch7_name} associated to {pooling.describe()}"


@layer("nn.SpatialMaxUnpooling", keeps_rank=True, example="C H W")
class SpatialMaxUnpooling(_MaxUnpooling):
    """``nn.SpatialMaxUnpooling(pooling)``: the elements back where that ``nn.SpatialMaxPooling`` has taken them from.

    Shapes: those of the pooling's last output -> those of its last input, single or a batch. The pooling's windows must
    not overlap.
    """

    kind = SpatialMaxPooling
    fields: ClassVar[tuple[str, ...]] = ("pooling", "indices", "oheight", "owidth")


@layer("nn.VolumetricMaxUnpooling", keeps_rank=True, example="C T H W")
class VolumetricMaxUnpooling(_MaxUnpooling):
    """``nn.VolumetricMaxUnpooling(pooling)``: the elements back where that ``nn.VolumetricMaxPooling`` has taken them
    from. Otherwise ``nn.SpatialMaxUnpooling``.
    """

    grid = "THW"
    kind = VolumetricMaxPooling
    own_sizes = ("otime", "oheight", "owidth")
    fields: ClassVar[tuple[str, ...]] = ("pooling", "indices", *own_sizes)
