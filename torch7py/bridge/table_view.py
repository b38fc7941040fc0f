"""A script's table as functions of packages get it: read and written in place, never copied."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from torch7py.bridge.calls import LuaReference, read_answer
from torch7py.bridge.dispatch import encode_results

__all__ = ["TableView"]


class TableView(LuaReference, MutableMapping[str, Any]):
    """The string keys of a Lua table."""

    __slots__ = ()

    def _call(self, name: str, *arguments: Any) -> Any:
        runtime = self.runtime()
        return read_answer(runtime, runtime.callbacks[name](self.number, *arguments))

    def get(self, key: str, default: Any = None) -> Any:
        value = self._call("table_get", key)
        return default if value is None else value

    def pick(self, *keys: str) -> tuple[Any, ...]:
        """The values of several keys in one call, None for each missing one."""
        values = self._call("table_pick", *keys)
        return values if isinstance(values, tuple) else (values,)

    def __getitem__(self, key: str) -> Any:
        value = self._call("table_get", key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        self._call("table_set", key, *encode_results(self.runtime().handles, value))

    def __delitem__(self, key: str) -> None:
        self[key]
        self._call("table_set", key, 0, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._call("table_keys"))

    def __len__(self) -> int:
        return len(self._call("table_keys"))
