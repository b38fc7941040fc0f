"""A script's table that stays in Lua: read and written in place, never copied.

So functions of packages get the tables that they change, and layers the objects of a program's own classes, which
are no tables to them: they hand them on as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from functools import partial
from typing import Any, NoReturn

from torch7py.bridge.calls import LuaReference, read_answer, saved_and_read
from torch7py.bridge.dispatch import encode_results
from torch7py.nn.copying import CustomSerialization
from torch7py.nn.sequence_methods import STEP_CLONE

__all__ = ["ObjectView", "TableView"]


class TableView(LuaReference, MutableMapping[Any, Any]):
    """The entries of a Lua table; those under names are what it is made of."""

    __slots__ = ()
    has_numbers = False  # whether entries under numbers count, too

    @property
    def class_name(self) -> str:
        """What ``torch.type`` says of it."""
        return str(self.get("__typename", "table"))

    def _call(self, name: str, *arguments: Any) -> Any:
        runtime = self.runtime()
        return read_answer(runtime, runtime.callbacks[name](self.number, *arguments))

    def get(self, key: Any, default: Any = None) -> Any:
        value = self._call("table_get", key)
        return default if value is None else value

    def pick(self, *keys: str) -> tuple[Any, ...]:
        """The values of several keys in one call, None for each missing one."""
        values = self._call("table_pick", *keys)
        return values if isinstance(values, tuple) else (values,)

    def __getitem__(self, key: Any) -> Any:
        value = self._call("table_get", key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        self._call("table_set", key, *encode_results(self.runtime().handles, value))

    def __delitem__(self, key: Any) -> None:
        self[key]
        self._call("table_set", key, 0, None)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._call("table_keys", self.has_numbers))

    def __len__(self) -> int:
        return len(self._call("table_keys", self.has_numbers))

    def __deepcopy__(self, memo: dict[Any, Any]) -> NoReturn:
        raise CustomSerialization(partial(saved_and_read, self.runtime(), STEP_CLONE in memo))


class ObjectView(TableView):
    """An object of a program's class, which layers hand on."""

    __slots__ = ()
    has_numbers = True
