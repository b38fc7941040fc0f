"""``tablex.insertvalues(list, values)`` of Penlight's, as the loop that it is."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import Assign, Call, Index, Local, Name, String
from torch7py.translate.tree_queries import targets
from torch7py.translate.usage import required

__all__ = ["InsertedValues"]


class InsertedValues(Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for statement in tree.every(self.program, tree.Run):
            call = statement.call
            if isinstance(call, Call) and self._inserts(call) and isinstance(call.arguments[0], Name):
                table, values = map(self.text, call.arguments)
                loop = f"for _, inserted in ipairs({values}) do table.insert({table}, inserted) end"
                edits.append((statement.span.start, statement.span.end, loop))
        self.edited(edits)
        return self.source

    def _inserts(self, call: Call) -> bool:
        """Whether a call is of the function, without a place at which the values are to go."""
        callee = call.callee
        if not isinstance(callee, Index) or not isinstance(callee.base, Name) or len(call.arguments) != 2:
            return False
        if not isinstance(callee.key, String) or callee.key.value != "insertvalues":
            return False
        variable = self.scopes.of_name[callee.base]
        values = [
            value
            for s in tree.those(self.program, Local, Assign)
            if isinstance(s, (Local, Assign))
            for target, value in zip(targets(s), s.values, strict=False)
            if isinstance(target, Name) and self.scopes.of_name[target] is variable
        ]
        return bool(values) and all(required(value) == "pl.tablex" for value in values)
