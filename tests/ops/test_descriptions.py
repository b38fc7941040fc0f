"""How operations are called and what they do, in words."""

from __future__ import annotations

import pytest

from torch7py.ops import all as all_operations  # noqa: F401  (registers them)
from torch7py.ops.descriptions import calls_of, prose
from torch7py.ops.registry import operations


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("abs", ["torch.abs([out,] src)", "x:abs([src])", "torch.abs(value)"]),
        ("addcmul", ["torch.addcmul([out,] src, [value,] a, b)", "x:addcmul([src,] [value,] a, b)"]),
        ("sort", ["torch.sort([out1, out2,] x[, dim][, descending])", "x:sort([dim][, descending])"]),
        ("rand", ["torch.rand([out,] [gen,] sizes...)", "x:rand([gen,] sizes...)"]),
        ("gesv", ["torch.gesv([out1, out2,] b, a)"]),
        ("torch.Timer.new", ["torch.Timer()"]),
        ("Storage.fill", ["x:fill(value)"]),
        ("__add", []),
    ],
)
def test_calls(name: str, calls: list[str]) -> None:
    assert calls_of(operations[name]) == calls


def test_a_docstring_on_one_line() -> None:
    assert prose("``x:t()``: a matrix,\n    transposed.", called=True) == "a matrix, transposed."
    assert prose("``x:t()``: a matrix", called=False) == "``x:t()``: a matrix."
