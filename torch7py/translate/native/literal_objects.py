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
    each = [[item.key.value for item in t.fields if isinstance(item.key, String)] for t in tables]
    found = {name: True for names in each for name in names}
    return {name: all(name in names for names in each) for name in found}


@dataclass(eq=False)
class LiteralObjects:
    t: Translation
    classes: dict[LuaClass, dict[str, bool]] = field(default_factory=dict)  # with the names of their fields
    tables: dict[tree.Table, LuaClass] = field(default_factory=dict)
    calls: set[Call] = field(default_factory=set)  # of setmetatable on such a table

    def study(self, made: LuaClass, family: list[LuaClass]) -> None:
        """Take the objects of a class that are made outside of its functions."""
        if not made.literals:
            return
        if len(family) > 1 or made.makers or "__init" in made.methods:
            raise Problem("T7-242", made.literals[0][0].line, "an object made outside of its class")
        for call, table in made.literals:
            if any(not isinstance(item.key, String) for item in table.fields):
                raise Problem("T7-242", call.line, "an object with items")
            self.tables[table] = made
            self.calls.add(call)
        self.classes[made] = keys_of(table for _, table in made.literals)

    def call(self, node: Call) -> Py | None:
        """``setmetatable(o, C)``, which is o."""
        return self.t.value(node.arguments[0]) if node in self.calls else None

    def value(self, node: tree.Table) -> Py | None:
        made = self.tables.get(node)
        if made is None:
            return None
        if made in self.t.classes.failed:
            raise self.t.classes.failed[made]
        return atom(f"{self.t.classes.names[made]}({self.arguments(node, self.classes[made])})")

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
        for place, item in enumerate(table.fields):
            assert isinstance(item.key, String)
            for comment in [*item.before, *([item.trailing] if item.trailing is not None else [])]:
                t.comment(comment)
            name = code.attribute_name(item.key.value)
            text = t.value(item.value).text
            in_order &= names[place] == item.key.value and text == name
            texts.append(text if in_order else f"{name}={text}")
        return ", ".join(texts)

    def parameters(self, keys: dict[str, bool]) -> list[str]:
        """The parameters of ``__init__``: first those that every object is given."""
        names = sorted(keys, key=lambda name: not keys[name])
        return [code.attribute_name(n) if keys[n] else f"{code.attribute_name(n)}=None" for n in names]

    def lines(self, made: LuaClass, keys: dict[str, bool]) -> list[str]:
        """The lines of ``__init__``. What the class has too stays that where an object has none of its own."""
        found = []
        shared = {
            name for each in family_below(made) for name in (*each.values, *each.methods, *each.statics)
        }
        for name in keys:
            attribute = code.attribute_name(name)
            if name in shared and not keys[name]:
                found += [f"if {attribute} is not None:", f"    self.{attribute} = {attribute}"]
            else:
                found.append(f"self.{attribute} = {attribute}")
        return found

    def write(self, made: LuaClass, inits: list[str]) -> None:
        """``__init__`` of a class whose objects are all tables with names."""
        t, keys = self.t, self.classes[made]
        t.emit(f"def __init__({', '.join(['self', *self.parameters(keys)])}):")
        with t.indented():
            for line in [*self.lines(made, keys), *inits] or ["pass"]:
                t.emit(line)
        t.emit("")


def family_below(made: LuaClass) -> list[LuaClass]:
    """A class and all that derive from it."""
    found = [made]
    for each in found:
        found += [child for child in each.derived if child not in found]
    return found


def is_written_out(node: Expression | None) -> bool:
    """Whether an argument is a table of names, or nothing."""
    if node is None or isinstance(node, tree.Nil):
        return True
    return isinstance(node, tree.Table) and all(isinstance(item.key, String) for item in node.fields)
