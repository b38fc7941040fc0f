"""Methods of one class called on objects of another, as Lua allows: ``C.reinforce = nn.AbstractRecurrent.reinforce``.

The method works on the object's fields. While it runs, the object belongs to a class that derives from the lender's
class and has the exported methods of the object's class: methods that it calls by name are the object's, everything
else that it needs is the lender's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch7py.nn.binding import all_exports
from torch7py.nn.object import TorchObject

__all__ = ["actual_class", "borrowed_fields", "borrowing"]

_STORE = "_lent"  # where an object keeps, by lender, what the lender's methods left on it


def actual_class(obj: TorchObject) -> type[TorchObject]:
    """The class of an object, even while it belongs to a borrowing class."""
    cls: type[TorchObject] = type(obj).__dict__.get("borrowing_class_of", type(obj))
    return cls


def _with_actual_class(attribute: str, cls: type[TorchObject]) -> Callable[..., Any]:
    """A method of the object's actual class, callable while the object belongs to a borrowing class."""

    def method(obj: TorchObject, *arguments: Any, **named: Any) -> Any:
        with borrowing(obj, cls):
            return getattr(cls, attribute)(obj, *arguments, **named)

    return method


_classes: dict[tuple[type[TorchObject], type[TorchObject]], type[TorchObject]] = {}


def _class_for(cls: type[TorchObject], lender: type[TorchObject]) -> type[TorchObject]:
    borrower = _classes.get((cls, lender))
    if borrower is None:
        borrower = _classes[cls, lender] = _make_class(cls, lender)
    return borrower


def _make_class(cls: type[TorchObject], lender: type[TorchObject]) -> type[TorchObject]:
    theirs = set(all_exports(lender).values())
    attributes: dict[str, Any] = {
        attribute: _with_actual_class(attribute, cls)
        for attribute in all_exports(cls).values()
        if attribute not in theirs or getattr(cls, attribute) is not getattr(lender, attribute)
    }
    attributes.pop("__init__", None)
    named: dict[str, Any] = {
        name: getattr(cls, name) for name in ("torch7_name", "registered_as", "__module__")
    }
    named |= {"borrowing_class_of": cls, "lua_methods": all_exports(cls)}
    return type(cls.__name__, (lender,), attributes | named)


def borrowed_fields(cls: type[TorchObject], lender: type[TorchObject]) -> list[str]:
    """The fields of the lender that the class does not have. On an object they can only be fields that a script set."""
    known = {*cls.all_fields(), *cls.links, *cls.lists, "modules"}
    return [name for name in (*lender.all_fields(), *lender.links) if name not in known]


@contextmanager
def borrowing(obj: TorchObject, lender: type[TorchObject]) -> Iterator[None]:
    """Let an object belong to a class that it does not derive from.

    Its attributes of that class are kept for the next time. Fields that the object lacks are as in an object whose
    constructor has not run.
    """
    if isinstance(obj, lender):
        yield
        return
    before, cls = type(obj), actual_class(obj)
    if issubclass(cls, lender):
        obj.__class__ = cls
        try:
            yield
        finally:
            obj.__class__ = before
        return
    attributes = obj.__dict__
    stores = attributes.setdefault(_STORE, {})
    kept = stores.get(lender)
    if kept is None:
        kept = stores[lender] = lender.blank().__dict__
    added = [name for name in kept if name not in attributes]
    attributes.update((name, kept[name]) for name in added)
    modules = dict(obj._modules)
    obj.__class__ = _class_for(cls, lender)
    there = obj.child_list()
    try:
        yield
    finally:
        children = obj.child_list()
        obj.__class__ = before
        stores[lender] = {name: attributes.pop(name) for name in added if name in attributes}
        if children is not None and children != there:
            obj._modules.clear()
            obj._modules.update(modules)
            obj.set_child_list(children)
