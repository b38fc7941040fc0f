"""The functions that layers of the original called for their work, ``SoftMax_updateOutput`` and its like: a line each.

Old programs call them directly, on tensors of their own. Here they are the layers turned round: each call makes a layer
without parameters of its own, gives it the fields that the arguments stand for, and writes what it computes into the
tensors named for that. So the maths stays where it is, in the layer.

A line names the parameters in order:

=============  ===========================================================================================
``input``      a tensor: what the layer's method takes (input, target, gradOutput), or a field of the layer
``>output``    a tensor that takes a result, or the field of that name, after the call
``kW#``        a number or a boolean: a field, or ``scale``
``target@``    a tensor of indices, a LongTensor (with CUDA any type of CUDA)
``bias?``      may be nil
``~finput``    working memory of the original's, which is left alone
=============  ===========================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from torch7py.nn.base import Criterion
from torch7py.nn.registry import layers
from torch7py.nn.window import Windowed
from torch7py.ops import memory, types
from torch7py.ops.errors import TorchError

__all__ = ["call_kernel", "kernels"]

ENLARGED = ("batch", "planes", "height", "width")  # the sizes of an input that is not given
ROLES = ("input", "target", "gradOutput", "scale")  # what a method takes; all else are fields
Derive = Callable[[Any, dict[str, Any]], None]


@dataclass(frozen=True)
class Parameter:
    name: str
    mark: str  # the one before the name
    kind: str  # the one after it


@dataclass(frozen=True)
class Kernel:
    """One function: the layer, the method of it, and the parameters."""

    layer: str
    method: str
    parameters: tuple[Parameter, ...]
    derive: Derive | None


kernels: dict[str, Kernel] = {}


def _line(name: str, parameters: str, layer: str | None = None, derive: Derive | None = None) -> None:
    stem, _, method = name.partition("_")
    if name in kernels:
        raise ValueError(f"there are two lines for {name}")
    fields = [
        Parameter(
            word.strip(">~#@?"), word[0] if word[0] in ">~" else "", word[-1] if word[-1] in "#@?" else ""
        )
        for word in parameters.split()
    ]
    kernels[name] = Kernel(layer or f"nn.{stem}", method, tuple(fields), derive)


# What a layer knows from its constructor and the function from the sizes of the tensors.


def _planes(layer: Any, arguments: dict[str, Any]) -> None:
    """The planes of a convolution; a function that adds to the gradients is given those alone."""
    weight = _weight(layer, arguments)
    layer.nOutputPlane = weight.shape[0]
    layer.nInputPlane = _share(layer, weight, weight.shape[0] * math.prod(layer.along("k")))


def _planes_of_full(layer: Any, arguments: dict[str, Any]) -> None:
    weight = _weight(layer, arguments)
    layer.nInputPlane = weight.shape[0]
    layer.nOutputPlane = _share(layer, weight, weight.shape[0] * math.prod(layer.along("k")))


def _frames(layer: Any, arguments: dict[str, Any]) -> None:
    weight = _weight(layer, arguments)
    layer.outputFrameSize = weight.shape[0]
    layer.inputFrameSize = _share(layer, weight, weight.shape[0] * int(layer.kW))


def _one_a_plane(layer: Any, arguments: dict[str, Any]) -> None:
    weight = _weight(layer, arguments)
    layer.nInputPlane = layer.inputFrameSize = len(weight)
    if layer.bias is None:  # it is no part of any gradient
        layer.set_field("bias", weight)


def _share(layer: Any, weight: torch.Tensor, part: int) -> int:
    if part < 1 or weight.numel() % part:
        raise TorchError(
            f"{layer.class_name}: a weight of {weight.numel()} elements does not fit the kernel's size"
        )
    return weight.numel() // part


def _weight(layer: Any, arguments: dict[str, Any]) -> torch.Tensor:
    """The weight; where only gradients are given, these stand for the parameters, of which the sizes count alone."""
    for name, gradient in (("weight", "gradWeight"), ("bias", "gradBias")):
        if name not in arguments and arguments.get(gradient) is not None:
            layer.set_field(name, arguments[gradient])
    weight: torch.Tensor = layer.weight
    return weight


def _windows_of_map(layer: Any, arguments: dict[str, Any]) -> None:
    layer.kH, layer.kW = _weight(layer, arguments).shape[-2:]
    if layer.connTable.numel() and int(layer.connTable.min()) < 1:
        raise TorchError(f"{layer.class_name}: planes are counted from 1")


def _enlarged(layer: Any, arguments: dict[str, Any]) -> None:
    """The input of an enlargement, of which the sizes count alone."""
    sizes = [int(arguments.pop(name)) for name in ENLARGED]
    arguments["input"] = arguments["gradOutput"].new_zeros(1).expand(sizes)


def _criterion_weights(layer: Any, arguments: dict[str, Any]) -> None:
    """Weights that there are as many of as elements, in the target's shape."""
    weights, target = arguments["weights"], arguments["target"]
    if weights is not None:
        layer.set_field("weights", memory.fit(target, weights))


def _features(layer: Any, arguments: dict[str, Any]) -> None:
    """The layer for inputs of any rank, and for the backward the statistics of the forward, which are given."""
    input = arguments["input"]
    if input.dim() < 2 or (layer.training and len(input) == 1):
        raise TorchError(f"{layer.class_name}: a batch is needed, in training of two examples or more")
    layer.__dict__["dims"] = input.dim()
    _weight(layer, arguments)
    layer.affine = layer.weight is not None
    if "gradInput" in arguments and arguments["gradInput"] is None:
        layer.gradInput = None
    for name in ("save_mean", "save_std") if not layer.training else ():
        layer.keep(name, arguments[name])  # in evaluation they stay as they are


def _parts(layer: Any, arguments: dict[str, Any]) -> None:
    layer.H, layer.W = arguments["gradOutput"].shape[-2:]


def call_kernel(name: str, *arguments: Any) -> None:
    """Call a function by its name. All tensors but those of indices must be of one type."""
    kernel = kernels.get(name)
    if kernel is None:
        raise TorchError(f"THNN.{name} is not supported")
    parameters = kernel.parameters
    if len(arguments) > len(parameters):
        names = ", ".join(p.name for p in parameters)
        raise TorchError(f"THNN.{name} takes {len(parameters)} arguments ({names}), not {len(arguments)}")
    type_name = _type_of(name, parameters, arguments)
    values_by_name: dict[str, Any] = {}
    for number, parameter in enumerate(parameters):
        value = arguments[number] if number < len(arguments) else None
        _check(f"THNN.{name}: argument {number + 1} ({parameter.name})", parameter, value, type_name)
        if parameter.mark != "~":
            values_by_name[parameter.name] = value
    layer = _layer(kernel, values_by_name, type_name)
    values = [values_by_name[role] for role in ROLES if role in values_by_name]
    getattr(layer, kernel.method)(*values)
    for parameter in parameters:
        result = layer.get_field(parameter.name) if parameter.mark == ">" else None
        if result is not None:
            _write(values_by_name[parameter.name], result, values)


def _type_of(name: str, parameters: tuple[Parameter, ...], arguments: tuple[Any, ...]) -> str:
    """The type that the first tensor of numbers has."""
    for parameter, value in zip(parameters, arguments, strict=False):
        if isinstance(value, torch.Tensor) and parameter.kind != "@":
            if not types.of(value).is_floating:
                raise TorchError(f"THNN.{name} is not for a {types.of(value).tensor}")
            return types.of(value).tensor
    raise TorchError(f"THNN.{name}: no argument is the cdata of a tensor")


def _check(what: str, parameter: Parameter, value: Any, type_name: str) -> None:
    if parameter.kind == "#":
        if not isinstance(value, (bool, int, float)):
            raise TorchError(f"{what} must be a number or a boolean")
        return
    if parameter.mark == "~" or (value is None and parameter.kind == "?"):
        return
    if not isinstance(value, torch.Tensor):
        raise TorchError(f"{what} must be the cdata of a tensor")
    actual, wanted = types.of(value), "torch.LongTensor" if parameter.kind == "@" else type_name
    if actual.tensor == wanted:
        return
    if parameter.kind == "@" and actual.is_cuda and type_name.startswith("torch.Cuda"):
        return
    raise TorchError(f"{what} must be of a {wanted}, not a {actual.tensor}")


def _layer(kernel: Kernel, arguments: dict[str, Any], type_name: str) -> Any:
    """A layer with the fields that are given."""
    cls: Any = layers[kernel.layer]
    layer = cls() if issubclass(cls, Criterion) else cls.blank()
    layer.__dict__["_type"] = type_name
    written = {p.name for p in kernel.parameters if p.mark == ">"}
    for field, value in arguments.items():
        if field not in (*ROLES, *ENLARGED) and field not in written:
            layer.set_field(field, value)
    if kernel.derive is not None:
        kernel.derive(layer, arguments)
    if isinstance(layer, Windowed):
        layer.check_window()
    return layer


def _write(out: torch.Tensor, result: Any, values: list[Any]) -> None:
    """Put a result into a tensor; it becomes the input, or the gradient above, where these were overwritten."""
    if not isinstance(result, torch.Tensor):
        memory.resize(out, (1,))
        out.fill_(result)
    elif any(isinstance(v, torch.Tensor) and v.data_ptr() == result.data_ptr() for v in values):
        memory.share(out, result)
    else:
        memory.write(out, result)


# -- functions of each element ---------------------------------------------------------------------------

_line("Abs_updateOutput", "input >output")
_line("Abs_updateGradInput", "input gradOutput >gradInput")
_line("ELU_updateOutput", "input >output alpha# inplace#")
_line("ELU_updateGradInput", "input gradOutput >gradInput output alpha# inplace#")
_line("GatedLinear_updateOutput", "input >output dim#", "nn.GatedLinearUnit")
_line("GatedLinear_updateGradInput", "input gradOutput >gradInput dim#", "nn.GatedLinearUnit")
_line("HardShrink_updateOutput", "input >output lambda#")
_line("HardShrink_updateGradInput", "input gradOutput >gradInput lambda#")
_line("HardTanh_updateOutput", "input >output min_val# max_val# inplace#")
_line("HardTanh_updateGradInput", "input gradOutput >gradInput min_val# max_val# inplace#")
_line("LeakyReLU_updateOutput", "input >output negval# inplace#")
_line("LeakyReLU_updateGradInput", "input gradOutput >gradInput negval# inplace#")
_line("LogSigmoid_updateOutput", "input >output ~buffer")
_line("LogSigmoid_updateGradInput", "input gradOutput >gradInput ~buffer")
_line("PReLU_updateOutput", "input >output weight nOutputPlane#")
_line("PReLU_updateGradInput", "input gradOutput >gradInput weight nOutputPlane#")
_line(
    "PReLU_accGradParameters",
    "input gradOutput ~gradInput weight gradWeight ~gradWeightBuf ~gradWeightBuf2 nOutputPlane# scale#",
)
_line("Sigmoid_updateOutput", "input >output")
_line("Sigmoid_updateGradInput", "input gradOutput >gradInput output")
_line("SoftPlus_updateOutput", "input >output beta# threshold#")
_line("SoftPlus_updateGradInput", "input gradOutput >gradInput output beta# threshold#")
_line("SoftShrink_updateOutput", "input >output lambda#")
_line("SoftShrink_updateGradInput", "input gradOutput >gradInput lambda#")
_line("Sqrt_updateOutput", "input >output eps#")
_line("Sqrt_updateGradInput", "input gradOutput >gradInput output")
_line("Square_updateOutput", "input >output")
_line("Square_updateGradInput", "input gradOutput >gradInput")
_line("Tanh_updateOutput", "input >output")
_line("Tanh_updateGradInput", "input gradOutput >gradInput output")
_line("Threshold_updateOutput", "input >output threshold# val# inplace#")
_line("Threshold_updateGradInput", "input gradOutput >gradInput threshold# val# inplace#")

# -- softmax, linear maps, tables ------------------------------------------------------------------------

_line("SoftMax_updateOutput", "input >output")
_line("SoftMax_updateGradInput", "input gradOutput >gradInput output")
_line("LogSoftMax_updateOutput", "input >output")
_line("LogSoftMax_updateGradInput", "input gradOutput >gradInput output")
_line("Linear_updateOutput", "input >output weight bias? ~addBuffer")
_line("Linear_updateGradInput", "input gradOutput >gradInput weight")
_line(
    "Linear_accGradParameters",
    "input gradOutput ~gradInput weight bias? gradWeight gradBias? ~addBuffer scale#",
)
_line(
    "LookupTable_accGradParameters",
    "input@ gradOutput gradWeight ~count ~sorted ~indices shouldScaleGradByFreq# paddingValue# scale#",
    derive=lambda layer, arguments: layer.set_field("weight", arguments["gradWeight"]),
)
_line("LookupTable_renorm", "input@ weight maxNorm# normType#")

_line(
    "BatchNormalization_updateOutput",
    "input >output weight? bias? running_mean running_var >save_mean >save_std train# momentum# eps#",
    derive=_features,
)
_line(
    "BatchNormalization_backward",
    "input gradOutput >gradInput? gradWeight? gradBias? weight? running_mean running_var save_mean save_std train# "
    "scale# eps#",
    derive=_features,
)

# -- criterions ------------------------------------------------------------------------------------------

for _name in (
    "AbsCriterion",
    "DistKLDivCriterion",
    "MSECriterion",
    "SmoothL1Criterion",
    "SoftMarginCriterion",
):
    _line(f"{_name}_updateOutput", "input target >output sizeAverage#")
    _line(f"{_name}_updateGradInput", "input target >gradInput sizeAverage#")
_line("BCECriterion_updateOutput", "input target >output sizeAverage# weights?", derive=_criterion_weights)
_line(
    "BCECriterion_updateGradInput", "input target >gradInput sizeAverage# weights?", derive=_criterion_weights
)
_line("MarginCriterion_updateOutput", "input target >output sizeAverage# margin#")
_line("MarginCriterion_updateGradInput", "input target >gradInput sizeAverage# margin#")
_line("L1Cost_updateOutput", "input >output")
_line("L1Cost_updateGradInput", "input ~gradOutput >gradInput")
_line(
    "ClassNLLCriterion_updateOutput",
    "input target@ >output sizeAverage# weights? >total_weight_tensor ignoreIndex#",
)
_line(
    "ClassNLLCriterion_updateGradInput",
    "input target@ >gradInput sizeAverage# weights? total_weight_tensor ignoreIndex#",
)
_line(
    "SpatialClassNLLCriterion_updateOutput",
    "input target@ >output sizeAverage# weights? >total_weight_tensor",
)
_line(
    "SpatialClassNLLCriterion_updateGradInput",
    "input target@ >gradInput sizeAverage# weights? total_weight_tensor",
)
_line("MultiLabelMarginCriterion_updateOutput", "input target@ >output ~isTarget sizeAverage#")
_line("MultiLabelMarginCriterion_updateGradInput", "input target@ >gradInput ~isTarget sizeAverage#")
_line("MultiMarginCriterion_updateOutput", "input target@ >output sizeAverage# p# weights? margin#")
_line("MultiMarginCriterion_updateGradInput", "input target@ >gradInput sizeAverage# p# weights? margin#")

# -- images and sequences --------------------------------------------------------------------------------

_WINDOW = "kW# kH# dW# dH# padW# padH#"
for _name, _further, _planes_from in (
    ("SpatialConvolutionMM", "", _planes),
    ("SpatialDilatedConvolution", " dilationW# dilationH#", _planes),
    ("SpatialFullConvolution", " adjW# adjH#", _planes_of_full),
):
    _window = _WINDOW + _further
    _line(
        f"{_name}_updateOutput",
        f"input >output weight bias? ~finput ~fgradInput {_window}",
        derive=_planes_from,
    )
    _buffers = "~finput ~fgradInput" if _name == "SpatialConvolutionMM" else "~finput"
    _line(
        f"{_name}_updateGradInput",
        f"input gradOutput >gradInput weight {_buffers} {_window}",
        derive=_planes_from,
    )
    _line(
        f"{_name}_accGradParameters",
        f"input gradOutput gradWeight gradBias? ~finput ~fgradInput {_window} scale#",
        derive=_planes_from,
    )
_line("SpatialMaxPooling_updateOutput", f"input >output >indices@ {_WINDOW} ceil_mode#")
_line("SpatialMaxPooling_updateGradInput", f"input gradOutput >gradInput indices@ {_WINDOW} ceil_mode#")
_line(
    "SpatialDilatedMaxPooling_updateOutput",
    f"input >output >indices@ {_WINDOW} dilationW# dilationH# ceil_mode#",
)
_line(
    "SpatialDilatedMaxPooling_updateGradInput",
    f"input gradOutput >gradInput indices@ {_WINDOW} dilationW# dilationH# ceil_mode#",
)


def _divide(layer: Any, arguments: dict[str, Any]) -> None:
    layer.divide = True


_line(
    "SpatialAveragePooling_updateOutput",
    f"input >output {_WINDOW} ceil_mode# count_include_pad#",
    derive=_divide,
)
_line(
    "SpatialAveragePooling_updateGradInput",
    f"input gradOutput >gradInput {_WINDOW} ceil_mode# count_include_pad#",
    derive=_divide,
)
_line("SpatialAdaptiveMaxPooling_updateOutput", "input >output >indices@ W# H#")
_line("SpatialAdaptiveMaxPooling_updateGradInput", "input gradOutput >gradInput indices@", derive=_parts)
_line("SpatialAdaptiveAveragePooling_updateOutput", "input >output W# H#")
_line("SpatialAdaptiveAveragePooling_updateGradInput", "input gradOutput >gradInput", derive=_parts)
_line("SpatialSubSampling_updateOutput", "input >output weight bias kW# kH# dW# dH#", derive=_one_a_plane)
_line(
    "SpatialSubSampling_updateGradInput",
    "input gradOutput >gradInput weight kW# kH# dW# dH#",
    derive=_one_a_plane,
)
_line(
    "SpatialSubSampling_accGradParameters",
    "input gradOutput gradWeight gradBias kW# kH# dW# dH# scale#",
    derive=_one_a_plane,
)
_MAP = "connTable nInputPlane# nOutputPlane# dW# dH#"
_line("SpatialConvolutionMap_updateOutput", f"input >output weight bias {_MAP}", derive=_windows_of_map)
_line(
    "SpatialConvolutionMap_updateGradInput",
    f"input gradOutput >gradInput weight bias {_MAP}",
    derive=_windows_of_map,
)
_line(
    "SpatialConvolutionMap_accGradParameters",
    f"input gradOutput gradWeight gradBias {_MAP} scale#",
    derive=_windows_of_map,
)
_line("SpatialUpSamplingNearest_updateOutput", "input >output scale_factor#")
_line("SpatialUpSamplingNearest_updateGradInput", "input gradOutput >gradInput scale_factor#")
_line("SpatialUpSamplingBilinear_updateOutput", "input >output oheight# owidth#")
_line(
    "SpatialUpSamplingBilinear_updateGradInput",
    "gradOutput >gradInput batch# planes# height# width# oheight# owidth#",
    derive=_enlarged,
)
for _name in ("SpatialReflectionPadding", "SpatialReplicationPadding"):
    _line(f"{_name}_updateOutput", "input >output pad_l# pad_r# pad_t# pad_b#")
    _line(f"{_name}_updateGradInput", "input gradOutput >gradInput pad_l# pad_r# pad_t# pad_b#")
_line(
    "TemporalConvolution_updateOutput",
    "input >output weight bias kW# dW# inputFrameSize# outputFrameSize#",
    derive=_frames,
)
_line("TemporalConvolution_updateGradInput", "input gradOutput >gradInput weight kW# dW#", derive=_frames)
_line(
    "TemporalConvolution_accGradParameters",
    "input gradOutput gradWeight gradBias kW# dW# scale#",
    derive=_frames,
)
_line("TemporalMaxPooling_updateOutput", "input >output >indices@ kW# dW#")
_line("TemporalMaxPooling_updateGradInput", "input gradOutput >gradInput indices@ kW# dW#")
_line(
    "TemporalSubSampling_updateOutput",
    "input >output weight bias kW# dW# inputFrameSize#",
    derive=_one_a_plane,
)
_line(
    "TemporalSubSampling_updateGradInput",
    "input gradOutput >gradInput weight kW# dW#",
    derive=_one_a_plane,
)
_line(
    "TemporalSubSampling_accGradParameters",
    "input gradOutput gradWeight gradBias kW# dW# scale#",
    derive=_one_a_plane,
)
