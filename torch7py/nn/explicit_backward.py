"""Lets a layer that another language defines take part in a PyTorch graph, with its explicit backward."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch

from torch7py.nn.object import TorchObject
from torch7py.nn.once_differentiable import once
from torch7py.nn.trace import leaves_of

__all__ = ["forward_through"]


def _rebuild(structure: Any, tensors: list[torch.Tensor]) -> Any:
    """Replace the tensors of a nested structure, in order."""
    if isinstance(structure, list):
        return [_rebuild(item, tensors) for item in structure]
    return tensors.pop(0) if isinstance(structure, torch.Tensor) else structure


class _ForeignLayer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, module: Any, input: Any, count: int, *tensors: torch.Tensor) -> Any:
        ctx.owner = ctx.module = module
        ctx.save_for_backward(*tensors)
        ctx.input = _rebuild(input, [t.data for t in tensors[:count]])
        ctx.count = count
        output = module.updateOutput(ctx.input)
        ctx.is_list = isinstance(output, list)
        ctx.structure = output
        return tuple(t.data.clone() for t in leaves_of(output))

    @staticmethod
    @once
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        module = ctx.module
        _, buffers = module.parameter_pairs()
        before = [buffer.clone() for buffer in buffers]
        for buffer in buffers:
            buffer.zero_()
        grad_output = _rebuild(ctx.structure, [g.data for g in gradients])
        grad_input = module.backward(ctx.input, grad_output, 1)
        added = [buffer.clone() for buffer in buffers]
        for buffer, old in zip(buffers, before, strict=True):
            buffer.copy_(old)
        inputs = list(leaves_of(grad_input)) if grad_input is not None else []
        inputs += [None] * (ctx.count - len(inputs))  # type: ignore[list-item]
        return None, None, None, *inputs, *added


def forward_through(module: TorchObject) -> Callable[[Any], Any]:
    """The ``forward`` of a module some of whose protocol methods are written in another language."""
    reference = weakref.ref(module)

    def forward(input: Any) -> Any:
        layer = reference()
        assert layer is not None
        layer.__dict__["_overrides"].name_parameters(layer)
        leaves = list(leaves_of(input))
        parameters, _ = layer.parameter_pairs()
        outputs: Any = _ForeignLayer.apply(layer, input, len(leaves), *leaves, *parameters)
        structure = layer.output
        if isinstance(structure, list):
            return _rebuild(structure, list(outputs))
        return outputs[0]

    return forward
