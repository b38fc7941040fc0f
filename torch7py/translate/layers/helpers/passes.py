"""Modules that are run one by one and gone back through by hand, as Torch7's protocol has it."""

from __future__ import annotations

import copy

import torch


def each_tensor(function, value):
    """Nested lists of tensors with a function of each."""
    return function(value) if torch.is_tensor(value) else [each_tensor(function, part) for part in value]


def tensors_in(value):
    """The tensors in nested lists, one after the other."""
    return [value] if torch.is_tensor(value) else [x for part in value for x in tensors_in(part)]


class LastCall(tuple):
    """The inputs and the output of a module's last call, with the graph between them: a copy has none of it."""

    def __deepcopy__(self, memo):
        return None


def run_alone(module, *inputs):
    """A module's output, without its graph. The module keeps that, of this call alone, for `go_back_through`."""
    inputs = each_tensor(lambda x: x.detach().requires_grad_(x.is_floating_point()), inputs)
    output = module(*inputs)
    module.last_call = LastCall((inputs, output))
    module.output = each_tensor(torch.Tensor.detach, output)
    return module.output


def go_back_through(module, gradient, *inputs, weights=True):
    """The gradient of a module's input in its last call, from that of its output; those of weights are added up."""
    leaves, output = module.last_call
    for x, leaf in zip(tensors_in(inputs), tensors_in(leaves), strict=True):
        if x.shape != leaf.shape or not torch.allclose(x, leaf, rtol=0, atol=0, equal_nan=True):
            raise ValueError("the module has been called with another input since")
        leaf.grad = None
    wanted = None if weights else [x for x in tensors_in(leaves) if x.requires_grad]
    torch.autograd.backward(tensors_in(output), tensors_in(gradient), retain_graph=True, inputs=wanted)
    gradients = each_tensor(lambda x: torch.zeros_like(x) if x.grad is None else x.grad, leaves)
    return gradients[0] if len(inputs) == 1 else gradients


def shared_copy(module):
    """A copy of a module with the same parameters, and with outputs of its own."""
    return copy.deepcopy(module, {id(p): p for p in module.parameters()})
