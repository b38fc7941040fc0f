"""Functions that copy a module field by field, before it is converted and saved, as ``clone``.

Such a copy has the original's tensors until it is converted to another type, and is only ever saved: so a conversion or
``clearState`` must follow the call.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement, String
from torch7py.translate.tree_queries import named_functions

__all__ = ["DeepCopies"]

_AFTER = ("float", "double", "clearState")


class DeepCopies(Rewriting):
    """``local function copy(t) local c = {} for k, v in pairs(t) do ... end ... return c end``"""

    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for statement, name, function in named_functions(self.program):
            if not _copies(function, name.name):
                continue
            inside = {node for node in tree.walk(function) if isinstance(node, Name)}
            reads = [read for read in self.scopes.of_name[name].reads if read not in inside]
            calls = {
                node.receiver.callee: node.receiver
                for node in tree.every(self.program, Invoke)
                if node.method in _AFTER
                and isinstance(node.receiver, Call)
                and len(node.receiver.arguments) == 1
            }
            if not reads or not all(read in calls for read in reads):
                continue
            edits.append((statement.span.start, statement.span.end, ""))
            for read in reads:
                call = calls[read]
                argument = self.text(call.arguments[0])
                text = argument if isinstance(call.arguments[0], (Name, Index)) else f"({argument})"
                edits.append((call.span.start, call.span.end, f"{text}:clone()"))
        self.edited(edits)
        return self.source


def _copies(function: tree.Function, name: str) -> bool:
    """Whether a function makes a table with the fields of another one, tables among them copied, and its class."""
    body = function.body.statements
    if len(function.parameters) != 1 or function.vararg or len(body) != 4:
        return False
    declaration, loop, classed, last = body
    parameter = function.parameters[0].name
    if not isinstance(declaration, tree.Local) or len(declaration.names) != 1 or len(declaration.values) != 1:
        return False
    copy, table = declaration.names[0].name, declaration.values[0]
    if not isinstance(table, tree.Table) or table.fields:
        return False
    if not isinstance(last, tree.Return) or [_name(value) for value in last.values] != [copy]:
        return False
    return _fields_copied(loop, parameter, copy, name) and _keeps_class(classed, parameter, copy)


def _fields_copied(loop: Statement, parameter: str, copy: str, name: str) -> bool:
    if not isinstance(loop, tree.GenericFor) or len(loop.names) != 2 or len(loop.body.statements) != 1:
        return False
    if not any(_calls(value, "pairs", parameter) for value in loop.values):
        return False
    key, value = (variable.name for variable in loop.names)
    choice = loop.body.statements[0]
    if not isinstance(choice, tree.If) or len(choice.branches) != 1 or choice.otherwise is None:
        return False
    condition, then = choice.branches[0]
    tested = (
        isinstance(condition, tree.Binary)
        and condition.operator == "=="
        and _calls(condition.left, "type", value)
        and isinstance(condition.right, String)
        and condition.right.value == "table"
    )
    deep, plain = _stored(then, copy, key), _stored(choice.otherwise, copy, key)
    return tested and deep is not None and _calls(deep, name, value) and _name(plain) == value


def _stored(body: tree.Block, copy: str, key: str) -> Expression | None:
    """What ``copy[key] = x`` stores, where a block does nothing else."""
    store = body.statements[0] if len(body.statements) == 1 else None
    if not isinstance(store, tree.Assign) or len(store.targets) != 1 or len(store.values) != 1:
        return None
    target = store.targets[0]
    good = (
        isinstance(target, Index)
        and not target.dotted
        and _name(target.base) == copy
        and _name(target.key) == key
    )
    return store.values[0] if good else None


def _keeps_class(statement: Statement, parameter: str, copy: str) -> bool:
    """``if torch.typename(t) then torch.setmetatable(copy, torch.typename(t)) end``"""
    if not isinstance(statement, tree.If) or len(statement.branches) != 1 or statement.otherwise is not None:
        return False
    condition, body = statement.branches[0]
    run = body.statements[0] if len(body.statements) == 1 else None
    call = run.call if isinstance(run, tree.Run) else None
    if not isinstance(call, Call) or len(call.arguments) != 2 or not _is_torch(call.callee, "setmetatable"):
        return False
    return _name(call.arguments[0]) == copy and all(
        _is_class_of(n, parameter) for n in (condition, call.arguments[1])
    )


def _is_class_of(node: Expression, name: str) -> bool:
    return (
        isinstance(node, Call)
        and (_is_torch(node.callee, "typename") or _is_torch(node.callee, "type"))
        and [_name(argument) for argument in node.arguments] == [name]
    )


def _is_torch(node: Expression, name: str) -> bool:
    return isinstance(node, Index) and _name(node.base) == "torch" and node.key_name == name


def _calls(node: Expression, name: str, argument: str) -> bool:
    return (
        isinstance(node, Call)
        and _name(node.callee) == name
        and [_name(a) for a in node.arguments] == [argument]
    )


def _name(node: Expression | None) -> str | None:
    return node.name if isinstance(node, Name) else None
