"""CopyGrad, and NormStabilizer: a penalty on changes of the norm of a hidden state."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.activation import Identity
from torch7py.nn.arguments import argument_text, gradient_of
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.rnn.abstract import AbstractRecurrent

__all__ = ["CopyGrad", "NormStabilizer"]


@layer("nn.CopyGrad", package="rnn")
class CopyGrad(Identity):
    """``nn.CopyGrad()``: the input as it is; its gradient is a copy of gradOutput, which may be changed.

    Any shape.
    """

    fields: ClassVar[tuple[str, ...]] = ("norm",)

    def updateGradInput(self, input: object, gradOutput: object) -> Any:
        if not isinstance(gradOutput, torch.Tensor):
            raise TorchError(f"{self.class_name} expects a tensor as gradOutput")
        if isinstance(input, torch.Tensor):
            gradient_of(self, gradOutput, input.shape)
        return self.keep("gradInput", gradOutput.data.clone(), is_result=True)


@layer("nn.NormStabilizer", package="rnn", keeps_rank=True, parts="fixed", shares_memory=True)
class NormStabilizer(AbstractRecurrent):
    """``nn.NormStabilizer([beta])``: the input as it is, with a penalty on changes of its norm (Krueger and Memisevic,
    Regularizing RNNs by Stabilizing Activations, 2015).

    A backward adds the gradient of ``beta / batch * sum((|h(t)| - |h(t-1)|)^2)`` over steps and examples; beta is 1
    by default. ``updateLoss`` gives a loss of which this is not the gradient: it has the sum of the norms where the
    gradient has their difference, and is divided by the number of steps. Both are so in the original.

    Shapes of a step: ``(batch, size)`` -> ``(batch, size)``.
    """

    fields: ClassVar[tuple[str, ...]] = ("beta", "loss", "_normsum", "_gradInput")
    lua_methods = names("updateLoss")
    first_step_back = None

    beta: float

    def __init__(self, beta: float | None = None) -> None:
        super().__init__(99999)
        self.beta = 1 if beta is None else beta
        self.set_step_module(CopyGrad())

    def unroll(self, inputs: list[Any]) -> list[Any]:
        return [self.step_module(input) for input in inputs]

    def updateOutput(self, input: torch.Tensor) -> Any:
        if not isinstance(input, torch.Tensor) or input.dim() != 2:
            raise TorchError(
                f"{self.class_name}: a step's input must be (batch, size), not {argument_text(input)}"
            )
        module = self.module_forward()
        output = module.updateOutput(input)
        if self.training:
            module.__dict__["norm"] = output.data.norm(dim=1, keepdim=True)
        return self.advance(input, output)

    def updateLoss(self) -> float:
        """``m:updateLoss()``: the loss of the steps since the last ``forget``."""
        total = 0.0
        for step in range(2, self.step):
            both = self._norm(self.past_module(step - 1)) + self._norm(self.past_module(step))
            total += both.square().mean().item()
        if self.step < 2:
            raise TorchError(f"{self.class_name}:updateLoss without a forward")
        self.__dict__["loss"] = self.beta * total / (self.step - 1)
        return self.loss

    def step_grad_input(self, step: int, input: Any, gradOutput: Any) -> Any:
        module = self.past_module(step)
        gradient = module.updateGradInput(input, gradOutput)
        output = module.output.data
        if not output.numel():
            raise TorchError(f"{self.class_name}: backward without a forward of its step")
        for other in (step - 1, step + 1):
            if 1 <= other < self.step:
                norm = self._norm(module)
                difference = (norm - self._norm(self.past_module(other))) * (2 * self.beta) / norm
                gradient.add_(output / len(output) * difference)
        return gradient

    def _norm(self, module: Any) -> torch.Tensor:
        norm: torch.Tensor | None = module.__dict__.get("norm")
        if norm is None:
            raise TorchError(f"{self.class_name}: the norm of a step in evaluation is not known")
        return norm

    def step_acc_grad(self, step: int, input: Any, gradOutput: Any, scale: float) -> None:
        """There are no parameters."""

    def step_acc_update(self, step: int, input: Any, gradOutput: Any, learning_rate: float) -> None:
        """There are no parameters."""

    def describe(self) -> str:
        return "nn.NormStabilizer"
