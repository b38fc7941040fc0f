"""SpatialClassifier: a classifier of vectors at each pixel."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.container import Sequential
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["SpatialClassifier"]


@layer("nn.SpatialClassifier", package="nnx", parts="one", keeps_rank=True)
class SpatialClassifier(Module):
    """``nn.SpatialClassifier([classifier])``: gives each pixel's planes to a module as one row of a batch.

    Shapes: ``(planes, h, w)`` -> ``(n, h, w)``, the classifier's being ``(batch, planes)`` -> ``(batch, n)``; with the
    field ``spatialOutput`` false the output is ``(h * w, n)``. The classifier is an empty ``nn.Sequential`` by default,
    to which ``m:add(module)`` adds.
    """

    exact_gradient = True

    traced = False
    links: ClassVar[tuple[str, ...]] = ("classifier",)
    fields: ClassVar[tuple[str, ...]] = ("spatialOutput",)
    spatialOutput: bool = True

    def __init__(self, classifier: Module | None = None) -> None:
        super().__init__()
        self._modules["classifier"] = Sequential() if classifier is None else classifier
        self.spatialOutput = True

    def add(self, module: Module) -> None:
        """``m:add(module)``"""
        self.classifier.add(module)

    def child_list(self) -> list[Any]:
        classifier = self._modules.get("classifier")
        return [] if classifier is None else [classifier]

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != 1:
            raise TorchError(f"{self.class_name} holds one module, not {len(children)}")
        self._modules["classifier"] = children[0]

    def _rows(self, input: torch.Tensor) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.dim() != 3:
            actual = size_text(input) if isinstance(input, torch.Tensor) else "not a tensor"
            raise TorchError(f"{self.class_name}: the input must have 3 dimensions, not {actual}")
        return input.flatten(1).t().contiguous()

    def _planes(self, rows: torch.Tensor, input: torch.Tensor) -> torch.Tensor:
        return rows.t().reshape(-1, *input.shape[1:])

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        rows: torch.Tensor = self.classifier(self._rows(input))
        return self._planes(rows, input) if self.spatialOutput else rows

    def updateOutput(self, input: torch.Tensor) -> Any:
        rows = self.__dict__["_seen"] = self._rows(input.data)
        output = self.classifier.updateOutput(rows)
        return self.keep_output(self._planes(output, input) if self.spatialOutput else output, rows)

    def _both(self, input: torch.Tensor, gradOutput: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The classifier's input, that of the last forward where it is the same, and its gradient."""
        rows = self._rows(input.data)
        seen = self.__dict__.get("_seen")
        if seen is not None and torch.equal(seen, rows):
            rows = seen
        gradient = gradient_of(self, gradOutput, self.output.shape)
        return rows, gradient.flatten(1).t().contiguous() if self.spatialOutput else gradient

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return self._planes(self.classifier.updateGradInput(*self._both(input, gradOutput)), input)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        self.classifier.accGradParameters(*self._both(input, gradOutput), scale)

    def zeroGradParameters(self) -> None:
        self.classifier.zeroGradParameters()

    def updateParameters(self, learningRate: float) -> None:
        self.classifier.updateParameters(learningRate)

    def torch7_parameters(self) -> Any:
        """As in the original nothing: only zeroGradParameters and updateParameters reach the classifier's."""
        return None

    def clearState(self) -> Module:
        self.__dict__.pop("_seen", None)
        self.classifier.clearState()
        return super().clearState()
