"""Classes that a variable or a table holds, one of several: each is made as by its name."""

from __future__ import annotations

import pytest

from tests.translate.running import assert_same

CLASSES = """
local M = {}
local A = torch.class('my.A', M)
function A:__init(info, opt) self.info = info[opt.split] self.name = opt.name end
function A:get(i) return self.info[i] .. self.name end
local B = torch.class('my.B', M)
function B:__init(info, opt, more) self.info = info[opt.split] self.name = more or 'b' end
function B:get(i) return self.info[i] .. self.name end
local function create(kind)
  local info = {train = {'x', 'y'}, val = {'z'}}
  local opt = {split = 'train', name = 'd'}
  CHOSEN
end
print(create('a'):get(2), create('b'):get(1))
"""


@pytest.mark.parametrize(
    "chosen",
    [
        "local C = ({a = M.A, b = M.B})[kind] return C(info, opt)",
        "local C = kind == 'a' and M.A or M.B return C(info, opt)",
        "local C if kind == 'a' then C = M.A else C = M.B end return C(info, opt)",
        "local makers = {a = M.A, b = M.B} return makers[kind](info, opt)",
        "return ({a = M.A, b = kind and M.B})[kind](info, opt)",
        "local function class() if kind == 'a' then return M.A end return M.B end return class()(info, opt)",
    ],
)
def test_one_of_several_classes_makes_an_object(chosen: str) -> None:
    source = CLASSES.replace("CHOSEN", chosen).replace(
        "my.", f"my{hash(chosen)}."
    )  # one runtime runs them all
    page = assert_same(source)
    assert page is not None
    assert page.plain_calls == 0, page.code


def test_layers_of_the_program_are_made_so_too() -> None:
    page = assert_same(
        """require 'nn'
local A, parent = torch.class('nn.MyScale', 'nn.Module')
function A:__init(k) parent.__init(self) self.k = k end
function A:updateOutput(x) self.output = x * self.k return self.output end
function A:updateGradInput(x, g) self.gradInput = g * self.k return self.gradInput end
local B, other = torch.class('nn.MyShift', 'nn.Module')
function B:__init(k) other.__init(self) self.k = k end
function B:updateOutput(x) self.output = x + self.k return self.output end
function B:updateGradInput(x, g) self.gradInput = g return self.gradInput end
local kinds = {a = nn.MyScale, b = nn.MyShift}
for _, name in ipairs{'a', 'b'} do
  local C = kinds[name]
  print(nn.Sequential():add(C(3)):forward(torch.ones(2)):sum())
end
"""
    )
    assert page is not None
    assert "nn.Sequential(C(3))" in page.code


OPTIONS = """
local cmd = torch.CmdLine()
cmd:option('-resume', 'none', 'where')
cmd:option('-save', 'here', 'where')
local opt = cmd:parse({})
local function latest(opt) if opt.resume == 'none' then return 'nothing' end return opt.resume .. '/latest' end
print(latest(opt))
"""


@pytest.mark.parametrize(
    ("more", "native"),
    [
        ("print(latest({resume = opt.save}))", "argparse.Namespace(resume=opt.save)"),
        (
            "local o = {resume = 'x', class = 1} print(latest(o), o.class, o.other)",
            "argparse.Namespace(resume=",
        ),
        ("local o = {} o.resume = 'y' print(latest(o))", "argparse.Namespace()"),
        (
            "local o = {save = 'z'} for k, v in pairs(o) do o.resume = v end print(latest(o))",
            "Namespace(save=",
        ),
    ],
)
def test_a_table_in_the_place_of_options(more: str, native: str) -> None:
    page = assert_same(OPTIONS + more)
    assert page is not None
    assert native in page.code
