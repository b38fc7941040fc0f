"""Tables taken apart and put together: JoinTable, SplitTable, SelectTable, NarrowTable, FlattenTable, ZipTable."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import axis, exact_table, gradient_of, gradients_of, size_text, table, tensors
from torch7py.nn.base import Module
from torch7py.nn.object import TorchObject
from torch7py.nn.registry import layer
from torch7py.nn.shape import long_storage
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older

__all__ = [
    "FlattenTable",
    "JoinTable",
    "NarrowTable",
    "SelectTable",
    "SplitTable",
    "ZipTable",
    "ZipTableOneToMany",
    "joined",
]


def joined(owner: TorchObject, parts: list[torch.Tensor], dim: int) -> torch.Tensor:
    """Tensors one after the other along a dimension, in the type of their owner.

    The original copies each into its place, which asks for as many elements and not for the same sizes: (4, 8) joins
    (4, 10, 1, 1) along dimension 2.
    """
    first = parts[0]
    fitting = []
    for number, part in enumerate(parts, 1):
        sizes = list(first.shape)
        sizes[dim] = part.shape[dim] if dim < part.dim() else 0
        if part.numel() != math.prod(sizes) or (part.numel() == 0) != (first.numel() == 0):
            raise TorchError(
                f"{owner.class_name}: part {number} is {size_text(part)}, the first {size_text(first)}, "
                f"joined along dimension {dim + 1}"
            )
        fitting.append(part.to(owner.number_type.dtype).reshape(sizes))
    return torch.cat(fitting, dim)


def zeros_like(value: Any) -> Any:
    """Zeros in the nesting of a value; what is not a tensor falls away from a table with keys."""
    if isinstance(value, list):
        return [zeros_like(item) for item in value]
    if isinstance(value, Mapping):
        return {
            key: zeros_like(item)
            for key, item in value.items()
            if isinstance(item, (torch.Tensor, list, dict))
        }
    return torch.zeros_like(value, memory_format=torch.contiguous_format)


def copied(value: Any) -> Any:
    """Copies in the nesting of a value."""
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value.clone(memory_format=torch.contiguous_format)


class Passing(Module):
    """The base of layers that hand on tensors as they are, in tables of their own.

    The tensors belong to others, so ``clearState`` lets go of them and empties none.
    """

    traced = False

    def __init__(self) -> None:
        super().__init__()
        self.keep_list("output", [])
        self.keep_list("gradInput", [])

    def keep_output(self, value: Any, input: Any = None) -> Any:
        return self.keep_list("output", value)

    def keep_grad_input(self, value: Any, gradOutput: Any = None) -> Any:
        return self.keep_list("gradInput", value)

    def clearState(self) -> Module:
        for name in ("output", "gradInput"):
            is_tensor = isinstance(self.__dict__[name], torch.Tensor)
            self.__dict__[name] = self.new() if is_tensor else []
        return self


@layer("nn.JoinTable", takes="table")
class JoinTable(Module):
    """``nn.JoinTable(dim[, nInputDims])``: the tensors of a table one after the other along a dimension.

    Shapes: a table of tensors that differ in that dimension at most -> one tensor, of the layer's type. A
    dimension below 0 counts from the end; tensors with ``nInputDims + 1`` dimensions are batches, which dim does
    not count.
    """

    emptied_by_type = ("gradInput",)
    exact_gradient = True

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("size", "dimension", "nInputDims")
    nInputDims: int | None = None

    def __init__(self, dimension: int, nInputDims: int | None = None) -> None:
        super().__init__()
        self.size = long_storage()
        self.dimension = dimension
        self.nInputDims = nInputDims
        self.keep_list("gradInput", [])

    def forward(self, input: Any) -> torch.Tensor:
        parts = tensors(self, input)
        return joined(self, parts, axis(self, self.dimension, parts[0], self.nInputDims))

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        parts = tensors(self, input)
        dim = axis(self, self.dimension, parts[0], self.nInputDims)
        lengths = [part.shape[dim] for part in parts]
        sizes = list(parts[0].shape)
        sizes[dim] = sum(lengths)
        pieces = torch.split(gradient_of(self, gradOutput, sizes), lengths, dim)
        return [
            torch.empty_like(part, memory_format=torch.contiguous_format).copy_(piece.reshape(part.shape))
            for part, piece in zip(parts, pieces, strict=True)
        ]


@layer("nn.SplitTable", gives="table", shares_memory=True)
class SplitTable(Module):
    """``nn.SplitTable(dim[, nInputDims])``: the slices along a dimension as a table.

    Shapes: a tensor -> a table of as many tensors as dimension dim has, without it; they are on the input's memory.
    A vector gives a table of numbers, through which nothing goes back; ``forward`` from Python gives tensors without
    dimensions. A dimension below 0 counts from the end; an input with ``nInputDims + 1`` dimensions is a batch, which
    dim does not count.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("dimension", "nInputDims")
    nInputDims: int | None = None

    def __init__(self, dimension: int, nInputDims: int | None = None) -> None:
        super().__init__()
        self.dimension = dimension
        self.nInputDims = nInputDims

    def forward(self, input: torch.Tensor) -> list[torch.Tensor]:
        return list(input.unbind(axis(self, self.dimension, input, self.nInputDims)))

    def updateOutput(self, input: torch.Tensor) -> Any:
        if input.dim() != 1:
            return super().updateOutput(input)
        axis(self, self.dimension, input, self.nInputDims)
        self.__dict__["output"] = input.tolist()
        return self.output

    def keep_output(self, value: Any, input: Any = None) -> Any:
        """A new table each time: a script may split two tensors with one layer and use both tables."""
        self.__dict__["output"] = None
        return super().keep_output(value, input)

    def grad_input(self, input: torch.Tensor, gradOutput: Any) -> torch.Tensor:
        dim = axis(self, self.dimension, input, self.nInputDims)
        if input.dim() == 1:
            raise TorchError(f"{self.class_name}: the numbers of a vector have no gradient")
        return torch.stack(gradients_of(self, gradOutput, self.forward(input)), dim)


@layer("nn.SelectTable", takes="table", gives="any", shares_memory=True)
class SelectTable(Module):
    """``nn.SelectTable(index)``: one entry of a table, as it is.

    A number below 0 counts from the end; a string selects by key. The gradients of the other entries are zeros.

    Shapes: a table of anything -> one of its entries.
    """

    emptied_by_type = ("output", "gradInput")
    traced = False
    fields: ClassVar[tuple[str, ...]] = ("index",)

    def __init__(self, index: int | str) -> None:
        super().__init__()
        self.index = index
        self.keep_list("gradInput", [])

    def _key(self, input: Any) -> Any:
        """The key in Python's table: 0-based in a list."""
        key: Any = self.index
        if isinstance(input, list) and isinstance(key, (int, float)):
            key = int(key) + len(input) if key < 0 else int(key) - 1
            is_inside = 0 <= key < len(input)
        else:
            is_inside = isinstance(input, Mapping) and key in input
        if not is_inside:
            raise TorchError(f"{self.class_name}: the input has no entry {self.index}")
        return key

    def forward(self, input: Any) -> Any:
        return input[self._key(input)]

    def keep_output(self, value: Any, input: Any = None) -> Any:
        self.__dict__["output"] = value
        return value

    def grad_input(self, input: Any, gradOutput: Any) -> Any:
        key = self._key(input)
        gradient = zeros_like(input)
        if isinstance(input[key], torch.Tensor):
            gradient_of(self, gradOutput, input[key].shape)
            gradient[key] = gradOutput.clone(memory_format=torch.contiguous_format)
        else:
            gradient[key] = copied(gradOutput)
        return gradient

    def keep_grad_input(self, value: Any, gradOutput: Any = None) -> Any:
        if isinstance(value, list):
            return self.keep_results("gradInput", value)
        self.__dict__["gradInput"] = value
        return value

    def clearState(self) -> Module:
        # The output is another layer's: let go of it.
        self.__dict__["output"] = [] if isinstance(self.output, list) else self.new()
        self.__dict__["gradInput"] = []
        return self

    def describe(self) -> str:
        return self.class_name if older("SelectTable text") else f"{self.class_name}({self.index})"


@layer("nn.NarrowTable", takes="table", gives="table", shares_memory=True)
class NarrowTable(Passing):
    """``nn.NarrowTable(offset[, length])``: length (1) entries of a table from number offset on, as they are.

    Where the table ends before, the output is shorter. The gradients of the other entries are zeros.

    Shapes: a table of anything -> a table of length entries.
    """

    emptied_by_type = ("output", "gradInput")
    fields: ClassVar[tuple[str, ...]] = ("offset", "length")

    def __init__(self, offset: int, length: int = 1) -> None:
        super().__init__()
        self.offset = offset
        self.length = length

    def _range(self, input: Any) -> tuple[int, int]:
        entries = table(self, input)
        first, last = int(self.offset) - 1, int(self.offset + self.length) - 1
        if not 0 <= first <= last:
            raise TorchError(f"{self.class_name}: {self.length} entries from number {self.offset} on")
        return min(first, len(entries)), min(last, len(entries))

    def forward(self, input: Any) -> list[Any]:
        first, last = self._range(input)
        return list(input[first:last])

    def grad_input(self, input: Any, gradOutput: Any) -> list[Any]:
        first, last = self._range(input)
        gradients = table(self, gradOutput, last - first, "gradOutput")
        return [*self._zeros(input, 0, first), *gradients, *self._zeros(input, last, len(input))]

    def _zeros(self, input: Any, first: int, last: int) -> list[Any]:
        """The gradients of these entries, which are this layer's own and stay the same objects."""
        held = self.gradInput if isinstance(self.gradInput, list) else []
        return [
            self._settled(f"gradInput/{n + 1}", held[n] if n < len(held) else None, zeros_like(input[n]))
            for n in range(first, last)
        ]


@layer("nn.FlattenTable", takes="table", gives="table", shares_memory=True)
class FlattenTable(Passing):
    """``nn.FlattenTable()``: the tensors of a nested table in one flat table, depth first, as they are.

    The output is the same table as before where the input holds the same tensors, else a new one. ``input_map`` has the
    nesting of the input and in it the numbers of the entries.

    Shapes: tables of tensors and tables, to any depth -> a table of tensors.
    """

    cleared_by_type = True
    new_lists = ("gradInput",)

    fields: ClassVar[tuple[str, ...]] = ("input_map",)

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["input_map"] = []

    def forward(self, input: Any) -> list[Any]:
        return list(_leaves(table(self, input)))

    def updateOutput(self, input: Any) -> Any:
        leaves, numbers = self.forward(input), itertools.count(1)
        input_map = _in_nesting(input, numbers)
        held = self.output
        same = isinstance(held, list) and len(held) == len(leaves) and input_map == self.input_map
        if not same or any(a is not b for a, b in zip(held, leaves, strict=True)):
            self.__dict__.update(output=leaves, input_map=input_map)
        return self.output

    def grad_input(self, input: Any, gradOutput: Any) -> Any:
        count = sum(1 for _ in _leaves(table(self, input)))
        return _in_nesting(input, iter(table(self, gradOutput, count, "gradOutput")))


def _in_nesting(value: Any, entries: Iterator[Any]) -> Any:
    """Entries one after the other, in the nesting of a value."""
    return [_in_nesting(item, entries) for item in value] if isinstance(value, list) else next(entries)


def _leaves(value: Any) -> Any:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


@layer("nn.ZipTable", takes="table", gives="table", shares_memory=True)
class ZipTable(Passing):
    """``nn.ZipTable()``: ``{{a1, a2}, {b1, b2}, {c1, c2}}`` -> ``{{a1, b1, c1}, {a2, b2, c2}}``."""

    def _zipped(self, value: Any, what: str) -> list[Any]:
        entries = table(self, value, what=what)
        if not all(isinstance(entry, list) and len(entry) == len(entries[0]) for entry in entries):
            raise TorchError(
                f"{self.class_name}: the entries of the {what} must be tables of the same length"
            )
        return [list(group) for group in zip(*entries, strict=True)]

    def forward(self, input: Any) -> list[Any]:
        return self._zipped(input, "input")

    def updateOutput(self, input: Any) -> Any:
        self.__dict__["output"] = None  # a new table each time
        return super().updateOutput(input)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        if self.gradInput is not None:
            self.__dict__["gradInput"] = []
        return super().updateGradInput(input, gradOutput)

    def grad_input(self, input: Any, gradOutput: Any) -> list[Any]:
        return self._zipped(gradOutput, "gradOutput")


@layer("nn.ZipTableOneToMany", takes="table", gives="table", shares_memory=True)
class ZipTableOneToMany(Passing):
    """``nn.ZipTableOneToMany()``: ``{v, {a, b, c}}`` -> ``{{v, a}, {v, b}, {v, c}}``, v a tensor."""

    fields: ClassVar[tuple[str, ...]] = ("gradInputEl",)
    new_lists = ("output", "gradInput")

    def __init__(self) -> None:
        super().__init__()
        self.keep("gradInputEl", self.new())

    def _parts(self, input: Any) -> tuple[torch.Tensor, list[Any]]:
        one, many = exact_table(self, input, 2)
        if not isinstance(one, torch.Tensor):
            raise TorchError(f"{self.class_name}: the first entry of the input must be a tensor")
        return one, table(self, many)

    def forward(self, input: Any) -> list[Any]:
        one, many = self._parts(input)
        return [[one, other] for other in many]

    def grad_input(self, input: Any, gradOutput: Any) -> list[Any]:
        one, many = self._parts(input)
        pairs = table(self, gradOutput, len(many), "gradOutput")
        total = torch.zeros_like(one, memory_format=torch.contiguous_format)
        for pair in pairs:
            total.add_(gradient_of(self, table(self, pair, 2, "gradOutput")[0], one.shape))
        return [self.keep("gradInputEl", total, is_result=True), [pair[1] for pair in pairs]]
