"""Classes that are called to make objects: ``setmetatable(C, {__call = function(_, ...) return C.new(...) end})``.

``C(a, b)`` is then ``C.new(a, b)``, and is taken for that before anything else looks at the program.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from torch7py.translate import tree
from torch7py.translate.tree import (
    Block,
    Call,
    Comment,
    Expression,
    Index,
    Invoke,
    Name,
    Node,
    Statement,
    String,
)

__all__ = ["without_calls_of_classes"]

_T = TypeVar("_T", Block, Node)


def without_calls_of_classes(program: Block) -> Block:
    """The program with such calls written out, and without the metatables' ``__call``."""
    found: dict[str, Call | Invoke] = {}  # the class -> the call that makes an object
    dropped: dict[Node, Node | None] = {}  # a node -> what stands in its place
    given = _times_given(program)
    for statement in tree.walk(program):
        call = statement.call if isinstance(statement, tree.Run) else _only_value(statement)
        if not isinstance(call, Call) or not _is_setmetatable(call):
            continue
        owner: Expression | None = call.arguments[0]
        meta = call.arguments[1]
        if not isinstance(statement, tree.Run):
            owner = _only_target(statement)
        if not isinstance(owner, Name) or not isinstance(meta, tree.Table) or given[owner.name] != 1:
            continue
        maker = next((item for item in meta.fields if _is_named(item.key, "__call")), None)
        made = _forwarded(maker.value, owner.name) if maker is not None else None
        if maker is None or made is None:
            continue
        found[owner.name] = made
        rest = tuple(item for item in meta.fields if item is not maker)
        if rest:
            dropped[meta] = dataclasses.replace(meta, fields=rest)
        elif isinstance(statement, tree.Run):
            dropped[statement] = None
        else:
            dropped[call] = call.arguments[0]
    if not found:
        return program

    def written(node: Node) -> Node | None:
        if node in dropped:
            return dropped[node]
        if isinstance(node, Call) and isinstance(node.callee, Name) and node.callee.name in found:
            maker = found[node.callee.name]
            arguments: tuple[Expression, ...] = _changed_value(node.arguments, written)
            if isinstance(maker, Invoke):
                return Invoke(node.place, node.callee, maker.method, arguments, node.place)
            assert isinstance(maker.callee, Index)
            return Call(node.place, Index(node.callee.place, node.callee, maker.callee.key, True), arguments)
        return node

    return _changed(program, written)


def _forwarded(function: Expression, owner: str) -> Call | Invoke | None:
    """The call of ``C.new`` or ``C:new`` that a function hands all its arguments to but the first."""
    if (
        not isinstance(function, tree.Function)
        or len(function.body.statements) != 1
        or not function.parameters
    ):
        return None
    (only,) = function.body.statements
    call = only.values[0] if isinstance(only, tree.Return) and len(only.values) == 1 else None
    first, *rest = (parameter.name for parameter in function.parameters)
    if isinstance(call, Call) and isinstance(call.callee, Index) and call.callee.dotted:
        base: Expression = call.callee.base
    elif isinstance(call, Invoke):
        base = call.receiver
    else:
        return None
    handed = call.arguments[:-1] if function.vararg else call.arguments
    if function.vararg and not (call.arguments and isinstance(call.arguments[-1], tree.Vararg)):
        return None
    names = [argument.name if isinstance(argument, Name) else None for argument in handed]
    is_owner = isinstance(base, Name) and base.name in (first, owner)
    return call if is_owner and names == rest else None


def _times_given(program: Block) -> Counter[str]:
    """How often each name is declared or assigned; a class keeps its name for itself."""
    found: Counter[str] = Counter()
    for node in tree.walk(program):
        names: tuple[Any, ...] = ()
        if isinstance(node, (tree.Local, tree.GenericFor)):
            names = node.names
        elif isinstance(node, tree.Assign):
            names = node.targets
        elif isinstance(node, tree.Function):
            names = node.parameters
        elif isinstance(node, tree.NumericFor):
            names = (node.variable,)
        elif isinstance(node, tree.LocalFunction):
            names = (node.name,)
        elif isinstance(node, tree.FunctionStatement):
            names = (node.target,)
        found.update(name.name for name in names if isinstance(name, Name))
    return found


def _is_setmetatable(call: Call) -> bool:
    callee = call.callee
    return isinstance(callee, Name) and callee.name == "setmetatable" and len(call.arguments) == 2


def _is_named(key: Expression | None, name: str) -> bool:
    return isinstance(key, String) and key.value == name


def _only_value(node: Node | Block) -> Expression | None:
    values = node.values if isinstance(node, (tree.Local, tree.Assign)) else ()
    return values[0] if len(values) == 1 else None


def _only_target(node: Node | Block) -> Expression | None:
    if isinstance(node, tree.Local):
        return node.names[0] if len(node.names) == 1 else None
    return node.targets[0] if isinstance(node, tree.Assign) and len(node.targets) == 1 else None


def _changed(node: _T, written: Callable[[Node], Node | None]) -> _T:
    """A tree with other nodes; what holds none of them stays the same object."""
    values: dict[str, Any] = {}
    for each in dataclasses.fields(node):
        if each.init:
            before = getattr(node, each.name)
            after = _changed_value(before, written)
            if after is not before:
                values[each.name] = after
    if isinstance(node, Block) and "statements" in values:
        left: tuple[tuple[Statement, ...], list[Comment]] = _kept(node.statements, values["statements"])
        values.update(statements=left[0], closing=(*left[1], *node.closing))
    return dataclasses.replace(node, **values) if values else node


def _changed_value(value: Any, written: Callable[[Node], Node | None]) -> Any:
    if isinstance(value, Block):
        return _changed(value, written)
    if isinstance(value, Node):
        found = written(value)
        return _changed(found, written) if found is value else found
    if type(value) is tuple:
        items = tuple(_changed_value(item, written) for item in value)
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def _kept(
    before: tuple[Statement, ...], after: tuple[Statement | None, ...]
) -> tuple[tuple[Statement, ...], list[Comment]]:
    """The statements that are left; comments of the others go to the next, and those that are left are told too."""
    kept: list[Statement] = []
    comments: list[Comment] = []
    for old, new in zip(before, after, strict=True):
        around = old.around
        if new is None:
            comments += [*around.before, *around.inside, *([around.trailing] if around.trailing else [])]
            continue
        if comments:
            new = dataclasses.replace(new, around=new.around._replace(before=(*comments, *new.around.before)))
            comments = []
        kept.append(new)
    return tuple(kept), comments
