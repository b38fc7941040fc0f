"""Normalization of an image by what is near: the mean and the deviation around a pixel, the planes around a plane."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, number
from torch7py.nn.connections import one_to_one
from torch7py.nn.container import Sequential
from torch7py.nn.convolution import SpatialConvolution
from torch7py.nn.convolution_map import SpatialConvolutionMap
from torch7py.nn.elementary import Sqrt, Square
from torch7py.nn.image_padding import SpatialZeroPadding
from torch7py.nn.rectifier import Threshold
from torch7py.nn.registry import layer
from torch7py.nn.shape import Replicate
from torch7py.nn.table_math import CDivTable, CSubTable
from torch7py.nn.trace import same_sizes
from torch7py.nn.window import Gridded
from torch7py.ops.errors import TorchError

__all__ = [
    "SpatialContrastiveNormalization",
    "SpatialCrossMapLRN",
    "SpatialDivisiveNormalization",
    "SpatialSubtractiveNormalization",
]


class _Neighbourhood(Gridded):
    """A layer that averages with a kernel around each pixel, over all planes.

    The layers inside have the kernel as their weight. It is not learned: no parameter of theirs wants a gradient.
    """

    transient = (*Module.transient, "_seen", "_shares")

    def take(self, nInputPlane: Any, kernel: Any) -> None:
        name = self.torch7_name
        self.nInputPlane = number(name, "nInputPlane", 1 if nInputPlane is None else nInputPlane)
        if kernel is None:
            kernel = self.new(9, 9).fill_(1)
        if not isinstance(kernel, torch.Tensor) or kernel.dim() not in (1, 2) or kernel.numel() == 0:
            raise TorchError(f"{name}: the kernel must be a tensor of 1 or 2 dimensions")
        if any(size % 2 == 0 for size in kernel.shape):
            raise TorchError(f"{name}: the kernel must have odd sizes, not {size_text(kernel)}")
        self.kernel = kernel

    def averaging(self, *before: Module) -> Sequential:
        """Layers that average over pixels and planes, each result once more for every plane."""
        kernel, planes = self.kernel, int(self.nInputPlane)
        tall, wide = kernel.shape[0], kernel.shape[-1]
        model = Sequential(*before)
        model.add(SpatialZeroPadding(wide // 2, wide // 2, tall // 2, tall // 2))
        if kernel.dim() == 2:
            model.add(SpatialConvolution(planes, 1, wide, tall))
            model.get(len(model)).weight.data.copy_(kernel.expand(1, planes, tall, wide))
        else:  # rows, then columns
            model.add(SpatialConvolutionMap(one_to_one(planes), tall, 1))
            model.get(len(model)).weight.data.copy_(kernel.expand(planes, 1, tall))
            model.get(len(model)).bias.data.zero_()
            model.add(SpatialConvolution(planes, 1, 1, tall))
            model.get(len(model)).weight.data.copy_(kernel.view(tall, 1).expand(1, planes, tall, 1))
        model.get(len(model)).bias.data.zero_()
        model.add(Replicate(planes, 1, 3))
        return model

    def freeze(self) -> None:
        for parameter in self.parameters():
            parameter.requires_grad_(False)

    def batch(self, input: torch.Tensor) -> torch.Tensor:
        check_type(self, "the input", input, self.kernel)
        return self.as_batch(input, int(self.nInputPlane))

    def estimate(self, estimator: str, batch: torch.Tensor) -> torch.Tensor:
        """What one of the averaging layers gives for a batch, in the batch's shape."""
        estimate: torch.Tensor = self._modules[estimator](batch)  # type: ignore[misc]
        return estimate.reshape(batch.shape)

    def shares_of(self, batch: torch.Tensor) -> torch.Tensor:
        """The same as ``shares``, computed anew."""
        ones = torch.ones(1, *batch.shape[1:], dtype=batch.dtype, device=batch.device)
        return self.estimate("meanestimator", ones).expand(batch.shape)

    def shares(self, batch: torch.Tensor) -> torch.Tensor:
        """How much of the kernel's weight lies inside the image, at each pixel: the same for all of a size."""
        key = (batch.shape[1:], batch.dtype, batch.device)
        known = self.__dict__.get("_shares")
        if known is None or known[0] != key:
            with torch.no_grad():
                ones = torch.ones_like(batch[:1], memory_format=torch.contiguous_format)
                known = (key, self._modules["meanestimator"].updateOutput(ones).reshape(ones.shape).clone())  # type: ignore[union-attr,operator]
            self.__dict__["_shares"] = known
        shares: torch.Tensor = known[1]
        return shares.expand(batch.shape)

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """The output, by the layers inside one after the other."""
        raise NotImplementedError

    def run_back(self, batch: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """The gradient of the input, by the same layers from the last to the first."""
        raise NotImplementedError

    def through(self, estimator: str, batch: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """The gradient of a batch that has gone through one of the averaging layers."""
        layers: Any = self._modules[estimator]
        return layers.updateGradInput(batch, gradient.reshape(layers.output.shape))

    def updateOutput(self, input: torch.Tensor) -> Any:
        output = self.run(self.batch(input).data)
        self.__dict__["_seen"] = input.data
        return self.keep_output(self.like_input(output, input), input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch = self.batch(input).data
        gradient = self.gradient_batch(gradOutput, input, batch.shape, exact=False)
        if not same_sizes(self.__dict__.get("_seen"), input):
            self.run(batch)
            self.__dict__["_seen"] = input.data
        return self.like_input(self.run_back(batch, gradient.data), input)

    def clearState(self) -> Module:
        for name in ("_seen", "_shares"):
            self.__dict__.pop(name, None)
        for child in self._modules.values():
            child.clearState()  # type: ignore[union-attr,operator]
        return super().clearState()


@layer("nn.SpatialSubtractiveNormalization", keeps_rank=True, example="nInputPlane H W", parts="fixed")
class SpatialSubtractiveNormalization(_Neighbourhood):
    """``nn.SpatialSubtractiveNormalization([nInputPlane, kernel])``: subtract the mean around each pixel.

    Shapes: ``(nInputPlane, h, w)``, or a batch of such. The mean is over all planes, weighted by the kernel: a
    matrix, or a vector for rows and columns in turn, of odd sizes, 9x9 ones by default. The kernel is divided by
    its sum and the number of planes in place. At the border the mean is over what is inside.
    """

    links: ClassVar[tuple[str, ...]] = ("meanestimator", "subtractor", "divider")
    fields: ClassVar[tuple[str, ...]] = ("nInputPlane", "kernel", *links)
    spare: ClassVar[dict[str, Any]] = {"coef": (1, 1, 1)}

    def __init__(self, nInputPlane: int | None = None, kernel: torch.Tensor | None = None) -> None:
        super().__init__()
        self.take(nInputPlane, kernel)
        self.kernel.div_(self.kernel.sum() * self.nInputPlane)
        self._modules["meanestimator"] = self.averaging()
        self._modules["subtractor"] = CSubTable()
        self._modules["divider"] = CDivTable()
        self.freeze()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.batch(input)
        means = self.divider([self.estimate("meanestimator", batch), self.shares_of(batch)])
        return self.like_input(self.subtractor([batch, means]), input)

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        shares = self.shares(batch)
        sums = self.meanestimator.updateOutput(batch).reshape(batch.shape)
        means = self.divider.updateOutput([sums, shares])
        return self.subtractor.updateOutput([batch, means])

    def run_back(self, batch: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        return self.through("meanestimator", batch, -gradient / self.shares(batch)) + gradient


@layer("nn.SpatialDivisiveNormalization", keeps_rank=True, example="nInputPlane H W", parts="fixed")
class SpatialDivisiveNormalization(_Neighbourhood):
    """``nn.SpatialDivisiveNormalization([nInputPlane, kernel, threshold, thresval])``: divide by the deviation
    around each pixel.

    Shapes and kernel as for ``nn.SpatialSubtractiveNormalization``. The deviation is the root of the mean square; where
    it is not above threshold (1e-4) thresval (threshold) takes its place.
    """

    links: ClassVar[tuple[str, ...]] = (
        "meanestimator",
        "stdestimator",
        "normalizer",
        "divider",
        "thresholder",
    )
    fields: ClassVar[tuple[str, ...]] = ("nInputPlane", "kernel", "threshold", "thresval", *links)
    spare: ClassVar[dict[str, Any]] = {"coef": (1, 1, 1)}

    def __init__(
        self,
        nInputPlane: int | None = None,
        kernel: torch.Tensor | None = None,
        threshold: float | None = None,
        thresval: float | None = None,
    ) -> None:
        super().__init__()
        self.take(nInputPlane, kernel)
        self.threshold, self.thresval = thresholds(threshold, thresval)
        planes = self.nInputPlane if self.kernel.dim() == 2 else math.sqrt(self.nInputPlane)
        self.kernel.div_(self.kernel.sum() * planes)
        self._modules["meanestimator"] = self.averaging()
        self._modules["stdestimator"] = self.averaging(Square()).add(Sqrt())
        self._modules["normalizer"] = CDivTable()
        self._modules["divider"] = CDivTable()
        self._modules["thresholder"] = Threshold(self.threshold, self.thresval)
        self.freeze()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.batch(input)
        deviations = self.divider([self.estimate("stdestimator", batch), self.shares_of(batch)])
        return self.like_input(self.normalizer([batch, self.thresholder(deviations)]), input)

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        shares = self.shares(batch)
        roots = self.stdestimator.updateOutput(batch).reshape(batch.shape)
        deviations = self.divider.updateOutput([roots, shares])
        divisors = self.thresholder.updateOutput(deviations)
        return self.normalizer.updateOutput([batch, divisors])

    def run_back(self, batch: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        divisors = self.thresholder.output
        for_input, for_divisors = self.normalizer.updateGradInput([batch, divisors], gradient)
        for_deviations = self.thresholder.updateGradInput(self.divider.output, for_divisors)
        return self.through("stdestimator", batch, for_deviations / self.shares(batch)) + for_input


def thresholds(threshold: float | None, thresval: float | None) -> tuple[float, float]:
    """The two with their defaults."""
    least = 1e-4 if threshold is None else threshold
    return least, least if thresval is None else thresval


@layer("nn.SpatialContrastiveNormalization", keeps_rank=True, example="nInputPlane H W", parts="fixed")
class SpatialContrastiveNormalization(_Neighbourhood):
    """``nn.SpatialContrastiveNormalization([nInputPlane, kernel, threshold, thresval])``: subtract the mean around each
    pixel, then divide by the deviation.

    ``nn.SpatialSubtractiveNormalization`` and ``nn.SpatialDivisiveNormalization`` one after the other, with one kernel.
    """

    links: ClassVar[tuple[str, ...]] = ("normalizer",)
    fields: ClassVar[tuple[str, ...]] = ("nInputPlane", "kernel", "threshold", "thresval", *links)

    def __init__(
        self,
        nInputPlane: int | None = None,
        kernel: torch.Tensor | None = None,
        threshold: float | None = None,
        thresval: float | None = None,
    ) -> None:
        super().__init__()
        self.take(nInputPlane, kernel)
        self.threshold, self.thresval = thresholds(threshold, thresval)
        self._modules["normalizer"] = Sequential(
            SpatialSubtractiveNormalization(nInputPlane, self.kernel),
            SpatialDivisiveNormalization(nInputPlane, self.kernel, self.threshold, self.thresval),
        )

    def forward(self, input: torch.Tensor) -> Any:
        return self.normalizer(input)

    def updateOutput(self, input: torch.Tensor) -> Any:
        output = self.__dict__["output"] = self.normalizer.updateOutput(input)
        return output

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        gradient = self.__dict__["gradInput"] = self.normalizer.backward(input, gradOutput)
        return gradient


@layer("nn.SpatialCrossMapLRN", keeps_rank=True, example="C H W", gradient_reads_output=True)
class SpatialCrossMapLRN(Gridded):
    """``nn.SpatialCrossMapLRN(size[, alpha, beta, k])``: divide by what the planes around have at the same place.

    ``y = x / (k + alpha / size * sum x^2)^beta`` with the sum over ``size`` planes, this one in the middle; alpha is
    1e-4, beta 0.75, k 1 by default. Shapes: ``(planes, h, w)``, or a batch of such. size is odd.
    (Krizhevsky et al., 2012.) The backward goes by ``scale`` and ``output`` as they are then.
    """

    fields: ClassVar[tuple[str, ...]] = ("size", "alpha", "beta", "k", "scale", "paddedRatio", "accumRatio")

    def __init__(self, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        name = self.torch7_name
        if number(name, "size", size) < 1 or size % 2 != 1:
            raise TorchError(f"{name}: size must be odd, not {size}")
        self.size = size
        self.alpha = number(name, "alpha", alpha)
        self.beta = number(name, "beta", beta)
        self.k = number(name, "k", k)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        scale = self.k + self.alpha / self.size * self._sums(batch.square(), enters_first=True)
        self.note("scale", self.like_input(scale, input))
        return self.like_input(batch * scale.pow(-self.beta), input)

    def _sums(self, batch: torch.Tensor, enters_first: bool) -> torch.Tensor:
        """For each plane the sum of those around it, which runs on from plane to plane with its NaNs and infinities.

        One plane enters the sum and another leaves it, in this order or the other.
        """
        size = int(self.size)
        padded = F.pad(batch, (0, 0, 0, 0, size // 2, size // 2))
        enters, leaves = padded[:, size:], -padded[:, : batch.shape[1] - 1]
        changes = torch.stack((enters, leaves) if enters_first else (leaves, enters), 2).flatten(1, 2)
        sums = torch.cat((padded[:, :size], changes), 1)
        if sums.device.type != "cpu":
            return sums.cumsum(1)[:, size - 1 :: 2]
        for plane in range(1, sums.shape[1]):
            sums[:, plane] += sums[:, plane - 1]
        return sums[:, size - 1 :: 2]

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        gradient = self.gradient_batch(gradOutput, input, batch.shape)
        scale: torch.Tensor | None = self.__dict__.get("scale")
        if scale is None or scale.shape != input.shape or self.output.shape != input.shape:
            raise TorchError(
                f"{self.class_name}: no forward of an input of {size_text(input)} came before this backward"
            )
        scale, output = scale.view(batch.shape), self.output.view(batch.shape)
        shared = self._sums(gradient * output / scale, enters_first=False)
        factor = 2 * self.alpha * self.beta / self.size
        return self.like_input(
            torch.addcmul(scale.pow(-self.beta) * gradient, batch, shared, value=-factor), input
        )

    def clearState(self) -> Module:
        self.clear("scale", "paddedRatio", "accumRatio")
        return super().clearState()
