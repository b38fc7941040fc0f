"""Distances of the input to learned templates: Euclidean, weighted Euclidean, cosine."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import as_rows, check_type, fit, truthy
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.random import uniform_
from torch7py.ops.tracing import numbers_known

__all__ = ["Cosine", "Euclidean", "WeightedEuclidean"]

# Torch7 divides by the distance plus this in the gradients, which so differ from the derivative by 1e-7.
EPSILON = 1e-7


class _Templates(Module):
    """What the three have in common: a matrix of templates and the shapes of inputs."""

    traced = False
    scratch: tuple[str, ...] = ()
    inputs_in: int  # the dimension of the weight along which a template lies

    def reset(self, stdv: float | None = None) -> None:
        bound = 1 / math.sqrt(self.weight.shape[0]) if stdv is None else stdv * math.sqrt(3)
        uniform_(self.weight.data, -bound, bound)

    def _check(self, input: torch.Tensor) -> None:
        if not 1 <= input.dim() <= 2 or input.numel() == 0:
            raise TorchError(f"{self.class_name}: the input must be a vector or a matrix")
        size = self.weight.shape[self.inputs_in]
        if input.shape[-1] != size:
            raise TorchError(f"{self.class_name}: the input of {size_text(input)} must have {size} columns")
        check_type(self, "the input", input, self.weight)

    def _gradient_for(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        """gradOutput in the shape of the output."""
        outputs = self.weight.shape[1 - self.inputs_in]
        return fit(self, "gradOutput", gradOutput, input.new_empty((*input.shape[:-1], outputs)))

    def clearState(self) -> Module:
        self.clear(*self.scratch)
        return super().clearState()


@layer(
    "nn.Euclidean",
    keeps_rank=True,
    parameters="weight:2~uniform(1/sqrt(inputSize))",
    example="inputSize",
    gradient_reads_output=True,
)
class Euclidean(_Templates):
    """``nn.Euclidean(inputSize, outputSize)``: ``y_j = ||x - w_j||``, the columns of the weight being the w_j.

    Shapes: ``(inputSize)`` -> ``(outputSize)``, ``(batch, inputSize)`` -> ``(batch, outputSize)``. Weights are
    drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(inputSize)``.
    """

    cleared_by_type = True
    transient = (*_Templates.transient, "_difference", "_pulled")

    inputs_in = 0
    scratch = (
        "_input",
        "_output",
        "_gradOutput",
        "_weight",
        "_div",
        "_sum",
        "_expand",
        "_expand2",
        "_expand3",
        "_repeat",
        "_repeat2",
    )
    fields: ClassVar[tuple[str, ...]] = ("fastBackward", *scratch)

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__()
        self.add_parameter("weight", self.new(int(inputSize), int(outputSize)))
        self.keep("gradInput", self.new(int(inputSize)))
        self.keep("output", self.new(int(outputSize)))
        self.fastBackward = True
        self.reset()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self._check(input)
        return torch.linalg.vector_norm(input.unsqueeze(-1) - self.weight, dim=-2)

    def updateOutput(self, input: Any) -> Any:
        self._check(input)
        difference = input.data.unsqueeze(-1) - self.weight.data
        self.__dict__.update(_difference=difference, _pulled=None)
        return self.keep("output", torch.linalg.vector_norm(difference, dim=-2), is_result=True)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        """By the differences and the output of the last forward, whatever the parameters are by now."""
        if "_difference" not in self.__dict__ or not self.fastBackward:
            self.updateOutput(input)
        self._check(input)
        gradient = self._gradient_for(input, gradOutput) / (self.output + EPSILON)
        self.__dict__["_pulled"] = self.__dict__["_difference"] * gradient.unsqueeze(-2)
        pulled: torch.Tensor = self.__dict__["_pulled"]
        return pulled.sum(-1)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        gradient = self.gradient("weight")
        if gradient is not None:
            if self.__dict__.get("_pulled") is None:
                self.grad_input(input, gradOutput)
            pulled = self.__dict__["_pulled"]
            gradient.sub_(pulled if input.dim() == 1 else pulled.sum(0), alpha=scale)

    def clearState(self) -> Module:
        for name in ("_difference", "_pulled"):
            self.__dict__.pop(name, None)
        return super().clearState()


@layer(
    "nn.WeightedEuclidean",
    keeps_rank=True,
    parameters="weight:2~uniform(1/sqrt(inputSize)) diagCov:2~constant(1)",
    example="inputSize",
)
class WeightedEuclidean(_Templates):
    """``nn.WeightedEuclidean(inputSize, outputSize)``: ``y_j = ||c_j * (x - w_j)||``, c_j and w_j being columns.

    Shapes and first weights as for ``nn.Euclidean``; the second parameter, ``diagCov``, begins at 1. For a single
    example its gradient is not multiplied by scale, as in the original.
    """

    inputs_in = 0
    scratch = (
        "_input",
        "_output",
        "_gradOutput",
        "_weight",
        "_div",
        "_sum",
        "_diagCov",
        "_expand",
        "_expand2",
        "_expand3",
        "_expand4",
        "_repeat",
        "_repeat2",
        "_repeat3",
    )
    parameter_fields = ("weight", "diagCov")
    transient = (*_Templates.transient, "_weighted", "_pulled")
    fields: ClassVar[tuple[str, ...]] = ("diagCov", "gradDiagCov", "fastBackward", *scratch)

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__()
        self.add_parameter("weight", self.new(int(inputSize), int(outputSize)))
        self.add_parameter("diagCov", self.new(int(inputSize), int(outputSize)))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        super().reset(stdv)
        self.diagCov.data.fill_(1)

    def torch7_parameters(self) -> Any:
        names = ("weight", "diagCov")
        return [self.get_field(name) for name in names], [self.gradient(name) for name in names]

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self._check(input)
        return torch.linalg.vector_norm(self.diagCov * (input.unsqueeze(-1) - self.weight), dim=-2)

    def updateOutput(self, input: Any) -> Any:
        self._check(input)
        weighted = self.diagCov.data * (input.data.unsqueeze(-1) - self.weight.data)
        self.__dict__.update(_weighted=weighted, _pulled=None)
        return self.keep("output", torch.linalg.vector_norm(weighted, dim=-2), is_result=True)

    def _pull(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        """The gradient with respect to each element of each weighted difference."""
        if self.__dict__.get("_weighted") is None or not truthy(self.get_field("fastBackward")):
            self.updateOutput(input)  # by the parameters as they are now
        self._check(input)
        gradient = self._gradient_for(input, gradOutput) / (self.output + EPSILON)
        pull: torch.Tensor = self.__dict__["_weighted"] * gradient.unsqueeze(-2)
        self.__dict__["_pulled"] = pull
        return pull

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return (self._pull(input, gradOutput) * self.diagCov.data).sum(-1)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        """By what the last updateGradInput has computed, whatever it is given."""
        pull = self.__dict__.get("_pulled")
        if pull is None or pull.shape[:-2] != input.shape[:-1]:
            pull = self._pull(input, gradOutput)
        difference = self.__dict__["_weighted"] / self.diagCov.data
        for_weight, for_covariance = pull * self.diagCov.data, pull * difference
        if input.dim() == 2:
            for_weight, for_covariance = for_weight.sum(0), for_covariance.sum(0)
        weight, covariance = self.gradient("weight"), self.gradient("diagCov")
        if weight is not None:
            weight.sub_(for_weight, alpha=scale)
        if covariance is not None:
            covariance.add_(for_covariance, alpha=scale if input.dim() == 2 else 1)


@layer(
    "nn.Cosine",
    keeps_rank=True,
    parameters="weight:2~uniform(1/sqrt(outputSize))",
    example="inputSize",
    gradient_reads_output=True,
)
class Cosine(_Templates):
    """``nn.Cosine(inputSize, outputSize)``: ``y_j = w_j . x / (||w_j|| ||x||)``, the w_j being rows of the weight.

    Shapes: ``(inputSize)`` -> ``(outputSize)``, ``(batch, inputSize)`` -> ``(batch, outputSize)``. Weights are
    drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(outputSize)``. As in the original, the gradient of the weights
    is not multiplied by scale for a batch, and half of it is not for a single example.
    """

    exact_gradient = True

    inputs_in = 1
    scratch = ("_input", "_weight", "_gradOutput", "_sum", "_inputNorm", "_weightNorm")
    fields: ClassVar[tuple[str, ...]] = ("__norm", *scratch)

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__()
        self.add_parameter("weight", self.new(int(outputSize), int(inputSize)))
        self.reset()

    def _norms(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``||x||`` as a column, ``||w||`` as a vector."""
        self._check(input)
        inputs = torch.linalg.vector_norm(input, dim=-1, keepdim=True) + 1e-12
        return inputs, torch.linalg.vector_norm(self.weight, dim=1) + 1e-12

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        input_norm, weight_norm = self._norms(input)
        self.note("_weightNorm", weight_norm.unsqueeze(1))
        if input.dim() == 1:
            self.note("__norm", input_norm.item() if numbers_known(input_norm) else None)
        else:
            self.note("_inputNorm", input_norm)
        return input @ self.weight.t() / weight_norm / input_norm

    def updateOutput(self, input: Any) -> Any:
        return self.noted(super().updateOutput, input)

    def _noted_norms(self, input: torch.Tensor) -> tuple[torch.Tensor | float, torch.Tensor]:
        """Those of the last forward, whatever the parameters are by now: ``||x||``, and ``||w||`` as a row."""
        self._check(input)
        of_input = self.get_field("__norm" if input.dim() == 1 else "_inputNorm")
        of_weight = self.get_field("_weightNorm")
        if of_input is None or of_weight is None or not of_weight.numel():
            input_norm, weight_norm = self._norms(input.data)
            return input_norm, weight_norm.data
        return of_input, of_weight.view(-1)

    # dy_j/dx = (w_j / ||w_j|| - y_j x / ||x||) / ||x||, and dy_j/dw_j is the same with x and w_j exchanged.

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        input_norm, weight_norm = self._noted_norms(input)
        gradOutput = self._gradient_for(input, gradOutput)
        along = (gradOutput * self.output).sum(-1, keepdim=True) * input.data / input_norm
        return (gradOutput / weight_norm @ self.weight.data - along) / input_norm

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        gradient = self.gradient("weight")
        if gradient is None:
            return
        single = input.dim() == 1
        input_norm, weight_norm = self._noted_norms(input)
        gradOutput = as_rows(self._gradient_for(input, gradOutput))
        weight_norm = weight_norm.unsqueeze(1)
        towards = gradOutput.t() @ (as_rows(input.data) / input_norm) / weight_norm
        sums = (gradOutput * as_rows(self.output)).sum(0).unsqueeze(1)
        shares = sums / weight_norm / weight_norm
        # ``accUpdateGradParameters`` lets the gradient be the weight itself.
        if single:
            gradient.add_(towards, alpha=scale)
            gradient.sub_(self.weight.data * shares)
        else:
            gradient.add_(towards - self.weight.data * shares)
