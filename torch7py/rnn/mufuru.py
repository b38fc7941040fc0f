"""MuFuRu: a recurrent unit that mixes several operations on its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from torch7py.nn.activation import Sigmoid
from torch7py.nn.base import Module
from torch7py.nn.container import ConcatTable, ParallelTable, Sequential
from torch7py.nn.elementary import Abs, Sqrt
from torch7py.nn.linear import Linear, MulConstant
from torch7py.nn.map_table import MapTable
from torch7py.nn.reduce import Max, Min, Sum
from torch7py.nn.registry import layer
from torch7py.nn.shape import Transpose, Unsqueeze, View
from torch7py.nn.softmax import SoftMax
from torch7py.nn.table import JoinTable, NarrowTable, SelectTable
from torch7py.nn.table_math import CAddTable, CMulTable, CSubTable
from torch7py.ops.errors import TorchError
from torch7py.rnn.cell import Cell, rows
from torch7py.rnn.gru import GRU

__all__ = ["MuFuRu", "MuFuRuCell"]

T = torch.Tensor


def extreme(reduce: type[Max] | type[Min]) -> Module:
    """The greater or the less of two states, element by element."""
    return Sequential(MapTable(Unsqueeze(1)), JoinTable(1), reduce(1))


# {old state, new state} -> state.
OPERATIONS: dict[str, Callable[[], Module]] = {
    "max": lambda: extreme(Max),
    "keep": lambda: SelectTable(1),
    "replace": lambda: SelectTable(2),
    "mul": lambda: CMulTable(),
    "min": lambda: extreme(Min),
    "diff": lambda: CSubTable(),
    "forget": lambda: Sequential(SelectTable(1), MulConstant(0.0)),
    "sqrt_diff": lambda: Sequential(CSubTable(), Abs(), Sqrt(), MulConstant(0.25)),
}
DEFAULT = "keep replace mul diff forget sqrt_diff max min".split()

# The same of the two states as tensors, and the derivatives by both, given the value; 1 and 0 are numbers.
VALUES: dict[str, Callable[[T, T], T]] = {
    "max": torch.maximum,
    "keep": lambda h, v: h,
    "replace": lambda h, v: v,
    "mul": torch.mul,
    "min": torch.minimum,
    "diff": torch.sub,
    "forget": lambda h, v: h * 0.0,
    "sqrt_diff": lambda h, v: (h - v).abs().sqrt() * 0.25,
}


def _chosen(new: T) -> tuple[T, T]:
    """Derivatives where one of the two is the result: the new state in these places."""
    return ~new, new


def _of_root(h: T, v: T, value: T) -> tuple[T, T]:
    """Those of a quarter of the root, 0 where the states are the same."""
    slope = torch.where(value == 0, 0, (h - v).sign_().div_(32 * value))
    return slope, -slope


SLOPES: dict[str, Callable[[T, T, T], tuple[Any, Any]]] = {
    "max": lambda h, v, value: _chosen(v > h),
    "keep": lambda h, v, value: (1, 0),
    "replace": lambda h, v, value: (0, 1),
    "mul": lambda h, v, value: (v, h),
    "min": lambda h, v, value: _chosen(v < h),
    "diff": lambda h, v, value: (1, -1),
    "forget": lambda h, v, value: (0, 0),
    "sqrt_diff": _of_root,
}


class MuFuRuCell(Cell):
    """One step of a MuFuRu: ``{x, h}`` -> ``h'`` (see ``nn.MuFuRu``).

    Members: ``i2r`` (Wr, b), ``o2r`` (Ur and a bias of its own), ``i2v`` (Wv, its bias), ``i2p`` (Wp, its bias).
    """

    batches_only = True

    def __init__(self, members: dict[str, Module], ops: list[str], *modules: Module) -> None:
        super().__init__(members, *modules)
        self.__dict__.update(_ops=list(ops), widths=(1, 1, len(ops)))

    @property
    def ops(self) -> list[str]:
        return self.__dict__["_ops"]

    def formula(self, input: list[T]) -> T:
        x, h = input
        m = self.members
        r = torch.sigmoid(m["i2r"](x) + m["o2r"](h))
        v = torch.sigmoid(m["i2v"](torch.cat([x, r * h], 1)))
        weights = torch.softmax(m["i2p"](torch.cat([x, h], 1)).view(len(x), len(self.ops), -1), 1)
        values = torch.stack([VALUES[name](h, v) for name in self.ops], 1)
        return (weights * values).sum(1)

    def keep_results(self, name: str, values: list[Any], sources: Any = ()) -> Any:
        return (
            self.keep_output(values[0]) if name == "output" else super().keep_results(name, values, sources)
        )

    def grow_as_run(self) -> None:
        tables = [part for part in self.__dict__["_tree"] if isinstance(part, MapTable)]
        entries = [2] * (len(tables) - 1) + [len(self.ops)]  # the last one's are what the operations give
        if [len(table._modules) for table in tables] != entries:
            for table, count in zip(tables, entries, strict=True):
                table.resize(count)
            self._note_parts()

    def _split(self, name: str) -> tuple[T, T]:
        """The weights of the input and those of a state, of a layer that takes both."""
        weight: T = self.members[name].weight.data
        inputs = self.members["i2r"].weight.shape[1]
        return weight[:, :inputs], weight[:, inputs:]

    def from_input(self, x: T) -> list[T]:
        m = self.members
        products = [torch.addmm(m["i2r"].bias.data, x, m["i2r"].weight.data.t())]
        return products + [torch.addmm(m[n].bias.data, x, self._split(n)[0].t()) for n in ("i2v", "i2p")]

    def step_output(self, of_input: list[T], state: list[T]) -> tuple[list[T], list[T]]:
        of_r, of_v, of_p = of_input
        h, o2r = state[0], self.members["o2r"]
        r = of_r.add_(F.linear(h, o2r.weight.data, o2r.bias.data)).sigmoid_()
        kept = r * h
        v = of_v.addmm_(kept, self._split("i2v")[1].t()).sigmoid_()
        weights = of_p.addmm_(h, self._split("i2p")[1].t()).view(len(h), len(self.ops), -1).softmax(1)
        values = torch.stack([VALUES[name](h, v) for name in self.ops], 1)
        return [(weights * values).sum(1)], [r, kept, v, weights.flatten(1), values.flatten(1)]

    def activations(self, saved: list[T]) -> list[T]:
        r, _, v, weights, _ = saved
        return [r, v, weights.view(len(r), len(self.ops), -1).transpose(0, 1)]

    def factors(self, state: list[T], saved: list[T]) -> list[T]:
        """The derivatives of the output by the sums of v and of the weights, and by h where v and they are fixed; of
        what is kept by the sum of r; r."""
        r, _, v, *both = saved
        h = state[0]
        weights, values = (part.view(len(h), len(self.ops), -1) for part in both)
        by_p = weights * (values - (weights * values).sum(1, keepdim=True))
        by_v, by_h = torch.zeros_like(h), torch.zeros_like(h)
        for number, name in enumerate(self.ops):
            of_h, of_v = SLOPES[name](h, v, values[:, number])
            by_h += weights[:, number] * of_h
            by_v += weights[:, number] * of_v
        return [by_v * (v - v * v), by_p.flatten(1), by_h, h * (r - r * r), r]

    def step_grad(self, gradients: list[T], factors: list[T], room: list[T]) -> list[T]:
        d_output = gradients[0]
        by_v, by_p, by_h, by_r, r = factors
        d_r, d_v, d_p = room
        count = len(self.ops)
        torch.mul(d_output, by_v, out=d_v)
        torch.mul(
            d_output.unsqueeze(1),
            by_p.view(len(d_output), count, -1),
            out=d_p.view(len(d_output), count, -1),
        )
        d_kept = d_v @ self._split("i2v")[1]
        torch.mul(d_kept, by_r, out=d_r)
        of_state = torch.addcmul(d_output * by_h, d_kept, r)
        return [of_state.addmm_(d_r, self.members["o2r"].weight.data).addmm_(d_p, self._split("i2p")[1])]

    def grad_of_input(self, of_gates: list[T]) -> T:
        d_r, d_v, d_p = of_gates
        of_input = d_r @ self.members["i2r"].weight.data
        return of_input.addmm_(d_v, self._split("i2v")[0]).addmm_(d_p, self._split("i2p")[0])

    def acc_step(self, x: T, state: list[T], of_gates: list[T], saved: list[T], scale: float) -> None:
        """The tree has copies of the input, of its values at the forward, beside the input itself."""
        self.acc_grad(x, state, of_gates, saved, scale, rows(self.__dict__["_values_then"][0]))

    def acc_grad(
        self,
        x: T,
        state: list[T],
        of_gates: list[T],
        saved: list[T],
        scale: float,
        copied: T | None = None,
    ) -> None:
        (d_r, d_v, d_p), m, h = of_gates, self.members, state[0]
        copied = x if copied is None else copied
        m["i2r"].accGradParameters(x, d_r, scale)
        m["o2r"].accGradParameters(h, d_r, scale)
        m["i2v"].accGradParameters(torch.cat([copied, saved[1]], 1), d_v, scale)
        m["i2p"].accGradParameters(torch.cat([copied, h], 1), d_p, scale)


@layer("nn.MuFuRu", package="rnn", draws=False, differs_in_training=False)
class MuFuRu(GRU):
    """``nn.MuFuRu(inputSize, outputSize[, ops, rho])``: a multi-function recurrent unit (Weissenborn and Rocktaeschel,
    MuFuRU: The Multi-Function Recurrent Unit, 2016).

    ``r = sigmoid(Wr x + Ur h + b)``, ``v = sigmoid(Wv [x, r h])``; each element of ``h'`` is a mean of the operations'
    values for h and v, with weights that a softmax of ``Wp [x, h]`` gives. ``ops`` is a table of names, by default all:
    keep, replace, mul, diff, forget, sqrt_diff, max, min. keep and replace alone make a GRU.

    Shapes of a step: ``(batch, inputSize)`` -> ``(batch, outputSize)``.
    """

    fields = ("ops", "num_ops", "operations")

    def __init__(
        self, inputSize: int, outputSize: int, ops: list[str] | None = None, rho: int | None = None
    ) -> None:
        self.prepare(inputSize, outputSize, rho, 0, False)
        ops = list(DEFAULT if ops is None else ops)
        for name in ops:
            if name not in OPERATIONS:
                raise TorchError(f"nn.MuFuRu: '{name}' is none of {', '.join(OPERATIONS)}")
        self.__dict__.update(cells={}, gradCells={}, ops=ops, num_ops=len(ops))
        self.set_step_module(self.buildModel())

    def buildModel(self) -> Any:
        inputs, outputs, count = self.inputSize, self.outputSize, int(self.num_ops)
        i2r, o2r = Linear(inputs, outputs), Linear(outputs, outputs)
        i2v, i2p = Linear(inputs + outputs, outputs), Linear(inputs + outputs, count * outputs)
        reset = Sequential(ParallelTable(i2r, o2r), CAddTable(), Sigmoid())
        kept = Sequential(NarrowTable(2, 2), CMulTable())
        feature = Sequential(
            ConcatTable(SelectTable(1), kept),
            JoinTable(2),
            i2v,
            Sigmoid(),
        )
        weights = Sequential(
            NarrowTable(1, 2),
            JoinTable(2),
            i2p,
            View(count, outputs).setNumInputDims(1),
            Transpose([1, 2]),
            SoftMax(),
        )
        operations = [OPERATIONS[name]() for name in self.ops]
        self.__dict__["operations"] = operations
        values = Sequential(
            NarrowTable(1, 2),
            ConcatTable(*operations),
            MapTable(Unsqueeze(1)),
            JoinTable(1, 3),
        )
        mixed = Sequential(ConcatTable(values, SelectTable(3)), CMulTable(), Sum(1, 3))
        parts = (
            ConcatTable(SelectTable(1), SelectTable(2), reset),
            ConcatTable(SelectTable(2), feature, weights),
            mixed,
        )
        if self.rebuilt() or any(name not in OPERATIONS for name in self.ops):
            return Sequential(*parts)
        return MuFuRuCell({"i2r": i2r, "o2r": o2r, "i2v": i2v, "i2p": i2p}, self.ops, *parts)

    def migrate(self, params: Any) -> None:
        raise TorchError("nn.MuFuRu has no migrate")

    def describe(self) -> str:
        ops = "".join(f"{name} " for name in self.ops)
        return f"{self.class_name}({self.inputSize} -> {self.outputSize}) {{ {ops}}}"
