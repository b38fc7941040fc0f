"""HDF5 files and texts in JSON: what has no form is refused; loops over tables go in order where that matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.api import to_pytorch
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script


def code_of(program: str) -> str:
    page = translate_script(program.encode(), "t.lua")
    assert [str(problem) for problem in page.problems] == []
    return page.code


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("local f = hdf5.open('a.h5', arg[1])", "T7-203: a file's mode that is not a literal"),
        ("local f = hdf5.open('a.h5', 'r') print(f:read('/'):all())", "all that a file holds, as one table"),
        (
            "local f = hdf5.open('a.h5', 'w') f:write('x', {a = torch.ones(2)})",
            "writing something else into a file than a tensor",
        ),
        (
            "local part = {1, 2} local f = hdf5.open('a.h5', 'r') print(f:read('x'):partial(part, 3):sum())",
            "a part of a file's data by a table that is not written out",
        ),
        (
            "local f = hdf5.open('a.h5', 'r') print(f:read('x'):partial({1, -1}):sum())",
            "a part of a file's data with a place before its first",
        ),
        ("local f = hdf5.open('a.h5', 'w') f:append('x', torch.ones(2))", "the method append of a hdf5"),
    ],
)
def test_what_is_refused_of_hdf5(program: str, expected: str) -> None:
    problems = translate_script(f"require 'hdf5' {program}".encode(), "t.lua").problems
    assert expected in " ".join(map(str, problems))


PLACES = """
require 'hdf5'
local name = 'NAME'
local file = hdf5.open(name, 'w')
file:write('/images', torch.range(1, 24):view(4, 2, 3))
file:close()
local Loader = {}
function Loader.new(places) return {file = hdf5.open(name, 'r'), places = places, n = 2} end
local function any(places, i) local ix = places[i] return ix end
local loader = Loader.new({any({3, 1}, 1), 'x'})
local ix = loader.places[1]
local x = loader.file:read('/images'):partial({ix, ix}, {1, loader.n}, {2, 3})
print(x:sum(), x:size(1), x:size(3))
loader.file:close()
"""


def test_places_in_a_file_of_which_the_program_does_not_tell_the_kind(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    program = tmp_path / "program.lua"
    program.write_text(PLACES.replace("NAME", str(tmp_path / "images.h5")))
    page = translate_script(program.read_bytes(), str(program))
    assert page.problems == []
    assert verify_script(page, program).lines == 1


@pytest.mark.usefixtures("without_objects")
def test_what_json_of_two_kinds_gives_is_looked_at_when_the_page_runs(tmp_path: Path) -> None:
    program = tmp_path / "program.lua"
    program.write_text(
        """local cjson = require 'cjson'
local a = cjson.decode('{"name": "x", "1": "y"}')
local function f(v) print(v[1], v['1'], v.name) end f(a) f(cjson.decode('["q"]'))
"""
    )
    assert translate_script(program.read_bytes(), str(program)).problems == []
    verified = to_pytorch(program).report.verified
    assert verified is not None
    assert verified.equal, verified


LOOP = """
local t = {a = 1.5, b = 2}
t.c = 3
local n, other, list = 0, {}, {}
for key, value in pairs(t) do
   BODY
end
print(n, other, list)
"""


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("n = n + 1", "for _ in t:"),
        ("other[key] = value", "for key, value in t.items():"),
        ("if value > 2 then n = n + 2 end", "for value in t.values():"),
        ("local doubled = value * 2 other[key] = doubled", "for key, value in t.items():"),
        # sums of fractions, and what depends on the entries before
        ("n = n + value", "for _, value in sorted(t.items()):"),
        ("other[value] = key", "for key, value in sorted(t.items()):"),
        ("n = value", "for _, value in sorted(t.items()):"),
        ("other[key] = n n = n + 1", "for key in sorted(t):"),
        ("table.insert(list, key)", "list_.extend(sorted(t))"),
        ("print(key)", "for key in sorted(t):"),
        ("t[key] = value + 1", "for key, value in sorted(t.items()):"),
        ("if other.a == nil then other[key] = 1 end", "for key in sorted(t):"),
    ],
)
def test_order_where_it_matters(body: str, head: str) -> None:
    page = translate_script(LOOP.replace("BODY", body).encode(), "t.lua").code
    assert head in page


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    "program",
    [
        "local t = {1, 2, 3} print(unpack(t, 1, 5))",  # prints nil for what is not there
        "local t = {1, 2, 3} local a, b = unpack(t, 2, 3) print(a, b)",
        "local t = {1, 2, 3} print(unpack(t, -1))",
        "local t = {1, 'a', torch.ones(2)} local a, b = unpack(t, 2) print(a)",
    ],
)
def test_parts_of_lists_that_are_refused(program: str) -> None:
    assert "T7-217" in {problem.code for problem in translate_script(program.encode(), "t.lua").problems}


def test_methods_of_files_of_numbers_are_those_of_the_library(tmp_path: Path) -> None:
    program = tmp_path / "program.lua"
    program.write_text(
        f"""local name = '{tmp_path}/numbers.bin'
local out = torch.DiskFile(name, 'w'):binary()
out:bigEndianEncoding():writeInt(2)
for i = 1, 2 do out:writeShort(i * 3) end
out:close()
local function read(path)
   local f = torch.DiskFile(path, 'r')
   f:binary():bigEndianEncoding()
   local n = f:readInt()
   local first = f:readShort()
   f:quiet()
   local rest = f:readShort(n - 1)
   local at = f:position()
   f:close()
   return n, first, rest[1], at, f
end
local n, first, rest, at, file = read(name)
print(n + 1, first, rest, at, file:hasError())
"""
    )
    page = translate_script(program.read_bytes(), str(program))
    assert page.problems == []
    assert page.plain_calls == 3, page.code  # both files, and the first of the numbers in a row
    assert "f.binary().bigEndianEncoding()" in page.code
    assert "print(n + 1, first, lua_text(rest), at, str(file.hasError()).lower()" in page.code
    assert verify_script(page, program).lines == 1
