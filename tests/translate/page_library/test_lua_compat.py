"""The pages' library beside the runtime: the same operation on the same values, of every kind that a page has.

A value is written once, in Lua; Python gets what a page would have in its place.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.together import together
from tests.translate.running import whole_library
from torch7py.bridge.errors import LuaError
from torch7py.ops.memory import Storage
from torch7py.ops.registry import Form, operations
from torch7py.translate import page_library
from torch7py.translate.native.page_names import unresolved
from torch7py.translate.page_library import tensors

lua_compat: Any = whole_library()

# A value in Lua, and what a page has in its place: made anew for each operation.
VALUES: dict[str, Any] = {
    "nil": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "0": lambda: 0,
    "2": lambda: 2,
    "-1.5": lambda: -1.5,
    "1/0": lambda: math.inf,
    "'abc'": lambda: "abc",
    "'12'": lambda: "12",
    "'1_2'": lambda: "1_2",
    "'0x1F'": lambda: "0x1F",
    "' 2.5 '": lambda: " 2.5 ",
    "''": lambda: "",
    "{}": list,
    "{4, 5, 6}": lambda: [4, 5, 6],
    "{[2] = 5, x = 6}": lambda: {2: 5, "x": 6},
    "{x = 1, y = 'z'}": lambda: {"x": 1, "y": "z"},
    "{'a', 2, 'c'}": lambda: ["a", 2, "c"],
    "torch.range(1, 3)": lambda: torch.arange(1.0, 4, dtype=torch.float64),
    "torch.range(1, 6):view(2, 3)": lambda: torch.arange(1.0, 7, dtype=torch.float64).view(2, 3),
    "(function(a, b) return b, a end)": lambda: lambda a, b: (b, a),
}
KEYS = ("1", "2", "3", "4", "0", "1.5", "'x'", "'nothing'", "{1, 2}", "{{1, 2}, 1}", "{2, {}}")
KEY_VALUES: dict[str, Any] = {
    **VALUES,
    "1": lambda: 1,
    "3": lambda: 3,
    "4": lambda: 4,
    "1.5": lambda: 1.5,
    "'x'": lambda: "x",
    "'nothing'": lambda: "nothing",
    "{1, 2}": lambda: [1, 2],
    "{{1, 2}, 1}": lambda: [[1, 2], 1],
    "{2, {}}": lambda: [2, {}],
    "{1, 1}": lambda: [1, 1],
}


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime(seed=1) as made:
        yield made


def in_lua(runtime: Runtime, code: str) -> Any:
    """What code returns, as a page has it; ``error`` where Lua has one."""
    try:
        return plain(runtime.execute(f"return {code}"))
    except LuaError:
        return "error"


def in_page(function: Any, *given: Any) -> Any:
    try:
        return plain(function(*given))
    except (lua_compat.NotInPage, TypeError, ValueError, IndexError, RuntimeError, AttributeError):
        return "error"


def plain(value: Any) -> Any:
    """A value in a form in which both sides are equal."""
    if isinstance(value, torch.Tensor):
        return ("tensor", list(value.shape), [plain(number) for number in value.double().flatten().tolist()])
    if isinstance(value, (torch.Size, Storage)):
        return [float(size) for size in (value.tensor().tolist() if isinstance(value, Storage) else value)]
    if isinstance(value, dict):
        items = {key: plain(item) for key, item in value.items()}
        return list(items.values()) if list(items) == list(range(1, len(items) + 1)) else items
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "nan" if value != value else float(value)
    return "function" if callable(value) else value


def compare(lua: Any, page: Any, what: str, errors: list[str]) -> None:
    """Not another value; the errors of a page alone are counted by the caller."""
    assert page in (lua, "error"), f"{what}: {page} in a page, {lua} in Lua"
    if page == "error" and lua != "error":
        errors.append(what)


def test_index(runtime: Runtime) -> None:
    errors: list[str] = []
    for text, value in VALUES.items():
        for key in KEYS:
            page = in_page(lua_compat.index, value(), KEY_VALUES[key]())
            compare(in_lua(runtime, f"({text})[{key}]"), page, f"{text}[{key}]", errors)
    # a text has no fields in a page, and a tensor no methods as values
    others = [e for e in errors if not e.startswith("'") and not (e.startswith("torch") and "'" in e)]
    assert others == []


def test_store(runtime: Runtime) -> None:
    errors: list[str] = []
    for text, value in VALUES.items():
        for key in KEYS:
            for new in ("9", "nil", "'new'"):
                made, given = value(), {"9": 9, "nil": None, "'new'": "new"}[new]

                def stored(made: Any = made, key: str = key, given: Any = given) -> Any:
                    lua_compat.store(made, KEY_VALUES[key](), given)
                    return made

                lua = in_lua(runtime, f"(function() local v = {text} v[{key}] = {new} return v end)()")
                compare(lua, in_page(stored), f"{text}[{key}] = {new}", errors)
    # what a list cannot hold, names, places beyond its end and holes; a table as a key
    others = [e for e in errors if not e.startswith(("{}", "{4, 5, 6}", "{'a'")) and "[{" not in e]
    assert others == []


@pytest.mark.parametrize(
    ("form", "function"),
    [
        ("#({})", lua_compat.length),
        ("tostring({})", lua_compat.text_of),
        ("type({})", lua_compat.type_of),
        ("table.concat({})", lua_compat.concatenate),
        ("(function() local v = {} table.remove(v) return v end)()", None),
        ("(function() local v = {} table.insert(v, 7) return v end)()", None),
        ("(function() local v = {} table.insert(v, 1, 7) return v end)()", None),
        ("{{unpack({})}}", lua_compat.unpack),
    ],
)
def test_of_one_value(runtime: Runtime, form: str, function: Any) -> None:
    def changed(value: Any) -> Any:
        if "remove" in form:
            lua_compat.remove(value)
        else:
            lua_compat.insert(value, *((1, 7) if "1, 7" in form else (7,)))
        return value

    errors: list[str] = []
    for text, value in VALUES.items():
        if "tostring" in form and text[0] in "{(t" and text != "true":
            continue  # addresses, and whole tensors
        lua = in_lua(runtime, form.format(text))
        compare(lua, in_page(function or changed, value()), form.format(text), errors)
    others = [error for error in errors if "[2] = 5" not in error]  # how long a table with holes is
    assert others == []


OPERATORS = {
    "+": lua_compat.add,
    "-": lua_compat.subtract,
    "*": lua_compat.multiply,
    "/": lua_compat.divide,
    "%": lua_compat.modulo,
    "^": lua_compat.power,
    "==": lua_compat.equal,
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators(runtime: Runtime, operator: str) -> None:
    errors: list[str] = []
    for left, first in VALUES.items():
        for right, second in VALUES.items():
            lua = in_lua(runtime, f"({left}) {operator} ({right})")
            page = in_page(OPERATORS[operator], first(), second())
            compare(lua, page, f"{left} {operator} {right}", errors)
    if operator == "%":  # th formats text by it, and has it of tensors
        errors = [error for error in errors if not error.startswith(("'", "torch"))]
    assert errors == []


# Arguments of each method of a tensor of 2 x 3, as Lua and a page write them.
M = "torch.range(1, 6):view(2, 3)"
ARGUMENTS: dict[str, list[str]] = {
    "add": ["2", "x", "0.5, x", "torch.range(1, 6)"],
    "addbmm": ["torch.ones(1, 2, 2), x:clone():view(1, 2, 3)"],
    "addcdiv": ["x, x", "2, x, x"],
    "addcmul": ["x, x", "2, x, x"],
    "addmm": [
        "torch.ones(2, 2), x:clone()",
        "2, torch.ones(2, 2), x:clone()",
        "0.5, 2, torch.ones(2, 2), x:clone()",
        "torch.ones(2, 3), torch.ones(2, 2), x:clone()",
        "0.5, torch.ones(2, 3), 2, torch.ones(2, 2), x:clone()",
    ],
    "addr": ["torch.ones(2), torch.ones(3)", "2, torch.ones(2), torch.ones(3)"],
    "apply": ["function(v) return v + 1 end"],
    "atan2": ["x + 1"],
    "bitand": ["2"],
    "bitor": ["2"],
    "bitxor": ["3"],
    "bmm": ["torch.ones(1, 2, 2), x:clone():view(1, 2, 3)"],
    "cat": ["x", "x + 1, 1"],
    "cbitand": ["x + 1"],
    "cbitor": ["x + 1"],
    "cbitxor": ["x + 1"],
    "cdiv": ["x"],
    "cfmod": ["x - 4.5"],
    "chunk": ["2", "2, 2"],
    "cinv": [""],
    "clamp": ["2, 4"],
    "clshift": ["x - 2"],
    "cmax": ["3", "x * 2 - 4"],
    "cmin": ["3", "x * 2 - 4"],
    "cmod": ["x - 4.5"],
    "cmul": ["x", "torch.range(1, 6)"],
    "copy": ["torch.range(6, 1, -1)"],
    "cremainder": ["x - 4.5"],
    "cross": ["x + torch.range(1, 6)"],
    "crshift": ["x - 2"],
    "cpow": ["x"],
    "csub": ["x", "2, x"],
    "cumprod": ["1", "2"],
    "cumsum": ["1", "2"],
    "diag": ["", "1"],
    "dist": ["x + 1"],
    "div": ["2"],
    "dot": ["x"],
    "eq": ["3", "x"],
    "equal": ["x", "x + 1"],
    "expand": ["2, 3"],
    "expandAs": ["x"],
    "fill": ["3"],
    "fmod": ["2.5", "-4"],
    "gather": ["2, torch.LongTensor{{1}, {3}}"],
    "ge": ["3"],
    "ger": ["torch.ones(2), torch.ones(3)"],
    "gt": ["3"],
    "histc": ["4", "3, 2, 5"],
    "index": ["2, torch.LongTensor{3, 1}"],
    "indexAdd": ["2, torch.LongTensor{3, 1}, torch.ones(2, 2)"],
    "indexCopy": ["2, torch.LongTensor{3, 1}, torch.ones(2, 2)"],
    "indexFill": ["2, torch.LongTensor{3, 1}, 9"],
    "isSameSizeAs": ["x"],
    "isSetTo": ["x:clone()"],
    "isSize": ["torch.LongStorage{2, 3}", "torch.LongStorage{3, 2}"],
    "kthvalue": ["2", "1, 1"],
    "le": ["3"],
    "lerp": ["x * 2, 0.25"],
    "lshift": ["2"],
    "lt": ["3"],
    "maskedCopy": ["x:gt(2), x * 2"],
    "maskedFill": ["x:gt(2), 0"],
    "maskedSelect": ["x:gt(2)"],
    "max": ["", "1", "2"],
    "mean": ["", "1", "2"],
    "min": ["", "1", "2"],
    "mod": ["4"],
    "mode": ["", "1"],
    "median": ["", "1"],
    "mm": ["torch.ones(2, 2), x:clone()"],
    "mul": ["2"],
    "mv": ["x:clone(), torch.ones(3)"],
    "narrow": ["2, 2, 2"],
    "ne": ["3"],
    "norm": ["", "1"],
    "permute": ["2, 1"],
    "pow": ["2"],
    "prod": ["", "1"],
    "remainder": ["2.5", "-4"],
    "renorm": ["2, 1, 3"],
    "repeatTensor": ["2, 1", "torch.LongStorage{2, 2}"],
    "reshape": ["3, 2", "6"],
    "resize": ["3, 2"],
    "resizeAs": ["x"],
    "rshift": ["2"],
    "scatter": ["1, torch.LongTensor{{2, 1, 2}}, torch.ones(1, 3)"],
    "select": ["1, 2", "2, 3"],
    "size": ["", "1", "2"],
    "sort": ["", "1", "2, true"],
    "split": ["1, 1", "2, 2"],
    "std": ["", "1", "2", "true", "false", "1, true"],
    "stride": ["1"],
    "sub": ["1, 1", "1, 2, 2, 3", "1, -1, -2, -1"],
    "sum": ["", "1", "2"],
    "topk": ["2", "2, 2, true, true"],
    "transpose": ["1, 2"],
    "type": ["", "'torch.FloatTensor'"],
    "typeAs": ["x:float()"],
    "unsqueeze": ["1", "3"],
    "tril": ["", "1"],
    "triu": ["", "-1"],
    "unfold": ["2, 2, 1"],
    "var": ["", "2", "true", "2, false"],
    "view": ["3, 2", "-1"],
    "viewAs": ["x"],
}
# Whose results are random, hang on memory, need a GPU or another number of dimensions.
APART = set("addmv baddbmm bernoulli normal random set storage uniform new cuda".split())
APART |= set("cauchy exponential geometric logNormal multinomial trace".split())


def _as_page(value: Any) -> Any:
    """What a page has for a value of the runtime: sizes are lists, the rest are the tensors themselves."""
    return [int(size) for size in value.tensor().tolist()] if isinstance(value, Storage) else value


def _tensor_for(name: str) -> tuple[str, torch.dtype]:
    """A tensor on which a method may be tried, and its type in a page."""
    if name in ("all", "any"):
        return f"{M}:byte()", torch.uint8
    return (f"{M}:long()", torch.int64) if name.startswith(("bit", "cbit")) else (M, torch.float64)


@together("name", sorted(page_library.methods_of("tensor") - APART))
def test_methods_of_tensors(runtime: Runtime, name: str) -> None:
    for arguments in ARGUMENTS.get(name, [""]):
        if name == "apply":
            given: list[Any] = [lambda v: v + 1]
        else:
            found = runtime.execute(f"local x = {M} return {{{arguments}}}") or []
            given = [_as_page(value) for value in (found.values() if isinstance(found, dict) else found)]
        made, dtype = _tensor_for(name)
        if name.startswith(("bit", "cbit")):
            given = [value.long() if isinstance(value, torch.Tensor) else value for value in given]
        lua = in_lua(runtime, f"(function() local x = {made} return {{x:{name}({arguments})}} end)()")
        changed = in_lua(runtime, f"(function() local x = {made} x:{name}({arguments}) return x end)()")
        x = torch.arange(1, 7, dtype=dtype).view(2, 3)
        results = lua_compat.method_all(x, name, *given)
        assert _close(plain(list(results)), lua), (name, arguments)
        if name != "resize":
            assert _close(plain(x), changed), (name, arguments)


def _close(page: Any, lua: Any) -> bool:
    if isinstance(page, (list, tuple)) and isinstance(lua, (list, tuple)):
        return len(page) == len(lua) and all(_close(p, q) for p, q in zip(page, lua, strict=True))
    if isinstance(page, float) and isinstance(lua, float):
        return math.isclose(page, lua, rel_tol=1e-12, abs_tol=1e-12)
    return bool(page == lua) or (isinstance(page, bool) and page == bool(lua))


TEXT_ARGUMENTS = {  # those of patterns and formats have tests of their own
    "sub": ["2", "2, 3", "-2", "0, -2"],
    "rep": ["2", "0"],
    "byte": ["1", "2", "9"],
}


@pytest.mark.parametrize("name", [*TEXT_ARGUMENTS, "len", "lower", "reverse", "upper"])
def test_methods_of_text(runtime: Runtime, name: str) -> None:
    for text in ("", "abc", "Hello"):
        for arguments in TEXT_ARGUMENTS.get(name, [""]):
            given = [float(part) for part in arguments.split(",") if part]
            lua = in_lua(runtime, f"({text!r}):{name}({arguments})")
            assert plain(lua_compat.method(text, name, *given)) == lua, (text, name, arguments)


def test_calls_take_what_functions_take() -> None:
    def two(a: Any, b: Any) -> tuple[Any, Any]:
        return b, a

    assert lua_compat.call_all(two, 1, 2, 3) == (2, 1)
    assert lua_compat.call_all(two, 1) == (None, 1)
    assert lua_compat.call(two, 1) is None
    assert lua_compat.call(lambda *rest: len(rest), 1, 2, 3) == 3
    assert lua_compat.first_of((1,), 3) == (1, None, None)
    with pytest.raises(TypeError, match="a call of 3"):
        lua_compat.call(3)


def test_a_field_of_pytorchs_own_layers_is_an_error() -> None:
    """What Torch7 calls nInputPlane has another name there."""
    with pytest.raises(lua_compat.NotInPage, match="'gradInput' of Linear"):
        lua_compat.index(torch.nn.Linear(2, 2), "gradInput")
    with pytest.raises(TypeError, match="the method backward of Linear"):
        lua_compat.method(torch.nn.Linear(2, 2), "backward", torch.ones(2))
    assert lua_compat.method(torch.nn.Linear(2, 3), "forward", torch.ones(2)).shape == (3,)


def test_names_that_reach_into_python_are_names_of_fields() -> None:
    class Thing:
        class_ = 3

    assert lua_compat.index(Thing(), "__class__") is None
    assert lua_compat.index(Thing(), "class") == 3


def test_a_loop_ends_at_the_first_none() -> None:
    turns = lua_compat.iterate(lambda state, i: i + 1 if i < state else None, 3, 0, names=1)
    assert list(turns) == [1, 2, 3]
    assert list(lua_compat.iterate(lua_compat.pairs({"b": 1, 2: 3, 1: 4}), names=2)) == [
        (1, 4),
        (2, 3),
        ("b", 1),
    ]
    assert list(lua_compat.iterate(lua_compat.ipairs([5, 6]), names=3)) == [(1, 5, None), (2, 6, None)]


@together(
    "name", sorted(page_library.methods_of("tensor") - APART - {"resize", "resizeAs", "totable", "type"})
)
def test_functions_of_torch(runtime: Runtime, name: str) -> None:
    """``torch.name(x, ...)``, and with a tensor for the result before x: what it gives, and what is in both then."""
    if runtime.execute(f"return torch.{name} == nil"):
        return
    takes_result = (
        name in tensors.OF_ANOTHER | tensors.INTO_RESULTS.keys() | tensors.ELEMENTWISE | tensors.COMPARED
    )
    for arguments in ARGUMENTS.get(name, [""]):
        if name in ("apply", "set") or "function" in arguments or "torch.ones(2, 3), " in arguments:
            continue
        made, dtype = _tensor_for(name)
        args = ", ".join(["x", *([arguments] if arguments else [])])
        for call in (f"torch.{name}({args})", *([f"torch.{name}(r, {args})"] if takes_result else [])):
            setting = f"local x = {made} local r = x:clone():zero()"
            lua = in_lua(runtime, f"(function() {setting} return {{{call}}} end)()")
            left = in_lua(runtime, f"(function() {setting} {call} return {{x, r}} end)()")
            x = torch.arange(1, 7, dtype=dtype).view(2, 3)
            result = torch.zeros(2, 3, dtype=x.dtype)
            values = runtime.execute(f"local x = {made} return {{{arguments}}}") or []
            values = [_as_page(value) for value in (values.values() if isinstance(values, dict) else values)]
            values = [result, x, *values] if "(r, " in call else [x, *values]
            page = in_page(lua_compat.function_all, name, *values)
            assert page == "error" or _close(list(page), lua), (call, arguments)
            if page != "error" and name not in ("expand", "expandAs", "view", "viewAs"):
                assert _close(plain([x, result]), left), (call, arguments)


@pytest.mark.parametrize("name", ["abs", "ceil", "cos", "exp", "floor", "sin", "tan", "tanh"])
def test_functions_of_numbers(runtime: Runtime, name: str) -> None:
    for number in (-1.5, 0.0, 2.0):
        assert in_lua(runtime, f"torch.{name}({number})") == pytest.approx(
            lua_compat.function(name, number), rel=1e-15
        )


@pytest.mark.parametrize("name", ["nil", "number", "string", "boolean", "table", "function"])
def test_types_by_torch(runtime: Runtime, name: str) -> None:
    for text, value in VALUES.items():
        if text != "nil":
            lua = in_lua(runtime, f"torch.type({text}) == '{name}'")
            assert lua_compat.is_a(value(), name) is lua, text


@together("name", page_library.names())
def test_a_page_gets_all_that_a_function_needs(name: str) -> None:
    text = page_library.source([name])
    assert unresolved(text, set()) <= set(dir(builtins))
    assert page_library.is_part(text) or name.isupper()  # no page uses a constant alone


def test_a_page_gets_no_more_than_that() -> None:
    """A parameter that is called as another function is, is not that function."""
    assert "torch" not in page_library.source(["call"])
    assert "TENSOR_METHODS" not in page_library.source(["iterate", "index", "text_function"])


def test_what_takes_another_tensor_is_what_the_register_says() -> None:
    """The library's tables of methods that leave a result in their tensor, beside the operations' signatures."""
    updates = {name: op for name, op in operations.items() if op.form is Form.UPDATE}
    assert updates.keys() == tensors.OF_ANOTHER.keys() | (tensors.ELEMENTWISE - tensors.OF_ANOTHER.keys())
    for name, counts in tensors.OF_ANOTHER.items():
        lengths = {len(case.parameters) for case in operations[name].cases}
        shorter = {
            len(case.parameters) - sum(p.optional for p in case.parameters) for case in operations[name].cases
        }
        assert set(counts) <= lengths | shorter, name
    for name in tensors.INTO_RESULTS:
        assert operations[name].form is Form.QUERY, name


def test_what_a_page_cannot_do_is_no_error_of_the_programs() -> None:
    """A protected call hands on what Lua could do and the page cannot; an error of the program's own is a result."""
    items = [1]
    with pytest.raises(lua_compat.NotInPage, match="a list of 1 items cannot have 9 at 5"):
        lua_compat.pcall(lua_compat.store, items, 5, 9)
    routine = lua_compat.Coroutine(lambda: lua_compat.store(items, 5, 9))
    with pytest.raises(lua_compat.NotInPage, match="a list of 1 items"):
        lua_compat.resumed(routine)
    assert lua_compat.pcall(lua_compat.error, "no") == (False, "no")
