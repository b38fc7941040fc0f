"""Copies of a model that a loop makes for each GPU, added at once."""

from __future__ import annotations

from dataclasses import replace

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.templates import Template
from torch7py.translate.tree import Assignment, Call, Expression, Index, Invoke, Statement

__all__ = ["Copies"]

_ADDING = Template("for DEVICE = 1, DEVICES do PARALLEL:add(COPY, DEVICE) end")


class Copies(Rewriting):
    """``p = nn.DataParallelTable(1)`` and ``for i = 1, n do p:add(net:clone():cuda(), i) end``"""

    def rewrite(self) -> None:
        for block in self.blocks():
            for construction, loop in zip(block.statements, block.statements[1:], strict=False):
                parts = _added_in(loop)
                parallel = self.variable(_parallel(construction))
                if parts is None or parallel is None or self.variable(parts["PARALLEL"]) is not parallel:
                    continue
                copy = parts["COPY"]
                while isinstance(copy, Invoke) and copy.method in ("clone", "cuda") and not copy.arguments:
                    copy = copy.receiver
                if self.variable(copy) not in (parallel, None):
                    devices = f"torch.range(1, {self.text(parts['DEVICES'])}):totable()"
                    end = construction.span.end
                    self.put_between(end, end, f":add({self.text(copy)}, {devices})")
                    self.put(loop, "")


def _parallel(statement: Statement) -> Expression | None:
    """The variable of ``p = nn.DataParallelTable(1)``"""
    if not isinstance(statement, Assignment) or not len(statement.targets) == len(statement.values) == 1:
        return None
    value = statement.values[0]
    callee = value.callee if isinstance(value, Call) else None
    named = isinstance(callee, Index) and callee.key_name == "DataParallelTable"
    return statement.targets[0] if named else None


def _added_in(loop: Statement) -> dict[str, Expression] | None:
    """What a loop over devices adds to, and what it adds."""
    if not isinstance(loop, tree.NumericFor):
        return None
    kept = tuple(statement for statement in loop.body.statements if not _sets_device(statement))
    return _ADDING.match(replace(loop, body=tree.Block(kept, None, ())))


def _sets_device(statement: Statement) -> bool:
    callee = (
        statement.call.callee
        if isinstance(statement, tree.Run) and isinstance(statement.call, Call)
        else None
    )
    return isinstance(callee, Index) and callee.key_name == "setDevice"
