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
    def rewrite(self) -> None:
        for statement, name, function in named_functions(self.program):
            parameter = function.parameters[0] if len(function.parameters) == 1 else None
            if parameter is None or function.vararg:
                continue
            if all(t.match(function.body, SOURCE=parameter, COPIER=name) is None for t in _COPIERS):
                continue
            inside = {node for node in tree.walk(function) if isinstance(node, Name)}
            reads = [read for read in self.scopes.of_name[name].reads if read not in inside]
            receivers = [node.receiver for node in tree.every(self.program, Invoke) if node.method in _AFTER]
            calls = {
                call.callee: call for call in receivers if isinstance(call, Call) and len(call.arguments) == 1
            }
            if reads and all(read in calls for read in reads):
                self.put(statement, "")
                for call in (calls[read] for read in reads):
                    (argument,) = call.arguments
                    text = self.text(argument)
                    self.put(call, f"{text if isinstance(argument, (Name, Index)) else f'({text})'}:clone()")
