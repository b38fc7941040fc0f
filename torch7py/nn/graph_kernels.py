"""Kernels for the commonest modules of a graph, without the cost of the modules' own calls.

A graph of small modules, such as a step of an LSTM, spends as much time in calls as in arithmetic. These kernels do
what the modules' ``updateOutput`` and ``updateGradInput`` do in the usual case: matrices of one type and of the sizes
of the last call, with results in the memory of the last ones. In any other case they return None, and the module is
called. A training step of bench's char_rnn takes half the time with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch7py.nn.activation import Identity, Sigmoid, Tanh
from torch7py.nn.linear import Linear
from torch7py.nn.shape import Reshape
from torch7py.nn.softmax import LogSoftMax
from torch7py.nn.table import SplitTable
from torch7py.nn.table_math import CAddTable, CMulTable
from torch7py.ops.hyperbolic import tanh

__all__ = ["ACCUMULATE", "BACKWARD", "FORWARD", "READERS", "lend"]

Tensor = torch.Tensor

# By exact class: (module, input) -> output, (module, input, gradOutput) -> gradInput, and
# (module, input, gradOutput, scale) -> whether the parameters' gradients have been added.
FORWARD: dict[type, Callable[[Any, Any], Any]] = {}
BACKWARD: dict[type, Callable[[Any, Any, Any], Any]] = {}
ACCUMULATE: dict[type, Callable[[Any, Any, Any, float], bool]] = {}


def _room(attributes: dict[str, Any], name: str, like: Tensor) -> Tensor | None:
    """The module's tensor of this name if a result of this size and type fits into its memory."""
    held = attributes[name]
    if (
        held is attributes["_own"].get(name)
        and held is not None
        and held.shape == like.shape
        and held.dtype is like.dtype
        and held.is_contiguous()
    ):
        return held
    return None


def _pair(x: Any) -> tuple[Tensor, Tensor] | None:
    """The tensors of a table of two, if they have one size and type."""
    if x.__class__ is not list or len(x) != 2:
        return None
    a, b = x
    if a.__class__ is Tensor and b.__class__ is Tensor and a.shape == b.shape and a.dtype is b.dtype:
        return a, b
    return None


def _rooms(attributes: dict[str, Any], like: Tensor) -> tuple[Tensor, Tensor] | None:
    """The two tensors of ``gradInput`` if results of this size and type fit."""
    held = attributes["gradInput"]
    if held.__class__ is not list or len(held) != 2:
        return None
    a, b = held
    if (
        a.__class__ is Tensor
        and b.__class__ is Tensor
        and a.shape == like.shape == b.shape
        and a.dtype is like.dtype is b.dtype
        and a.is_contiguous()
        and b.is_contiguous()
    ):
        return a, b
    return None


def _identity(module: Any, x: Any) -> Any:
    module.__dict__["output"] = x
    return x


def _identity_back(module: Any, x: Any, gradient: Any) -> Any:
    module.__dict__["gradInput"] = gradient
    return gradient


def _sigmoid(module: Any, x: Any) -> Any:
    if x.__class__ is not Tensor:
        return None
    room = _room(module.__dict__, "output", x)
    return None if room is None else torch.sigmoid(x, out=room)


def _tanh(module: Any, x: Any) -> Any:
    if x.__class__ is not Tensor:
        return None
    room = _room(module.__dict__, "output", x)
    return None if room is None else tanh(x, out=room)


_log_softmax_into = torch.ops.aten._log_softmax.out
_of_log_softmax = torch.ops.aten._log_softmax_backward_data.out


def _log_softmax(module: Any, x: Any) -> Any:
    if x.__class__ is not Tensor or x.dim() != 2 or not x.is_contiguous():
        return None
    room = _room(module.__dict__, "output", x)
    return None if room is None else _log_softmax_into(x, 1, False, out=room)


def _log_softmax_back(module: Any, x: Any, gradient: Any) -> Any:
    attributes = module.__dict__
    y = attributes["output"]
    if (
        gradient.__class__ is not Tensor
        or y.dim() != 2
        or y.shape != gradient.shape
        or y.dtype is not gradient.dtype
    ):
        return None
    room = _room(attributes, "gradInput", gradient)
    return None if room is None else _of_log_softmax(gradient, y, 1, y.dtype, out=room)


_of_sigmoid = torch.ops.aten.sigmoid_backward.grad_input
_of_tanh = torch.ops.aten.tanh_backward.grad_input


def _sigmoid_back(module: Any, x: Any, gradient: Any) -> Any:
    attributes = module.__dict__
    y = attributes["output"]
    if gradient.__class__ is not Tensor or y.shape != gradient.shape or y.dtype is not gradient.dtype:
        return None
    room = _room(attributes, "gradInput", gradient)
    return None if room is None else _of_sigmoid(gradient, y, grad_input=room)


def _tanh_back(module: Any, x: Any, gradient: Any) -> Any:
    attributes = module.__dict__
    y = attributes["output"]
    if gradient.__class__ is not Tensor or y.shape != gradient.shape or y.dtype is not gradient.dtype:
        return None
    room = _room(attributes, "gradInput", gradient)
    return None if room is None else _of_tanh(gradient, y, grad_input=room)


def _add(module: Any, x: Any) -> Any:
    attributes = module.__dict__
    pair = _pair(x)
    if pair is None or attributes.get("inplace"):
        return None
    room = _room(attributes, "output", pair[0])
    return None if room is None else torch.add(pair[0], pair[1], out=room)


def _add_back(module: Any, x: Any, gradient: Any) -> Any:
    attributes = module.__dict__
    if gradient.__class__ is not Tensor or attributes.get("inplace"):
        return None
    pair, rooms = _pair(x), _rooms(attributes, gradient)
    if pair is None or rooms is None or pair[0].shape != gradient.shape:
        return None
    if attributes.pop("_lent", False):  # what is in there is not the module's own
        for room in rooms:
            room.data = gradient.clone()
    else:
        for room in rooms:
            room.copy_(gradient)
    return attributes["gradInput"]


def lend(module: Any, x: Any, gradient: Any) -> Any:
    """The gradient of a CAddTable whose two sources only read it: gradOutput itself, without a copy."""
    attributes = module.__dict__
    if gradient.__class__ is not Tensor or attributes.get("inplace"):
        return None
    pair, rooms = _pair(x), _rooms(attributes, gradient)
    if pair is None or rooms is None or pair[0].shape != gradient.shape:
        return None
    for room in rooms:
        room.data = gradient
    attributes["_lent"] = True
    return attributes["gradInput"]


def _multiply(module: Any, x: Any) -> Any:
    attributes = module.__dict__
    pair = _pair(x)
    if pair is None:
        return None
    room = _room(attributes, "output", pair[0])
    return None if room is None else torch.mul(pair[0], pair[1], out=room)


def _multiply_back(module: Any, x: Any, gradient: Any) -> Any:
    attributes = module.__dict__
    if gradient.__class__ is not Tensor:
        return None
    pair, rooms = _pair(x), _rooms(attributes, gradient)
    if (
        pair is None
        or rooms is None
        or pair[0].shape != gradient.shape
        or pair[0].dtype is not gradient.dtype
    ):
        return None
    torch.mul(gradient, pair[1], out=rooms[0])
    torch.mul(gradient, pair[0], out=rooms[1])
    return attributes["gradInput"]


def _linear(module: Any, x: Any) -> Any:
    attributes = module.__dict__
    parameters, room = attributes["_parameters"], attributes["output"]
    weight, bias = parameters.get("weight"), parameters.get("bias")
    if weight is None or bias is None or x.__class__ is not Tensor or x.dim() != 2:
        return None
    rows, columns = x.shape
    outputs, inputs = weight.shape
    if (
        columns != inputs
        or not rows
        or room is not attributes["_own"].get("output")
        or room.shape != (rows, outputs)
        or not (room.dtype is x.dtype is weight.dtype)
        or not room.is_contiguous()
    ):
        return None
    return torch.addmm(bias, x, weight.t(), out=room)


def _linear_back(module: Any, x: Any, gradient: Any) -> Any:
    attributes = module.__dict__
    weight = attributes["_parameters"].get("weight")
    if weight is None or not _fits_linear(weight, x, gradient):
        return None
    room = _room(attributes, "gradInput", x)
    return None if room is None else torch.mm(gradient, weight, out=room)


def _fits_linear(weight: Tensor, x: Any, gradient: Any) -> bool:
    return (
        x.__class__ is Tensor
        and gradient.__class__ is Tensor
        and x.dim() == 2
        and gradient.shape == (x.shape[0], weight.shape[0])
        and x.shape[1] == weight.shape[1]
        and x.dtype is gradient.dtype is weight.dtype
    )


def _linear_accumulate(module: Any, x: Any, gradient: Any, scale: float) -> bool:
    weight, of_bias = module._parameters.get("weight"), module.gradient("bias")
    of_weight = module.gradient("weight")
    if weight is None or of_weight is None or of_bias is None or not _fits_linear(weight, x, gradient):
        return False
    of_weight.addmm_(gradient.t(), x, alpha=scale)
    of_bias.add_(gradient.sum(0), alpha=scale)
    return True


def _reshape(module: Any, x: Any) -> Any:
    attributes = module.__dict__
    held = attributes["output"]
    seen = attributes.get("_reshaped")
    sizes = attributes["size"]
    if (
        x.__class__ is Tensor
        and seen is not None
        and seen[0] == x.shape
        and seen[1] is sizes
        and held is attributes["_own"].get("output")
        and held.dtype is x.dtype
        and x.is_contiguous()
    ):
        held.data = x.view(seen[2])
        return held
    value = module.updateOutput(x)
    if x.__class__ is Tensor and value.__class__ is Tensor:
        attributes["_reshaped"] = (x.shape, sizes, value.shape)
    return value


def _split(module: Any, x: Any) -> Any:
    attributes = module.__dict__
    dim, held = module.dimension, attributes["output"]
    if (
        x.__class__ is not Tensor
        or held.__class__ is not list
        or module.nInputDims is not None
        or x.dim() < 2
        or not 0 < dim <= x.dim()
        or not x.numel()
    ):
        return None
    held[:] = x.unbind(int(dim) - 1)
    return held


def _split_back(module: Any, x: Any, gradient: Any) -> Any:
    attributes = module.__dict__
    dim, held = module.dimension, attributes["output"]
    if (
        x.__class__ is not Tensor
        or gradient.__class__ is not list
        or module.nInputDims is not None
        or x.dim() < 2
        or not 0 < dim <= x.dim()
        or len(gradient) != x.shape[int(dim) - 1]
        or len(held) != len(gradient)
    ):
        return None
    shape = held[0].shape
    for part in gradient:
        if part.__class__ is not Tensor or part.shape != shape or part.dtype is not x.dtype:
            return None
    room = _room(attributes, "gradInput", x)
    return None if room is None else torch.stack(gradient, int(dim) - 1, out=room)


FORWARD |= {
    Identity: _identity,
    Sigmoid: _sigmoid,
    Tanh: _tanh,
    CAddTable: _add,
    CMulTable: _multiply,
    Linear: _linear,
    LogSoftMax: _log_softmax,
    Reshape: _reshape,
    SplitTable: _split,
}
BACKWARD |= {
    Identity: _identity_back,
    Sigmoid: _sigmoid_back,
    Tanh: _tanh_back,
    CAddTable: _add_back,
    CMulTable: _multiply_back,
    Linear: _linear_back,
    LogSoftMax: _log_softmax_back,
    SplitTable: _split_back,
}
ACCUMULATE |= {Linear: _linear_accumulate}

# The modules that neither write into gradOutput nor hand it on.
READERS = frozenset({Sigmoid, Tanh, CMulTable, Linear})
