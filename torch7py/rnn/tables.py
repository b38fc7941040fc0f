"""ReverseTable: a table from its end."""

from __future__ import annotations

from typing import Any

from torch7py.nn.registry import layer
from torch7py.nn.table import Passing
from torch7py.ops.errors import TorchError

__all__ = ["ReverseTable"]


@layer("nn.ReverseTable", package="dpnn")
class ReverseTable(Passing):
    """``nn.ReverseTable()``: the entries of a table from the last to the first, as they are."""

    def forward(self, input: Any) -> list[Any]:
        if not isinstance(input, list):
            raise TorchError(f"{self.class_name} expects a table")
        return input[::-1]

    def grad_input(self, input: Any, gradOutput: Any) -> list[Any]:
        return self.forward(gradOutput)
