"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.activation import Identity, Sigmoid, Tanh
from torch7py.nn.container import ConcatTable, ParallelTable, Sequential
from torch7py.nn.linear import Linear
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.shape import Reshape
from torch7py.nn.table import FlattenTable, NarrowTable, SelectTable, SplitTable
from torch7py.nn.table_math import CAddTable, CMulTable
from torch7py.ops.errors import TorchError
from torch7py.ops.rounding import format_number
from torch7py.rnn.cell import Cell
from torch7py.rnn.dropout import LazyDropout
from torch7py.rnn.fast_lstm import gate_products
from torch7py.rnn.gated import Gated, first_not_none
from torch7py.rnn.linear import LinearNoBias, SAdd

__all__ = ["GRU", "GRUCell"]


class GRUCell(Cell):
    """One step of a GRU: ``{x, h}`` -> ``h'``.

    ``r, z = sigmoid(split(Wi x + b + Wo h))``; ``n = tanh(Wx x + bx + Wh (r h))``; ``h' = (1 - z) n + z h``.
    Members: ``i2g`` (Wi, b), ``o2g`` (Wo), ``i2h`` (Wx, bx), ``o2h`` (Wh).
    """

    widths = (2, 1)

    def formula(self, input: list[torch.Tensor]) -> torch.Tensor:
        x, h = input
        m = self.members
        gates = F.linear(x, m["i2g"].weight, m["i2g"].bias) + F.linear(h, m["o2g"].weight)
        r, z = torch.sigmoid(gates).chunk(2, -1)
        n = torch.tanh(F.linear(x, m["i2h"].weight, m["i2h"].bias) + F.linear(r * h, m["o2h"].weight))
        return (1 - z) * n + z * h

    def keep_results(self, name: str, values: list[Any], sources: Any = ()) -> Any:
        return (
            self.keep_output(values[0]) if name == "output" else super().keep_results(name, values, sources)
        )

    def from_input(self, x: torch.Tensor) -> list[torch.Tensor]:
        products = self.members["i2g"], self.members["i2h"]
        return [torch.addmm(layer.bias.data, x, layer.weight.data.t()) for layer in products]

    def step_output(
        self, of_input: list[torch.Tensor], state: list[torch.Tensor]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        m, h = self.members, state[0]
        gates = of_input[0].addmm_(h, m["o2g"].weight.data.t()).sigmoid_()
        r, z = gates.chunk(2, 1)
        kept = r * h
        n = of_input[1].addmm_(kept, m["o2h"].weight.data.t()).tanh_()
        return [torch.addcmul(z * h, 1 - z, n)], [gates, kept, n]

    def activations(self, saved: list[torch.Tensor]) -> list[torch.Tensor]:
        gates, _, n = saved
        return [*gates.chunk(2, 1), n]

    def factors(self, state: list[torch.Tensor], saved: list[torch.Tensor]) -> list[torch.Tensor]:
        """The derivatives of the output by the sums of n and z, of what is kept by that of r; r and z."""
        (gates, _, n), h = saved, state[0]
        r, z = gates.chunk(2, 1)
        by_r, by_z = (gates - gates * gates).chunk(2, 1)
        by_n = (1 - z).mul_(1 - n * n)
        return [by_n, by_z * (h - n), by_r * h, r, z]

    def step_grad(
        self, gradients: list[torch.Tensor], factors: list[torch.Tensor], room: list[torch.Tensor]
    ) -> list[torch.Tensor]:
        m, d_output = self.members, gradients[0]
        by_n, by_z, by_r, r, z = factors
        of_gates, d_n = room
        d_r, d_z = of_gates.chunk(2, 1)
        torch.mul(d_output, by_n, out=d_n)
        d_kept = d_n @ m["o2h"].weight.data
        torch.mul(d_kept, by_r, out=d_r)
        torch.mul(d_output, by_z, out=d_z)
        return [torch.addmm(torch.addcmul(d_output * z, d_kept, r), of_gates, m["o2g"].weight.data)]

    def grad_of_input(self, of_gates: list[torch.Tensor]) -> torch.Tensor:
        gates, d_n = of_gates
        return torch.addmm(d_n @ self.members["i2h"].weight.data, gates, self.members["i2g"].weight.data)

    def acc_grad(
        self,
        x: torch.Tensor,
        state: list[torch.Tensor],
        of_gates: list[torch.Tensor],
        saved: list[torch.Tensor],
        scale: float,
    ) -> None:
        (gates, d_n), m = of_gates, self.members
        m["i2g"].accGradParameters(x, gates, scale)
        m["o2g"].accGradParameters(state[0], gates, scale)
        m["i2h"].accGradParameters(x, d_n, scale)
        m["o2h"].accGradParameters(saved[1], d_n, scale)


@layer(
    "nn.GRU",
    package="rnn",
    keeps_rank=True,
    draws=True,
    differs_in_training=True,
    keeps="always",
    parts="built",
    takes="tensor",
    gives="tensor",
    example="inputSize",
)
class GRU(Gated):
    """``nn.GRU(inputSize, outputSize[, rho, p, mono])``: gated recurrent units (see GRUCell).

    ``p`` above 0 drops out inputs and outputs of each gate, one mask a sequence, with ``mono`` the same for all
    examples. The output before step 1 is 0, or ``userPrevOutput``.

    Shapes of a step: ``(inputSize)`` -> ``(outputSize)``, or ``(batch, inputSize)`` -> ``(batch, outputSize)``.
    """

    fields: ClassVar[tuple[str, ...]] = ("cells", "gradCells", "i2g", "o2g")
    lua_methods = names("migrate")

    def __init__(
        self,
        inputSize: int,
        outputSize: int,
        rho: int | None = None,
        p: float | None = None,
        mono: bool = False,
    ) -> None:
        self.prepare(inputSize, outputSize, rho, p, mono)
        self.__dict__.update(cells={}, gradCells={})
        self.set_step_module(self.buildModel())

    def buildModel(self) -> Any:
        i2g, o2g = gate_products(self.inputSize, self.outputSize, 2, self.p, self.mono)
        self.__dict__.update(i2g=i2g, o2g=o2g)
        gates = Sequential(
            ParallelTable(i2g, o2g),
            CAddTable(),
            Reshape(2, self.outputSize),
            SplitTable(1, 2),
            ParallelTable(Sigmoid(), Sigmoid()),
        )
        from_input, from_kept = Sequential(SelectTable(1)), Sequential(NarrowTable(2, 2), CMulTable())
        if self.p != 0:
            from_input.add(LazyDropout(self.p, False, False, True, self.mono))
            from_kept.add(LazyDropout(self.p, False, False, True, self.mono))
        i2h, o2h = Linear(self.inputSize, self.outputSize), LinearNoBias(self.outputSize, self.outputSize)
        from_input.add(i2h)
        from_kept.add(o2h)
        hidden = Sequential(ConcatTable(from_input, from_kept), CAddTable(), Tanh())
        new = Sequential(ConcatTable(hidden, Sequential(SelectTable(4), SAdd(-1, True))), CMulTable())
        old = Sequential(NarrowTable(4, 2), CMulTable())
        parts = (
            ConcatTable(Identity(), gates),
            FlattenTable(),  # x, h, r, z
            ConcatTable(NarrowTable(1, 4), SelectTable(2)),
            FlattenTable(),  # x, h, r, z, h
            Sequential(ConcatTable(new, old), CAddTable()),
        )
        if self.rebuilt():
            return Sequential(*parts)
        return GRUCell({"i2g": i2g, "o2g": o2g, "i2h": i2h, "o2h": o2h}, *parts)

    def migrate(self, params: list[torch.Tensor]) -> None:
        """``m:migrate(params)``: take the parameters of a GRU without dropout."""
        parameters = self.torch7_parameters()[0]
        if self.p == 0 or len(params) != 6 or len(parameters) != 9:
            raise TorchError(
                "nn.GRU:migrate takes the 6 parameters of a GRU with p = 0 into one with dropout"
            )
        size = self.outputSize
        w, b, u = params[:3]
        parts = [w[:size], b[:size], w[size:], b[size:], u[:size], u[size:], *params[3:]]
        for target, source in zip(parameters, parts, strict=True):
            if target.shape != source.shape:
                raise TorchError("nn.GRU:migrate: the parameters are of a GRU of another size")
            target.data.copy_(source)

    # -- hidden state -------------------------------------------------------------------------------------

    def state_list(self, step: int, input: torch.Tensor | None) -> list[torch.Tensor]:
        return [self.getHiddenState(step, input)]

    def grad_state_list(self, step: int) -> list[torch.Tensor]:
        return [self.getGradHiddenState(step)]

    def set_grad_state_list(self, step: int, gradients: list[torch.Tensor]) -> None:
        self.setGradHiddenState(step, gradients[0])

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """``m:getHiddenState(step)``: the output after a step."""
        output = None if step is None else self.outputs.get(step)
        if step == 0:
            return first_not_none(self.__dict__.get("userPrevOutput"), output, self.zero_for(input))
        return output

    def setHiddenState(self, step: int | None, hiddenState: Any = None) -> None:
        """``m:setHiddenState(step, output)``"""
        self.outputs[self.state_number(step)] = self.tensor_of(hiddenState)

    def getGradHiddenState(self, step: int | None = None) -> Any:
        """``m:getGradHiddenState(step)``: what later steps add to the gradient of a step's output."""
        if step is None:
            return None
        if step < self.step - 1 and step not in self.__dict__[self.handed_back]:
            self.look_at_gradients()
        output = self.__dict__[self.handed_back].get(step)
        if step == self.step - 1:
            return first_not_none(self.next_gradient_of_output(), output, self.__dict__["zeroTensor"])
        return output

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any = None) -> None:
        """``m:setGradHiddenState(step, gradient)``"""
        hidden = self.__dict__[self.handed_back]
        hidden[self.state_number(step)] = self.tensor_of(gradHiddenState)

    def tensor_of(self, state: Any) -> torch.Tensor:
        if not isinstance(state, torch.Tensor):
            raise TorchError(f"{self.class_name}: a hidden state is a tensor")
        return state

    def describe(self) -> str:
        return f"{self.class_name}({self.inputSize} -> {self.outputSize}, {format_number('%.2f', self.p)})"
