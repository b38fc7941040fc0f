"""Functions that copy a module field by field, before it is converted and saved, as ``clone``.

Such a copy has the original's tensors until it is converted to another type, and is only ever saved: so a conversion or
``clearState`` must follow the call.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.templates import Template
from torch7py.translate.tree import Call, Index, Invoke, Name
from torch7py.translate.tree_queries import named_functions

__all__ = ["DeepCopies"]

_AFTER = ("float", "double", "clearState")
_COPIERS = [
    Template(
        f"""
local COPY = {{}}
for KEY, FIELD in pairs(SOURCE) do
   if type(FIELD) == 'table' then
      COPY[KEY] = COPIER(FIELD)
   else
      COPY[KEY] = FIELD
   end
end
if torch.{asked}(SOURCE) then
   torch.setmetatable(COPY, torch.{asked}(SOURCE))
end
return COPY
"""
    )
    for asked in ("typename", "type")
]


class DeepCopies(Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for statement, name, function in named_functions(self.program):
            parameter = function.parameters[0] if len(function.parameters) == 1 else None
            if parameter is None or function.vararg:
                continue
            if all(t.match(function.body, SOURCE=parameter, COPIER=name) is None for t in _COPIERS):
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
