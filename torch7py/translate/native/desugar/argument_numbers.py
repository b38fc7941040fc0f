"""``tonumber(arg[1] or 2)`` is ``(tonumber(arg[1]) or 2)``, which is a number whatever the program is given."""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import Binary, Call, Expression, Index

__all__ = ["ARGUMENT_NUMBERS", "ArgumentNumbers"]

ARGUMENT_NUMBERS = re.compile(rb"\btonumber\s*\(\s*arg\s*\[[^\]\n]*\]\s*or\b")


class ArgumentNumbers(Rewriting):
    def rewrite(self) -> None:
        for call in tree.every(self.program, Call):
            if not self.scopes.is_global(call.callee, "tonumber") or len(call.arguments) != 1:
                continue
            choice = call.arguments[0]
            if isinstance(choice, Binary) and choice.operator == "or" and self._is_argument(choice.left):
                number = _numeral(choice.right)
                if number is not None:
                    self.put_between(call.span.start, call.span.start, "(")
                    self.put_between(choice.left.span.end, choice.right.span.start, ") or ")
                    self.put_between(choice.right.span.start, choice.right.span.end, number)

    def _is_argument(self, node: Expression) -> bool:
        return isinstance(node, Index) and self.scopes.is_global(node.base, "arg")


def _numeral(node: Expression) -> str | None:
    """A number as it is written, or one that a text says."""
    if isinstance(node, tree.Number):
        return node.text
    return node.value if isinstance(node, tree.String) and re.fullmatch(r"[0-9]+", node.value) else None
