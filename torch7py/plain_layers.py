"""A model without what Torch7 needs of it: parameters in memory of their own, torch.nn's layers where there are such.

After ``getParameters()`` all parameters are views of one flat tensor, which safetensors and tools built on it refuse to
save; and a layer of Torch7 keeps a gradient buffer beside each. ``detach`` makes a copy for PyTorch's tools.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch

from torch7py.nn import (
    activation,
    container,
    convolution,
    convolution_full,
    linear,
    normalization,
    pooling_average,
    pooling_max,
    rectifier,
)
from torch7py.nn.copying import separate_memo
from torch7py.nn.object import TorchObject
from torch7py.ops.errors import TorchError

__all__ = ["detach"]

Maker = Callable[[Any], torch.nn.Module | None]


def _linear(layer: Any) -> torch.nn.Module:
    outputs, inputs = layer.weight.shape
    return torch.nn.Linear(inputs, outputs, layer.bias is not None)


def _convolution(kind: type[torch.nn.Module]) -> Maker:
    def make(layer: Any) -> torch.nn.Module | None:
        if layer.weight is None or layer.weight.dim() != len(layer.grid) + 2:
            return None
        window = layer.window()
        return kind(
            int(layer.nInputPlane),
            int(layer.nOutputPlane),
            tuple(window.kernel),
            tuple(window.step),
            tuple(window.pad),
            dilation=tuple(window.dilation),
            bias=layer.bias is not None,
        )

    return make


def _full_convolution(kind: type[torch.nn.Module]) -> Maker:
    def make(layer: Any) -> torch.nn.Module:
        window = layer.window()
        return kind(
            int(layer.nInputPlane),
            int(layer.nOutputPlane),
            tuple(window.kernel),
            tuple(window.step),
            tuple(window.pad),
            layer.along("adj"),
            bias=layer.bias is not None,
        )

    return make


def _max_pooling(kind: type[torch.nn.Module]) -> Maker:
    def make(layer: Any) -> torch.nn.Module | None:
        window = layer.window()
        fits = all(2 * pad <= kernel for pad, kernel in zip(window.pad, window.kernel, strict=True))
        if not fits or "_unpooled" in layer.__dict__:
            return None
        return kind(
            tuple(window.kernel),
            tuple(window.step),
            tuple(window.pad),
            dilation=tuple(window.dilation),
            ceil_mode=bool(layer.ceil_mode),
        )

    return make


def _average_pooling(layer: Any) -> torch.nn.Module | None:
    window = layer.window()
    if not layer.divide:
        return None
    counts = bool(layer.count_include_pad)
    return torch.nn.AvgPool2d(
        tuple(window.kernel), tuple(window.step), tuple(window.pad), bool(layer.ceil_mode), counts
    )


def _normalization(kind: type[torch.nn.Module]) -> Maker:
    def make(layer: Any) -> torch.nn.Module | None:
        if layer.get_field("running_var") is None:
            return None
        return kind(layer.running_mean.numel(), layer.eps, layer.momentum, layer.weight is not None)

    return make


def _rectifier(layer: Any) -> torch.nn.Module:
    if layer.threshold == layer.val == 0:
        return torch.nn.ReLU()
    return torch.nn.Threshold(layer.threshold, layer.val)


# The layers of which torch.nn has the same, by their very class. Outputs in place are new tensors in either.
SAME: dict[type, Maker] = {
    linear.Linear: _linear,
    activation.Tanh: lambda layer: torch.nn.Tanh(),
    activation.Sigmoid: lambda layer: torch.nn.Sigmoid(),
    activation.LogSigmoid: lambda layer: torch.nn.LogSigmoid(),
    activation.SoftSign: lambda layer: torch.nn.Softsign(),
    activation.SoftPlus: lambda layer: torch.nn.Softplus(layer.beta, layer.threshold),
    activation.HardTanh: lambda layer: torch.nn.Hardtanh(layer.min_val, layer.max_val),
    rectifier.Threshold: _rectifier,
    rectifier.ReLU: _rectifier,
    rectifier.ReLU6: lambda layer: torch.nn.ReLU6(),
    rectifier.ELU: lambda layer: torch.nn.ELU(layer.alpha),
    rectifier.LeakyReLU: lambda layer: torch.nn.LeakyReLU(layer.negval),
    convolution.SpatialConvolution: _convolution(torch.nn.Conv2d),
    convolution.SpatialDilatedConvolution: _convolution(torch.nn.Conv2d),
    convolution.VolumetricConvolution: _convolution(torch.nn.Conv3d),
    convolution_full.SpatialFullConvolution: _full_convolution(torch.nn.ConvTranspose2d),
    pooling_max.SpatialMaxPooling: _max_pooling(torch.nn.MaxPool2d),
    pooling_max.VolumetricMaxPooling: _max_pooling(torch.nn.MaxPool3d),
    pooling_average.SpatialAveragePooling: _average_pooling,
    normalization.BatchNormalization: _normalization(torch.nn.BatchNorm1d),
    normalization.SpatialBatchNormalization: _normalization(torch.nn.BatchNorm2d),
    normalization.VolumetricBatchNormalization: _normalization(torch.nn.BatchNorm3d),
}


def detach(model: torch.nn.Module) -> torch.nn.Module:
    """A copy of a model for PyTorch's own tools, such as safetensors and accelerate.

    Its parameters and buffers lie in memory of their own; weights that layers share stay one ``Parameter``. A
    ``Sequential`` becomes ``torch.nn.Sequential`` and the layers in it torch.nn's where these compute the same; the
    others, and all within other containers, stay layers of this package. The names in a ``state_dict`` are those of the
    model; a batch normalization of torch.nn's adds its ``num_batches_tracked``. torch.nn's layers
    have no gradients yet. The model itself stays as it is.
    """
    if not isinstance(model, torch.nn.Module):
        raise TorchError(f"detach expects a model, not {type(model).__name__}")
    memo = separate_memo()
    with torch.no_grad():
        for _ in model.parameters():  # those on the same memory are one from here on
            pass
        copied: torch.nn.Module = copy.deepcopy(model, memo)
    kept = {id(memo[id(part)]) for part in model.modules() if id(part) in memo and _is_changed(part)}
    done: dict[int, torch.nn.Module] = {}

    def plain(module: torch.nn.Module) -> torch.nn.Module:
        plain = done.get(id(module))
        if plain is None:
            plain = done[id(module)] = module if id(module) in kept else replaced(module)
        return plain

    def replaced(module: torch.nn.Module) -> torch.nn.Module:
        if type(module) is container.Sequential:
            children: list[Any] = list(module._modules.values())
            return _take_over(torch.nn.Sequential(*map(plain, children)), module)
        if not isinstance(module, TorchObject):  # a class of the user's: what it holds may be replaced
            for name, child in list(module._modules.items()):
                if child is not None:
                    module._modules[name] = plain(child)
            return module
        make = SAME.get(type(module))
        with torch.device("meta"):  # no memory, and no random numbers
            replacement = None if make is None else make(module)
        return module if replacement is None else _take_over(replacement, module)

    return plain(copied)


def _is_changed(module: torch.nn.Module) -> bool:
    """Whether a program has put methods of its own over a layer's."""
    return "_marked" in module.__dict__ or "_elsewhere" in module.__dict__


def _take_over(plain: torch.nn.Module, layer: torch.nn.Module) -> torch.nn.Module:
    """Give torch.nn's layer the parameters, the mode and the hooks of the layer that it stands for."""
    for name, parameter in layer._parameters.items():
        if parameter is not None:
            parameter.grad = None
            parameter.__dict__.pop("torch7_gradient", None)
        plain._parameters[name] = parameter
    for name, buffer in layer._buffers.items():
        if name in plain._buffers:
            plain._buffers[name] = buffer
    if "num_batches_tracked" in plain._buffers:
        plain._buffers["num_batches_tracked"] = torch.zeros((), dtype=torch.int64)
    for name in plain.__dict__:
        if "hook" in name:
            plain.__dict__[name] = layer.__dict__[name]
    plain.training = layer.training
    return plain
