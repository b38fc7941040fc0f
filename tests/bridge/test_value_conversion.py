"""What becomes what between Python and Lua: the table of docs/value_conversion.md."""

from __future__ import annotations

import copy
import datetime
import decimal
import gc
import math
import pathlib
import pickle
import time
import weakref
from collections.abc import Iterator
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import torch

import torch7py
from tests.together import together
from torch7py import LuaFunction, LuaTable, Runtime
from torch7py.ops.timer import Timer


@pytest.fixture
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def there_and_back(rt: Runtime, value: Any) -> Any:
    return rt.execute("return function(...) return ... end")(value)


# -- what crosses -----------------------------------------------------------------------------------------

PLAIN = [
    None,
    True,
    False,
    0,
    -7,
    2**53,
    -(2**53),
    2**60,
    0.5,
    math.inf,
    "",
    "text",
    "日本",
    "a\0b",
    b"\xff\xfe",
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_come_back(rt: Runtime, value: Any) -> None:
    found = there_and_back(rt, value)
    assert found == value
    assert type(found) is type(value)


def test_a_zero_keeps_its_sign_and_nan_is_one(rt: Runtime) -> None:
    assert math.copysign(1, there_and_back(rt, -0.0)) == -1
    assert math.isnan(there_and_back(rt, math.nan))


@pytest.mark.parametrize(
    ("value", "lua"),
    [
        (np.float32(0.5), "number 0.5"),
        (np.int8(-3), "number -3"),
        (np.uint64(2**40), "number 1099511627776"),
        (np.bool_(True), "boolean true"),
        (torch.tensor(2.5), "number 2.5"),
        (torch.tensor(7), "number 7"),
        (torch.tensor(True), "boolean true"),
        (np.array(2.5), "number 2.5"),
        ("é", "string \xc3\xa9"),
        (b"ok", "string ok"),
    ],
    ids=repr,
)
def test_numbers_and_texts_in_lua(rt: Runtime, value: Any, lua: str) -> None:
    kind, shown = rt.execute("return function(x) return type(x), tostring(x) end")(value)
    assert f"{kind} {shown}" == (lua.encode("latin1").decode() if isinstance(value, str) else lua)


def test_text_is_str_where_it_is_utf8_else_bytes(rt: Runtime) -> None:
    assert rt.execute(r"return '\195\169', '\233', #'é'") == ("é", b"\xe9", 2)
    assert there_and_back(rt, b"abc") == "abc"  # what Lua has are bytes either way


@pytest.mark.parametrize(
    "value", [2**53 + 1, -(2**63) - 1, 10**400, np.int64(2**62 + 1), torch.tensor(2**62 + 1)]
)
def test_a_number_that_would_be_rounded_is_an_error(rt: Runtime, value: Any) -> None:
    with pytest.raises(OverflowError, match="no Lua number"):
        there_and_back(rt, value)


STRANGE: list[tuple[Any, str]] = [
    ({1, 2}, "set"),
    (frozenset(), "frozenset"),
    (1j, "complex"),
    (np.complex64(1), "numpy.complex64"),
    (decimal.Decimal(1), "decimal.Decimal"),
    (datetime.date(2016, 1, 1), "datetime.date"),
    (
        pathlib.PurePosixPath("a"),
        f"{pathlib.PurePosixPath.__module__}.PurePosixPath",
    ),  # Python 3.13 has it inside
    (range(3), "range"),
    (iter([]), "list_iterator"),
    (bytearray(b"a"), "bytearray"),
    (object(), "object"),
    (torch.ones(2, dtype=torch.bfloat16), "torch.bfloat16"),
    (torch.ones(2, dtype=torch.complex64), "torch.complex64"),
    (torch.ones(2).to_sparse(), "torch.sparse_coo"),
    (torch.device("cpu"), "torch.device"),
    (torch.float32, "torch.dtype"),
    (np.ones(2, dtype=np.complex64), "complex64"),
    (np.ones(2, dtype=">f8"), ">f8"),
    (np.array(["a"]), "<U1"),
    (np.ones(3)[::-1], "float64"),
    (np.broadcast_to(np.ones(1), 3), "read-only"),
    (torch7py.T7Object("nn.Foo", []), "Object"),
    ([1, None], "None at index 1"),
    ({None: 1}, "None is no key"),
    ({math.nan: 1}, "nan is no key"),
    ({(1, 2): 3}, "the key"),
    ({"a": 1, b"a": 2}, "the same as another"),
]


@together(("value", "name"), STRANGE, ids=[name for _, name in STRANGE])
@together("within", ["itself", "list", "dict"])
def test_anything_else_is_a_type_error_that_names_it(rt: Runtime, value: Any, name: str, within: str) -> None:
    given = {"itself": value, "list": [value], "dict": {"x": value}}[within]
    with pytest.raises(TypeError, match=name.replace("(", r"\(")):
        rt.globals["x"] = given
    with pytest.raises(TypeError, match=name.replace("(", r"\(")):
        there_and_back(rt, given)
    with pytest.raises(torch7py.LuaError, match=name.replace("(", r"\(")):
        rt.execute("return function(f) return f() end")(lambda: given)
    assert "x" not in rt.globals


@pytest.mark.parametrize(
    ("source", "name"),
    [("coroutine.create(print)", "thread"), ("newproxy()", "userdata"), ("io.stdout", "userdata")],
)
def test_lua_values_without_a_counterpart(rt: Runtime, source: str, name: str) -> None:
    with pytest.raises(TypeError, match=f"a Lua {name} has no"):
        rt.execute(f"return {source}")
    table = rt.execute(f"return {{1, {source}, x = {source}}}")
    assert len(table) == 3
    assert "x" in table
    assert f"<{name}>" in repr(table)
    with pytest.raises(TypeError, match=f"a Lua {name} has no"):
        table["x"]
    with pytest.raises(TypeError, match=f"a Lua {name} has no"):
        table.plain()


def test_whole_numbers_of_c(rt: Runtime, lua_name: str) -> None:
    if lua_name == "lua51":
        pytest.skip("plain Lua has none")
    assert rt.execute("return 5LL, -9007199254740993LL, 18446744073709551615ULL") == (
        5,
        -(2**53) - 1,
        2**64 - 1,
    )


# -- tensors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8"]
)
def test_an_array_is_a_tensor_on_the_same_memory(rt: Runtime, dtype: str) -> None:
    array = np.arange(6, dtype=dtype).reshape(2, 3)[:, ::2]
    rt.globals["x"] = array
    rt.execute("x:fill(7)")
    assert array.tolist() == [[7, 7], [7, 7]]
    array[0, 0] = 1
    assert rt.execute("return x[1][1]") == 1
    assert rt.globals["x"].numpy().dtype == array.dtype


def test_bools_are_bytes_on_the_same_memory(rt: Runtime) -> None:
    tensor, array = torch.tensor([True, False]), np.array([True, False])
    for value in (tensor, array):
        rt.globals["x"] = value
        assert rt.execute("x[2] = 1 return torch.type(x)") == "torch.ByteTensor"
        assert value.tolist() == [True, True]


def test_a_tensor_is_itself(rt: Runtime) -> None:
    x = torch.ones(2, dtype=torch.float64)
    rt.globals["x"] = x
    assert rt.globals["x"] is x


def test_an_empty_array_and_a_parameter(rt: Runtime) -> None:
    rt.globals["x"] = np.zeros((0, 3))
    assert rt.execute("return x:dim(), x:nElement()") == (0, 0)
    rt.globals["p"] = p = torch.nn.Parameter(torch.ones(2))
    assert rt.globals["p"] is p


def test_objects_of_torch7(rt: Runtime) -> None:
    timer = Timer()
    assert there_and_back(rt, timer) is timer
    storage = rt.execute("return torch.DoubleStorage(3):fill(2)")
    assert there_and_back(rt, storage) == storage


# -- tables -----------------------------------------------------------------------------------------------


def test_a_table_stays_in_lua(rt: Runtime) -> None:
    rt.execute("opt = {7, 8, rate = 0.1, inner = {1}}")
    opt = rt.globals["opt"]
    assert isinstance(opt, LuaTable)
    assert rt.globals["opt"] is opt
    assert rt.execute("return opt") is opt
    assert opt["inner"] is opt["inner"]
    opt["rate"] = 0.5
    opt["inner"].append("x")
    assert rt.execute("return opt.rate, opt.inner[2], #opt") == (0.5, "x", 2)
    rt.execute("opt.later = true")
    assert list(opt) == [1, 2, "inner", "later", "rate"]
    assert list(opt.keys()) == list(opt)
    assert [v for v in opt.values() if isinstance(v, (int, float))] == [7, 8, True, 0.5]
    assert dict(opt.items())["rate"] == 0.5
    assert len(opt) == 5
    assert ("rate" in opt, 2 in opt, 3 in opt, "no" in opt) == (True, True, False, False)
    assert opt.get("no", 5) == 5
    del opt["rate"], opt["later"]
    assert opt.plain() == {1: 7, 2: 8, "inner": [1, "x"]}
    assert opt.array() == [7, 8]
    for name in ("no", 3):
        with pytest.raises(KeyError):
            opt[name]
        with pytest.raises(KeyError):
            del opt[name]
    assert opt != rt.execute("return {7, 8}")
    assert opt.pop(2) == 8
    opt.update(a=1)
    opt.extend([5, 6])
    assert opt.array() == [7, 5, 6]
    assert repr(opt) == "LuaTable({1: 7, 2: 5, 3: 6, 'a': 1, 'inner': <table of 2>})"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{[1]=1,x=2}", {1: 1, "x": 2}),
        ("{1,2,x=3}", {1: 1, 2: 2, "x": 3}),
        ("{[1]=1,[3]=3}", {1: 1, 3: 3}),
        ("{true,x=false}", {1: True, "x": False}),
        ("{nil,2}", {2: 2}),
        ("{[2]=1,[1]=2}", [2, 1]),
        ("{}", []),
        ("{{},{{1}}}", [[], [[1]]]),
        ("{[0]=1}", {0: 1}),
        ("{[true]=1,[1.5]=2}", {True: 1, 1.5: 2}),
    ],
)
def test_no_entry_of_a_table_is_lost(rt: Runtime, source: str, expected: Any) -> None:
    assert rt.execute(f"return {source}").plain() == expected
    assert there_and_back(rt, expected).plain() == expected


def test_a_large_table(rt: Runtime) -> None:
    numbers = list(range(1000))
    found = there_and_back(rt, {"numbers": numbers, **{f"k{n}": n for n in numbers}})
    assert found.plain() == {"numbers": numbers, **{f"k{n}": n for n in numbers}}
    assert found["numbers"].array() == numbers


def test_tables_within_themselves(rt: Runtime) -> None:
    table = rt.execute("local t = {1} t.me, t.other = t, {t} return t")
    made = table.plain()
    assert made["me"] is made
    assert made["other"][0] is made
    value: dict[str, Any] = {"shared": [1]}
    value["again"], value["me"] = value["shared"], value
    back = there_and_back(rt, value)
    assert back["again"] is back["shared"]
    assert back["me"] is back


def test_a_list_is_copied(rt: Runtime) -> None:
    values = [1, [2]]
    rt.globals["t"] = values
    rt.execute("t[1] = 5 t[2][1] = 6 t[3] = 7")
    assert values == [1, [2]]
    assert rt.globals["t"].plain() == [5, [6], 7]


@pytest.mark.parametrize("count", [0, 1, 24, 25, 26, 50, 51, 1000])
def test_a_dict_of_any_size_is_copied(rt: Runtime, count: int) -> None:
    entries = {f"k{i}": {"i": i} if i % 3 else i for i in range(count)}
    rt.globals["entries"] = entries
    assert rt.globals["entries"].plain() == (entries or [])


@pytest.mark.one_lua
def test_the_time_to_copy_a_dict_grows_with_its_size(rt: Runtime) -> None:
    def seconds(count: int) -> float:
        entries = dict.fromkeys(map(str, range(count)), 1.0)
        start = time.process_time()
        rt.globals["entries"] = entries
        return time.process_time() - start

    # Clocks of some systems have steps of 10 ms. Where each entry looks at all others, this would be 100 times as much.
    assert min(seconds(200_000) for _ in range(2)) < 40 * (min(seconds(20_000) for _ in range(2)) + 0.01)


def test_a_tuple_is_a_table_and_several_results(rt: Runtime) -> None:
    rt.globals["t"] = (1, (2, 3))
    assert rt.globals["t"].plain() == [1, [2, 3]]
    rt.globals["f"] = lambda *arguments: arguments
    assert rt.execute("return f(1, nil, 'x')") == (1, None, "x")
    assert rt.execute("return select('#', f())") == 0


def test_a_table_read_from_a_file(rt: Runtime) -> None:
    table = torch7py.Table([(1, "one"), (True, "yes"), ("n", torch7py.Table.of([1, 2]))])
    assert rt.execute("return function(t) return t[1], t[true], t.n[2] end")(table) == ("one", "yes", 2)


def test_metatables(rt: Runtime) -> None:
    table = rt.execute("return setmetatable({own = 1}, {__index = function(t, k) return k .. '!' end})")
    assert (table["own"], table["what"]) == (1, "what!")
    assert list(table) == ["own"]
    failing = rt.execute("return setmetatable({}, {__index = function(t, k) error('no ' .. k) end})")
    with pytest.raises(torch7py.LuaError, match="python:1: no such"):
        failing["such"]


def test_tables_are_not_copied_or_pickled_silently(rt: Runtime) -> None:
    for value in (rt.execute("return {}"), rt.execute("return print")):
        with pytest.raises(TypeError, match="lives in its runtime"):
            copy.deepcopy(value)
        with pytest.raises(TypeError, match="lives in its runtime"):
            pickle.dumps(value)


def test_values_of_another_runtime(rt: Runtime) -> None:
    with Runtime() as other:
        for value in (other.execute("return {}"), other.execute("return print")):
            with pytest.raises(TypeError, match="another runtime"):
                rt.globals["x"] = value


def test_values_that_python_lets_go_are_free(rt: Runtime) -> None:
    rt.execute(
        "weak = setmetatable({}, {__mode = 'k'}) function fresh() local t = {} weak[t] = true return t end"
    )
    fresh = rt.globals["fresh"]
    kept = fresh()
    for _ in range(300):
        fresh()
    assert (
        rt.execute(
            "collectgarbage() collectgarbage() local n = 0 for _ in pairs(weak) do n = n + 1 end return n"
        )
        == 1
    )
    kept["x"] = 1


# -- functions --------------------------------------------------------------------------------------------


def test_a_lua_function(rt: Runtime) -> None:
    rt.execute("\n\nfunction f(a, b) return b, a end", "=here")
    f = rt.globals["f"]
    assert isinstance(f, LuaFunction)
    assert f(1, "x") == ("x", 1)
    assert rt.globals["f"] is f
    assert there_and_back(rt, f) is f
    assert repr(f) == "<LuaFunction here:3>"
    assert repr(rt.globals["print"]) == "<LuaFunction built in>"
    assert rt.execute("return function() end")() is None


def test_a_callable(rt: Runtime) -> None:
    seen = []

    def f(table: LuaTable, **_: Any) -> LuaTable:
        seen.append(table.plain())
        table["done"] = True
        return table

    rt.globals["f"] = f
    assert rt.globals["f"] is f
    assert rt.execute("return type(f), f == f, rawequal(f, (function(...) return ... end)(f))") == (
        "function",
        True,
        True,
    )
    assert rt.execute("local t = {5} local u = f(t) return rawequal(t, u), t.done") == (True, True)
    assert seen == [[5]]
    assert rt.execute("local function map(f, t) return f(t) end return map(f, {1}).done") is True
    assert rt.call("math.max", 3, 9, 4) == 9
    assert there_and_back(rt, len) is len
    assert rt.call(rt.execute("return function(f) return f('four') end"), len) == 4


def test_a_callable_that_computes_gradients(rt: Runtime) -> None:
    weight = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))

    def step(x: torch.Tensor) -> torch.Tensor:
        loss = (weight * x).sum()
        loss.backward()
        return loss.detach()

    rt.globals["step"] = step
    assert rt.execute("return step(torch.Tensor{1, 2})") == 3
    assert weight.grad is not None
    assert weight.grad.tolist() == [1, 2]


def test_a_callable_in_optim(rt: Runtime) -> None:
    rt.globals["closure"] = lambda x: (x.square().sum(), 2 * x)
    found = rt.execute("""
        local optim = require 'optim'
        local x = torch.Tensor{1, 2}
        for _ = 1, 50 do optim.sgd(closure, x, {learningRate = 0.1}) end
        return x:norm()""")
    assert found < 1e-4


def test_errors_of_a_callable(rt: Runtime) -> None:
    def f() -> None:
        raise ValueError("wrong é")

    rt.globals["f"] = f
    ok, message = rt.execute("local ok, message = pcall(f) return ok, message")
    assert (ok, message) == (False, "python:1: ValueError: wrong é")
    with pytest.raises(torch7py.LuaError, match="python:2: ValueError: wrong é") as caught:
        rt.execute("\nf()")
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(torch7py.LuaError, match="python:1: later") as caught:
        rt.execute("pcall(f) error('later')")
    assert caught.value.__cause__ is None
    rt.globals["leave"] = lambda: (_ for _ in ()).throw(SystemExit(3))
    with pytest.raises(SystemExit) as left:
        rt.execute("pcall(leave) return 1")
    assert left.value.code == 3
    assert rt.execute("return 7") == 7


def test_too_many_values_at_once(rt: Runtime) -> None:
    f = rt.execute("return function(...) return select('#', ...) end")
    assert f(*range(50)) == 50
    with pytest.raises(TypeError, match="51 values at once"):
        f(*range(51))
    with pytest.raises(torch7py.LuaError, match="more than 50 values"):
        rt.execute("local t = {} for i = 1, 60 do t[i] = torch.Tensor(1) end return unpack(t)")


# -- globals ----------------------------------------------------------------------------------------------


def test_globals_are_a_mapping(rt: Runtime) -> None:
    rt.execute("x, y = 1, {2}")
    assert {"x", "y", "torch", "print"} <= set(rt.globals)
    assert rt.globals["x"] == 1
    assert "nothing" not in rt.globals
    assert rt.globals.get("nothing") is None
    with pytest.raises(KeyError, match="nothing"):
        rt.globals["nothing"]
    count = len(rt.globals)
    rt.globals["z"] = 5
    assert len(rt.globals) == count + 1
    del rt.globals["z"], rt.globals["x"]
    assert rt.execute("return z, x") == (None, None)
    with pytest.raises(KeyError):
        del rt.globals["z"]
    assert dict(rt.globals.items())["y"] is rt.globals["y"]
    rt.execute("setmetatable(_G, {__index = error, __newindex = error})")
    assert rt.globals.get("undeclared") is None
    rt.globals["undeclared"] = 1


def test_call_and_require(rt: Runtime) -> None:
    assert rt.call("string.rep", "ab", 2) == "abab"
    optim = rt.require("optim")
    assert callable(optim["sgd"])
    assert rt.require("optim") is optim
    rt.call("torch.manualSeed", 1)
    assert rt.call("torch.rand", 2).shape == (2,)
    with pytest.raises(torch7py.TorchError, match=r"no 'torch\.nothing' in Lua"):
        rt.call("torch.nothing")
    with pytest.raises(torch7py.LuaError, match="no such"):
        rt.require("no such")
    with pytest.raises(TypeError, match="is no function"):
        rt.call("package.path")


def test_what_is_shown(rt: Runtime) -> None:
    assert "torch.DoubleTensor" in repr(rt)
    assert repr(rt) in repr(rt.globals)
    rt.execute("require 'nn' m = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh())")
    assert repr(rt.globals["m"][0]) == "nn.Linear(4 -> 3)"
    assert "(0): nn.Linear(4 -> 3)" in repr(rt.globals["m"])
    assert (
        repr(rt.execute("return {torch.Tensor(2, 3), m}"))
        == "LuaTable({1: <torch.DoubleTensor 2x3>, 2: <nn.Sequential>})"
    )
    assert {"run", "execute", "globals", "call", "require", "close"} <= set(dir(rt))
    assert not [name for name in dir(rt) if name.startswith("_") and not name.startswith("__")]
    assert {"Runtime", "LuaTable", "Torch7Error", "nn"} <= set(dir(torch7py))
    rt.close()
    assert "closed" in repr(rt)


def test_a_closed_runtime() -> None:
    with Runtime() as runtime:
        table, f = runtime.execute("return {1}, print")
    assert "closed" in repr(table)
    assert "closed" in repr(f)
    for use in (
        lambda: table[1],
        lambda: f(1),
        lambda: runtime.execute("return 1"),
        lambda: len(runtime.globals),
    ):
        with pytest.raises(torch7py.RuntimeClosed):
            use()


# -- lifetimes --------------------------------------------------------------------------------------------

LAYER = """
require 'nn'
local Double = torch.class('nn.Double', 'nn.Module')
function Double:updateOutput(x) self.output = x * 2 return self.output end
function Double:updateGradInput(x, g) self.gradInput = g * 2 return self.gradInput end
return nn.Sequential():add(nn.Double())
"""


def test_a_model_keeps_its_runtime() -> None:
    def make() -> tuple[Any, weakref.ref[Runtime]]:
        runtime = Runtime()
        return runtime.execute(LAYER), weakref.ref(runtime)

    model, runtime = make()
    gc.collect()
    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    model(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2, 2]
    del model
    gc.collect()
    gc.collect()
    assert runtime() is None


def test_a_layer_written_in_lua_says_why_it_is_not_pickled(rt: Runtime) -> None:
    model = rt.execute(LAYER, "=double.lua")
    with pytest.raises(TypeError, match=r"nn\.Double cannot be pickled: .* written in Lua \(double\.lua:4\)"):
        pickle.dumps(model)
    assert copy.deepcopy(model)(torch.ones(1, dtype=torch.float64)).tolist() == [2]


# -- any value --------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
BINARY = st.binary(max_size=8).filter(lambda data: not _is_utf8(data))
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False).map(
    lambda x: int(x) if x == int_or(x) else x
)
LEAVES = st.booleans() | NUMBERS | TEXT | BINARY
KEYS = TEXT | BINARY | st.integers(-9, 99)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def int_or(x: float) -> float:
    return int(x) if abs(x) < 2**53 and (x or math.copysign(1, x) > 0) else math.nan


def as_lua_has_it(value: Any) -> Any:
    """A dict with the keys 1..n, or without any, is in Lua the same as a list."""
    if isinstance(value, list):
        return [as_lua_has_it(item) for item in value]
    if isinstance(value, dict):
        made = {key: as_lua_has_it(item) for key, item in value.items()}
        is_list = set(made) == set(range(1, len(made) + 1))
        return [made[n] for n in range(1, len(made) + 1)] if is_list else made
    return value


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@hypothesis.settings(max_examples=150)
@hypothesis.given(value=VALUES)
def test_any_value_comes_back(shared: Runtime, value: Any) -> None:
    back = there_and_back(shared, value)
    found = back.plain() if isinstance(back, LuaTable) else back
    assert found == as_lua_has_it(value)
    shared.globals["value"] = value
    stored = shared.globals["value"]
    assert (stored.plain() if isinstance(stored, LuaTable) else stored) == as_lua_has_it(value)


@hypothesis.settings(max_examples=100)
@hypothesis.given(
    dtype=st.sampled_from(
        [np.float64, np.float32, np.float16, np.int64, np.int32, np.int16, np.int8, np.uint8]
    ),
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    steps=st.lists(st.integers(1, 3), min_size=3, max_size=3),
)
def test_any_array_shares_its_memory(shared: Runtime, dtype: Any, shape: list[int], steps: list[int]) -> None:
    whole = np.zeros([n * s for n, s in zip(shape, steps, strict=False)], dtype=dtype)
    array = whole[tuple(slice(None, None, s) for s in steps[: len(shape)])]
    shared.globals["x"] = array
    shared.execute("x:fill(3)")
    assert (array == 3).all()
    back = shared.globals["x"].numpy()
    assert np.shares_memory(back, array)
    assert back.dtype == array.dtype
    assert (back == array).all()
