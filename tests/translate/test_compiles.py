"""A page with statements that have no translation is still Python: only they raise."""

from __future__ import annotations

import textwrap

import pytest

from torch7py.translate.native.program import translate_script

PROGRAMS = {
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
    compile(page.code, "page.py", "exec")
    for other in page.modules.values():
        compile(other, "page.py", "exec")
