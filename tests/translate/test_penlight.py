"""Functions of Penlight's, which pages call in their library."""

from __future__ import annotations

from pathlib import Path

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

PROGRAM = """
local dir = require 'pl.dir'
tablex = require 'pl.tablex'
local path = require 'pl.path'
local utils = require 'pl.utils'
for _, d in ipairs(dir.getdirectories('FOLDER')) do print(d, paths.basename(d)) end
for _, f in ipairs(dir.getfiles('FOLDER', '*.txt')) do print(f, path.extension(f)) end
local a, b = {1, 2}, {3, 4}
tablex.insertvalues(a, b)
print(#a, a[4], tablex.size({x = 1, y = 2}), tablex.size(a))
tablex.insertvalues(a, 2, {9})
print(a[1], a[2], a[3], #a)
local c = tablex.copy({x = 1, y = {2}})
print(c.x, c.y[1], tablex.find({5, 6}, 6))
print(tablex.compare_no_order({1, 2}, {2, 1}), tablex.compare_no_order({1, 2}, {2, 3}))
print(#tablex.sub({1, 2, 3, 4}, 2, -2), tablex.sub({1, 2, 3, 4}, 2)[1])
local u = tablex.update({x = 1}, {y = 2})
print(u.x, u.y)
local sep = ({',', ';'})[2]
for _, piece in ipairs(utils.split('a;b;;c', sep)) do print(piece) end
print(utils.escape('a.b*c'), path.extension('a/b.c/d'), path.extension('x.tar.gz'))
local keys = tablex.keys({z = 1, y = 2})
print(keys[1], keys[2])
local root, ext = path.splitext('a.b.c')
print(root, ext)
"""

LISTS = """
local List = require 'pl.List'
local tablex = require 'pl.tablex'
local stringx = require 'pl.stringx'
stringx.import()
local l = List{3, 1, 2}
l:append(5):extend({7, 8})
print(l:join(','), #l, l:len(), l:pop(), l:contains(7), l:index(1), l:count(2))
print(l:map(function(x) return x * 2 end):join(' '), l:filter(function(x) return x > 2 end):join(' '))
print(l:slice(2, 3):join('-'), l:reverse():join('-'), l:sort():join('-'), l:reduce('+'))
l:insert(1, 9)
l:remove(2)
l:remove_value(7)
print(l:join(' '), List():len(), List.new({4}):join())
for line in stringx.lines('a b\\nc\\n') do print(line:split(' ')[1]) end
print(tablex.reduce('*', {2, 3, 4}), tablex.reduce(math.max, {2, 5, 4}))
print(table.concat(tablex.map('..', {1, 2}, 'x'), ' '))
local m = tablex.map(function(v, k) return v + k end, {a = 1, b = 2}, 10)
print(m.a, m.b, #tablex.filter({1, 2, 3}, function(x) return x ~= 2 end))
print(tablex.makeset({'p', 'q'}).q, tablex.index_map{'x', 'y'}.y)
local n = 0
tablex.foreach({4, 5}, function(v, k) n = n + v * k end)
print(n)
print(('  %s  '):format('end'):strip():upper(), ('ab'):startswith('a'), ('ab'):endswith('a'))
"""


def test_lists_and_functions_on_tables(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(LISTS)
    page = translate_script(LISTS.encode(), "p.lua")
    assert page.problems == []
    assert verify_script(page, path).lines == 12


def test_in_plain_calls(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / "folder" / name).mkdir(parents=True)
    for name in ("x.txt", "y.t7"):
        (tmp_path / "folder" / name).touch()
    program = tmp_path / "program.lua"
    program.write_text(PROGRAM.replace("FOLDER", str(tmp_path / "folder")))
    page = translate_script(program.read_bytes(), str(program))
    assert page.problems == []
    assert verify_script(page, program).lines == 16


def test_what_the_library_has_not_is_refused() -> None:
    page = translate_script(b"local tablex = require 'pl.tablex' print(tablex.rotate({1, 2}, 1))", "p.lua")
    assert [problem.code for problem in page.problems] == ["T7-201"]
