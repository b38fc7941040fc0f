"""Kernels that write a layer's result into the memory of its last one, as all layers of Torch7 did.

They are for layers whose results are so large that new memory costs time. A kernel returns None if the result does not
fit into that memory, or if the layer is not in its usual form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch7py.nn.linear import Linear
from torch7py.nn.softmax import LogSoftMax

__all__ = ["BACKWARD", "FORWARD"]

Tensor = torch.Tensor

_log_softmax_into = torch.ops.aten._log_softmax.out
_of_log_softmax = torch.ops.aten._log_softmax_backward_data.out


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


# By exact class: (module, input) -> output, and (module, input, gradOutput) -> gradInput.
FORWARD: dict[type, Callable[[Any, Any], Any]] = {Linear: _linear, LogSoftMax: _log_softmax}
BACKWARD: dict[type, Callable[[Any, Any, Any], Any]] = {LogSoftMax: _log_softmax_back}
