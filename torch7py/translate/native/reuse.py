"""Outputs that a program keeps from one training step to the next without a copy.

A Torch7 module writes its output into the same tensors at every call. A program that unrolls a network over copies of
a module, and carries the last copy's outputs over to its next step as they are, starts that step from them and sees
them overwritten when the last copy runs again: the gradients of its first copy are taken at the new values. In such
programs, and only there, the page's copies write over what they gave before, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.tree import Call, Expression, Invoke, Name

if TYPE_CHECKING:
    from torch7py.translate.native.interfaces.translation import Translation

__all__ = ["COPY", "carried_uncopied"]

COPY = '''class StepCopy(nn.Module):
    """A module at one step. As in Torch7, its outputs lie in one memory: a call overwrites what it gave before.

    Gradients at values that were kept from before are taken at the new ones. Where that is not wanted, clone what
    is kept, and use the module itself.
    """

    def __init__(self, module):
        super().__init__()
        self.module = module
        self.memory = []

    def forward(self, *inputs):
        outputs = self.module(*inputs)
        given = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        if not self.memory:
            self.memory = [output.data for output in given]
        for memory, output in zip(self.memory, given):
            if memory.shape != output.shape:
                raise ValueError("the outputs of a step changed their size")
            memory.copy_(output.data)
            output.data = memory
        return outputs
'''


def carried_uncopied(t: Translation) -> bool:
    """Whether a training step leaves tensors of its graph, as they are, in a variable that outlives it."""
    for scope, own in t.training.steps.items():
        for statement in own:
            if not isinstance(statement, tree.Assign) or statement in t.training.dropped:
                continue
            for target, value in zip(statement.targets, statement.values, strict=False):
                if not isinstance(target, Name) or t.kind(value) not in ("tensor", "table"):
                    continue
                variable = t.scopes.of_name[target]
                if variable in t.graph_variables or not t.training.carried.outlives(variable, scope):
                    continue
                kept = t.training.carried.has_graph(value, t.training.carried.graph_values[scope])
                if kept and not _copies(t, value):
                    return True
    return False


def _copies(t: Translation, value: Expression) -> bool:
    """Whether an expression gives a tensor, or tensors, of its own."""
    if isinstance(value, Invoke) and value.method == "clone":
        return True
    if not isinstance(value, Call):
        return False
    functions = t.types.function_called(value)
    return bool(functions) and all(
        any(isinstance(node, Invoke) and node.method == "clone" for node in tree.walk(function.body))
        for function in functions
    )
