"""Linear layers with something left out, and layers that change nothing but the scale."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, number
from torch7py.nn.linear import Linear
from torch7py.nn.rectifier import PReLU
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = [
    "Constant",
    "L2Normalize",
    "LeakyReLU",
    "LinearNB",
    "LinearNoBackprop",
    "NormalizedLinearNoBias",
    "ProjectiveGradientNormalization",
]


@layer("nn.LinearNB", package="fbnn", parameters="weight:2~uniform(1/sqrt(inputSize))")
class LinearNB(Linear):
    """``nn.LinearNB(inputSize, outputSize)``: ``nn.Linear`` without a bias. Shapes are those of nn.Linear."""

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__(inputSize, outputSize, False)


@layer(
    "nn.LinearNoBackprop",
    package="fbnn",
)
class LinearNoBackprop(Linear):
    """``nn.LinearNoBackprop(inputSize, outputSize)``: ``nn.Linear`` whose gradInput is 0. Shapes are those of
    nn.Linear.

    In PyTorch's own backward, too, nothing goes further than this layer.
    """

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__(inputSize, outputSize)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return super().forward(input.detach())

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(input, memory_format=torch.contiguous_format)


@layer(
    "fbnn.NormalizedLinearNoBias",
    differs_in_training=True,
    parameters="weight:2~uniform(1/sqrt(inputSize)) bias:1~constant(0)",
)
class NormalizedLinearNoBias(Linear):
    """``fbnn.NormalizedLinearNoBias(inputSize, outputSize)``: ``y = W x``, W being held to the norm of its root of
    rows.

    After ``m:training()`` each forward divides the weight by its 2-norm and multiplies it by ``sqrt(outputSize)``.
    There is a bias, which is 0 and is not learned. Shapes are those of ``nn.Linear``.
    """

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__(inputSize, outputSize)
        self.bias.data.zero_()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if self.training and "_mode_set" in self.__dict__:
            weight = self.weight.data
            weight.div_(weight.norm()).mul_(weight.shape[0] ** 0.5)
        return super().forward(input)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        bias, self._gradients["bias"] = self._gradients.get("bias"), None
        try:
            super().accGradParameters(input, gradOutput, scale)
        finally:
            self._gradients["bias"] = bias


@layer("fbnn.LeakyReLU", parameters="weight:1~computed()")
class LeakyReLU(PReLU):
    """``fbnn.LeakyReLU(p)``: ``y = x`` where ``x > 0``, else ``p x``; any shape. The slope p is a weight that is not
    learned.
    """

    def __init__(self, p: float) -> None:
        slope = number("fbnn.LeakyReLU", "p", p)
        super().__init__()
        self.weight.data.fill_(slope)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """The slope has no gradient."""

    def zeroGradParameters(self) -> None:
        """Do nothing: the layer has no gradients."""

    def updateParameters(self, learningRate: float) -> None:
        """The slope stays."""

    def describe(self) -> str:
        return f"{self.class_name}({self.weight.item():g})"


@layer("fbnn.Constant")
class Constant(Module):
    """``fbnn.Constant(value)``: the value, a number or a tensor, whatever the input; its gradient is 0.

    Shapes: ``(n, ...)`` -> ``(n, sizes of value)``, those of a number being (1).
    """

    fields: ClassVar[tuple[str, ...]] = ("value",)

    def __init__(self, value: float | torch.Tensor) -> None:
        super().__init__()
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = self.new(1).fill_(value)
        if not isinstance(value, torch.Tensor) or value.numel() == 0:
            raise TorchError("fbnn.Constant: the value must be a number or a tensor")
        self.__dict__["value"] = value

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.numel() == 0:
            raise TorchError(f"{self.class_name}: the input is empty")
        value: torch.Tensor = self.value
        return value.to(input.dtype).expand(input.shape[0], *value.shape).clone()

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(input, memory_format=torch.contiguous_format)


@layer("fbnn.L2Normalize", keeps_rank=True)
class L2Normalize(Module):
    """``fbnn.L2Normalize()``: each row divided by its 2-norm; NaN for a row of zeros. Shapes: a vector or a matrix."""

    fields: ClassVar[tuple[str, ...]] = ("norms",)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not 1 <= input.dim() <= 2 or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must be a vector or a matrix, not {size_text(input)}"
            )
        norms: torch.Tensor = input.norm(2, -1, keepdim=True)
        return input / self.note("norms", norms)


@layer("fbnn.ProjectiveGradientNormalization", keeps_rank=True)
class ProjectiveGradientNormalization(Module):
    """``fbnn.ProjectiveGradientNormalization([eps])``: the identity, whose gradient is the component of gradOutput
    orthogonal to the input.

    With ``u = x / |x|``, x as one vector, gradInput is ``g - u (u . g)``, or g where x is 0. eps (1e-5) is a field that
    the original does not use either. Any shape.
    """

    fields: ClassVar[tuple[str, ...]] = ("eps",)
    traced = False

    def __init__(self, eps: float | None = None) -> None:
        super().__init__()
        self.eps = 1e-5 if eps is None else eps

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.clone(memory_format=torch.contiguous_format)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        check_type(self, "gradOutput", gradOutput, input)
        if input.numel() != gradOutput.numel():
            raise TorchError(
                f"{self.class_name}: gradOutput is {size_text(gradOutput)}, the output {size_text(input)}"
            )
        gradient = gradOutput.reshape(input.shape)
        norm = input.norm()
        unit = torch.where(norm == 0, input, input / norm)
        return gradient - unit * (unit * gradient).sum()
