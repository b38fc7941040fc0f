"""Arithmetic on the tensors of a table: CAddTable and its kin, MixtureTable.

The operands need the same number of elements, as in Torch7; their shapes may differ, and the first one's is the
output's.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import (
    as_shape,
    dims_of,
    gradient_of,
    gradients_of,
    numbered_tensors,
    size_text,
    table,
    tensors,
)
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.shape import long_storage
from torch7py.nn.trace import Trace, same_sizes
from torch7py.ops.errors import TorchError

__all__ = [
    "CAddTable",
    "CAddTensorTable",
    "CDivTable",
    "CMaxTable",
    "CMinTable",
    "CMulTable",
    "CSubTable",
    "MixtureTable",
]


class Elementwise(Module):
    """The base of layers that take tensors of one size."""

    traced = False

    def __init__(self) -> None:
        super().__init__()
        self.keep_list("gradInput", [])

    def operands(self, input: Any, count: int | None = None) -> list[torch.Tensor]:
        """The tensors of the table in the shape of the first."""
        operands = numbered_tensors(self, input, count)
        shape = operands[0].shape
        for number, tensor in enumerate(operands, 1):
            check_type(self, f"entry {number} of the input", tensor, operands[0])
            if tensor.numel() != operands[0].numel():
                raise TorchError(
                    f"{self.class_name}: entry {number} of the input is {size_text(tensor)}, "
                    f"the first {size_text(operands[0])}"
                )
        return [tensor if tensor.shape == shape else tensor.reshape(shape) for tensor in operands]

    def shaped(self, input: Any, gradients: list[torch.Tensor]) -> list[torch.Tensor]:
        """The gradients of operands in the shapes of the table's tensors.

        Lua indexes a tensor too, so that a forward takes one for its parts; how many it has Torch7 cannot tell then.
        """
        if isinstance(input, torch.Tensor):
            raise TorchError(f"{self.class_name}: a backward takes a table, not {size_text(input)}")
        operands = input[: len(gradients)]  # the table may hold more than the layer uses
        return [gradient.reshape(tensor.shape) for tensor, gradient in zip(operands, gradients, strict=True)]


@layer("nn.CAddTable", takes="table")
class CAddTable(Elementwise):
    """``nn.CAddTable([inplace])``: the sum of the tensors of a table.

    Shapes: a table of tensors of one size -> one of that size. In place the first tensor becomes the output, and
    gradOutput itself each of the gradients.
    """

    fields: ClassVar[tuple[str, ...]] = ("inplace",)
    inplace: bool | None = None

    def __init__(self, ip: bool | None = None) -> None:
        super().__init__()
        self.inplace = ip

    def forward(self, input: Any) -> torch.Tensor:
        first, *others = self.operands(input)
        total = first.clone(memory_format=torch.contiguous_format)
        for tensor in others:
            total = total.add_(tensor)
        return total

    def updateOutput(self, input: Any) -> torch.Tensor:
        if not self.inplace:
            return super().updateOutput(input)
        first, *others = (tensor.data for tensor in self.operands(input))
        for tensor in others:
            first.add_(tensor)
        return self.keep("output", first)

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        operands = self.operands(input)
        gradient = gradient_of(self, gradOutput, operands[0].shape)
        if self.inplace:
            return self.shaped(input, [gradient] * len(operands))
        return self.shaped(input, [gradient.clone() for _ in operands])


@layer("nn.CSubTable", takes="table")
class CSubTable(Elementwise):
    """``nn.CSubTable()``: ``{a, b}`` -> ``a - b``, element by element."""

    def forward(self, input: Any) -> torch.Tensor:
        a, b = self.operands(input, 2)
        return a - b

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        gradient = gradient_of(self, gradOutput, self.operands(input, 2)[0].shape)
        return self.shaped(input, [gradient.clone(), -gradient])


@layer("nn.CMulTable", takes="table")
class CMulTable(Elementwise):
    """``nn.CMulTable()``: the product of the tensors of a table, element by element.

    Shapes: all tensors of one shape, which is the output's.
    """

    lua_methods = names("updateGradInput_efficient")

    def forward(self, input: Any) -> torch.Tensor:
        product, *others = self.operands(input)
        if not others:
            return product.clone()
        for tensor in others:
            product = product * tensor
        return product

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        operands = self.operands(input)
        gradients = []
        for number in range(len(operands)):
            gradient = gradient_of(self, gradOutput, operands[0].shape).clone()
            for other, tensor in enumerate(operands):
                if other != number:
                    gradient.mul_(tensor)
            gradients.append(gradient)
        return self.shaped(input, gradients)

    def updateGradInput_efficient(self, input: Any, gradOutput: torch.Tensor) -> Any:
        """``m:updateGradInput_efficient(input, gradOutput)``: through the output; NaN where an operand is 0."""
        operands = self.operands(input)
        gradient = gradient_of(self, gradOutput, operands[0].shape)
        output = as_shape(self, self.output, operands[0].shape)
        return self.keep_grad_input(self.shaped(input, [gradient * (output / t) for t in operands]))


@layer("nn.CDivTable", takes="table")
class CDivTable(Elementwise):
    """``nn.CDivTable()``: ``{a, b}`` -> ``a / b``, element by element."""

    def forward(self, input: Any) -> torch.Tensor:
        a, b = self.operands(input, 2)
        return a / b

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        a, b = self.operands(input, 2)
        quotient = gradient_of(self, gradOutput, a.shape) / b
        return self.shaped(input, [quotient, quotient.div(b).neg_().mul_(a)])


class ExtremeTable(Elementwise):
    """The base of CMaxTable and CMinTable. The gradient goes to the tensor that gave the element."""

    def __init__(self) -> None:
        super().__init__()
        for name in type(self).fields:
            self.keep(name, self.new())

    @property
    def index_field(self) -> str:
        """The field with the number of the tensor that gave each element."""
        return type(self).fields[0]

    def beats(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Where elements of ``a`` are chosen over those of ``b``, which come from earlier tensors."""
        raise NotImplementedError

    def forward(self, input: Any) -> torch.Tensor:
        chosen, *others = self.operands(input)
        source = torch.ones_like(chosen)
        for number, tensor in enumerate(others, 2):
            better = self.beats(tensor, chosen)
            source.masked_fill_(better, number)
            chosen = torch.where(better, tensor, chosen)
        self.note(self.index_field, source)
        return chosen if others else chosen.clone()

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        operands = self.operands(input)
        source = as_shape(self, self.get_field(self.index_field), operands[0].shape)
        gradient = gradient_of(self, gradOutput, source.shape)
        zeros = torch.zeros_like(gradient)
        gradients = [torch.where(source == number, gradient, zeros) for number in range(1, len(operands) + 1)]
        return self.shaped(input, gradients)


@layer("nn.CMaxTable", takes="table")
class CMaxTable(ExtremeTable):
    """``nn.CMaxTable()``: the largest of each element over the tensors of a table, of equal ones the first.

    Shapes: all tensors of one shape, which is the output's.
    """

    fields: ClassVar[tuple[str, ...]] = ("maxIdx", "mask", "maxVals", "gradMaxVals")

    def beats(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a > b


@layer("nn.CMinTable", takes="table")
class CMinTable(ExtremeTable):
    """``nn.CMinTable()``: the smallest of each element over the tensors of a table, of equal ones the first.

    Shapes: all tensors of one shape, which is the output's.
    """

    fields: ClassVar[tuple[str, ...]] = ("minIdx", "mask", "minVals", "gradMaxVals")

    def beats(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a < b


@layer("nn.CAddTensorTable", takes="table", gives="table")
class CAddTensorTable(Module):
    """``nn.CAddTensorTable()``: ``{v, {a, b, ...}}`` -> ``{a + v, b + v, ...}``, all of one size."""

    traced = False
    new_lists = ("output",)

    def __init__(self) -> None:
        super().__init__()
        self.keep_list("gradInput", [])

    def _operands(self, input: Any) -> tuple[torch.Tensor, list[torch.Tensor]]:
        vector, others = table(self, input, 2)
        tensors(self, [vector])
        return vector, [as_shape(self, tensor, vector.shape) for tensor in tensors(self, others)]

    def forward(self, input: Any) -> list[torch.Tensor]:
        vector, others = self._operands(input)
        return [tensor + vector for tensor in others]

    def keep_output(self, value: Any, input: Any = None) -> Any:
        self.let_go("output")
        return super().keep_output(value, input)

    def grad_input(self, input: Any, gradOutput: Any) -> list[Any]:
        _, others = self._operands(input)
        gradients = gradients_of(self, gradOutput, others)
        total = gradients[0].clone()
        for gradient in gradients[1:]:
            total.add_(gradient)
        return [total, [gradient.clone() for gradient in gradients]]


@layer("nn.MixtureTable", takes="table")
class MixtureTable(Module):
    """``nn.MixtureTable([dim])``: experts weighted by a gater, ``sum_i gater_i * expert_i``.

    Shapes: ``{gater (n), experts}`` or ``{gater (batch, n), experts}``, the experts a table of n tensors (batched:
    ``(batch, ...)``) or one tensor with n in dimension dim (1, batched 2) -> one expert's.
    """

    exact_gradient = True
    graph_of = "memory"
    transient = (*Module.transient, "_gater")

    fields: ClassVar[tuple[str, ...]] = (
        "dim",
        "size",
        "batchSize",
        "size2",
        "backwardSetup",
        "table",
        "dimG",
    )
    dim: int | None = None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim
        self.size = long_storage()
        self.size2 = long_storage()
        self.batchSize = 0
        self.backwardSetup = False
        self.keep_list("gradInput", [])

    def forward(self, input: Any) -> torch.Tensor:
        gater, experts = table(self, input, 2)
        if not isinstance(gater, torch.Tensor) or not 1 <= dims_of(gater) <= 2:
            raise TorchError(f"{self.class_name}: the gater must be a vector or a matrix")
        if self.noting:
            self.__dict__["_gater"] = gater
        dims = self.note("dimG", gater.dim())
        dim: int = self.note("dim", dims if self.dim is None else self.dim)
        batch = self.note("batchSize", 1 if dims == 1 else gater.shape[0])
        if self.note("table", isinstance(experts, list)):
            experts = torch.stack(self._same_size(tensors(self, experts)), dim - 1)
        if not isinstance(experts, torch.Tensor) or experts.dim() < max(dim, dims):
            raise TorchError(
                f"{self.class_name}: the experts must be a table or a tensor of {dim} dimensions"
            )
        number = gater.shape[-1]
        if experts.shape[dim - 1] != number:
            raise TorchError(f"{self.class_name}: {number} weights for {experts.shape[dim - 1]} experts")
        sizes = [1] * experts.dim()
        if dims == 2:
            sizes[0] = batch
        sizes[dim - 1] = number
        if math.prod(sizes) != gater.numel() or sizes[0] not in (1, experts.shape[0]):
            raise TorchError(
                f"{self.class_name}: a gater of {size_text(gater)} for experts of {size_text(experts)}"
            )
        return (gater.reshape(sizes) * experts).sum(dim - 1)

    def trace(self, input: Any) -> Trace:
        """For the gradient of the experts the gater is the last forward's, as it is in memory."""
        gater = self.__dict__.get("_gater")
        return super().trace(
            [gater, *input[1:]] if gater is not None and same_sizes(gater, input[0]) else input
        )

    def _same_size(self, experts: list[torch.Tensor]) -> list[torch.Tensor]:
        for number, expert in enumerate(experts, 1):
            if expert.shape != experts[0].shape:
                raise TorchError(
                    f"{self.class_name}: expert {number} is {size_text(expert)}, "
                    f"the first {size_text(experts[0])}"
                )
        return experts
