"""Pages in which nothing is taken for known but what is written out: the floor under all that is proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translate.running import assert_same, in_page, in_runtime, same_or_error
from torch7py.translate.native import program
from torch7py.translate.native.analysis.program_facts import NOTHING_KNOWN

HERE = Path(__file__).parent
SOURCES = HERE.joinpath("nothing_known.lua").read_text().split("\n---\n")
PROGRAMS = sorted(HERE.joinpath("programs").glob("*.lua"))


def of_floor(source: bytes, file: str) -> program.Native:
    return program.in_one_form(source, file, plainly=NOTHING_KNOWN)


@pytest.mark.parametrize("source", SOURCES, ids=[source.split("\n")[0][3:] for source in SOURCES])
def test_what_is_known_only_when_the_page_runs(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.translate.running.translate_script", of_floor)
    page = assert_same(source)
    assert page is not None
    assert page.plain_calls > 0


# A page that ends by an error, which is allowed, may leave a file open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("step", "least"), [(60, 1), pytest.param(1, 80, marks=pytest.mark.slow)])
def test_programs_never_compute_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, least: int
) -> None:
    """An error is allowed, another number never."""
    monkeypatch.chdir(tmp_path)  # where some write files
    assert same_or_error(PROGRAMS[::step], of_floor, tmp_path) >= least


def test_a_program_that_is_refused_else_is_written_so() -> None:
    page = assert_same(
        "local function f(a, ...) return a, ... end\nlocal t = {1}\nt.x, t[2] = f(1, 2)\nprint(t.x, #t)"
    )
    assert page is not None
    assert "lua_compat.new_table(" in page.code
    assert "T7-216" in {problem.code for problem in page.reasons}


def test_what_is_proved_stays_as_it_is_where_something_is_refused_all_the_same() -> None:
    source = "local t = {1, 2}\nfor i = 1, #t do print(t[i]) end\ntorch.Generator()\n"
    page = program.translate_script(source.encode(), "p.lua")
    assert page.problems
    assert "lua_compat.new_table(" not in page.code


ALONE = {
    "a function that calls one of several, which give different numbers of values": """
local one, two = {}, {}
function one:run(a) return a, a + 1 end
function two:run(a) return a end
local function pick(n) if n > 1 then return one else return two end end
local function through(n) return pick(n):run(n) end
local a, b = through(2)
print(a, b)
a, b = through(1)
print(a, b)
""",
    "a field that an object of a package does not have": """
require 'optim'
local scores = optim.ConfusionMatrix({'a', 'b'})
scores.title = 'all of them'
scores:add(1, 2)
print(scores.title, scores.mat[1][2])
""",
}


@pytest.mark.parametrize("source", ALONE.values(), ids=ALONE)
def test_one_statement_that_is_not_proved_leaves_the_others_as_they_are(source: str) -> None:
    """Only it is in plain calls, and what asks for its values: all others stay idiomatic."""
    page = assert_same(source)
    assert page is not None
    assert 1 <= page.plain_calls <= 3
    assert "lua_compat.new_table(" not in page.code


@pytest.mark.parametrize(
    ("more", "is_floor"), [("t.x, t[2] = f(1, 2)\n" * 3, True), ("print(#t)\n" * 20, False)]
)
def test_a_program_that_lacks_a_package_keeps_what_is_proved_of_it(more: str, is_floor: bool) -> None:
    """No page of it is whole, so that nothing taken for known is worth it only where that gives up little."""
    source = (
        "if false then require 'no.such.package' end\n"
        "local function f(a, ...) return a, ... end\nlocal t = {1}\nt.x, t[2] = f(1, 2)\n" + more
    )
    page = program.translate_script(source.encode(), "p.lua")
    assert "T7-251" in {problem.code for problem in page.problems}
    assert ("lua_compat.new_table(" in page.code) is is_floor


def test_a_global_that_nothing_sets_is_nil_where_other_code_is_refused() -> None:
    source = """-- a global that nothing sets in a function that may run other code
local opt = {file = ''}
local function shift(kind)
   if kind == 1 then return 5 elseif flip == 4 then return 0 end
   return 7
end
local function name(x) if x then x = {x} end return type(x), flip end
print(shift(1), shift(2), name())
if opt.file ~= '' then loadstring(opt.file)() end
"""
    page = program.translate_script(source.encode(), "p.lua")
    assert {problem.line for problem in page.problems} == {source.count("\n")}
    assert in_page(page) == in_runtime(source)


def test_a_package_that_is_not_there_may_have_the_name_of_a_global() -> None:
    source = "local function f() return stuff end\nprint(f())\nlocal stuff = require 'stuff'\nprint(stuff.made(1))\n"
    page = of_floor(source.encode(), "p.lua")
    assert [(problem.code, problem.line) for problem in page.problems] == [("T7-201", 3)]
