"""Loops over all fields of a value that only do something to those with certain names.

``for name, field in pairs(m) do if name == 'output' or name == 'gradInput' then ... end end`` asks for these fields
alone: what other fields a module has, which a page's need not have, is of no account.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.quoting import lua_quoted
from torch7py.translate.templates import Template
from torch7py.translate.tree import Binary, Call, Expression, Name, String
from torch7py.translate.tree_queries import bare

__all__ = ["NamedFields"]


_PAIRS = Template("return pairs(TABLE)")


class NamedFields(Rewriting):
    """``for k, v in pairs(t) do if k == 'x' then ... end end``"""

    def rewrite(self) -> None:
        for loop in tree.every(self.program, tree.GenericFor):
            names = self._names(loop)
            if names:
                self._write(loop, names)

    def _write(self, loop: tree.GenericFor, names: dict[str, None]) -> None:
        (call,) = loop.values
        assert isinstance(call, Call)
        key, value = loop.names[0].name, loop.names[1].name if len(loop.names) > 1 else self.fresh("field")
        first, last = loop.body.statements[0].span.start, loop.body.statements[-1].span.end
        start = f"local {value} = {self.text(call.arguments[0])}[{key}] if {value} ~= nil then "
        self.put_between(loop.names[0].span.start, loop.names[-1].span.end, f"_, {key}")
        self.put(call, f"ipairs({{{', '.join(map(lua_quoted, names))}}})")
        self.put_between(first, first, start)
        self.put_between(last, last, " end")

    def _names(self, loop: tree.GenericFor) -> dict[str, None]:
        """The names of the fields to which a loop does something; nothing where these are not told."""
        parts = _PAIRS.match(loop.values[0]) if len(loop.values) == 1 else None
        table = self.variable(parts["TABLE"]) if parts is not None else None
        if table is None or table.writes:
            return {}
        key = self.scopes.of_name[loop.names[0]]
        if key.writes or table.name in {name.name for name in loop.names}:
            return {}
        names: dict[str, None] = {}
        for statement in loop.body.statements:
            if not isinstance(statement, tree.If) or statement.otherwise is not None:
                return {}
            for condition, _ in statement.branches:
                wanted = self._wanted(condition, loop.names[0])
                if not wanted:
                    return {}
                names |= dict.fromkeys(wanted)
        return names

    def _wanted(self, condition: Expression, key: Name) -> list[str]:
        """The names of which a condition is true at most."""
        condition = bare(condition)
        if not isinstance(condition, Binary):
            return []
        if condition.operator == "==":
            for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
                if self.variable(one) is self.variable(key) and isinstance(other, String):
                    return [other.value]
            return []
        left, right = self._wanted(condition.left, key), self._wanted(condition.right, key)
        if condition.operator == "or":
            return [*left, *right] if left and right else []
        return (left or right) if condition.operator == "and" else []
