"""The instructions of layers that multiply matrices or look rows up (see ``step_lines.py``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from torch7py.nn import linear_gradients, touched_rows
from torch7py.nn import step_lines as lines
from torch7py.nn.linear import Linear, LookupTable
from torch7py.nn.product import MM
from torch7py.nn.step_program import Leaf, StepProgram, Unfit, Value
from torch7py.nn.table_math import MixtureTable

__all__ = ["INDEX_TYPES", "add_rows", "look_up"]

Tensor = torch.Tensor
INDEX_TYPES = (torch.int64, torch.int32, torch.float64, torch.float32)


def _factors(m: Any, parts: Sequence[Leaf]) -> tuple[Tensor, Tensor]:
    left, right = (part.tensor.detach() for part in parts)
    if left.dim() not in (2, 3) or left.dim() != right.dim() or left.shape[:-2] != right.shape[:-2]:
        raise Unfit
    left, right = left.mT if m.transA else left, right.mT if m.transB else right
    if left.shape[-1] != right.shape[-2]:
        raise Unfit
    return left, right


def _matrices(p: StepProgram, m: Any, x: Value) -> Value:
    parts = lines.table(p, x, 2)
    p.settings(m, "transA", "transB")
    left, right = _factors(m, parts)
    o = p.room(m, "output", (*left.shape[:-1], right.shape[-1]))
    lines.product(p, o, parts[0], parts[1], lines.OVER, of=(left, right))
    return o


def _matrices_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient, parts = lines.tensor(p, g), lines.table(p, x, 2)
    lines.check_alike(p.output_of(m), gradient)
    left, right = _factors(m, parts)
    slope = gradient.tensor.detach()
    rooms = p.rooms(m, lines.shapes(parts))
    if m.transA:
        lines.product(p, rooms[0], parts[1], gradient, lines.OVER, of=(right, slope.mT))
    else:
        lines.product(p, rooms[0], gradient, parts[1], lines.OVER, of=(slope, right.mT))
    if m.transB:
        lines.product(p, rooms[1], gradient, parts[0], lines.OVER, of=(slope.mT, left))
    else:
        lines.product(p, rooms[1], parts[0], gradient, lines.OVER, of=(left.mT, slope))
    return rooms


def _mixture(p: StepProgram, m: Any, x: Value) -> Value:
    gater, experts = lines.table(p, x, 2)
    p.settings(m, "dim")
    if gater.tensor.dim() != 1 or experts.tensor.dim() != 2 or m.dim not in (None, 1):
        raise Unfit
    if experts.tensor.shape[0] != gater.tensor.shape[0]:
        raise Unfit
    if not p.is_survey:
        m.noted(m.forward, [gater.tensor, experts.tensor])
    o = p.room(m, "output", experts.tensor.shape[1:])
    lines.product_of_vector(p, o, experts, gater, experts.tensor.detach().t(), lines.OVER)
    return o


def _mixture_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient, (gater, experts) = lines.tensor(p, g), lines.table(p, x, 2)
    lines.check_alike(p.output_of(m), gradient)
    rooms = p.rooms(m, lines.shapes((gater, experts)))
    lines.product_of_vector(p, rooms[0], experts, gradient, experts.tensor.detach(), lines.OVER)
    left, right = gater.tensor.detach().unsqueeze(1), gradient.tensor.detach().unsqueeze(0)
    lines.product(p, rooms[1], gater, gradient, lines.OVER, of=(left, right))
    return rooms


def _linear(p: StepProgram, m: Any, x: Value) -> Value:
    leaf = lines.tensor(p, x)
    weight, bias = p.parameter(m, "weight"), p.parameter(m, "bias")
    if weight is None or weight.tensor.dim() != 2 or not 1 <= leaf.tensor.dim() <= 2:
        raise Unfit
    outputs, inputs = weight.tensor.shape
    if leaf.tensor.shape[-1] != inputs or (bias is not None and bias.tensor.shape != (outputs,)):
        raise Unfit
    o = p.room(m, "output", (*leaf.tensor.shape[:-1], outputs))
    what = lines.OVER if bias is None else lines.ADDED
    if bias is not None:
        lines.copy(p, o, bias)
    if leaf.tensor.dim() == 1:
        lines.product_of_vector(p, o, weight, leaf, weight.tensor.detach(), what)
    else:
        lines.product(p, o, leaf, weight, what, of=(leaf.tensor, weight.tensor.detach().t()))
    return o


def _linear_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient, weight = lines.tensor(p, g), p.parameter(m, "weight")
    lines.check_alike(p.output_of(m), gradient)
    if weight is None:
        raise Unfit
    o = p.room(m, "gradInput", x.tensor.shape)
    slopes, matrix = gradient.tensor.detach(), weight.tensor.detach()
    if x.tensor.dim() == 1:
        lines.product_of_vector(p, o, weight, gradient, matrix.t(), lines.OVER)
    elif gradient.root is None and linear_gradients.turns_rows(slopes, matrix):
        p.call_python(lambda _, scale: o.tensor.copy_(linear_gradients.gradient_of_rows(slopes, matrix)))
    else:
        lines.product(p, o, gradient, weight, lines.OVER)
    return o


def _linear_gradients(p: StepProgram, m: Any, x: Value, g: Value) -> None:
    weight = p.gradient(m, "weight")
    if weight is not None:
        left, right = g.tensor.detach(), x.tensor.detach()
        if left.dim() == 1:
            left, right = left.unsqueeze(0), right.unsqueeze(0)
        buffer = weight.tensor
        if g.root is None and x.root is None and linear_gradients.turns_product(buffer, left, right):
            p.call_python(lambda _, scale: linear_gradients.accumulate_product(buffer, left, right, scale))
        else:
            lines.product(p, weight, g, x, lines.SCALED, of=(left.t(), right))
    if m._parameters.get("bias") is None:
        return
    bias = p.gradient(m, "bias")
    if bias is None:
        return
    if g.tensor.dim() == 1:
        lines.flat(p, "accumulate", (bias, g))
    else:
        lines.sum_up(p, bias, g)


def _look_up(p: StepProgram, m: Any, x: Value) -> Value:
    return look_up(p, m, [x])


def look_up(p: StepProgram, m: Any, parts: Sequence[Value]) -> Leaf:
    """The rows of a table that indices name, for several tensors of indices one after the other."""
    indices = [part for part in parts if isinstance(part, Leaf) and part.slot == part.root]
    if len(indices) < len(parts):
        raise Unfit
    first = indices[0].tensor
    if first.dtype not in INDEX_TYPES or not 1 <= first.dim() <= 2:
        raise Unfit
    table = p.parameter(m, "weight")
    p.settings(m, "paddingValue", "maxNorm", "shouldScaleGradByFreq")
    if table is None or table.tensor.dim() != 2 or m.maxNorm is not None or m.shouldScaleGradByFreq:
        raise Unfit
    entries, columns = table.tensor.shape
    if m.paddingValue != 0:
        raise Unfit
    count = first.numel()
    o = p.room(m, "output", (len(parts) * first.shape[0], *first.shape[1:], columns))
    for part, x in zip(o.tensor.detach().view(len(parts), count, columns), indices, strict=True):
        p.indices.append((x.slot, count, entries))
        slots = (p.part(o, part).slot, x.slot, table.slot)
        p.line("look_up", *slots, count, columns, work=lines.OF_LOOP * count * columns)
    return o


def _look_up_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    lines.check_alike(p.output_of(m), gradient)
    held = m.__dict__["gradInput"]
    zeros = m.grad_input(x.tensor, gradient.tensor)
    if held is None:
        raise Unfit
    if not p.is_survey:
        m.keep_grad_input(zeros)
    if not zeros.numel():
        raise Unfit
    o = p.room(m, "gradInput", zeros.shape, zeros.dtype)
    lines.clear(p, o)
    return o


def _look_up_gradients(p: StepProgram, m: Any, x: Value, g: Value) -> None:
    add_rows(p, m, [x], g)


def add_rows(p: StepProgram, m: Any, parts: Sequence[Leaf], g: Leaf) -> None:
    """Add to the gradient of a table, for several tensors of indices one after the other."""
    keeps_book = touched_rows.saves_more(m.own_gradient("weight"))
    weight = p.gradient(m, "weight", by_pointer=not keeps_book)
    if weight is None:
        return
    if not g.tensor.is_contiguous():
        raise Unfit
    if keeps_book:
        buffer, slots_of_indices = weight.tensor, [part.slot for part in parts]

        def add(tensor_of: dict[int, Tensor], scale: float) -> None:
            rows = torch.cat([tensor_of[slot].view(-1) for slot in slots_of_indices]).long() - 1
            gradient = p.objects(g, tensor_of).detach().view(len(rows), -1)
            touched_rows.accumulate(buffer, rows, gradient, scale)

        p.call_python(add)
        return
    count, columns = parts[0].tensor.numel(), weight.tensor.shape[1]
    for part, x in zip(g.tensor.detach().view(len(parts), count, columns), parts, strict=True):
        slots = (weight.slot, x.slot, p.part(g, part).slot)
        p.line("add_rows", *slots, count, columns, work=lines.OF_LOOP * count * columns)


lines.FORWARD |= {
    MM: _matrices,
    MixtureTable: _mixture,
    Linear: _linear,
    LookupTable: _look_up,
}
lines.BACKWARD |= {
    MM: _matrices_back,
    MixtureTable: _mixture_back,
    Linear: _linear_back,
    LookupTable: _look_up_back,
}
lines.GRADIENTS |= {
    Linear: _linear_gradients,
    LookupTable: _look_up_gradients,
}
