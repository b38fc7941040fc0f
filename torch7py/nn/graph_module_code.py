"""Generates the lines for the commonest modules of a graph, by class.

A graph that has run becomes one straight-line function (``graph_plan.py``). The lines do what the modules do in the
usual case, on tensors whose sizes and types are checked once, before the first line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from torch7py.nn.activation import Identity, Sigmoid, Tanh
from torch7py.nn.code_builder import Code, Known, Listed, Value
from torch7py.nn.linear import Linear
from torch7py.nn.shape import Reshape
from torch7py.nn.softmax import LogSoftMax, SoftMax
from torch7py.nn.table import SplitTable
from torch7py.nn.table_math import CAddTable, CMulTable

__all__ = ["BACKWARD_LINES", "FORWARD_LINES", "accumulate_linear"]

Tensor = torch.Tensor

# By exact class: the lines for one node. They return the result, None where the case is not theirs; then nothing has
# been written but checks and names.
#   forward:  (code, number of the node, module, input)
#   backward: (code, number of the node, module, input, gradOutput, whether its sources only read gradients)
FORWARD_LINES: dict[type, Callable[[Code, int, Any, Value], Value | None]] = {}
BACKWARD_LINES: dict[type, Callable[[Code, int, Any, Value, Known, bool], Value | None]] = {}


def _known(value: Value, dims: int | None = None) -> Known | None:
    if isinstance(value, Known) and (dims is None or len(value.shape) == dims) and value.shape.numel():
        return value
    return None


def _operands(value: Value) -> list[Known] | None:
    """The tensors of a table, if they have one size and type."""
    if not isinstance(value, Listed) or len(value.items) < 2:
        return None
    first = value.items[0]
    operands = [
        item
        for item in value.items
        if isinstance(item, Known)
        and isinstance(first, Known)
        and item.shape == first.shape
        and item.dtype is first.dtype
    ]
    return operands if len(operands) == len(value.items) and operands[0].shape.numel() else None


def _rooms(code: Code, number: int, module: Any, like: Known, count: int, whole: bool) -> list[Known] | None:
    """The tensors of ``gradInput``, which is a table."""
    held = module.__dict__["gradInput"]
    if held.__class__ is not list or len(held) != count:
        return None
    for room in held:
        if room.__class__ is not Tensor or room.dtype is not like.dtype:
            return None
        if whole and (room.shape != like.shape or not room.is_contiguous()):
            return None
    table = code.bind(f"g{number}", held)
    code.check(f"{code.attributes(number, module)}['gradInput'] is {table}", f"len({table}) == {count}")
    rooms = []
    for position, room in enumerate(held):
        name = code.bind(f"g{number}_{position}", room)
        code.check(f"{table}[{position}] is {name}")
        if whole:
            code.shape(name, room)
        rooms.append(Known(name, like.shape, like.dtype, True))
    return rooms


# -- what hands on --------------------------------------------------------------------------------------------


def _identity(code: Code, number: int, module: Any, x: Value) -> Value:
    code.line(f"{code.attributes(number, module)}['output'] = {x.object}")
    return x


def _identity_back(code: Code, number: int, module: Any, x: Value, g: Known, reading: bool) -> Value:
    code.line(f"{code.attributes(number, module)}['gradInput'] = {g.object}")
    return g


# -- functions of each element --------------------------------------------------------------------------------


def _elementwise(function: str) -> Callable[[Code, int, Any, Value], Value | None]:
    def write(code: Code, number: int, module: Any, x: Value) -> Value | None:
        known = _known(x)
        room = known and code.result(number, module, "output", known)
        if known is None or room is None:
            return None
        code.line(f"{function}({known.name}, out={room.name})")
        return room

    return write


def _slope(function: str) -> Callable[[Code, int, Any, Value, Known, bool], Value | None]:
    def write(code: Code, number: int, module: Any, x: Value, g: Known, reading: bool) -> Value | None:
        output = code.output(number, module, g)
        room = code.result(number, module, "gradInput", g)
        if output is None or room is None:
            return None
        code.line(f"{function}({g.name}, {output}, grad_input={room.name})")
        return replace(room, movable=True)

    return write


# -- tables ---------------------------------------------------------------------------------------------------


def _add(code: Code, number: int, module: Any, x: Value) -> Value | None:
    parts = _operands(x)
    if parts is None or module.__dict__.get("inplace"):
        return None
    room = code.result(number, module, "output", parts[0])
    if room is None:
        return None
    code.check(f"not {code.attributes(number, module)}.get('inplace')")
    code.line(f"add({parts[0].name}, {parts[1].name}, out={room.name})")
    for part in parts[2:]:
        code.line(f"{room.name}.add_({part.name})")
    return room


def _add_back(code: Code, number: int, module: Any, x: Value, g: Known, reading: bool) -> Value | None:
    parts = _operands(x)
    if parts is None or parts[0].shape != g.shape or module.__dict__.get("inplace"):
        return None
    if not reading and "_lent" in module.__dict__:
        return None
    rooms = _rooms(code, number, module, g, len(parts), whole=not reading)
    if rooms is None:
        return None
    d = code.attributes(number, module)
    code.check(f"not {d}.get('inplace')")
    if reading:  # gradOutput itself, not copied
        code.line(f"{' = '.join(f'{room.name}.data' for room in rooms)} = {g.name}")
        code.line(f"{d}['_lent'] = True")
        aliases = [Known(g.name, g.shape, g.dtype, g.contiguous, held=room.name) for room in rooms]
        return Listed(f"g{number}", list(aliases))
    code.check(f"'_lent' not in {d}")
    for room in rooms:
        code.line(f"{room.name}.copy_({g.name})")
    return Listed(f"g{number}", list(rooms))


def _multiply(code: Code, number: int, module: Any, x: Value) -> Value | None:
    parts = _operands(x)
    if parts is None or len(parts) != 2:
        return None
    room = code.result(number, module, "output", parts[0])
    if room is not None:
        code.line(f"mul({parts[0].name}, {parts[1].name}, out={room.name})")
    return room


def _multiply_back(code: Code, number: int, module: Any, x: Value, g: Known, reading: bool) -> Value | None:
    parts = _operands(x)
    if parts is None or len(parts) != 2 or parts[0].shape != g.shape or parts[0].dtype is not g.dtype:
        return None
    rooms = _rooms(code, number, module, g, 2, whole=True)
    if rooms is None:
        return None
    code.line(f"mul({g.name}, {parts[1].name}, out={rooms[0].name})")
    code.line(f"mul({g.name}, {parts[0].name}, out={rooms[1].name})")
    return Listed(f"g{number}", list(rooms))


# -- shapes ---------------------------------------------------------------------------------------------------


def _reshape(code: Code, number: int, module: Any, x: Value) -> Value | None:
    known, output = _known(x), module.__dict__["output"]
    if known is None or not known.contiguous or output.__class__ is not Tensor:
        return None
    sizes, mode = module.__dict__["size"], module.__dict__.get("batchMode")
    like = Known("", output.shape, known.dtype, True)
    room = code.result(number, module, "output", like)
    if room is None:
        return None
    d, z = code.attributes(number, module), code.bind(f"z{number}", sizes)
    code.check(f"{d}['size'] is {z}", f"{d}.get('batchMode') is {code.bind(f'y{number}', mode)}")
    shape = code.bind(f"s_{room.name}", output.shape)
    code.shape(room.name, output)
    code.line(
        f"if {room.name}.data_ptr() != {known.name}.data_ptr() or not {known.name}.is_contiguous(): "
        f"{room.name}.data = {known.name}.reshape({shape})"
    )
    return room


def _reshape_back(code: Code, number: int, module: Any, x: Value, g: Known, reading: bool) -> Value | None:
    known = _known(x)
    if known is None or known.shape.numel() != g.shape.numel() or known.dtype is not g.dtype:
        return None
    room = code.result(number, module, "gradInput", Known("", known.shape, g.dtype, True), whole=False)
    if room is None:
        return None
    shape = code.bind(f"x_{room.name}", known.shape)
    move = f"{room.name}.data = {g.name}.reshape({shape})"
    held = module.__dict__["gradInput"]
    if g.name in code.objects and g.contiguous and held.shape == known.shape and held.is_contiguous():
        code.shape(room.name, held)
        move = f"if {room.name}.data_ptr() != {g.name}.data_ptr() or not {g.name}.is_contiguous(): {move}"
    code.line(move)
    return Known(room.name, known.shape, g.dtype, g.contiguous)


def _dimension(module: Any, known: Known) -> int | None:
    """The dimension that a SplitTable splits, from 0."""
    dim = module.dimension
    if module.nInputDims is not None or len(known.shape) < 2 or not 0 < dim <= len(known.shape):
        return None
    return int(dim) - 1


def _same_split(code: Code, number: int, module: Any) -> None:
    d = code.attributes(number, module)
    dimension = code.bind(f"n{number}", module.dimension)
    code.check(f"{d}['dimension'] == {dimension}", f"{d}.get('nInputDims') is None")


def _split(code: Code, number: int, module: Any, x: Value) -> Value | None:
    known = _known(x)
    dim = None if known is None else _dimension(module, known)
    held = module.__dict__["output"]
    if known is None or dim is None or held.__class__ is not list:
        return None
    table = code.bind(f"o{number}", held)
    code.check(f"{code.attributes(number, module)}['output'] is {table}")
    _same_split(code, number, module)
    parts = [f"o{number}_{position}" for position in range(known.shape[dim])]
    code.line(f"{table}[:] = {', '.join(parts)}, = {known.name}.unbind({dim})")
    code.locals += parts
    shape = torch.Size(size for position, size in enumerate(known.shape) if position != dim)
    contiguous = known.contiguous and dim == 0
    return Listed(table, [Known(part, shape, known.dtype, contiguous) for part in parts])


def _split_back(code: Code, number: int, module: Any, x: Value, g: Value, reading: bool) -> Value | None:
    known, parts = _known(x), _operands(g)
    dim = None if known is None else _dimension(module, known)
    if known is None or dim is None or parts is None or len(parts) != known.shape[dim]:
        return None
    shape = torch.Size(size for position, size in enumerate(known.shape) if position != dim)
    if parts[0].shape != shape or parts[0].dtype is not known.dtype:
        return None
    room = code.result(number, module, "gradInput", Known("", known.shape, known.dtype, True))
    if room is None:
        return None
    _same_split(code, number, module)
    joined = f"stack(({', '.join(part.name for part in parts)}), {dim}, out={room.name})"
    if not all(part.movable for part in parts) or len({part.name for part in parts}) < len(parts):
        code.line(joined)
        return room
    # The parts are written where they belong, once they have been moved there.
    memory = code.objects[room.name]
    conditions = [f"{room.name}.data_ptr() == {code.bind(f'a_{room.name}', memory.data_ptr())}"]
    moves = []
    for position, part in enumerate(parts):
        view = memory.detach().select(dim, position)
        there = code.bind(f"j_{part.name}", view)
        gaps = "" if view.is_contiguous() else "not "
        conditions.append(f"{part.name}.data_ptr() == {code.bind(f'a_{part.name}', view.data_ptr())}")
        conditions.append(f"{gaps}{part.name}.is_contiguous()")
        moves.append(f"{part.name}.data = {there}")
    code.line(f"if not ({' and '.join(conditions)}):")
    code.line(f"    {joined}")
    code.line(f"    if {conditions[0]}: {'; '.join(moves)}")
    return room


# -- layers with parameters, and the softmax ------------------------------------------------------------------


def _linear_parts(code: Code, number: int, module: Any, x: Value) -> tuple[Known, dict[str, str]] | None:
    """The input, a vector or a matrix, and the names of weight and, where there is one, bias.

    If their sizes change, a product fails.
    """
    known, parameters = _known(x), module._parameters
    weight, bias = parameters.get("weight"), parameters.get("bias")
    if known is None or weight is None or len(known.shape) > 2:
        return None
    if weight.dim() != 2 or known.shape[-1] != weight.shape[1] or weight.dtype is not known.dtype:
        return None
    if bias is not None and (bias.shape != weight.shape[:1] or bias.dtype is not known.dtype):
        return None
    names = {}
    p = code.bind(f"p{number}", parameters)
    for key, value in (("weight", weight), ("bias", bias)):
        if value is None:
            code.check(f"{p}.get('{key}') is None")
            continue
        name = names[key] = code.bind(f"{key}{number}", value)
        code.check(f"{p}['{key}'] is {name}")
    return known, names


def _linear(code: Code, number: int, module: Any, x: Value) -> Value | None:
    parts = _linear_parts(code, number, module, x)
    if parts is None:
        return None
    known, names = parts
    shape = torch.Size((*known.shape[:-1], module._parameters["weight"].shape[0]))
    room = code.result(number, module, "output", Known("", shape, known.dtype, True))
    if room is not None:
        if len(shape) == 1:
            product, factors = "mv", f"{names['weight']}, {known.name}"
        else:
            product, factors = "mm", f"{known.name}, {code.turned(names['weight'])}"
        if "bias" in names:
            product, factors = f"add{product}", f"{names['bias']}, {factors}"
        code.line(f"{product}({factors}, out={room.name})")
    return room


def _linear_back(code: Code, number: int, module: Any, x: Value, g: Known, reading: bool) -> Value | None:
    """The gradient of the input; ``accumulate_linear`` computes those of the parameters."""
    parts = _linear_parts(code, number, module, x)
    if parts is None or g.dtype is not parts[0].dtype:
        return None
    known, names = parts
    if g.shape != (*known.shape[:-1], module._parameters["weight"].shape[0]):
        return None
    for key in names:  # the gradients must be the buffers that are attached
        buffer, parameter = module._gradients.get(key), module._parameters[key]
        if buffer is None or parameter.grad is not buffer or buffer.shape != parameter.shape:
            return None
    room = code.result(number, module, "gradInput", known)
    if room is None:
        return None
    q = code.bind(f"q{number}", module._gradients)
    for key, parameter in names.items():
        name = code.bind(f"grad_{key}{number}", module._gradients[key])
        code.check(f"{q}.get('{key}') is {name}", f"{parameter}.grad is {name}")
    if len(known.shape) == 1:
        code.line(f"mv({code.turned(names['weight'])}, {g.name}, out={room.name})")
    else:
        code.line(f"mm({g.name}, {names['weight']}, out={room.name})")
    return room


def accumulate_linear(
    code: Code, number: int, module: Any, x: Known, g: Known, shared: dict[str, str]
) -> None:
    """Add the gradients of weight and bias. ``shared`` has intermediate results of the same gradient."""
    has_bias = module._parameters.get("bias") is not None
    if len(x.shape) == 1:
        code.line(f"grad_weight{number}.addr_({g.name}, {x.name}, alpha=scale)")
        if has_bias:
            code.line(f"grad_bias{number}.add_({g.name}, alpha=scale)")
        return
    turned, total = shared.get(g.name, ""), f"u_{g.name}"
    if not turned:
        turned = shared[g.name] = f"y_{g.name}"
        code.line(f"{turned} = {code.turned(g.name)}")
    code.line(f"grad_weight{number}.addmm_({turned}, {x.name}, alpha=scale)")
    if has_bias:
        if total not in shared:
            shared[total] = total
            code.line(f"{total} = {g.name}.sum(0)")
        code.line(f"grad_bias{number}.add_({total}, alpha=scale)")


def _normalize(function: str) -> Callable[[Code, int, Any, Value], Value | None]:
    def write(code: Code, number: int, module: Any, x: Value) -> Value | None:
        known = _known(x)
        if known is None or not known.contiguous or len(known.shape) > 2:
            return None
        room = code.result(number, module, "output", known)
        if room is not None:
            code.line(f"{function}({known.name}, {len(known.shape) - 1}, out={room.name})")
        return room

    return write


def _normalize_back(
    function: str, result: str = "out"
) -> Callable[[Code, int, Any, Value, Known, bool], Value | None]:
    def write(code: Code, number: int, module: Any, x: Value, g: Known, reading: bool) -> Value | None:
        known = _known(x)
        if known is None or known.shape != g.shape or known.dtype is not g.dtype or len(known.shape) > 2:
            return None
        output = code.output(number, module, g)
        room = code.result(number, module, "gradInput", g)
        if output is None or room is None:
            return None
        dtype = code.bind(f"t_{room.name}", g.dtype)
        code.line(f"{function}({g.name}, {output}, {len(known.shape) - 1}, {dtype}, {result}={room.name})")
        return room

    return write


FORWARD_LINES |= {
    Identity: _identity,
    Sigmoid: _elementwise("sigmoid"),
    Tanh: _elementwise("tanh"),
    CAddTable: _add,
    CMulTable: _multiply,
    Linear: _linear,
    Reshape: _reshape,
    SplitTable: _split,
    LogSoftMax: _normalize("log_softmax"),
    SoftMax: _normalize("softmax"),
}
BACKWARD_LINES |= {
    Identity: _identity_back,
    Sigmoid: _slope("of_sigmoid"),
    Tanh: _slope("of_tanh"),
    CAddTable: _add_back,
    CMulTable: _multiply_back,
    Linear: _linear_back,
    Reshape: _reshape_back,
    SplitTable: _split_back,
    LogSoftMax: _normalize_back("of_log_softmax"),
    SoftMax: _normalize_back("of_softmax", "grad_input"),
}
