"""Programs of tests: what of a torch.Tester is written out in simpler Lua, and what stays as it is."""

from __future__ import annotations

import pytest

from torch7py.translate.native.desugar import written_out
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


def test_a_tester_that_is_run_in_a_function() -> None:
    source = (
        "local tester\nfunction tests.one() tester:asserteq(1, 1) end\nfunction all(names)\n"
        "  tester = torch.Tester()\n  tester:add(tests)\n  tester:run(names)\n  return tester\nend\n"
    )
    lines = written_out(source.encode(), "test.lua").decode().split("\n")
    assert [lines[at] for at in (0, 1, 3, 4, 6)] == [
        "",
        "function tests.one() assert(1 == 1) end",
        "  ",
        "  ",
        "  ",
    ]
    assert "torch.Tester.addWanted(suite, tests, names)" in lines[5]


@pytest.mark.parametrize(
    ("first", "last", "after"),
    [
        ("local tester = ...", "return tests", "return tests"),
        (
            "local tester",
            "return function(t) tester = t return tests end",
            "return function()  return tests end",
        ),
    ],
)
def test_a_tester_that_another_file_has(first: str, last: str, after: str) -> None:
    body = "local tests = torch.TestSuite()\nfunction tests.one() {} end\n{}\n"
    source = f"{first}\n{body.format('tester:eq(1, 2)', last)}"
    expected = f"\n{body.format('torch.Tester.checkEqual(1, 2)', after)}".replace("torch.TestSuite()", "{}")
    assert written_out(source.encode(), "test.lua").decode() == expected
    other = source.replace("tester:eq(1, 2)", "print(tester)").encode()
    assert written_out(other, "test.lua") == other


def test_the_file_that_hands_its_tester_to_others() -> None:
    source = "local t = torch.Tester()\nt:add(dofile('a.lua')(t))\nt:add(dofile('b.lua')(t))\nt:run()\n"
    lines = written_out(source.encode(), "test.lua").decode().split("\n")
    assert lines[1:3] == ["local tests = dofile('a.lua')()", "local tests_ = dofile('b.lua')()"]
    assert "in pairs(tests) do" in lines[3]
    assert "in pairs(tests_) do" in lines[3]


@pytest.mark.parametrize(
    "uses",
    [
        "tester:add(tests)",  # who runs it?
        "tester:run()\ntester:add(tests)",
        "if more then tester:add(tests) end\ntester:run()",
        "tester:add(tests)\ntester:run()\nreturn tester",
        "tester:add(function() end, 'one')\ntester:run()",
        "local ok = tester:eq(1, 1)\ntester:add(tests)\ntester:run()",
        "tester:assertErrorPattern(print, 'x')\ntester:add(tests)\ntester:run()",
        "tester:assertError(function() tester:eq(1, 1) end)\ntester:add(tests)\ntester:run()",
        "tester:assert(true, 'a', 'b')\ntester:add(tests)\ntester:run()",
        "tester:add(tests)\ntester:run()\nprint(tester.countasserts)",
        "tester:add(tests)\ntester:run()\ntester = nil",
        "function tester:assert(x) print(x) end\ntester:add(tests)\ntester:run()",
        "function tester:kept() return self end\ntester:add(tests)\ntester:run()",
        "function tests:one() return self end\ntester:add(tests)\ntester:run()",
    ],
)
def test_another_use_of_a_tester_stays(uses: str) -> None:
    source = (TESTER + uses).encode()
    assert written_out(source, "test.lua") == source
