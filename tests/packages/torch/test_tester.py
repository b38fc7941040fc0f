"""torch.Tester and torch.TestSuite: what each check takes, what a run prints, and how it ends."""

from __future__ import annotations

import re

import pytest

from torch7py.bridge.errors import LuaError

# A tester whose checks answer with the text of the failure, nil for none.
PRELUDE = """
    local t = torch.Tester()
    t._success = function() return nil end
    t._failure = function(_, message) return message end
    local one, two = torch.Tensor{1}, torch.Tensor{2}
"""

PASSING = """
assert(true)
assertlt(1, 2)            assertgt(2, 1)           assertle(2, 2)          assertge(2, 2)
asserteq('a', 'a')        assertne('a', 'b')       assertne(one, two)
assertalmosteq(1, 1 + 1e-17)                       assertalmosteq(1, 3, 2)
eq(one, one:clone())      eq({1, {one}}, {1, {one:clone()}})               eq('x', 'x')
eq(1, 1.5, 0.5, 'text')   eq(1, 1.5, 'text', 0.5)  ne(1, 1.5, 0.25)        ne(one, two, 0.5)
eq(one, two, 1)           eq(torch.LongStorage{1, 2}, torch.LongStorage{1, 2})
eq(torch.Tensor(), torch.Tensor())                 eq(torch.ByteTensor{3}, torch.ByteTensor{3})
ne(torch.ByteTensor{0}, torch.ByteTensor{255})     eq(torch.ByteTensor{0}, torch.ByteTensor{255}, 255)
ne({1, 2}, {1, 2, 3})     ne({1, 2, 3}, {1, 2})    ne({a = 1}, {b = 1})    ne(one, 1)
ne(one, torch.FloatTensor{1})                      ne(one, torch.Tensor{{1}})
ne(torch.FloatStorage{1}, torch.LongStorage{1})    ne(torch.Storage{1}, torch.Storage{1, 2})
ne(0/0, 0/0)              ne(torch.Tensor{0/0}, torch.Tensor{0/0})
assertGeneralEq({}, {})   assertGeneralNe({}, {1})
assertTableEq({1}, {1})   assertTableNe({1}, {2})
assertTensorEq(one, torch.Tensor{{1}})             assertTensorNe(one, two)
assertTensorNe(one, torch.Tensor{1, 1})            assertTensorNe(one, torch.FloatTensor{1})
assertError(function() error('no') end)            assertNoError(function() end)
assertErrorPattern(function() error('oh no') end, 'h n')
assertErrorMsg(function() error('x', 0) end, 'x')
assertErrorObj(function() error({7}) end, function(e) return e[1] == 7 end)
"""

FAILING = [
    ("assert(false, 'why')", "why\nBOOL violation condition=false"),
    ("assertlt(2, 1)", "LT failed: 2 >= 1"),
    ("assertgt(1, 2)", "GT failed: 1 <= 2"),
    ("assertle(2, 1)", "LE failed: 2 > 1"),
    ("assertge(1, 2)", "GE failed: 1 < 2"),
    ("asserteq(1, 2)", "EQ failed: 1 ~= 2"),
    ("assertne(1, 1)", "NE failed: 1 == 1"),
    ("assertalmosteq(1, 3, 1)", "ALMOST_EQ failed: 1 ~= 3 with tolerance=1"),
    ("eq(1, 2)", "EQ failed: 1 ~= 2"),
    ("eq(1, 2, 0.5)", "EQ failed: 1 ~= 2 with tolerance=0.5"),
    ("eq(1, '1')", "EQ failed: values have different types (first: number, second: string)"),
    ("eq(true, false)", "EQ failed: true (boolean) ~= false (boolean)"),
    ("eq(one, two, 'text')", "text\nTensorEQ(==) violation: max diff=1, tolerance=0"),
    ("eq(one, torch.Tensor{1, 1})", "The tensors have different sizes"),
    ("eq(one, torch.Tensor{{1}})", "The tensors have different dimensions: 1 and 2"),
    (
        "eq(one, torch.FloatTensor{1})",
        "The tensors have different types: torch.DoubleTensor and torch.FloatTensor",
    ),
    ("eq(torch.Storage{1}, torch.Storage{4})", "StorageEQ(==) violation: max diff=3, tolerance=0"),
    ("eq({a = {b = 1}}, {a = {b = 2}})", "At table location a.b: EQ failed: 1 ~= 2"),
    ("eq({a = 1}, {})", "Entry a missing in second table (is 1 in first)"),
    ("eq({}, {3})", "Entry 1 missing in first table (is 3 in second)"),
    ("eq({{{1}}, {2}}, {{{9}}, {8}})", "At table location 2.1: EQ failed: 2 ~= 8"),
    ("ne(1, 1)", "NE failed: 1 == 1"),
    ("assertError(function() end)", "ERROR violation: err=nil"),
    ("assertNoError(function() error('x', 0) end)", "ERROR violation: err=x"),
]


@pytest.mark.parametrize("check", [c for line in PASSING.split("\n") for c in re.split(r"\s{2,}", line) if c])
def test_passes(runtime, check):
    assert runtime.execute(f"{PRELUDE} return t:{check}") is None


@pytest.mark.parametrize(("check", "text"), FAILING)
def test_fails(runtime, check, text):
    assert runtime.execute(f"{PRELUDE} return t:{check}") == text


def test_tables_in_cycles(runtime):
    cycle = "local a, b = {1}, {1} a.me, b.me = a, b"
    assert runtime.execute(f"{PRELUDE} {cycle} return t:eq(a, b)") is None
    assert (
        runtime.execute(f"{PRELUDE} {cycle} b.me = {{2}} return t:eq(a, b)")
        == "At table location me.1: EQ failed: 1 ~= 2"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("t:assert(true, 'a', 'b')", "Unexpected arguments"),
        ("t:assert(true, 3)", "a test message must be a string, not a number"),
        ("t:eq(1, 1, -1)", "a tolerance cannot be negative"),
        ("t:eq(1, 1, 'a', 'b')", "one tolerance and one message at most"),
        ("t:assertTensorEq(torch.Tensor{1}, 2)", "Second argument should be a Tensor, not a number"),
        ("t:assertTableEq(1, {})", "First argument should be a Table, not a number"),
        ("t:add(3)", "a test must be a function or a table of functions, not a number"),
        ("t:add({{}})", "Nested sets of tests are not supported"),
        ("t:add({}, 'name')", "got the name name too"),
        ("t:add(print, 'a'):add(print, 'a')", "Test with name a already exists!"),
        ("t:add(print, '_setUp'):add(print, '_setUp')", "Only one set-up function is allowed"),
        ("t:disable('b')", "Unrecognized test 'b'"),
        ("t:run('b')", "Couldn't find test 'b'"),
        ("local s = torch.TestSuite() s.a = print s.a = print", "Test a is already defined."),
        ("torch.TestSuite().a = {}", "Nested tables of tests are not supported"),
        ("torch.TestSuite().a = 3", "Only functions are supported"),
    ],
)
def test_misuse(runtime, source, message):
    with pytest.raises(LuaError, match=f"script.lua:1: .*{re.escape(message)}"):
        runtime.execute(f"local t = torch.Tester() {source}", "@script.lua")


def run(runtime, capfd, source: str) -> list[str]:
    """What a run of tests prints, without the lines that were written over."""
    runtime.execute(source, "@script.lua")
    lines = capfd.readouterr().out.split("\n")
    return [line.rpartition("\r")[2] for line in lines]


SUITE = """
local tests, log = torch.TestSuite(), {}
local t = torch.Tester()
function tests.good() t:eq(1, 1) t:assert(true) end
function tests.bad() t:eq(torch.Tensor{1, 2, 3}, torch.Tensor{1, 2, 4}, 'should be equal') end
function tests.broken() error('dropped') end
function tests.skipped() log.skipped = true end
function tests.warned() t:assert(3) end
function tests._setUp(name) log[#log + 1] = '+' .. name end
function tests._tearDown(name) log[#log + 1] = '-' .. name end
t:add(tests):disable('skipped')
"""


def test_a_run(runtime, capfd):
    lines = run(
        runtime, capfd, f"{SUITE} ok, message = pcall(t.run, t) result = log asserts = t.countasserts"
    )
    assert lines[:8] == [
        "Running 5 tests",
        f"1/5 bad {'.' * 65} [FAIL]",
        f"2/5 broken {'.' * 62} [ERROR]",
        f"3/5 good {'.' * 64} [PASS]",
        f"4/5 skipped {'.' * 61} [SKIP]",
        f"5/5 warned {'.' * 62} [PASS]",
        " " * 70 + "[+warning]",
        "Completed 4 asserts in 5 tests with 1 failure and 1 error and 1 warning and 1 disabled",
    ]
    assert len(lines[1]) == 80
    rule = "-" * 80
    assert lines[8:16] == [
        rule,
        "bad",
        "should be equal",
        "TensorEQ(==) violation: max diff=1, tolerance=0",
        "stack traceback:",
        "\tscript.lua:5: in function <script.lua:5>",
        "",
        rule,
    ]
    assert lines[16:19] == ["broken", " Function call failed", "script.lua:6: dropped"]
    assert any(":assert should only be used for boolean conditions" in line for line in lines[20:])
    assert runtime.globals["ok"] is False
    assert "An error was found while running tests!" in runtime.globals["message"]
    assert runtime.globals["asserts"] == 4
    assert runtime.globals["result"] == [
        "+bad",
        "-bad",
        "+broken",
        "-broken",
        "+good",
        "-good",
        "+warned",
        "-warned",
    ]


def test_some_of_the_tests(runtime, capfd):
    lines = run(runtime, capfd, f"{SUITE} result = t:run({{'^g', 'warn'}})")
    assert [line.split()[1] for line in lines[1:3]] == ["good", "warned"]
    assert runtime.globals["result"] == 0


def test_stopping_at_the_first_failure(runtime, capfd):
    lines = run(runtime, capfd, f"{SUITE} t:setEarlyAbort(true) t:setSummaryOnly(true) pcall(t.run, t)")
    assert lines[2:] == [
        "Aborting on first error, not all tests have been executed",
        "Completed 1 assert in 5 tests with 1 failure and 0 errors and 1 disabled",
        "",
    ]


def test_errors_let_through(runtime, capfd):
    with pytest.raises(LuaError, match=r"^script\.lua:2: dropped"):
        run(
            runtime,
            capfd,
            "local t = torch.Tester() t:setRethrowErrors(true)\nt:add(function() error('dropped') end):run()",
        )
    with pytest.raises(LuaError, match="EQ failed: 1 ~= 2"):
        run(
            runtime,
            capfd,
            "local t = torch.Tester() t:setRethrowErrors(true) t:add(function() t:eq(1, 2) end):run()",
        )


def test_warnings(runtime, capfd):
    source = """
        local t = torch.Tester()
        t:add({a = function() t:assertTensorEq(torch.Tensor{{1}}, torch.Tensor{1}) t:assertne({}, {}) end})
        t:run()"""
    text = "\n".join(run(runtime, capfd, source))
    for words in (
        "use TestSuite rather than plain lua table",
        "but different dimensions",
        "compare basic values",
    ):
        assert words in text
    assert "and 2 warnings\n" in text  # of one test, and of one call outside


def test_os_exit_in_a_test_ends_the_program(runtime, tmp_path):
    script = tmp_path / "script.lua"
    script.write_text("local t = torch.Tester() t:add(function() os.exit(5) end) t:run() os.exit(1)")
    assert runtime.run(script) == 5
