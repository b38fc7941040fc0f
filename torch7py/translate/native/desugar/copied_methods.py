"""Objects that get the functions of a table copied, as objects that look them up there.

``for k, v in pairs(methods) do self[k] = v end``: where ``methods`` is a table of nothing but the functions that a file
defines, an object with that table as its ``__index`` is the same. As such it is one of a class.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Assign, Block, Call, Expression, Index, Local, Name, Statement

__all__ = ["CopiedMethods"]

_WHOLES = ("pairs", "ipairs", "next", "rawget", "rawset", "setmetatable", "getmetatable", "unpack")


class CopiedMethods(Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for block in self.blocks():
            for at, statement in enumerate(block.statements):
                copied = self._copy(statement)
                construction = self._object_table(block, at, copied[1]) if copied is not None else None
                if copied is None or construction is None or not self._is_of_functions(copied[0]):
                    continue
                methods, _ = copied
                edits.append((statement.span.start, statement.span.end, ""))
                text = f"setmetatable({self.text(construction)}, {{__index = {methods.name}}})"
                edits.append((construction.span.start, construction.span.end, text))
        self.edited(edits)
        return self.source

    def _copy(self, statement: Statement) -> tuple[Variable, Variable] | None:
        """The table whose entries a loop copies, and the variable of the object that gets them."""
        if not isinstance(statement, tree.GenericFor) or len(statement.names) != 2:
            return None
        call, body = statement.values[0], statement.body.statements
        if not isinstance(call, Call) or not self._calls(call, ("pairs",)) or len(body) != 1:
            return None
        (store,), source = body, self._variable(call.arguments[0] if call.arguments else None)
        if not isinstance(store, Assign) or len(store.targets) != 1 or len(store.values) != 1:
            return None
        target, value = store.targets[0], store.values[0]
        if not isinstance(target, Index):
            return None
        key, entry = (self.scopes.of_name[name] for name in statement.names)
        into = self._variable(target.base)
        if self._variable(target.key) is not key or self._variable(value) is not entry:
            return None
        return (source, into) if source is not None and into is not None and source is not into else None

    def _object_table(self, block: Block, at: int, of: Variable) -> tree.Table | None:
        """The table that an object is made of, in the same block, where it is not looked at before the loop."""
        if of.writes:
            return None
        for earlier in reversed(block.statements[:at]):
            if isinstance(earlier, Local) and len(earlier.names) == len(earlier.values) == 1:
                value = earlier.values[0]
                if self.scopes.of_name[earlier.names[0]] is of:
                    return value if isinstance(value, tree.Table) and not value.fields else None
            if any(self._variable(node) is of for node in tree.walk(earlier) if isinstance(node, Name)):
                return None
        return None

    def _is_of_functions(self, methods: Variable) -> bool:
        """Whether a table holds what ``function methods.name() end`` puts into it, in its file, and nothing else."""
        statements = self.program.statements
        defined, starts_empty = set(), False
        for statement in statements:
            if isinstance(statement, tree.FunctionStatement) and isinstance(statement.target, Index):
                defined.add(statement.target)
            elif isinstance(statement, (Local, Assign)) and len(statement.values) == 1:
                targets = statement.names if isinstance(statement, Local) else statement.targets
                value = statement.values[0]
                if len(targets) == 1 and self._variable(targets[0]) is methods:
                    starts_empty = isinstance(value, tree.Table) and not value.fields
        if not starts_empty or len(methods.writes) != methods.is_global:
            return False
        nodes = list(tree.walk(self.program))
        stored = {target for node in nodes if isinstance(node, Assign) for target in node.targets}
        stored |= {node.target for node in nodes if isinstance(node, tree.FunctionStatement)}
        for index in (node for node in nodes if isinstance(node, Index)):
            if self._variable(index.base) is methods and index in stored - defined:
                return False
        # an object that is gone through would show its methods
        traversals = [node for node in nodes if isinstance(node, Call) and self._calls(node, _WHOLES)]
        gone_through = [call.arguments[0] for call in traversals if call.arguments]
        return not any(isinstance(node, Name) and node.name == "self" for node in gone_through)

    def _calls(self, call: Call, names: tuple[str, ...]) -> bool:
        callee = call.callee
        return isinstance(callee, Name) and callee.name in names and self.scopes.of_name[callee].is_global

    def _variable(self, node: Expression | None) -> Variable | None:
        return self.scopes.of_name[node] if isinstance(node, Name) else None
