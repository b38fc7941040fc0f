"""Colours of images: random shifts for training (SimpleColorTransform, PCAColorTransform), SpatialFeatNormalization."""

from __future__ import annotations

from typing import ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.checks import check_type, fit, number
from torch7py.nn.registry import layer
from torch7py.nn.window import Gridded
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import fill, normal_, scalar
from torch7py.ops.rounding import format_number

__all__ = ["PCAColorTransform", "SimpleColorTransform", "SpatialFeatNormalization"]


class _Shifted(Gridded):
    """In training each plane of each image is shifted by a random amount; gradInput is gradOutput."""

    resizes_as_grad_output = True

    def draw(self, batch: torch.Tensor, one: bool) -> torch.Tensor:
        """The shifts, ``(batch, planes)``; ``one`` says that the input is no batch."""
        raise NotImplementedError

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return input.clone()
        batch = self.as_batch(input, int(self.inputChannels))
        shifts = self.draw(batch, input.dim() == 3)
        return input + shifts.view(*input.shape[:-2], 1, 1)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self.training:
            raise TorchError(f"{self.class_name}: there is a gradient in training only")
        return fit(self, "gradOutput", gradOutput, input).clone()


@layer(
    "nn.SimpleColorTransform",
    package="dpnn",
    keeps_rank=True,
    draws=True,
    differs_in_training=True,
    begins_training=True,
)
class SimpleColorTransform(_Shifted):
    """``nn.SimpleColorTransform(inputChannels, range)``: in training plane i is shifted by ``uniform(-r, r)``,
    r being range[i].

    Shapes: ``(inputChannels, h, w)``, or a batch of such, each image with shifts of its own. There is no gradient in
    evaluation.
    """

    fields: ClassVar[tuple[str, ...]] = ("inputChannels", "range", "noise")

    def __init__(self, inputChannels: int, range: torch.Tensor) -> None:
        super().__init__()
        if not isinstance(range, torch.Tensor) or range.numel() != inputChannels:
            raise TorchError(f"nn.SimpleColorTransform: range must be a tensor of {inputChannels} numbers")
        self.set_training()
        self.inputChannels = inputChannels
        self.__dict__["range"] = range

    def draw(self, batch: torch.Tensor, one: bool) -> torch.Tensor:
        generator = state.current().generator
        noise = torch.empty(batch.shape[:2], dtype=batch.dtype, device=batch.device)
        if noise.is_meta:
            return self.note("noise", noise.flatten() if one else noise)
        for column, bound in zip(noise.t(), self.range.flatten().tolist(), strict=True):
            if one:
                column.fill_(scalar.uniform(generator, -bound, bound))
            else:
                fill.uniform(generator, column, -bound, bound)
        return self.note("noise", noise.flatten() if one else noise)

    def describe(self) -> str:
        return "SimpleColorTransform"  # without the package, as in the original


@layer(
    "nn.PCAColorTransform",
    package="dpnn",
    keeps_rank=True,
    draws=True,
    differs_in_training=True,
    begins_training=True,
)
class PCAColorTransform(_Shifted):
    """``nn.PCAColorTransform(inputChannels, eigenVectors, eigenValues[, std])``: in training the planes are shifted
    along the colours' principal components (Krizhevsky et al., 2012).

    The shift is ``E (a * v)`` with a drawn from ``normal(0, std)``, 0.1 by default, the eigenvalues v, and the square
    matrix E of eigenvectors. Shapes: ``(inputChannels, h, w)``, or a batch of such, each image with a shift of its own.
    There is no gradient in evaluation.
    """

    fields: ClassVar[tuple[str, ...]] = (
        "inputChannels",
        "eigenVectors",
        "eigenValues",
        "std",
        "noise",
        "alphas",
    )

    def __init__(
        self, inputChannels: int, eigenVectors: torch.Tensor, eigenValues: torch.Tensor, std: float = 0.1
    ) -> None:
        super().__init__()
        name, count = "nn.PCAColorTransform", inputChannels
        if not isinstance(eigenVectors, torch.Tensor) or eigenVectors.shape != (count, count):
            raise TorchError(f"{name}: eigenVectors must be a matrix of {count}x{count}")
        if not isinstance(eigenValues, torch.Tensor) or eigenValues.numel() != count:
            raise TorchError(f"{name}: eigenValues must be a tensor of {count} numbers")
        self.set_training()
        self.inputChannels = inputChannels
        self.__dict__.update(eigenVectors=eigenVectors, eigenValues=eigenValues)
        self.std = number(name, "std", std)

    def draw(self, batch: torch.Tensor, one: bool) -> torch.Tensor:
        check_type(self, "the input", batch, self.eigenVectors)
        drawn = torch.empty(batch.shape[1], batch.shape[0], dtype=batch.dtype, device=batch.device)
        alphas = self.note("alphas", normal_(drawn, 0, self.std).mul_(self.eigenValues.view(-1, 1)))
        return self.note("noise", (self.eigenVectors.data @ alphas).t().contiguous())

    def describe(self) -> str:
        return f"{self.class_name} channels: {int(self.inputChannels)}, std: {format_number('%f', self.std)}"


@layer("nn.SpatialFeatNormalization", package="dpnn", keeps_rank=True)
class SpatialFeatNormalization(Gridded):
    """``nn.SpatialFeatNormalization(mean[, std])``: plane i less mean[i], divided by std[i] (1).

    Shapes: ``(planes, h, w)``, or a batch of such; mean and std are vectors with a number for each plane.
    """

    exact_gradient = True

    fields: ClassVar[tuple[str, ...]] = ("mean", "std", "noOfFeats")

    def __init__(self, mean: torch.Tensor, std: torch.Tensor | None = None) -> None:
        super().__init__()
        if not isinstance(mean, torch.Tensor) or mean.dim() != 1:
            raise TorchError("nn.SpatialFeatNormalization: mean must be a vector")
        if std is not None and std.numel() != mean.numel():
            raise TorchError(
                f"nn.SpatialFeatNormalization: std is {size_text(std)}, the mean {size_text(mean)}"
            )
        self.keep("mean", self.new(len(mean)).copy_(mean))
        self.keep(
            "std", self.new(len(mean)).fill_(1) if std is None else self.new(len(mean)).copy_(std.flatten())
        )
        self.noOfFeats = len(mean)

    def _by_plane(self, numbers: torch.Tensor, input: torch.Tensor) -> torch.Tensor:
        check_type(self, "the input", input, numbers)
        return numbers.view(-1, 1, 1)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self.as_batch(input, int(self.noOfFeats))
        return (input - self._by_plane(self.mean, input)) / self._by_plane(self.std, input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient = fit(self, "gradOutput", gradOutput, input)
        return gradient / self._by_plane(self.std, gradient)
