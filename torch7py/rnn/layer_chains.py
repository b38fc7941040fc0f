"""Chains of layers inside a recurrent network, run for all steps at once or step by step."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn.activation import Identity
from torch7py.nn.arguments import axis
from torch7py.nn.container import Sequential
from torch7py.rnn.stages import PassStage, RowStage, Stage, StepByStep, alias, computes_rows, marked
from torch7py.rnn.steps import joined

__all__ = ["JoinedLinear", "StepChain", "WideChain", "layers_of"]

T = torch.Tensor


def layers_of(module: Any) -> list[Any]:
    """The layers of a module that computes rows alone: those of a Sequential, or the module."""
    if marked(module):
        raise StepByStep
    if type(module) is Sequential and module._modules:
        return [layer for child in module.child_list() for layer in layers_of(child)]
    if type(module) is not Identity and not computes_rows(module):
        raise StepByStep
    return [module]


class WideChain:
    """Layers without state, each of which runs all steps at once."""

    def __init__(self, layers: list[Any]) -> None:
        self.stages: list[Stage] = [
            PassStage(layer) if type(layer) is Identity else RowStage(layer) for layer in layers
        ]

    def output(self, x: T) -> T:
        self.inputs = []
        for stage in self.stages:
            self.inputs.append(x)
            x = stage.output(x)
        return x

    def grad_input(self, x: T, gradient: T) -> T:
        for stage, input in zip(reversed(self.stages), reversed([x, *self.inputs[1:]]), strict=True):
            gradient = stage.grad_input(input, gradient)
        return gradient

    def show_gradient(self) -> None:
        for stage in self.stages:
            stage.show_gradient()

    def acc_grad(self, x: T, scale: float) -> None:
        for stage, input in zip(reversed(self.stages), reversed([x, *self.inputs[1:]]), strict=True):
            stage.acc_grad(input, scale)


class StepChain:
    """Layers that run step by step; their parameters get the gradients of all steps at once."""

    def __init__(self, layers: list[Any]) -> None:
        self.layers = layers
        # By step: the inputs of the layers, aliases with their results, and the gradients of these.
        self.inputs: dict[int, list[T]] = {}
        self.aliases: dict[int, list[Any]] = {}
        self.gradients: dict[int, list[T]] = {}

    @property
    def alone(self) -> Any:
        """The only layer; None if there are several."""
        return self.layers[0] if len(self.layers) == 1 else None

    def output(self, step: int, x: T) -> T:
        inputs: list[T] = []
        aliases = self.aliases[step] = [alias(layer) for layer in self.layers]
        for layer in aliases:
            inputs.append(x)
            x = layer.updateOutput(x)
        self.inputs[step] = inputs
        return x

    def grad_input(self, step: int, gradient: T) -> T:
        gradients: list[T] = []
        for layer, x in zip(reversed(self.aliases[step]), reversed(self.inputs[step]), strict=True):
            gradients.insert(0, gradient)
            gradient = layer.updateGradInput(x, gradient)
        self.gradients[step] = gradients
        return gradient

    def acc_grad(self, scale: float) -> None:
        steps = sorted(self.gradients)
        for number, layer in enumerate(self.layers):
            if steps and layer.torch7_parameters():
                stage = RowStage(layer)
                inputs = joined([self.inputs[step][number] for step in steps])
                gradients = joined([self.gradients[step][number] for step in steps])
                stage.wide.accGradParameters(stage.rows(inputs), stage.rows(gradients), scale)


class JoinedLinear:
    """A Linear of the input joined with the last output, as two layers on parts of its weight."""

    def __init__(self, join: Any, linear: Any) -> None:
        if not computes_rows(linear):
            raise StepByStep
        self.join, self.linear = join, linear
        self.parts = [alias(linear), alias(linear)]
        for part in self.parts:
            part.__dict__.update(_parameters={}, _gradients={})

    def split(self, x: T, before: T) -> None:
        """Set up the two layers for the sizes of a step; both must be joined along the features."""
        sizes = x.shape[-1], before.shape[-1]
        alike = x.dim() == before.dim() and x.dtype == before.dtype and x.shape[:-1] == before.shape[:-1]
        if not alike or sum(sizes) != self.linear.weight.shape[1]:
            raise StepByStep
        if axis(self.join, self.join.dimension, x, self.join.nInputDims) != x.dim() - 1:
            raise StepByStep
        self.inputs = sizes[0]
        self.refresh()

    def refresh(self) -> None:
        """Use the Linear's present parameters and gradients."""
        bias, gradient = self.linear.bias, self.linear.gradient("weight")
        halves = slice(None, self.inputs), slice(self.inputs, None)
        for part, half, with_bias in zip(self.parts, halves, (True, False), strict=True):
            part._parameters.update(weight=self.linear.weight.data[:, half], bias=bias if with_bias else None)
            part._gradients.update(
                weight=None if gradient is None else gradient[:, half],
                bias=self.linear.gradient("bias") if with_bias else None,
            )
