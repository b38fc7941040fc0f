"""What a value of which nothing else is known can only be, as its uses say."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate import library
from torch7py.translate.inference import library_objects
from torch7py.translate.native import library_rules
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

OWN = "local C = torch.class('C') function C:{}(a, b, c) return self end\n"


@pytest.mark.parametrize(
    ("source", "own"),
    [
        ("function f(net) net:apply(function(m) if m.weight then m.gradWeight:zero() end end) end", "apply"),
        ("function f(net) net:apply(function(m) m:training() end) end", "apply"),
        ("function f(net) net:evaluate() end", "evaluate"),
        ("function f(cmd) cmd:option('-size', 3, 'how many') end", "option"),
        ("function f(to, from) for i = 1, #to do to[i]:copy(torch.ones(3)) end end", "copy"),
    ],
)
def test_what_its_methods_tell(source: str, own: str) -> None:
    """Unless a class of the program has such a method, too."""
    assert "lua_compat" not in translate_script(source.encode(), "p.lua").code
    assert "lua_compat" in translate_script((OWN.format(own) + source).encode(), "p.lua").code


@pytest.mark.parametrize(
    "source",
    [
        "function f(x) x:apply(function(v) return v * 2 end) end",  # of a tensor
        "function f(x, g) x:apply(g) end",
        "function f(cmd) cmd:option('size', 3, 'how many') end",
    ],
)
def test_what_they_do_not_tell(source: str) -> None:
    assert "lua_compat.method(" in translate_script(source.encode(), "p.lua").code


def test_the_methods_of_all_objects_are_known() -> None:
    """What a class of a program alone has is no method of an object that a package makes."""
    own = {"memory", "storage", "table", *library_objects.METHODS}  # which have their methods in the library
    rules = (*library_rules.methods, *library_rules.method_statements)
    assert {method for kind, method in rules if kind not in own} == library.METHODS_OF_OBJECTS


KINDS = """require 'torch'
local batch = torch.class('Batch')
function batch:__init(x, y) self._x, self._y = x, y end
function batch:inputs() return self._x end
function batch:targets() return self._y end
local base = torch.class('Set')
function base:batch(n) error('not here') end
local data = torch.class('Data', 'Set')
function data:__init(n) self.n = n end
function data:batch(n) return Batch(torch.ones(n, 2) * self.n, 'label') end
local M = {}
function M.unused(set, n)
   local batch = set:batch(n)
   return batch:inputs():sum(), batch:targets()
end
local function either(x)
   if torch.isTensor(x) then return x:nElement() end
   if type(x) == 'number' then return x end
   if type(x) == 'boolean' then return 0 end
   return x:inputs():sum()
end
print(either(torch.ones(3)), either(4), either(true), either(Data(3):batch(2)))
local d = Data(2)
print(d:batch(2):inputs():sum(), d:batch(1):targets())
"""


def test_what_has_a_method_that_one_kind_has_is_of_that_kind(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(KINDS)
    page = translate_script(KINDS.encode(), "p.lua")
    assert (page.problems, page.plain_calls) == ([], 0)
    assert (
        "return batch.inputs().sum().item(), batch.targets()" in page.code
    )  # of a parameter that nobody gives
    assert verify_script(page, path).largest == 0


@pytest.mark.parametrize(
    "other",
    [
        "local t = {} function t.inputs() return torch.ones(1) end print(either(t))",
        "local t = {inputs = function() return torch.ones(1) end} print(either(t))",
        "local t, name = {}, io.read() t[name] = function() return torch.ones(1) end print(either(t))",
        "local t, name = {}, io.read() rawset(t, name, function() return torch.ones(1) end) print(either(t))",
        "local t, name = {}, io.read() t = {[name] = function() return torch.ones(1) end} print(either(t))",
    ],
)
def test_what_a_table_may_have_as_well_is_not_told(other: str) -> None:
    page = translate_script((KINDS + other).encode(), "p.lua")
    assert "x.inputs()" not in page.code


def test_an_output_that_has_methods_is_a_tensor() -> None:
    """A table of outputs has none; what is indexed may be either."""
    source = "require 'nn' local net = torch.load(arg[1]) local x = torch.ones(3)\n"
    page = translate_script(f"{source}print(net:forward(x):float():sum())".encode(), "p.lua")
    assert "net(x).float().sum()" in page.code
    page = translate_script(f"{source}print(net:forward(x)[1])".encode(), "p.lua")
    assert "lua_compat.index(" in page.code


def test_a_model_of_a_file_is_no_text_for_being_compared_with_one() -> None:
    source = "require 'nn' assert(net ~= '') net = torch.load(arg[1])\n"
    source += "net:evaluate() print(net:forward(torch.ones(2)):sum())"
    page = translate_script(source.encode(), "p.lua")
    assert (page.problems, page.plain_calls) == ([], 0)
    assert "net.eval()" in page.code


def test_what_is_added_with_a_factor_is_a_tensor(tmp_path: Path) -> None:
    """``x:add(0.5, y)``; of ``x:add(y)`` it may be a number."""
    source = """function {}(x, y)
   x:resizeAs(y)
   x[1]:zero()
   x[1]:add(0.5, y[1]):addcmul(2, y[2], y[3])
   return x
end
print(gray(torch.Tensor(), torch.ones(3, 2, 2))[1]:sum())
"""
    path = tmp_path / "p.lua"
    path.write_text(source.format("gray"))
    page = translate_script(path.read_bytes(), "p.lua")
    assert page.plain_calls == 0
    assert verify_script(page, path).lines == 1
    other = "function f(x, y) x[1]:zero() x[1]:add(y[1]) end"
    assert "lua_compat" in translate_script(other.encode(), "p.lua").code


def test_types_of_tensors_are_compared_by_their_names(tmp_path: Path) -> None:
    """A mask is of bytes, and a tensor is on no GPU where the page uses none."""
    source = """local function told(x)
   if x:type() == 'torch.ByteTensor' then return 'bytes' end
   if torch.type(x) == 'torch.FloatTensor' then return 'float' end
   if torch.typename(x) ~= 'torch.DoubleTensor' then return 'other' end
   return 'double'
end
local x = torch.randn(3)
local parts = {x, x:gt(0), x:float(), x:long(), torch.ByteTensor(2):fill(1)}
for i = 1, #parts do print(told(parts[i])) end
"""
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = translate_script(path.read_bytes(), "p.lua")
    assert page.plain_calls == 0
    assert "if x.dtype in (torch.uint8, torch.bool):" in page.code
    assert verify_script(page, path).lines == 5
    source = "function f(x) x:zero() return x:type() ~= 'torch.CudaByteTensor' end"
    page = translate_script(source.encode(), "p.lua")
    assert "not (x.is_cuda and x.dtype == torch.uint8)" in page.code
    source = "function f(x) return x:resize(2):type() == 'torch.CudaTensor' end"
    assert ".is_cuda" not in translate_script(source.encode(), "p.lua").code  # what has effects is asked once


def test_an_object_that_a_function_is_given_has_a_method_that_tensors_have_too(tmp_path: Path) -> None:
    """What it is given says more than the name of a method."""
    source = """local checks = torch.class('Checks')
function checks:__init() self.times = 0 end
function checks:eq(a, b) self.times = self.times + (a == b and 1 or 0) end
local checker
local function compare()
   checker:eq(1, 1)
   checker:eq(2, 3)
end
local function take(given)
   checker = given
   return compare
end
local made = Checks()
take(made)()
print(made.times)
"""
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = translate_script(path.read_bytes(), "p.lua")
    assert (page.problems, page.plain_calls) == ([], 0)
    assert verify_script(page, path).lines == 1


def test_a_part_of_a_tensor_that_has_elements_is_a_tensor(tmp_path: Path) -> None:
    """However many dimensions the tensor has: numbers have no elements."""
    source = """local function mark(like, places)
   local marks = torch.Tensor(like:size()):fill(0)
   for i = 1, #places do
      local place = places[i]
      marks[i][place] = -1
   end
   return marks
end
print(mark(torch.ones(2, 3), {1, 3}), mark(torch.ones(2, 2, 2), {2, 1})[1])
"""
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = translate_script(path.read_bytes(), "p.lua")
    assert (page.problems, page.plain_calls) == ([], 0)
    assert verify_script(page, path).lines == 1


def test_copies_of_modules_by_their_names_are_each_of_their_own(tmp_path: Path) -> None:
    """One takes numbers of words and the other vectors, which one module could not."""
    source = """require 'nn'
    local modules = {embed = nn.LookupTable(5, 3), rnn = nn.Sequential():add(nn.Linear(3, 3))}
    local function copies(module, count)
       local clones = {}
       for t = 1, count do clones[t] = module:clone('weight', 'bias', 'gradWeight', 'gradBias') end
       return clones
    end
    local clones = {}
    for name, module in pairs(modules) do clones[name] = copies(module, 2) end
    print(clones.rnn[1]:forward(clones.embed[2]:forward(torch.Tensor{1, 4})):sum())
    """
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = translate_script(source.encode(), str(path))
    assert page.native == page.statements
    assert verify_script(page, path).lines == 1


# What these give hangs on what they are given, or is several values, or nothing.
TOLD_BY_ARGUMENTS = set(
    """assert cjson.decode csvigo.load cudnn.convert error image.convolve image.crop image.gaussian image.gaussian1D
    image.hflip image.load image.loadJPG image.loadPNG image.rgb2y image.rgb2yuv image.scale image.vflip image.yuv2rgb
    io.write lfs.attributes lfs.chdir math.random optim.ConfusionMatrix os.execute paths.dir pcall pl.stringx.split
    pl.utils.split select setmetatable string.find string.match string.split sys.sleep sys.split table.remove tds.Hash
    tds.Vec tds.hash tds.vec torch.data torch.deserialize torch.load torch.round""".split()
)


def test_what_functions_give_is_known() -> None:
    """An option whose default a function gives needs its kind, and so does arithmetic."""
    written = {*library_rules.functions, *library_rules.values}
    assert written - library.FUNCTION_RESULTS.keys() == TOLD_BY_ARGUMENTS
