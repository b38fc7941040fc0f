"""Options with a whole default that are for any number, as what the program does with them tells."""

from __future__ import annotations

import re
from collections.abc import Callable

from torch7py.ops.registry import operations
from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import Type
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, String

__all__ = ["RealOptions"]

_REAL = re.compile(
    "rate|^lr|decay|dropout|momentum|^eps|noise|std|^alpha|^beta|^gamma|^lambda|clip|temperature|scale|coef|reg"
    "|threshold",
    re.IGNORECASE,
)
_ANY_NUMBER, _WHOLE = {"real", "number"}, {"int", "index", "sizes"}  # kinds of an operation's parameters
_SHOWN = ("print", "tostring", "assert", "io.write", "type")


class RealOptions:
    """``is_real(name)``: by its name, or by where its value goes.

    That is followed through variables, fields and parameters. It is one for any number where it is a factor of what
    is not whole, or is given where a layer or an operation takes any number, and is nowhere used but so, compared,
    tested or shown: a batch's size is a factor of losses as well.
    """

    def __init__(self, t: Known, is_whole: Callable[[Expression], bool]) -> None:
        self.t, self.is_whole = t, is_whole
        self._known: dict[str, bool] = {}
        self._built = False

    def is_real(self, name: str) -> bool:
        if _REAL.search(name):
            return True
        if name not in self._known:
            self._known[name] = False  # while it is worked out
            self._known[name] = self._is_used_as_real(name)
        return self._known[name]

    def _build(self) -> None:
        """Where each expression stands, and what reads each field and variable."""
        self._built = True
        self._parent: dict[tree.Node | tree.Block, tree.Node | tree.Block] = {}
        self._fields: dict[str, list[Index]] = {}
        self._names: dict[Variable, list[Name]] = {}
        for node in tree.walk(self.t.program):
            for child in tree.children(node):
                self._parent[child] = node
            if isinstance(node, Index) and isinstance(node.key, String):
                self._fields.setdefault(node.key.value, []).append(node)
            elif isinstance(node, Name):
                self._names.setdefault(self.t.scopes.of_name[node], []).append(node)

    def _is_used_as_real(self, name: str) -> bool:
        if not self._built:
            self._build()
        waiting: list[Expression] = [
            node for node in self._fields.get(name, ()) if self.t.type(node.base).has("options")
        ]
        seen: set[Expression] = set()
        real = False
        while waiting:
            use = waiting.pop()
            if use in seen:
                continue
            seen.add(use)
            verdict = self._verdict(use, waiting)
            if verdict is None:
                return False
            real = real or verdict
        return real

    def _verdict(self, use: Expression, waiting: list[Expression]) -> bool | None:
        """Whether a use is one of any number, or says nothing (False); None where it is or may be one of another."""
        node = self._parent.get(use)
        if isinstance(node, tree.Paren) or (isinstance(node, Binary) and node.operator in ("and", "or")):
            waiting.append(node)
            return False
        if isinstance(node, Binary):
            if node.operator == "%":
                return None
            other = node.right if node.left is use else node.left
            return node.operator in ("*", "/") and not self.is_whole(other)
        if isinstance(node, tree.Unary):
            return None if node.operator == "#" else False
        if isinstance(node, tree.Field):
            return self._in_table(node, waiting)
        if isinstance(node, tree.Assignment):
            return self._assigned(node, use, waiting)
        if isinstance(node, (Call, Invoke)):
            return self._given(node, use, waiting)
        return False if isinstance(node, (tree.If, tree.While, tree.Repeat)) else None

    def _in_table(self, item: tree.Field, waiting: list[Expression]) -> bool | None:
        if not isinstance(item.key, String):
            return None
        table = self._parent[item]
        assert isinstance(table, tree.Table)
        return self._into_field(item.key.value, self.t.type(table), waiting)

    def _into_field(self, name: str, of: Type, waiting: list[Expression]) -> bool:
        waiting += [n for n in self._fields.get(name, ()) if self.t.type(n.base).find() is of.find()]
        return _REAL.search(name) is not None

    def _assigned(self, node: tree.Assignment, use: Expression, waiting: list[Expression]) -> bool | None:
        if use in node.targets:
            return False
        target = node.targets[node.values.index(use)] if len(node.targets) == len(node.values) else None
        if isinstance(target, Name):
            waiting += [n for n in self._names.get(self.t.scopes.of_name[target], ()) if n is not target]
            return False
        if isinstance(target, Index) and isinstance(target.key, String):
            return self._into_field(target.key.value, self.t.type(target.base), waiting)
        return None

    def _given(self, node: Call | Invoke, use: Expression, waiting: list[Expression]) -> bool | None:
        if use not in node.arguments:
            return None
        at = node.arguments.index(use)
        functions = self.t.types.function_called(node)
        for function in functions:
            for parameter, argument in self.t.types.bound_arguments(function, node):
                if argument is use:
                    waiting += self._names.get(self.t.scopes.of_name[parameter], ())
        if functions:
            return False
        if isinstance(node, Call):
            path = self.t.path(node.callee) or ""
            if path in _SHOWN or path == "string.format":
                return False
            types = facts.argument_types(path, at)
            return True if "float" in types and "int" not in types else None
        if node.method == "format" and self.t.kind(node.receiver) == "string":
            return False
        if self.t.kind(node.receiver) != "tensor" or node.method not in operations:
            return None
        kinds = {
            case.parameters[at + 1].kind
            for case in operations[node.method].cases
            if len(case.parameters) > max(at + 1, len(node.arguments))
        }
        return True if kinds & _ANY_NUMBER and not kinds & _WHOLE else None
