"""Layers that put a margin around images and volumes, or take one off: zeros, reflections, the border again."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.checks import number
from torch7py.nn.registry import layer
from torch7py.nn.window import Gridded, text_of
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older

__all__ = [
    "SpatialReflectionPadding",
    "SpatialReplicationPadding",
    "SpatialZeroPadding",
    "VolumetricReplicationPadding",
]


class _Margin(Gridded):
    """A margin for each side, the fields ``sides`` from the last dimension's on; below 0 it is cut off."""

    traced = True
    sides: ClassVar[tuple[str, ...]] = ("pad_l", "pad_r", "pad_t", "pad_b")
    shown: ClassVar[tuple[str, ...]] = ("l", "r", "t", "b")
    mode: ClassVar[str]

    def set_margins(self, first: float, *others: float | None) -> None:
        """The first margin counts for every side that is not given."""
        for side, margin in zip(self.sides, (first, *others), strict=True):
            value = first if margin is None else margin
            setattr(self, side, number(self.torch7_name, side, value))

    def margins(self) -> list[int]:
        return [int(getattr(self, side)) for side in self.sides]

    def check_margins(self, sizes: torch.Size) -> None:
        """Refuse an input of which nothing is left."""
        margins = self.margins()
        new_sizes = [
            size + before + after
            for size, before, after in zip(
                sizes, reversed(margins[::2]), reversed(margins[1::2]), strict=True
            )
        ]
        if min(new_sizes) < 1:
            raise TorchError(
                f"{self.class_name}: planes of {text_of(sizes, 'x')} are too small, "
                f"{text_of(new_sizes, 'x')} would be left"
            )

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        self.check_margins(batch.shape[2:])
        return self.like_input(F.pad(batch, self.margins(), mode=self.mode), input)

    def describe(self) -> str:
        comma = "," if older("padding text") else ", "
        sides = comma.join(f"{name}={m:d}" for name, m in zip(self.shown, self.margins(), strict=True))
        return f"{self.class_name}({sides})"


class _SpatialMargin(_Margin):
    fields: ClassVar[tuple[str, ...]] = _Margin.sides

    def __init__(
        self, pad_l: int, pad_r: int | None = None, pad_t: int | None = None, pad_b: int | None = None
    ) -> None:
        super().__init__()
        self.set_margins(pad_l, pad_r, pad_t, pad_b)


@layer("nn.SpatialZeroPadding", keeps_rank=True, example="C H W")
class SpatialZeroPadding(_SpatialMargin):
    """``nn.SpatialZeroPadding(left[, right, top, bottom])``: zeros around each plane.

    Shapes: ``(planes, h, w)`` -> ``(planes, h + top + bottom, w + left + right)``, or both as a batch. A margin not
    given is that on the left; one below 0 is cut off.
    """

    exact_gradient = True

    mode = "constant"


@layer("nn.SpatialReflectionPadding", keeps_rank=True, example="C H W")
class SpatialReflectionPadding(_SpatialMargin):
    """``nn.SpatialReflectionPadding(left[, right, top, bottom])``: the plane mirrored at its border, which is not
    repeated.

    Shapes as for ``nn.SpatialZeroPadding``; a margin must be smaller than the plane.
    """

    exact_gradient = True

    mode = "reflect"

    def check_margins(self, sizes: torch.Size) -> None:
        super().check_margins(sizes)
        margins = self.margins()
        for size, before, after in zip(sizes[::-1], margins[::2], margins[1::2], strict=True):
            if max(before, after) >= size:
                raise TorchError(
                    f"{self.class_name}: planes of {text_of(sizes, 'x')} are too small for a margin of "
                    f"{max(before, after)}"
                )


@layer("nn.SpatialReplicationPadding", keeps_rank=True, example="C H W")
class SpatialReplicationPadding(_SpatialMargin):
    """``nn.SpatialReplicationPadding(left[, right, top, bottom])``: the border of the plane repeated.

    Shapes as for ``nn.SpatialZeroPadding``.
    """

    exact_gradient = True

    mode = "replicate"


@layer("nn.VolumetricReplicationPadding", keeps_rank=True, example="C T H W")
class VolumetricReplicationPadding(_Margin):
    """``nn.VolumetricReplicationPadding(left[, right, top, bottom, front, back])``: the border of the volume repeated.

    Shapes: ``(planes, t, h, w)`` -> ``(planes, t + front + back, h + top + bottom, w + left + right)``, or both as a
    batch. A margin not given is that on the left; one below 0 is cut off.
    """

    exact_gradient = True

    grid = "THW"
    mode = "replicate"
    sides = ("pleft", "pright", "ptop", "pbottom", "pfront", "pback")
    shown = ("left", "right", "top", "bottom", "front", "back")
    fields: ClassVar[tuple[str, ...]] = sides

    def __init__(
        self,
        pleft: int,
        pright: int | None = None,
        ptop: int | None = None,
        pbottom: int | None = None,
        pfront: int | None = None,
        pback: int | None = None,
    ) -> None:
        super().__init__()
        self.set_margins(pleft, pright, ptop, pbottom, pfront, pback)
