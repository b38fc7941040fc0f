"""The instructions of layers, by class: what they do to memory (see ``step_program.py``), and what all of them use.

For each class there are up to three functions: FORWARD ``(program, module, x) -> output``, BACKWARD ``(program,
module, x, g) -> gradInput``, and GRADIENTS ``(program, module, x, g)``, which adds to the gradients of parameters.
Where a case is not theirs they raise ``Unfit``, and the layers' own methods run. Each family of
layers has a file ``..._lines.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from torch7py.nn.base import Criterion, Module
from torch7py.nn.registry import layers
from torch7py.nn.step_program import Leaf, StepProgram, Unfit, Value, merged, plane
from torch7py.ops.errors import TorchError

__all__ = [
    "ADDED",
    "BACKWARD",
    "FORWARD",
    "GRADIENTS",
    "OF_FUNCTION",
    "OF_LOOP",
    "OVER",
    "SCALED",
    "add_up",
    "backward",
    "check_alike",
    "clear",
    "copy",
    "flat",
    "forward",
    "gradients",
    "learn",
    "learn_backward",
    "product",
    "product_of_vector",
    "roots",
    "shapes",
    "sum_along",
    "sum_up",
    "survey",
    "table",
    "tensor",
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
# What a product does to its place: overwrites it, adds to it, or adds to it times the scale of the call.
OVER, ADDED, SCALED = 0, 1, 2


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


def tensor(p: StepProgram, value: Value) -> Leaf:
    """A tensor of the program's type."""
    if not isinstance(value, Leaf):
        raise Unfit
    p.number_type(value.tensor)
    return value


def table(p: StepProgram, value: Value, count: int | None = None) -> list[Leaf]:
    if not isinstance(value, list) or not value or (count is not None and len(value) != count):
        raise Unfit
    return [tensor(p, item) for item in value]


def check_alike(first: Leaf, *others: Leaf) -> None:
    if any(other.tensor.shape != first.tensor.shape for other in others):
        raise Unfit


def shapes(parts: Sequence[Leaf]) -> list[torch.Size]:
    return [part.tensor.shape for part in parts]


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


def clear(p: StepProgram, o: Leaf) -> None:
    """Zeros in a tensor of any type."""
    p.line("clear", o.slot, o.tensor.nbytes)


def sum_up(p: StepProgram, o: Leaf, g: Leaf) -> None:
    """Add the rows of a matrix to a vector, times the scale of the call."""
    rows, columns = g.tensor.shape
    p.line("sum_up", o.slot, g.slot, rows, columns, *g.tensor.stride(), work=work_of(rows, columns))


def sum_along(p: StepProgram, o: Leaf, x: Leaf, dim: int) -> None:
    """A sum along a dimension, to what is contiguous."""
    shape = [size for d, size in enumerate(x.tensor.shape) if d != dim]
    rows, columns, steps = plane(shape, o.tensor.view(shape), x.tensor.select(dim, 0))
    flat = [step for pair in steps for step in pair]
    work = OF_LOOP * x.tensor.numel()
    p.line("sum", o.slot, x.slot, x.tensor.shape[dim], x.tensor.stride(dim), rows, columns, *flat, work=work)


def add_up(p: StepProgram, total: Value, parts: Sequence[Value]) -> None:
    if isinstance(total, list):
        for position, item in enumerate(total):
            if any(not isinstance(part, list) or len(part) != len(total) for part in parts):
                raise Unfit
            add_up(p, item, [part[position] for part in parts])
        return
    addends = table(p, parts)
    check_alike(total, *addends)
    flat(p, "add", (total, addends[0], addends[1]))
    for addend in addends[2:]:
        flat(p, "add", (total, total, addend))


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


def product_of_vector(p: StepProgram, o: Leaf, a: Leaf, x: Leaf, matrix: Tensor, what: int) -> None:
    if x.tensor.stride(0) != 1 and x.tensor.numel() > 1:
        raise Unfit
    rows, columns = matrix.shape
    numbers = (rows, columns, *_lying(matrix), what)
    p.line("product_of_vector", o.slot, a.slot, x.slot, *numbers, products=rows * columns)
