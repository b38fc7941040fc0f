"""Lines of Lua that tests of layers run."""

from __future__ import annotations

from typing import Any

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

__all__ = ["lua", "lua_error"]


def lua(runtime: Runtime, code: str) -> Any:
    """The results of a chunk of Lua with nn loaded."""
    return runtime.execute(f"require 'nn' {code}", "@test.lua")


def lua_error(runtime: Runtime, code: str) -> str:
    """The message of an error in one line of Lua, without the place, which must be that line."""
    with pytest.raises(LuaError) as caught:
        lua(runtime, code)
    place = "test.lua:1: "
    assert caught.value.message.startswith(place), caught.value.message
    return caught.value.message.removeprefix(place)
