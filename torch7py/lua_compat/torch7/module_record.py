"""What is known of the layer behind a Lua table."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

from torch7py.lua_compat.torch7.module_class import native
from torch7py.lua_compat.values import Table
from torch7py.nn.object import TorchObject

__all__ = ["Record", "by_number", "child_of", "is_module"]


class Record:
    """What is known of one layer's table besides what is in it.

    ``mirrored`` and ``linked`` are the children and links that the layer has, ``marked`` its methods that are the
    program's now, ``restored`` the table fields as a file had them.
    """

    __slots__ = ("__weakref__", "linked", "marked", "mirrored", "number", "peer", "restored", "table_fields")

    def __init__(self, peer: TorchObject) -> None:
        self.peer = peer
        self.number = next(_numbers)
        self.table_fields: dict[str, None] = {}
        self.mirrored: list[Any] | None = None
        self.linked: dict[str, Any] = {}
        self.marked: tuple[str, ...] = ()
        self.restored: set[str] = set()


_numbers = itertools.count(1)
by_number: weakref.WeakValueDictionary[int, Table] = weakref.WeakValueDictionary()


def is_module(value: Any) -> bool:
    """Whether a value is a layer, its Python side made or not."""
    if not isinstance(value, Table):
        return False
    if type(value.extra_) is Record:
        return True
    return value.meta_ is not None and native(value.meta_) is not None


def child_of(value: Any) -> Any:
    """The layer behind a table; None for what is none, or has not been made yet."""
    return value.extra_.peer if isinstance(value, Table) and type(value.extra_) is Record else None
