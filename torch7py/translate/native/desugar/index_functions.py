"""A table whose metatable has a function for what it lacks, as a table beside a function."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import (
    Assign,
    Block,
    Call,
    Expression,
    Index,
    Invoke,
    Name,
    Statement,
    String,
)

__all__ = ["Indexed"]


class Indexed(Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for block in self.blocks():
            for statement in block.statements:
                getter = _is_indexed(statement)
                if getter is not None:
                    edits += self._of(block, statement, *getter)
        self.edited(edits)
        return self.source

    def _of(
        self, block: Block, statement: Statement, table: Name, function: tree.Function
    ) -> list[tuple[int, int, str]]:
        """``data[i]`` as a call of the function."""
        variable = self.scopes.of_name[table]
        nodes = list(tree.walk(self.program))
        items = [
            node
            for node in nodes
            if isinstance(node, Index) and isinstance(node.base, Name) and not isinstance(node.key, String)
            if self.scopes.of_name[node.base] is variable
        ]
        stored = {x for node in nodes if isinstance(node, Assign) for x in node.targets}
        known: set[Expression] = {table}
        for node in nodes:
            if isinstance(node, Index) and node not in items:
                known.add(node.base)
            elif isinstance(node, Invoke):
                known.add(node.receiver)
        inside = {node for node in tree.walk(block) if isinstance(node, Name)}
        reads = set(variable.reads) - self._looped_over_before(statement)
        late = all(item.span.start > statement.span.end for item in items)
        if not items or stored & set(items) or reads - known - {item.base for item in items} or not late:
            return []
        if not inside.issuperset({item.base for item in items}):
            return []
        name = self.fresh(f"{table.name}_item")
        opening = self.source.index(b"(", function.span.start)
        kind = "function" if variable.is_global else "local function"
        edits = [
            (statement.span.start, opening, f"{kind} {name}"),
            (function.span.end, statement.span.end, ""),
        ]
        edits += [
            (item.span.start, item.span.end, f"{name}({table.name}, {self.text(item.key)})") for item in items
        ]
        return edits

    def _looped_over_before(self, statement: Statement) -> set[Name]:
        """The tables of ``for _, set in ipairs{train, test} do ... end``, where that comes before a statement."""
        tables: set[Name] = set()
        for loop in tree.every(self.program, tree.GenericFor):
            call = loop.values[0]
            listed = call.arguments[0] if isinstance(call, Call) and len(call.arguments) == 1 else None
            if isinstance(listed, tree.Table) and loop.span.end < statement.span.start:
                tables |= {item.value for item in listed.fields if isinstance(item.value, Name)}
        return tables


def _is_indexed(statement: Statement) -> tuple[Name, tree.Function] | None:
    """``setmetatable(data, {__index = function(t, i) ... end})``"""
    call = statement.call if isinstance(statement, tree.Run) else None
    if not isinstance(call, Call) or not isinstance(call.callee, Name) or call.callee.name != "setmetatable":
        return None
    if len(call.arguments) != 2:
        return None
    table, metatable = call.arguments
    if not isinstance(table, Name) or not isinstance(metatable, tree.Table) or len(metatable.fields) != 1:
        return None
    (only,) = metatable.fields
    value = only.value
    named = isinstance(only.key, String) and only.key.value == "__index"
    if not named or not isinstance(value, tree.Function) or len(value.parameters) != 2 or value.vararg:
        return None
    return table, value
