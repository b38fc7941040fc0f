"""What strings and numbers do in expressions: a string's methods are the string library's functions."""

from __future__ import annotations

from typing import Any

from torch7py.lua_compat.errors import fault
from torch7py.lua_compat.strings import string, string_metatable
from torch7py.lua_compat.values import Behaviour, Table, behaviours, call, index_by

__all__: list[str] = []


class Strings(Behaviour):
    kind = "string"

    def index(self, value: Any, key: Any) -> Any:
        methods = string_metatable.hash_.get("__index")
        if methods is string:
            return string.rawget_(key)
        return index_by(methods, value, key)

    def method(self, value: Any, name: str, args: tuple[Any, ...]) -> Any:
        function = self.index(value, name)
        if function is None:
            raise fault(f"attempt to call method '{name}' (a nil value)")
        return call(function, value, *args)

    def metatable(self, value: Any) -> Table:
        return string_metatable

    def text(self, value: Any) -> str:
        return str(value)


class Numbers(Behaviour):
    kind = "number"


behaviours[str] = Strings()
behaviours[int] = behaviours[float] = Numbers()
