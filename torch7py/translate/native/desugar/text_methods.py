"""``net:__tostring()`` is ``tostring(net)``, and ``tostring(torch.type(net))`` is a text by itself."""

from __future__ import annotations

import re
from typing import TypeGuard

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke

__all__ = ["TEXT_METHODS", "TextMethods"]

_METHOD = re.compile(rb":\s*__tostring\s*\(\s*\)")
TEXT_METHODS = re.compile(_METHOD.pattern + rb"|\btostring\s*\(\s*torch\s*\.\s*type\b")


class TextMethods(Rewriting):
    def rewrite(self) -> None:
        if any(v.writes or not v.is_global for v in self._functions()):
            return
        # A method of that name in a table of the program's need not be what ``tostring`` calls.
        has_own = b"__tostring" in _METHOD.sub(b"", self.source)
        for call in tree.those(self.program, Invoke, Call):
            if isinstance(call, Call) and self.scopes.is_global(call.callee, "tostring"):
                inner = call.arguments[0] if len(call.arguments) == 1 else None
                if self._is_type(inner):
                    self.put_between(call.span.start, inner.span.start, "")
                    self.put_between(inner.span.end, call.span.end, "")
            elif isinstance(call, Invoke) and call.method == "__tostring" and not (call.arguments or has_own):
                self.put_between(call.receiver.span.start, call.receiver.span.start, "tostring(")
                self.put_between(call.receiver.span.end, call.span.end, ")")

    def _is_type(self, node: Expression | None) -> TypeGuard[Call]:
        """``torch.type(x)``"""
        if not isinstance(node, Call) or len(node.arguments) != 1 or not isinstance(node.callee, Index):
            return False
        return node.callee.key_name == "type" and self.scopes.is_global(node.callee.base, "torch")

    def _functions(self) -> list[Variable]:
        """The variables that are called as the function is."""
        return [variable for variable in self.scopes.of_name.values() if variable.name == "tostring"]
