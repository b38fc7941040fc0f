"""Programs of several files: a page for each, and the whole equal to the original."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import python_process
from torch7py.cli.translate import translate
from torch7py.translate.check import check_files
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify_script import verify_script

MAIN = """require 'torch'
require 'nn'
require 'util.misc'
local maths = require 'util.maths'
local settings = dofile 'settings.lua'
local network = require './network'
torch.manualSeed(3)
verbose = true
print(maths.sum({1, 2, 3}), maths.mean({1, 2, 3, 4}), maths.scale)
local calls, half, said = maths.calls()
print(calls, half, said)
print(double(4), count)
local net = network(3)
local criterion = nn.MSECriterion()
for i = 1, settings.steps do
   local x, y = torch.randn(4, 3), torch.randn(4, 2)
   local output = net:forward(x)
   local loss = criterion:forward(output, y)
   net:zeroGradParameters()
   net:backward(x, criterion:backward(output, y))
   net:updateParameters(settings.rate)
   print(i, loss)
end
"""
FILES = {
    "util/misc.lua": """count = 0
function double(x)
   count = count + 1
   return 2 * x
end
""",
    "util/maths.lua": """-- Sums and means.
local maths = {}
local calls = 0
maths.scale = 10

-- the sum of a list
function maths.sum(list)
   calls = calls + 1
   local total = 0
   for i = 1, #list do total = total + list[i] end
   return total
end

local function half(x) return x / 2 end

maths.mean = function(list)
   return maths.sum(list) / #list
end

function maths.calls()
   return calls, half(calls) * maths.scale, verbose
end

return maths
""",
    "settings.lua": "return {rate = 0.1, steps = 3}\n",
    "network.lua": """local function network(inputs)
   return nn.Sequential():add(nn.Linear(inputs, 2)):add(nn.Tanh())
end
return network
""",
}


def written(folder: Path, main: str, files: dict[str, str]) -> Native:
    for name, source in {"main.lua": main, **files}.items():
        folder.joinpath(name).parent.mkdir(exist_ok=True)
        folder.joinpath(name).write_text(source)
    return translate_script(main.encode(), str(folder / "main.lua"))


def problems(page: Native) -> list[str]:
    return [f"{p.file}:{p.line}: {p}" for p in page.problems]


def test_equal_to_the_original(tmp_path, monkeypatch):
    page = written(tmp_path, MAIN, FILES)
    assert problems(page) == []
    assert page.native == page.statements
    monkeypatch.chdir(tmp_path)  # dofile is from where the program is run
    comparison = verify_script(page, tmp_path / "main.lua")
    assert (comparison.lines, comparison.layers) == (6, 2)
    assert comparison.largest < 1e-12


def test_pages(tmp_path):
    """One a file, with names imported as a programmer would, and what several files assign in one place."""
    page = written(tmp_path, MAIN, FILES)
    assert sorted(page.modules) == ["network.py", "settings.py", "shared.py", "util/maths.py", "util/misc.py"]
    for line in (
        "import shared\n",
        "from network import network\n",
        "from settings import settings\n",
        "from util import maths\n",
        "from util.misc import double\n",
        "    shared.verbose = True\n",
        "    print(double(4), shared.count",
    ):
        assert line in page.code
    maths = page.modules["util/maths.py"]
    assert maths.startswith('"""Sums and means. Translated from util/maths.lua by torch7py."""\n')
    assert "calls_ = 0\nscale = 10\n" in maths  # calls is the function's name
    assert "def mean(list_):\n    return sum_(list_) / len(list_)\n" in maths
    assert "    global calls_\n" in maths


def test_the_command_writes_all_and_they_run(tmp_path, monkeypatch):
    written(tmp_path, MAIN, FILES)
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("out").mkdir()
    result = CliRunner().invoke(translate, ["main.lua", "-o", "out/main.py"])
    assert result.exit_code == 0, result.output
    assert "46 of 46 statements native" in result.output
    ran = python_process.run(["out/main.py"])
    assert ran.stdout.splitlines()[:3] == ["6\t2.5\t10", "2\t10\ttrue", "8\t1"]
    # Pages of the same files may stand there, others not.
    part = next(path for path in sorted(tmp_path.joinpath("out").glob("*.py")) if path.name != "main.py")
    text = part.read_text()
    part.write_text(text + "# changed by hand")
    again = CliRunner().invoke(translate, ["main.lua", "-o", "out/main2.py"])
    assert "exists; --force overwrites it" in again.output
    assert not tmp_path.joinpath("out", "main2.py").exists()
    part.write_text(text)
    tmp_path.joinpath("out", "ruff.toml").write_text("line-length = 110\n")
    for command in (["check", "-q"], ["format", "--diff", "-q"]):
        checked = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."],
            cwd=tmp_path / "out",
            capture_output=True,
            text=True,
            check=False,
        )
        assert (checked.stdout, checked.returncode) == ("", 0)


def test_a_returned_name_and_an_init_file(tmp_path):
    files = {"parts/init.lua": "local limits = {1, 5, 9}\nreturn limits\n"}
    page = written(tmp_path, "local l = require 'parts'\nprint(#l, l[2])\n", files)
    assert problems(page) == []
    assert "from parts import limits as l_\n" in page.code
    assert "limits = [1, 5, 9]\n" in page.modules["parts/__init__.py"]
    assert verify_script(page, tmp_path / "main.lua").numbers == 2


def test_files_that_need_each_other_in_turn(tmp_path):
    files = {
        "a.lua": "local b = require 'b'\nlocal a = {}\nfunction a.f(x) return b.g(x) + 1 end\nreturn a\n",
        "b.lua": "local b = {}\nfunction b.g(x) return base * x end\nreturn b\n",
        "c.lua": "base = 3\n",
    }
    page = written(tmp_path, "require 'c'\nprint(require('a').f(5))\n", files)
    assert problems(page) == []
    assert "from c import base\n" in page.modules["b.py"]
    assert "import b\n" in page.modules["a.py"]
    assert verify_script(page, tmp_path / "main.lua").lines == 1


def test_a_function_of_the_script_for_its_files(tmp_path):
    files = {"a.lua": "function twice(x) return helper(x) + helper(x) end\n"}
    main = "require 'a'\nfunction helper(x) return x * 10 end\nprint(twice(2))\n"
    page = written(tmp_path, main, files)
    assert problems(page) == []
    assert "shared.helper = helper\n" in page.code
    assert verify_script(page, tmp_path / "main.lua").lines == 1


@pytest.mark.parametrize(
    ("main", "files", "said"),
    [
        ("dofile 'a.lua'\nrequire 'a'\n", {"a.lua": "print(1)\n"}, "main.lua:1: T7-251: a.lua may be run"),
        ("print(require 'a')\n", {"a.lua": "x = 1\n"}, "main.lua:1: T7-251: a.lua gives nothing"),
        ("require 'missing'\n", {}, "main.lua:1: T7-251"),
    ],
)
def test_what_cannot_be_a_module(tmp_path, main, files, said):
    assert any(line.startswith(said) for line in problems(written(tmp_path, main, files)))


# Each has a main file whose output tells how often, and with which variables, the other files have run.
RUN_AGAIN = {
    "required, and again": (
        "local a = require 'a' print(a.add(2), a.add(1)) local b = dofile 'a.lua' print(b.add(1), a.add(1))",
        {"a.lua": "local m, n = {}, 0 print('a') function m.add(k) n = n + k return n end return m"},
    ),
    "twice": ("x = 1 dofile 'a.lua' x = 5 dofile 'a.lua' print(x)", {"a.lua": "x = x + 1 print('a', x)"}),
    "in a loop": (
        "for i = 1, 3 do dofile 'a.lua' end print(total)",
        {"a.lua": "local step = (total or 0) + 1\ntotal = step * 2\nprint(step)"},
    ),
    "in a function": (
        "local function init(k) scale = k dofile 'sub/a.lua' end init(2) print(get(3)) init(5) print(get(3))",
        {"sub/a.lua": "local s = scale\nfunction get(x) return x * s end"},
    ),
    "what it gives": (
        "local a, b = dofile 'a.lua', dofile 'a.lua' a.rate = 5 print(a.rate, b.rate)",
        {"a.lua": "local s = {}\ns.rate = 0.1\nif s.rate > 1 then return {rate = 7} end\nreturn s"},
    ),
    "from a file that runs again": (
        "for i = 1, 2 do dofile 'a.lua' end print(n)",
        {"a.lua": "dofile 'b.lua'\nprint('a', n)", "b.lua": "n = (n or 0) + 1"},
    ),
    "from several files": (
        "n = 0\nrequire 'a'\ndofile 'b.lua'\ncount()\nprint(n)",
        {"a.lua": "function count() dofile 'b.lua' end\ncount()", "b.lua": "n = n + 1\nprint('b', n)"},
    ),
    "reloaded once": (
        "require 'fbtorch' local p = torch.reload('./a') print(p.twice(p.rate))",
        {"a.lua": "local P = {}\nP.rate = 0.5\nfunction P.twice(x) return 2 * x end\nreturn P"},
    ),
    "reloaded in a loop": (
        "require 'fbtorch' for i = 1, 2 do local p = torch.reload('./a') p.rate = p.rate + i print(p.rate) end",
        {"a.lua": "local P = {}\nP.rate = 0.5\nreturn P"},
    ),
    "that makes a class, which it can do only once": (
        "function load(n) dofile 'a.lua' return Item(n) end if #arg > 0 then dofile 'a.lua' end print(load(2):twice())",
        {
            "a.lua": "local Item = torch.class('Item')\nfunction Item:__init(n) self.n = n end\n"
            "function Item:twice() return 2 * self.n end\n"
        },
    ),
    "whose name is taken": (
        "local run_a = 3 for i = 1, 2 do dofile 'a.lua' end print(run_a, n)",
        {"a.lua": "n = (n or 10) + 1"},
    ),
}


@pytest.mark.parametrize("name", RUN_AGAIN)
def test_a_file_that_runs_again_is_a_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    main, files = RUN_AGAIN[name]
    monkeypatch.chdir(tmp_path)  # dofile is from where the program is run
    page = written(tmp_path, main, files)
    assert problems(page) == []
    assert verify_script(page, tmp_path / "main.lua").lines > 0


NO_SUCH_PACKAGE = """if itorch then print('in a notebook') else print('in a terminal') end
if itorch then print(1) elseif #'ab' == 2 then print(2) else print(3) end
if itorch then print(4) end
"""


@pytest.mark.parametrize("required", [False, True])
def test_a_branch_for_a_package_that_is_never_required_is_left_out(tmp_path: Path, required: bool) -> None:
    """Where it is required, if only in a file or a branch, it may be there."""
    files = {"a.lua": "local ok = pcall(require, 'itorch')\n"}
    page = written(tmp_path, ("require 'a'\n" if required else "") + NO_SUCH_PACKAGE, files)
    assert ("notebook" in page.code or bool(problems(page))) is required
    if not required:
        assert "itorch" not in page.code
        assert verify_script(page, tmp_path / "main.lua").lines == 2


@pytest.mark.usefixtures("without_objects")
def test_a_class_that_a_later_file_makes_is_imported_where_a_function_uses_it(tmp_path: Path) -> None:
    main = "shop = {}\nrequire 'read'\nrequire 'item'\nprint(shop.read(3):price())\n"
    files = {
        "read.lua": "function shop.read(n) return shop.Item(n) end\n",
        "item.lua": "local Item = torch.class('shop.Item')\nfunction Item:__init(p) self.p = p end\n"
        "function Item:price() return self.p * 2 end\n",
    }
    page = written(tmp_path, main, files)
    assert problems(page) == []
    assert "    from item import Item" in page.modules["read.py"]
    assert verify_script(page, tmp_path / "main.lua").lines == 1
    files["read.lua"] += "local first = shop.Item(1)\n"  # which is an error in Lua, too
    assert [problem.code for problem in written(tmp_path, main, files).problems] == ["T7-253"]


def test_a_tester_of_one_file_has_the_checks_that_others_call(tmp_path: Path) -> None:
    main = "tester = torch.Tester()\ntester:add(require 'sums')\ntester:add(require('lists')(tester))\ntester:run()\n"
    files = {
        "sums.lua": "local tests = torch.TestSuite()\nfunction tests.sum() tester:eq(1 + 1, 2) end\nreturn tests\n",
        "lists.lua": "local tester\nlocal tests = torch.TestSuite()\n"
        "function tests.sizes() tester:asserteq(#{1, 2}, 2) end\nfunction tests.more() tester:assertlt(2, 1) end\n"
        "return function(t) tester = t return tests end\n",
    }
    page = written(tmp_path, main, files)
    assert (problems(page), page.plain_calls) == ([], 0)
    assert verify_script(page, tmp_path / "main.lua").lines == 3
    files["lists.lua"] = "local other = torch.Tester()\n" + files["lists.lua"]
    page = written(tmp_path, main, files)  # the class is there once
    assert "class Tester" in page.modules["lists.py"]
    assert "class Tester" not in page.code
    assert verify_script(page, tmp_path / "main.lua").lines == 3


def test_files_that_each_put_a_package_into_a_global(tmp_path: Path) -> None:
    main = "stringx = require 'pl.stringx'\nrequire 'other'\nprint(stringx.strip(' a '), length(' b '))\n"
    files = {
        "other.lua": "stringx = require 'pl.stringx'\nfunction length(s) return #stringx.strip(s) end\n",
    }
    page = written(tmp_path, main, files)
    assert (problems(page), page.plain_calls) == ([], 0)
    assert verify_script(page, tmp_path / "main.lua").lines == 1
    files["other.lua"] += "if arg[1] then stringx = {} end\n"
    assert written(tmp_path, main, files).plain_calls


def test_files_are_required_from_a_directory_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs in a folder of their own are run from above, where the files are that they require."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "loader.lua").write_text(
        "local M = {}\nfunction M.size(n) return 2 * n end\nreturn M\n"
    )
    script = tmp_path / "tools" / "prepare.lua"
    script.write_text("local loader = require 'data.loader'\nprint(loader.size(4))\n")
    page = translate_script(script.read_bytes(), str(script))
    assert page.problems == []
    assert page.native == page.statements
    assert set(page.modules) == {"data/loader.py"}
    monkeypatch.chdir(tmp_path)
    assert verify_script(page, Path("tools/prepare.lua")).lines == 1
    reports = check_files([Path("tools/prepare.lua"), Path("data/loader.lua")])
    assert [report.file for report in reports] == ["tools/prepare.lua", "data/loader.lua"]
    assert {use.state for report in reports for use in report.names if use.name.startswith("data")} == {"own"}


def test_a_file_that_runs_again_where_others_are_in_a_directory_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a program is read a second time, when it is known where its files are."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sizes.lua").write_text("return {first = 4}\n")
    (tmp_path / "tools" / "part.lua").write_text("n = (n or 0) + sizes.first\n")
    script = tmp_path / "tools" / "prepare.lua"
    script.write_text(
        "sizes = require 'data.sizes'\nfor i = 1, 2 do paths.dofile('part.lua') end\nprint(n)\n"
    )
    page = translate_script(script.read_bytes(), str(script))
    assert page.problems == []
    assert "run_part()" in page.code
    monkeypatch.chdir(tmp_path)
    assert verify_script(page, Path("tools/prepare.lua")).lines == 1


FROM_A_FOLDER = {
    "init.lua": """words = {}
printf = utils.printf
include 'lib/words.lua'
return words
""",
    "lib/words.lua": """local split = stringx.split
function words.count(text)
   printf('%s: ', path.basename(text))
   return #split(text)
end
""",
    "lib/other.lua": "local words = require '../'\nreturn {count = words.count}\n",
    "tasks/main.lua": """require '..'
local other = require '../lib/other'
printf('%d words\\n', other.count('as many as these'))
""",
}


def test_names_that_begin_with_a_dot_are_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """th looks for them from the file that asks, and has Penlight's modules as globals."""
    for name, text in FROM_A_FOLDER.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    page = translate_script(FROM_A_FOLDER["tasks/main.lua"].encode(), "tasks/main.lua")
    assert page.problems == []
    assert set(page.modules) == {"init.py", "lib/words.py", "lib/other.py", "shared.py"}
    assert verify_script(page, Path("tasks/main.lua")).lines == 1


SEARCHED = {
    "lib/shapes.lua": "return {sides = 4}\n",
    "tools/draw.lua": """require 'pl'
local __FILE__ = (function() return string.gsub(debug.getinfo(2, 'S').source, '^@', '') end)()
package.path = path.join(path.dirname(__FILE__), '..', 'lib', '?.lua;') .. package.path
print(require('shapes').sides)
""",
}


def test_folders_that_the_program_adds_to_the_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in SEARCHED.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path / "tools")
    page = translate_script(SEARCHED["tools/draw.lua"].encode(), "draw.lua")
    assert (page.problems, set(page.modules)) == ([], {"lib/shapes.py"})
    assert "__FILE__" not in page.code
    assert verify_script(page, Path("draw.lua")).lines == 1


PACKAGE_OF_ITS_OWN = {
    "init.lua": "local env = require 'shapes.env'\nrequire 'shapes.square'\nreturn env\n",
    "env.lua": "return {}\n",
    "square.lua": """local env = require 'shapes.env'
local Square = torch.class('shapes.Square', env)
function Square:sides()
   names = require 'paths'
   return #names.basename('shapes/four')
end
""",
    "example/draw.lua": """local shapes = require 'shapes'
print(shapes.Square():sides())
""",
}


def test_examples_of_a_package_find_it_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It need not be installed: the folder that they are in has its name."""
    for name, text in PACKAGE_OF_ITS_OWN.items():
        (tmp_path / "shapes" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "shapes" / name).write_text(text)
    monkeypatch.chdir(tmp_path / "shapes")
    page = translate_script(PACKAGE_OF_ITS_OWN["example/draw.lua"].encode(), "example/draw.lua")
    assert page.problems == []
    assert set(page.modules) == {f"shapes/{name}.py" for name in ("__init__", "env", "square")}
    assert verify_script(page, Path("example/draw.lua")).lines == 1


def test_a_file_comes_before_a_package_that_did_not_come_with_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {
        "rnn": "local Net = torch.class('Net')\nfunction Net:size() return 2 end\n",
        "optim": "error 'no package'\n",
    }
    files["main"] = """require 'rnn'
require 'optim'
torch.class('Deep', 'Net')
function Deep:depth() return 2 * self:size() end
print(Deep():depth())
"""
    for name, text in files.items():
        tmp_path.joinpath(f"{name}.lua").write_text(text)
    page = written(tmp_path, files["main"], {})
    assert (page.problems, set(page.modules)) == ([], {"rnn.py"})
    assert verify_script(page, tmp_path / "main.lua").lines == 1


def test_files_that_return_in_their_middle_or_several_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {
        "middle.lua": "if quick then return {size = 1} end\nprint('long')\nreturn {size = 2}\n",
        "two.lua": "local x = 3\nreturn x, 2 * x\n",
        "nothing.lua": "if quick then return end\nprint('never')\n",
    }
    source = """quick = true
local a, b = dofile 'two.lua'
require 'nothing'
local m = require 'middle'
print(a, b, m.size, require 'middle' == m)
"""
    page = written(tmp_path, source, files)
    assert problems(page) == []
    assert verify_script(page, tmp_path / "main.lua").lines == 1


def test_a_field_of_a_file_whose_name_a_parameter_has(tmp_path: Path) -> None:
    files = {"a.lua": "local a = {}\na.f = 3\nfunction a.g(f) return f + a.f end\nreturn a\n"}
    page = written(tmp_path, "local a = require 'a'\nprint(a.g(1))\n", files)
    assert (page.problems, page.reasons[0].code) == ([], "T7-252")
    assert verify_script(page, tmp_path / "main.lua").lines == 1


def test_a_file_of_the_name_of_a_class_library_is_read_itself(tmp_path: Path) -> None:
    files = {"class.lua": "return function(name) return {name = name} end\n"}
    source = "local class = require 'class'\nlocal Point = class('Point')\nprint(Point.name)\n"
    page = written(tmp_path, source, files)
    assert (page.problems, set(page.modules)) == ([], {"class_.py"})
    assert verify_script(page, tmp_path / "main.lua").lines == 1


def test_a_file_beside_the_script_comes_first(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "loader.lua").write_text("return {size = 1}\n")
    (tmp_path / "tools" / "loader.lua").write_text("return {size = 2}\n")
    script = tmp_path / "tools" / "prepare.lua"
    script.write_text("local loader = require 'loader'\nprint(loader.size)\n")
    page = translate_script(script.read_bytes(), str(script))
    assert "2" in page.modules["loader.py"]


IN_THE_MIDDLE = {
    "main.lua": """require 'nn'
require 'optim'
local cmd = torch.CmdLine()
cmd:option('-seed', 4, 'for the data')
cmd:option('-batchSize', 5, 'examples at once')
cmd:option('-verbose', false, 'say more')
opt = cmd:parse(arg)
torch.manualSeed(opt.seed)
dofile 'data.lua'
dofile 'model.lua'
if opt.verbose then
   dofile 'report.lua'
end
dofile 'train.lua'
for epoch = 1, 2 do train() end
""",
    "data.lua": """set = {x = torch.randn(10, 4), y = torch.randn(10, 1), size = function() return 10 end}
print('data', set.x:mean())
""",
    "model.lua": """model = nn.Sequential()
model:add(nn.Linear(4, opt.batchSize)):add(nn.Tanh()):add(nn.Linear(opt.batchSize, 1))
criterion = nn.MSECriterion()
""",
    "report.lua": "print('rows of ' .. set:size())\n",
    "train.lua": """local weights, gradients = model:getParameters()
local state = {learningRate = 0.1}
function train()
   for first = 1, set:size(), opt.batchSize do
      local x, y = set.x:narrow(1, first, opt.batchSize), set.y:narrow(1, first, opt.batchSize)
      local _, loss = optim.sgd(function()
         gradients:zero()
         local output = model:forward(x)
         local loss = criterion:forward(output, y)
         model:backward(x, criterion:backward(output, y))
         return loss, gradients
      end, weights, state)
      print(first, loss[1])
   end
end
""",
}


def test_files_run_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file does may depend on options, a seed and a branch: it is imported where the script runs it."""
    monkeypatch.chdir(tmp_path)
    for name, text in IN_THE_MIDDLE.items():
        tmp_path.joinpath(name).write_text(text)
    path = tmp_path / "main.lua"
    page = translate_script(path.read_bytes(), str(path))
    assert [str(problem) for problem in page.problems] == []
    lines = [line for line in page.code.splitlines() if "import" in line and line.startswith(" ")]
    assert lines == [
        "    import data  # noqa: F401 (for what it does)",
        "    import model  # noqa: F401 (for what it does)",
        "        import report  # noqa: F401 (for what it does)",
        "    from train import train",
    ]
    assert page.code.index("torch.manual_seed") < page.code.index(lines[0])
    assert "set_default_dtype" not in page.modules["data.py"]
    comparison = verify_script(page, path)
    assert (comparison.lines, comparison.layers) == (5, 4)
    assert verify_script(page, path, ["-verbose"]).lines == 6


PACKAGE = {
    "main.lua": """require 'torch'
require 'stats'
local Counter = require 'counter'
local shapes = require 'shapes'
print(stats.half(3), stats.mean({1, 2, 4}), stats.spread({1, 2, 4}))
local c = Counter(3)
c:add(4)
print(c:get())
local s = shapes.Square(2)
print(s:area(), s:name(), shapes.unit():area())
""",
    "stats/init.lua": """stats = {}
local root = 2
-- half of it
function stats.half(x) return x / root end
torch.include('stats', 'more.lua')
include 'spread.lua'
return stats
""",
    "stats/more.lua": """function stats.mean(list)
   local sum = 0
   for i = 1, #list do sum = sum + list[i] end
   return sum / #list
end
""",
    "stats/spread.lua": """local function square(x) return x * x end
function stats.spread(list)
   local mean, sum = stats.mean(list), 0
   for _, x in ipairs(list) do sum = sum + square(x - mean) end
   return stats.half(sum)
end
""",
    "counter.lua": """local M = {}
local Counter = torch.class('demo.Counter', M)
function Counter:__init(n) self.n = n end
function Counter:add(k) self.n = self.n + k end
function Counter:get() return self.n end
return M.Counter
""",
    "shapes.lua": """local M = {}
local Shape = torch.class('shapes.Shape', M)
function Shape:__init(side) self.side = side end
function Shape:name() return 'shape of ' .. self.side end
local Square, parent = torch.class('shapes.Square', 'shapes.Shape', M)
function Square:__init(side) parent.__init(self, side) end
function Square:area() return self.side * self.side end
function M.unit() return M.Square(1) end
return M
""",
}


def test_a_package_whose_files_fill_one_table(tmp_path: Path) -> None:
    """A global table of functions, files that torch.include runs, and classes that torch.class puts into a table."""
    tmp_path.joinpath("stats").mkdir()
    for name, text in PACKAGE.items():
        tmp_path.joinpath(name).write_text(text)
    path = tmp_path / "main.lua"
    page = translate_script(path.read_bytes(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert '["spread"] = spread\n' in page.modules["stats/spread.py"]
    assert "from counter import Counter\n" in page.code
    assert page.modules["counter.py"].count("Counter") == 1
    assert "shapes.Square(2)" in page.code
    assert "def unit():\n    return Square(1)\n" in page.modules["shapes.py"]
    assert verify_script(page, path).lines == 3


IN_TABLES = {
    "main.lua": """require 'nn'
require 'optim'
local settings = require('settings').read(arg)
torch.manualSeed(settings.seed)
local Batches = require 'batches'
local Teacher = require 'teacher'
local shapes = require 'shapes'
local few, many = Batches.pair(settings)
print(few:count(), many:count(), shapes.Square(3):area())
local net = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Tanh()):add(nn.Linear(3, 1))
net:get(1).gradInput = nil
local teacher = Teacher(net, settings)
for round = 1, 3 do
   print(round, teacher:teach(few), teacher:teach(many))
end
""",
    "settings.lua": """local M = {}
function M.read(arg)
   local cmd = torch.CmdLine()
   cmd:option('-seed', 2, 'for all that is drawn')
   cmd:option('-rate', 0.1, 'how fast it learns')
   return cmd:parse(arg or {})
end
return M
""",
    "batches.lua": """local M = {}
local Batches = torch.class('data.Batches', M)
function Batches.pair(settings)
   local found = {}
   for i, rows in ipairs {3, 5} do found[i] = M.Batches(rows) end
   return table.unpack(found)
end
function Batches:__init(rows)
   self.x, self.y = torch.randn(rows, 2), torch.randn(rows, 1)
end
function Batches:count() return self.x:size(1) end
return M.Batches
""",
    "teacher.lua": """local M = {}
local Teacher = torch.class('data.Teacher', M)
function Teacher:__init(net, settings)
   self.net, self.criterion = net, nn.MSECriterion()
   self.state = {learningRate = settings.rate, momentum = 0.5}
   self.weights, self.gradients = net:getParameters()
end
function Teacher:teach(data)
   local _, loss = optim.sgd(function()
      self.gradients:zero()
      local output = self.net:forward(data.x)
      local loss = self.criterion:forward(output, data.y)
      self.net:backward(data.x, self.criterion:backward(output, data.y))
      return loss, self.gradients
   end, self.weights, self.state)
   return loss[1]
end
return M.Teacher
""",
    "shapes.lua": """local shapes = {}
local Square = torch.class('shapes.Square', shapes)
function Square:__init(side) self.side = side end
function Square:area() return self.side * self.side end
return shapes
""",
}


def test_classes_in_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``torch.class(name, table)``, as the class itself or as a field of what the file gives."""
    monkeypatch.chdir(tmp_path)
    for name, text in IN_TABLES.items():
        tmp_path.joinpath(name).write_text(text)
    path = tmp_path / "main.lua"
    page = translate_script(path.read_bytes(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert (
        "few, many = Batches.pair(settings_)" in page.code
        or "few, many = Batches.pair(settings)" in page.code
    )
    assert "\nclass Batches:\n" in page.modules["batches.py"]
    assert "M = {}" not in page.modules["batches.py"]
    comparison = verify_script(page, path)
    assert (comparison.lines, comparison.layers) == (4, 4)
    assert comparison.largest < 1e-9


SETTINGS = """local settings = {}
settings.rate = 0.5
settings.steps = 3
function settings.twice(x) return 2 * x end
return settings
"""


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("main", "is_module"),
    [
        ("local s = require 'settings' print(s.rate, s.twice(s.steps))", True),
        ("local s = require 'settings' print(type(s), assert(s) ~= nil, s.steps)", True),
        ("local s = require 'settings' for k, v in pairs(s) do print(k, type(v)) end", False),
        (
            "local s = require 'settings' local function f(t) return t.rate + t.twice(2) end print(f(s), s.steps)",
            False,
        ),
        ("local function f(t) return t.steps end print(f(require 'settings'))", False),
        ("local s = require 'settings' local all = {s = s} all.s.rate = 2 print(s.rate)", False),
        ("local s = dofile 'settings.lua' local function f() return s end print(f().steps)", False),
        ("local m = require 'others' print(m.rate, m.twice(4))", True),
    ],
)
def test_the_table_of_a_file_that_is_handed_on_is_a_table(
    main: str, is_module: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.lua").write_text(SETTINGS)
    (tmp_path / "others.lua").write_text("local settings = require 'settings'\nreturn settings\n")
    program = tmp_path / "main.lua"
    program.write_text(main)
    page = translate_script(main.encode(), str(program))
    assert [str(problem) for problem in page.problems] == []
    assert ('settings["twice"]' in page.modules["settings.py"]) is not is_module
    assert verify_script(page, program).lines > 0


def test_a_confusion_matrix_that_a_function_is_given(tmp_path: Path) -> None:
    """``zero`` is a method of tensors, too."""
    (tmp_path / "trainer.lua").write_text(
        "function train(net, confusion)\n   confusion:zero()\n   local out = net:forward(torch.ones(2, 3))\n"
        "   for j = 1, 2 do confusion:add(out[j], j) end\n"
        "   confusion:updateValids()\n   print(confusion.totalValid)\nend\n"
    )
    main = (
        "require 'nn' require 'optim' require 'trainer' torch.manualSeed(1)\nlocal sums = torch.ones(2) sums:zero()\n"
        "train(nn.Sequential():add(nn.Linear(3, 2)), optim.ConfusionMatrix({'a', 'b'}))\n"
    )
    program = tmp_path / "main.lua"
    program.write_text(main)
    page = translate_script(main.encode(), str(program))
    assert page.problems == []
    assert page.native == page.statements
    assert verify_script(page, program).lines == 1
