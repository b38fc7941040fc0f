"""Networks of convolutions side by side: Inception, FireModule."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import number, truthy
from torch7py.nn.concat import Concat, DepthConcat
from torch7py.nn.container import Sequential
from torch7py.nn.convolution import SpatialConvolution
from torch7py.nn.decorator import Decorator
from torch7py.nn.normalization import SpatialBatchNormalization
from torch7py.nn.pooling_max import SpatialMaxPooling
from torch7py.nn.rectifier import ReLU
from torch7py.nn.registry import layer, layers
from torch7py.nn.sequence_methods import entry
from torch7py.ops.errors import TorchError
from torch7py.ops.program_output import say

__all__ = ["FireModule", "Inception"]

PROBE = (200, 100)  # height and width of the image by which the columns' output sizes are compared


@layer(
    "nn.Inception",
    package="dpnn",
    keeps_rank=True,
    parts="built",
    takes="tensor",
    gives="tensor",
)
class Inception(Decorator):
    """``nn.Inception{inputSize=..., outputSize={...}, reduceSize={...}, ...}``: convolutions side by side.

    Shapes: ``(batch, inputSize, h, w)`` -> ``(batch, planes, h, w)``, the columns' planes one after the other. For each
    kernel size one column: a 1x1 convolution to reduceSize[i] planes, then one to outputSize[i]. Two more columns
    follow: pooling and a 1x1 convolution, and a 1x1 convolution alone; each has the next entry of reduceSize, and
    without one the convolution, or the column, is left out. A transfer function follows every convolution. Options:
    reduceStride, transfer (``nn.ReLU``), batchNorm, padding (true), kernelSize ``{5, 3}``, kernelStride ``{1, 1}``,
    poolSize 3, poolStride 1, pool (``nn.SpatialMaxPooling``). (Szegedy et al., 2014.)
    """

    fields: ClassVar[tuple[str, ...]] = (
        "inputSize",
        "outputSize",
        "reduceSize",
        "reduceStride",
        "transfer",
        "batchNorm",
        "padding",
        "kernelSize",
        "kernelStride",
        "poolSize",
        "poolStride",
        "pool",
    )

    def __init__(self, config: Mapping[str, Any]) -> None:
        columns = DepthConcat(2)
        super().__init__(columns)
        if not isinstance(config, Mapping):
            raise TorchError("nn.Inception expects a table of named arguments")
        attributes = self.__dict__
        attributes["inputSize"] = number("nn.Inception", "inputSize", config.get("inputSize"))
        for name in ("outputSize", "reduceSize"):
            attributes[name] = config.get(name)
            if not isinstance(attributes[name], (list, dict)):
                raise TorchError(f"nn.Inception: {name} must be a table of numbers")
        attributes["reduceStride"] = config.get("reduceStride") or []
        attributes["transfer"] = config.get("transfer") or ReLU()
        attributes["batchNorm"] = config.get("batchNorm")
        attributes["padding"] = True if config.get("padding") is None else config["padding"]
        attributes["kernelSize"] = config.get("kernelSize") or [5, 3]
        attributes["kernelStride"] = config.get("kernelStride") or [1, 1]
        attributes["poolSize"], attributes["poolStride"] = (
            config.get("poolSize") or 3,
            config.get("poolStride") or 1,
        )
        attributes["pool"] = config.get("pool") or SpatialMaxPooling(
            self.poolSize, self.poolSize, self.poolStride, self.poolStride
        )
        sizes = [self._column(columns, i) for i in range(1, len(self.kernelSize) + 1)]
        if any(size != sizes[0] for size in sizes):
            _warn("")
        self._further_columns(columns, len(self.kernelSize) + 1, sizes[0])

    def _reduction(self, i: int) -> list[Module]:
        """The 1x1 convolution of the i-th column and what follows it; nothing where it has no size."""
        size = entry(self.reduceSize, i)
        if size is None:
            return []
        stride = entry(self.reduceStride, i) or 1
        return self._convolution(self.inputSize, size, 1, stride, None)

    def _convolution(
        self, planes: int, wanted: int, kernel: int, stride: int, pad: int | None
    ) -> list[Module]:
        padding = () if pad is None else (pad,)
        layers: list[Module] = [SpatialConvolution(planes, wanted, kernel, kernel, stride, stride, *padding)]
        if truthy(self.batchNorm):
            layers.append(SpatialBatchNormalization(int(wanted)))
        return [*layers, self.transfer.clone()]

    def _column(self, columns: DepthConcat, i: int) -> list[int]:
        """Add the i-th column; returns what it makes of the probe's height and width."""
        kernel, stride = entry(self.kernelSize, i), entry(self.kernelStride, i)
        wanted, planes = entry(self.outputSize, i), entry(self.reduceSize, i)
        for name, value in (("kernelStride", stride), ("outputSize", wanted), ("reduceSize", planes)):
            number("nn.Inception", f"{name}[{i}]", value)
        pad = math.floor(kernel / 2) if truthy(self.padding) else 0
        reduction = self._reduction(i)
        columns.add(Sequential(*reduction, *self._convolution(planes, wanted, kernel, stride, pad)))
        return [math.floor((size + 2 * pad - kernel) / stride + 1) for size in PROBE]

    def _further_columns(self, columns: DepthConcat, i: int, expected: list[int]) -> None:
        columns.add(Sequential(self.pool, *self._reduction(i)))
        pool = self.pool
        if all(isinstance(getattr(pool, name, None), (int, float)) for name in ("kW", "dW", "padW")):
            axes = zip(PROBE, "HW", strict=True)
            # The height is measured with the width's window: only its margin is its own.
            pooled = [
                math.floor((size + 2 * getattr(pool, "pad" + axis) - pool.kW) / pool.dW + 1)
                for size, axis in axes
            ]
            if pooled != expected:
                _warn(" in pooling")
        if entry(self.reduceSize, i + 1) is not None:
            columns.add(Sequential(*self._reduction(i + 1)))
            stride = entry(self.reduceStride, i + 1) or 1
            if [math.floor((size - 1) / stride + 1) for size in PROBE] != expected:
                _warn(" in 1x1 conv")

    def _check(self, input: torch.Tensor) -> None:
        if not isinstance(input, torch.Tensor) or input.dim() != 4:
            sizes = size_text(input) if isinstance(input, torch.Tensor) else "not a tensor"
            raise TorchError(f"{self.class_name}: the input must be a batch of images, not {sizes}")

    def forward(self, input: torch.Tensor) -> Any:
        self._check(input)
        return super().forward(input)

    def updateOutput(self, input: torch.Tensor) -> Any:
        self._check(input)
        return super().updateOutput(input)


def _warn(where: str) -> None:
    say(f"dpnn.Inception: Warning: Inconsistent output sizes{where}.")


@layer(
    "nn.FireModule",
    package="dpnn",
    keeps_rank=True,
    parts="built",
    takes="tensor",
    gives="tensor",
    example="nInputPlane H W",
)
class FireModule(Decorator):
    """``nn.FireModule(nInputPlane, s1x1, e1x1, e3x3[, activation])``: a 1x1 convolution to s1x1 planes, then 1x1 and
    3x3 convolutions side by side.

    Shapes: ``(batch, nInputPlane, h, w)`` -> ``(batch, e1x1 + e3x3, h, w)``. activation is the name of a class in nn,
    ``'ReLU'`` by default, which follows both. (Iandola et al., 2016.)
    """

    fields: ClassVar[tuple[str, ...]] = (
        "nInputPlane",
        "s1x1",
        "e1x1",
        "e3x3",
        "activation",
        "module",
        "squeeze",
        "expand",
    )

    def __init__(self, nInputPlane: int, s1x1: int, e1x1: int, e3x3: int, activation: str = "ReLU") -> None:
        network = Sequential()
        super().__init__(network)
        attributes = self.__dict__
        attributes.update(nInputPlane=nInputPlane, s1x1=s1x1, e1x1=e1x1, e3x3=e3x3, activation=activation)
        if s1x1 > e1x1 + e3x3:
            say("Warning: <FireModule> s1x1 is recommended to be smaller then e1x1+e3x3")
        make: Callable[[], Any] | None = layers.get(f"nn.{activation}")
        if make is None:
            raise TorchError(f"nn.FireModule: there is no nn.{activation}")
        attributes["module"] = network
        attributes["squeeze"] = SpatialConvolution(nInputPlane, s1x1, 1, 1)
        attributes["expand"] = Concat(2).add(SpatialConvolution(s1x1, e1x1, 1, 1))
        attributes["expand"].add(SpatialConvolution(s1x1, e3x3, 3, 3, 1, 1, 1, 1))
        for part in (self.squeeze, make(), self.expand, make()):
            network.add(part)

    def describe(self) -> str:
        return (
            f"{self.class_name} inputPlanes: {self.nInputPlane} -> Squeeze Planes: {self.s1x1} -> Expand: "
            f"{self.e1x1}(1x1) + {self.e3x3}(3x3), activation: {self.activation}"
        )
