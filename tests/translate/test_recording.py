"""Recorded runs: a call around an expression changes nothing, and what was seen is taken for known where it is sure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.translate import recording, tree
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.parse import parse
from torch7py.translate.recording import Evidence, Site, instrument, place_key, record, sites, watched

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted([*ROOT.glob("lua_samples/*.lua"), *ROOT.glob("tests/**/*.lua")])

# Calls in every position, with one value and with several, and calls without brackets.
EVERYTHING = """
local function two(...) return 1, ..., select('#', ...) end
local function id(x) return x end
local t = {two(3), two(4)}
local a, b, c = two(5)
local d = two(6)
print(#t, a, b, c, d, (two(7)), two(8), two(9))
print(two(two(10)))
local object = {n = 1, list = {1, 2, {deep = 'x'}}}
function object:add(k) self.n = self.n + k return self end
function object.make(t) return {n = t[1], add = object.add} end
print(object:add(2):add(3).n, object.make{7}:add(1).n, id{5}[1], id'text', id[[long]])
object.list[3].deep, object['n'] = object.list[3].deep .. id'y', #object.list
print(object.list[3].deep, object.n, not id(nil), -id(2) ^ 2, id(3) % 2)
for k, v in pairs({x = 1}) do print(k, v) end
for i = id(1), id(3), id(2) do print(i) end
local n = 0
repeat local m = n + 1; n = m until m >= id(2)
while n < id(4) do n = n + 1 if n == 3 then break end end
print(n, id(1) and id(false) or id('or'), object.list[id(1)])
local f = function(...) local x, y = ... return y, x end
print(f(1, 2))
print(pcall(error, {code = id(5)}))
print(select(2, pcall(function() return two(1) end)))
goto done
print('skipped')
::done::
return two(1)
"""


def test_insertions_nest() -> None:
    source = b"f(a.b[c])"
    places = [Site(1, 2, 8), Site(2, 2, 5), Site(3, 6, 7), Site(4, 2, 3)]
    assert instrument(source, places, range(4)) == (
        b"f(__torch7py_saw(0, __torch7py_saw(1, __torch7py_saw(3, a).b)[__torch7py_saw(2, c)]))"
    )
    bare = [Site(1, 1, 3, makes=True, bare=True)]
    assert instrument(b"f{}", bare, range(1)) == b"f(__torch7py_made(0, {}))"


def output(source: str) -> str:
    with Runtime() as runtime:
        runtime.execute("function __torch7py_saw(_, x) return x end __torch7py_made = __torch7py_saw")
        runtime.execute(
            "lines = {} function print(...) local t = {...} for i = 1, select('#', ...) do t[i] = "
            "type(t[i]) == 'table' and 'table' or tostring(t[i]) end lines[#lines + 1] = table.concat(t, ' ') end"
        )
        given = runtime.execute(source)
        lines = runtime.execute("return table.concat(lines, ' // ')")
        return f"{lines} {given}"


def everywhere(source: bytes, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A call around each expression around which one can stand."""
    monkeypatch.setattr(recording, "_is_open", lambda *_: True)
    translator = translate_script(source, "p.lua").translator
    assert translator is not None
    (found,) = (
        places for file, places in sites(translator.project, translator.types).items() if not file.function
    )
    assert len(found) > 3
    return instrument(source, found, range(len(found)))


def test_calls_around_everything_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = everywhere(EVERYTHING.encode(), monkeypatch)
    assert changed.count(b"__torch7py_saw") > 60
    assert changed.count(b"\n") == EVERYTHING.count("\n")
    expected = output(EVERYTHING)
    assert "skipped" not in expected
    assert output(changed.decode()) == expected


@pytest.mark.sampled(3)
@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_instrumented_programs_are_lua(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_is_open", lambda *_: True)
    sources = path.read_bytes().split(b"\n---\n")  # edges.lua is many programs, of the same few forms:
    for source in sources[:: 4 if len(sources) > 4 else 1]:  # a fourth of them
        translator = translate_script(source, str(path)).translator
        assert translator is not None
        for file, places in sites(translator.project, translator.types).items():
            if file is translator.project.script:
                changed = instrument(file.source, places, range(len(places)))
                assert runs(changed, path) == runs(file.source, path)


def runs(source: bytes, path: Path) -> int:
    """How many statements are calls."""
    return sum(isinstance(node, tree.Run) for node in tree.walk(parse(source, str(path))))


# What a run shows


def run(tmp_path: Path, source: str, *arguments: str, limit: float = 10.0) -> tuple[Evidence, Native]:
    path = tmp_path / "p.lua"
    path.write_text(source)
    translator = translate_script(path.read_bytes(), str(path)).translator
    assert translator is not None
    evidence = record(path, translator.project, translator.types, arguments, limit, watched)
    return evidence, translate_script(path.read_bytes(), str(path), evidence.kinds)


def kind_of(page: Native, name: str) -> Any:
    """The type of the last expression of this name."""
    assert page.translator is not None
    nodes = [
        node
        for node in tree.walk(page.translator.program)
        if isinstance(node, tree.Name) and node.name == name
    ]
    return page.translator.types.of(nodes[-1])


def loaded(value: str) -> str:
    """An expression whose value nothing but a run tells."""
    return f"loadstring([=[return {value}]=])()"


MANY = f"""
local number, text, flag = {loaded("1")}, {loaded("'a'")}, {loaded("true")}
local matrix, unknown, argument = {loaded("torch.ones(2, 3)")}, {loaded("{1, 2}")}, {loaded("arg[1]")}
print(number, text, flag, matrix, unknown, argument)
"""


def test_what_was_seen_is_known(tmp_path: Path) -> None:
    evidence, page = run(tmp_path, MANY, "hello")
    assert evidence.ended == ""
    assert kind_of(page, "text").kind == "string"
    assert kind_of(page, "number").kind == "number"
    assert kind_of(page, "flag").kind == "boolean"
    assert (kind_of(page, "matrix").kind, kind_of(page, "matrix").rank) == ("tensor", 2)
    assert kind_of(page, "argument").kind == "string"
    assert kind_of(page, "unknown").kind is None, "a table that nobody knows the maker of"
    assert 0 < evidence.settled <= evidence.sites
    assert str(evidence).startswith(f"a run showed the kind of {evidence.settled} of {evidence.sites} open")


def test_a_site_of_two_kinds_stays_open(tmp_path: Path) -> None:
    _, page = run(
        tmp_path,
        "local function get(k) return (loadstring('return ' .. k))() end\n"
        "for _, k in ipairs {'1', '\"a\"', 'nil'} do\n   local either = get(k)\n   print(either)\nend\n",
    )
    assert kind_of(page, "either").kind is None


def test_tensors_of_several_ranks_have_none(tmp_path: Path) -> None:
    _, page = run(
        tmp_path,
        "local function get(k) return (loadstring('return ' .. k))() end\n"
        "for _, k in ipairs {'torch.ones(2)', 'torch.ones(2, 2)'} do\n   local x = get(k)\n   print(x)\nend\n",
    )
    assert (kind_of(page, "x").kind, kind_of(page, "x").rank) == ("tensor", None)


def test_a_table_is_the_one_of_its_constructor(tmp_path: Path) -> None:
    source = (
        "local all = {}\nlocal function get(k) return all[k] end\n"
        "all.a = {torch.ones(2), torch.ones(2)}\nlocal list = get('a')\nprint(list[2]:sum())\n"
    )
    _, page = run(tmp_path, source)
    assert page.translator is not None
    maker = [node for node in tree.walk(page.translator.program) if isinstance(node, tree.Table)][-1]
    assert kind_of(page, "list").find() is page.translator.types.of(maker).find()
    assert not page.problems
    assert "[1].sum()" in page.code


def test_a_function_is_the_one_of_its_definition(tmp_path: Path) -> None:
    _, page = run(
        tmp_path,
        "local t = {}\nlocal function get(k) return t[k] end\nfunction t.f(x) return x * 2 end\n"
        "local f = get('f')\nprint(f(torch.ones(2)):sum())\n",
    )
    assert page.translator is not None
    assert [f.parameters[0].name for f in kind_of(page, "f").functions] == ["x"]


def test_a_module_has_the_layers_of_its_constructor(tmp_path: Path) -> None:
    _, page = run(
        tmp_path,
        "require 'nn'\nlocal t = {}\nlocal function get(k) return t[k] end\nt.m = nn.Linear(2, 3)\n"
        "local m = get('m')\nprint(m:forward(torch.ones(2)):sum())\n",
    )
    assert [layer.name for layer in kind_of(page, "m").layers] == ["nn.Linear"]


def test_required_files_are_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "util.lua").write_text(
        "local M = {}\nfunction M.get(k) return (loadstring('return ' .. k))() end\n"
        "function M.first(k) local x = M.get(k) return x[1] end\nreturn M\n"
    )
    _, page = run(tmp_path, "local util = require 'util'\nprint(util.first('torch.ones(2)'))\n")
    assert (kind_of(page, "x").kind, kind_of(page, "x").rank) == ("tensor", 1)


def test_an_endless_program_is_stopped(tmp_path: Path) -> None:
    evidence, page = run(
        tmp_path,
        "local function get(k) return (loadstring('return ' .. k))() end\n"
        "local x = get('1')\nwhile true do x = get('2') end\n",
        limit=1,
    )
    assert evidence.ended == "it was stopped"
    assert kind_of(page, "x").kind == "number"


def test_a_program_that_fails_has_shown_something(tmp_path: Path) -> None:
    evidence, page = run(
        tmp_path,
        "local function get(k) return (loadstring('return ' .. k))() end\nlocal x = get('1')\nprint(x)\nerror('no')\n",
    )
    assert evidence.ended.endswith("p.lua:4: no")
    assert kind_of(page, "x").kind == "number"


def test_the_program_has_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(
        "local function get(k) return _G[k] end\na = 1\nlocal x = get('a')\nprint(x)\nos.exit(3)\n"
    )
    translator = translate_script(path.read_bytes(), str(path)).translator
    assert translator is not None
    evidence = record(path, translator.project, translator.types)
    assert evidence.ended == "it ended with exit code 3"
    assert {"number"} in evidence.kinds.values()


def test_nothing_runs_when_nothing_is_open(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text("local x = 1\nprint(x)\n")
    translator = translate_script(path.read_bytes(), str(path)).translator
    assert translator is not None
    path.write_text("error('it ran')")
    assert record(path, translator.project, translator.types) == Evidence()


def test_keys_tell_places_apart() -> None:
    block = parse("f(a.b, a.b)\n", "p.lua")
    keys = [place_key(node) for node in tree.walk(block) if isinstance(node, (tree.Index, tree.Name))]
    assert len(set(keys)) == len(keys) == 5
