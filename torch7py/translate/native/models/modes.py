"""The mode of layers that a program writes itself, before ``training()`` or ``evaluate()`` have set it.

In Torch7 ``self.train`` is nil until then, unless the constructor sets it; in PyTorch ``self.training`` is True. Where
a program may run such a layer before, it begins in the page with what gives Torch7's answer to the program's tests.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import FORWARD
from torch7py.translate.kinds import LuaClass, Type, all_parts
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement, String

__all__ = ["Modes"]

_Key = Variable | str  # of a module: the variable, or the field, that has it
_SET = {"training", "evaluate"}


class _Unset(Exception):
    """Something is reached that needs a layer's mode, and nothing has set that."""


class Modes:
    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self._known: dict[LuaClass, list[str]] = {}
        self._family: list[LuaClass] = []  # whose runs are looked for
        self._read: Index | None = None  # or the read that is
        self._after: dict[tuple[tree.Function, frozenset[_Key]], frozenset[_Key]] = {}

    def lines(self, lua_class: LuaClass) -> list[str]:
        """Lines for the constructor of a class of layers: its mode at the beginning."""
        if lua_class.instance.kind != "module" or lua_class.base is not None:
            return []
        if lua_class not in self._known:
            self._known[lua_class] = self._lines(lua_class)
        return self._known[lua_class]

    def _lines(self, lua_class: LuaClass) -> list[str]:
        t = self.t
        family = t.classes.family(lua_class)
        if any(
            (member.parent is not None and facts.begins_training(member.parent)) or "train" in member.values
            for member in family
        ):
            return []
        if "train" in t.classes.fields.definite(lua_class):
            return []
        targets = {x for s in tree.every(t.program, tree.Assign) for x in s.targets}
        reads = {
            node
            for member in family
            for node in t.classes.fields_asked.get(member, ())
            if node.key_name == "train" and node not in targets
        }
        asked = {node: self._asked(node) for node in reads}
        if set(asked.values()) <= {"false"} or not self._runs_unset(family):
            return []
        owners = {f for member in family for f in member.methods.values()}
        for node in sorted(reads, key=lambda node: node.span.start):
            in_method = t.surroundings.owner[t.surroundings.home[node]].function in owners
            if asked[node] != "true" and (in_method or self._read_unset(node)):
                raise Problem(
                    "T7-243",
                    node.line,
                    f"self.train of {lua_class.name} before training() or evaluate() set it",
                )
        return ["self.training = False  # until train() is called, as in Torch7"]

    def _asked(self, node: Index) -> str:
        """Whether a place asks if the mode is true, if it is false, or for its value."""
        at: tree.Node = node
        while True:
            around = self._around(at)
            if isinstance(around, tree.Paren) or (
                isinstance(around, tree.Binary) and around.operator in ("and", "or") and around.right is at
            ):
                at = around
                continue
            if isinstance(around, tree.Binary):
                other = around.right if around.left is at else around.left
                if around.operator in ("==", "~=") and isinstance(other, tree.Boolean):
                    return "true" if other.value else "false"
                return "true" if around.operator in ("and", "or") else "value"
            if isinstance(around, tree.Unary):
                return "true" if around.operator == "not" else "value"
            if isinstance(around, Call):
                return "true" if self.t.path(around.callee) == "assert" else "value"
            return "true" if isinstance(around, (tree.If, tree.While, tree.Repeat)) else "value"

    def _around(self, node: tree.Node) -> tree.Node:
        """The innermost node of its statement that a node stands in."""
        statement = self.t.surroundings.home[node]
        inside = [
            n for n in tree.direct_nodes(statement) if isinstance(n, tree.Node) and node in tree.children(n)
        ]
        return inside[-1] if inside else statement

    # Whether a layer runs before its mode is set

    def _runs_unset(self, family: list[LuaClass]) -> bool:
        """Whether the program may run a layer of some classes whose mode nothing has set."""
        self._family, self._read, self._after = family, None, {}
        return self._goes_wrong()

    def _read_unset(self, node: Index) -> bool:
        """Whether a place may read the mode of a layer before something has set it."""
        self._family, self._read, self._after = [], node, {}
        return self._goes_wrong()

    def _goes_wrong(self) -> bool:
        try:
            self._block(self.t.program, frozenset())
        except _Unset:
            return True
        return False

    def _block(self, block: Block, known: frozenset[_Key]) -> frozenset[_Key]:
        for statement in block.statements:
            known = self._statement(statement, known)
        return known

    def _statement(self, statement: Statement, known: frozenset[_Key]) -> frozenset[_Key]:
        nodes = [n for n in tree.direct_nodes(statement) if isinstance(n, (Call, Invoke)) or n is self._read]
        for node in sorted(nodes, key=lambda n: n.span.end):
            if isinstance(node, (Call, Invoke)):
                known = self._call(node, known)
            elif isinstance(node, Index) and self._key(node.base) not in known:
                raise _Unset
        if isinstance(statement, (tree.FunctionStatement, tree.LocalFunction)):
            return known  # runs where it is called
        after = [] if isinstance(statement, tree.If) and statement.otherwise is not None else [known]
        for block in tree.blocks(statement):
            if self.t.surroundings.is_body(block):
                continue
            end = self._block(block, known)
            if isinstance(statement, (tree.Do, tree.Repeat)):
                return end
            after.append(end)
        return frozenset.intersection(*after)

    def _call(self, call: Call | Invoke, known: frozenset[_Key]) -> frozenset[_Key]:
        t = self.t
        if isinstance(call, Invoke) and t.kind(call.receiver) == "module":
            key = self._key(call.receiver)
            if call.method in _SET:
                return known | {key} if key is not None else known
            if call.method in FORWARD and key not in known and self._may_hold(t.type(call.receiver)):
                raise _Unset
            return known
        if isinstance(call, Call) and t.kind(call.callee) == "module" and t.path(call.callee) is None:
            if self._key(call.callee) not in known and self._may_hold(t.type(call.callee)):
                raise _Unset
            return known
        callbacks = [a for a in call.arguments if t.kind(a) == "function"]
        functions = [
            *t.types.function_called(call),
            *(f for a in callbacks for f in t.type(a).find().functions),
        ]
        ends = []
        for function in functions:
            if (function, known) not in self._after:
                self._after[function, known] = known  # of a function that calls itself
                self._after[function, known] = self._block(function.body, known)
            ends.append(self._after[function, known])
        return ends[0] if len(ends) == 1 and not callbacks else known

    def _key(self, module: Expression) -> _Key | None:
        if isinstance(module, Name):
            return self.t.scopes.of_name[module]
        if isinstance(module, Index) and isinstance(module.key, String):
            return module.key.value
        return self._key(module.receiver) if isinstance(module, Invoke) and module.method in _SET else None

    def _may_hold(self, module: Type) -> bool:
        """Whether a module may be one of the layers, or have one in it."""
        parts = all_parts(module)
        if not any(part.layers or part.classes for part in parts):
            return bool(self._family)
        return any(lua_class in self._family for part in parts for lua_class in part.classes)
