"""socket: the clock, and no connections."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


def lua(text: str) -> Any:
    with Runtime() as runtime:
        return runtime.execute(text)


def test_socket_tells_the_time():
    assert abs(lua("return require('socket').gettime()") - time.time()) < 60
    with pytest.raises(LuaError, match="there are no connections here"):
        lua("require('socket').connect('localhost', 80)")
