"""Containers whose children's outputs are joined along a dimension: Concat, DepthConcat, Parallel."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import axis, gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.container import Container, add_up, like
from torch7py.nn.registry import layer
from torch7py.nn.shape import long_storage
from torch7py.nn.table import joined
from torch7py.ops.errors import TorchError

__all__ = ["Concat", "DepthConcat", "Parallel"]


@layer("nn.Concat", takes="any", gives="tensor", parts="branches")
class Concat(Container):
    """``nn.Concat(dim)``: the same input to every module, their outputs joined along dimension dim.

    Shapes: the outputs may differ in that dimension alone. Programs leave ``dim`` out where they only collect modules.
    """

    exact_gradient = True

    fields: ClassVar[tuple[str, ...]] = ("outputSize", "dimension")

    def __init__(self, dimension: int | None = None) -> None:
        super().__init__()
        self.outputSize = long_storage()
        self.dimension = dimension

    def join(self, outputs: list[torch.Tensor]) -> torch.Tensor:
        """The children's outputs as one tensor."""
        if not outputs:
            raise TorchError(f"{self.class_name} holds no module")
        return joined(self, outputs, axis(self, self.dimension, outputs[0]))

    def parts(self, gradOutput: torch.Tensor) -> list[tuple[Any, torch.Tensor]]:
        """Each child with its part of a gradient."""
        children = self.callees()
        dim = axis(self, self.dimension, gradOutput)
        lengths = [child.output.shape[dim] for child in children]
        sizes = list(children[0].output.shape)
        sizes[dim] = sum(lengths)
        gradient = gradient_of(self, gradOutput, sizes)
        return list(zip(children, torch.split(gradient, lengths, dim), strict=True))

    def forward(self, input: Any) -> torch.Tensor:
        return self.join([module(input) for module in self.child_list()])

    def updateOutput(self, input: Any) -> torch.Tensor:
        outputs = [module.updateOutput(input) for module in self.callees()]
        return self.keep_output(self.join([output.data for output in outputs]), outputs)

    def updateGradInput(self, input: Any, gradOutput: torch.Tensor) -> Any:
        return self._sum(input, [module.updateGradInput(input, g) for module, g in self.parts(gradOutput)])

    def backward(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> Any:
        return self._sum(input, [module.backward(input, g, scale) for module, g in self.parts(gradOutput)])

    def accGradParameters(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> None:
        for module, gradient in self.parts(gradOutput):
            module.accGradParameters(input, gradient, scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: torch.Tensor, lr: float) -> None:
        for module, gradient in self.parts(gradOutput):
            module.accUpdateGradParameters(input, gradient, lr)

    def _sum(self, input: Any, gradients: list[Any]) -> Any:
        """The sum of the children's gradients, in the input's sizes; a child that gives none is left out."""
        present = [gradient for gradient in gradients if gradient is not None]
        if not present:
            return self.set_grad_input(None)
        total = add_up(self, present)
        if isinstance(total, list):
            return self.keep_grad_input(total, present)
        whole = like(self, total, input) if isinstance(input, torch.Tensor) else total
        return self.keep_grad_input(whole, present)

    def describe(self) -> str:
        return self._branches()


@layer("nn.DepthConcat")
class DepthConcat(Concat):
    """``nn.DepthConcat(dim)``: as ``nn.Concat``, but in the other dimensions the outputs may differ too.

    A smaller output lies in the middle of the largest size, with zeros around it. In Torch7 the scale of a
    ``backward`` does not reach the children: it is 1 there.
    """

    exact_gradient = True

    def _windows(self, whole: torch.Tensor, shapes: list[torch.Size], dim: int) -> list[torch.Tensor]:
        """The part of the joined tensor that belongs to each output."""
        windows, start = [], 0
        for shape in shapes:
            window = whole.narrow(dim, start, shape[dim])
            start += shape[dim]
            for d, size in enumerate(shape):
                if d != dim:
                    window = window.narrow(d, (whole.shape[d] - size) // 2, size)
            windows.append(window)
        return windows

    def _size(self, shapes: list[torch.Size], dim: int) -> list[int]:
        if len({len(shape) for shape in shapes}) > 1:
            raise TorchError(f"{self.class_name}: the outputs have different numbers of dimensions")
        sizes = [max(shape[d] for shape in shapes) for d in range(len(shapes[0]))]
        sizes[dim] = sum(shape[dim] for shape in shapes)
        return sizes

    def join(self, outputs: list[torch.Tensor]) -> torch.Tensor:
        if not outputs:
            raise TorchError(f"{self.class_name} holds no module")
        dim = axis(self, self.dimension, outputs[0])
        whole = self._size([output.shape for output in outputs], dim)
        padded = []
        for output in outputs:
            margins: list[int] = []  # before and after, the last dimension first
            for d in reversed(range(output.dim())):
                missing = 0 if d == dim else whole[d] - output.shape[d]
                margins += [missing // 2, missing - missing // 2]
            padded.append(F.pad(output, margins))
        return joined(self, padded, dim)

    def parts(self, gradOutput: torch.Tensor) -> list[tuple[Any, torch.Tensor]]:
        children = self.callees()
        dim = axis(self, self.dimension, gradOutput)
        shapes = [child.output.shape for child in children]
        gradient = gradient_of(self, gradOutput, self._size(shapes, dim))
        return list(zip(children, self._windows(gradient, shapes, dim), strict=True))

    def backward(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> Any:
        return super().backward(input, gradOutput, 1)


@layer("nn.Parallel", parts="slices")
class Parallel(Container):
    """``nn.Parallel(inputDim, outputDim)``: the i-th slice of the input to the i-th module, the outputs joined.

    Shapes: an input with at most as many slices along inputDim as there are modules; outputs that differ in
    dimension outputDim alone. Programs leave both out where they only collect modules, for ``getParameters`` say.
    """

    exact_gradient = True

    fields: ClassVar[tuple[str, ...]] = ("inputDimension", "outputDimension", "totalOutputSize")

    def __init__(self, inputDimension: int | None = None, outputDimension: int | None = None) -> None:
        super().__init__()
        self.inputDimension = inputDimension
        self.outputDimension = outputDimension

    def _slices(self, input: torch.Tensor) -> list[tuple[Any, torch.Tensor]]:
        """Each module that has a slice, with it."""
        dim = axis(self, self.inputDimension, input)
        slices = input.unbind(dim) if input.dim() > 1 else torch.split(input, 1)
        children = self.callees()
        if len(slices) > len(children):
            raise TorchError(
                f"{self.class_name}: {len(slices)} slices of {size_text(input)} for {len(children)} modules"
            )
        return list(zip(children, slices, strict=False))

    def _join(self, outputs: list[torch.Tensor]) -> torch.Tensor:
        return joined(self, outputs, axis(self, self.outputDimension, outputs[0]))

    def _parts(self, input: torch.Tensor, gradOutput: torch.Tensor) -> list[tuple[Any, Any, torch.Tensor]]:
        """Each of these modules with its slice of the input and its part of a gradient."""
        pairs = self._slices(input)
        dim = axis(self, self.outputDimension, gradOutput)
        lengths = [module.output.shape[dim] for module, _ in pairs]
        sizes = list(pairs[0][0].output.shape)
        sizes[dim] = sum(lengths)
        gradients = torch.split(gradient_of(self, gradOutput, sizes), lengths, dim)
        return [(module, part, g) for (module, part), g in zip(pairs, gradients, strict=True)]

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self._join([module(part) for module, part in self._slices(input)])

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        outputs = [module.updateOutput(part) for module, part in self._slices(input)]
        return self.keep_output(self._join([output.data for output in outputs]), outputs)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradients = []
        for module, part, gradient in self._parts(input, gradOutput):
            part_gradient = module.updateGradInput(part, gradient)
            gradients.append(
                torch.zeros_like(part) if part_gradient is None else part_gradient.reshape(part.shape)
            )
        if input.dim() == 1:
            return torch.cat(gradients)
        return torch.stack(gradients, axis(self, self.inputDimension, input))

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        for module, part, gradient in self._parts(input, gradOutput):
            module.accGradParameters(part, gradient, scale)

    def accUpdateGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, lr: float) -> None:
        for module, part, gradient in self._parts(input, gradOutput):
            module.accUpdateGradParameters(part, gradient, lr)

    def clearState(self) -> Module:
        self.__dict__.pop("totalOutputSize", None)
        return super().clearState()

    def describe(self) -> str:
        return self._branches()
