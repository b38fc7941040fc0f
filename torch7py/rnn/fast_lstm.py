"""FastLSTM: an LSTM without peepholes whose four gates are one product."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F

from torch7py.nn.activation import Identity, Sigmoid, Tanh
from torch7py.nn.arithmetic import Add
from torch7py.nn.container import ConcatTable, ParallelTable, Sequential
from torch7py.nn.gmodule import GModule
from torch7py.nn.graph import Node
from torch7py.nn.linear import Linear
from torch7py.nn.linear_gradients import gradient_of_rows
from torch7py.nn.normalization import BatchNormalization
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.shape import Reshape
from torch7py.nn.table import FlattenTable, JoinTable, NarrowTable, SelectTable, SplitTable
from torch7py.nn.table_math import CAddTable, CMulTable
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.rnn.cell import Cell
from torch7py.rnn.dropout import LazyDropout
from torch7py.rnn.linear import LinearNoBias
from torch7py.rnn.lstm import LSTM

__all__ = ["FastLSTM", "FastLSTMCell", "forget_second", "gate_products"]


def gate_products(inputs: int, outputs: int, gates: int, p: float, mono: bool) -> tuple[Any, Any]:
    """The products of all gates with the input and with the output before.

    With dropout each gate has its own product of its own dropped-out copy, joined.
    """
    if p == 0:
        return Linear(inputs, gates * outputs), LinearNoBias(outputs, gates * outputs)

    def dropped(product: type[Linear], size: int) -> Sequential:
        drops = ConcatTable(*(LazyDropout(p, False, False, True, mono) for _ in range(gates)))
        products = ParallelTable(*(product(size, outputs) for _ in range(gates)))
        return Sequential(drops, products, JoinTable(2))

    return dropped(Linear, inputs), dropped(LinearNoBias, outputs)


class Values(NamedTuple):
    """Parameters in the place of a layer."""

    weight: torch.Tensor
    bias: torch.Tensor | None = None


def forget_second(gates: torch.Tensor) -> torch.Tensor:
    """A copy whose rows are in the order input, forget, hidden, output instead of input, hidden, forget, output; and
    the other way round."""
    i, g, f, o = gates.chunk(4)
    return torch.cat((i, f, g, o))


class FastLSTMCell(Cell):
    """One step of a FastLSTM: ``{x, h, c}`` -> ``{h', c'}``.

    ``i, g, f, o = split(Wi x + b + Wo h)``; ``c' = sigmoid(f) c + sigmoid(i) tanh(g)``;
    ``h' = sigmoid(o) tanh(c')``. Members: ``i2g`` (Wi, b) and ``o2g`` (Wo).
    """

    widths = (4,)

    def formula(self, input: list[torch.Tensor]) -> list[torch.Tensor]:
        x, h, c = input
        i2g, o2g = self.members["i2g"], self.members["o2g"]
        i, g, f, o = (F.linear(x, i2g.weight, i2g.bias) + F.linear(h, o2g.weight)).chunk(4, -1)
        cell = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return [torch.sigmoid(o) * torch.tanh(cell), cell]

    # The elementwise part is one pass over the four gates side by side.

    def from_input(self, x: torch.Tensor) -> list[torch.Tensor]:
        i2g = self.members["i2g"]
        return [torch.addmm(i2g.bias.data, x, i2g.weight.data.t())]

    def step_output(
        self, of_input: list[torch.Tensor], state: list[torch.Tensor]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        h, c = state
        size = c.shape[1]
        gates = of_input[0].addmm_(h, self.members["o2g"].weight.data.t())
        i, g, f, o = gates.chunk(4, 1)
        i.sigmoid_()
        g.tanh_()
        gates[:, 2 * size :].sigmoid_()
        cell = torch.addcmul(f * c, i, g)
        squashed = torch.tanh(cell)
        return [o * squashed, cell], [gates, squashed]

    def activations(self, saved: list[torch.Tensor]) -> list[torch.Tensor]:
        gates, squashed = saved
        return [*gates.chunk(4, 1), squashed]

    def factors(self, state: list[torch.Tensor], saved: list[torch.Tensor]) -> list[torch.Tensor]:
        """The derivatives of cell and output by the four sums, of the output by the cell, of cell by cell."""
        gates, squashed = saved
        i, g, f, o = gates.chunk(4, 1)
        slopes = gates - gates * gates
        s_i, s_g, s_f, s_o = slopes.chunk(4, 1)
        s_i.mul_(g)
        torch.mul(g, g, out=s_g).neg_().add_(1).mul_(i)
        s_f.mul_(state[1])
        s_o.mul_(squashed)
        return [slopes, torch.addcmul(o, o * squashed, squashed, value=-1), f]

    def step_grad(
        self, gradients: list[torch.Tensor], factors: list[torch.Tensor], room: list[torch.Tensor]
    ) -> list[torch.Tensor]:
        (slopes, by_cell, kept), of_gates = factors, room[0]
        d_output, d_cell = gradients
        d_cell = torch.addcmul(d_cell, d_output, by_cell)
        # Joined first: a product of whole rows is one loop over memory.
        torch.mul(slopes, torch.cat((d_cell, d_cell, d_cell, d_output), 1), out=of_gates)
        return [of_gates @ self.members["o2g"].weight.data, d_cell * kept]

    def grad_of_input(self, of_gates: list[torch.Tensor]) -> torch.Tensor:
        return gradient_of_rows(of_gates[0], self.members["i2g"].weight.data)

    def acc_grad(
        self,
        x: torch.Tensor,
        state: list[torch.Tensor],
        of_gates: list[torch.Tensor],
        saved: list[torch.Tensor],
        scale: float,
    ) -> None:
        self.members["i2g"].accGradParameters(x, of_gates[0], scale)
        self.members["o2g"].accGradParameters(state[0], of_gates[0], scale)

    def lstm_parameters(self) -> list[torch.Tensor] | None:
        i2g, o2g = self.members["i2g"], self.members["o2g"]
        if i2g.bias is None:
            return None
        return [forget_second(p.data) for p in (i2g.weight, o2g.weight, i2g.bias)]

    @classmethod
    def of_parameters(cls, parameters: list[torch.Tensor]) -> FastLSTMCell:
        """The kernel alone, with such parameters in the place of layers."""
        of_input, of_output, bias = map(forget_second, parameters)
        cell = cls.__new__(cls)
        cell.__dict__["_members"] = {"i2g": Values(of_input, bias), "o2g": Values(of_output)}
        return cell

    @staticmethod
    def lstm_gradients(x: torch.Tensor, h: torch.Tensor, of_gates: torch.Tensor) -> list[torch.Tensor]:
        """The gradients of such parameters; of rows of many steps, with the outputs before each."""
        return [forget_second(part) for part in (of_gates.t() @ x, of_gates.t() @ h, of_gates.sum(0))]

    def acc_lstm(self, gradients: list[torch.Tensor], scale: float) -> None:
        i2g, o2g = self.members["i2g"], self.members["o2g"]
        buffers = i2g.gradient("weight"), o2g.gradient("weight"), i2g.gradient("bias")
        for buffer, gradient in zip(buffers, gradients, strict=True):
            if buffer is not None:
                buffer.add_(forget_second(gradient), alpha=scale)


@layer("nn.FastLSTM", package="rnn")
class FastLSTM(LSTM):
    """``nn.FastLSTM(inputSize[, outputSize, rho, eps, momentum, affine, p, mono])``: an LSTM without peepholes.

    The gates stand in the order input, hidden, forget, output. ``p`` above 0 drops out inputs and outputs of each
    gate, one mask a sequence. With the class field ``usenngraph`` a step is an ``nn.gModule``; with ``bn`` too, and
    eps, momentum and affine are those of its batch normalizations: of the products with the input and with the
    output before, and of the new cell (Cooijmans et al., Recurrent Batch Normalization, 2016).

    Shapes of a step and state before step 1: those of ``nn.LSTM``.
    """

    fields = ("eps", "momentum", "affine", "i2g", "o2g")
    lua_methods = names("nngraphModel")
    class_fields = ("bn", "usenngraph")  # what a script sets on the class and a new object must know

    def __init__(
        self,
        inputSize: int,
        outputSize: int | None = None,
        rho: int | None = None,
        eps: float | None = None,
        momentum: float | None = None,
        affine: bool = True,
        p: float | None = None,
        mono: bool = False,
    ) -> None:
        self.prepare(inputSize, outputSize, rho, p, mono)
        self.__dict__.update(
            eps=eps, momentum=momentum, affine=affine, cell2gate=True, cells={}, gradCells={}
        )
        self.set_step_module(self.buildModel())

    def buildModel(self) -> Any:
        i2g, o2g = gate_products(self.inputSize, self.outputSize, 4, self.p, self.mono)
        self.__dict__.update(i2g=i2g, o2g=o2g)
        if self.__dict__.get("bn") or self.__dict__.get("usenngraph"):
            return self.nngraphModel()
        gates = Sequential(
            NarrowTable(1, 2),
            ParallelTable(i2g, o2g),
            CAddTable(),
            Reshape(4, self.outputSize),
            SplitTable(1, 2),
            ParallelTable(Sigmoid(), Tanh(), Sigmoid(), Sigmoid()),
        )
        added = Sequential(NarrowTable(1, 2), CMulTable())
        kept = Sequential(ConcatTable(SelectTable(3), SelectTable(5)), CMulTable())
        next_cell = Sequential(ConcatTable(added, kept), CAddTable())
        squashed = Sequential(SelectTable(1), Tanh())
        output = Sequential(ConcatTable(squashed, SelectTable(2)), CMulTable())
        parts = (
            ConcatTable(gates, SelectTable(3)),
            FlattenTable(),  # input, hidden, forget, output, cell
            ConcatTable(next_cell, SelectTable(4)),
            FlattenTable(),  # new cell, output gate
            ConcatTable(output, SelectTable(1)),
        )
        return Sequential(*parts) if self.rebuilt() else FastLSTMCell({"i2g": i2g, "o2g": o2g}, *parts)

    def nngraphModel(self) -> Any:
        """``m:nngraphModel()``: a step as a graph of modules."""
        # The class of 2015 has no such field.
        normalized = bool(self.__dict__.get("bn")) and state.current().generation != 2015
        size, i2g, o2g = self.outputSize, self.__dict__["i2g"], self.__dict__["o2g"]

        def named(name: str, module: Any, *sources: Node) -> Node:
            return Node(module, *sources, name=name)

        normalizations = [self._normalization(n) for n in (4 * size, 4 * size, size)] if normalized else []
        x, prev_h, prev_c = (named(name, Identity()) for name in ("x", "prev_h", "prev_c"))
        i2h, h2h = named("i2h", i2g, x), named("h2h", o2g, prev_h)
        if normalized:
            i2h = named("bn_wx", normalizations[0], i2h)
            h2h = named("h2h", Add(4 * size), named("bn_wh", normalizations[1], h2h))
        sums = named("all_input_sums", CAddTable(), i2h, h2h)
        slices = Node(SplitTable(2), named("reshaped", Reshape(4, size), sums)).split(4)
        for number, part in enumerate(slices, 1):
            part.annotations["name"] = f"n{number}"
        names = ("in_gate", "in_transform", "forget_gate", "out_gate")
        functions = (Sigmoid(), Tanh(), Sigmoid(), Sigmoid())
        gates = [named(name, f, part) for name, f, part in zip(names, functions, slices, strict=True)]
        in_gate, in_transform, forget_gate, out_gate = gates
        kept, added = Node(CMulTable(), forget_gate, prev_c), Node(CMulTable(), in_gate, in_transform)
        next_c = named("next_c", CAddTable(), kept, added)
        cell = named("bn_c", normalizations[2], next_c) if normalized else next_c
        next_h = named("next_h", CMulTable(), out_gate, Node(Tanh(), cell))
        return GModule([x, prev_h, prev_c], [next_h, next_c])

    def _normalization(self, size: int) -> BatchNormalization:
        attributes = self.__dict__
        settings = {name: attributes[name] for name in ("eps", "momentum") if attributes[name] is not None}
        layer = BatchNormalization(size, affine=attributes["affine"], **settings)
        if layer.weight is None:
            raise TorchError("nn.FastLSTM: its batch normalizations need weights (affine)")
        layer.weight.data.fill_(0.1)
        return layer

    def _not_built(self) -> Any:
        raise TorchError("nn.FastLSTM has no gates of its own to build")

    buildGate = buildInputGate = buildForgetGate = buildHidden = buildCell = buildOutputGate = _not_built
