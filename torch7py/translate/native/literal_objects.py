"""Objects that are tables with names when they get their metatable: their fields are the parameters of ``__init__``.

``setmetatable({x = 1, y = 2}, Point)`` is ``Point(x=1, y=2)``, wherever it stands. So is ``Animal:new{name = 'rex'}``,
where the maker takes the table itself for the object. Every such table must be written out at its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Name, Statement, String

__all__ = ["LiteralObjects", "keys_of"]


def keys_of(tables: Iterable[tree.Table]) -> dict[str, bool]:
    """The names in several tables, in the order in which they come, and whether all of the tables have them."""
    key_lists = [[item.key.value for item in t.fields if isinstance(item.key, String)] for t in tables]
    unique_names = {name: True for names in key_lists for name in names}
    return {name: all(name in names for names in key_lists) for name in unique_names}


@dataclass(eq=False)
class LiteralObjects:
    t: Translation
    classes: dict[LuaClass, dict[str, bool]] = field(default_factory=dict)  # with the names of their fields
    tables: dict[tree.Table, LuaClass] = field(default_factory=dict)
    calls: set[Call] = field(default_factory=set)  # of setmetatable on such a table

    def study(self, lua_class: LuaClass, family: list[LuaClass]) -> None:
        """Take the objects of a class that are made outside of its functions."""
        if not lua_class.literals:
            return
        if len(family) > 1 or lua_class.makers or "__init" in lua_class.methods:
            raise Problem("T7-242", lua_class.literals[0][0].line, "an object made outside of its class")
        for call, table in lua_class.literals:
            if any(item.key_name is None for item in table.fields):
                raise Problem("T7-242", call.line, "an object with items")
            self.tables[table] = lua_class
            self.calls.add(call)
        self.classes[lua_class] = keys_of(table for _, table in lua_class.literals)

    def call(self, node: Call) -> Py | None:
        """``setmetatable(o, C)``, which is o."""
        return self.t.value(node.arguments[0]) if node in self.calls else None

    def value(self, node: tree.Table) -> Py | None:
        lua_class = self.tables.get(node)
        if lua_class is None:
            return None
        if lua_class in self.t.classes.failed:
            raise self.t.classes.failed[lua_class]
        return atom(f"{self.t.classes.names[lua_class]}({self.arguments(node, self.classes[lua_class])})")

    def statement(self, node: Statement) -> bool:
        """Whether a statement only gives an object its metatable."""
        return (
            isinstance(node, tree.Run)
            and node.call in self.calls
            and isinstance(node.call.arguments[0], Name)
        )

    def arguments(self, table: tree.Table, keys: dict[str, bool]) -> str:
        """What a table says of an object's fields, as arguments of ``__init__``."""
        t = self.t
        names, texts, in_order = list(keys), [], True
        for index, item in enumerate(table.fields):
            assert isinstance(item.key, String)
            for comment in [*item.before, *([item.trailing] if item.trailing is not None else [])]:
                t.comment(comment)
            name = code.attribute_name(item.key.value)
            text = t.value(item.value).text
            in_order &= names[index] == item.key.value and text == name
            texts.append(text if in_order else f"{name}={text}")
        return ", ".join(texts)

    def parameters(self, keys: dict[str, bool]) -> list[str]:
        """The parameters of ``__init__``: first those that every object is given."""
        names = sorted(keys, key=lambda name: not keys[name])
        return [code.attribute_name(n) if keys[n] else f"{code.attribute_name(n)}=None" for n in names]

    def lines(self, lua_class: LuaClass, keys: dict[str, bool]) -> list[str]:
        """The lines of ``__init__``. What the class has too stays that where an object has none of its own."""
        result = []
        shared = {
            name for cls in family_below(lua_class) for name in (*cls.values, *cls.methods, *cls.statics)
        }
        for name in keys:
            attribute = code.attribute_name(name)
            if name in shared and not keys[name]:
                result += [f"if {attribute} is not None:", f"    self.{attribute} = {attribute}"]
            else:
                result.append(f"self.{attribute} = {attribute}")
        return result

    def write(self, lua_class: LuaClass, inits: list[str]) -> None:
        """``__init__`` of a class whose objects are all tables with names."""
        t, keys = self.t, self.classes[lua_class]
        t.emit(f"def __init__({', '.join(['self', *self.parameters(keys)])}):")
        with t.indented():
            for line in [*self.lines(lua_class, keys), *inits] or ["pass"]:
                t.emit(line)
        t.emit("")


def family_below(lua_class: LuaClass) -> list[LuaClass]:
    """A class and all that derive from it."""
    family = [lua_class]
    for cls in family:
        family += [child for child in cls.derived if child not in family]
    return family


def is_written_out(node: Expression | None) -> bool:
    """Whether an argument is a table of names, or nothing."""
    if node is None or isinstance(node, tree.Nil):
        return True
    return isinstance(node, tree.Table) and all(isinstance(item.key, String) for item in node.fields)
