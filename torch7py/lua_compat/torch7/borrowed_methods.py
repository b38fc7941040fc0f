"""Methods of one class of layers that a program calls on a layer of another (nn/borrowed_methods.py)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch7py.lua_compat.torch7.marshalling import is_plain, to_lua
from torch7py.lua_compat.torch7.module_class import builtin_class
from torch7py.lua_compat.torch7.module_record import Record
from torch7py.lua_compat.torch7.modules import give_field
from torch7py.lua_compat.torch7.program_methods import mark
from torch7py.lua_compat.values import Table
from torch7py.nn.borrowed_methods import borrowed_fields, borrowing
from torch7py.nn.object import TorchObject

__all__ = ["lent_to"]


def _refill(held: Table, content: Any) -> None:
    if held is not content:
        for key, _ in list(held.pairs_()):
            held.rawset_(key, None)
        for key, value in content.pairs_():
            held.rawset_(key, value)


def _mark(m: Table, record: Record) -> None:
    """Find the program's methods anew, for the layer's class of the moment."""
    if record.marked and m.meta_ is not None:
        record.marked = ()
        mark(m, record, m.meta_, builtin_class(m.meta_))


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, (list, dict)) else value


@contextmanager
def lent_to(m: Table, lender: type[TorchObject]) -> Iterator[None]:
    """Let a layer be of the lender's class.

    The fields that only the lender has are raw in the table: Python gets them, and what it makes of them comes back.
    """
    record = m.extra_
    peer = record.peer
    names = borrowed_fields(type(peer), lender)
    try:
        with borrowing(peer, lender):
            _mark(m, record)
            before = {}
            for name in names:
                if m.rawget_(name) is not None:
                    give_field(record, name, m.rawget_(name))
                before[name] = _copied(peer.get_field(name))
            try:
                yield
            finally:
                for name, old in before.items():
                    new, held = peer.get_field(name), m.rawget_(name)
                    if isinstance(new, (list, dict)) and is_plain(held):
                        _refill(held, to_lua(new))
                    elif old is not new and not (isinstance(new, (list, dict)) and old == new):
                        m.rawset_(name, to_lua(new))
    finally:
        _mark(m, record)
