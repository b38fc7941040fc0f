"""Methods that a program gives to strings, as functions: ``function string:trim() ... end`` and ``line:trim()``.

That a call is one of these is told by its name, where nothing else has a method of that name; of one that tensors or
Lua's own strings have as well, by a text that is written out as its first argument.
"""

from __future__ import annotations

from torch7py.translate import page_library, tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import Index, Invoke, Name, String

__all__ = ["StringMethods"]


class StringMethods(Rewriting):
    """``function string:name(...)``, ``function string.name(s, ...)``"""

    def written(self) -> bytes:
        definitions = self._definitions()
        if not definitions:
            return self.source
        names = {name: self.fresh(f"string_{name}") for name in definitions}
        edits: list[tuple[int, int, str]] = []
        for name, statement in definitions.items():
            target = statement.target
            edits.append((target.span.start, target.span.end, names[name]))
            if statement.method:
                at = self.source.index(b"(", target.span.end) + 1
                edits.append((at, at, "self, " if len(statement.function.parameters) > 1 else "self"))
        targets = {statement.target for statement in definitions.values()}
        edits += [
            (node.span.start, node.span.end, names[self._of_string(node)])
            for node in tree.every(self.program, Index)
            if node not in targets and self._of_string(node) in names
        ]
        calls = [node for node in tree.every(self.program, Invoke) if node.method in names]
        inner = {n for node in calls for n in tree.walk(node.receiver) if n in calls}
        if inner:
            return self.source
        for call in calls:
            if self._is_of_text(call):
                edits += self._edits(call, names[call.method])
        self.edited(edits)
        return self.source

    def _edits(self, call: Invoke, name: str) -> list[tuple[int, int, str]]:
        start, receiver = call.span.start, call.receiver.span
        if not call.arguments:
            return [(start, start, f"{name}("), (receiver.end, call.span.end, ")")]
        first, last = call.arguments[0].span, call.arguments[-1].span
        return [(start, start, f"{name}("), (receiver.end, first.start, ", "), (last.end, call.span.end, ")")]

    def _definitions(self) -> dict[str, tree.FunctionStatement]:
        """The functions that a program puts among those of strings, where it has one of each name."""
        found: dict[str, tree.FunctionStatement] = {}
        for statement in tree.every(self.program, tree.FunctionStatement):
            name = self._of_string(statement.target)
            if name in found:
                return {}
            if name:
                found[name] = statement
        targets = [target for node in tree.every(self.program, tree.Assign) for target in node.targets]
        return {} if any(self._of_string(target) for target in targets) else found

    def _of_string(self, node: tree.Node) -> str:
        """The name in ``string.name``; nothing of another expression."""
        if not (isinstance(node, Index) and node.dotted and isinstance(node.key, String)):
            return ""
        is_string = isinstance(node.base, Name) and self.scopes.is_global(node.base, "string")
        return node.key.value if is_string else ""

    def _is_of_text(self, call: Invoke) -> bool:
        others = page_library.methods_of("tensor") | page_library.methods_of("text")
        methods = {
            statement.target.key.value
            for statement in tree.every(self.program, tree.FunctionStatement)
            if isinstance(statement.target, Index)
            and isinstance(statement.target.key, String)
            and not self._of_string(statement.target)
        }
        if call.method not in others | page_library.object_methods() | methods:
            return True
        return bool(call.arguments) and isinstance(call.arguments[0], String)
