"""What the registered classes show to a script: methods, fields, parents."""

from __future__ import annotations

from collections.abc import Callable, Set
from functools import cache
from typing import Any

import torch

from torch7py.nn.base import Module
from torch7py.nn.modes import NEEDLESS
from torch7py.nn.object import TorchObject
from torch7py.nn.original_methods import original_methods, returns_nothing
from torch7py.nn.registry import extensions, layers, package_of
from torch7py.ops.dispatch.python import adapt, fields_of

__all__ = [
    "all_exports",
    "answers_for",
    "classes_below",
    "describe",
    "exported",
    "method_of",
    "virtual_methods",
]


DEFINED_FOR_ALL = {"__tostring__"}  # what an object of a class without such a method does too


def virtual_methods() -> list[str]:
    """The methods that Python calls on objects it holds, and that a script may therefore override."""
    methods: dict[str, None] = {}
    for cls in layers.values():
        methods |= dict.fromkeys(cls.virtual)
    return list(methods)


def all_exports(cls: type[TorchObject]) -> dict[str, str]:
    """The methods of a class that scripts may call, with those that other packages add."""
    exports = cls.exports()
    for package in extensions:
        exports = extension_of(package, cls) | exports
    return exports


def exported(cls: type[TorchObject], name: str) -> str:
    """The Python attribute behind one of ``all_exports``."""
    for base in cls.__mro__:
        attribute: str | None = base.__dict__.get("lua_methods", {}).get(name)
        if attribute is not None:
            return attribute
    return next(
        additions[name] for package in extensions if name in (additions := extension_of(package, cls))
    )


def describe(package: str, loaded: Set[str]) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    """A package's classes, and the methods that it adds to classes of packages loaded before, described for Lua."""
    available = loaded | {package}
    classes, additions = [], []
    for key, cls in layers.items():
        if package_of[key] == package:
            exports = cls.exports()
            for name in available:
                exports |= {m: a for m, a in extension_of(name, cls).items() if m not in exports}
            classes.append(
                {
                    "key": key,
                    "name": cls.torch7_name,
                    "parent": parent.torch7_name if (parent := parent_of(cls)) else None,
                    "version": cls.class_version(),
                    "fields": cls.all_fields(),
                    "links": list(cls.links),
                    "class_fields": list(cls.class_fields),
                    "lists": list(cls.lists),
                    "calls_in_passes": list(cls.calls_in_passes),
                    "passes": next(
                        (k for k in ("nn.Module", "nn.Criterion") if _has_passes_of(cls, k)), None
                    ),
                    "skips_unwritable": cls.skips_unwritable,
                    "methods": own_methods(cls, exports),
                    "structural": dict.fromkeys(cls.structural, True),
                    "appending": dict.fromkeys(appending(cls), True),
                    "needless": dict.fromkeys(NEEDLESS, True) if issubclass(cls, Module) else {},
                    "stay": staying(cls, exports),
                }
            )
        elif package_of[key] in loaded:
            methods = own_methods(cls, extension_of(package, cls))
            if methods:
                additions.append([key, cls.torch7_name, methods])
    return classes, additions


def parent_of(cls: type[TorchObject]) -> type[TorchObject] | None:
    """The parent of a class in Lua: the next registered class in Python, or the one that the class names."""
    named = cls.__dict__.get("torch7_parent")
    if named is not None:
        return layers[named]
    return next((b for b in cls.__mro__[1:] if b.__dict__.get("registered_as") in layers), None)


def _has_passes_of(cls: type[TorchObject], key: str) -> bool:
    """Whether ``forward`` and ``backward`` only call the methods of which they are made."""
    plain = layers[key]
    return all(getattr(cls, name, None) is getattr(plain, name) for name in ("torch7_forward", "backward"))


def own_methods(cls: type[TorchObject], exports: dict[str, str]) -> list[str]:
    """The exports that a script finds in the class itself; the class inherits all others.

    They follow the class of the original, wherever Python's classes define them. Methods that the original does not
    have, and classes of which nothing is known, follow Python.
    """
    original = original_methods().get(cls.registered_as)
    parent = parent_of(cls)
    if original is None:
        return _defined_in_python(cls, parent, exports)
    known = set(original)
    while parent is not None:
        known |= original_methods().get(parent.registered_as, frozenset())
        parent = parent_of(parent)
    beside = {name: attribute for name, attribute in exports.items() if name not in known | DEFINED_FOR_ALL}
    return [name for name in exports if name in original] + _defined_in_python(cls, parent_of(cls), beside)


def _defined_in_python(
    cls: type[TorchObject], parent: type[TorchObject] | None, exports: dict[str, str]
) -> list[str]:
    """The exports that a class defines itself or through unregistered bases.

    A class whose parent in Lua is not its parent in Python counts as defining everything: an inherited method would
    otherwise be borrowed from the Lua parent.
    """
    names: dict[str, None] = {}
    for ancestor in cls.__mro__:
        if ancestor is torch.nn.Module:
            break
        if parent is not None and issubclass(parent, ancestor):
            continue
        for name, attribute in exports.items():
            if attribute in ancestor.__dict__:
                names[name] = None
    if parent is not None and not issubclass(cls, parent):
        names |= {name: None for name in own_methods(parent, all_exports(parent)) if name in exports}
    return list(names)


# The methods of which the base classes of the original pass on to a script's own whatever they are given.
_PASSING_ON = frozenset(
    """forward updateOutput backward updateGradInput accGradParameters accUpdateGradParameters backwardUpdate
    __call__""".split()
)


@cache
def _definer(cls: type[TorchObject], name: str, *sizes: int) -> str | None:
    """The registered class in which a script finds a method of a class."""
    at: type[TorchObject] | None = cls
    while at is not None:
        if name in own_methods(at, all_exports(at)):
            return at.registered_as
        at = parent_of(at)
    return None


def _inherits(cls: type[TorchObject], key: str, name: str) -> bool:
    if "borrowing_class_of" in cls.__dict__:  # a class for the length of a call (nn/borrowed_methods.py)
        return False
    added = sum(len(methods) for classes in extensions.values() for methods in classes.values())
    return _definer(cls, name, len(layers), added) == key  # type: ignore[arg-type]  # a class is hashable


def answers_for(cls: type[TorchObject], key: str, name: str) -> bool:
    """Whether a method that a script takes from one class may run on an object of another class unchanged."""
    return issubclass(cls, layers[key]) or _inherits(cls, key, name)


def classes_below(cls: type[TorchObject], key: str) -> frozenset[str]:
    """The registered classes from a class up to, and without, the ancestor with this key."""
    below: set[str] = set()
    at: type[TorchObject] | None = cls
    while at is not None and at.registered_as != key:
        below.add(at.registered_as)
        at = parent_of(at)
    return frozenset(below)


def method_of(cls: type[TorchObject], key: str, name: str, label: str) -> Callable[[list[Any]], Any]:
    """The function that runs when a script calls a method of one class on an object of another.

    It is the Python method of the object's class if the script's lookup in that class ends at this method: Python's
    classes may override what the original's inherit. Otherwise it is the method of the named class.
    """
    at = cls if _inherits(cls, key, name) else layers[key]
    if name == "__init":
        return adapt(at.__init__, label, bound=1)
    call = adapt(getattr(at, exported(at, name)), label, bound=1, unchecked=name in _PASSING_ON)
    if returns_nothing(key, name):
        return with_results(call, lambda obj: ())
    field = vars(layers[key]).get("gives", {}).get(name)
    if field is None:
        return call
    return with_results(call, lambda obj: obj.get_field(field) if field else obj)


def with_results(
    call: Callable[[list[Any]], Any], results: Callable[[TorchObject], Any]
) -> Callable[[list[Any]], Any]:
    """A method that gives a script other results than its own: what this function gives of the object."""

    def method(values: list[Any]) -> Any:
        call(values)
        return results(values[0])

    return method


def staying(cls: type[TorchObject], exports: dict[str, str]) -> dict[str, list[int]]:
    """The methods with table arguments that are read and written in Lua, and the positions of these arguments."""
    signatures = {name: fields_of(getattr(cls, attribute)) for name, attribute in exports.items()}
    return {name: [number - 1 for number in numbers] for name, numbers in signatures.items() if numbers}


def appending(cls: type[TorchObject]) -> list[str]:
    """The methods of a class that append a module to the children, where they are those of the class that says so."""
    return [
        name
        for base in cls.__mro__
        for name in base.__dict__.get("appending", ())
        if getattr(cls, name) is base.__dict__[name]
    ]


def extension_of(package: str, cls: type[TorchObject]) -> dict[str, str]:
    """The methods that a package adds to a class or its ancestors: Lua name -> Python attribute."""
    exports: dict[str, str] = {}
    for name, methods in extensions.get(package, {}).items():
        if issubclass(cls, layers[name]):
            exports |= methods
    return exports
