"""Statements that are written otherwise than in a faithful page: they meet the native page's variables."""

from __future__ import annotations

from typing import Any

from torch7py.translate import tree
from torch7py.translate.faithful.statements import WRITERS
from torch7py.translate.native import stdlib
from torch7py.translate.native.faithful_parts.passing import (
    EXCHANGED,
    EXCLUDED,
    LIBRARIES,
    Refused,
    is_exchanged,
)
from torch7py.translate.native.whole_tensors import elements
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["PART_WRITERS"]


def _function_statement(writer: Any, node: tree.FunctionStatement) -> None:
    if not isinstance(node.target, Name):
        raise Refused
    writer.write_function(writer.page.t.names.of(node.target), node.function, node.line)


def _local(writer: Any, node: tree.Local) -> None:
    _check_values(writer, node.names, node.values)
    WRITERS[tree.Local](writer, node)
    _make_whole(writer, node.names, node.values)
    if any(writer.page.t.names.of(name) == "_" for name in node.names) and not node.values:
        raise Refused


def _check_values(writer: Any, targets: tuple[Expression, ...], values: tuple[Expression, ...]) -> None:
    """Refuse to give variables of the native page what is not of their kind."""
    t = writer.page.t
    for target, value in zip(targets, values, strict=False):
        outside = isinstance(target, Name) and not writer.page.is_own(t.scopes.of_name[target])
        function = (
            isinstance(value, tree.Function) and outside and t.scopes.of_name[target] in writer.page.made
        )
        if outside and not function and not is_exchanged(t, value):
            raise Refused


def _make_whole(writer: Any, targets: tuple[Expression, ...], values: tuple[Expression, ...]) -> None:
    """Let variables be ints that the native page has as ints: Lua's arithmetic gives floats."""
    t = writer.page.t
    for target, value in zip(targets, values, strict=False):
        if not isinstance(target, Name) or writer.page.is_own(t.scopes.of_name[target]):
            continue
        if t.kind(value) == "number" and t.whole(value) and _computes(value):
            name = writer.page.t.names.of(target)
            writer.add(f"{name} = int({name})")


def _computes(node: Expression) -> bool:
    """Whether there is arithmetic in an expression."""
    return any(isinstance(n, tree.Binary) and n.operator in "+-*/%^" for n in tree.walk(node))


def _whole(writer: Any, node: Expression) -> str:
    """A value for the native page, an int where it has one."""
    t, text = writer.page.t, str(writer.expressions.value(node))
    whole = t.kind(node) == "number" and t.whole(node) and _computes(node)
    return f"int({text})" if whole else text


def _run(writer: Any, node: tree.Run) -> None:
    call, t = node.call, writer.page.t
    if not (isinstance(call, Call) and t.path(call.callee) == "print"):
        writer.add(writer.expressions.call(call))
        return
    texts = [_printed(writer, argument, argument is call.arguments[-1]) for argument in call.arguments]
    separator = ', sep="\\t"' if len(texts) > 1 or any(text.startswith("*") for text in texts) else ""
    writer.add(f"print({', '.join(texts)}{separator})")


def _printed(writer: Any, node: Expression, last: bool) -> str:
    t, expressions = writer.page.t, writer.expressions
    inner = node
    while isinstance(inner, tree.Paren):
        inner = inner.inner
    if (
        last
        and isinstance(node, (Call, Invoke))
        and t.types.function_called(node)
        and not t.counts.are_all(node)
    ):
        raise Refused
    if isinstance(inner, (Call, Invoke)) and last and node is inner and not expressions.is_single(inner):
        scalars = isinstance(inner, Call) and (t.path(inner.callee) or "").partition(".")[0] in LIBRARIES - {
            "torch"
        }
        if t.kind(inner) == "tensor" or not (scalars or t.kind(inner) in EXCHANGED):
            raise Refused
        return f"*map(lua.G.tostring, lua.multi({expressions.call(inner)}))"
    kind = t.kind(node)
    if kind == "tensor":
        return str(expressions.value(node))
    if kind not in EXCHANGED and not isinstance(inner, tree.Nil):
        raise Refused
    return f"lua.G.tostring({expressions.value(node)})"


def _return(writer: Any, node: tree.Return) -> None:
    if not writer.is_native:
        if writer.scope.function in writer.page.made.values() and len(node.values) == 1:
            writer.add(f"return {_whole(writer, node.values[0])}")
        else:
            WRITERS[tree.Return](writer, node)
        return
    t = writer.page.t
    function = t.scope.function
    if function is None or function in t.training.losses.graph_functions:
        raise Refused
    count = t.counts.written(function)
    if any(not is_exchanged(t, value) for value in node.values) or function in [
        file.function for file in t.project.files
    ]:
        raise Refused
    last = node.values[-1] if node.values else None
    several = isinstance(last, (Call, Invoke)) and not writer.expressions.is_single(last)
    if several and (len(node.values) > 1 or t.calls.gives_two(last) or t.calls.count(last) > 1):
        raise Refused  # as many as there are
    texts = [_whole(writer, value) for value in node.values]
    texts += ["None"] * (count - len(texts))
    writer.add(f"return {', '.join(texts)}" if texts else "return")


def _assign(writer: Any, node: tree.Assign) -> None:
    t = writer.page.t
    places = [
        target
        for target in node.targets
        if isinstance(target, Index) and writer.expressions.is_of_page(target.base)
    ]
    _check_values(writer, node.targets, node.values)
    if any(_is_of_library(t.path(target) or "") for target in node.targets):
        raise Refused  # native statements call Python's and PyTorch's
    if not places:
        WRITERS[tree.Assign](writer, node)
        _make_whole(writer, node.targets, node.values)
        return
    if len(node.targets) != 1 or len(node.values) != 1 or not is_exchanged(t, node.values[0]):
        raise Refused
    target, value = places[0], _whole(writer, node.values[0])
    if elements(t, node.values[0]) == "mask" or isinstance(node.values[0], tree.Nil):
        raise Refused
    if t.assignments.may_append(target):
        writer.add(t.assignments.appended(target, value))
    else:
        writer.add(f"{t.target(target)} = {value}")


def _is_of_library(path: str) -> bool:
    """Whether a function of Lua's or torch's is one for which a page may have another form."""
    known = any(path in rules for rules in (stdlib.functions, stdlib.statements, stdlib.constants))
    return known or path.startswith("torch.") or path in EXCLUDED


PART_WRITERS: dict[type, Any] = {
    **WRITERS,
    tree.Run: _run,
    tree.Return: _return,
    tree.Assign: _assign,
    tree.Local: _local,
    tree.FunctionStatement: _function_statement,
}
