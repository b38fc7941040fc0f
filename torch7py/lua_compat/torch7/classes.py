"""Torch7's class system: class tables, constructors, inheritance, operators by name.

A class table is the metatable of its instances and holds the methods; its parent is found through its own metatable.
``nn.Linear`` is a constructor table: callable, and a window on the class table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch7py.lua_compat.basic import G
from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.strings import match
from torch7py.lua_compat.values import Table, call, first, index, kind_of, metatable, multi, truth

__all__ = [
    "ClassTable",
    "constructor_table",
    "constructors",
    "create",
    "define",
    "factory_of",
    "is_type_of",
    "lookup",
    "new_metatable",
    "publish",
    "registered",
    "reset",
    "set_metatable",
    "torch_type",
    "typename",
    "version",
]

registered: dict[str, Table] = {}  # name -> class table, or the metatable of a type of userdata
constructors: dict[str, Table] = {}
version = [0]  # advances whenever a class changes
adorn: list[Callable[[Table], None]] = []  # what gives the heirs of a built-in class its metatable functions


class ClassTable(Table):
    """A class table: a change to it is noticed."""

    __slots__ = ()

    def rawset_(self, key: Any, value: Any) -> None:
        version[0] += 1
        super().rawset_(key, value)


def typename(x: Any = None, *_: Any) -> str | None:
    meta = metatable(x)
    if meta is None:
        return None
    name = meta.rawget_("__typename")
    return name if name is not None and registered.get(name) is meta else None


def torch_type(x: Any = None, *_: Any) -> str:
    return typename(x) or kind_of(x)


# Operators, which a class may define at any time under names such as __add__


def method_named(x: Any, name: str) -> Any:
    meta = metatable(x) if kind_of(x) in ("table", "userdata") else None
    return None if meta is None else index(meta, name)


_WORDS = {
    "add": "addition",
    "sub": "subtraction",
    "mul": "multiplication",
    "div": "division",
    "mod": "modulo",
    "pow": "power",
    "concat": "concatenation",
    "lt": "less-than",
    "le": "less-or-equal",
}


def _operator(name: str, word: str) -> Callable[..., Any]:
    key = f"__{name}__"

    def operate(a: Any = None, b: Any = None, *_: Any) -> Any:
        f = method_named(a, key)
        if f is None:
            f = method_named(b, key)
        if f is None:
            raise fail(f"neither {torch_type(a)} nor {torch_type(b)} has the {word} operator")
        return call(f, a, b)

    return operate


def _equal(a: Any = None, b: Any = None, *_: Any) -> Any:
    f = method_named(a, "__eq__")
    if f is None:
        f = method_named(b, "__eq__")
    return a is b if f is None else call(f, a, b)


def _negated(a: Any = None, *_: Any) -> Any:
    f = method_named(a, "__unm__")
    if f is None:
        raise fail(f"{torch_type(a)} has no negation operator")
    return call(f, a)


def _length(a: Any = None, *_: Any) -> Any:
    f = method_named(a, "__len__")
    if f is None:
        f = method_named(a, "__len")
    if f is None or f is _length:
        raise fail(f"{torch_type(a)} has no length operator")
    return call(f, a)


def _called(a: Any = None, *arguments: Any) -> Any:
    f = method_named(a, "__call__")
    if f is None:
        raise fail(f"{torch_type(a)} cannot be called")
    return call(f, a, *arguments)


def _text(a: Any = None, *_: Any) -> Any:
    f = method_named(a, "__tostring__")
    if f is None:
        return torch_type(a)
    return call(f, a) if kind_of(f) == "function" else f


OPERATORS: dict[str, Callable[..., Any]] = {
    **{f"__{name}": _operator(name, word) for name, word in _WORDS.items()},
    "__eq": _equal,
    "__unm": _negated,
    "__len": _length,
    "__call": _called,
    "__tostring": _text,
}


# Class tables


def _plain_index(c: Table) -> Callable[..., Any]:
    def get(obj: Any, key: Any) -> Any:
        f = index(c, "__index__")
        if f is not None:
            found = multi(call(f, obj, key))
            if len(found) > 1 and truth(found[1]):
                return found[0]
        return index(c, key)

    return get


def _plain_newindex(c: Table) -> Callable[..., Any]:
    def put(obj: Any, key: Any, value: Any) -> Any:
        f = index(c, "__newindex__")
        if f is None or not truth(first(call(f, obj, key, value))):
            obj.rawset_(key, value)
        return ()

    return put


def _inherit(c: Table, parent: Table) -> None:
    c.meta_ = Table(None, {"__index": parent, "__metatable": parent})
    version[0] += 1
    for equip in adorn:
        equip(c)


def parent_of(c: Table) -> Table | None:
    """The class table of a class's parent."""
    if c.meta_ is None:
        return None
    found: Table | None = c.meta_.rawget_("__metatable")
    return found


def create(name: str, parent: Table | None) -> Table:
    """A class table for a name, not yet visible anywhere."""
    c = ClassTable(None, {"__typename": name, "__version": 1, **OPERATORS})
    c.rawset_("__index", _plain_index(c))
    c.rawset_("__newindex", _plain_newindex(c))
    registered[name] = c
    if parent is not None:
        _inherit(c, parent)
    return c


def _place_of(name: str, module: Table | None) -> tuple[Table, str]:
    """The table in which ``a.b.Name`` is kept, and ``Name``."""
    path, _, root = name.rpartition(".")
    if module is not None:
        return module, root
    place: Table = G
    for part in filter(None, path.split(".")):
        inner = place.rawget_(part)
        if not isinstance(inner, Table):
            raise fail(f"cannot make class {name}: '{part}' is not a table here (is its package required?)")
        place = inner
    return place, root


def constructor_table(c: Table, construct: Callable[..., Any]) -> Table:
    def put(_: Any, key: Any = None, value: Any = None) -> Any:
        c.rawset_(key, value)
        return ()

    made = Table()
    made.meta_ = Table(
        None,
        {
            "__index": c,
            "__newindex": put,
            "__metatable": c,
            "__call": lambda _, *arguments: construct(*arguments),
        },
    )
    return made


def publish(
    name: str,
    c: Table,
    module: Table | None,
    construct: Callable[..., Any],
    factory: Callable[..., Any] | None,
) -> Table:
    """Make a class known under its name: ``construct`` builds an instance, ``factory`` an empty one."""
    place, root = _place_of(name, module)
    if factory is not None:
        c.rawset_("__factory", factory)
    c.rawset_("new", construct)
    made = constructors[name] = constructor_table(c, construct)
    place.rawset_(root, made)
    return made


def lookup(name: Any = None, *_: Any) -> Table | None:
    return registered.get(name) if type(name) is str else None


def instance_of(c: Table) -> Table:
    made = Table()
    made.meta_ = c
    return made


def define(*arguments: Any) -> Any:
    """``torch.class(name[, parent][, module])``: the class table, and the parent's."""
    n = len(arguments)
    name, parent_name, module = (*arguments, None, None, None)[:3]
    if n == 2 and isinstance(parent_name, Table):
        parent_name, module = None, parent_name
    if (
        type(name) is not str
        or not (parent_name is None or type(parent_name) is str)
        or not (module is None or isinstance(module, Table))
        or n > 3
    ):
        raise fail(
            "torch.class expects a class name, then optionally the name of a parent class and a module table"
        )
    if name in registered:
        raise fail(f"class '{name}' exists already")
    parent = registered.get(parent_name) if parent_name is not None else None
    if parent_name is not None and parent is None:
        raise fail(f"class '{name}' has the unknown parent '{parent_name}'")
    _place_of(name, module)
    c = create(name, parent)

    def factory(*_: Any) -> Table:
        return instance_of(c)

    def construct(*given: Any) -> Table:
        made = instance_of(c)
        init = index(made, "__init")
        if truth(init):
            call(init, made, *given)
        return made

    publish(name, c, module, construct, factory)
    return c if parent is None else (c, parent)


_ROLES = (
    ("string", "the class name"),
    ("string", "the parent class name"),
    ("function", "the constructor"),
    ("function", "the destructor"),
    ("function", "the factory"),
    ("table", "the module"),
)


def new_metatable(*arguments: Any) -> Table:
    """``torch.newmetatable(name[, parent[, constructor[, destructor[, factory[, module]]]]])``."""
    given = (*arguments, *[None] * 6)[:6]
    for number, (value, (kind, role)) in enumerate(zip(given, _ROLES, strict=True), 1):
        if kind_of(value) != kind and (value is not None or number == 1):
            raise fail(
                f"bad argument #{number} to torch.newmetatable: {role} must be a {kind}"
                f"{' or nil' if number > 1 else ''}, not a {kind_of(value)}"
            )
    name, parent_name, construct, destroy, factory, module = given
    place, root = _place_of(name, module)
    parent = registered.get(parent_name) if parent_name is not None else None
    if parent_name is not None and parent is None:
        raise fail(f"class '{name}' has the unknown parent '{parent_name}'")
    c = registered.get(name)
    lacks = {"new": construct, "__gc": destroy, "__factory": factory}
    for key, role in (("new", "a constructor"), ("__gc", "a destructor"), ("__factory", "a factory")):
        if lacks[key] is not None and c is not None and c.rawget_(key) is not None:
            raise fail(f"class '{name}' has {role} already")
    if parent is not None and c is not None and c.meta_ is not None:
        raise fail(f"class '{name}' has a parent already")
    c = create(name, None) if c is None else c
    if parent is not None:
        _inherit(c, parent)
    for key, value in lacks.items():
        if value is not None:
            c.rawset_(key, value)

    def make(*values: Any) -> Any:
        found = c.rawget_("new")
        if found is None:
            raise fail(f"class '{name}' has no constructor")
        return call(found, *values)

    constructors.setdefault(name, constructor_table(c, make))
    place.rawset_(root, constructors[name])
    return c


# Questions


def is_type_of(obj: Any = None, spec: Any = None, *_: Any) -> bool:
    """``torch.isTypeOf(object, name, pattern or class)``"""
    if type(spec) is not str:
        meta = metatable(spec)
        if meta is not None and isinstance(meta.rawget_("__metatable"), Table):
            meta = meta.rawget_("__metatable")
        spec = None if meta is None else index(meta, "__typename")
        if type(spec) is not str:
            raise fail("torch.isTypeOf expects a type name, a pattern or a class")
    meta = metatable(obj)
    while meta is not None:
        shown = meta.rawget_("__metatable")
        meta = shown if isinstance(shown, Table) else meta
        name = meta.rawget_("__typename")
        if name is not None:
            found = first(match(name, spec))
            if found is not None and (found != spec or found == name):
                return True
        meta = parent_of(meta)
    return False


def set_metatable(obj: Any = None, name: Any = None, *_: Any) -> Any:
    c = registered.get(name) if type(name) is str else None
    if c is None:
        raise fail(f"unknown class '{name}'")
    if not isinstance(obj, Table):
        raise fail(f"torch.setmetatable: a table expected, got {kind_of(obj)}")
    obj.meta_ = c
    return obj


def factory_of(name: Any = None, *_: Any) -> Any:
    c = lookup(name)
    return None if c is None else c.rawget_("__factory")


def reset() -> None:
    registered.clear()
    constructors.clear()
    version[0] += 1
