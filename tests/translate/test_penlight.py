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
