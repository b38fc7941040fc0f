"""The instructions for the commonest layers, by class: what they do to memory (see ``step_program.py``).

For each class there are up to three functions: FORWARD ``(program, module, x) -> output``, BACKWARD ``(program,
module, x, g) -> gradInput``, and GRADIENTS ``(program, module, x, g)``, which adds to the gradients of parameters.
Where a case is not theirs they raise ``Unfit``, and the layers' own methods run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from torch7py.nn import linear_gradients, touched_rows
from torch7py.nn.activation import Identity, Sigmoid, SoftPlus, Tanh
from torch7py.nn.arguments import axis
from torch7py.nn.arithmetic import AddConstant
from torch7py.nn.base import Criterion, Module
from torch7py.nn.container import ConcatTable, ParallelTable, Sequential
from torch7py.nn.gmodule import GModule
from torch7py.nn.graph_plan import Plan
from torch7py.nn.linear import Linear, LookupTable, MulConstant
from torch7py.nn.product import MM
from torch7py.nn.rectifier import ReLU, Threshold
from torch7py.nn.reduce import Mean, Sum
from torch7py.nn.registry import layers
from torch7py.nn.selecting import Select
from torch7py.nn.shape import Collapse, Contiguous, Replicate, Reshape, Squeeze, Unsqueeze, View
from torch7py.nn.softmax import LogSoftMax, SoftMax
from torch7py.nn.step_program import DTYPES, Leaf, StepProgram, Unfit, Value, merged, plane
from torch7py.nn.table import JoinTable, SelectTable, SplitTable
from torch7py.nn.table_math import CAddTable, CMulTable, CSubTable, MixtureTable
from torch7py.ops.errors import TorchError

__all__ = [
    "ADDED",
    "BACKWARD",
    "FORWARD",
    "GRADIENTS",
    "INDEX_TYPES",
    "OVER",
    "SCALED",
    "Run",
    "add_rows",
    "copy",
    "flat",
    "learn",
    "learn_backward",
    "look_up",
    "product",
    "roots",
    "sum_up",
    "survey",
    "work_of",
]

Tensor = torch.Tensor
FORWARD: dict[type, Callable[[StepProgram, Any, Value], Value]] = {}
BACKWARD: dict[type, Callable[[StepProgram, Any, Value, Value], Value]] = {}
GRADIENTS: dict[type, Callable[[StepProgram, Any, Value, Value], None]] = {}

# How much longer than in PyTorch it takes, in nanoseconds: a number in a loop of Lua, or with a function of it; a row,
# and a number of one, in the loops that are compiled.
OF_LOOP, OF_FUNCTION = 1, 6
OF_ROW, OF_NUMBER = 40, 0.2
# Functions of a number that are loops of Lua.
IN_LUA = frozenset({"threshold", "of_threshold", "softplus", "of_softplus", "accumulate"})
SHARED = 1 << 15  # numbers from which on PyTorch uses several threads


def roots() -> list[tuple[str, bool]]:
    """The classes, as they are registered, whose objects may have instructions, and whether these take a target."""
    return [(key, issubclass(cls, Criterion)) for key, cls in layers.items() if cls in FORWARD]


def survey(module: Module, input: Any) -> StepProgram | None:
    """What a module's passes for such an input would be; None where there are no instructions for one of them."""
    program = _written(module, input, True)
    if program is None or not learn_backward(program, _alike_in_size(program.output)):
        return None
    return program


def _alike_in_size(value: Value) -> Any:
    """Tensors of the sizes of a value's, in its nesting."""
    if isinstance(value, list):
        return [_alike_in_size(item) for item in value]
    return torch.empty(value.tensor.shape, dtype=value.tensor.dtype)


def learn(module: Module, input: Any) -> StepProgram | None:
    """The instructions of a module's forward for such an input; None where there are none."""
    return _written(module, input, False)


def _written(module: Module, input: Any, is_survey: bool) -> StepProgram | None:
    with torch.no_grad():
        try:
            return StepProgram(module, forward, input, is_survey)
        except (Unfit, TorchError):
            return None


def learn_backward(program: StepProgram, gradOutput: Any) -> bool:
    """Add those of the backward for such a gradOutput. Returns whether there are any."""
    with torch.no_grad():
        try:
            program.learn_backward(backward, gradients, gradOutput)
        except (Unfit, TorchError):
            return False
    return True


class Run:
    """What the module of a program shows of a run that happened elsewhere."""

    def __init__(self, program: StepProgram) -> None:
        self.program = program
        self._graphs = [module for module in program.modules if isinstance(module, GModule)]
        for graph in self._graphs:
            graph.forget_plan()
        self._runs = self._count()

    def _count(self) -> int:
        return sum(graph.__dict__.get("_runs", 0) for graph in self._graphs)

    def by_python(self) -> bool:
        """Whether the module's own methods have run since this was asked last."""
        before, self._runs = self._runs, self._count()
        return before != self._runs

    def show(
        self,
        output: list[Any] | None,
        gradInput: list[Any] | None,
        passes: tuple[bool, bool, bool],
        tensors: Sequence[Any],
    ) -> bool:
        """Bring up to date what scripts may look at, for a run on these tensors from outside.

        ``output`` and ``gradInput`` are the module's where these are tables; ``passes``: whether there has been a
        backward at all, one since the last forward, and one with its second half. Returns whether other tensors have
        moved.
        """
        program = self.program
        has_gradients, has_gone_back, accumulated = passes
        given = zip(program.roots, program.root_shapes, tensors, strict=False)
        # Those that have got other sizes since the run are not its tensors any more.
        tensor_of: dict[int, Any] = {
            leaf.slot: tensor for leaf, shape, tensor in given if tensor is not None and tensor.shape == shape
        }
        moved = program.show(tensor_of, ("output", "gradInput") if has_gradients else ("output",))
        for sequence in program.sequences.values():
            sequence.show(tensor_of, has_gone_back, accumulated)
        for name, value in (("output", output), ("gradInput", gradInput)):
            if value is not None:
                program.module.__dict__[name] = value
        plan = Plan()
        plan.forward = _no_plan
        values = program.values if has_gradients else program.values[: program.of_forward]
        plan.due["values"] = (_write_lists, (program, tensor_of, values))
        for graph in self._graphs:
            graph.__dict__["_plan"] = plan
            graph.show_watched()
        return moved or bool(program.sequences)

    def resume(self, number: int, value: Any, tensors: Sequence[Any]) -> Any:
        """Go on with the forward where a call has given something else; returns the output."""
        program, call = self.program, self.program.calls[number]
        graph: Any = program.module
        tensor_of = {leaf.slot: tensor for leaf, tensor in zip(program.roots, tensors, strict=False)}
        program.show(tensor_of, ("output",))
        before = [program.objects(item, tensor_of) for item in call.rest]
        graph.forget_plan()
        _write_lists((program, tensor_of, program.values[: program.of_forward]))
        with torch.no_grad():
            return graph.resume([*before, value], program.objects(program.input, tensor_of))

    def resume_back(self, number: int, value: Any, scale: float | None, tensors: Sequence[Any]) -> Any:
        """The same of the backward, without the gradients of parameters if there is no scale; returns gradInput."""
        program, call = self.program, self.program.calls[number]
        graph: Any = program.module
        tensor_of = {leaf.slot: tensor for leaf, tensor in zip(program.roots, tensors, strict=False)}
        program.show(tensor_of, ("output", "gradInput"))
        graph.forget_plan()
        _write_lists((program, tensor_of, program.values[: program.of_forward]))
        contributions, totals = call.rest
        graph.node_totals[:] = program.objects(totals, tensor_of)
        for held, values in zip(graph.node_gradients, contributions, strict=True):
            held[:] = program.objects(values, tensor_of)
        with torch.no_grad():
            return graph.resume_back(call.number, value, scale)


def _no_plan(plan: Plan, graph: dict[str, Any], input: Any) -> None:
    return None


def _write_lists(known: tuple[Any, ...]) -> None:
    program, tensor_of, values = known
    for held, value in values:
        if program.has_come_to(value, tensor_of):
            held[:] = program.objects(value, tensor_of)
    for graph in program.modules:
        output = graph.__dict__.get("output")
        if isinstance(graph, GModule) and isinstance(output, list):
            graph.node_inputs[-1] = output  # the table that the last node took


def forward(p: StepProgram, m: Any, x: Value) -> Value:
    write = FORWARD.get(type(m))
    if write is None:
        raise Unfit
    p.take(m)
    return p.note(m, x, write(p, m, x))


def backward(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    return BACKWARD[type(m)](p, m, x, g)


def gradients(p: StepProgram, m: Any, x: Value, g: Value) -> None:
    write = GRADIENTS.get(type(m))
    if write is not None:
        write(p, m, x, g)


def _tensor(p: StepProgram, value: Value) -> Leaf:
    """A tensor of the program's type."""
    if not isinstance(value, Leaf):
        raise Unfit
    p.number_type(value.tensor)
    return value


def _table(p: StepProgram, value: Value, count: int | None = None) -> list[Leaf]:
    if not isinstance(value, list) or not value or (count is not None and len(value) != count):
        raise Unfit
    return [_tensor(p, item) for item in value]


def check_alike(first: Leaf, *others: Leaf) -> None:
    if any(other.tensor.shape != first.tensor.shape for other in others):
        raise Unfit


def work_of(rows: int, columns: int) -> float:
    """How much longer than PyTorch the compiled loops take over a plane."""
    count = rows * columns
    if count >= SHARED and torch.get_num_threads() > 1:
        return OF_LOOP * count
    return OF_ROW * rows + OF_NUMBER * count


def flat(p: StepProgram, name: str, operands: Sequence[Leaf], *numbers: float, cost: float = OF_LOOP) -> None:
    """A line for each number of tensors of one shape."""
    tensors = [leaf.tensor for leaf in operands]
    rows, columns, steps = plane(tensors[0].shape, *tensors)
    flat = [step for pair in steps for step in pair]
    work = cost * rows * columns if name in IN_LUA else work_of(rows, columns)
    p.line(name, *(leaf.slot for leaf in operands), rows, columns, *flat, *numbers, work=work)


def copy(p: StepProgram, o: Leaf, x: Leaf) -> None:
    """Copy a tensor, or what it is expanded to."""
    tensor = x.tensor.expand(o.tensor.shape)
    sizes, (to, of) = merged(o.tensor.shape, o.tensor, tensor)
    if len(sizes) > 4:
        raise Unfit
    missing = 4 - len(sizes)
    numbers = [1] * missing + sizes + [0] * missing + to + [0] * missing + of
    count, columns = o.tensor.numel(), sizes[-1]
    work = work_of(count // columns, columns) if to[-1] == of[-1] == 1 else OF_LOOP * count
    p.line("copy", o.slot, x.slot, *numbers, work=work)


# -- what hands on --------------------------------------------------------------------------------------------


def _identity(p: StepProgram, m: Any, x: Value) -> Value:
    return p.passed(m, "output", x)


def _identity_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    return p.passed(m, "gradInput", g)


def _view(p: StepProgram, m: Any, x: Value) -> Value:
    leaf = _tensor(p, x)
    p.settings(m, *type(m).fields)
    view = m.noted(m.forward, leaf.tensor.detach())
    if view.untyped_storage().data_ptr() != leaf.tensor.untyped_storage().data_ptr():
        raise Unfit
    return p.handed_on(m, "output", leaf, view)


def _view_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    if gradient.tensor.shape != p.output_of(m).tensor.shape:
        raise Unfit
    shape = x.tensor.shape
    if gradient.tensor.is_contiguous():
        return p.handed_on(m, "gradInput", gradient, gradient.tensor.detach().view(shape))
    o = p.room(m, "gradInput", shape)
    copy(p, p.part(o, o.tensor.detach().view(gradient.tensor.shape)), gradient)
    return o


def _replicate_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    check_alike(p.output_of(m), gradient)
    o = p.room(m, "gradInput", x.tensor.shape)
    _sum_over(p, o, gradient, m._position(x.tensor))
    return o


# -- functions of each element --------------------------------------------------------------------------------


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
        leaf = _tensor(p, x)
        p.settings(m, "inplace", *fields)
        if getattr(m, "inplace", False):
            raise Unfit
        o = p.room(m, "output", leaf.tensor.shape)
        flat(p, name, (o, leaf), *(_number(m, field) for field in to), cost=OF_FUNCTION)
        return o

    def write_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
        gradient, seen = _tensor(p, g), p.output_of(m) if of_output else x
        check_alike(seen, gradient)
        o = p.room(m, "gradInput", x.tensor.shape)
        flat(p, f"of_{name}", (o, gradient, seen), *(_number(m, field) for field in back))
        return o

    FORWARD[cls], BACKWARD[cls] = write, write_back


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
    leaf = _tensor(p, x)
    p.settings(m, "inplace", "constant_scalar")
    if m.inplace:
        raise Unfit
    o = p.room(m, "output", leaf.tensor.shape)
    flat(p, name, (o, leaf), _number(m, "constant_scalar"))
    return o


def _plus_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    check_alike(x, gradient)
    o = p.room(m, "gradInput", x.tensor.shape)
    copy(p, o, gradient)
    return o


def _times_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    check_alike(x, gradient)
    o = p.room(m, "gradInput", x.tensor.shape)
    flat(p, "times", (o, gradient), _number(m, "constant_scalar"))
    return o


# -- tables ---------------------------------------------------------------------------------------------------


def _combined(name: str, most: int | None = None) -> Callable[[StepProgram, Any, Value], Value]:
    def write(p: StepProgram, m: Any, x: Value) -> Value:
        parts = _table(p, x)
        p.settings(m, "inplace")
        if m.__dict__.get("inplace") or len(parts) < 2 or (most is not None and len(parts) > most):
            raise Unfit
        check_alike(*parts)
        o = p.room(m, "output", parts[0].tensor.shape)
        flat(p, name, (o, parts[0], parts[1]))
        for part in parts[2:]:
            flat(p, name, (o, o, part))
        return o

    return write


def _shapes(parts: Sequence[Leaf]) -> list[torch.Size]:
    return [part.tensor.shape for part in parts]


def _add_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    check_alike(x[0], gradient)
    rooms = p.rooms(m, _shapes(x))
    for room in rooms:
        copy(p, room, gradient)
    return rooms


def _subtract_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    check_alike(x[0], gradient)
    rooms = p.rooms(m, _shapes(x))
    copy(p, rooms[0], gradient)
    flat(p, "times", (rooms[1], gradient), -1)
    return rooms


def _multiply_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    check_alike(x[0], gradient)
    rooms = p.rooms(m, _shapes(x))
    for number, room in enumerate(rooms):
        total = gradient
        for other, part in enumerate(x):
            if other != number:
                flat(p, "multiply", (room, total, part))
                total = room
    return rooms


def _join(p: StepProgram, m: Any, x: Value) -> Value:
    parts = _table(p, x)
    p.settings(m, "dimension", "nInputDims")
    dim = axis(m, m.dimension, parts[0].tensor, m.nInputDims)
    sizes = list(parts[0].tensor.shape)
    for part in parts:
        if [s for d, s in enumerate(part.tensor.shape) if d != dim] != sizes[:dim] + sizes[dim + 1 :]:
            raise Unfit
    sizes[dim] = sum(part.tensor.shape[dim] for part in parts)
    o = p.room(m, "output", sizes)
    for part, view in _places(p, o, parts, dim):
        copy(p, view, part)
    return o


def _places(p: StepProgram, whole: Leaf, parts: Sequence[Leaf], dim: int) -> list[tuple[Leaf, Leaf]]:
    """Parts, each with its place in the whole."""
    views = whole.tensor.detach().split([part.tensor.shape[dim] for part in parts], dim)
    return [(part, p.part(whole, view)) for part, view in zip(parts, views, strict=True)]


def _join_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    check_alike(p.output_of(m), gradient)
    rooms = p.rooms(m, _shapes(x))
    for room, view in _places(p, gradient, rooms, axis(m, m.dimension, x[0].tensor, m.nInputDims)):
        copy(p, room, view)
    return rooms


def _split(p: StepProgram, m: Any, x: Value) -> Value:
    leaf = _tensor(p, x)
    p.settings(m, "dimension", "nInputDims")
    if leaf.tensor.dim() < 2:
        raise Unfit
    dim = axis(m, m.dimension, leaf.tensor, m.nInputDims)
    return p.passed(m, "output", [p.part(leaf, view) for view in leaf.tensor.detach().unbind(dim)])


def _split_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    parts = _table(p, g, len(p.output_of(m)))
    o = p.room(m, "gradInput", x.tensor.shape)
    dim = axis(m, m.dimension, x.tensor, m.nInputDims)
    for part, view in zip(parts, o.tensor.detach().unbind(dim), strict=True):
        if part.tensor.shape != view.shape:
            raise Unfit
        copy(p, p.part(o, view), part)
    return o


def _select(p: StepProgram, m: Any, x: Value) -> Value:
    p.settings(m, "index")
    if not isinstance(x, list) or not isinstance(m.index, (int, float)):
        raise Unfit
    return p.passed(m, "output", x[m._key(x)])


def _select_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient, parts = _tensor(p, g), _table(p, x)
    key = m._key(x)
    check_alike(parts[key], gradient)
    rooms = p.rooms(m, _shapes(parts))
    for number, room in enumerate(rooms):
        if number == key:
            copy(p, room, gradient)
        else:
            p.line("clear", room.slot, room.tensor.nbytes)
    return rooms


def _slice(p: StepProgram, m: Any, x: Value) -> Value:
    leaf = _tensor(p, x)
    p.settings(m, "dimension", "index")
    part = p.part(leaf, m.slice(leaf.tensor.detach()))
    o = p.room(m, "output", part.tensor.shape)
    copy(p, o, part)
    return o


def _slice_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    check_alike(p.output_of(m), gradient)
    o = p.room(m, "gradInput", x.tensor.shape)
    clear(p, o)
    copy(p, p.part(o, m.slice(o.tensor.detach())), gradient)
    return o


# -- sums and products ----------------------------------------------------------------------------------------


def _sum_over(p: StepProgram, o: Leaf, x: Leaf, dim: int) -> None:
    """A sum along a dimension, to what is contiguous."""
    shape = [size for d, size in enumerate(x.tensor.shape) if d != dim]
    rows, columns, steps = plane(shape, o.tensor.view(shape), x.tensor.select(dim, 0))
    flat = [step for pair in steps for step in pair]
    work = OF_LOOP * x.tensor.numel()
    p.line("sum", o.slot, x.slot, x.tensor.shape[dim], x.tensor.stride(dim), rows, columns, *flat, work=work)


def _sum(p: StepProgram, m: Any, x: Value) -> Value:
    leaf = _tensor(p, x)
    p.settings(m, "dimension", "nInputDims", "sizeAverage", "squeeze")
    dim = axis(m, m.dimension, leaf.tensor, m.nInputDims)
    shape = list(leaf.tensor.shape)
    shape[dim] = 1
    if leaf.tensor.dim() > 1 and m.squeeze:
        del shape[dim]
    o = p.room(m, "output", shape)
    _sum_over(p, o, leaf, dim)
    if m.sizeAverage:
        flat(p, "divide", (o, o), leaf.tensor.shape[dim])
    return o


def _sum_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    check_alike(p.output_of(m), gradient)
    dim = axis(m, m.dimension, x.tensor, m.nInputDims)
    sizes = list(x.tensor.shape)
    sizes[dim] = 1
    if not gradient.tensor.is_contiguous():
        raise Unfit
    o = p.room(m, "gradInput", x.tensor.shape)
    copy(p, o, p.part(gradient, gradient.tensor.detach().view(sizes)))
    if m.sizeAverage:
        flat(p, "divide", (o, o), x.tensor.shape[dim])
    return o


OVER, ADDED, SCALED = (
    0,
    1,
    2,
)  # what is done to the result of a product's: overwritten, added to, added to by scale


def _lying(tensor: Tensor) -> tuple[int, int]:
    """How a matrix lies: 0 by rows, 1 by columns; and the step from one to the next."""
    rows, columns = tensor.shape[-2:]
    step, inner = tensor.stride()[-2:]
    if (inner == 1 or columns == 1) and (rows == 1 or step >= columns):
        return 0, columns if rows == 1 else step
    if (step == 1 or rows == 1) and (columns == 1 or inner >= rows):
        return 1, rows if columns == 1 else inner
    raise Unfit


def product(p: StepProgram, o: Leaf, a: Leaf, b: Leaf, what: int, *, of: Sequence[Tensor] = ()) -> None:
    """The product of two matrices, or batch by batch. ``of``: the tensors of a and b as they are to be read."""
    left, right = of or (a.tensor, b.tensor)
    m, k = left.shape[-2:]
    n = right.shape[-1]
    batch = left.shape[0] if left.dim() == 3 else 1
    steps = [t.stride(0) if t.dim() == 3 else 0 for t in (left, right, o.tensor)]
    lies, step = _lying(o.tensor)
    if lies:
        raise Unfit
    numbers = (m, n, k, *_lying(left), *_lying(right), step, batch, *steps, what)
    p.line("product", o.slot, a.slot, b.slot, *numbers, products=batch * m * n * k)


def _factors(m: Any, parts: Sequence[Leaf]) -> tuple[Tensor, Tensor]:
    left, right = (part.tensor.detach() for part in parts)
    if left.dim() not in (2, 3) or left.dim() != right.dim() or left.shape[:-2] != right.shape[:-2]:
        raise Unfit
    left, right = left.mT if m.transA else left, right.mT if m.transB else right
    if left.shape[-1] != right.shape[-2]:
        raise Unfit
    return left, right


def _matrices(p: StepProgram, m: Any, x: Value) -> Value:
    parts = _table(p, x, 2)
    p.settings(m, "transA", "transB")
    left, right = _factors(m, parts)
    o = p.room(m, "output", (*left.shape[:-1], right.shape[-1]))
    product(p, o, parts[0], parts[1], OVER, of=(left, right))
    return o


def _matrices_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient, parts = _tensor(p, g), _table(p, x, 2)
    check_alike(p.output_of(m), gradient)
    left, right = _factors(m, parts)
    slope = gradient.tensor.detach()
    rooms = p.rooms(m, _shapes(parts))
    if m.transA:
        product(p, rooms[0], parts[1], gradient, OVER, of=(right, slope.mT))
    else:
        product(p, rooms[0], gradient, parts[1], OVER, of=(slope, right.mT))
    if m.transB:
        product(p, rooms[1], gradient, parts[0], OVER, of=(slope.mT, left))
    else:
        product(p, rooms[1], parts[0], gradient, OVER, of=(left.mT, slope))
    return rooms


def _mixture(p: StepProgram, m: Any, x: Value) -> Value:
    gater, experts = _table(p, x, 2)
    p.settings(m, "dim")
    if gater.tensor.dim() != 1 or experts.tensor.dim() != 2 or m.dim not in (None, 1):
        raise Unfit
    if experts.tensor.shape[0] != gater.tensor.shape[0]:
        raise Unfit
    if not p.is_survey:
        m.noted(m.forward, [gater.tensor, experts.tensor])
    o = p.room(m, "output", experts.tensor.shape[1:])
    _of_vector(p, o, experts, gater, experts.tensor.detach().t(), OVER)
    return o


def _mixture_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient, (gater, experts) = _tensor(p, g), _table(p, x, 2)
    check_alike(p.output_of(m), gradient)
    rooms = p.rooms(m, _shapes((gater, experts)))
    _of_vector(p, rooms[0], experts, gradient, experts.tensor.detach(), OVER)
    left, right = gater.tensor.detach().unsqueeze(1), gradient.tensor.detach().unsqueeze(0)
    product(p, rooms[1], gater, gradient, OVER, of=(left, right))
    return rooms


# -- layers with parameters -----------------------------------------------------------------------------------


def _linear(p: StepProgram, m: Any, x: Value) -> Value:
    leaf = _tensor(p, x)
    weight, bias = p.parameter(m, "weight"), p.parameter(m, "bias")
    if weight is None or weight.tensor.dim() != 2 or not 1 <= leaf.tensor.dim() <= 2:
        raise Unfit
    outputs, inputs = weight.tensor.shape
    if leaf.tensor.shape[-1] != inputs or (bias is not None and bias.tensor.shape != (outputs,)):
        raise Unfit
    o = p.room(m, "output", (*leaf.tensor.shape[:-1], outputs))
    what = OVER if bias is None else ADDED
    if bias is not None:
        copy(p, o, bias)
    if leaf.tensor.dim() == 1:
        _of_vector(p, o, weight, leaf, weight.tensor.detach(), what)
    else:
        product(p, o, leaf, weight, what, of=(leaf.tensor, weight.tensor.detach().t()))
    return o


def _of_vector(p: StepProgram, o: Leaf, a: Leaf, x: Leaf, matrix: Tensor, what: int) -> None:
    if x.tensor.stride(0) != 1 and x.tensor.numel() > 1:
        raise Unfit
    rows, columns = matrix.shape
    numbers = (rows, columns, *_lying(matrix), what)
    p.line("product_of_vector", o.slot, a.slot, x.slot, *numbers, products=rows * columns)


def _linear_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient, weight = _tensor(p, g), p.parameter(m, "weight")
    check_alike(p.output_of(m), gradient)
    if weight is None:
        raise Unfit
    o = p.room(m, "gradInput", x.tensor.shape)
    slopes, matrix = gradient.tensor.detach(), weight.tensor.detach()
    if x.tensor.dim() == 1:
        _of_vector(p, o, weight, gradient, matrix.t(), OVER)
    elif gradient.root is None and linear_gradients.turns_rows(slopes, matrix):
        p.call_python(lambda _, scale: o.tensor.copy_(linear_gradients.gradient_of_rows(slopes, matrix)))
    else:
        product(p, o, gradient, weight, OVER)
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
            product(p, weight, g, x, SCALED, of=(left.t(), right))
    if m._parameters.get("bias") is None:
        return
    bias = p.gradient(m, "bias")
    if bias is None:
        return
    if g.tensor.dim() == 1:
        flat(p, "accumulate", (bias, g))
    else:
        sum_up(p, bias, g)


def sum_up(p: StepProgram, o: Leaf, g: Leaf) -> None:
    """Add the rows of a matrix to a vector, times the scale of the call."""
    rows, columns = g.tensor.shape
    p.line("sum_up", o.slot, g.slot, rows, columns, *g.tensor.stride(), work=work_of(rows, columns))


INDEX_TYPES = (torch.int64, torch.int32, torch.float64, torch.float32)


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
        p.line("look_up", *slots, count, columns, work=OF_LOOP * count * columns)
    return o


def _look_up_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    gradient = _tensor(p, g)
    check_alike(p.output_of(m), gradient)
    held = m.__dict__["gradInput"]
    zeros = m.grad_input(x.tensor, gradient.tensor)
    if held is None:
        raise Unfit
    if not p.is_survey:
        m.keep_grad_input(zeros)
    if not zeros.numel():
        raise Unfit
    o = p.room(m, "gradInput", zeros.shape, zeros.dtype)
    clear(p, o)
    return o


def clear(p: StepProgram, o: Leaf) -> None:
    """Zeros in a tensor of any type."""
    p.line("clear", o.slot, o.tensor.nbytes)


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
        buffer, given = weight.tensor, [part.slot for part in parts]

        def add(tensor_of: dict[int, Tensor], scale: float) -> None:
            rows = torch.cat([tensor_of[slot].view(-1) for slot in given]).long() - 1
            gradient = p.objects(g, tensor_of).detach().view(len(rows), -1)
            touched_rows.accumulate(buffer, rows, gradient, scale)

        p.call_python(add)
        return
    count, columns = parts[0].tensor.numel(), weight.tensor.shape[1]
    for part, x in zip(g.tensor.detach().view(len(parts), count, columns), parts, strict=True):
        slots = (weight.slot, x.slot, p.part(g, part).slot)
        p.line("add_rows", *slots, count, columns, work=OF_LOOP * count * columns)


# -- over the columns of each row -----------------------------------------------------------------------------


def _normalized(name: str) -> Callable[[StepProgram, Any, Value], Value]:
    def write(p: StepProgram, m: Any, x: Value) -> Value:
        leaf = _tensor(p, x)
        if leaf.tensor.dim() > 2 or not leaf.tensor.is_contiguous():
            raise Unfit
        o = p.room(m, "output", leaf.tensor.shape)
        columns = leaf.tensor.shape[-1]
        rows = leaf.tensor.numel() // columns
        p.line(name, o.slot, leaf.slot, rows, columns, work=work_of(rows, columns))
        return o

    return write


def _normalized_back(name: str) -> Callable[[StepProgram, Any, Value, Value], Value]:
    def write(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
        gradient, seen = _tensor(p, g), p.output_of(m)
        check_alike(seen, gradient)
        if not gradient.tensor.is_contiguous():
            raise Unfit
        o = p.room(m, "gradInput", x.tensor.shape)
        columns = x.tensor.shape[-1]
        rows = x.tensor.numel() // columns
        p.line(name, o.slot, gradient.slot, seen.slot, rows, columns, work=work_of(rows, columns))
        return o

    return write


# -- containers -----------------------------------------------------------------------------------------------


def _children(p: StepProgram, m: Any) -> list[Any]:
    children = list(m._modules.values())
    for key, child in m._modules.items():
        p.keep(m._modules, key, child)
    if not children:
        raise Unfit
    p.listed_keys(m._modules)
    return children


def _sequence(p: StepProgram, m: Any, x: Value) -> Value:
    for child in _children(p, m):
        x = forward(p, child, x)
    return p.passed(m, "output", x)


def _sequence_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    for child in reversed(m._modules.values()):
        p.note_gradient(child, g)
        g = backward(p, child, p.input_of(child), g)
    return p.passed(m, "gradInput", g)


def _sequence_gradients(p: StepProgram, m: Any, x: Value, g: Value) -> None:
    for child in reversed(m._modules.values()):
        gradients(p, child, p.input_of(child), p.gradient_of(child))


def _branches(p: StepProgram, m: Any, x: Value) -> Value:
    return p.passed(m, "output", [forward(p, child, x) for child in _children(p, m)], copies=True)


def _branches_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    children = list(m._modules.values())
    if not isinstance(g, list) or len(g) != len(children):
        raise Unfit
    gradients = []
    for child, part in zip(children, g, strict=True):
        p.note_gradient(child, part)
        gradients.append(backward(p, child, x, part))
    if len(gradients) == 1:
        if not isinstance(gradients[0], Leaf):
            raise Unfit
        o = p.room(m, "gradInput", gradients[0].tensor.shape)
        copy(p, o, gradients[0])
        return o
    if not all(isinstance(part, Leaf) for part in gradients):
        raise Unfit
    o = p.room(m, "gradInput", gradients[0].tensor.shape)
    _add_up(p, o, gradients)
    return o


def _entries(p: StepProgram, m: Any, x: Value) -> Value:
    children = _children(p, m)
    if not isinstance(x, list) or len(x) != len(children):
        raise Unfit
    outputs = [forward(p, child, item) for child, item in zip(children, x, strict=True)]
    return p.passed(m, "output", outputs, copies=True)


def _entries_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    children = list(m._modules.values())
    if not isinstance(g, list) or len(g) != len(children):
        raise Unfit
    gradients = []
    for child, item, part in zip(children, x, g, strict=True):
        p.note_gradient(child, part)
        gradients.append(backward(p, child, item, part))
    return p.passed(m, "gradInput", gradients, copies=True)


def _all_gradients(p: StepProgram, m: Any, x: Value, g: Value) -> None:
    for child in m._modules.values():
        gradients(p, child, p.input_of(child), p.gradient_of(child))


def _graph(p: StepProgram, m: Any, x: Value) -> Value:
    nodes = m.ordered_nodes
    p.keep(m.__dict__, "ordered_nodes", nodes)
    p.keeps_input = p.keeps_input or m is p.module
    start, held = m.start, m.__dict__["node_inputs"]
    values: list[Value] = []
    if m.nInputs > 1 and (not isinstance(x, list) or len(x) != m.nInputs):
        raise Unfit
    for number, node in enumerate(nodes):
        p.keep(node.__dict__, "module", node.module)
        if len(node.sources) == 1:
            taken = [values[node.sources[0]]]
        elif number == start:
            taken = [x] if m.nInputs <= 1 else list(x)
        else:
            taken = [values[source] for source in node.sources]
        its_input = taken[0] if len(taken) == 1 else taken
        p.values.append((held[number], taken))
        if node.module is not None and _is_script(node.module):
            value = _called(p, m, node.module, number, its_input, list(values))
        elif node.module is not None:
            value = forward(p, node.module, its_input)
        elif node.select is None:
            value = its_input
        elif isinstance(its_input, list) and node.select < len(its_input):
            value = its_input[node.select]
        else:
            raise Unfit
        if node.splits is not None and (not isinstance(value, list) or len(value) != node.splits):
            raise Unfit
        values.append(value)
        result = its_input
    return p.passed(m, "output", result)


def _graph_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    nodes = m.ordered_nodes
    wanted = len(nodes[-1].sources)
    if wanted > 1 and (not isinstance(g, list) or len(g) != wanted):
        raise Unfit
    contributions_to: list[list[Value]] = [[] for _ in nodes]
    contributions_to[-1].append(g)
    totals: list[Value] = [None] * len(nodes)
    for number in m.backward_order:
        node = nodes[number]
        total = totals[number] = _total(p, m, number, contributions_to[number])
        if node.select is not None:
            source = node.sources[0]
            if not contributions_to[source]:
                contributions_to[source].append([None] * nodes[source].splits)
            contributions_to[source][0][node.select] = total
            continue
        if node.module is not None:
            if total is None:
                raise Unfit
            p.note_gradient(node.module, total)
            if _has_plain_grad_input(node.module):
                total = _plain_grad_input(p, node.module)
            elif _is_script(node.module):
                rest = ([list(contributions) for contributions in contributions_to], list(totals))
                taken = p.input_of(node.module)
                like = p.objects(taken)
                total = p.called(node.module, "updateGradInput", number, [taken, total], like, rest)
            else:
                total = backward(p, node.module, p.input_of(node.module), total)
        if len(node.sources) == 1:
            if total is not None:
                contributions_to[node.sources[0]].append(total)
        elif node.sources:
            if not isinstance(total, list) or len(total) != len(node.sources):
                raise Unfit
            for source, part in zip(node.sources, total, strict=True):
                if part is not None:
                    contributions_to[source].append(part)
    for held, contributions in zip(m.__dict__["node_gradients"], contributions_to, strict=True):
        p.values.append((held, contributions))
    p.values.append((m.__dict__["node_totals"], totals))
    p.listed(m.node_buffers)
    if totals[m.start] is None:
        raise Unfit
    return p.passed(m, "gradInput", totals[m.start])


def _is_script(module: Any) -> bool:
    return "_marked" in module.__dict__


def _has_plain_grad_input(module: Any) -> bool:
    """Whether a script's layer has no ``updateGradInput``, so that it gives its ``gradInput`` as it is."""
    return type(module) is Module and {"updateGradInput", "_above"}.isdisjoint(
        module.__dict__.get("_marked", ())
    )


def _plain_grad_input(p: StepProgram, module: Any) -> Value:
    """``gradInput`` of such a layer, which is empty unless the script has put something there."""
    attributes = module.__dict__
    held = attributes["gradInput"]
    if held.__class__ is not torch.Tensor or not held.is_cpu or held.dtype not in DTYPES:
        raise Unfit
    p.settings(module, "_marked", "gradInput")
    return p.static(held)


def _called(p: StepProgram, m: Any, module: Any, number: int, x: Value, before: list[Value]) -> Value:
    """A call of a script's layer, whose last output shows what it gives."""
    if m is not p.module or any(module is call.module for call in p.calls):
        raise Unfit
    value = p.called(module, "updateOutput", number, [x], module.__dict__["output"], before)
    return p.note(module, x, value)


def _total(p: StepProgram, m: Any, number: int, contributions: list[Value]) -> Value:
    """The sum of the gradients of a node's uses."""
    if len(contributions) < 2:
        return contributions[0] if contributions else None
    total, buffer = p.nested_buffer(contributions[0], m.node_buffers[number])
    if not p.is_survey:
        m.node_buffers[number] = buffer
    _add_up(p, total, contributions)
    return total


def _add_up(p: StepProgram, total: Value, parts: Sequence[Value]) -> None:
    if isinstance(total, list):
        for position, item in enumerate(total):
            if any(not isinstance(part, list) or len(part) != len(total) for part in parts):
                raise Unfit
            _add_up(p, item, [part[position] for part in parts])
        return
    tensors = [_tensor(p, part) for part in parts]
    check_alike(total, *tensors)
    flat(p, "add", (total, tensors[0], tensors[1]))
    for tensor in tensors[2:]:
        flat(p, "add", (total, total, tensor))


def _graph_gradients(p: StepProgram, m: Any, x: Value, g: Value) -> None:
    for number in m.backward_order:
        module = m.ordered_nodes[number].module
        if module is not None and _is_script(module):
            attributes = module.__dict__
            if attributes["_gradients"] or {"accGradParameters", "_above"} & set(attributes["_marked"]):
                arguments = [p.input_of(module), p.gradient_of(module)]
                p.called(module, "accGradParameters", number, arguments, None, None)
        elif module is not None:
            gradients(p, module, p.input_of(module), p.gradient_of(module))


FORWARD |= {
    Identity: _identity,
    AddConstant: _plus,
    MulConstant: _times,
    CAddTable: _combined("add"),
    CSubTable: _combined("subtract", 2),
    CMulTable: _combined("multiply"),
    JoinTable: _join,
    SplitTable: _split,
    SelectTable: _select,
    Select: _slice,
    Replicate: _view,
    Sum: _sum,
    Mean: _sum,
    MM: _matrices,
    MixtureTable: _mixture,
    ConcatTable: _branches,
    ParallelTable: _entries,
    Linear: _linear,
    LookupTable: _look_up,
    LogSoftMax: _normalized("log_softmax"),
    SoftMax: _normalized("softmax"),
    Sequential: _sequence,
    GModule: _graph,
}
BACKWARD |= {
    Identity: _identity_back,
    AddConstant: _plus_back,
    MulConstant: _times_back,
    CAddTable: _add_back,
    CSubTable: _subtract_back,
    CMulTable: _multiply_back,
    JoinTable: _join_back,
    SplitTable: _split_back,
    SelectTable: _select_back,
    Select: _slice_back,
    Replicate: _replicate_back,
    Sum: _sum_back,
    Mean: _sum_back,
    MM: _matrices_back,
    MixtureTable: _mixture_back,
    ConcatTable: _branches_back,
    ParallelTable: _entries_back,
    Linear: _linear_back,
    LookupTable: _look_up_back,
    LogSoftMax: _normalized_back("of_log_softmax"),
    SoftMax: _normalized_back("of_softmax"),
    Sequential: _sequence_back,
    GModule: _graph_back,
}
GRADIENTS |= {
    Linear: _linear_gradients,
    LookupTable: _look_up_gradients,
    Sequential: _sequence_gradients,
    ConcatTable: _all_gradients,
    ParallelTable: _all_gradients,
    GModule: _graph_gradients,
}
for _cls in (View, Reshape, Squeeze, Unsqueeze, Contiguous, Collapse):
    FORWARD[_cls], BACKWARD[_cls] = _view, _view_back
_pointwise(Tanh, "tanh", True)
_pointwise(Sigmoid, "sigmoid", True)
_pointwise(SoftPlus, "softplus", True, ("beta", "threshold"), ("beta", "threshold"), ("beta", "threshold"))
_pointwise(Threshold, "threshold", False, ("threshold", "val"), ("threshold", "val"), ("threshold",))
_pointwise(ReLU, "threshold", False, ("threshold", "val"), ("threshold", "val"), ("threshold",))
