"""The text of numbers, tensors and storages: that of Torch7's ``tostring``, byte for byte.

One format serves all the numbers of a tensor. It follows from the decimal exponents of the smallest and the
largest magnitude, counted so that 1 to 9.99 have exponent 1:

====================================  =====================================================
all numbers whole, at most 9 digits   ``%Nd``, N one more than the most digits
all numbers whole, more digits        ``%11.4e``
exponents more than 4 apart           ``%11.4e``, or ``%12.4e`` beside a 3-digit exponent
largest exponent below 0 or above 5   a common power of ten, printed first, and ``%7.4f``
otherwise                             ``%N.4f``
a NaN anywhere                        ``%f``, with no width and never split into columns
====================================  =====================================================

A zero counts as exponent 1, infinity as whole. Numbers pass through double first, so a Long beyond 2^53
prints rounded, as in the original.

Numbers are rounded half away from zero (``rounding.py``).

Source: torch7's ``Tensor.lua`` in its last state. A program as of 2015 gets an empty line before the text of
a storage (``quirks.py``).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch

from torch7py.ops import types
from torch7py.ops.quirks import older
from torch7py.ops.rounding import format_number

__all__ = ["number_to_string", "storage_to_string", "tensor_to_string"]

LINE_WIDTH = 80
MAX_WHOLE_DIGITS = 9


@dataclass(frozen=True)
class Format:
    """How to print numbers: divided by ``scale``, by the directive ``item``, ``width`` characters wide."""

    item: str
    width: int | None = None
    scale: float = 1.0

    @property
    def heading(self) -> str:
        return "" if self.scale == 1 else f"{self.scale:g} *\n"

    @property
    def whole(self) -> bool:
        return self.item.endswith("d")

    def columns(self, indent: str) -> int | None:
        """How many numbers stand in one line, None for all."""
        return None if self.width is None else (LINE_WIDTH - len(indent)) // (self.width + 1)


def number_to_string(x: float) -> str:
    """A number as Lua's ``tostring`` and ``..`` print it: 14 digits, no trailing zeros, ``nan`` unsigned."""
    return format_number("%.14g", x)


def tensor_to_string(t: torch.Tensor, type_name: str) -> str:
    """The text of a tensor, ``tostring(x)`` in Lua. It ends in a newline.

    A vector is a column and a matrix is split into blocks of columns where it does not fit 80 characters. A
    tensor of more dimensions is a list of its matrices, the first index running fastest. A tensor without
    elements has no dimension. Raises ValueError for PyTorch's 0-dimensional tensor, which Torch7 does not
    have, and TypeError for a dtype that it does not have.

    Source: torch7 ``Tensor.lua``.
    """
    types.of(t)
    if t.numel() == 0:
        return f"[{type_name} with no dimension]\n"
    if t.dim() == 0:
        raise ValueError("Torch7 has no tensor of 0 dimensions with an element: give it one dimension")
    values = _doubles(t)
    fmt = _format_of(values)
    values = _scaled(values, fmt)
    if t.dim() == 1:
        body = _column(values, fmt)
    elif t.dim() == 2:
        body = _matrix(values, fmt, indent="")
    else:
        body = _matrices(values, fmt)
    return f"{body}[{type_name} of size {'x'.join(map(str, t.shape))}]\n"


def storage_to_string(values: torch.Tensor, type_name: str) -> str:
    """The text of a storage whose elements are a vector; ``tostring(s)`` in Lua. It ends in a newline.

    Raises ValueError for anything but a vector, TypeError for a dtype Torch7 does not have.

    Source: torch7 ``Tensor.lua``.
    """
    types.of(values)
    if values.dim() != 1:
        raise ValueError(f"a storage is one vector, not a tensor of {values.dim()} dimensions")
    body = "\n" if older("storage text") else ""
    if values.numel() > 0:
        values = _doubles(values)
        fmt = _format_of(values)
        body += _column(_scaled(values, fmt), fmt)
    return f"{body}[{type_name} of size {values.numel()}]\n"


def _doubles(t: torch.Tensor) -> torch.Tensor:
    return t.detach().to("cpu", torch.float64)


def _scaled(values: torch.Tensor, fmt: Format) -> torch.Tensor:
    return values if fmt.scale == 1 else values / fmt.scale


def _format_of(values: torch.Tensor) -> Format:
    smallest, largest = (float(x) for x in values.abs().aminmax())
    if math.isnan(largest):
        return Format("%f")
    low, high = _exponent(smallest), _exponent(largest)
    if bool((values == values.ceil()).all()):
        if high > MAX_WHOLE_DIGITS:
            return Format("%11.4e", 11)
        width = int(high) + 1
        return Format(f"%{width}d", width)
    if high - low > 4:
        width = 12 if abs(high) > 99 or abs(low) > 99 else 11
        return Format(f"%{width}.4e", width)
    if high < 0 or high > 5:
        # Below 1e-323 the scale is 0 and the quotients infinite: the original shows them so.
        return Format("%7.4f", 7, math.pow(10, high - 1))
    width = 7 if high == 0 else int(high) + 6
    return Format(f"%{width}.4f", width)


def _exponent(magnitude: float) -> float:
    """The decimal exponent counted from 1 (0.01 to 0.0999 has -1); infinity for infinity."""
    if magnitude == 0:
        return 1.0
    if math.isinf(magnitude):
        return math.inf
    return float(math.floor(math.log10(magnitude)) + 1)


def _column(values: torch.Tensor, fmt: Format) -> str:
    return fmt.heading + _lines(values.unsqueeze(1), fmt, "")


def _matrix(values: torch.Tensor, fmt: Format, indent: str) -> str:
    """The rows of a matrix, in as many blocks of columns as it takes.

    A block may have two headings, on separate lines. The first line of the first block is indented, that of a later
    block is not.
    """
    n_columns = values.shape[1]
    per_line = fmt.columns(indent) or n_columns
    row_indent = indent if fmt.scale == 1 else f"{indent} "
    blocks = []
    for first in range(0, n_columns, per_line):
        last = min(first + per_line, n_columns)
        heading = indent if first == 0 else ""
        if per_line < n_columns:
            heading += f"Columns {first + 1} to {last}\n{indent}"
        if fmt.scale != 1:
            heading += f"{fmt.heading}{row_indent}"
        rows = _lines(values[:, first:last], fmt, row_indent)
        blocks.append(heading + rows.removeprefix(row_indent))
    return "\n".join(blocks)


def _matrices(values: torch.Tensor, fmt: Format) -> str:
    *outer, _, _ = values.shape
    blocks = []
    for index in itertools.product(*(range(n) for n in reversed(outer))):
        index = index[::-1]
        name = ",".join(str(i + 1) for i in index)
        blocks.append(f"({name},.,.) = \n{_matrix(values[index], fmt, ' ')}")
    return "\n".join(blocks)


def _lines(values: torch.Tensor, fmt: Format, indent: str) -> str:
    """The rows of a matrix, one a line, each after the indent."""
    rows, columns = values.shape
    line = indent + " ".join([fmt.item if fmt.whole else "%s"] * columns) + "\n"
    numbers = values.flatten().tolist()
    return line * rows % tuple(numbers if fmt.whole else [format_number(fmt.item, x) for x in numbers])
