"""Normalization of a pixel by the same pixel of the planes around it, and filters of fixed Gaussians."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import argument_text, size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import number
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.packages.image.kernels import gaussian

__all__ = ["CrossMapNormalization", "DifferenceOfGaussian", "LaplacianOfGaussian"]


def _image_batch(layer: Module, input: torch.Tensor, planes: float | None = None) -> torch.Tensor:
    """An image or a batch of such as a batch."""
    if not isinstance(input, torch.Tensor) or input.dim() not in (3, 4) or input.numel() == 0:
        raise TorchError(
            f"{layer.class_name}: the input must have 3 or 4 dimensions, not {argument_text(input)}"
        )
    if planes is not None and input.shape[-3] != planes:
        raise TorchError(
            f"{layer.class_name}: the input of {size_text(input)} has {input.shape[-3]} planes, not {int(planes)}"
        )
    return input if input.dim() == 4 else input.unsqueeze(0)


@layer("nn.CrossMapNormalization", package="fbnn", keeps_rank=True)
class CrossMapNormalization(Module):
    """``nn.CrossMapNormalization(size, scale, power)``: each pixel divided by ``(1 + scale / size * sum x^2)^power``.

    The sum is over the same pixel of the ``size`` planes around, an odd number, those outside being 0. Shapes:
    ``(planes, h, w)`` or a batch of such.
    """

    fields: ClassVar[tuple[str, ...]] = ("size", "scale", "power", "squaredSum")

    def __init__(self, size: int, scale: float, power: float) -> None:
        super().__init__()
        if number(self.torch7_name, "size", size) < 1 or size % 2 != 1:
            raise TorchError(f"{self.torch7_name}: size must be odd")
        self.size = size
        self.scale = number(self.torch7_name, "scale", scale)
        self.power = number(self.torch7_name, "power", power)
        self.keep("squaredSum", self.new())

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = _image_batch(self, input)
        half = int(self.size) // 2
        squares = F.pad(batch.square(), (0, 0, 0, 0, half, half))
        sums = squares.unfold(1, int(self.size), 1).sum(-1)
        return (batch * (1 + self.scale / self.size * sums).pow(-self.power)).view(input.shape)


@layer("nn.LaplacianOfGaussian", package="fbnn", keeps_rank=True)
class LaplacianOfGaussian(Module):
    """``nn.LaplacianOfGaussian(nInputPlane, sigma[, k, padding])``: each plane filtered by the second differences of a
    Gaussian.

    Shapes: ``(nInputPlane, h, w)`` or a batch of such, the output having as many pixels where padding is left out. The
    Gaussian has k x k pixels (``ceil(10 sigma)``, one more where that is even) and a deviation of k / 10; ``weight`` is
    the sum of its second differences over both directions, ``(nInputPlane, k - 2, k - 2)``. It is not learned.
    """

    fields: ClassVar[tuple[str, ...]] = tuple(
        "nInputPlane nOutputPlane padding kH kW dW dH connTable finput fgradInput".split()
    )
    parameter_fields: ClassVar[tuple[str, ...]] = ()
    padding: Any

    def __init__(
        self, nInputPlane: int, sigma: float, k: int | None = None, padding: int | None = None
    ) -> None:
        super().__init__()
        planes = int(number(self.torch7_name, "nInputPlane", nInputPlane))
        size = math.ceil(number(self.torch7_name, "sigma", sigma) * 10) if k is None else int(k)
        size += size % 2 == 0
        if size < 3:
            raise TorchError(f"{self.torch7_name}: the filter must have at least 3 pixels, not {size}")
        kernel = torch.empty(size, size, dtype=torch.float64)
        gaussian(kernel, 1, True, 0.1, 0.1, 0.5, 0.5)
        down = _differences(_differences(kernel, 0), 0)[:, 1:-1]
        across = _differences(_differences(kernel, 1), 1)[1:-1, :]
        self.__dict__["weight"] = (down + across).to(self.new().dtype).repeat(planes, 1, 1)
        self.__dict__["bias"] = self.new(1)
        settings = {
            "nInputPlane": planes,
            "nOutputPlane": planes,
            "kH": size - 2,
            "kW": size - 2,
            "dW": 1,
            "dH": 1,
        }
        self.__dict__.update(settings, padding=(size - 2) // 2 if padding is None else padding)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = _image_batch(self, input, self.nInputPlane)
        weight: torch.Tensor = self.weight
        results = F.conv2d(
            batch, weight.unsqueeze(1).to(batch), padding=int(self.padding), groups=int(self.nInputPlane)
        )
        return results if input.dim() == 4 else results[0]

    def torch7_parameters(self) -> Any:
        """The filter is no parameter that could be learned."""
        return None


def _differences(x: torch.Tensor, dim: int) -> torch.Tensor:
    """Each element less the next one."""
    return -x.diff(dim=dim)


@layer("nn.DifferenceOfGaussian", package="fbnn", gives="table")
class DifferenceOfGaussian(Module):
    """``nn.DifferenceOfGaussian(nInputPlane[, nOctaves, nScalesPerOctave])``: a pyramid of differences of Gaussians.

    Shapes: ``(nInputPlane, h, w)`` or a batch of such -> a table of nOctaves (3) tensors ``(nInputPlane *
    nScalesPerOctave, h', w')``, a plane's scales one after the other, h' and w' halved from one to the next. The
    scales (5) are between deviations of 1 and 2 pixels. In the original there is no backward.
    """

    fields: ClassVar[tuple[str, ...]] = tuple(
        "nOctaves nScalesPerOctave nInputPlane nOutputPlane dW dH sigma filter kH kW padH padW finput fgradInput "
        "outputBuf".split()
    )
    filter: torch.Tensor

    def __init__(
        self, nInputPlane: int, nOctaves: int | None = None, nScalesPerOctave: int | None = None
    ) -> None:
        super().__init__()
        scales = 5 if nScalesPerOctave is None else int(nScalesPerOctave)
        octaves = 3 if nOctaves is None else int(nOctaves)
        if scales < 1 or octaves < 1:
            raise TorchError(f"{self.torch7_name}: there must be at least 1 octave of 1 scale")
        sigma = torch.tensor([2 ** (n / scales) for n in range(scales)] + [2.0], dtype=torch.float64)
        size = math.ceil(2 * 2.5)
        size += size % 2 == 0
        squares = (torch.arange(1, size + 1, dtype=torch.float64) - size // 2).square()
        squares = squares.unsqueeze(0) + squares.unsqueeze(1)
        filters = (-squares / (2 * sigma.square()).view(-1, 1, 1)).exp()
        filters = filters / filters.sum((1, 2), keepdim=True)
        dtype = self.new().dtype
        settings: dict[str, Any] = {"nOctaves": octaves, "nScalesPerOctave": scales, "dW": 1, "dH": 1}
        settings |= {"nInputPlane": int(nInputPlane), "nOutputPlane": octaves, "kH": size, "kW": size}
        settings |= {
            "padH": size // 2,
            "padW": size // 2,
            "sigma": sigma.to(dtype),
            "filter": filters.to(dtype),
        }
        self.__dict__.update(settings)

    def forward(self, input: torch.Tensor) -> list[torch.Tensor]:
        batch = _image_batch(self, input, self.nInputPlane)
        planes, scales = int(self.nInputPlane), len(self.filter)
        weight = self.filter.to(batch).unsqueeze(1).repeat(planes, 1, 1, 1)
        results = []
        for _ in range(int(self.nOctaves)):
            if min(batch.shape[-2:]) < 1:
                raise TorchError(f"{self.class_name}: an image of {size_text(input)} has not so many octaves")
            blurred = F.conv2d(batch, weight, padding=int(self.padH), groups=planes)
            blurred = blurred.view(len(batch), planes, scales, *batch.shape[-2:])
            results.append((blurred[:, :, :-1] - blurred[:, :, 1:]).flatten(1, 2))
            batch = blurred[:, :, -1, 1::2, 1::2]
        return results if input.dim() == 4 else [octave[0] for octave in results]
