"""Copies of a model that a loop makes for each card, added at once."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import (
    Assignment,
    Call,
    Index,
    Invoke,
    Name,
    Statement,
    String,
)

__all__ = ["Copies"]


class Copies(Rewriting):
    """``p = nn.DataParallelTable(1)`` and ``for i = 1, n do p:add(net:clone():cuda(), i) end``"""

    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for block in self.blocks():
            for construction, loop in zip(block.statements, block.statements[1:], strict=False):
                added = _added_in(loop)
                target = _is_parallel(construction)
                if added is None or target is None or not isinstance(loop, tree.NumericFor):
                    continue
                table, copied = added
                same = self.scopes.of_name[table] is self.scopes.of_name[target]
                if not same or self.scopes.of_name[copied] is self.scopes.of_name[target]:
                    continue
                cards = f"torch.range(1, {self.text(loop.stop)}):totable()"
                edits.append((construction.span.end, construction.span.end, f":add({copied.name}, {cards})"))
                edits.append((loop.span.start, loop.span.end, ""))
        self.edited(edits)
        return self.source


def _is_parallel(statement: Statement) -> Name | None:
    """The variable of ``p = nn.DataParallelTable(1)``"""
    if not isinstance(statement, Assignment) or len(statement.values) != 1:
        return None
    value = statement.values[0]
    callee = value.callee if isinstance(value, Call) else None
    named = isinstance(callee, Index) and callee.key_name == "DataParallelTable"
    return (
        statement.targets[0]
        if named and len(statement.targets) == 1 and isinstance(statement.targets[0], Name)
        else None
    )


def _added_in(loop: Statement) -> tuple[Name, Name] | None:
    """What a loop over cards adds to, and the model that it adds copies of."""
    if not isinstance(loop, tree.NumericFor) or loop.step is not None:
        return None
    if not isinstance(loop.start, tree.Number) or loop.start.value != 1:
        return None
    result = None
    for statement in loop.body.statements:
        call = statement.call if isinstance(statement, tree.Run) else None
        if isinstance(call, Call) and isinstance(call.callee, Index) and isinstance(call.callee.key, String):
            if call.callee.key.value != "setDevice":
                return None
        elif (
            isinstance(call, Invoke) and call.method == "add" and len(call.arguments) == 2 and result is None
        ):
            copy, card = call.arguments
            while isinstance(copy, Invoke) and copy.method in ("clone", "cuda") and not copy.arguments:
                copy = copy.receiver
            by_turn = isinstance(card, Name) and card.name == loop.variable.name
            if not by_turn or not isinstance(copy, Name) or not isinstance(call.receiver, Name):
                return None
            result = call.receiver, copy
        else:
            return None
    return result
