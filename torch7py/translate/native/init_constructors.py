"""Functions that make the objects of a metatable, as ``__init__`` of the class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import code
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.literal_objects import LiteralObjects, is_written_out, keys_of
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement, String
from torch7py.translate.tree_queries import bare

__all__ = ["Makers"]


@dataclass(eq=False)
class Maker:
    """The function that makes the objects of a metatable, as ``__init__``."""

    function: tree.Function
    instead: dict[Statement, tuple[str, Expression | None]] = field(default_factory=dict)
    parameters: list[Name] = field(default_factory=list)
    keys: dict[str, bool] | None = (
        None  # where it takes a table for the object: its names, and whether all have them
    )


class Makers:
    """The makers of all classes; ``instead``: what stands for their statements."""

    def __init__(self, translator: Translation, literal_objects: LiteralObjects) -> None:
        self.t, self.literal_objects = translator, literal_objects
        self.of_function: dict[tree.Function, Maker] = {}
        self.instead: dict[Statement, tuple[str, Expression | None]] = {}

    def study(self, lua_class: LuaClass, function: tree.Function) -> None:
        """See how a function makes an object, and what stands for each of its statements in ``__init__``."""
        t = self.t
        problem = Problem("T7-242", function.line, "a constructor that does more than to make one object")
        if len(lua_class.makers) > 1:
            raise Problem("T7-242", function.line, "a class with several constructors")
        maker = Maker(function)
        self_parameters = function.parameters[:1] if t.types.begins_with_self(function) else ()
        maker.parameters = list(function.parameters[len(self_parameters) :])
        handed = t.types.table_handed.get(function)
        if handed is not None:
            maker.parameters.remove(handed)
            maker.keys = self._keys(function)
        statements = function.body.statements
        if not statements or not isinstance(statements[-1], tree.Return) or len(statements[-1].values) != 1:
            raise problem
        if sum(isinstance(n, tree.Return) for n in _nodes_outside_functions(function)) != 1:
            raise problem
        result = statements[-1].values[0]
        if isinstance(result, Call) and t.path(result.callee) == "setmetatable":
            result = result.arguments[0]
            if handed is not None and self._or_empty(result):
                result = result.left  # type: ignore[attr-defined]
            maker.instead[statements[-1]] = ("fields", result)
        else:
            maker.instead[statements[-1]] = ("nothing", None)
        variable = t.scopes.of_name[result] if isinstance(result, Name) else None
        if variable is None and not isinstance(result, tree.Table):
            raise problem
        if isinstance(result, Name):
            maker.instead[statements[-1]] = ("nothing", None)
        for statement in statements[:-1]:
            targets = statement.names if isinstance(statement, tree.Local) else ()
            if (
                isinstance(statement, tree.Local)
                and len(targets) == len(statement.values) == 1
                and t.scopes.of_name[targets[0]] is variable
            ):
                value = statement.values[0]
                if isinstance(value, Call) and t.path(value.callee) == "setmetatable":
                    value = value.arguments[0]
                maker.instead[statement] = ("fields", value)
            elif isinstance(statement, tree.Run) and isinstance(statement.call, Call):
                if t.path(statement.call.callee) == "setmetatable":
                    maker.instead[statement] = ("nothing", None)
            elif (
                handed is not None
                and isinstance(statement, tree.Assign)
                and isinstance(statement.targets[0], Name)
                and t.scopes.of_name[statement.targets[0]] is variable
            ):
                value = statement.values[0]
                if isinstance(value, Call) and t.path(value.callee) == "setmetatable":
                    value = value.arguments[0]
                if not self._or_empty(value):
                    raise problem
                maker.instead[statement] = ("nothing", None)
            elif isinstance(statement, tree.Assign) and isinstance(statement.targets[0], Index):
                key = statement.targets[0].key
                if isinstance(key, String) and key.value == "__index":
                    maker.instead[statement] = ("nothing", None)
        if variable is not None:
            if handed is not None:
                written = [
                    s for s in maker.instead if isinstance(s, tree.Assign) and s.targets[0] in variable.writes
                ]
                if variable.declaration is not handed or len(variable.writes) != len(written):
                    raise problem
            elif not any(what == "fields" for what, _ in maker.instead.values()) or variable.writes:
                raise problem
            t.names.chosen[variable] = "self"
        for what, kept in maker.instead.values():
            if what == "fields" and isinstance(kept, tree.Table):
                if any(item.key_name is None for item in kept.fields):
                    raise problem
            elif what == "fields" and not self._parent_call(lua_class, kept):
                raise problem
        if self_parameters:
            used = [
                n
                for n in _nodes_outside_functions(function)
                if isinstance(n, Name) and t.scopes.of_name[n].declaration is self_parameters[0]
            ]
            hidden = {id(n) for s in maker.instead for n in tree.walk(s)}
            if any(id(name) not in hidden for name in used):
                raise problem
            t.names.chosen[t.scopes.of_name[self_parameters[0]]] = "self"
        self.instead.update(maker.instead)
        self.of_function[function] = maker

    def _or_empty(self, node: Expression) -> bool:
        """``o or {}``"""
        node = bare(node)
        return (
            isinstance(node, tree.Binary)
            and node.operator == "or"
            and isinstance(node.left, Name)
            and isinstance(node.right, tree.Table)
            and not node.right.fields
        )

    def _keys(self, function: tree.Function) -> dict[str, bool]:
        """The names of the fields in the tables that a maker is handed, each of which must be written out."""
        t = self.t
        tables = []
        for call in t.types.calls_of.get(function, []):
            position = len(function.parameters) - 1 - t.types.before(function, call)
            argument = call.arguments[position] if position < len(call.arguments) else None
            if not is_written_out(argument) or (argument is None and self._is_spread(call)):
                raise Problem("T7-242", call.line, "an object made of a table that is not written out there")
            tables.append(argument if isinstance(argument, tree.Table) else tree.Table(call.span, ()))
        return keys_of(tables)

    def _is_spread(self, call: Call | Invoke) -> bool:
        return bool(call.arguments) and isinstance(call.arguments[-1], (Call, Invoke, tree.Vararg))

    def handed(self, maker: Maker, call: Call | Invoke, first: int) -> str:
        """The arguments of a maker that takes a table for the object: the others, and what the table says."""
        t = self.t
        position = len(maker.function.parameters) - 1 - first
        rest = Call(call.span, tree.Nil(call.span), call.arguments[:position])
        arguments = [t.calls.arguments(rest, [maker.function], first)] if rest.arguments else []
        arguments += ["None"] * (
            len(maker.parameters) - len(rest.arguments) if position < len(call.arguments) else 0
        )
        table = call.arguments[position] if position < len(call.arguments) else None
        if isinstance(table, tree.Table) and table.fields:
            arguments.append(self.literal_objects.arguments(table, maker.keys or {}))
        return ", ".join(arguments)

    def forget(self, functions: Iterable[tree.Function]) -> None:
        """Leave functions as they are that were studied."""
        for function in functions:
            maker = self.of_function.pop(function, None)
            for statement in maker.instead if maker is not None else ():
                del self.instead[statement]

    def _parent_call(self, lua_class: LuaClass, value: Expression | None) -> bool:
        """Whether a maker begins with the object that the parent's maker gives."""
        if not isinstance(value, (Call, Invoke)) or lua_class.base is None:
            return False
        functions = self.t.types.function_called(value)
        return bool(functions) and all(f in lua_class.base.makers.values() for f in functions)

    def _parent_arguments(self, value: Call | Invoke) -> str:
        """The arguments of the parent's maker, without the class."""
        functions = self.t.types.function_called(value)
        if isinstance(value, Call) and self.t.types.begins_with_self(functions[0]):
            value = Call(value.span, value.callee, value.arguments[1:])
            return self.t.calls.arguments(value, functions, 1)
        return self.t.calls.arguments(value, functions, 1 if isinstance(value, Invoke) else 0)

    def instead_of(self, node: Statement) -> bool:
        """Write what stands for a statement of a maker in ``__init__``; whether it is one."""
        what = self.instead.get(node)
        if what is None:
            return False
        t = self.t
        value = what[1]
        if what[0] == "nothing":
            return True
        if isinstance(value, tree.Table):
            for item in value.fields:
                assert isinstance(item.key, String)
                for comment in item.before:
                    t.comment(comment)
                t.emit(f"self.{code.attribute_name(item.key.value)} = {t.value(item.value)}")
                if item.trailing is not None:
                    t.trail(len(t.lines) - 1, item.trailing)
            return True
        assert isinstance(value, (Call, Invoke))
        t.emit(f"super().__init__({self._parent_arguments(value)})")
        return True


def _nodes_outside_functions(function: tree.Function) -> list[tree.Node | tree.Block]:
    """What is in a function, without what is in the functions within."""
    nodes: list[tree.Node | tree.Block] = []
    stack: list[tree.Node | tree.Block] = [function.body]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack.extend(child for child in tree.children(node) if not isinstance(child, tree.Function))
    return nodes
