"""A page with statements that have no translation is still Python: only they raise."""

from __future__ import annotations

import textwrap
import warnings

import pytest

from torch7py.translate.native.program import translate_script

PROGRAMS = {
    "a graph that a function of a table makes of its entries": """
        require 'nngraph'
        local M = {}
        function M:net()
           local x = nn.Identity()()
           return nn.gModule({x}, {nn.Linear(self.params.size, self.params.size)(x)})
        end
        function M:run(params)
           self.params = params
           print(self:net():forward(torch.ones(2, 3)):size(2))
        end
        M:run({size = 3})
        """,
    "a variable that a lost statement makes, and a function assigns": """
        images = unknown.load()
        local function again() images = 'none' end
        again()
        print(images)
        """,
    "the same within a branch that is lost": """
        if unknown.ready() then images = 1 else images = 2 end
        local function again() images = 3 end
        again()
        print(images)
        """,
    "a module made of the fields of an object": """
        require 'nn'
        local Net = {}
        Net.__index = Net
        function Net.new(size) return setmetatable({params = {size = size}}, Net) end
        function Net:table()
           local words = nn.LookupTable(self.params.size, 3)
           return words
        end
        print(Net.new(4):table():forward(torch.LongTensor{1}):size(2))
        """,
    "names that nobody reads": """
        local function first(a, _, _) _ = a return a end
        print(first(1, 2, 3))
        """,
    "a file that is opened under a name that is not known": """
        local function lines(name)
           local file = io.open(unknown.path[name])
           local text = file:read('*a')
           file:close()
           return text
        end
        print(lines('a'))
        """,
    "... beside variables that are called args": """
        local function count(args, ...)
           local rest = {...}
           return #args + #rest
        end
        local args = {1}
        local function all(...)
           local list = {...}
           return #list + #args
        end
        print(count({1, 2}, 'a', 'b'), all(1, 2))
        """,
    "numbers and texts that are compared with nil": """
        local function named(t) if t ~= '' then return 'full' end return 'empty' end
        local count = 3
        assert(type(count) == nil or count == 3)
        print(named({}), 1 ~= nil, #'abc' ~= nil)
        """,
    "the first place of a part without the last": """
        local function cut(x, bounds) return x:sub(unpack(bounds)), x:sub(2) end
        print(pcall(cut, torch.ones(3, 4), {1, 2}))
        """,
    "dimensions that are not written out, and no pairs": """
        require 'nn'
        local function turned(a, b) return nn.Sequential():add(nn.Transpose({a, b})):add(nn.Transpose({2, 3, 1})) end
        local other = nn.Sequential():add(nn.Transpose(1, 2))
        local none = nn.Transpose(other)
        print(none, pcall(turned, 1, 2), pcall(function() return other:forward(torch.ones(2, 3)) end))
        """,
    "calls without their arguments": """
        require 'image'
        require 'paths'
        print(pcall(function() return image.load() end), pcall(function() return image.convolve(torch.ones(3, 3)) end))
        print(pcall(function() return unpack() end), pcall(function() return paths.basename() end))
        print(pcall(function() return string.format() end), pcall(function() return string.sub() end))
        """,
    "a method that assigns a variable of the main program": """
        require 'nn'
        count = tonumber(arg[1] or '0')
        local Counted, Parent = torch.class('nn.Counted', 'nn.Module')
        function Counted:__init() Parent.__init(self) end
        function Counted:updateOutput(input)
           count = count + 1
           self.output = input * 2
           return self.output
        end
        function Counted:updateGradInput(input, gradOutput)
           count = count - 1
           self.gradInput = gradOutput * 2
           return self.gradInput
        end
        print(nn.Counted():forward(torch.ones(2)):sum())
        """,
}


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_it_compiles(source):
    page = translate_script(textwrap.dedent(source).lstrip().encode(), "program.lua")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for code in (page.code, *page.modules.values()):
            compile(code, "page.py", "exec")


@pytest.mark.usefixtures("without_objects")
def test_a_graph_of_nodes_that_nothing_makes_is_made_when_the_page_runs() -> None:
    source = """
        require 'nngraph'
        local function halves(n)
           local x = nn.Identity()()
           local parts = {{{{x}}}}
           local out = {}
           for k = 1, n do table.insert(out, nn.Tanh()(parts[1][1][1][k])) end
           return nn.gModule({x}, out)
        end
        print(halves(2))
        """
    page = translate_script(textwrap.dedent(source).lstrip().encode(), "program.lua")
    assert page.problems == []
    assert "T7-253" in {reason.code for reason in page.reasons}
    assert "lua_compat.Graph(" in page.code


def test_a_layer_that_uses_what_it_has_not_set_is_in_plain_calls() -> None:
    source = """
        require 'nn'
        local Halved = torch.class('nn.Halved', 'nn.Module')
        function Halved:updateOutput(input) return self.output:resizeAs(input):copy(input):div(2) end
        function Halved:updateGradInput(input, gradOutput) return self.gradInput end
        print(nn.Halved():forward(torch.ones(2)):sum())
        """
    page = translate_script(textwrap.dedent(source).lstrip().encode(), "program.lua")
    assert page.problems == []
    assert {problem.code for problem in page.reasons} == {"T7-243"}


def test_nothing_follows_an_error_of_the_program() -> None:
    source = """
        require 'nn'
        local Blocked = torch.class('nn.Blocked', 'nn.Module')
        function Blocked:updateOutput(input) self.output = input * 2 return self.output end
        function Blocked:updateGradInput(input, gradOutput)
           error('there is no way back')
           return self.gradInput
        end
        print(nn.Blocked():forward(torch.ones(2)):sum())
        """
    page = translate_script(textwrap.dedent(source).lstrip().encode(), "program.lua")
    assert (page.native, page.problems) == (page.statements, [])
    assert "gradInput" not in page.code


@pytest.mark.usefixtures("without_objects")
def test_a_layer_is_not_refused_for_what_a_statement_without_a_translation_would_have_set() -> None:
    source = """
        require 'nn'
        local Shown = torch.class('nn.Shown', 'nn.Module')
        function Shown:updateOutput(input)
           if unknown.ready(input) then self.output = unknown.halved(input) end
           return self.output
        end
        print(nn.Shown():forward(torch.ones(2)):sum())
        """
    page = translate_script(textwrap.dedent(source).lstrip().encode(), "program.lua")
    assert {problem.line for problem in page.problems if problem.code != "T7-253"} == {4}


def test_what_a_text_says_is_not_imported() -> None:
    page = translate_script(
        b"local name, path = 'torch.CudaTensor', \"os.path#\"\nprint(name, path)\n", "program.lua"
    )
    assert "import" not in page.code
    assert "set_default_dtype" not in page.code
