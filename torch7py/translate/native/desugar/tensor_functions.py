"""Functions that do what the method of that name does: ``torch.size(x, 1)`` and ``x.size(x, 1)`` are ``x:size(1)``."""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, String

__all__ = ["FUNCTIONS", "TensorFunctions"]

# Not those whose function makes a new tensor where the method changes its own, or takes a table for the results.
_NAMES = set(
    """clone contiguous copy dim expand expandAs fill isContiguous isSameSizeAs isSize nDimension nElement narrow numel
    permute repeatTensor resize resizeAs select size squeeze storage stride t totable transpose typeAs unfold view
    viewAs zero""".split()
)
FUNCTIONS = re.compile(
    rf"\btorch\s*\.\s*(?:{'|'.join(sorted(_NAMES))})\s*\(|\b(\w+)\.\w+\s*\(\s*\1\s*[,)]".encode()
)


class TensorFunctions(Rewriting):
    def rewrite(self) -> None:
        if any(_is_of_torch(target) for target in self._targets()):  # torch.size = function(x) ... end
            return
        starts = {statement.span.start for block in self.blocks() for statement in block.statements}
        for call in tree.every(self.program, Call):
            name = self._name(call)
            if name is None:
                continue
            first, rest = call.arguments[0], call.arguments[1:]
            simple = isinstance(first, (Name, Index, Call, Invoke, tree.Paren))
            if not simple and call.span.start in starts:
                continue  # a statement that begins with a parenthesis goes on with the one before
            after = rest[0].span.start if rest else self.source.rindex(b")", 0, call.span.end)
            self.put_between(call.span.start, first.span.start, "" if simple else "(")
            self.put_between(first.span.end, after, f"{'' if simple else ')'}:{name}(")

    def _name(self, call: Call) -> str | None:
        callee = call.callee
        if not isinstance(callee, Index) or not isinstance(callee.base, Name):
            return None
        first = call.arguments[0] if call.arguments else None
        if isinstance(first, Name) and first.name == callee.base.name and isinstance(callee.key, String):
            return callee.key.value if callee.dotted else None
        if callee.base.name != "torch":
            return None
        variable = self.scopes.of_name[callee.base]
        if not variable.is_global or variable.writes or not _may_be_tensor(call.arguments):
            return None
        key = callee.key
        return key.value if isinstance(key, String) and key.value in _NAMES else None

    def _targets(self) -> list[Expression]:
        assigned = [target for node in tree.every(self.program, tree.Assign) for target in node.targets]
        return [*assigned, *(s.target for s in tree.every(self.program, tree.FunctionStatement))]


def _is_of_torch(node: Expression) -> bool:
    return isinstance(node, Index) and isinstance(node.base, Name) and node.base.name == "torch"


def _may_be_tensor(arguments: tuple[Expression, ...]) -> bool:
    return bool(arguments) and not isinstance(
        arguments[0], (tree.Vararg, tree.Number, String, tree.Table, tree.Nil, tree.Boolean, tree.Function)
    )
