"""Files and the serializer as scripts use them, case by case against the original.

tests/golden/README.md says how the texts were made.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.inner_runtime import InnerRuntime as Runtime

GOLDEN = json.loads(gzip.decompress((Path(__file__).parents[1] / "golden" / "files.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    with Runtime() as one:
        one.execute(GOLDEN["prelude"])
        yield one


JOINED = "say(t[1](1), t[2]()"  # in the case of two functions with a variable in common


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: " ".join(case["code"].split())[:60])
def test_as_in_the_original(shared: Runtime, lua_name: str, case: dict[str, Any]) -> None:
    if JOINED in case["code"] and not lua_name.startswith("luajit"):
        pytest.skip("Lua 5.1 cannot join the variables of two functions")
    assert shared.execute(f"return run(function()\n{case['code']}\nend)") == case["text"]


def test_a_zero_keeps_its_sign(runtime: Runtime) -> None:
    runtime.execute("""
        signs = {}
        local ZERO = -tonumber('0')
        local function sign(x) signs[#signs + 1] = 1 / x end
        local f = torch.MemoryFile()
        f:writeDouble(ZERO)
        f:seek(1)
        sign(f:readDouble())
        sign(torch.FloatTensor(300):fill(ZERO)[300])
        sign(torch.DoubleStorage(3):fill(ZERO)[2])
        local masked = torch.Tensor(2):zero()
        masked:maskedFill(torch.ByteTensor {1, 0}, ZERO)
        sign(masked[1])
        sign(torch.Tensor(2, 2):fill(ZERO):add(ZERO)[1][2])
    """)
    assert list(runtime.globals["signs"]) == [float("-inf")] * 5


def test_objects_far_inside_of_each_other(runtime: Runtime) -> None:
    runtime.execute("""
        require 'nn'
        local function nest(n) local t = {7} for _ = 1, n do t = {t} end return t end
        local function depth(t) local n = 0 while type(t[1]) == 'table' do t, n = t[1], n + 1 end return n, t[1] end
        local f = 7
        for _ = 1, 700 do local inner = f f = function() return inner end end
        f = torch.deserialize(torch.serialize(f))
        calls = 0
        while type(f) == 'function' do f, calls = f(), calls + 1 end
        saved = {depth(torch.deserialize(torch.serialize(nest(5000))))}
        local m = nn.Identity()
        m.t = nest(5000)
        cloned = {depth(m:clone().t)}
        local t = nest(400)
        local last = t
        while type(last[1]) == 'table' do last = last[1] end
        last[1] = io.stdout
        _, message = pcall(torch.serialize, t)
    """)
    found = runtime.globals
    assert (*found["saved"], *found["cloned"], found["calls"]) == (5000, 7, 5000, 7, 700)
    assert found["message"].startswith("python:18: Unwritable object <userdata> at")
