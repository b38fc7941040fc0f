"""Layers that are small networks of others: CReLU, Maxout, LayerNormalization, PartialLinear."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.activation import Identity
from torch7py.nn.arguments import size_text
from torch7py.nn.arithmetic import Add, CMul
from torch7py.nn.base import Module
from torch7py.nn.checks import fit, truthy
from torch7py.nn.container import ConcatTable, ParallelTable, Sequential
from torch7py.nn.linear import Linear, LookupTable, MulConstant
from torch7py.nn.normalization import Normalize
from torch7py.nn.object import names
from torch7py.nn.product import MM
from torch7py.nn.rectifier import ReLU
from torch7py.nn.reduce import Max, Mean
from torch7py.nn.registry import layer
from torch7py.nn.shape import Replicate, View
from torch7py.nn.table import JoinTable
from torch7py.nn.table_math import CSubTable
from torch7py.ops.errors import TorchError
from torch7py.ops.of_numbers import of_numbers

__all__ = ["CReLU", "LayerNormalization", "Maxout", "PartialLinear"]


@layer("nn.CReLU", keeps_rank=True, takes="tensor", gives="tensor", parts="fixed")
class CReLU(Sequential):
    """``nn.CReLU(nInputDims[, inplace])``: ``max(0, x)`` and ``max(0, -x)``, one after the other.

    Shapes: an example has nInputDims dimensions, of which the first doubles; with one dimension more the input is a
    batch. (Shang et al., 2016.)
    """

    fields: ClassVar[tuple[str, ...]] = ("nInputDims", "inplace")

    def __init__(self, nInputDims: int, inplace: bool = False) -> None:
        super().__init__()
        self.nInputDims = int(nInputDims)
        self.inplace = inplace
        self.add(ConcatTable().add(Identity()).add(MulConstant(-1)))
        self.add(JoinTable(2)).add(ReLU(inplace))

    def _rows(self, input: torch.Tensor) -> torch.Tensor:
        """One example a row."""
        batch = input.shape[0] if input.dim() == self.nInputDims + 1 else 1
        return input.reshape(batch, -1)

    def _doubled(self, input: torch.Tensor) -> list[int]:
        sizes = list(input.shape)
        sizes[1 if input.dim() == self.nInputDims + 1 else 0] *= 2
        return sizes

    def forward(self, input: torch.Tensor) -> Any:
        return super().forward(self._rows(input)).view(self._doubled(input))

    def updateOutput(self, input: torch.Tensor) -> Any:
        output = self._rows(input)
        for module in self.callees():
            output = module.updateOutput(output)
        return self.keep("output", output.view(self._doubled(input)))

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        rows = self._rows(input)
        gradient = fit(self, "gradOutput", gradOutput, rows.new_empty((rows.shape[0], 2 * rows.shape[1])))
        for module, its_input in self._backwards(rows):
            gradient = module.updateGradInput(its_input, gradient)
        return self.keep("gradInput", gradient.view(input.shape))

    def backward(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> Any:
        return self.updateGradInput(input, gradOutput)

    def describe(self) -> str:
        return "CReLU()"


@layer("nn.Maxout", keeps_rank=True, parts="built", takes="tensor", gives="tensor", example="inputSize")
class Maxout(Sequential):
    """``nn.Maxout(inputSize, outputSize, maxoutNumber[, preprocess])``: the largest of maxoutNumber linear maps.

    Shapes: ``(batch, inputSize)`` -> ``(batch, outputSize)``. ``preprocess`` is a module that is put before the
    maximum. (Goodfellow et al., 2013.)
    """

    def __init__(
        self, inputSize: int, outputSize: int, maxoutNumber: int, preprocess: Module | None = None
    ) -> None:
        super().__init__()
        self.add(Linear(int(inputSize), int(outputSize) * int(maxoutNumber)))
        self.add(View(int(maxoutNumber), int(outputSize)).setNumInputDims(1))
        if preprocess is not None:
            self.add(preprocess)
        self.add(Max(1, 2))


@layer(
    "nn.LayerNormalization",
    keeps_rank=True,
    parts="built",
    takes="tensor",
    gives="tensor",
    example="nOutput",
    over_batch=True,
)
class LayerNormalization(Sequential):
    """``nn.LayerNormalization(nOutput[, bias, eps, affine])``: ``sqrt(nOutput) (x - mean) / ||x - mean||``.

    Shapes: ``(nOutput)``, ``(batch, nOutput)``. Unless ``affine`` is false a learned gain, at first 1, and bias, at
    first ``bias`` (0), follow. eps is 1e-10. (Ba et al., 2016.)

    The mean is each example's own for one example only. For a batch the original's ``nn.Replicate`` lays the means
    out the other way round, so that the k-th element of the batch, in memory, loses the mean of example
    ``k % batch``; the numbers here are the original's.
    """

    def __init__(self, nOutput: int, bias: float = 0, eps: float = 1e-10, affine: bool | None = True) -> None:
        super().__init__()
        size = int(nOutput)
        mean = Sequential().add(Mean(1, 1)).add(Replicate(size, 1, 1))
        self.add(ConcatTable().add(Identity()).add(mean))
        self.add(CSubTable()).add(Normalize(2, eps)).add(MulConstant(of_numbers(torch.sqrt)(size)))
        if truthy(affine):
            shift = Add(size, False)  # draws first, as in the original
            shift.bias.data.fill_(bias)
            gain = CMul(size)
            gain.weight.data.fill_(1)
            self.add(gain).add(shift)


@layer(
    "nn.PartialLinear",
    keeps_rank=True,
    parts="built",
    parameters="bias:2~computed()",
    example="inputsize",
)
class PartialLinear(Module):
    """``nn.PartialLinear(inputSize, outputSize[, bias])``: a linear layer of which some outputs can be chosen.

    Shapes: ``(batch, inputSize)`` -> ``(batch, n)``; n is outputSize, or after ``setPartition(indices)`` as many as
    there are indices. Weights are drawn from ``normal(0, 1)``, the bias begins at 0.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = (
        "inputsize",
        "outputsize",
        "allcolumns",
        "partition",
        "addBuffer",
        "buffer",
    )
    links: ClassVar[tuple[str, ...]] = ("network",)
    lua_methods = names("setPartition resetPartition")

    def __init__(self, inputsize: int, outputsize: int, bias: bool = True) -> None:
        super().__init__()
        table = LookupTable(int(outputsize), int(inputsize))
        branches = ParallelTable().add(Identity()).add(table)
        self._modules["network"] = Sequential().add(branches).add(MM(False, True))
        if truthy(bias):
            self.add_parameter("bias", self.new(1, int(outputsize)))
        else:
            self.register_parameter("bias", None)
        self.inputsize = int(inputsize)
        self.outputsize = int(outputsize)
        self.allcolumns = torch.arange(
            1, self.outputsize + 1, dtype=self.number_type.dtype, device=table.weight.device
        )
        self.resetPartition()

    def setPartition(self, indices: torch.Tensor) -> None:
        """``m:setPartition(indices)``: compute these outputs only."""
        self.__dict__["partition"] = indices.to(self.allcolumns)

    def resetPartition(self) -> None:
        """``m:resetPartition()``: compute all outputs."""
        self.__dict__["partition"] = self.allcolumns

    @property
    def _network(self) -> Any:
        return self._modules["network"]

    def _columns(self, input: torch.Tensor) -> torch.Tensor:
        """The chosen outputs, 0-based."""
        if input.dim() != 2 or input.shape[1] != self.inputsize:
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} must be a batch with {self.inputsize} columns"
            )
        return self.partition.long() - 1

    def torch7_parameters(self) -> Any:
        table = self._network.get(1).get(2)
        parameters = [table.get_field("weight"), self.get_field("bias")]
        gradients = [table.get_field("gradWeight"), self.get_field("gradBias")]
        return [p for p in parameters if p is not None], [g for g in gradients if g is not None]

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        columns = self._columns(input)
        output: torch.Tensor = self._network([input, self.partition])
        return output if self.bias is None else output + self.bias[:, columns]

    def updateOutput(self, input: torch.Tensor) -> Any:
        columns = self._columns(input)
        output = self._network.torch7_forward([input, self.partition])
        return self.keep_output(output if self.bias is None else output + self.bias.data[:, columns], output)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        return self._network.updateGradInput([input, self.partition], gradOutput)[0]

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        self._network.accGradParameters([input, self.partition], gradOutput, scale)
        bias = self.gradient("bias")
        if bias is not None:
            bias.index_add_(1, self._columns(input), gradOutput.sum(0, keepdim=True), alpha=scale)

    def accUpdateGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, lr: float) -> None:
        """The gradients go straight into the parameters, of which the network's table has one."""
        table = self._network.get(1).get(2)
        held = [(part, dict(part._gradients)) for part in (self, table)]
        try:
            for part, gradients in held:
                for name in gradients:
                    part.__dict__["_gradients"][name] = part.get_parameter(name).data
            self.accGradParameters(input, gradOutput, -lr)
        finally:
            for part, gradients in held:
                part.__dict__["_gradients"].update(gradients)

    def zeroGradParameters(self) -> None:
        self._network.zeroGradParameters()
        bias = self.gradient("bias")
        if bias is not None:
            bias.zero_()

    def updateParameters(self, learningRate: float) -> None:
        self._network.updateParameters(learningRate)
        bias = self.gradient("bias")
        if bias is not None:
            self.bias.data.add_(bias, alpha=-learningRate)

    def sharedAccUpdateGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, lr: float) -> None:
        self.defaultAccUpdateGradParameters(input, gradOutput, lr)

    def describe(self) -> str:
        text = f"{self.class_name}({self.inputsize} -> {self.outputsize})"
        return text if self.bias is not None else text + " without bias"
