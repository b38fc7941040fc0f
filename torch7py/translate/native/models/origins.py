"""Where a tensor comes from: whether layers made it, so that autograd would follow it back to their weights.

In Torch7 a gradient stops at whatever no module's backward is called for; in PyTorch a target that a network made
has to be detached.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts.layers import FORWARD
from torch7py.translate.facts.methods import COMPARISONS
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.tensors.overwriting import root_of
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name
from torch7py.translate.tree_queries import returns_of

__all__ = ["Origins"]

_WITHOUT_GRAPH = COMPARISONS.keys() | set("sign long int byte char short".split())


class Origins:
    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self._into: dict[object, list[Expression]] | None = (
            None  # what is put into a variable's tensor, or a field
        )

    def from_layers(self, node: Expression, seen: set[object] | None = None) -> bool:
        """Whether a tensor is computed from what a module gave, as far as a gradient would follow it.

        ``seen``: the variables, fields and functions that were looked at for the same question.
        """
        t = self.t
        seen = set() if seen is None else seen
        if t.kind(node) not in ("tensor", "table", None, "any"):
            return False
        if isinstance(node, tree.Paren):
            return self.from_layers(node.inner, seen)
        if isinstance(node, Name):
            variable = t.scopes.of_name[node]
            if variable in seen:
                return False
            seen.add(variable)
            sources = [s for s in t.integers.sources(variable) if not isinstance(s, bool)]
            return any(self.from_layers(s, seen) for s in [*sources, *self._put_into(variable)])
        if isinstance(node, Index):
            key = node.key_name
            if key is None or t.kind(node.base) in ("tensor", "table"):
                return self.from_layers(node.base, seen)
            if key in seen:
                return False
            seen.add(key)
            return any(self.from_layers(s, seen) for s in self._put_into(key))
        if isinstance(node, tree.Binary):
            return self.from_layers(node.left, seen) or self.from_layers(node.right, seen)
        if isinstance(node, tree.Unary):
            return self.from_layers(node.operand, seen)
        if isinstance(node, tree.Table):
            return any(self.from_layers(item.value, seen) for item in node.fields)
        if not isinstance(node, (Call, Invoke)):
            return False
        functions = t.types.function_called(node)
        if isinstance(node, Invoke) and node.method in FORWARD and t.kind(node.receiver) == "module":
            return True
        if isinstance(node, Call) and t.kind(node.callee) == "module":
            return True
        if functions:
            new = [f for f in functions if f not in seen]
            seen.update(new)
            return any(self.from_layers(v, seen) for f in new for r in returns_of(f) for v in r.values)
        if isinstance(node, Invoke):
            if node.method in _WITHOUT_GRAPH:
                return False
            operands = (node.receiver, *node.arguments)
            return t.kind(node.receiver) == "tensor" and any(self.from_layers(g, seen) for g in operands)
        path = t.path(node.callee) or ""
        name = path.removeprefix("torch.")
        return (
            name != path
            and name not in _WITHOUT_GRAPH
            and any(self.from_layers(g, seen) for g in node.arguments)
        )

    def cut(self, node: Expression, written: Py) -> Py:
        """A value on its way into a part of a tensor: what layers made is cut off, as no gradient goes that way."""
        t = self.t
        if t.classes.current is not None or t.scope in t.training.explicit.scopes:
            return written  # which is looked at there
        if t.kind(node) != "tensor" or written.text.endswith(".detach()") or not self.from_layers(node):
            return written
        return atom(f"{written.at(code.ATOM)}.detach()")

    def _put_into(self, key: object) -> list[Expression]:
        if self._into is None:
            self._into = {}
            for node in tree.walk(self.t.program):
                if isinstance(node, tree.Assign):
                    for target, value in zip(node.targets, node.values, strict=False):
                        self._put(target, (value,))
                elif isinstance(node, tree.Run) and isinstance(node.call, Invoke):
                    first = root_of(node.call)
                    if self.t.kind(first) == "tensor":
                        self._put(first, node.call.arguments, whole=False)
        return self._into.get(key, [])

    def _put(self, target: Expression, values: tuple[Expression, ...], whole: bool = True) -> None:
        assert self._into is not None
        while isinstance(target, Index):
            if isinstance(target.key, tree.String):
                self._into.setdefault(target.key.value, []).extend(values)
                return
            target, whole = target.base, False
        if isinstance(target, Name) and not whole:
            self._into.setdefault(self.t.scopes.of_name[target], []).extend(values)
