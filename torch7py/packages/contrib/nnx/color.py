"""SpatialColorTransform: an image in another color space."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.support import restricted
from torch7py.packages.contrib.nnx.spatial import SpatialLinear

__all__ = ["SpatialColorTransform"]

# The rows of ITU-R BT.601's matrices, as the original has them.
MATRICES: dict[str, list[list[float]]] = {
    "yuv2rgb": [[1, 0, 1.13983], [1, -0.39465, -0.58060], [1, 2.03211, 0]],
    "rgb2yuv": [[0.299, 0.587, 0.114], [-0.14713, -0.28886, 0.436], [0.615, -0.51499, -0.10001]],
    "rgb2y": [[0.299, 0.587, 0.114]],
}
OTHERS = ("hsl2rgb", "hsv2rgb", "rgb2hsl", "rgb2hsv", "rgb2nrgb", "rgb2y+nrgb")


@layer("nn.SpatialColorTransform", package="nnx", keeps_rank=True, parts="fixed")
class SpatialColorTransform(Module):
    """``nn.SpatialColorTransform(transform)``: an image in another color space.

    Transforms: ``yuv2rgb``, ``rgb2yuv`` and ``rgb2y``, each a matrix (``linear``, an ``nn.SpatialLinear``). The
    others of the original are those of the package image, and an error here. It has no parameters that are learned.

    Shapes: ``(3, h, w)`` -> ``(3, h, w)``, of ``rgb2y`` ``(1, h, w)``.
    """

    links: ClassVar[tuple[str, ...]] = ("linear",)
    fields: ClassVar[tuple[str, ...]] = ("transform", "islinear")
    traced = False

    transform: str

    def __init__(self, transform: str) -> None:
        if transform in OTHERS:
            raise TorchError(
                f"nn.SpatialColorTransform: {transform} needs the package image, which is not there"
            )
        if transform not in MATRICES:
            raise TorchError(
                f"nn.SpatialColorTransform expects a transform: {', '.join((*MATRICES, *OTHERS))}"
            )
        super().__init__()
        self.__dict__.update(transform=transform, islinear=True)
        matrix = torch.tensor(MATRICES[transform], dtype=torch.float64)
        linear = SpatialLinear(3, len(matrix))
        linear.weight.data.copy_(matrix)
        linear.bias.data.zero_()
        linear.requires_grad_(False)
        self._modules["linear"] = linear

    def torch7_parameters(self) -> Any:
        """``m:parameters()``: nothing."""
        return None

    def forward(self, input: torch.Tensor) -> Any:
        return self.linear(input)

    def updateOutput(self, input: torch.Tensor) -> Any:
        return self.keep_output(self.linear.updateOutput(input))

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        return self.keep_grad_input(self.linear.updateGradInput(input, gradOutput))

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """Nothing is learned."""


restricted("nn.SpatialColorTransform", "yuv2rgb, rgb2yuv and rgb2y; the others need the package image")
