"""``net:__tostring()`` is ``tostring(net)``."""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Invoke

__all__ = ["TEXT_METHODS", "TextMethods"]

TEXT_METHODS = re.compile(rb":\s*__tostring\s*\(\s*\)")


class TextMethods(Rewriting):
    def written(self) -> bytes:
        # A method of that name in a table of the program's need not be what ``tostring`` calls.
        has_own = b"__tostring" in TEXT_METHODS.sub(b"", self.source)
        if has_own or any(v.writes or not v.is_global for v in self._functions()):
            return self.source
        edits: list[tuple[int, int, str]] = []
        for call in tree.every(self.program, Invoke):
            if call.method == "__tostring" and not call.arguments:
                edits.append((call.receiver.span.start, call.receiver.span.start, "tostring("))
                edits.append((call.receiver.span.end, call.span.end, ")"))
        self.edited(edits)
        return self.source

    def _functions(self) -> list[Variable]:
        """The variables that are called as the function is."""
        return [variable for variable in self.scopes.of_name.values() if variable.name == "tostring"]
