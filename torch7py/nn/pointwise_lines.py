"""The instructions of layers that hand their input on, and of functions of each element (see ``step_lines.py``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch7py.nn import step_lines as lines
from torch7py.nn.activation import Identity, Sigmoid, SoftPlus, Tanh
from torch7py.nn.arithmetic import AddConstant
from torch7py.nn.linear import MulConstant
from torch7py.nn.rectifier import ReLU, Threshold
from torch7py.nn.shape import Collapse, Contiguous, Replicate, Reshape, Squeeze, Unsqueeze, View
from torch7py.nn.softmax import LogSoftMax, SoftMax
from torch7py.nn.step_program import StepProgram, Unfit, Value

__all__ = []


def _identity(p: StepProgram, m: Any, x: Value) -> Value:
    return p.passed(m, "output", x)


def _identity_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    return p.passed(m, "gradInput", g)


def _view(p: StepProgram, m: Any, x: Value) -> Value:
    leaf = lines.tensor(p, x)
    p.settings(m, *type(m).fields)
    view = m.noted(m.forward, leaf.tensor.detach())
    if view.untyped_storage().data_ptr() != leaf.tensor.untyped_storage().data_ptr():
        raise Unfit
    return p.handed_on(m, "output", leaf, view)


def _view_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    if gradient.tensor.shape != p.output_of(m).tensor.shape:
        raise Unfit
    shape = x.tensor.shape
    if gradient.tensor.is_contiguous():
        return p.handed_on(m, "gradInput", gradient, gradient.tensor.detach().view(shape))
    o = p.room(m, "gradInput", shape)
    lines.copy(p, p.part(o, o.tensor.detach().view(gradient.tensor.shape)), gradient)
    return o


def _replicate_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    lines.check_alike(p.output_of(m), gradient)
    o = p.room(m, "gradInput", x.tensor.shape)
    lines.sum_along(p, o, gradient, m._position(x.tensor))
    return o


def _pointwise(
    cls: type,
    name: str,
    of_output: bool,
    fields: Sequence[str] = (),
    to: Sequence[str] = (),
    back: Sequence[str] = (),
) -> None:
    """Lines for a function and its slope, which is taken from the output or from the input.

    ``fields`` are the module's settings, ``to`` and ``back`` those that the two instructions take.
    """

    def write(p: StepProgram, m: Any, x: Value) -> Value:
        leaf = lines.tensor(p, x)
        p.settings(m, "inplace", *fields)
        if getattr(m, "inplace", False):
            raise Unfit
        o = p.room(m, "output", leaf.tensor.shape)
        lines.flat(p, name, (o, leaf), *(_number(m, field) for field in to), cost=lines.OF_FUNCTION)
        return o

    def write_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
        gradient, seen = lines.tensor(p, g), p.output_of(m) if of_output else x
        lines.check_alike(seen, gradient)
        o = p.room(m, "gradInput", x.tensor.shape)
        lines.flat(p, f"of_{name}", (o, gradient, seen), *(_number(m, field) for field in back))
        return o

    lines.FORWARD[cls], lines.BACKWARD[cls] = write, write_back


def _number(m: Any, field: str) -> float:
    value = getattr(m, field)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unfit
    return value


def _plus(p: StepProgram, m: Any, x: Value) -> Value:
    return _with_constant(p, m, x, "plus")


def _times(p: StepProgram, m: Any, x: Value) -> Value:
    return _with_constant(p, m, x, "times")


def _with_constant(p: StepProgram, m: Any, x: Value, name: str) -> Value:
    leaf = lines.tensor(p, x)
    p.settings(m, "inplace", "constant_scalar")
    if m.inplace:
        raise Unfit
    o = p.room(m, "output", leaf.tensor.shape)
    lines.flat(p, name, (o, leaf), _number(m, "constant_scalar"))
    return o


def _plus_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    lines.check_alike(x, gradient)
    o = p.room(m, "gradInput", x.tensor.shape)
    lines.copy(p, o, gradient)
    return o


def _times_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = lines.tensor(p, g)
    lines.check_alike(x, gradient)
    o = p.room(m, "gradInput", x.tensor.shape)
    lines.flat(p, "times", (o, gradient), _number(m, "constant_scalar"))
    return o


def _normalized(name: str) -> Callable[[StepProgram, Any, Value], Value]:
    def write(p: StepProgram, m: Any, x: Value) -> Value:
        leaf = lines.tensor(p, x)
        if leaf.tensor.dim() > 2 or not leaf.tensor.is_contiguous():
            raise Unfit
        o = p.room(m, "output", leaf.tensor.shape)
        columns = leaf.tensor.shape[-1]
        rows = leaf.tensor.numel() // columns
        p.line(name, o.slot, leaf.slot, rows, columns, work=lines.work_of(rows, columns))
        return o

    return write


def _normalized_back(name: str) -> Callable[[StepProgram, Any, Value, Value], Value]:
    def write(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
        gradient, seen = lines.tensor(p, g), p.output_of(m)
        lines.check_alike(seen, gradient)
        if not gradient.tensor.is_contiguous():
            raise Unfit
        o = p.room(m, "gradInput", x.tensor.shape)
        columns = x.tensor.shape[-1]
        rows = x.tensor.numel() // columns
        p.line(name, o.slot, gradient.slot, seen.slot, rows, columns, work=lines.work_of(rows, columns))
        return o

    return write


lines.FORWARD |= {
    Identity: _identity,
    AddConstant: _plus,
    MulConstant: _times,
    Replicate: _view,
    LogSoftMax: _normalized("log_softmax"),
    SoftMax: _normalized("softmax"),
}
lines.BACKWARD |= {
    Identity: _identity_back,
    AddConstant: _plus_back,
    MulConstant: _times_back,
    Replicate: _replicate_back,
    LogSoftMax: _normalized_back("of_log_softmax"),
    SoftMax: _normalized_back("of_softmax"),
}
for _cls in (View, Reshape, Squeeze, Unsqueeze, Contiguous, Collapse):
    lines.FORWARD[_cls], lines.BACKWARD[_cls] = _view, _view_back
_pointwise(Tanh, "tanh", True)
_pointwise(Sigmoid, "sigmoid", True)
_pointwise(SoftPlus, "softplus", True, ("beta", "threshold"), ("beta", "threshold"), ("beta", "threshold"))
_pointwise(Threshold, "threshold", False, ("threshold", "val"), ("threshold", "val"), ("threshold",))
_pointwise(ReLU, "threshold", False, ("threshold", "val"), ("threshold", "val"), ("threshold",))
