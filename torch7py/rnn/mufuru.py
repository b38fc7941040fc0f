"""MuFuRu: a recurrent unit that mixes several operations on its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
from torch7py.rnn.gru import GRU

__all__ = ["MuFuRu"]


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


@layer("nn.MuFuRu", package="rnn")
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
        both = ParallelTable(Linear(inputs, outputs), Linear(outputs, outputs))
        reset = Sequential(both, CAddTable(), Sigmoid())
        kept = Sequential(NarrowTable(2, 2), CMulTable())
        feature = Sequential(
            ConcatTable(SelectTable(1), kept),
            JoinTable(2),
            Linear(inputs + outputs, outputs),
            Sigmoid(),
        )
        weights = Sequential(
            NarrowTable(1, 2),
            JoinTable(2),
            Linear(inputs + outputs, count * outputs),
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
        return Sequential(
            ConcatTable(SelectTable(1), SelectTable(2), reset),
            ConcatTable(SelectTable(2), feature, weights),
            mixed,
        )

    def migrate(self, params: Any) -> None:
        raise TorchError("nn.MuFuRu has no migrate")

    def describe(self) -> str:
        ops = "".join(f"{name} " for name in self.ops)
        return f"{self.class_name}({self.inputSize} -> {self.outputSize}) {{ {ops}}}"
