"""From layers of nn to those of cudnn and back."""

from __future__ import annotations

from typing import Any

from torch7py.nn.object import TorchObject
from torch7py.nn.registry import layers
from torch7py.packages.registry import function

__all__ = ["CONVERTED", "as_layer_of"]

CONVERTED = """BatchNormalization SpatialBatchNormalization SpatialConvolution SpatialCrossMapLRN
    SpatialFullConvolution SpatialMaxPooling SpatialAveragePooling ReLU Tanh Sigmoid SoftMax LogSoftMax
    VolumetricBatchNormalization VolumetricConvolution VolumetricFullConvolution VolumetricMaxPooling
    VolumetricAveragePooling""".split()
_AS = {"nn.SpatialConvolutionMM": "SpatialConvolution"}


@function("cudnn.__converted")
def as_layer_of(module: TorchObject, package: str) -> Any:
    """The layer as that of another package, with the same parameters and gradients, or None if that package has none.

    As in the original an average that comes back from cudnn does not count the padding any more.
    """
    source = "cudnn" if package == "nn" else "nn"
    prefix, _, name = module.class_name.partition(".")
    if prefix == source and name in CONVERTED:
        target = name
    elif module.class_name in _AS:
        target = _AS[module.class_name]
    else:
        return None
    cls = layers.get(f"{package}.{target}")
    if cls is None:
        return None
    converted = cls.__new__(cls)
    TorchObject.__init__(converted)
    for key, value in module.__dict__.items():
        if key not in module.transient and key != "_class_name":
            converted.__dict__[key] = value.copy() if isinstance(value, (dict, set)) else value
    if source == "cudnn" and name == "SpatialAveragePooling":
        converted.set_field("divide", True)
        converted.set_field("count_include_pad", False)
    return converted
