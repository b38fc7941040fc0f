"""Other shapes of the same elements: View, Reshape and their kin, Transpose, Replicate, Padding, Contiguous."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import as_shape, axis, dims_of, gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.dense import dense
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops.dispatch.lenient import lua_number
from torch7py.ops.errors import TorchError
from torch7py.ops.memory import Storage
from torch7py.ops.quirks import older

__all__ = [
    "Collapse",
    "Contiguous",
    "Padding",
    "Replicate",
    "Reshape",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
    "View",
]


def long_storage(*numbers: int) -> Storage:
    """A LongStorage of these numbers, as layers keep sizes."""
    return Storage.of_sizes(tuple(map(int, numbers)))


def sizes_of(layer: Module, arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes that a script gives as numbers, which may be strings as everywhere in Lua, or as one LongStorage."""
    if len(arguments) == 1 and isinstance(arguments[0], Storage):
        return arguments[0].sizes()
    arguments = tuple(lua_number(size) if isinstance(size, str) else size for size in arguments)
    if not arguments or not all(isinstance(size, (int, float)) for size in arguments):
        raise TorchError(f"{layer.torch7_name}: the sizes must be numbers or a LongStorage")
    return tuple(int(size) for size in arguments)


class Reshaping(Module):
    """The base of layers that only change the shape: the gradient takes the input's.

    Torch7's are views, which what is not contiguous does not have; ``nn.Reshape`` copies that.
    """

    traced = False
    copies: ClassVar[bool] = False

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        if not self.copies and isinstance(gradOutput, torch.Tensor) and not gradOutput.is_contiguous():
            raise TorchError(f"{self.class_name}: gradOutput must be contiguous")
        return super().updateGradInput(input, gradOutput)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return gradient_of(self, gradOutput, input.shape)

    def contiguous_view(self, input: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        """The input in another shape. To a script its strides are as of a new tensor, where a size is 1 too."""
        view = as_shape(self, input, sizes)
        return dense(view) if self.noting else view


@layer("nn.View", shares_memory=True)
class View(Reshaping):
    """``nn.View(sizes...)``: the input's elements in another shape, of which one size may be -1.

    What has a multiple of the elements is a batch: ``(batch, ...)`` -> ``(batch, sizes...)``. With a -1 only
    ``setNumInputDims(n)`` can tell: the last n dimensions are one example, all before them the batch.
    The output is on the memory of the input.
    """

    fields: ClassVar[tuple[str, ...]] = ("size", "numElements", "numInputDims")
    lua_methods = names("resetSize setNumInputDims")
    numInputDims: int | None = None

    def __init__(self, *sizes: Any) -> None:
        super().__init__()
        self.resetSize(*sizes)

    def resetSize(self, *sizes: Any) -> View:
        """``m:resetSize(sizes...)``: another shape from now on."""
        numbers = sizes_of(self, sizes)
        if any(size < -1 for size in numbers) or numbers.count(-1) > 1:
            raise TorchError("nn.View: the sizes must be positive, and one may be -1")
        self.size = long_storage(*numbers)
        self.numElements = math.prod(size for size in numbers if size != -1)
        return self

    def setNumInputDims(self, numInputDims: int | None) -> View:
        """``m:setNumInputDims(n)``: how many dimensions one example has."""
        self.numInputDims = numInputDims
        return self

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        sizes = self.size.sizes()
        batch = self._batch_size(input, sizes)
        return self.contiguous_view(input, sizes if batch is None else (batch, *sizes))

    def updateOutput(self, input: Any) -> Any:
        if isinstance(input, torch.Tensor) and not input.is_contiguous():
            raise TorchError("nn.View: the input must be contiguous")
        return super().updateOutput(input)

    def _batch_size(self, input: torch.Tensor, sizes: tuple[int, ...]) -> int | None:
        """The size of the batch in front; None for a single example."""
        dims = dims_of(input)
        if dims == 0:
            raise TorchError("nn.View: the input is empty")
        example_dims = dims if self.numInputDims is None else self.numInputDims
        if not 0 < example_dims <= dims:
            raise TorchError(f"nn.View: an input of {dims} dimensions where {example_dims} are one example")
        first = dims - example_dims
        elements = math.prod(input.shape[first:])
        if self.numElements == 0 or elements % self.numElements:
            wanted = "x".join(map(str, sizes))
            raise TorchError(f"nn.View: cannot view {size_text(input)} as {wanted}")
        batch = 1 if -1 in sizes else elements // self.numElements
        batch *= math.prod(input.shape[:first])
        return None if batch == 1 and first == 0 else batch

    def describe(self) -> str:
        if older("View text"):
            return self.class_name
        return f"{self.class_name}({', '.join(map(str, self.size.sizes()))})"


@layer("nn.Reshape", shares_memory=True)
class Reshape(Reshaping):
    """``nn.Reshape(sizes...[, batchMode])``: the input's elements in another shape.

    With ``batchMode`` the input is a batch, ``(batch, ...)`` -> ``(batch, sizes...)``; with false it is not; left
    out, it is one unless it has just the elements of one example and a first dimension above 1.
    """

    copies = True
    fields: ClassVar[tuple[str, ...]] = ("size", "batchsize", "nelement", "batchMode")
    batchMode: bool | None = None

    def __init__(self, *sizes: Any) -> None:
        super().__init__()
        if sizes and isinstance(sizes[-1], bool):
            self.batchMode = sizes[-1]
            sizes = sizes[:-1]
        numbers = sizes_of(self, sizes)
        self.size = long_storage(*numbers)
        self.batchsize = long_storage(0, *numbers)
        self.nelement = math.prod(numbers)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not input.numel():
            raise TorchError("nn.Reshape: the input is empty")
        single = input.numel() == self.nelement and input.shape[0] != 1
        if self.batchMode is not None:
            single = not self.batchMode
        sizes = self.size.sizes()
        return self.contiguous_view(input, sizes if single else (input.shape[0], *sizes))

    def describe(self) -> str:
        return f"{self.class_name}({'x'.join(map(str, self.size.sizes()))})"


@layer("nn.Collapse", shares_memory=True)
class Collapse(Reshaping):
    """``nn.Collapse(nInputDim)``: all dimensions in one.

    Shapes: up to nInputDim dimensions -> ``(n)``; with more the first is the batch -> ``(batch, n)``.
    """

    fields: ClassVar[tuple[str, ...]] = ("nInputDim",)

    def __init__(self, nInputDim: int) -> None:
        super().__init__()
        self.nInputDim = nInputDim

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if dims_of(input) > self.nInputDim:
            return self.contiguous_view(input, (input.shape[0], -1))
        return self.contiguous_view(input, (-1,))

    def clearState(self) -> Module:
        return self  # the results stay, as in the original


@layer("nn.Squeeze", shares_memory=True)
class Squeeze(Reshaping):
    """``nn.Squeeze([dim, numInputDims])``: without dimension dim, or any dimension, of size 1.

    One dimension stays at least. An input with ``numInputDims + 1`` dimensions is a batch: dim does not count the
    batch's, and that one stays.

    Shapes: any -> the same without dimensions of size 1.
    """

    fields: ClassVar[tuple[str, ...]] = ("dim", "numInputDims")
    lua_methods = names("setNumInputDims")
    dim: int | None = None
    numInputDims: int | None = None

    def __init__(self, dim: int | None = None, numInputDims: int | None = None) -> None:
        super().__init__()
        self.dim = dim
        self.numInputDims = numInputDims

    def setNumInputDims(self, numInputDims: int | None) -> Squeeze:
        """``m:setNumInputDims(n)``: how many dimensions one example has."""
        self.numInputDims = numInputDims
        return self

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if self.dim is not None:
            position = axis(self, self.dim, input, self.numInputDims)
            return input.squeeze(position) if input.dim() > 1 else input.view_as(input)
        sizes = [size for size in input.shape if size != 1]
        is_batch = self.numInputDims is not None and dims_of(input) == self.numInputDims + 1
        if is_batch and input.shape[0] == 1:
            sizes.insert(0, 1)
        return input.reshape(sizes or [1])


@layer("nn.Unsqueeze", shares_memory=True)
class Unsqueeze(Reshaping):
    """``nn.Unsqueeze(pos[, numInputDims])``: a dimension of size 1 at position pos.

    Dimensions before the last numInputDims are a batch, which pos does not count. Left out, numInputDims is the
    number of dimensions of the first input.

    Shapes: any -> the same with a dimension of size 1 more.
    """

    fields: ClassVar[tuple[str, ...]] = ("pos", "numInputDims")
    lua_methods = names("setNumInputDims")
    numInputDims: int | None = None

    def __init__(self, pos: int, numInputDims: int | None = None) -> None:
        super().__init__()
        self.pos = pos
        self.numInputDims = numInputDims

    def setNumInputDims(self, numInputDims: int | None) -> Unsqueeze:
        """``m:setNumInputDims(n)``: how many dimensions one example has."""
        self.numInputDims = numInputDims
        return self

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        dims = dims_of(input)
        example_dims: int = self.note(
            "numInputDims", dims if self.numInputDims is None else self.numInputDims
        )
        position = self.pos + dims - example_dims
        if dims < example_dims or not 1 <= position <= dims + 1:
            raise TorchError(
                f"nn.Unsqueeze: no position {self.pos} in an input of {dims} dimensions, "
                f"{example_dims} of them one example's"
            )
        if self.noting:  # the original's stride there is 1
            sizes, strides = list(input.shape), list(input.stride())
            sizes.insert(position - 1, 1)
            strides.insert(position - 1, 1)
            return input.as_strided(sizes, strides)
        return input.unsqueeze(position - 1)

    def describe(self) -> str:
        return f"{self.class_name}(dim {self.pos})"


@layer("nn.Contiguous", keeps_rank=True, takes="any", gives="same", shares_memory=True)
class Contiguous(Module):
    """``nn.Contiguous()``: the input, copied if its elements do not lie one after the other. Any shape."""

    resizes_as_grad_output = True
    traced = False

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.contiguous()

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return gradient_of(self, gradOutput, input.shape).contiguous()


@layer("nn.Transpose", keeps_rank=True)
class Transpose(Module):
    """``nn.Transpose({a, b}, ...)``: exchange dimensions a and b, then the next pair.

    With ``setNumInputDims(n)`` the pairs count the last n dimensions, those of one example. The output is a copy.

    Shapes: any -> the same with dimensions exchanged.
    """

    exact_gradient = True

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("permutations", "numInputDims")
    lua_methods = names("setNumInputDims")
    numInputDims: int | None = None

    def __init__(self, *permutations: Any) -> None:
        super().__init__()
        for pair in permutations:
            if not isinstance(pair, list) or len(pair) < 2:
                raise TorchError("nn.Transpose: each argument must be a table of two dimensions")
        self.permutations = [list(pair) for pair in permutations]

    def setNumInputDims(self, numInputDims: int | None) -> Transpose:
        """``m:setNumInputDims(n)``: how many dimensions one example has."""
        self.numInputDims = numInputDims
        return self

    def _pairs(self, input: torch.Tensor) -> list[tuple[int, int]]:
        skipped = 0 if self.numInputDims is None else input.dim() - self.numInputDims
        return [
            (axis(self, a + skipped, input), axis(self, b + skipped, input)) for a, b in self.permutations
        ]

    def viewed(self, tensor: torch.Tensor) -> torch.Tensor:
        """A view with the dimensions exchanged."""
        for a, b in self._pairs(tensor):
            tensor = tensor.transpose(a, b)
        return tensor

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self.viewed(input).clone(memory_format=torch.contiguous_format)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        pairs = self._pairs(input)
        sizes = list(input.shape)
        for a, b in pairs:
            sizes[a], sizes[b] = sizes[b], sizes[a]
        gradient = gradOutput
        if gradient.dim() != input.dim() or gradient.numel() != input.numel():
            gradient = gradient_of(self, gradOutput, sizes)
        for a, b in reversed(pairs):
            gradient = gradient.transpose(a, b)
        return gradient.clone(memory_format=torch.contiguous_format)


@layer("nn.Replicate", shares_memory=True)
class Replicate(Module):
    """``nn.Replicate(nFeature[, dim, nDim])``: the input nFeature times along a new dimension dim (1).

    With nDim an input of more dimensions is a batch, which dim does not count. All copies are one memory.

    Shapes: any -> the same with a dimension of size nFeature more.
    """

    exact_gradient = True

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("nfeatures", "dim", "ndim")
    dim = 1
    ndim: int | None = None

    def __init__(self, nf: int, dim: int = 1, ndim: int | None = None) -> None:
        super().__init__()
        if dim <= 0:
            raise TorchError("nn.Replicate: the dimension must be above 0")
        self.nfeatures = nf
        self.dim = dim
        self.ndim = ndim

    def _position(self, input: torch.Tensor) -> int:
        dims = dims_of(input)
        position = self.dim - 1 + (self.ndim is not None and dims > self.ndim)
        if self.dim > dims + 1 or position > dims:
            raise TorchError(f"nn.Replicate: no new dimension {self.dim} in an input of {dims} dimensions")
        return position

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        position = self._position(input)
        sizes = list(input.shape)
        sizes.insert(position, int(self.nfeatures))
        if (
            self.noting and self.nfeatures == 1
        ):  # the copies are one memory to a script, if it is only one too
            strides = list(input.stride())
            strides.insert(position, 0)
            return input.as_strided(sizes, strides)
        return input.unsqueeze(position).expand(sizes)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        position = self._position(input)
        sizes = list(input.shape)
        sizes.insert(position, int(self.nfeatures))
        return gradient_of(self, gradOutput, sizes).sum(position)


@layer("nn.Padding", keeps_rank=True)
class Padding(Module):
    """``nn.Padding(dim, pad[, nInputDim, value, index])``: ``|pad|`` entries of value (0) more along dim.

    They stand before entry ``index`` (1), counted from the start for a pad below 0; above 0 they stand behind it,
    counted from the end. An input of other than nInputDim dimensions is a batch, which dim does not count.

    Shapes: any; in the output dimension dim is larger by ``|pad|``.
    """

    exact_gradient = True

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("value", "index", "dim", "pad", "nInputDim", "outputSize")
    nInputDim: int | None = None

    def __init__(
        self, dim: int, pad: int, nInputDim: int | None = None, value: float = 0, index: int = 1
    ) -> None:
        super().__init__()
        self.value = value
        self.index = index
        self.dim = dim
        self.pad = pad
        self.nInputDim = nInputDim
        self.outputSize = long_storage()

    def _padding_bounds(self, input: torch.Tensor) -> tuple[int, int, int]:
        """The dimension, how many entries come before the padding, how many after it."""
        is_batch = self.nInputDim is not None and dims_of(input) != self.nInputDim
        dim = axis(self, self.dim + 1 if is_batch else self.dim, input)
        size = input.shape[dim]
        before = size - self.index + 1 if self.pad > 0 else self.index - 1
        if not 0 <= before <= size:
            raise TorchError(f"nn.Padding: index {self.index} out of range 1 to {size + 1}")
        return dim, before, size - before

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        dim, before, after = self._padding_bounds(input)
        sizes = list(input.shape)
        sizes[dim] = int(abs(self.pad))
        filling = input.new_full(sizes, self.value)
        return torch.cat([input.narrow(dim, 0, before), filling, input.narrow(dim, before, after)], dim)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        dim, before, after = self._padding_bounds(input)
        sizes = list(input.shape)
        sizes[dim] += int(abs(self.pad))
        gradient = gradient_of(self, gradOutput, sizes)
        behind = gradient.narrow(dim, before + int(abs(self.pad)), after)
        return torch.cat([gradient.narrow(dim, 0, before), behind], dim)
