"""Parts of a tensor by number: Select, Narrow, Index, MaskedSelect; and numbers as vectors: OneHot."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import as_shape, axis, gradient_of, rows, size_text, tensors
from torch7py.nn.base import Module
from torch7py.nn.registry import layer
from torch7py.ops import memory, types
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older

__all__ = ["Index", "MaskedSelect", "Narrow", "OneHot", "Select"]


@layer("nn.Select")
class Select(Module):
    """``nn.Select(dim, index)``: one slice along a dimension; both count from the end below 0.

    Shapes: the input's without dimension dim, of which a vector has too few. The output is a copy.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("dimension", "index")

    def __init__(self, dimension: int, index: int) -> None:
        super().__init__()
        self.dimension = dimension
        self.index = index

    def _slice(self, tensor: torch.Tensor) -> torch.Tensor:
        """The slice as a view, its dimension kept."""
        dim = axis(self, self.dimension, tensor)
        if tensor.dim() == 1:
            raise TorchError(
                f"nn.Select: the input of {size_text(tensor)} is a vector, whose elements are numbers; "
                "a matrix is needed at least"
            )
        size = tensor.shape[dim]
        index = int(self.index)
        start = size + index if index < 0 else index - 1
        if not 0 <= start < size:
            raise TorchError(f"nn.Select: index {self.index} out of range 1 to {size}")
        return tensor.narrow(dim, start, 1)

    def viewed(self, tensor: torch.Tensor) -> torch.Tensor:
        """The slice as a view."""
        return self._slice(tensor).squeeze(axis(self, self.dimension, tensor))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self.viewed(input).clone(memory_format=torch.contiguous_format)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient = input.new_zeros(input.shape)
        part = self._slice(gradient)
        part.copy_(gradient_of(self, gradOutput, part.shape))
        return gradient


@layer("nn.Narrow", keeps_rank=True)
class Narrow(Module):
    """``nn.Narrow(dim, offset[, length])``: length (1) slices along a dimension, from number offset on.

    A dimension below 0 counts from the end. A length below 0 ends so many from the end, -1 at the last. An offset
    below 0 means all but as many slices as the length comes to. The output is a copy.

    Shapes: any; in the output dimension dim has size length.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("dimension", "index", "length")

    def __init__(self, dimension: int, offset: int, length: int = 1) -> None:
        super().__init__()
        self.dimension = dimension
        self.index = offset
        self.length = length

    def viewed(self, tensor: torch.Tensor) -> torch.Tensor:
        """The slices as a view."""
        dim = axis(self, self.dimension, tensor)
        size = tensor.shape[dim]
        index, length = int(self.index), int(self.length)
        if length < 0:
            length += size - index + 2
        if index < 0:
            index, length = 1, size - length
        if not (index >= 1 and 1 <= length <= size - index + 1):
            raise TorchError(f"nn.Narrow: {length} slices from number {index} on, there are {size}")
        return tensor.narrow(dim, index - 1, length)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self.viewed(input).clone(memory_format=torch.contiguous_format)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient = input.new_zeros(input.shape)
        part = self.viewed(gradient)
        part.copy_(gradient_of(self, gradOutput, part.shape))
        return gradient


@layer("nn.Index", takes="table")
class Index(Module):
    """``nn.Index(dim)``: the slices along a dimension that a vector of numbers names.

    Shapes: ``{tensor, indices (n)}`` -> the tensor's with n in dimension dim. The indices count from 1, one may
    come several times; their gradient is zeros.
    """

    exact_gradient = True

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("dimension",)

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension
        self.keep_list("gradInput", [self.new()] if older("Index gradient") else [self.new(), self.new()])

    def _arguments(self, input: Any) -> tuple[torch.Tensor, int, torch.Tensor]:
        tensor, indices = tensors(self, input, 2)
        if indices.dim() != 1:
            raise TorchError(f"nn.Index: the indices must be a vector, not {size_text(indices)}")
        dim = axis(self, self.dimension, tensor)
        return tensor, dim, rows(self, indices, tensor.shape[dim])

    def forward(self, input: Any) -> torch.Tensor:
        tensor, dim, numbers = self._arguments(input)
        return tensor.index_select(dim, numbers)

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        tensor, dim, numbers = self._arguments(input)
        sizes = list(tensor.shape)
        sizes[dim] = len(numbers)
        gradient = tensor.new_zeros(tensor.shape)
        gradient.index_add_(dim, numbers, gradient_of(self, gradOutput, sizes))
        return [gradient] if older("Index gradient") else [gradient, tensor.new_zeros(input[1].shape)]

    def clearState(self) -> Module:
        for part in self.gradInput:
            memory.point_at(part, part.new_empty(0).untyped_storage(), 0, (0,), (1,))
        self.clear("output")
        return self


@layer("nn.MaskedSelect", takes="table")
class MaskedSelect(Module):
    """``nn.MaskedSelect()``: the elements of a tensor where a mask is 1.

    Shapes: ``{tensor, mask}``, the mask a ByteTensor with as many elements -> ``(n)``. The mask's gradient is
    zeros. The number of elements depends on the mask's values, so there is no such layer on the meta device.
    """

    exact_gradient = True
    new_lists = ("gradInput",)

    traced = False
    fields: ClassVar[tuple[str, ...]] = (
        "_maskIndices",
        "_maskIndexBuffer",
        "_maskIndexBufferCPU",
        "_gradBuffer",
        "_gradMask",
    )

    def __init__(self) -> None:
        super().__init__()
        for name, kind in zip(self.fields, ("Long", "Long", "Float", None, "Byte"), strict=True):
            number_type = self.number_type if kind is None else types.BY_NAME[kind]
            self.__dict__[name] = self.new().to(number_type.dtype)

    def _arguments(self, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
        tensor, mask = tensors(self, input, 2)
        return tensor, as_shape(self, mask, tensor.shape).bool()

    def forward(self, input: Any) -> torch.Tensor:
        tensor, mask = self._arguments(input)
        return tensor.masked_select(mask)

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        tensor, mask = self._arguments(input)
        gradient = gradient_of(self, gradOutput, self.output.shape)
        return [tensor.new_zeros(tensor.shape).masked_scatter_(mask, gradient), torch.zeros_like(input[1])]

    def clearState(self) -> Module:
        self.clear("output", "gradInput", *self.fields)
        return self


@layer("nn.OneHot", items="outputSize")
class OneHot(Module):
    """``nn.OneHot(outputSize)``: each number i, counted from 1, as a vector of zeros with a 1 at i.

    Shapes: ``(...)`` of any number type -> ``(..., outputSize)`` of the layer's; a Lua number -> ``(outputSize)``.
    The gradient is zeros.
    """

    traced = False
    cleared_by_type = True
    fields: ClassVar[tuple[str, ...]] = ("outputSize",)

    def __init__(self, outputSize: int) -> None:
        super().__init__()
        self.outputSize = outputSize

    def forward(self, input: torch.Tensor | float) -> torch.Tensor:
        if isinstance(input, (int, float)):
            input = torch.tensor(input, device=self.output.device)
        numbers = rows(self, input, self.outputSize)
        output = torch.zeros(*input.shape, int(self.outputSize), dtype=self.output.dtype, device=input.device)
        return output.scatter_(-1, numbers.unsqueeze(-1), 1)

    def updateGradInput(self, input: torch.Tensor | float, gradOutput: torch.Tensor) -> Any:
        if isinstance(input, (int, float)):
            return 0
        return super().updateGradInput(input, gradOutput)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient_of(self, gradOutput, (*input.shape, self.outputSize))
        return torch.zeros(input.shape, dtype=self.output.dtype, device=input.device)

    def clearState(self) -> Module:
        return self  # the results stay, as in the original
