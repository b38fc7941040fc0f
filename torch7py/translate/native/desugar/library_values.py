"""Functions of Lua's libraries that are handed to others, ``map(tonumber, list)``: each is a function that calls it.

So what it takes and gives is inferred as for any function of the program. A mere other name, ``local insert =
table.insert``, stays as it is, as do functions that are compared or asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from torch7py.translate import tree, tree_queries
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, String

__all__ = ["HANDED_ON", "LibraryValues"]

# Their parameters; "..." where it matters how many are given.
_PARAMETERS = {
    "io.write": "...",
    "paths.basename": "path, ending",
    "paths.dirname": "path",
    "paths.dirp": "path",
    "paths.extname": "path",
    "paths.filep": "path",
    "paths.mkdir": "path",
    "print": "...",
    "string.format": "...",
    "string.len": "text",
    "string.lower": "text",
    "string.rep": "text, count",
    "string.reverse": "text",
    "string.sub": "...",
    "string.upper": "text",
    "table.concat": "...",
    "table.unpack": "...",
    "tonumber": "text, base",
    "torch.isTensor": "value",
    "torch.type": "value",
    "tostring": "value",
    "type": "value",
    "unpack": "...",
}
_GIVING_NOTHING = {"print"}
# Functions of Lua's that ask what a function is.
_ASKING = {"assert", "print", "rawequal", "require", "select", "tostring", "type"}
_NAMES = "|".join(map(re.escape, _PARAMETERS))
HANDED_ON = re.compile(rb"(?:[(,{=]|\breturn)\s*(?:%s)\b(?!\s*[(.:'\"{\[])" % _NAMES.encode())


class LibraryValues(Rewriting):
    def rewrite(self) -> None:
        for value in self._handed_on():
            text = self._function(value)
            if text is not None:
                self.put(value, text)

    def _handed_on(self) -> Iterator[Expression]:
        """Values of which a program, or a function that is given them, makes what it likes."""
        for node in tree.walk(self.program):
            if isinstance(node, Invoke):
                yield from node.arguments
            elif isinstance(node, Call):
                if not (isinstance(node.callee, Name) and node.callee.name in _ASKING):
                    yield from node.arguments
            elif isinstance(node, tree.Table):
                yield from (field.value for field in node.fields)
            elif isinstance(node, tree.Return):
                yield from node.values
            elif isinstance(node, tree.Assignment):
                targets = tree_queries.targets(node)
                for target, value in zip(targets, node.values, strict=False):
                    if not isinstance(target, Name) or not self._is_called_alone(target):
                        yield value

    def _is_called_alone(self, name: Name) -> bool:
        """Whether all that is done with a variable is to call it: it is another name then."""
        return self._callees.issuperset(self.scopes.of_name[name].reads)

    @cached_property
    def _callees(self) -> set[Expression]:
        return {call.callee for call in tree.every(self.program, Call)}

    def _function(self, value: Expression) -> str | None:
        """``function(value) return tostring(value) end``"""
        first = value.base if isinstance(value, Index) else value
        if not isinstance(first, Name) or (isinstance(value, Index) and not isinstance(value.key, String)):
            return None
        variable = self.scopes.of_name[first]
        name = self.text(value)
        if name not in _PARAMETERS or not variable.is_global or variable.writes:
            return None
        parameters = _PARAMETERS[name]
        gives = "" if name in _GIVING_NOTHING else "return "
        return f"function({parameters}) {gives}{name}({parameters}) end"
