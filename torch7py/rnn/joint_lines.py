"""The steps of a sequence in the memory of a list of instructions."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from torch7py.nn import step_lines as lines
from torch7py.nn.step_program import Leaf, StepProgram, Unfit, Value
from torch7py.rnn.steps import whole

__all__ = ["check_steps", "joint", "shape_of"]


def check_steps(steps: Sequence[Value]) -> None:
    """All are tensors of one size and one type."""
    kinds = {(step.tensor.shape, step.tensor.dtype) if isinstance(step, Leaf) else None for step in steps}
    if len(kinds) != 1 or None in kinds:
        raise Unfit


def joint(p: StepProgram, x: Value) -> Leaf:
    """The steps as one tensor, copied together where they do not lie one after the other."""
    if isinstance(x, Leaf):
        return x
    first, size = x[0].tensor, x[0].tensor.numel()
    p.number_type(first)
    if all(step.root is None and step.tensor.is_contiguous() for step in x):
        places = [step.tensor.data_ptr() for step in x]
        if places == [first.data_ptr() + i * size * first.element_size() for i in range(len(x))]:
            together = whole(first, len(x))
            if together is not None:
                return p.static(together)
    room, start = torch.zeros(len(x), *first.shape, dtype=first.dtype), len(p.lines)
    for part, step in zip(room.unbind(), x, strict=True):
        lines.copy(p, p.static(part), step)
    p.note_copies(start)
    return p.static(room)


def shape_of(x: Value) -> tuple[int, ...]:
    """The sizes of the steps as one tensor."""
    return (len(x), *x[0].tensor.shape) if isinstance(x, list) else tuple(x.tensor.shape)
