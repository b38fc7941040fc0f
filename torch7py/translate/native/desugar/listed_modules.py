"""``for _, m in ipairs(net:listModules()) do ... end`` as ``net:apply(function(m) ... end)``, which does the same."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import Call, GenericFor, Invoke, Name

__all__ = ["ListedModules"]


class ListedModules(Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for loop in tree.every(self.program, GenericFor):
            module = self._of(loop)
            body = loop.body.statements
            if module is None or not body:
                continue
            start = self.source.rindex(b"do", loop.span.start, body[0].span.start)
            header = f"{self.text(module)}:apply(function({loop.names[1].name})"
            edits.append((loop.span.start, start + len("do"), header))
            edits.append((loop.span.end, loop.span.end, ")"))
        self.edited(edits)
        return self.source

    def _of(self, loop: GenericFor) -> tree.Expression | None:
        """The module of all of whose modules a loop is, which goes through the whole list and needs no places."""
        call = loop.values[0] if len(loop.values) == 1 and len(loop.names) == 2 else None
        if not isinstance(call, Call) or not isinstance(call.callee, Name) or len(call.arguments) != 1:
            return None
        listed = call.arguments[0]
        if call.callee.name not in ("ipairs", "pairs") or self.scopes.of_name[loop.names[0]].reads:
            return None
        if not isinstance(listed, Invoke) or listed.method != "listModules" or listed.arguments:
            return None
        leaves = (tree.Return, tree.Break, tree.Goto)
        return None if any(isinstance(n, leaves) for n in tree.walk(loop.body)) else listed.receiver
