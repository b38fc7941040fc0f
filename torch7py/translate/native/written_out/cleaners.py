"""Functions that empty the buffers of a model before it is saved, as ``clearState``."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.forms import named_functions
from torch7py.translate.native.written_out.rewriting import Rewriting
from torch7py.translate.tree import (
    Assign,
    Call,
    Expression,
    Index,
    Invoke,
    Local,
    Name,
    Statement,
    String,
)

__all__ = ["Cleaners"]

# What layers compute anew: a page's layers do not keep it.
_BUFFERS = set(
    "output gradInput buffer buffer2 indices noise mask finput fgradInput normalized centered std copiedInput"
    " homeGradBuffers input_gpu gradOutput_gpu gradInput_gpu gradWeight_gpu".split()
)


class Cleaners(Rewriting):
    """``for name, field in pairs(layer) do if name == 'output' then layer[name] = field.new() end end``"""

    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for statement, name, function in named_functions(self.program):
            if len(function.parameters) != 1 or not _only_cleans(function):
                continue
            calls = {
                node.call.callee: node
                for node in tree.every(self.program, tree.Run)
                if isinstance(node.call, Call) and len(node.call.arguments) == 1
            }
            reads = self.scopes.of_name[name].reads
            if reads and set(calls) >= set(reads):
                edits.append((statement.place.start, statement.place.end, ""))
                for read in reads:
                    given = self.text(calls[read].call.arguments[0])
                    edits.append((calls[read].place.start, calls[read].place.end, f"{given}:clearState()"))
            else:
                body = function.body.statements
                text = f"{function.parameters[0].name}:clearState()"
                if isinstance(body[-1], tree.Return) and body[-1].values:
                    text = f"return {text}"
                edits.append((body[0].place.start, body[-1].place.end, text))
        self.edited(edits)
        return self.source


def _only_cleans(function: tree.Function) -> bool:
    """Whether a function does nothing but to empty buffers of layers."""
    cleaned = False
    parameter = function.parameters[0].name
    keys: set[str] = set()  # the variables that are names of fields
    for node in tree.walk(function.body):
        if isinstance(node, tree.GenericFor) and len(node.names) == 2:
            keys.add(node.names[0].name)
        elif isinstance(node, tree.If):
            names = [_named_in(condition) for condition, _ in node.branches]
            stores = [any(isinstance(n, Assign) for n in tree.walk(body)) for _, body in node.branches]
            if node.otherwise is not None or any(s and not n for n, s in zip(names, stores, strict=True)):
                return False
        elif isinstance(node, Assign):
            (target, *more) = node.targets
            if more or not isinstance(target, Index) or not all(map(_is_empty, node.values)):
                return False
            named = isinstance(target.key, String) and target.key.value in _BUFFERS
            if not named and not (isinstance(target.key, Name) and target.key.name in keys):
                return False
            cleaned = True
        elif isinstance(node, tree.Return):
            if any(not isinstance(v, Name) or v.name != parameter for v in node.values):
                return False
        elif isinstance(node, Statement) and not isinstance(node, (Local, tree.NumericFor, tree.GenericFor)):
            return False
    return cleaned


def _named_in(node: Expression) -> bool:
    """Whether a condition is about the name of a buffer, or a field that no translation has."""
    while isinstance(node, tree.Paren):
        node = node.inner
    if not isinstance(node, tree.Binary):
        return False
    if node.operator in ("and", "or"):
        sides = [_named_in(node.left), _named_in(node.right)]
        return all(sides) if node.operator == "or" else any(sides)
    literal = node.right.value if isinstance(node.right, String) else ""
    return node.operator == "==" and (literal in _BUFFERS or literal.startswith("_") or literal == "cdata")


def _is_empty(node: Expression) -> bool:
    """``nil``, ``{}``, ``field.new()``, ``torch.Tensor()``"""
    if isinstance(node, (Call, Invoke)):
        made = node.method if isinstance(node, Invoke) else ""
        if isinstance(node, Call) and isinstance(node.callee, Index) and isinstance(node.callee.key, String):
            made = node.callee.key.value
        return not node.arguments and (made == "new" or made.endswith("Tensor"))
    return isinstance(node, tree.Nil) or (isinstance(node, tree.Table) and not node.fields)
