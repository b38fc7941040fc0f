"""Layers of fbcunn: batch normalization as of 2014, half precision, and models that are divided among GPUs."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import argument_text, axis, gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.container import Container
from torch7py.nn.normalization import BatchNormalization, SpatialBatchNormalization
from torch7py.nn.registry import layer
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.packages.cutorch.settings import check_device

__all__ = [
    "AbstractParallel",
    "DataParallel",
    "FacebookBatchNormalization",
    "FacebookSpatialBatchNormalization",
    "HalfPrecision",
    "ModelParallel",
]


class _OfInverse(BatchNormalization):
    """A batch normalization whose running statistic is 1 / standard deviation, ``running_std``.

    The original has it on the GPU only. Here it is moved to the GPU where there is one.
    """

    torch7_parent = "nn.Module"

    def __init__(
        self, nOutput: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool | None = True
    ) -> None:
        super().__init__(nOutput, eps, momentum, affine)
        ones = self._buffers.pop("running_var", None)
        if ones is not None:
            self._buffers["running_std"] = ones
        if state.current().gpu is not None:
            self.torch7_cuda()

    def describe(self) -> str:
        return self.class_name


@layer("fbnn.BatchNormalization", package="fbcunn")
class FacebookBatchNormalization(_OfInverse):
    """``fbnn.BatchNormalization(nOutput[, eps, momentum, affine])``: ``nn.BatchNormalization`` whose running
    statistic is that of 1 / standard deviation. Shapes are those of that layer. There is no backward in evaluation.
    """


@layer("fbnn.SpatialBatchNormalization", package="fbcunn")
class FacebookSpatialBatchNormalization(_OfInverse, SpatialBatchNormalization):
    """``fbnn.SpatialBatchNormalization(nOutput[, eps, momentum, affine])``: ``nn.SpatialBatchNormalization`` whose
    running statistic is that of 1 / standard deviation. Shapes are those of that layer. There is no backward in
    evaluation.
    """

    torch7_parent = "nn.Module"


@layer("nn.HalfPrecision", package="fbcunn", keeps_rank=True)
class HalfPrecision(Module):
    """``nn.HalfPrecision()``: each number, and each gradient, rounded to half precision. Any shape."""

    traced = False

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.half().to(input.dtype)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return gradient_of(self, gradOutput, input.shape).half().to(input.dtype)


@layer("nn.AbstractParallel", package="fbcunn")
class AbstractParallel(Container):
    """``nn.AbstractParallel(dimension)``: modules on separate GPUs, whose outputs are joined along a dimension.

    ``m:add(module[, gpu])`` gives the module and its GPU's number. Here all modules are where the program's tensors
    are.
    """

    fields: ClassVar[tuple[str, ...]] = ("gpu_assignments", "dimension", "container_gpuid", "size")
    dimension: Any

    def __init__(self, dimension: int) -> None:
        if not isinstance(dimension, (int, float)) or isinstance(dimension, bool):
            raise TorchError(f"{self.torch7_name}: the dimension must be a number")
        super().__init__()
        self.__dict__.update(dimension=dimension, gpu_assignments=[], container_gpuid=1)

    def add(self, module: Any = None, gpuid: float | None = None) -> Any:
        """``m:add(module[, gpu])``"""
        if gpuid is not None:
            check_device(gpuid, f"{self.class_name}:add")
        super().add(module)
        self.gpu_assignments.append(1 if gpuid is None else gpuid)
        return self

    def parts_of_input(self, input: torch.Tensor) -> list[torch.Tensor]:
        """The input of each module."""
        raise TorchError(f"{self.class_name}: an abstract class")

    def joined_gradients(self, input: torch.Tensor, gradients: list[torch.Tensor]) -> torch.Tensor:
        """gradInput of those of the modules."""
        raise TorchError(f"{self.class_name}: an abstract class")

    def mix(self) -> None:
        """Combine the modules' gradients after a backward."""

    def _modules_and_parts(self, input: torch.Tensor) -> list[tuple[Any, torch.Tensor]]:
        children = self.child_list()
        if not children or not isinstance(input, torch.Tensor):
            raise TorchError(f"{self.class_name}: modules and a tensor expected, not {argument_text(input)}")
        return list(zip(children, self.parts_of_input(input), strict=True))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        outputs = [module(part) for module, part in self._modules_and_parts(input)]
        return torch.cat(outputs, axis(self, self.dimension, outputs[0]))

    def updateOutput(self, input: torch.Tensor) -> Any:
        pairs = self.__dict__["_parts"] = self._modules_and_parts(input)
        outputs = [module.updateOutput(part) for module, part in pairs]
        return self.keep("output", torch.cat(outputs, axis(self, self.dimension, outputs[0])))

    def _backward_of(self, input: torch.Tensor, gradOutput: torch.Tensor) -> list[tuple[Any, Any, Any]]:
        """Each module, its input and its gradient."""
        pairs = self.__dict__.get("_parts") or self._modules_and_parts(input)
        sizes = [module.output.shape[axis(self, self.dimension, module.output)] for module, _ in pairs]
        dim = axis(self, self.dimension, gradOutput)
        if sum(sizes) != gradOutput.shape[dim]:
            raise TorchError(
                f"{self.class_name}: gradOutput is {size_text(gradOutput)}, the output {size_text(self.output)}"
            )
        gradients = torch.split(gradOutput, sizes, dim)
        return [(m, part, g.contiguous()) for (m, part), g in zip(pairs, gradients, strict=True)]

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        gradients = [
            module.updateGradInput(part, g) for module, part, g in self._backward_of(input, gradOutput)
        ]
        return (
            None
            if self.gradInput is None
            else self.keep("gradInput", self.joined_gradients(input, gradients))
        )

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        for module, part, gradient in self._backward_of(input, gradOutput):
            module.accGradParameters(part, gradient, scale)
        self.mix()

    def backward(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> Any:
        triples = self._backward_of(input, gradOutput)
        gradients = [module.backward(part, gradient, scale) for module, part, gradient in triples]
        self.mix()
        return (
            None
            if self.gradInput is None
            else self.keep("gradInput", self.joined_gradients(input, gradients))
        )

    def clearState(self) -> Any:
        self.__dict__.pop("_parts", None)
        return super().clearState()

    def title(self) -> str:
        return self.class_name.removeprefix("nn.")


@layer("nn.DataParallel", package="fbcunn", parts="one")
class DataParallel(AbstractParallel):
    """``nn.DataParallel(dimension)``: the same model several times, each for a part of the batch.

    Shapes: the modules', of which each gets as much along the dimension. After a backward the gradients of all are
    their sum.
    """

    def parts_of_input(self, input: torch.Tensor) -> list[torch.Tensor]:
        dim, count = axis(self, self.dimension, input), len(self.child_list())
        if input.shape[dim] % count:
            raise TorchError(
                f"{self.class_name}: {input.shape[dim]} inputs do not go evenly into {count} modules"
            )
        return [part.contiguous() for part in input.chunk(count, dim)]

    def joined_gradients(self, input: torch.Tensor, gradients: list[torch.Tensor]) -> torch.Tensor:
        return torch.cat(gradients, axis(self, self.dimension, input))

    def mix(self) -> None:
        listed = [module.parameter_pairs()[1] for module in self.child_list()]
        for gradients in zip(*listed, strict=True):
            total = torch.stack(list(gradients)).sum(0)
            for gradient in gradients:
                gradient.copy_(total)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise TorchError(f"{self.class_name} has no accUpdateGradParameters")

    def describe(self) -> str:
        children = self.child_list()
        return f"{self.title()}\n{children[0].describe() if children else ''}"


@layer("nn.ModelParallel", package="fbcunn", parts="branches", takes="tensor", gives="tensor")
class ModelParallel(AbstractParallel):
    """``nn.ModelParallel(dimension)``: parts of a model side by side, as ``nn.Concat``.

    Shapes: each module gets the whole input; the outputs are joined along the dimension. gradInput is the sum.
    """

    def parts_of_input(self, input: torch.Tensor) -> list[torch.Tensor]:
        return [input for _ in self.child_list()]

    def joined_gradients(self, input: torch.Tensor, gradients: list[torch.Tensor]) -> torch.Tensor:
        return torch.stack([gradient.reshape(input.shape) for gradient in gradients]).sum(0)

    def describe(self) -> str:
        text = f"{self.title()} {{\n  input"
        for number, (child, gpu) in enumerate(zip(self.child_list(), self.gpu_assignments, strict=False), 1):
            inner = child.describe().replace("\n", "\n    |    ")
            text += f"\n    |`-> ({number}) [gpu:{int(gpu)}] {inner}"
        return text + "\n     ... -> output\n}"
