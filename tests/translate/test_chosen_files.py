"""Files that a program chooses by an option, and files that are run within a statement."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify_script import verify_script

START = """require 'torch'
require 'nn'
local cmd = torch.CmdLine()
cmd:option('-net', 'small', 'which network')
local opt = cmd:parse(arg)
torch.manualSeed(11)
"""
END = """
print(net:forward(torch.ones(2, 3)):sum(), #net:parameters())
"""
MAKERS = {
    "nets/small.lua": """local parts = require 'nets/parts'
local function make(width) return parts.both(nn.Linear(3, width), nn.Tanh()) end
return make
""",
    "nets/large-one.lua": """local parts = require 'nets/parts'
return function(width) return parts.both(nn.Linear(3, 4 * width), nn.Sigmoid()) end
""",
    "nets/parts.lua": """local parts = {}
function parts.both(a, b) return nn.Sequential():add(a):add(b) end
return parts
""",
    "nets/init.lua": "error('not one of them')\n",
}
# What is made when a file is run: from draws that come after the seed.
MADE = {
    "made/small.lua": "return nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())\n",
    "made/large.lua": "local net = nn.Sequential():add(nn.Linear(3, 7)):add(nn.ReLU())\nreturn net\n",
}
GLOBALS = {
    "kinds/small.lua": "function make() return nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh()) end\n",
    "kinds/large.lua": "function make() return nn.Sequential():add(nn.Linear(3, 9)):add(nn.ReLU()) end\n",
}


def written(folder: Path, main: str, files: dict[str, str]) -> Native:
    for name, source in {"main.lua": main, **files}.items():
        folder.joinpath(name).parent.mkdir(exist_ok=True)
        folder.joinpath(name).write_text(source)
    page = translate_script(main.encode(), str(folder / "main.lua"))
    assert [str(p) for p in page.problems] == []
    assert page.native == page.statements
    return page


# One of them is a part of another one, and a choice as well.
LISTED = {
    "nets/small.lua": "return function(width) return nn.Linear(3, width) end\n",
    "nets/large.lua": """local small = require 'nets/small'
return function(width) return nn.Sequential():add(small(5)):add(nn.Linear(5, width)) end
""",
}
PROGRAMS = {
    "one_that_another_requires": ("local net = require('nets/' .. opt.net)(2)", LISTED, "large"),
    "required": ("local net = require('nets/' .. opt.net)(2)", MAKERS, "large-one"),
    "required_with_dots": ("local net = require('nets.' .. opt.net)(2)", MAKERS, "large-one"),
    "run_within_a_statement": (
        "local net = nn.Sequential()\nnet:add(dofile('made/' .. opt.net .. '.lua'))",
        MADE,
        "large",
    ),
    "run_for_its_globals": (
        "paths.dofile('kinds/' .. opt.net .. '.lua')\nlocal net = make()",
        GLOBALS,
        "large",
    ),
    "run_by_a_variable": (
        "local f = 'kinds/small.lua' if opt.net == 'large' then f = 'kinds/large.lua' end dofile(f) local net = make()",
        GLOBALS,
        "large",
    ),
    "run_by_its_name": ("local net = nn.Sequential()\nnet:add(dofile 'made/small.lua')", MADE, "small"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_choice_is_equal(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, files, other = PROGRAMS[name]
    page = written(tmp_path, START + lines + END, files)
    monkeypatch.chdir(tmp_path)
    for arguments in ([], ["-net", other]):
        comparison = verify_script(page, tmp_path / "main.lua", arguments)
        assert comparison.lines == 1
        assert comparison.largest < 1e-12


def test_a_path_that_is_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files beside its default are those that it may be, also where they are not below the script."""
    main = (START + "paths.dofile(opt.net)\nlocal net = make()" + END).replace(
        "'small'", "'../kinds/small.lua'"
    )
    written(tmp_path, "", GLOBALS)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "main.lua").write_text(main)
    monkeypatch.chdir(tmp_path / "train")
    page = translate_script(main.encode(), "main.lua")
    assert (page.problems, page.native) == ([], page.statements)
    assert set(page.modules) >= {"kinds/small.py", "kinds/large.py"}
    assert verify_script(page, Path("main.lua"), ["-net", "../kinds/large.lua"]).largest < 1e-12


def test_pages(tmp_path: Path) -> None:
    page = written(tmp_path, START + PROGRAMS["required"][0] + END, MAKERS)
    assert '    net = {"large-one": large_one, "small": small}[opt.net](2)\n' in page.code
    assert sorted(page.modules) == ["nets/large_one.py", "nets/parts.py", "nets/small.py"]


def test_only_the_chosen_file_is_run(tmp_path: Path) -> None:
    code = written(tmp_path, START + PROGRAMS["run_for_its_globals"][0] + END, GLOBALS).code
    branch = '    if opt.net == "large":\n        import kinds.large  # for what it does\n'
    assert branch in code


def test_a_file_with_a_longer_pattern_is_another_thing(tmp_path: Path) -> None:
    files = {
        "sets/few.lua": "return function(n) return n end\n",
        "sets/few-gen.lua": "return {count = 3}\n",
        "sets/many.lua": "return function(n) return 2 * n end\n",
        "sets/many-gen.lua": "return {count = 5}\n",
    }
    main = """local cmd = torch.CmdLine()
cmd:option('-set', 'few', 'which')
local opt = cmd:parse(arg)
local number = require('sets/' .. opt.set)
local made = require('sets/' .. opt.set .. '-gen')
print(number(made.count))
"""
    page = written(tmp_path, main, files)
    assert "{" + '"few": few, "many": many}[opt.set]' in page.code


@pytest.mark.parametrize(
    "call",
    [
        "require('nets/' .. opt.net .. opt.net)",  # two that choose
        "require('nets/' .. pick())",  # what chooses is more than read
        "require('nowhere/' .. opt.net)",
        "require('../nets/' .. opt.net)",
    ],
)
def test_what_stays(call: str, tmp_path: Path) -> None:
    for name, source in MAKERS.items():
        tmp_path.joinpath(name).parent.mkdir(exist_ok=True)
        tmp_path.joinpath(name).write_text(source)
    main = f"local opt, pick = {{net = 'small'}}, function() return 'small' end\nlocal net = {call}(2)\n"
    page = translate_script(main.encode(), str(tmp_path / "main.lua"))
    assert page.problems
    assert page.modules == {}


def test_a_file_that_is_run_after_something_else(tmp_path: Path) -> None:
    """What comes first in a statement would come after the import."""
    main = "torch.manualSeed(2)\nlocal x = torch.cat(torch.rand(2), dofile('draw.lua'))\nprint(x)\n"
    tmp_path.joinpath("draw.lua").write_text("return torch.rand(3)\n")
    page = translate_script(main.encode(), str(tmp_path / "main.lua"))
    assert [problem.code for problem in page.problems] == ["T7-251"]


def test_a_file_beside_others_does_not_choose_itself(tmp_path: Path) -> None:
    main = """local cmd = torch.CmdLine()
cmd:option('-net', 'small', 'which network')
local opt = cmd:parse(arg)
paths.dofile(opt.net .. '.lua')
print(made(3))
"""
    page = written(tmp_path, main, {"small.lua": "function made(n) return 2 * n end\n"})
    assert "small" in page.code
    assert list(page.modules) == ["small.py"]
