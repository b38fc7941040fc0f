"""Packages that are Lua alone: a program that requires one gets a page of the package's source beside its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.analysis.program_facts import NOTHING_KNOWN, PROVED, PlainForms
from torch7py.translate.native.lua_packages import is_in_lua, path_of
from torch7py.translate.native.program import in_one_form, translate_script
from torch7py.translate.verify_script import verify_script

PROGRAMS = {
    "moses": """
local _ = require 'moses'
local tens = _.map({1, 2, 3}, function(k, v) return v * 10 end)
print(tens[1], tens[2], tens[3])
print(_.contains({'a', 'b'}, 'b'), _.isEmpty({}), _.all({2, 4}, function(k, v) return v % 2 == 0 end))
print(_.bindn(function(a, b, c) return a .. b .. c end, 'x', 'y')('z'))
print(table.concat(_.append({1}, {2, 3}), ' '), _.find({5, 6, 7}, 6), #_.keys({a = 1, b = 2}))
print(table.concat(_.sort({3, 1, 2}, function(a, b) return a > b end), ' '))
print((pcall(function() return _.nothing end)))
""",
    "bit32": """
local bit32 = require 'bit32'
print(bit32.band(12, 10), bit32.bnot(0), bit32.lshift(1, 31), bit32.extract(0xF0, 4, 4))
""",
    "nninit": """
local nninit = require 'nninit'
torch.manualSeed(1)
local net = nn.Sequential()
net:add(nn.Linear(4, 5):init('weight', nninit.kaiming, {dist = 'uniform', gain = 'relu'}))
net:get(1):init('bias', nninit.constant, 0.5)
net:add(nn.ReLU())
net:add(nn.Linear(5, 2):init('weight', nninit.xavier, {dist = 'normal', gain = 1.1}))
print(net:forward(torch.ones(3, 4)):sum(), net:get(1).bias:sum())
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_gets_the_page_of_a_package(name: str, tmp_path: Path) -> None:
    assert is_in_lua(name)
    path = tmp_path / "program.lua"
    path.write_text(PROGRAMS[name])
    page = translate_script(path.read_bytes(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert page.statements < 20  # none of them the package's
    assert verify_script(page, path).lines == PROGRAMS[name].count("print(")


@pytest.mark.parametrize("forms", [PROVED, NOTHING_KNOWN])
def test_nothing_of_a_package_is_refused(forms: PlainForms) -> None:
    source = "".join(f"local {name} = require '{name}'\nprint({name})\n" for name in ("bit32", "moses"))
    page = in_one_form(source.encode(), "p.lua", forms)
    files = {path_of(name).stem + ".lua" for name in ("bit32", "moses")}
    assert [problem for problem in page.problems if problem.file in files] == []


def test_arguments_in_order_or_by_name(tmp_path: Path) -> None:
    """``xlua.unpack``, whose Lua a program gets as a function of its own."""
    path = tmp_path / "program.lua"
    path.write_text("""
require 'xlua'
local function about(...)
  local all, size, name, again = xlua.unpack({...}, 'about', 'what it does', {arg='size', type='number', req=true},
    {arg='name', type='string', default='x'}, {arg='again', type='number', defaulta='size'})
  return size, name, again, all.name
end
print(about(1)) print(about(2, 'y', 3)) print(about{size = 4, again = 5})
""")
    page = translate_script(path.read_bytes(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert verify_script(page, path).lines == 3


def test_functions_that_a_program_gets_in_lua(tmp_path: Path) -> None:
    path = tmp_path / "program.lua"
    path.write_text("""
require 'xlua'
require 'torchx'
for _, seconds in ipairs{0, 0.0205, 65.5, 3700, 90000, 59.9996} do print(xlua.formatTime(seconds)) end
print(sys.isNaN(0 / 0), sys.isNaN(1), sys.filep('program.lua'), sys.dirp('none'))
local x = torch.Tensor{{1, 2, 1}, {2, 1, 1}}
print(table.concat(torch.find(x, 1), ' '), #torch.find(x:sub(1, -1, 2, 2), 1), torch.find(x[1], 2)[1])
""")
    page = translate_script(path.read_bytes(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert verify_script(page, path).lines == 8


def test_functions_of_lua_by_names_that_are_not_written_out(tmp_path: Path) -> None:
    path = tmp_path / "program.lua"
    path.write_text(
        "local string = string\nfor _, n in ipairs{'upper', 'rep'} do print(string[n]('ab', 2)) end\n"
    )
    page = translate_script(path.read_bytes(), str(path))
    assert verify_script(page, path).lines == 2
