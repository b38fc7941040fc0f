"""The instructions of layers that join, split or add up (see ``step_lines.py``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch7py.nn import step_lines as lines
from torch7py.nn.arguments import axis
from torch7py.nn.reduce import Mean, Sum
from torch7py.nn.selecting import Narrow, Select
from torch7py.nn.shape import Transpose
from torch7py.nn.step_program import Leaf, StepProgram, Unfit, Value
from torch7py.nn.table import JoinTable, SelectTable, SplitTable
from torch7py.nn.table_math import CAddTable, CMulTable, CSubTable

__all__ = []


def _combined(name: str, most: int | None = None) -> Callable[[StepProgram, Any, Value], Value]:
    def write(p: StepProgram, m: Any, x: Value) -> Value:
        parts = lines.table(p, x)
        p.settings(m, "inplace")
        if m.__dict__.get("inplace") or len(parts) < 2 or (most is not None and len(parts) > most):
            raise Unfit
        lines.check_alike(*parts)
        o = p.room(m, "output", parts[0].tensor.shape)
        lines.flat(p, name, (o, parts[0], parts[1]))
        for part in parts[2:]:
            lines.flat(p, name, (o, o, part))
        return o

    return write


def _add_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    lines.check_alike(x[0], gradient)
    rooms = p.rooms(m, lines.shapes(x))
    for room in rooms:
        lines.copy(p, room, gradient)
    return rooms


def _subtract_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    lines.check_alike(x[0], gradient)
    rooms = p.rooms(m, lines.shapes(x))
    lines.copy(p, rooms[0], gradient)
    lines.flat(p, "times", (rooms[1], gradient), -1)
    return rooms


def _multiply_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    lines.check_alike(x[0], gradient)
    rooms = p.rooms(m, lines.shapes(x))
    for number, room in enumerate(rooms):
        total = gradient
        for other, part in enumerate(x):
            if other != number:
                lines.flat(p, "multiply", (room, total, part))
                total = room
    return rooms


def _join(p: StepProgram, m: Any, x: Value) -> Value:
    parts = lines.table(p, x)
    p.settings(m, "dimension", "nInputDims")
    dim = axis(m, m.dimension, parts[0].tensor, m.nInputDims)
    sizes = list(parts[0].tensor.shape)
    for part in parts:
        if [s for d, s in enumerate(part.tensor.shape) if d != dim] != sizes[:dim] + sizes[dim + 1 :]:
            raise Unfit
    sizes[dim] = sum(part.tensor.shape[dim] for part in parts)
    o = p.room(m, "output", sizes)
    for part, view in _places(p, o, parts, dim):
        lines.copy(p, view, part)
    return o


def _places(p: StepProgram, whole: Leaf, parts: Sequence[Leaf], dim: int) -> list[tuple[Leaf, Leaf]]:
    """Parts, each with its place in the whole."""
    views = whole.tensor.detach().split([part.tensor.shape[dim] for part in parts], dim)
    return [(part, p.part(whole, view)) for part, view in zip(parts, views, strict=True)]


def _join_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    lines.check_alike(p.output_of(m), gradient)
    rooms = p.rooms(m, lines.shapes(x))
    for room, view in _places(p, gradient, rooms, axis(m, m.dimension, x[0].tensor, m.nInputDims)):
        lines.copy(p, room, view)
    return rooms


def _split(p: StepProgram, m: Any, x: Value) -> Value:
    leaf = lines.tensor(p, x)
    p.settings(m, "dimension", "nInputDims")
    if leaf.tensor.dim() < 2:
        raise Unfit
    dim = axis(m, m.dimension, leaf.tensor, m.nInputDims)
    return p.passed(m, "output", [p.part(leaf, view) for view in leaf.tensor.detach().unbind(dim)])


def _split_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    parts = lines.table(p, g, len(p.output_of(m)))
    o = p.room(m, "gradInput", x.tensor.shape)
    dim = axis(m, m.dimension, x.tensor, m.nInputDims)
    for part, view in zip(parts, o.tensor.detach().unbind(dim), strict=True):
        if part.tensor.shape != view.shape:
            raise Unfit
        lines.copy(p, p.part(o, view), part)
    return o


def _select(p: StepProgram, m: Any, x: Value) -> Value:
    p.settings(m, "index")
    if not isinstance(x, list) or not isinstance(m.index, (int, float)):
        raise Unfit
    return p.passed(m, "output", x[m._key(x)])


def _select_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient, parts = lines.tensor(p, g), lines.table(p, x)
    key = m._key(x)
    lines.check_alike(parts[key], gradient)
    rooms = p.rooms(m, lines.shapes(parts))
    for number, room in enumerate(rooms):
        if number == key:
            lines.copy(p, room, gradient)
        else:
            p.line("clear", room.slot, room.tensor.nbytes)
    return rooms


def _copied_view(p: StepProgram, m: Any, x: Value) -> Value:
    """The layers whose output is a copy of a view of the input, ``viewed``."""
    leaf = lines.tensor(p, x)
    p.settings(m, *type(m).fields)
    for name in type(m).fields:
        _keep_list(p, getattr(m, name))
    part = p.part(leaf, m.viewed(leaf.tensor.detach()))
    o = p.room(m, "output", part.tensor.shape)
    lines.copy(p, o, part)
    return o


def _keep_list(p: StepProgram, value: Any) -> None:
    if isinstance(value, list):
        p.listed(value)
        for item in value:
            _keep_list(p, item)


def _copied_view_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    lines.check_alike(p.output_of(m), gradient)
    o = p.room(m, "gradInput", x.tensor.shape)
    view = m.viewed(o.tensor.detach())
    if view.numel() < o.tensor.numel():
        lines.clear(p, o)
    lines.copy(p, p.part(o, view), gradient)
    return o


def _sum(p: StepProgram, m: Any, x: Value) -> Value:
    leaf = lines.tensor(p, x)
    p.settings(m, "dimension", "nInputDims", "sizeAverage", "squeeze")
    dim = axis(m, m.dimension, leaf.tensor, m.nInputDims)
    shape = list(leaf.tensor.shape)
    shape[dim] = 1
    if leaf.tensor.dim() > 1 and m.squeeze:
        del shape[dim]
    o = p.room(m, "output", shape)
    lines.sum_along(p, o, leaf, dim)
    if m.sizeAverage:
        lines.flat(p, "divide", (o, o), leaf.tensor.shape[dim])
    return o


def _sum_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    lines.check_alike(p.output_of(m), gradient)
    dim = axis(m, m.dimension, x.tensor, m.nInputDims)
    sizes = list(x.tensor.shape)
    sizes[dim] = 1
    if not gradient.tensor.is_contiguous():
        raise Unfit
    o = p.room(m, "gradInput", x.tensor.shape)
    lines.copy(p, o, p.part(gradient, gradient.tensor.detach().view(sizes)))
    if m.sizeAverage:
        lines.flat(p, "divide", (o, o), x.tensor.shape[dim])
    return o


lines.FORWARD |= {
    CAddTable: _combined("add"),
    CSubTable: _combined("subtract", 2),
    CMulTable: _combined("multiply"),
    JoinTable: _join,
    SplitTable: _split,
    SelectTable: _select,
    Select: _copied_view,
    Narrow: _copied_view,
    Transpose: _copied_view,
    Sum: _sum,
    Mean: _sum,
}
lines.BACKWARD |= {
    CAddTable: _add_back,
    CSubTable: _subtract_back,
    CMulTable: _multiply_back,
    JoinTable: _join_back,
    SplitTable: _split_back,
    SelectTable: _select_back,
    Select: _copied_view_back,
    Narrow: _copied_view_back,
    Transpose: _copied_view_back,
    Sum: _sum_back,
    Mean: _sum_back,
}
