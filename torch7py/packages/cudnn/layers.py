"""The table of cudnn's layers: name, the nn layer that computes it, the parent class, the class of its differences.

The descent is that of the original, where ``torch.isTypeOf(m, 'nn.ReLU')`` is false for a cudnn.ReLU.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import torch7py.nn.all  # noqa: F401  (the layers that there are)
from torch7py.nn.base import Module
from torch7py.nn.registry import layer, layers
from torch7py.packages.cudnn.variants import (
    Activation,
    Clipped,
    Grouped,
    Instance,
    LogOverChannels,
    Modes,
    Normalized,
    OverChannels,
    Padded,
    Plain,
    Pooled,
    Pooled3D,
    Rectified,
    Volume,
    Windows,
)
from torch7py.packages.registry import function

__all__ = ["TWINS", "Twin"]


class Twin(NamedTuple):
    name: str
    twin: str
    parent: str
    behaviour: Any = None


TWINS = (
    Twin("SpatialConvolution", "nn.SpatialConvolution", "nn.SpatialConvolution", Grouped),
    Twin("VolumetricConvolution", "nn.VolumetricConvolution", "nn.VolumetricConvolution", Modes),
    Twin("SpatialFullConvolution", "nn.SpatialFullConvolution", "nn.SpatialFullConvolution", Modes),
    Twin("VolumetricFullConvolution", "nn.VolumetricFullConvolution", "nn.VolumetricFullConvolution", Modes),
    Twin("TemporalConvolution", "nn.TemporalConvolution", "nn.TemporalConvolution", Padded),
    Twin("SpatialMaxPooling", "nn.SpatialMaxPooling", "cudnn._Pooling", Pooled),
    Twin("SpatialAveragePooling", "nn.SpatialAveragePooling", "cudnn._Pooling", Windows),
    Twin("VolumetricMaxPooling", "nn.VolumetricMaxPooling", "cudnn._Pooling3D", Pooled3D),
    Twin("VolumetricAveragePooling", "nn.VolumetricAveragePooling", "cudnn._Pooling3D", Pooled3D),
    Twin("ReLU", "nn.ReLU", "cudnn._Pointwise", Rectified),
    Twin("ClippedReLU", "nn.HardTanh", "cudnn._Pointwise", Clipped),
    Twin("Tanh", "nn.Tanh", "cudnn._Pointwise", Activation),
    Twin("Sigmoid", "nn.Sigmoid", "cudnn._Pointwise", Activation),
    Twin("SpatialSoftMax", "nn.SpatialSoftMax", "nn.Module", OverChannels),
    Twin("SpatialLogSoftMax", "nn.SpatialLogSoftMax", "cudnn.SpatialSoftMax", LogOverChannels),
    Twin("VolumetricSoftMax", "nn.SpatialSoftMax", "nn.Module", Volume),
    Twin("VolumetricLogSoftMax", "nn.SpatialLogSoftMax", "nn.Module", Volume),
    Twin("SoftMax", "nn.SoftMax", "cudnn.SpatialSoftMax", Instance),
    Twin("LogSoftMax", "nn.LogSoftMax", "cudnn.SpatialSoftMax", Instance),
    Twin("SpatialCrossMapLRN", "nn.SpatialCrossMapLRN", "nn.Module", Plain),
    Twin("BatchNormalization", "nn.BatchNormalization", "nn.Module", Normalized),
    Twin("SpatialBatchNormalization", "nn.SpatialBatchNormalization", "cudnn.BatchNormalization", Normalized),
    Twin(
        "VolumetricBatchNormalization",
        "nn.VolumetricBatchNormalization",
        "cudnn.BatchNormalization",
        Normalized,
    ),
)

MISSING = {"SpatialDivisiveNormalization": "nn.SpatialDivisiveNormalization divides by other numbers"}


def _register(row: Twin) -> None:
    key = f"cudnn.{row.name}"
    base = layers.get(row.twin)
    if base is None:
        MISSING[row.name] = f"{row.twin}, which it is, is not supported yet"
        return
    bases = (base,) if row.behaviour is None else (row.behaviour, base)
    attributes: dict[str, Any] = {"__module__": __name__, "__doc__": _documentation(row, base)}
    if row.behaviour is Normalized:
        attributes["version"] = 2
    _publish(layer(key)(type(row.name, bases, attributes | {"torch7_parent": row.parent})))


def _documentation(row: Twin, base: type[Any]) -> str:
    """The docstring of a layer: its signature, the nn layer that it is, and its differences."""
    texts = [(row.behaviour.__doc__ or "").strip() if row.behaviour else "", base.__doc__ or ""]
    signatures = [
        match for text in texts if (match := re.match(r"``\w+\.\w+(\(.*?\))``[:;.]?\s*", text, re.S))
    ]
    text = f"``cudnn.{row.name}{signatures[0][1]}``: ``{row.twin}``, whose shapes it has"
    added = texts[0].removeprefix(signatures[0][0])
    return f"{text}{'. ' if added[:1].isupper() else '; '}{added}" if added else f"{text}."


def _publish(cls: type[Any]) -> None:
    """Make a class an attribute of this module, where pickle looks for it."""
    globals()[cls.__name__] = cls


for _base in ("_Pointwise", "_Pooling", "_Pooling3D"):
    _attributes = {
        "__module__": __name__,
        "__doc__": f"``cudnn.{_base}()``: a base of classes, for ``torch.isTypeOf``.",
    }
    _publish(layer(f"cudnn.{_base}")(type(_base, (Module,), _attributes)))
for _row in TWINS:
    _register(_row)


@function("cudnn.__missing")
def missing() -> dict[str, str]:
    """The layers that cannot be made, and why."""
    return MISSING
