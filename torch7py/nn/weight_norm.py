"""Weight normalization (Salimans and Kingma, 2016): weights as a length g and a direction v, ``w = g v / ||v||``."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.base import Module
from torch7py.nn.checks import as_rows, truthy
from torch7py.nn.copying import is_clone
from torch7py.nn.decorator import Decorator
from torch7py.nn.linear import Linear
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.ops.memory import Storage
from torch7py.ops.random import normal_, uniform_

__all__ = ["LinearWeightNorm", "WeightNorm"]


def _turn(
    grad_v: torch.Tensor, grad_g: torch.Tensor, v: torch.Tensor, norm: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    """Make of the gradient with respect to the weight, in ``grad_v``, those with respect to v and g, in place.

    That is what the original does with all it has accumulated, and a gradient accumulated over two passes without
    zeroing is turned twice. ``scale`` is ``g / norm``. The steps are the original's also where the gradients are
    the parameters' own memory, as in ``backwardUpdate``. Returns what the original leaves in the weight, which it
    computes in: until the next forward in training the layer computes with that.
    """
    torch.sum(grad_v * v / norm, 1, keepdim=True, out=grad_g)
    grad_v.mul_(scale)
    left = v * scale / norm * grad_g
    grad_v.sub_(left)
    return left


@layer("nn.LinearWeightNorm", parameters="v:2~computed() g:2~computed() bias:1~uniform(1/sqrt(inputSize))")
class LinearWeightNorm(Linear):
    """``nn.LinearWeightNorm(inputSize, outputSize[, bias, eps])``: ``nn.Linear`` with weights ``g v / ||v||``.

    Shapes as for ``nn.Linear``. g holds a number for each row of v; a norm is at least eps (1e-16). The field
    ``weight`` is computed at each forward in training and on the way to evaluation. First weights as for
    ``nn.Linear``.
    """

    parameter_fields = ("v", "g", "bias")
    fields: ClassVar[tuple[str, ...]] = (
        "eps",
        "outputSize",
        "inputSize",
        "v",
        "gradV",
        "g",
        "gradG",
        "norm",
        "scale",
    )
    lua_methods = names("fromLinear toLinear initFromWeight updateWeightMatrix")

    def __init__(self, inputSize: int, outputSize: int, bias: bool = True, eps: float = 1e-16) -> None:
        Module.__init__(self)
        self.eps = eps
        self.outputSize, self.inputSize = int(outputSize), int(inputSize)
        self.add_parameter("v", self.new(self.outputSize, self.inputSize))
        self.add_parameter("g", self.new(self.outputSize, 1))
        for name, columns in (("weight", self.inputSize), ("norm", 1), ("scale", 1)):
            self.keep(name, self.new(self.outputSize, columns))
        if truthy(bias):
            self.add_parameter("bias", self.new(self.outputSize))
        else:
            self.register_parameter("bias", None)
        self.reset()

    def reset(self, stdv: float | None = None) -> Any:
        bound = stdv * math.sqrt(3) if stdv is not None else 1 / math.sqrt(self.inputSize)
        self.keep("weight", uniform_(self.new(self.outputSize, self.inputSize), -bound, bound))
        self.initFromWeight()
        if self.bias is not None:
            uniform_(self.bias.data, -bound, bound)

    def initFromWeight(self, weight: torch.Tensor | None = None) -> LinearWeightNorm:
        """``m:initFromWeight([weight])``: v and g from a weight, by default the field."""
        weight = self.weight if weight is None else weight
        self.v.data.copy_(weight.data)
        self.g.data.copy_(self._norm_of(weight.data))
        return self

    def fromLinear(self: Linear) -> LinearWeightNorm:
        """``nn.LinearWeightNorm.fromLinear(linear)``: a layer that computes the same as an ``nn.Linear``."""
        outputs, inputs = self.weight.shape
        layer = LinearWeightNorm(inputs, outputs, self.bias is not None)
        layer.initFromWeight(self.weight)
        layer.weight.copy_(self.weight.data)
        if self.bias is not None:
            layer.bias.data.copy_(self.bias.data)
        return layer

    def toLinear(self) -> Linear:
        """``m:toLinear()``: an ``nn.Linear`` that computes the same."""
        self.updateWeightMatrix()
        layer = Linear(self.inputSize, self.outputSize, self.bias is not None)
        layer.weight.data.copy_(self.weight)
        if self.bias is not None:
            layer.bias.data.copy_(self.bias.data)
        return layer

    def _norm_of(self, v: torch.Tensor) -> torch.Tensor:
        return torch.linalg.vector_norm(v, dim=1, keepdim=True).clamp(min=self.eps)

    def updateWeightMatrix(self) -> None:
        """``m:updateWeightMatrix()``: compute the weight."""
        norm = self._norm_of(self.v.data)
        self.keep("norm", norm)
        self.keep("scale", self.g.data / norm)
        self._write_weight(self.v.data * self.scale)

    def _write_weight(self, values: torch.Tensor) -> None:
        """In place: the weight may be one that several layers have, each of which writes it."""
        if self.weight.shape == values.shape:
            self.weight.copy_(values)
        else:
            self.keep("weight", values)

    def set_evaluate(self) -> None:
        if self.training:
            self.updateWeightMatrix()
        super().set_evaluate()

    def torch7_parameters(self) -> Any:
        names = ["v", "g"] if self.bias is None else ["v", "g", "bias"]
        return [self.get_field(name) for name in names], [self.gradient(name) for name in names]

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if self.training and self.noting:
            self.updateWeightMatrix()
        elif not self.weight.numel():
            raise TorchError(f"{self.class_name}: the weight is empty, and evaluation does not compute it")
        self._check(input)
        is_kept = self.noting and not self.training
        weight = self.weight if is_kept else self.v * (self.g / self._norm_of(self.v))
        return F.linear(input, weight, self.bias)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        v, g = self.gradient("v"), self.gradient("g")
        if v is None or g is None:
            return
        gradient, rows = as_rows(gradOutput), as_rows(input)
        v.addmm_(gradient.t(), rows, alpha=scale)
        bias = self.gradient("bias")
        if bias is not None and self.bias is not None:
            bias.add_(gradient.sum(0), alpha=scale)
        self._write_weight(_turn(v, g, self.v.data, self.norm, self.scale))

    def clearState(self) -> Module:
        self.clear("weight", "norm", "scale")
        return super().clearState()

    def describe(self) -> str:
        text = f"{self.class_name}({self.inputSize} -> {self.outputSize})"
        return text if self.bias is not None else text + " without bias"


@layer("nn.WeightNorm", parameters="v:2~computed() g:2~computed()")
class WeightNorm(Decorator):
    """``nn.WeightNorm(module[, outputDim])``: a module whose ``weight`` is ``g v / sqrt(||v||^2 + 1e-4)``.

    Shapes: the module's. v has a row and g a number for each index of the weight's dimension outputDim (1). v is
    drawn from ``normal(0, sqrt(2 / n))`` for rows of n elements, g is its norm, the bias is set to 0. The module's
    weight is computed at each forward in training and on the way to evaluation. It is not saved, but computed anew
    when the layer is read.
    """

    parameter_fields = ("v", "g", "weight", "bias")
    unsaved = ("weight", "gradWeight")
    fields: ClassVar[tuple[str, ...]] = (
        "outputDim",
        "otherDims",
        "viewIn",
        "viewOut",
        "weightSize",
        "v",
        "g",
        "gradV",
        "gradG",
        "_norm",
        "_scale",
    )
    lua_methods = names("resetInit updateWeight")

    def __init__(self, module: Module, outputDim: int = 1) -> None:
        super().__init__(module)
        weight = module.get_field("weight")
        if not isinstance(weight, torch.Tensor):
            raise TorchError(f"nn.WeightNorm: {module.class_name} has no weight")
        self.outputDim = int(outputDim)
        if not 1 <= self.outputDim <= weight.dim():
            raise TorchError(f"nn.WeightNorm: the weight has no dimension {outputDim}")
        turned = weight.data.movedim(self.outputDim - 1, 0)
        rows, columns = turned.shape[0], turned[0].numel()
        self.otherDims = columns
        for name, sizes in (
            ("viewIn", (rows, columns)),
            ("viewOut", turned.shape),
            ("weightSize", weight.shape),
        ):
            self.__dict__[name] = Storage.of_values(types.LONG, torch.tensor(sizes))
        self.add_parameter("v", self.new(rows, columns))
        self.add_parameter("g", self.new(rows, 1))
        self.keep("_norm", self.new(rows))
        self.keep("_scale", self.new(rows))
        module.__dict__["_made_by_owner"] = self.unsaved
        self.resetInit()

    def restored(self) -> None:
        module = self.inner_module
        module.__dict__["_made_by_owner"] = self.unsaved
        if module.get_field("weight") is not None:
            return
        v, g, turned = self.v, self.g, self.viewOut
        if v is None or g is None or not isinstance(turned, Storage):
            raise TorchError(f"{self.class_name}: without a weight it must have v, g and viewOut")
        sizes = turned.sizes()
        if v.dim() != 2 or math.prod(sizes) != v.numel() or v.numel() > v.untyped_storage().nbytes():
            raise TorchError(f"{self.class_name}: v is {list(v.shape)}, for a weight of {list(sizes)}")
        self._make_weight()

    def _make_weight(self) -> None:
        """Give the module a weight, which is not saved. The original leaves it in both gradients too."""
        module = self.inner_module
        weight = self._out(self._rows()).contiguous()
        module._gradients["weight"] = weight.clone()
        module.set_field("weight", torch.nn.Parameter(weight))
        module._attach("weight")
        gradient = self.gradient("v")
        if gradient is not None:
            gradient.copy_(self._in(weight))

    def __deepcopy__(self, memo: dict[Any, Any]) -> WeightNorm:
        copied = super().__deepcopy__(memo)
        if is_clone(memo):
            copied._make_weight()
        return copied

    def resetInit(self) -> None:
        """``m:resetInit()``: draw v anew, g its norm; the bias becomes 0."""
        normal_(self.v.data, 0, math.sqrt(2 / self.otherDims))
        self.g.data.copy_(torch.linalg.vector_norm(self.v.data, dim=1, keepdim=True))
        bias = self.inner_module.get_field("bias")
        if bias is not None:
            bias.data.zero_()

    def _norm_of(self, v: torch.Tensor) -> torch.Tensor:
        return (v.square().sum(1, keepdim=True) + 1e-4).sqrt()

    def _in(self, weight: torch.Tensor) -> torch.Tensor:
        """A weight as rows."""
        return weight.movedim(self.outputDim - 1, 0).reshape(self.v.shape)

    def _out(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows as a weight."""
        return rows.view(self.viewOut.sizes()).movedim(0, self.outputDim - 1)

    def _rows(self) -> torch.Tensor:
        """The weight as rows; its norms, a column, and its scales, a vector, are kept."""
        norm = self._norm_of(self.v.data)
        scale = self.g.data.view(-1, 1) / norm
        self.keep("_norm", norm)
        self.keep("_scale", scale.view(-1))
        return self.v.data * scale

    def updateWeight(self) -> None:
        """``m:updateWeight()``: compute the module's weight, by way of the gradient of v as the original does."""
        rows = self._rows()
        gradient = self.gradient("v")
        if gradient is not None:
            gradient.copy_(rows)
        self.inner_module.get_field("weight").data.copy_(self._out(rows))

    def forward(self, input: Any) -> Any:
        module = self.inner_module
        if not self.training:
            return module(input)
        held = module._parameters["weight"]
        module._parameters["weight"] = self._out(self.v * (self.g / self._norm_of(self.v)))
        try:
            return module(input)
        finally:
            module._parameters["weight"] = held

    def updateOutput(self, input: Any) -> Any:
        if self.training:
            self.updateWeight()
        return super().updateOutput(input)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        module = self.inner_module
        module.accGradParameters(input, gradOutput, scale)
        weight = module.get_field("gradWeight")
        v, g = self.gradient("v"), self.gradient("g")
        if v is None or g is None or weight is None:
            return
        v.copy_(self._in(weight))
        left = _turn(v, g, self.v.data, self._norm, self._scale.view(-1, 1))
        weight_data = module.get_field("weight").data
        weight_data.copy_(left.view(weight_data.shape))  # in the order of the rows, whatever outputDim is
        weight.copy_(self._out(v))

    def set_evaluate(self) -> None:
        if self.training:
            self.updateWeight()
        super().set_evaluate()

    def torch7_parameters(self) -> Any:
        pairs = [(self.get_field(name), self.gradient(name)) for name in ("v", "g")]
        module = self.inner_module
        if module.get_field("bias") is not None:
            pairs.append((module.get_field("bias"), module.get_field("gradBias")))
        return [p for p, _ in pairs], [g for _, g in pairs]

    def zeroGradParameters(self) -> None:
        super().zeroGradParameters()
        for name in ("v", "g"):
            gradient = self.gradient(name)
            if gradient is not None:
                gradient.zero_()

    def updateParameters(self, learningRate: float) -> None:
        super().updateParameters(learningRate)
        for name in ("v", "g"):
            gradient = self.gradient(name)
            if gradient is not None:
                self._parameters[name].data.add_(gradient, alpha=-learningRate)  # type: ignore[union-attr]

    def get_field(self, name: str) -> Any:
        if name in ("weight", "bias", "gradWeight", "gradBias"):  # the module's own
            return self.inner_module.get_field(name)
        return super().get_field(name)
