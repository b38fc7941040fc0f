"""x[k] and x[k] = v for numbers and tables of numbers, on memory that Lua reaches and that it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import failure, lua, plain
from tests.together import together
from torch7py.ops import types

V = np.arange(1, 6)
M = np.arange(1, 13).reshape(3, 4)
C = np.arange(1, 25).reshape(2, 3, 4)
F = np.arange(1, 17).reshape(2, 2, 2, 2)

# What is written in Lua, and the same in numpy.
PLACES: list[tuple[str, str, Any]] = [
    ("v", "2", 1),
    ("v", "-1", -1),
    ("v", "-5", 0),
    ("v", "2.9", 1),
    ("v", "{3}", 2),
    ("v", "{-2}", -2),
    ("v", "{{2, 4}}", slice(1, 4)),
    ("v", "{{2, -2}}", slice(1, 4)),
    ("v", "{{4}}", slice(3, 4)),
    ("v", "{{}}", slice(None)),
    ("v", "{}", slice(None)),
    ("m", "2", 1),
    ("m", "-1", -1),
    ("m", "{2}", 1),
    ("m", "{2, 3}", (1, 2)),
    ("m", "{-1, -2}", (-1, -2)),
    ("m", "{2, {2, 4}}", (1, slice(1, 4))),
    ("m", "{{}, 4}", (slice(None), 3)),
    ("m", "{{1, 2}}", slice(0, 2)),
    ("m", "{{2}, {}}", slice(1, 2)),
    ("m", "{{2, 3}, {-3, -2}}", (slice(1, 3), slice(1, 3))),
    ("m", "{{nil, 2}, 1}", (slice(0, 2), 0)),
    ("m:t()", "2", (slice(None), 1)),
    ("m:t()", "{4, 3}", (2, 3)),
    ("m:t()", "{{2, 3}, 1}", (0, slice(1, 3))),
    ("m:narrow(2, 2, 2)", "{3, 1}", (2, 1)),
    ("c", "1", 0),
    ("c", "{2, 1}", (1, 0)),
    ("c", "{2, 1, 3}", (1, 0, 2)),
    ("c", "{-1, -1, -1}", (-1, -1, -1)),
    ("c", "{{}, {2, 3}, 1}", (slice(None), slice(1, 3), 0)),
    ("c", "{2, {}, {1, 2}}", (1, slice(None), slice(0, 2))),
    ("c", "{{1, 2}, {1, 2}, {2, 4}}", (slice(0, 2), slice(0, 2), slice(1, 4))),
    ("f", "{1, 2, 1, 2}", (0, 1, 0, 1)),
    ("f", "{2, {}, 1}", (1, slice(None), 0)),
]
SHAPES = {"v": V, "m": M, "c": C, "f": F}
PRELUDE = " ".join(
    f"local {name} = torch.{{type}}Tensor():range(1, {values.size}):resize({', '.join(map(str, values.shape))})"
    for name, values in SHAPES.items()
)


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def base(name: str) -> Any:
    return SHAPES[name[0]]


class TestEveryPlace:
    def prelude(self, name: str) -> str:
        return PRELUDE.replace("{type}", name)

    @together("name", [t.name for t in types.NUMBER_TYPES])
    @together(("x", "k", "place"), PLACES)
    def test_read(self, rt: Runtime, name: str, x: str, k: str, place: Any) -> None:
        found = lua(rt, f"{self.prelude(name)} return {x}[{k}]")
        expected = base(x)[place]
        assert plain(found) == expected.tolist()
        if isinstance(found, torch.Tensor):
            assert found.dtype == types.BY_NAME[name].dtype

    @together("name", [t.name for t in types.NUMBER_TYPES])
    @together(("x", "k", "place"), PLACES)
    def test_write_a_number(self, rt: Runtime, name: str, x: str, k: str, place: Any) -> None:
        expected = base(x).copy()
        expected[place] = 99
        assert plain(lua(rt, f"{self.prelude(name)} {x}[{k}] = 99 return {x[0]}")) == expected.tolist()

    @together("name", [t.name for t in types.NUMBER_TYPES])
    @together(("x", "k", "place"), PLACES)
    def test_write_a_tensor(self, rt: Runtime, name: str, x: str, k: str, place: Any) -> None:
        """Of any type and shape, as many elements as there are places."""
        expected = base(x).copy()
        count = expected[place].size
        selected = expected[place]
        shape = selected.shape
        if x.startswith("m:t") and selected.ndim == 2:
            values = np.arange(50, 50 + count).reshape(shape[::-1]).T
        else:
            values = np.arange(50, 50 + count).reshape(shape)
        expected[place] = values
        source = f"{self.prelude(name)} {x}[{k}] = torch.IntTensor():range(50, {49 + count}) return {x[0]}"
        assert plain(lua(rt, source)) == expected.tolist()


def test_a_part_shares_memory_and_knows_its_place(rt: Runtime) -> None:
    """Elements of parts are read and written without Python, from a header made with the part."""
    source = """
        local c = torch.range(1, 24):view(2, 3, 4)
        local p = c[{{}, {2, 3}, 3}]
        local q = p[2]
        q[1] = -7
        p[{1, 2}] = -8
        return p:size(), p:stride(), p:storageOffset(), q:storageOffset(), c[2][2][3], c[1][3][3], p[{1, 2}], q[-1]"""
    assert plain(lua(rt, source)) == ([2, 2], [12, 4], 7, 19, -7, -8, -8, 23)


def test_chains(rt: Runtime) -> None:
    source = "local c = torch.range(1, 24):view(2, 3, 4) c[2][3][4] = 0 c[1][2] = 5 return c[2][3], c[1]"
    assert plain(lua(rt, source)) == ([21, 22, 23, 0], [[1, 2, 3, 4], [5, 5, 5, 5], [9, 10, 11, 12]])


def test_whole_types_cast_as_c_does(rt: Runtime) -> None:
    source = """
        local x = torch.ByteTensor(4)
        x[1], x[2], x[{3}] = 300, -1, 2.9
        x[{{4}}] = 257
        return x"""
    assert plain(lua(rt, source)) == [44, 255, 2, 1]


def test_long_elements_are_numbers(rt: Runtime) -> None:
    source = """
        local x = torch.LongTensor{2^53, 7}
        return type(x[1]), x[1] == 2^53, x[2] + 1, type(x:view(1, 2)[{1, 2}]), type(x:view(1, 2)[1][1])"""
    assert lua(rt, source) == ("number", True, 8, "number", "number")


def test_elements_are_never_stale(rt: Runtime) -> None:
    """What moves a tensor's memory or changes its sizes is seen by the next access."""
    source = """
        local x = torch.Tensor{1, 2}
        local before = x[1]
        x:resize(1000):fill(5)
        local resized = x[1000]
        x:set(torch.Tensor{8, 9})
        local set = x[2]
        local y = torch.Tensor{3, 4}
        x.cmul(x, y, y)
        x:storage():resize(5000)
        x[1] = 6
        torch.cat(x, y, y, 1)
        return before, resized, set, x[1], x[4], x:size(1)"""
    assert lua(rt, source) == (1, 5, 9, 3, 4, 4)


def test_python_moves_a_tensor_between_two_accesses(rt: Runtime) -> None:
    x = torch.tensor([1.0, 2.0])
    assert lua(rt, "return x[2]", x=x) == 2
    x.data = torch.tensor([5.0, 6.0, 7.0])
    assert lua(rt, "return x[3] + x:size(1)") == 10


def test_more_dimensions_than_a_header_holds(rt: Runtime) -> None:
    source = """
        local x = torch.range(1, 1024):resize(torch.LongStorage{2, 2, 2, 2, 2, 2, 2, 2, 2, 2})
        x[{2, 1, 1, 1, 1, 1, 1, 1, 1, 2}] = -5
        local y = x[2]
        return x:dim(), x:size(10), y:dim(), y[{1, 1, 1, 1, 1, 1, 1, 1}], x[{1, {}, 1, 1, 1, 1, 1, 1, 1, 2}],
               x:nElement(), y:totable()[1][1][1][1][1][1][1][1][2]"""
    assert plain(lua(rt, source)) == (10, 2, 9, [513, -5], [2, 258], 1024, -5)


def test_eight_dimensions(rt: Runtime) -> None:
    source = """
        local x = torch.range(1, 256):view(2, 2, 2, 2, 2, 2, 2, 2)
        return x[{2, 1, 2, 1, 2, 1, 2, 1}], x[{2, 1, 2, 1, 2, 1, {1, 2}, 2}], x:nElement()"""
    assert plain(lua(rt, source)) == (171, [170, 172], 256)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("local v = x[4]", "index 4 is out of bounds for dimension 1 of size 3"),
        ("local v = x[0]", "index 0 is out of bounds for dimension 1 of size 3"),
        ("local v = x[-4]", "index -4 is out of bounds for dimension 1 of size 3"),
        ("x[4] = 1", "index 4 is out of bounds for dimension 1 of size 3"),
        ("x[{1, 5}] = 1", "index 5 is out of bounds for dimension 2 of size 4"),
        ("local v = x[{1, 0}]", "index 0 is out of bounds for dimension 2 of size 4"),
        ("local v = x[{{1, 4}}]", "index 4 is out of bounds for dimension 1 of size 3"),
        ("local v = x[{{0, 1}}]", "index 0 is out of bounds for dimension 1 of size 3"),
        ("local v = x[{{3, 2}}]", "range {3, 2} of dimension 1 ends before it starts"),
        ("local v = x[{1, 2, 3}]", "too many indices: 3 for a tensor of 2 dimensions"),
        ("local v = x[{'a'}]", "index 1 is a string"),
        ("local v = x[{{'a'}}]", "an index is a string: expected a number"),
        ("local v = e[1]", "indexing an empty tensor"),
        ("e[1] = 3", "indexing an empty tensor"),
        ("x[1] = 'a'", "a tensor element cannot be set to a string"),
        ("x[1] = {1, 2, 3, 4}", "a tensor element cannot be set to a table"),
        ("x[1] = nil", "a tensor element cannot be set to a nil"),
        ("x[1] = torch.Tensor(3)", "inconsistent tensor size"),
        ("x[{1, 1}] = torch.Tensor(2)", "inconsistent tensor size"),
    ],
)
def test_errors(rt: Runtime, source: str, message: str) -> None:
    assert message in failure(rt, f"local x, e = torch.Tensor(3, 4), torch.Tensor() {source}")


def test_unknown_names_are_nil(rt: Runtime) -> None:
    assert plain(
        lua(rt, "local x = torch.Tensor(2) return x.nothing, x.new ~= nil, torch.Tensor(1).nothing")
    ) == (
        None,
        True,
        None,
    )


def test_a_table_used_before_in_a_call(rt: Runtime) -> None:
    """A table that Python has seen is still just numbers."""
    source = """
        local k, x = {2, 3}, torch.range(1, 12):view(3, 4)
        pcall(torch.cat, k)
        k[2] = 4
        x[k] = -1
        return x[k], x[2]"""
    assert plain(lua(rt, source)) == (-1, [5, 6, 7, -1])


def test_methods_added_by_a_script(rt: Runtime) -> None:
    source = """
        local mt = torch.getmetatable('torch.ShortTensor')
        rawset(mt, 'twice', function(self) return self * 2 end)
        return torch.ShortTensor{1, 2}:twice()"""
    assert plain(lua(rt, source)) == [2, 4]


def test_loops_stay_in_lua(rt: Runtime, lua_name: str) -> None:
    """Element accesses after slow ones through the same functions: these are compiled.

    Compiled code calls no hooks, so a hook counts what is interpreted, as an empty loop shows that may not be compiled.
    Of a round that is the loop itself, 17 instructions, or none where LuaJIT has compiled that too; where one of the
    ways in is interpreted, it is 47 or more.
    """
    if lua_name != "luajit21":
        pytest.skip("only LuaJIT 2.1 keeps the fast ways apart from the slow ones")
    source = """
        local x, v, t = torch.zeros(20, 30, 5), torch.zeros(100), torch.Tensor(30)
        for i = 1, 3000 do
           local _ = x[{{2, 5}, {}, 3}], x[3], x:size(), v[{{1, 2}}]
           x[{1, {}, 1}] = t
           v[{{1, 2}}] = i
        end
        local sum, counted = 0, 0
        local function rounds(n)
           for i = 1, n do
              v[i % 100 + 1] = i
              sum = sum + v[3] + x[{2, 3, 4}] + x:size(1)
           end
        end
        local function interpreted(n) for i = 1, n do end end
        jit.off(interpreted)
        rounds(10000)
        debug.sethook(function() counted = counted + 100 end, '', 100)
        rounds(100000)
        local of_rounds = counted
        interpreted(100000)
        debug.sethook()
        return of_rounds / 100000, (counted - of_rounds) / 100000"""
    of_rounds, of_empty_loop = lua(rt, source)
    assert of_rounds < 25
    assert of_empty_loop >= 1


KEYS = "nil", "true", "print", "torch.FloatTensor{1}", "torch.DoubleStorage{1}", "io.stdout", "torch.Timer()"
VALUES = "torch.Tensor{1, 2}", "torch.FloatTensor{1, 2}", "torch.ByteStorage{1, 2}", "torch.HalfTensor(2)"


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_selects_nothing_is_no_field(rt: Runtime, values: str, key: str) -> None:
    """As in the original: such a key is looked for in the class, where nothing has it."""
    assert lua(rt, f"local x = {values} return x[{key}]") is None
    assert "cannot be indexed" in failure(rt, f"local x = {values} x[{key}] = 1")
