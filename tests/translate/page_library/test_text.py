"""The pages' functions of text beside LuaJIT's own: an error is allowed, another value never."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from tests.translate.running import whole_library
from torch7py.bridge.errors import LuaError

library: Any = whole_library()

TEXTS = [
    "",
    "a",
    "hello world from Lua",
    "  key = value, other=  2.5 ",
    "a.b.c/d-e%f",
    "(one) [two] (3)",
    "x1y22z333",
    "line\nnext\tline\0zero",
    "gr\u00f6\u00dfe \u2603",
]
PATTERNS = [
    "l+",
    "(%w+)%s*=%s*(%w+)",
    "^%s*(.-)%s*$",
    "[^,]+",
    "()l()",
    "%((%w+)%)",
    "[%w_]*",
    "%d%d?",
    "(a)(.)%1",
    "[a-c%-]",
    "[]x]",
    "[^]x]",
    "%f[%w]%w+",
    "%f[^%z]",
    "%f[%z]",
    ".-",
    "$",
    "^",
    "a$b",
    "%.",
    "%",
    "[a",
    "(",
    ")",
    "%1",
    "(()",
    "%z",
    "%u%l*",
    "\u00df",
    "h?e",
    "l-o",
    "%a+$",
]
REPLACEMENTS = ["'<%0>'", "'%1%%'", "''", "{l = 'L', hello = 'bye', a = false}", "string.len", "'%9'", "5"]


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime(seed=1) as made:
        yield made


def lua_text(text: str) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'


def in_lua(runtime: Runtime, code: str) -> Any:
    try:
        found = runtime.execute(
            f"local values = {{{code}}} for i = 1, select('#', {code}) do "
            "if values[i] == nil then values[i] = 'nil!' end end return values"
        )
    except LuaError:
        return "error"
    return tuple(None if value == "nil!" else value for value in found)


def in_page(function: Any, *given: Any) -> Any:
    try:
        return function(*given)
    except (TypeError, ValueError, IndexError, OverflowError):
        return "error"


def same(page: Any, lua: Any) -> bool:
    """Whether values are equal, or a page has an error; a text of Lua's comes as its bytes, a letter for each."""
    if page == "error":
        return True
    letters = [p.encode().decode("latin-1") if isinstance(p, str) else p for p in page]
    return len(page) == len(lua) and all(
        p == q or (p != p and q != q) for p, q in zip(letters, lua, strict=True)
    )


def random_pattern(draw: random.Random) -> str:
    single = ["a", "l", ".", "%a", "%d", "%s", "%w", "%p", "[a-m]", "[^l]", "[%d%s]", "%%", " ", "="]
    parts = []
    for _ in range(draw.randint(1, 4)):
        part = draw.choice(single) + draw.choice(["", "", "*", "+", "-", "?"])
        parts.append(f"({part})" if draw.random() < 0.3 else part)
    return draw.choice(["", "", "^"]) + "".join(parts) + draw.choice(["", "", "$"])


def test_patterns(runtime: Runtime) -> None:
    draw = random.Random(8)
    errors = total = 0
    patterns = PATTERNS + [random_pattern(draw) for _ in range(120)]
    for text, pattern in itertools.product(TEXTS, patterns):
        quoted = f"{lua_text(text)}, {lua_text(pattern)}"
        for name, more, given in (
            ("find", "", ()),
            ("find", ", 3", (3,)),
            ("find", ", 1, true", (1, True)),
            ("match", "", ()),
            ("match", ", -4", (-4,)),
        ):
            lua = in_lua(runtime, f"string.{name}({quoted}{more})")
            page = in_page(library.text_function_all, name, text, pattern, *given)
            assert same(page, lua), (name, text, pattern, given, page, lua)
            total += lua != "error"
            errors += page == "error" and lua != "error"
        matches = in_lua(
            runtime,
            f"(function() local t = {{}} for a, b in string.gmatch({quoted}) do t[#t + 1] = tostring(a) .. ';' .. "
            "tostring(b) end return table.concat(t, '|') end)()",
        )
        page = in_page(each_match, text, pattern)
        assert same(page, matches), (text, pattern, page, matches)
    assert errors < total * 0.02  # a part of a letter beyond ASCII


def each_match(text: str, pattern: str) -> tuple[str]:
    found = library.iterate(library.text_function("gmatch", text, pattern), names=2)
    return ("|".join(f"{library.text_of(a)};{library.text_of(b)}" for a, b in found),)


def test_substitution(runtime: Runtime) -> None:
    values = {
        "{l = 'L', hello = 'bye', a = false}": {"l": "L", "hello": "bye", "a": False},
        "string.len": len,
    }
    for text, pattern, value in itertools.product(TEXTS[:-1], PATTERNS, REPLACEMENTS):
        for more, count in (("", ()), (", 2", (2,))):
            code = f"string.gsub({lua_text(text)}, {lua_text(pattern)}, {value}{more})"
            given = values.get(value, 5 if value == "5" else value[1:-1])
            page = in_page(library.text_function_all, "gsub", text, pattern, given, *count)
            lua = in_lua(runtime, code)
            assert same(page, lua), (code, page, lua)
            if lua != "error" and value != "string.len" and pattern not in ("(", "(()"):  # found late, in Lua
                assert page != "error", code


@pytest.mark.parametrize(
    "directive", "%d %5d %-5d| %05d %+d %.3d %i %u %x %X %o %c %e %.3e %E %f %8.2f %g %G".split()
)
def test_formats_of_numbers(runtime: Runtime, directive: str) -> None:
    for text, number in {
        "0": 0,
        "7": 7,
        "65": 65,
        "2.5": 2.5,
        "'12'": "12",
        "1e10": 1e10,
        "1/0": math.inf,
    }.items():
        if number == math.inf and directive[-1] not in "efgEG":
            continue
        lua = in_lua(runtime, f"string.format('{directive}', {text})")
        page = in_page(library.text_function_all, "format", directive, number)
        assert page != "error"
        assert same(page, lua), (directive, number, page, lua)


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("'%s|%5s|%-5s|%.2s', 'abc', 1, true, 'xyz'", ("%s|%5s|%-5s|%.2s", "abc", 1, True, "xyz")),
        ("'%q', 'a\"b\\\\c\\n\\0001'", ("%q", 'a"b\\c\n\x001')),
        ("'100%%'", ("100%%",)),
        ("'%d'", ("%d",)),
        ("'%d', 'x'", ("%d", "x")),
        ("'%y', 1", ("%y", 1)),
        ("'%s', nil", ("%s", None)),
    ],
)
def test_formats(runtime: Runtime, code: str, given: tuple[Any, ...]) -> None:
    lua = in_lua(runtime, f"string.format({code})")
    page = in_page(library.text_function_all, "format", *given)
    assert page == "error" if lua == "error" else same(page, lua) and page != "error"


NUMBERS = {
    "0": 0,
    "1": 1,
    "-1": -1,
    "31": 31,
    "2.5": 2.5,
    "4294967295": 4294967295,
    "-2147483648": -2147483648,
    "1e10": 1e10,
    "'7'": "7",
    "'0x1F'": "0x1F",
    "'x'": "x",
    "nil": None,
}


def test_bits(runtime: Runtime) -> None:
    for name, (a, x), (b, y) in itertools.product(library.BITS, NUMBERS.items(), NUMBERS.items()):
        one = name in ("bnot", "bswap", "tobit")
        page = in_page(library.bit_function, name, *([x] if one else [x, y]))
        lua = in_lua(runtime, f"bit.{name}({a if one else f'{a}, {b}'})")
        assert (page == "error") == (lua == "error"), (name, a, b, page, lua)
        assert page == "error" or same((page,), lua), (name, a, b, page, lua)


def test_mathematics(runtime: Runtime) -> None:
    for name, (a, x), (b, y) in itertools.product(library.OF_NUMBERS, NUMBERS.items(), NUMBERS.items()):
        one = name not in ("fmod", "ldexp", "max", "min", "pow")
        page = in_page(library.math_function_all, name, *([x] if one else [x, y]))
        lua = in_lua(runtime, f"math.{name}({a if one else f'{a}, {b}'})")
        assert page == "error" or len(page) == len(lua), (name, a, b, page, lua)
        assert page == "error" or all(
            p == q or (p != p and q != q) or math.isclose(p, q, rel_tol=1e-15)
            for p, q in zip(page, lua, strict=True)
        ), (name, a, b, page, lua)


@pytest.mark.parametrize("base", ["", ", 10", ", 16", ", 2"])
def test_numbers_of_texts(runtime: Runtime, base: str) -> None:
    texts = [
        *NUMBERS,
        "' 12 '",
        "'1e3'",
        "'0x1.8p1'",
        "'1_2'",
        "''",
        "' '",
        "'ff'",
        "'102'",
        "'-5'",
        "'.5'",
        "'5.'",
    ]
    for text in (*texts, "'1e'", "'inf'", "'nan'", "'0x'", "true", "'0b11'"):
        value: Any = {"nil": None, "true": True}.get(text, text[1:-1] if text[0] == "'" else None)
        value = float(text) if value is None and text != "nil" else value
        lua = in_lua(runtime, f"tonumber({text}{base})")
        page = in_page(library.to_number, value, *([int(base[2:])] if base else []))
        assert page == "error" or lua == "error" or same((page,), lua), (text, base, page, lua)
