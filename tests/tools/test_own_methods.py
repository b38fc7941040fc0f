"""The list of the original's own methods, from the sources of a package."""

from __future__ import annotations

from pathlib import Path

from tools.own_methods import Classes, loaded

INIT = """
nn = {}
require('nn.Base')
include('Heir.lua')
-- a file that is not loaded: Unused.lua
"""
BASE = """
local Base = torch.class('nn.Base')
function Base:__init() self.field = function() end end
function Base.static(x) return x end
Base.__len = function(self) return 1 end
Base.count = 3
Base.list = {}
function Base.decorate(class)
   class.shown = Base.shown
   class.other = function() end
end
function Base:failing() error('not here') end
function Base:inside(x)
   if x then return self end
end
function Base:shown()
   local function f() return 1 end
   function Base:only_when_called() end
end
"""
HEIR = """
local Heir, parent =
   torch.class('nn.Heir', 'nn.Base')
if jit then
   Heir.again, Heir.more = Heir.shown, parent.unknown
end
nn.Base.decorate(Heir)
local Base = torch.getmetatable('nn.Base')
function Base:added() end
function nn.Base:added_too() end
torch.class('nn.Plain', 'nn.Base')
"""


def test_methods_are_what_the_sources_define_in_a_class(tmp_path: Path) -> None:
    for name, text in {
        "init": INIT,
        "Base": BASE,
        "Heir": HEIR,
        "Unused": "function nn.Base:no() end",
    }.items():
        (tmp_path / f"{name}.lua").write_text(text)
    classes = Classes()
    for block in loaded(tmp_path, "nn"):
        classes.read(block)
    assert {name: " ".join(sorted(methods)) for name, methods in classes.methods.items() if methods} == {
        "nn.Base": "__init __len added added_too decorate failing inside shown static",
        "nn.Heir": "again other shown",
    }
    assert classes.methods["nn.Plain"] == {}
    answering = {
        f"{name}.{method}"
        for name, methods in classes.methods.items()
        for method in methods
        if methods[method]
    }
    unknown = {"nn.Heir.again", "nn.Heir.shown", "nn.Base.failing"}
    assert answering == {"nn.Base.static", "nn.Base.__len", "nn.Base.inside"} | unknown
