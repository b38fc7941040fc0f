"""socket: the clock, and no connections."""

from __future__ import annotations

import time

import pytest

from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


def test_socket_tells_the_time():
    assert abs(lua("return require('socket').gettime()") - time.time()) < 60
    with pytest.raises(LuaError, match="there are no connections here"):
        lua("require('socket').connect('localhost', 80)")
