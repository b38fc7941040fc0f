"""Objects of Python classes whose attributes are a script's table (see ``registry.record``)."""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["bound"]


@cache
def bound(cls: type) -> type:
    """A subclass whose objects keep their attributes in the mapping ``_fields``."""

    def get(self: Any, name: str) -> Any:
        value = object.__getattribute__(self, "_fields").get(name)
        if value is None:
            raise AttributeError(name)
        return value

    def set_(self: Any, name: str, value: Any) -> None:
        self._fields[name] = value

    return type(cls.__name__, (cls,), {"__slots__": ("_fields",), "__getattr__": get, "__setattr__": set_})
