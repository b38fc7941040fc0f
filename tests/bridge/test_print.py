"""th's ``print``: what the original wrote, byte by byte."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.chunks import Engine, engines
from tests.together import together

with gzip.open(Path(__file__).parents[1] / "golden" / "th_print.json.gz", "rt") as file:
    GOLDEN: dict[str, Any] = json.load(file)

# The type name that a stand-in of the golden cases carries.
TYPENAME = """
return function(x)
   local mt = type(x) == 'userdata' and debug.getmetatable(x)
   return mt and mt.typename or nil
end
"""


class Printer:
    """An engine with th's print, and what it has written."""

    def __init__(self, name: str, colors: bool = False) -> None:
        self.engine = Engine(name)
        self.engine.chunk("pairs.lua").install("sorted")
        self.written: list[str] = []
        self.host = {"write": self.written.append, "typename": self.engine.run(TYPENAME), "colors": colors}
        self.engine.chunk("print.lua", self.engine.lua.table_from(self.host)).install()

    def output(self, code: str) -> str:
        self.written.clear()
        self.engine.run(code)
        return "".join(self.written)


@pytest.fixture(params=engines)
def printer(request) -> Printer:
    return Printer(request.param)


def without_addresses(text: str) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", text)


@together("name", engines)
@together("case", GOLDEN["cases"], ids=lambda case: case["code"])
def test_golden(name, case):
    code = GOLDEN["prelude"] + case["code"]
    assert without_addresses(Printer(name).output(code)) == case["text"]
    assert without_addresses(Printer(name, colors=True).output(code)) == case["colored"]


def test_lines_are_written_as_they_come(printer):
    """What a __tostring prints stands where it was printed."""
    assert (
        printer.output("""
        print({1, setmetatable({}, {}), [setmetatable({}, {__tostring = function() print('in') return 'key' end})] = 2})
    """)
        == "{\n  1 : 1\n  2 : {...}\nin\t\n  key : 2\n}\n"
    )


def test_pairs_and_tostring_are_the_globals_of_the_moment(printer):
    assert (
        printer.output("""
        local shown = tostring
        function tostring(x) return '<' .. shown(x) .. '>' end
        function pairs(t) return ipairs(t) end
        print(1, {2, n = 3})
    """)
        == "<1>\t{\n  <1> : <2>\n}\n"
    )


def test_fields_that_only_pairs_knows(printer):
    assert (
        printer.output("""
        local t = setmetatable({}, {__pairs = function() return next, {weight = 1}, nil end})
        print(t, {t})
    """)
        == "{\n  weight : 1\n}\n{\n  1 : \n    {\n      weight : 1\n    }\n}\n"
    )


@pytest.mark.parametrize("level", ["nil", "-1", "'x'"])
def test_levels_that_are_none(printer, level):
    assert printer.engine.run(f"return pcall(function()\n setprintlevel({level}) end)") == (
        False,
        "test.lua:2: setprintlevel expects a number that is not negative",
    )


class TestPlain:
    def test_as_in_lua(self, printer):
        assert (
            printer.output("print_old('a', nil, 1.5, true) print_old() print_old('')")
            == "a\tnil\t1.5\ttrue\n\n\n"
        )

    def test_tostring_must_give_a_string(self, printer):
        assert (
            printer.engine.run(
                "return pcall(print_old, setmetatable({}, {__tostring = function() return {} end}))"
            )[0]
            is False
        )


def test_globals(printer):
    bare = Engine(printer.engine.name)
    names = "local n = {} for k in next, _G do n[#n + 1] = k end return n"
    assert set(printer.engine.rows(names)) - set(bare.rows(names)) == {
        "print_new",
        "print_old",
        "setprintlevel",
    }
