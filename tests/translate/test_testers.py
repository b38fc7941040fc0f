"""Programs of tests: what of a torch.Tester is written out in simpler Lua, and what stays as it is."""

from __future__ import annotations

import pytest

from torch7py.translate.native.written_out import written_out
from torch7py.translate.parse import parse

TESTER = "local tester = torch.Tester()\nlocal tests = torch.TestSuite()\n"


def test_a_tester_is_a_suite_of_functions_with_assertions() -> None:
    source = (
        f"{TESTER}function tests:one()\n   tester:asserteq(1 + 1, 2,\n      'sum')\nend\n"
        "tests.two = function() tester:eq(x, {1}, 1e-3) end\ntester:add(tests):run()\n"
    )
    found = written_out(source.encode(), "test.lua").decode()
    parse(found.encode(), "test.lua")
    lines = found.split("\n")
    assert len(lines) == len(source.split("\n"))
    assert lines[:4] == ["", "local tests = {}", "function tests.one()", "   assert((1 + 1) == 2, 'sum')"]
    assert lines[6] == "tests.two = function() torch.Tester.checkEqual(x, {1}, 1e-3) end"
    assert "for name, test in pairs(tests) do" in lines[7]


def test_checks_of_its_own_are_functions() -> None:
    source = (
        "local tests, tester = {}\nlocal tester\nlocal function near(a) tester:assertlt(a, 1) end\n"
        "tester = torch.Tester()\nfunction tester:sized(x, n)\n  self:eq(x:dim(), n, 'dims')\nend\n"
        "function tests.one() near(0) tester:sized(x, 1) end\ntester:add(tests)\ntester:run()\n"
    )
    lines = written_out(source.encode(), "test.lua").decode().split("\n")
    assert lines[1:8] == [
        "",
        "local function near(a) assert(a < 1) end",
        "",
        "local function sized(x, n)",
        "  torch.Tester.checkEqual(x:dim(), n, 'dims')",
        "end",
        "function tests.one() near(0) sized(x, 1) end",
    ]


@pytest.mark.parametrize(
    "uses",
    [
        "tester:add(tests)",  # who runs it?
        "tester:add(tests)\ntester:run(arg[1])",
        "tester:add(tests)\ntester:add(more)\ntester:run()",
        "tester:add(function() end, 'one')\ntester:run()",
        "local ok = tester:eq(1, 1)\ntester:add(tests)\ntester:run()",
        "tester:assertErrorPattern(print, 'x')\ntester:add(tests)\ntester:run()",
        "tester:assertError(function() tester:eq(1, 1) end)\ntester:add(tests)\ntester:run()",
        "tester:assert(true, 'a', 'b')\ntester:add(tests)\ntester:run()",
        "tester:add(tests)\ntester:run()\nprint(tester.countasserts)",
        "tester:add(tests)\nlocal function all() tester:run() end\nall()",
        "tester:add(tests)\ntester:run()\ntester = nil",
        "function tester:assert(x) print(x) end\ntester:add(tests)\ntester:run()",
        "function tester:kept() return self end\ntester:add(tests)\ntester:run()",
        "function tests:one() return self end\ntester:add(tests)\ntester:run()",
    ],
)
def test_another_use_of_a_tester_stays(uses: str) -> None:
    source = (TESTER + uses).encode()
    assert written_out(source, "test.lua") == source
