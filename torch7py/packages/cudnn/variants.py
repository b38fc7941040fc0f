"""The differences between cudnn's layers and their nn twins: arguments, defaults, texts and shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.checks import check_flag, number, truthy
from torch7py.nn.convolution import draw_uniform
from torch7py.nn.object import TorchObject, names
from torch7py.nn.registry import layers
from torch7py.nn.shape import long_storage
from torch7py.ops.errors import TorchError

__all__ = [
    "Activation",
    "Clipped",
    "Grouped",
    "Instance",
    "LogOverChannels",
    "Modes",
    "Normalized",
    "OverChannels",
    "Padded",
    "Plain",
    "Pooled",
    "Pooled3D",
    "Rectified",
    "Volume",
    "Windows",
]

# A behaviour stands before the twin among a class's bases; to the type checker it is a layer by itself.
if TYPE_CHECKING:

    class _Layer(Module):
        def __init__(self, *arguments: Any) -> None: ...

        def __getattr__(self, name: str) -> Any: ...
        def kernel(self) -> Any: ...
        def settings(self) -> Any: ...
        def geometry(self, target: Any) -> Any: ...
        def plan(self, batch: Any, shape: Any) -> Any: ...
else:
    _Layer = object


class Plain(_Layer):
    """A layer that shows its name alone."""

    def describe(self) -> str:
        return TorchObject.describe(self)


class Modes(_Layer):
    """The choice of cuDNN's algorithms. PyTorch makes it, so that what a program chooses has no effect."""

    lua_methods = names("fastest setMode resetMode resetWeightDescriptors clearDesc")

    def fastest(self, mode: bool = True) -> Any:
        """``m:fastest([flag])``"""
        return self

    def setMode(self, fmode: Any = None, bdmode: Any = None, bwmode: Any = None) -> Any:
        """``m:setMode(forward, backwardData, backwardFilter)``"""
        return self

    def resetMode(self) -> Any:
        """``m:resetMode()``"""
        return self

    def resetWeightDescriptors(self, sizes: Any = None) -> Any:
        """``m:resetWeightDescriptors()``"""
        return self

    def clearDesc(self) -> None:
        """``m:clearDesc()``"""


class Grouped(Modes):
    """``cudnn.SpatialConvolution(nInputPlane, nOutputPlane, kW, kH[, dW, dH, padW, padH, groups])``.

    padH is 0 by default, not padW. The planes may come in groups that do not see each other; ``weight`` is
    ``(nOutputPlane, nInputPlane / groups, kH, kW)``.
    """

    fields: ClassVar[tuple[str, ...]] = ("groups",)
    groups = 1

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kW: int,
        kH: int,
        dW: int = 1,
        dH: int = 1,
        padW: int = 0,
        padH: int = 0,
        groups: int = 1,
    ) -> None:
        name = "cudnn.SpatialConvolution"
        if number(name, "groups", groups) < 1 or nInputPlane % groups or nOutputPlane % groups:
            raise TorchError(
                f"{name}: {nInputPlane:g} and {nOutputPlane:g} planes do not fall into {groups:g} groups"
            )
        self.__dict__["groups"] = groups
        super().__init__(nInputPlane, nOutputPlane, kW, kH, dW, dH, padW, padH)
        self.__dict__["groups"] = groups

    def weight_sizes(self) -> tuple[float, ...]:
        return (self.nOutputPlane, self.nInputPlane // self.groups, self.kH, self.kW)

    def kernel(self) -> torch.Tensor:
        if self.groups == 1:
            base_kernel: torch.Tensor = super().kernel()
            return base_kernel
        sizes = tuple(map(int, self.weight_sizes()))
        weight: torch.Tensor = self.weight
        if weight.numel() != math.prod(sizes):
            raise TorchError(
                f"{self.class_name}: the weight has {weight.numel()} elements, not {math.prod(sizes)}"
            )
        return weight.view(sizes)

    def settings(self) -> tuple[Any, ...]:
        return (*super().settings(), self.groups)

    def geometry(self, target: torch.Tensor | None) -> Any:
        return (*super().geometry(target)[:-1], int(self.groups))

    def plan(self, batch: torch.Tensor, shape: Sequence[int]) -> Any:
        base_plan = super().plan(batch, shape)
        return base_plan if self.groups == 1 else type(base_plan)(*(False,) * len(base_plan))


class Padded(Modes):
    """``cudnn.TemporalConvolution(inputFrameSize, outputFrameSize, kH[, dH, padH])``: padH zeros at either end of
    the sequence.
    """

    fields: ClassVar[tuple[str, ...]] = ("padH", "kH", "dH", "padW", "groups", "nInputPlane", "nOutputPlane")
    traced = True
    padH: float = 0

    def __init__(
        self, inputFrameSize: int, outputFrameSize: int, kH: int, dH: int = 1, padH: int = 0
    ) -> None:
        super().__init__(inputFrameSize, outputFrameSize, kH, dH)
        self.padH = number("cudnn.TemporalConvolution", "padH", padH)

    def reset(self, stdv: float | None = None) -> Any:
        draw_uniform(
            self, self.inputFrameSize**2, stdv
        )  # the original takes kW, here a frame, for the window

    # To a script and in a file the layer is a convolution of images of one plane, as wide as a frame.

    def get_field(self, name: str) -> Any:
        if name in ("kH", "dH"):
            return self.__dict__.get("kW" if name == "kH" else "dW")
        alone = {"kW": "inputFrameSize", "nOutputPlane": "outputFrameSize"}
        if name in alone:
            return self.__dict__.get(alone[name])
        fixed = {"dW": 1, "padW": 0, "groups": 1, "nInputPlane": 1}
        return fixed[name] if name in fixed else super().get_field(name)

    def set_field(self, name: str, value: Any) -> Any:
        if name in ("kH", "dH"):
            self.__dict__["kW" if name == "kH" else "dW"] = value
        elif name not in ("kW", "dW", "padW", "groups", "nInputPlane", "nOutputPlane"):
            return super().set_field(name, value)
        return value

    def forward(self, input: torch.Tensor) -> Any:
        pad = int(self.padH)
        return super().forward(torch.nn.functional.pad(input, (0, 0, pad, pad)) if pad else input)

    updateOutput = Module.updateOutput
    updateGradInput = Module.updateGradInput
    grad_input = Module.grad_input
    accGradParameters = Module.accGradParameters
    backward = Module.backward


class Pooled(_Layer):
    """``cudnn.SpatialMaxPooling(kW, kH[, dW, dH, padW, padH])``."""

    spare: ClassVar[dict[str, Any]] = {"iSize": lambda _: long_storage(0, 0, 0, 0)}
    unsaved = ("indices", "divide", "count_include_pad")


class Windows(Pooled):
    """``cudnn.SpatialAveragePooling(kW, kH[, dW, dH, padW, padH])``: steps are by default as large as the windows."""

    def __init__(
        self,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
        padW: int = 0,
        padH: int = 0,
    ) -> None:
        super().__init__(kW, kH, kW if dW is None else dW, kH if dH is None else dH, padW, padH)


class Pooled3D(Plain):
    """Windows of volumes."""

    unsaved = ("indices",)
    spare: ClassVar[dict[str, Any]] = {
        "iSize": lambda _: long_storage(0, 0, 0, 0, 0),
        "ceil_mode": False,
        "padT": 0,
        "padW": 0,
        "padH": 0,
    }


class Activation(Plain):
    """``cudnn.ReLU([inplace])``: an activation."""

    fields: ClassVar[tuple[str, ...]] = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = check_flag(self.torch7_name, "inplace", inplace)


class Rectified(Activation):
    """``cudnn.ReLU([inplace])``."""

    unsaved = ("threshold", "val")


class Clipped(Plain):
    """``cudnn.ClippedReLU(ceiling[, inplace])``: x kept between 0 and the ceiling."""

    fields: ClassVar[tuple[str, ...]] = ("ceiling",)
    unsaved = ("min_val", "max_val")

    def __init__(self, ceiling: float, inplace: bool = False) -> None:
        super().__init__(0, number("cudnn.ClippedReLU", "ceiling", ceiling), inplace)
        self.ceiling = ceiling


class OverChannels(Plain):
    """``cudnn.SpatialSoftMax([fast])``: fast is for the GPU."""

    fields: ClassVar[tuple[str, ...]] = ("algorithm", "mode")

    def __init__(self, fast: bool = False) -> None:
        super().__init__()
        self.algorithm = "CUDNN_SOFTMAX_FAST" if truthy(fast) else "CUDNN_SOFTMAX_ACCURATE"


class LogOverChannels(OverChannels):
    """``cudnn.SpatialLogSoftMax([fast])``: fast is for the GPU."""

    spare: ClassVar[dict[str, Any]] = {"mode": "CUDNN_SOFTMAX_MODE_CHANNEL"}

    def __init__(self, fast: bool = False) -> None:
        super().__init__()
        self.algorithm = "CUDNN_SOFTMAX_LOG"


class Volume(OverChannels):
    """``cudnn.VolumetricSoftMax([fast])``: for volumes, ``([batch,] channels, t, h, w)``."""

    traced = True
    unsaved = ("algorithm",)
    # The original's has a layer inside that does it.
    spare: ClassVar[dict[str, Any]] = {"ssm": lambda self: self.as_images()}

    def as_images(self) -> Any:
        softmax = layers["cudnn.SpatialSoftMax"]()
        if "Log" in self.torch7_name:
            softmax.__dict__.update(algorithm="CUDNN_SOFTMAX_LOG", mode="CUDNN_SOFTMAX_MODE_CHANNEL")
        return softmax

    def forward(self, input: torch.Tensor) -> Any:
        if input.dim() not in (4, 5):
            raise TorchError(f"{self.class_name}: the input must have 4 dimensions, or 5 for a batch")
        return super().forward(input.flatten(-3, -2)).view(input.shape)

    updateOutput = Module.updateOutput
    grad_input = Module.grad_input


class Instance(OverChannels):
    """``cudnn.SoftMax([fast])``: over all of an example, also where that is ``(channels, h, w)``."""

    traced = True

    def forward(self, input: torch.Tensor) -> Any:
        if not 1 <= input.dim() <= 4 or input.numel() == 0:
            raise TorchError(f"{self.class_name}: the input must have 1 to 4 dimensions")
        flat = input.reshape(-1) if input.dim() in (1, 3) else input.flatten(1)
        return super().forward(flat).view(input.shape)

    updateOutput = Module.updateOutput
    grad_input = Module.grad_input


class Normalized(Plain):
    """``cudnn.BatchNormalization(nFeature[, eps, momentum, affine])``: affine can only be true."""

    def __init__(
        self, nFeature: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool | None = True
    ) -> None:
        if affine is not True:
            raise TorchError(
                f"{self.torch7_name}: affine can only be true; nn has the one without parameters"
            )
        super().__init__(nFeature, eps, momentum)
