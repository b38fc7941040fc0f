"""Long short-term memory: LSTM with peepholes, FastLSTM without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.activation import Sigmoid, Tanh
from torch7py.nn.arithmetic import CMul
from torch7py.nn.base import Module
from torch7py.nn.container import ConcatTable, ParallelTable, Sequential
from torch7py.nn.copying import TensorMap
from torch7py.nn.linear import Linear
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.table import FlattenTable, NarrowTable, SelectTable
from torch7py.nn.table_math import CAddTable, CMulTable
from torch7py.ops.errors import TorchError
from torch7py.rnn.cell import Cell
from torch7py.rnn.dropout import LazyDropout
from torch7py.rnn.gated import Gated, first_not_none
from torch7py.rnn.linear import LinearNoBias

__all__ = ["LSTM", "LSTMCell"]

GATES = "ifzo"  # input, forget, hidden, output, as the kernel has them side by side


class LSTMCell(Cell):
    """One step of an LSTM: ``{x, h, c}`` -> ``{h', c'}``.

    ``i = sigmoid(Wxi x + bi + Whi h + Wci c)``; ``f`` likewise; ``z = tanh(Wxz x + bz + Whz h)``;
    ``c' = f c + i z``; ``o = sigmoid(Wxo x + bo + Who h + Wco c')``; ``h' = o tanh(c')``. The matrices from the cell
    are diagonal, and absent without peepholes.

    Members: ``x`` + gate and ``h`` + gate for the gates i, f, z, o; ``c`` + gate for i, f, o with peepholes.
    """

    widths = (1, 1, 1, 1)
    copies_operands = True

    def formula(self, input: list[torch.Tensor]) -> list[torch.Tensor]:
        x, h, c = input
        m = self.members

        def before(gate: str, cell: torch.Tensor | None = None) -> torch.Tensor:
            total = F.linear(x, m["x" + gate].weight, m["x" + gate].bias) + F.linear(h, m["h" + gate].weight)
            return total if cell is None or "ci" not in m else total + cell * m["c" + gate].weight

        i, f = torch.sigmoid(before("i", c)), torch.sigmoid(before("f", c))
        cell = f * c + i * torch.tanh(before("z"))
        return [torch.sigmoid(before("o", cell)) * torch.tanh(cell), cell]

    def from_input(self, x: torch.Tensor) -> list[torch.Tensor]:
        m = self.members
        return [torch.addmm(m["x" + g].bias.data, x, m["x" + g].weight.data.t()) for g in GATES]

    def step_output(
        self, of_input: list[torch.Tensor], state: list[torch.Tensor]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        h, c = state
        m = self.members
        i, f, z, o = of_input
        for gate, target in zip(GATES, of_input, strict=True):
            target.addmm_(h, m["h" + gate].weight.data.t())
        peepholes = "ci" in m
        if peepholes:
            i.addcmul_(c, m["ci"].weight.data)
            f.addcmul_(c, m["cf"].weight.data)
        i.sigmoid_()
        f.sigmoid_()
        z.tanh_()
        cell = torch.addcmul(f * c, i, z)
        if peepholes:
            o.addcmul_(cell, m["co"].weight.data)
        o.sigmoid_()
        squashed = torch.tanh(cell)
        return [o * squashed, cell], [i, f, z, o, squashed, cell]

    def activations(self, saved: list[torch.Tensor]) -> list[torch.Tensor]:
        i, f, z, o, squashed, _ = saved
        return [f, i, z, o, squashed]

    def factors(self, state: list[torch.Tensor], saved: list[torch.Tensor]) -> list[torch.Tensor]:
        """The derivatives of cell and output by the four sums, of the output by the cell, of cell by cell."""
        i, f, z, o, squashed, _ = saved
        by_i, by_f, by_o = (gate - gate * gate for gate in (i, f, o))
        by_z = torch.addcmul(i, i * z, z, value=-1)
        by_cell = torch.addcmul(o, o * squashed, squashed, value=-1)
        return [by_i.mul_(z), by_f.mul_(state[1]), by_z, by_o.mul_(squashed), by_cell, f]

    def step_grad(
        self, gradients: list[torch.Tensor], factors: list[torch.Tensor], room: list[torch.Tensor]
    ) -> list[torch.Tensor]:
        m = self.members
        by_i, by_f, by_z, by_o, by_cell, kept = factors
        d_i, d_f, d_z, d_o = room
        d_output, d_cell = gradients
        torch.mul(d_output, by_o, out=d_o)
        d_cell = torch.addcmul(d_cell, d_output, by_cell)
        if "ci" in m:
            d_cell.addcmul_(d_o, m["co"].weight.data)
        for gradient, factor in ((d_i, by_i), (d_f, by_f), (d_z, by_z)):
            torch.mul(d_cell, factor, out=gradient)
        d_before = d_cell * kept
        if "ci" in m:
            d_before.addcmul_(d_i, m["ci"].weight.data).addcmul_(d_f, m["cf"].weight.data)
        return [self._through("h", room), d_before]

    def _through(self, source: str, of_gates: list[torch.Tensor]) -> torch.Tensor:
        """The gradient of what all gates' products with the input (x) or the output before (h) are of."""
        weights = [self.members[source + gate].weight.data for gate in GATES]
        total = of_gates[0] @ weights[0]
        for gradient, weight in zip(of_gates[1:], weights[1:], strict=True):
            total.addmm_(gradient, weight)
        return total

    def grad_of_input(self, of_gates: list[torch.Tensor]) -> torch.Tensor:
        return self._through("x", of_gates)

    def acc_grad(
        self,
        x: torch.Tensor,
        state: list[torch.Tensor],
        of_gates: list[torch.Tensor],
        saved: list[torch.Tensor],
        scale: float,
    ) -> None:
        h, c = state
        for gate, gradient in zip(GATES, of_gates, strict=True):
            self.members["x" + gate].accGradParameters(x, gradient, scale)
            self.members["h" + gate].accGradParameters(h, gradient, scale)
        d_i, d_f, _, d_o = of_gates
        for gate, gradient, of in (("i", d_i, c), ("f", d_f, c), ("o", d_o, saved[5])):
            peephole = self.members.get("c" + gate)
            buffer = None if peephole is None else peephole.gradient("weight")
            if buffer is not None:
                buffer.view(-1).add_((gradient * of).sum(0), alpha=scale)

    def lstm_parameters(self) -> list[torch.Tensor] | None:
        m = self.members
        if "ci" in m or any(m["x" + gate].bias is None for gate in GATES):
            return None
        named = (("x", "weight"), ("h", "weight"), ("x", "bias"))
        return [torch.cat([getattr(m[source + gate], name).data for gate in GATES]) for source, name in named]

    def acc_lstm(self, gradients: list[torch.Tensor], scale: float) -> None:
        for source, name, gradient in zip("xhx", ("weight", "weight", "bias"), gradients, strict=True):
            for gate, part in zip(GATES, gradient.chunk(4), strict=True):
                buffer = self.members[source + gate].gradient(name)
                if buffer is not None:
                    buffer.add_(part, alpha=scale)


@layer(
    "nn.LSTM",
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
class LSTM(Gated):
    """``nn.LSTM(inputSize[, outputSize, rho, cell2gate, p, mono])``: an LSTM with peepholes (see LSTMCell).

    Without ``cell2gate`` (true) there are no peepholes; ``p`` above 0 drops out inputs and outputs of each gate,
    one mask a sequence, with ``mono`` the same for all examples. Output and cell before step 1 are 0, or
    ``userPrevOutput`` and ``userPrevCell``. Going back, the last output and cell get the gradients
    ``userNextGradOutput`` (``gradPrevOutput`` until 2016) and ``userNextGradCell`` as well.

    Shapes of a step: ``(inputSize)`` -> ``(outputSize)``, or ``(batch, inputSize)`` -> ``(batch, outputSize)``.
    """

    fields: ClassVar[tuple[str, ...]] = (
        "cell",
        "cells",
        "gradCells",
        "cell2gate",
        "userPrevCell",
        "userNextGradCell",
        "userGradPrevCell",
        "inputGate",
        "forgetGate",
        "hiddenLayer",
        "cellLayer",
        "outputGate",
    )
    lua_methods = names("buildGate buildInputGate buildForgetGate buildHidden buildCell buildOutputGate")

    transient = (*Gated.transient, "_awaited")
    state_tables = ("outputs", "cells")
    state_gradients = ("gradCells",)
    user_states = ("userPrevOutput", "userPrevCell")
    user_gradients = (*Gated.user_gradients, "userNextGradCell")
    marks_fast_backward = False  # as in the original: updateParameters then goes back once more by itself

    def __init__(
        self,
        inputSize: int,
        outputSize: int | None = None,
        rho: int | None = None,
        cell2gate: bool = True,
        p: float | None = None,
        mono: bool = False,
    ) -> None:
        self.prepare(inputSize, outputSize, rho, p, mono)
        self.__dict__["cell2gate"] = cell2gate
        self.set_step_module(self.buildModel())

    def _clear_steps(self) -> None:
        super()._clear_steps()
        self.__dict__.pop("_awaited", None)

    # -- the tree -----------------------------------------------------------------------------------------

    def _products(self) -> tuple[Module, Module, tuple[Linear, Linear]]:
        """The two products of a gate as modules, and their layers."""
        wrapped, layers = [], []
        for cls, size in ((Linear, self.inputSize), (LinearNoBias, self.outputSize)):
            drops = self.generation.gates_have_dropout or self.p != 0
            before = [LazyDropout(self.p, False, False, True, self.mono)] if drops else []
            product = cls(size, self.outputSize)
            layers.append(product)
            wrapped.append(Sequential(*before, product) if drops else product)
        return wrapped[0], wrapped[1], (layers[0], layers[1])

    def buildGate(self) -> Any:
        """``m:buildGate()``: a gate, ``{x, h, c}`` -> values from 0 to 1."""
        gate = Sequential() if self.cell2gate else Sequential(NarrowTable(1, 2))
        from_input, from_output, layers = self._products()
        both = ParallelTable(from_input, from_output)
        peephole = CMul(self.outputSize) if self.cell2gate else None
        if peephole is not None:
            both.add(peephole)
        gate.add(both).add(CAddTable()).add(Sigmoid())
        gate.__dict__["_layers"] = (*layers, peephole)
        return gate

    def buildInputGate(self) -> Any:
        """``m:buildInputGate()``"""
        self.__dict__["inputGate"] = self.buildGate()
        return self.inputGate

    def buildForgetGate(self) -> Any:
        """``m:buildForgetGate()``"""
        self.__dict__["forgetGate"] = self.buildGate()
        return self.forgetGate

    def buildOutputGate(self) -> Any:
        """``m:buildOutputGate()``"""
        self.__dict__["outputGate"] = self.buildGate()
        return self.outputGate

    def buildHidden(self) -> Any:
        """``m:buildHidden()``: ``{x, h, c}`` -> the candidate for the cell."""
        from_input, from_output, layers = self._products()
        hidden = Sequential(NarrowTable(1, 2), ParallelTable(from_input, from_output), CAddTable(), Tanh())
        hidden.__dict__["_layers"] = (*layers, None)
        self.__dict__["hiddenLayer"] = hidden
        return hidden

    def buildCell(self) -> Any:
        """``m:buildCell()``: ``{x, h, c}`` -> the new cell."""
        input_gate, forget_gate, hidden = self.buildInputGate(), self.buildForgetGate(), self.buildHidden()
        self.__dict__.update(inputGate=input_gate, forgetGate=forget_gate, hiddenLayer=hidden)
        kept = Sequential(ConcatTable(forget_gate, SelectTable(3)), CMulTable())
        added = Sequential(ConcatTable(input_gate, hidden), CMulTable())
        self.__dict__["cellLayer"] = Sequential(ConcatTable(kept, added), CAddTable())
        return self.cellLayer

    def buildModel(self) -> Any:
        """``m:buildModel()``: the module of one step, ``{x, h, c}`` -> ``{h', c'}``."""
        self.__dict__["cellLayer"] = self.buildCell()
        self.__dict__["outputGate"] = self.buildOutputGate()
        squashed = Sequential(SelectTable(3), Tanh())
        output = Sequential(ConcatTable(self.outputGate, squashed), CMulTable())
        parts = (
            ConcatTable(NarrowTable(1, 2), self.cellLayer),
            FlattenTable(),
            ConcatTable(output, SelectTable(3)),
        )
        members = self._members()
        return Sequential(*parts) if members is None else LSTMCell(members, *parts)

    def _members(self) -> dict[str, Module] | None:
        """The layers of the gates for the kernel, in the order of parameters(); None where a gate is not ours."""
        if self.rebuilt():
            return None
        members: dict[str, Module] = {}
        gates = {"f": self.forgetGate, "i": self.inputGate, "z": self.hiddenLayer, "o": self.outputGate}
        for gate, module in gates.items():
            for source, product in zip("xhc", module.__dict__.pop("_layers"), strict=True):
                if product is not None:
                    members[source + gate] = product
        return members

    # -- hidden state -------------------------------------------------------------------------------------

    def first_state(self, zero: torch.Tensor) -> list[torch.Tensor]:
        return [zero, zero]

    def output_of(self, result: Any) -> Any:
        output, cell = result
        self.__dict__["cells"][self.step] = cell
        self.__dict__["cell"] = cell
        return output

    def keep_steps(self, states: Sequence[Sequence[Any]]) -> None:
        self.__dict__["cell"] = states[-1][1]
        super().keep_steps(states)

    # A kernel for whole sequences does not give the cells inside: they are computed when somebody looks.

    def await_cells(self, steps: range, compute: Callable[[], list[torch.Tensor]]) -> None:
        """The cells of these steps, which are not there, are what ``compute`` gives."""
        oldest = self.step - self.reach() - 1
        kept = [
            (other, source)
            for other, source in self.__dict__.get("_awaited", ())
            if other[-1] >= oldest and not (steps[0] <= other[0] and other[-1] <= steps[-1])
        ]
        self.__dict__["_awaited"] = [*kept, (steps, compute)]

    def _find_cells(self) -> None:
        cells: dict[int, Any] = self.__dict__["cells"]
        awaited, oldest = self.__dict__.pop("_awaited", ()), self.step - self.reach() - 1
        for steps, compute in reversed(awaited):
            for step, cell in zip(steps, compute(), strict=True):
                if step >= oldest:
                    cells.setdefault(step, cell)
        if awaited:
            known = sorted(cells.items())
            cells_by_step = dict(known)
            cells.clear()
            # The clone of a step that long ago shows what it does now.
            reach = self.reach() if self.training else 0
            cells.update((step, cells_by_step.get(step + reach, cell)) for step, cell in known)

    def get_field(self, name: str) -> Any:
        if name == "cells":
            self._find_cells()
        return super().get_field(name)

    def _look(self) -> None:
        self._find_cells()
        super()._look()

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        if self.generation.conversion_forgets and type_name is not None:
            self.forget()
            self.clearState()
        self._find_cells()
        super().convert(convert, type_name, seen)

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """``m:getHiddenState([step])``: ``{output, cell}`` after a step, by default the last."""
        step = self.step_number(step, self.step)
        attributes = self.__dict__
        if step not in attributes["cells"] and any(
            step in steps for steps, _ in attributes.get("_awaited", ())
        ):
            self._find_cells()
        output, cell = attributes["outputs"].get(step), attributes["cells"].get(step)
        if step == 0:
            zero = self.zero_for(input)
            output = first_not_none(attributes.get("userPrevOutput"), output, zero)
            cell = first_not_none(attributes.get("userPrevCell"), cell, zero)
        return [output, cell]

    def setHiddenState(self, step: int | None, hiddenState: Any = None) -> None:
        """``m:setHiddenState(step, {output, cell})``"""
        step = self.step_number(step, self.step)
        self.outputs[step], self.__dict__["cells"][step] = self.pair_of(hiddenState)

    def getGradHiddenState(self, step: int | None = None) -> Any:
        """``m:getGradHiddenState([step])``: ``{gradOutput, gradCell}`` that later steps add to a step's."""
        step = self.step_number(step, self.next_back())
        attributes = self.__dict__
        if step < self.step - 1 and step not in attributes["gradCells"]:
            self.look_at_gradients()
        output, cell = attributes[self.handed_back].get(step), attributes["gradCells"].get(step)
        if step == self.step - 1:
            zero = attributes["zeroTensor"]
            output = first_not_none(self.next_gradient_of_output(), output, zero)
            cell = first_not_none(attributes.get("userNextGradCell"), cell, zero)
        return [output, cell]

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any = None) -> None:
        """``m:setGradHiddenState(step, {gradOutput, gradCell})``"""
        step = self.step_number(step, self.next_back())
        hidden = self.__dict__[self.handed_back]
        hidden[step], self.__dict__["gradCells"][step] = self.pair_of(gradHiddenState)

    def pair_of(self, state: Any) -> Any:
        if not isinstance(state, list) or len(state) != 2:
            raise TorchError(f"{self.class_name}: a hidden state is a table of two tensors")
        return state
