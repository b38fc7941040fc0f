"""The way back of a module whose input has changed since its call: Torch7 reads the numbers that are there by then."""

from __future__ import annotations

from typing import Any

import torch

# Steps of a graph that show their input, or a part of it, in the same memory.
VIEWS = frozenset(
    "Alias Expand Permute ReshapeAlias Select Slice Split SplitWithSizes Squeeze T Transpose Unbind Unsqueeze"
    " View".split()
)
# Steps whose way back reads an input at the places where Torch7's does, if it reads one at all.
ALIKE_IN_BOTH = frozenset(
    "Abs Add Addmm Bmm Cat Convolution Div LogSoftmax Mean Mm Mul Mv Neg Pow Sigmoid Softmax Stack Sub Sum"
    " Tanh".split()
)
# Those of which two in a row are one module of Torch7's.
FACTORS = frozenset(("Mul", "Div"))


def kind_of(step: Any) -> str:
    """The name of a step of a graph: ``Mul`` for MulBackward0."""
    return type(step).__name__.partition("Backward")[0]


def reads_alike(outputs: list[torch.Tensor], leaves: list[torch.Tensor]) -> bool:
    """Whether all steps that take the input itself read it where Torch7's modules do."""
    waiting = [x.grad_fn for x in outputs if x.grad_fn is not None]
    seen: set[Any] = set()

    def shows(step: Any) -> bool:
        """Whether a step gives the input itself, or a view of it."""
        leaf = getattr(step, "variable", None)
        if leaf is not None:
            return any(leaf is x for x in leaves)
        before = [source for source, _ in step.next_functions if source is not None]
        return kind_of(step) in VIEWS and any(shows(source) for source in before)

    while waiting:
        step = waiting.pop()
        if step in seen or shows(step):
            continue
        seen.add(step)
        before = [source for source, _ in step.next_functions if source is not None]
        takes = any(shows(source) for source in before)
        if takes and kind_of(step) not in ALIKE_IN_BOTH:
            return False
        if kind_of(step) in FACTORS and any(
            kind_of(source) in FACTORS and any(shows(x) for x, _ in source.next_functions if x is not None)
            for source in before
        ):
            return False
        waiting += before
    return True
