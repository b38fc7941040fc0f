"""Variables with a layer's weight whose elements the program changes: ``local w = layer.weight:double() w:mul(2)``.

They hold the weight's data, as PyTorch refuses changes in place of a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.facts.methods import CHANGING, VIEWS, writes_first_argument
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name
from torch7py.translate.tree_queries import bare

__all__ = ["ChangedWeights"]


class ChangedWeights:
    def __init__(self, t: Known) -> None:
        self.t = t

    def takes(self, target: Expression, value: Expression) -> bool:
        """Whether a variable is given what lies in the memory of a weight, and is changed."""
        is_field = isinstance(self._owner(value), Index)
        return is_field and isinstance(target, Name) and self.t.scopes.of_name[target] in self._changed

    @cached_property
    def _changed(self) -> set[Variable]:
        """The variables with tensors that are changed in place."""
        owners = map(self._owner, self._places())
        return {self.t.scopes.of_name[owner] for owner in owners if isinstance(owner, Name)}

    def _places(self) -> Iterator[Expression]:
        t = self.t
        for node in tree.those(t.program, Invoke, Call, tree.Assign):
            if isinstance(node, Invoke) and node.method in CHANGING:
                yield node.receiver
            elif isinstance(node, Call) and node.arguments:
                name = (t.path(node.callee) or "").removeprefix("torch.")
                if writes_first_argument(name, [t.kind(argument) for argument in node.arguments]):
                    yield node.arguments[0]
            elif isinstance(node, tree.Assign):
                bases = [target.base for target in node.targets if isinstance(target, Index)]
                yield from (base for base in bases if t.kind(base) == "tensor")

    def _owner(self, node: Expression) -> Expression:
        """The variable or field whose memory an expression is a part of."""
        while True:
            node = bare(node)
            if isinstance(node, Invoke) and node.method in VIEWS | CHANGING:
                node = node.receiver
            elif isinstance(node, Index) and self.t.kind(node.base) == "tensor":
                node = node.base
            else:
                return node
