"""Random programs print the same in LuaJIT and as Python."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.translate.faithful.programs import program
from torch7py import lua
from torch7py.bridge import engine
from torch7py.lua.errors import CAUGHT, thrown
from torch7py.translate.faithful import compile_chunk

pytestmark = pytest.mark.skipif(engine.engine_name() != "luajit21", reason="compares with LuaJIT 2.1")

RUN = """
local sorted = assert(loadstring(...))(next)
return function(source)
   sorted.install('sorted')
   local f, err = loadstring(source, '@p.lua')
   if not f then return false, err end
   return pcall(f)
end
"""


@pytest.fixture(scope="module")
def in_lua() -> Callable[[str], tuple[bool, Any]]:
    def run(source: str) -> tuple[bool, Any]:
        made = engine.new_lua("luajit21").execute(RUN, engine.chunk_source("pairs.lua"))
        ok, value = made(source)
        return ok, value

    return run


def in_python(source: str) -> tuple[bool, Any]:
    lua.reset()
    try:
        return True, lua.first(compile_chunk(source, "@p.lua")())
    except CAUGHT as error:
        return False, thrown(error)


@pytest.mark.parametrize("seed", range(25))
def test_same_output(in_lua, seed):
    source = program(Random(seed), 6)
    expected = in_lua(source)
    depth = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        found = in_python(source)
    finally:
        sys.setrecursionlimit(depth)
    if expected[0]:
        assert found == expected
    else:  # a failure of the program itself: where it is raised is the same, its words name a variable
        assert not found[0]
