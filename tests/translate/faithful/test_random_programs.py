"""Random programs print the same in LuaJIT and as Python."""

from __future__ import annotations

import re
import sys
from random import Random
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from tests.translate.faithful.programs import program
from torch7py import lua_compat
from torch7py.bridge import engine
from torch7py.lua_compat.errors import CAUGHT, thrown
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
# LuaJIT names the variable at fault, where it knows one: attempt to call global 'x' (a nil value)
NAMED = re.compile(r"[a-z]+ '[^']*' \((an? [a-z]+ value)\)")


def in_lua(source: str) -> tuple[bool, Any]:
    made = engine.new_lua("luajit21").execute(RUN, engine.chunk_source("pairs.lua"))
    ok, value = made(source)
    return ok, value


def in_python(source: str) -> tuple[bool, Any]:
    lua_compat.reset()
    depth = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        return True, lua_compat.first(compile_chunk(source, "@p.lua")())
    except CAUGHT as error:
        return False, thrown(error)
    finally:
        sys.setrecursionlimit(depth)


def assert_same(source: str) -> None:
    expected, found = in_lua(source), in_python(source)
    # what is no Lua is none, whatever words say so
    hypothesis.assume(expected[0] or not isinstance(expected[1], str) or "near '" not in expected[1])
    assert found[0] == expected[0], (expected, found)
    if isinstance(expected[1], str):
        assert NAMED.sub(r"\1", found[1]) == NAMED.sub(r"\1", expected[1])


def check(random: Random, statements: int) -> None:
    assert_same(program(random, statements))


@hypothesis.settings(max_examples=40)
@hypothesis.given(strategies.randoms(use_true_random=False))
def test_same_output(random: Random) -> None:
    check(random, 5)


@pytest.mark.slow
@hypothesis.settings(max_examples=5000, suppress_health_check=list(hypothesis.HealthCheck), derandomize=False)
@hypothesis.given(strategies.randoms(use_true_random=False))
def test_same_output_at_length(random: Random) -> None:
    check(random, 12)


@pytest.mark.parametrize(
    "call",
    [
        "('x'):rep({})",
        "('%d'):format({})",
        "('x'):find()",
        "string.rep('x', {})",
        "({rep = string.rep}):rep(3)",
    ],
)
def test_a_method_does_not_count_its_object(call: str) -> None:
    """Which argument is bad is counted without the object, as long as the call is no tail call."""
    source = f"local ok, message = pcall(function() local a = {call} return a end) return message"
    assert in_python(source) == in_lua(source)
