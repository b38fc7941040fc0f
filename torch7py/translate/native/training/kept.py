"""Outputs of modules that a program reads when a later call has overwritten them.

A Torch7 module writes its output into the same tensor at every call; in PyTorch each call gives a new one. The two are
the same where what is kept of a call is a copy, or is not read after the next call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native.gradients import base_name
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.training.explicit import Explicit

__all__ = ["Kept"]


class Kept:
    def __init__(self, explicit: Explicit) -> None:
        self.explicit, self.t, self.flow = explicit, explicit.t, explicit.flow
        self.overwritten: set[Expression] = set()  # forwards whose outputs are

    def find(self) -> None:
        calls = self.explicit.calls
        for node, statement in self.flow.statement_of.items():
            if not isinstance(node, (Call, Invoke)) or not calls.is_forward(node):
                continue
            module = calls.module(node)
            if not self.explicit.may_take(self.explicit.training.places.owner[statement]):
                continue
            if calls.is_one_of_several(module) or calls.keeps_steps(module) or base_name(module) is None:
                continue
            target = self._stored(statement, node)
            if isinstance(target, Name):
                late = self._read_late(node, statement, target)
            else:
                late = target is not None and self._kept_each_turn(statement, target, module)
            if late:
                self.overwritten.add(node)

    def _stored(self, statement: Statement, node: Expression) -> Expression | None:
        """The variable, or the entry of a table, that an output is kept in as it is."""
        if isinstance(statement, tree.Run) and isinstance(statement.call, Call):
            call = statement.call
            if self.t.path(call.callee) == "table.insert" and call.arguments and call.arguments[-1] is node:
                return Index(call.place, call.arguments[0], call.arguments[0], False)
        return self.explicit.calls.holds(statement, node)

    def _declared_outside(self, name: Name | None, loop: Statement) -> bool:
        if name is None:
            return True
        variable = self.t.scopes.of_name[name]
        at = variable.declaration
        return at is None or not loop.place.start <= at.place.start < loop.place.end

    def _kept_each_turn(self, statement: Statement, target: Expression, module: Expression) -> bool:
        """Whether a loop keeps the outputs of one module in a table."""
        loops = self.flow.loops(statement)
        if not loops or not isinstance(target, Index) or self.t.kind(target.base) != "table":
            return False
        outside = self._declared_outside(base_name(module), loops[-1])
        if isinstance(target.key, (tree.String, tree.Number)):
            return False
        kept = outside and self._declared_outside(base_name(target), loops[-1])
        return kept and self.flow.read_in_other_turns(statement, target)

    def _read_late(self, node: Call | Invoke, statement: Statement, target: Name) -> bool:
        """Whether a variable that has an output is read after another call of its module."""
        module = self.explicit.calls.module(node)
        others = [o for o in self.explicit.calls.all_of(module) if o is not node]
        variable = self.t.scopes.of_name[target]
        if any(self._is_after(node, o, read, variable) for read in variable.reads for o in others):
            return True
        here = self.explicit.training.places.owner[statement]
        for read in variable.reads:
            at = self.flow.statement(read)
            if self.explicit.training.places.owner[at] is not here or read.place.start < node.place.end:
                continue
            if self.flow.runs(module, node, read) and not self.flow.assigned(target, node, read):
                return True
        return self._carried(node, statement, variable)

    def _is_after(self, node: Expression, other: Expression, read: Name, variable: Variable) -> bool:
        """Whether another call surely or possibly comes between one and a place where its output is read."""
        owner = self.explicit.training.places.owner
        first, later, last = (self.flow.statement(n) for n in (node, other, read))
        if not owner[first] is owner[later] is owner[last]:
            return False
        if other.place.start < node.place.end or self.flow.exclusive(first, later):
            return False
        inner = [loop for loop in self.flow.loops(last) if loop not in self.flow.loops(first)]
        again = bool(inner) and inner[0] in self.flow.around(later)
        if not again and not other.place.end <= read.place.start:
            return False
        return not self._given_anew(node, read, variable)

    def _given_anew(self, node: Expression, read: Name, variable: Variable) -> bool:
        """Whether a variable surely has something else by the time that it is read."""
        for write in variable.writes:
            if node.place.end <= write.place.start < read.place.start and self.flow.precedes(
                self.flow.statement(write), self.flow.statement(read)
            ):
                return True
        return False

    def _carried(self, node: Expression, statement: Statement, variable: Variable) -> bool:
        """Whether a turn of a loop leaves its output, uncopied, for the next one, which reads it after its own call."""
        loops = self.flow.loops(statement)
        if not loops:
            return False
        for other in self.flow.block_of:
            if not isinstance(other, tree.Assign) or loops[-1] not in self.flow.around(other):
                continue
            for target, value in zip(other.targets, other.values, strict=False):
                if not (isinstance(target, Name) and isinstance(value, Name)):
                    continue
                if self.t.scopes.of_name[value] is not variable or not self._declared_outside(
                    target, loops[-1]
                ):
                    continue
                for read in self.t.scopes.of_name[target].reads:
                    if node.place.end <= read.place.start < other.place.start:
                        return True
        return False
