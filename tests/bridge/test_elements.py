"""apply, map, map2, totable and pointers, where Lua reaches the memory and where it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import failure, lua, plain
from torch7py.ops import types

NAMES = [t.name for t in types.NUMBER_TYPES]


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.fixture
def ffi(lua_name: str) -> None:
    if lua_name == "lua51":
        pytest.skip("plain Lua has no pointers")


@pytest.mark.parametrize("name", NAMES)
class TestEveryType:
    def test_apply(self, rt: Runtime, name: str) -> None:
        source = f"""
            local x, seen = torch.{name}Tensor{{{{1, 2, 3}}, {{4, 5, 6}}}}, {{}}
            local same = rawequal(x, x:apply(function(v) seen[#seen + 1] = v if v ~= 2 then return v * 2 end end))
            return same, x, seen"""
        assert plain(lua(rt, source)) == (True, [[2, 2, 6], [8, 10, 12]], [1, 2, 3, 4, 5, 6])

    def test_apply_in_logical_order(self, rt: Runtime, name: str) -> None:
        source = f"""
            local x, i = torch.{name}Tensor(2, 3, 2), 0
            x:transpose(1, 3):apply(function() i = i + 1 return i end)
            return x, x:transpose(1, 3)[1]"""
        found, first = lua(rt, source)
        assert found.transpose(0, 2).reshape(-1).tolist() == list(range(1, 13))
        assert plain(first) == [[1, 2], [3, 4], [5, 6]]

    def test_apply_with_many_dimensions(self, rt: Runtime, name: str) -> None:
        """More than Lua knows of a tensor, in order and not."""
        source = f"""
            local x = torch.{name}Tensor(1, 2, 1, 1, 1, 1, 1, 1, 1, 3)
            local i = 0
            x:apply(function() i = i + 1 return i end)
            x:transpose(2, 10):apply(function(v) i = i * 10 % 1000 + v end)
            return x, i"""
        found, seen = lua(rt, source)
        assert found.flatten().tolist() == [1, 2, 3, 4, 5, 6]
        assert seen == 536  # ... 2, 5, 3, 6 by columns, from which the last three digits remain

    def test_map(self, rt: Runtime, name: str) -> None:
        source = f"""
            local x, y = torch.{name}Tensor{{{{1, 2}}, {{3, 4}}}}, torch.{name}Tensor{{10, 20, 30, 40}}
            local z = x:clone()
            z:t():map(y, function(a, b) return a + b end)
            return rawequal(x, x:map(y, function(a, b) return a + b end)), x, z"""
        assert plain(lua(rt, source)) == (True, [[11, 22], [33, 44]], [[11, 32], [23, 44]])

    def test_map2(self, rt: Runtime, name: str) -> None:
        source = f"""
            local new = torch.{name}Tensor
            local x, y, z = new{{1, 2, 3}}, new{{10, 20, 30}}, new{{{{1, 0}}, {{0, 0}}, {{1, 0}}}}:select(2, 1)
            return rawequal(x, x:map2(y, z, function(a, b, c) return a + b * c end)), x"""
        assert plain(lua(rt, source)) == (True, [11, 2, 33])

    def test_totable(self, rt: Runtime, name: str) -> None:
        source = f"""
            local x = torch.{name}Tensor{{{{1, 2, 3}}, {{4, 5, 6}}}}
            return x:totable(), x:t():totable(), x[2]:totable(), x:view(2, 1, 3):totable(), torch.totable(x[1]),
                   x.new():totable(), torch.totable(x:storage())"""
        assert lua(rt, source) == (
            [[1, 2, 3], [4, 5, 6]],
            [[1, 4], [2, 5], [3, 6]],
            [4, 5, 6],
            [[[1, 2, 3]], [[4, 5, 6]]],
            [1, 2, 3],
            [],
            [1, 2, 3, 4, 5, 6],
        )

    def test_many_elements(self, rt: Runtime, name: str) -> None:
        source = f"""
            local x = torch.{name}Tensor(7, 50):fill(1)
            x:narrow(2, 1, 49):apply(function(v) return v + 1 end)
            local t, n = x:t():totable(), 0
            for i = 1, #t do for j = 1, #t[i] do n = n + t[i][j] end end
            return #t, #t[1], n"""
        assert lua(rt, source) == (50, 7, 7 * 49 * 2 + 7)

    @pytest.mark.usefixtures("ffi")
    def test_data(self, rt: Runtime, name: str) -> None:
        if name == "Half":
            pytest.skip("halves have no C type: see test_data_of_halves")
        source = f"""
            local x = torch.{name}Tensor{{{{1, 2, 3}}, {{4, 5, 6}}}}
            local p, q, s = x:data(), torch.data(x[2]), x:storage():data()
            p[0] = 9
            q[1] = 8
            return x, tonumber(s[3]), p == s"""
        assert plain(lua(rt, source)) == ([[9, 2, 3], [4, 8, 6]], 4, True)


class TestFunctions:
    def test_captured_variables(self, rt: Runtime) -> None:
        source = """
            local sum = 0
            torch.range(1, 100):apply(function(x) sum = sum + x end)
            return sum"""
        assert lua(rt, source) == 5050

    def test_a_function_of_the_library(self, rt: Runtime) -> None:
        assert plain(lua(rt, "return torch.Tensor{1, 4, 9}:apply(math.sqrt)")) == [1, 2, 3]

    def test_an_error_inside_has_its_own_line(self, rt: Runtime) -> None:
        source = "local n = 0 torch.Tensor(3):apply(function() n = n + 1 if n == 2 then error('stop here') end end)"
        assert failure(rt, source) == "stop here"

    def test_false_leaves_the_element(self, rt: Runtime) -> None:
        assert plain(lua(rt, "return torch.Tensor{1, 2}:apply(function(x) return x > 1 and 5 end)")) == [1, 5]

    def test_yield(self, rt: Runtime, ffi: None) -> None:
        source = """
            local x = torch.Tensor{1, 2}
            local co = coroutine.wrap(function() x:apply(function(v) return coroutine.yield(v) end) return 'done' end)
            return co(), co(10), co(20), x"""
        assert plain(lua(rt, source)) == (1, 2, "done", [10, 20])

    def test_the_tensor_may_be_read_meanwhile(self, rt: Runtime) -> None:
        source = """
            local x = torch.Tensor{1, 2, 3}
            local y = x:clone()
            return x:apply(function(v) return v + y:sum() end)"""
        assert plain(lua(rt, source)) == [7, 8, 9]

    def test_empty(self, rt: Runtime) -> None:
        assert lua(rt, "return torch.Tensor():apply(function() error('never') end):dim()") == 0

    def test_an_expanded_tensor(self, rt: Runtime) -> None:
        """As the original's manual shows: each element is visited once for each place it takes."""
        source = """
            local x, i = torch.ones(3, 1), 0
            x:expand(3, 2):apply(function() i = i + 1 return i end)
            return x"""
        assert plain(lua(rt, source)) == [[2], [4], [6]]

    def test_whole_types_cast(self, rt: Runtime) -> None:
        source = "local i = 0 return torch.ByteTensor(3):apply(function() i = i + 1 return ({300, -1, 2.9})[i] end)"
        assert plain(lua(rt, source)) == [44, 255, 2]

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (
                "x:apply(function() return 'a' end)",
                "the function should return a number or nil, not a string",
            ),
            ("x:apply(3)", "apply: function expected, got number"),
            ("x:map(torch.Tensor(2), function() end)", "map: size mismatch: 3 elements against 2"),
            ("x:map(torch.IntTensor(3), function() end)", "torch.DoubleTensor expected, got torch.IntTensor"),
            ("x:map(3, function() end)", "bad argument #1 to 'map' (tensor expected)"),
            ("x:map2(x, nil, function() end)", "bad argument #2 to 'map2' (tensor expected)"),
            ("torch.totable(3)", "obj must be a Storage or a Tensor"),
        ],
    )
    def test_errors(self, rt: Runtime, source: str, message: str) -> None:
        assert message in failure(rt, f"local x = torch.Tensor(3) {source}")


class TestPointers:
    @pytest.mark.usefixtures("ffi")
    @pytest.mark.parametrize("source", ["x:cdata()", "torch.cdata(x)"])
    def test_there_is_no_structure_behind_a_tensor(self, rt: Runtime, source: str) -> None:
        setup = "local ffi = require 'ffi' local x = torch.Tensor(3) "
        assert lua(rt, f"{setup} return type({source})") == "cdata"
        assert "so none has a field 'storage'" in failure(rt, f"{setup} {source}.storage = nil")
        declared = "ffi.cdef 'typedef struct THDoubleTensor THDoubleTensor; void THDoubleTensor_free(THDoubleTensor*);'"
        message = failure(
            rt,
            f"{setup} {declared} ffi.cast('double*', x:data())[0] = 1 ffi.new('THDoubleTensor*', {source})",
        )
        assert "cannot convert" in message

    @pytest.mark.usefixtures("ffi")
    def test_functions_may_be_declared_with_them(self, rt: Runtime) -> None:
        source = """
            local ffi = require 'ffi'
            ffi.cdef 'void of_ours(THFloatStorage *storage, THLongTensor *place, const THGenerator *drawn);'
            return pcall(function() return ffi.C.of_ours end)"""
        assert lua(rt, source)[0] is False  # which is not there

    @pytest.mark.usefixtures("ffi")
    def test_as_a_number(self, rt: Runtime) -> None:
        x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
        assert lua(rt, "return tonumber(torch.data(x, true))", x=x) == x.data_ptr()
        source = "local s = torch.Storage(3, tonumber(torch.data(x, true))) local y = torch.Tensor(s) y[1] = 7 return y"
        assert plain(lua(rt, source)) == [7, 2, 3]
        assert x[0] == 7

    @pytest.mark.usefixtures("ffi")
    def test_keeps_the_memory(self, rt: Runtime) -> None:
        source = """
            local p = torch.Tensor(1000):fill(3):data()
            for i = 1, 50 do collectgarbage() torch.Tensor(1000):fill(i) end
            local sum = 0
            for i = 0, 999 do sum = sum + p[i] end
            return sum"""
        assert lua(rt, source) == 3000

    @pytest.mark.usefixtures("ffi")
    def test_strings_of_bytes(self, rt: Runtime) -> None:
        source = """
            local ffi = require 'ffi'
            return ffi.string(torch.CharTensor{104, 105}:data(), 2), ffi.string(torch.ByteTensor{104, 111}:data(), 2)"""
        assert lua(rt, source) == ("hi", "ho")

    @pytest.mark.usefixtures("ffi")
    def test_data_of_halves(self, rt: Runtime) -> None:
        # 1.0 as a half is 0x3c00
        assert lua(rt, "return torch.HalfTensor{1}:data()[0]") == 0x3C00

    @pytest.mark.usefixtures("ffi")
    def test_of_nothing(self, rt: Runtime) -> None:
        assert lua(rt, "return torch.Tensor():data(), torch.data(nil)") == (None, None)

    def test_plain_lua_has_none(self, rt: Runtime, lua_name: str) -> None:
        if lua_name != "lua51":
            pytest.skip("LuaJIT has pointers")
        assert "there are no pointers in plain Lua 5.1" in failure(rt, "local p = torch.Tensor(2):data()")


class TestElsewhere:
    """Tensors whose memory Lua cannot reach: PyTorch's meta device stands for a GPU, as far as it can."""

    def test_data_is_an_error(self, rt: Runtime, ffi: None) -> None:
        rt.globals["x"] = torch.zeros(3, device="meta")
        assert "on another device" in failure(rt, "local p = x:data()")

    def test_sizes_need_no_memory(self, rt: Runtime) -> None:
        rt.globals["x"] = torch.zeros(3, 4, device="meta")
        source = "local y = x[2] return x:size(2), y:size(1), x[{{1, 2}, 3}]:size(1), x:dim(), x:nElement()"
        assert lua(rt, source) == (4, 4, 2, 2, 12)


# What torch 814ea4a on x86-64 made of numbers that types do not hold: Byte, Char, Short, Int, Long.
TOO_GREAT = {
    "1e10": (0, 0, 0, -(2**31), 10**10),
    "-3e9": (0, 0, 0, -(2**31), -3 * 10**9),
    "2^33 + 5": (0, 0, 0, -(2**31), 2**33 + 5),
    "0 / 0": (0, 0, 0, -(2**31), -(2**63)),
    "-1e20": (0, 0, 0, -(2**31), -(2**63)),
    "70000": (112, 112, 4464, 70000, 70000),
    "-3.99": (253, -3, -3, -3, -3),
}


@pytest.mark.parametrize("number", TOO_GREAT)
def test_a_number_that_types_do_not_hold(rt: Runtime, number: str) -> None:
    source = f"""
        local v, found = {number}, {{}}
        for i, name in ipairs{{'Byte', 'Char', 'Short', 'Int', 'Long'}} do
           local x, s = torch[name .. 'Tensor'](2, 2):zero(), torch[name .. 'Storage'](2)
           local ways = {{
              function() x[1][1] = v return x[1][1] end,
              function() x[{{2, 1}}] = v return x[2][1] end,
              function() x[1] = v return x[1][2] end,
              function() return x:fill(v)[1][1] end,
              function() return x:zero():add(v)[1][1] end,
              function() return x:fill(1):mul(v)[1][1] end,
              function() return x:apply(function() return v end)[1][1] end,
              function() x:zero():maskedFill(x:eq(0), v) return x[1][1] end,
              function() s[1] = v return s[1] end,
              function() return s:fill(v)[1] end,
           }}
           found[i] = {{}}
           for way, f in ipairs(ways) do found[i][way] = f() end
        end
        return found"""
    assert lua(rt, source) == [[expected] * 10 for expected in TOO_GREAT[number]]
