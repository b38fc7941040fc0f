"""Functions made by argcheck: which are read as the functions that they call, and which stay calls."""

from __future__ import annotations

import pytest

from torch7py.translate.argument_checks import find_argument_checks
from torch7py.translate.native.desugar import written_out
from torch7py.translate.parse import parse


def count(rules: str, body: str) -> int:
    source = f"local argcheck = require 'argcheck'\nf = argcheck{{{rules}, call = function(x, y) {body} end}}"
    return len(find_argument_checks(parse(source.encode(), "file.lua"))[0])


@pytest.mark.parametrize(
    ("default", "body", "known"),
    [
        ("{1, {2}}", "return #x + x[1] + torch.Tensor(x):sum()", True),
        ("{1}", "kept = x", False),  # it would be another one in each call
        ("{1}", "x[1] = 2", False),
        ("{1}", "other(x)", False),
        ("{1}", "return x", False),
        ("{y}", "return #x", False),
        ("words.split", "return x(y)", True),
        ("y.split", "return x(y)", False),
        ("one()", "return x", False),
    ],
)
def test_defaults_that_are_made_once(default: str, body: str, known: bool) -> None:
    rule = f"{{name = 'x', type = 'table', default = {default}}}, {{name = 'y', type = 'number'}}"
    assert count(rule, body) == known


def test_checks_that_do_something_stay() -> None:
    rule = "{{name = 'x', type = 'number', check = function(x) {} end}}, {{name = 'y', type = 'number'}}"
    assert count(rule.format("local good = x > 0; good = not good; return good"), "return x") == 1
    assert count(rule.format("seen = x; return true"), "return x") == 0


CHECK = "local check = argcheck{pack = true, {name = 'x', type = 'number'}}\n"
MADE = "local C = torch.class('C')\n"


@pytest.mark.parametrize(
    "taker",
    [
        "function C:f(a, ...) local t = check(a, ...) end",
        "function C:f(...) local t = check(...) print(...) end",
        "function C:f(...) local t = check(...) t = {} end",
        "function C:f(...) local t = check(...) for k, v in pairs(t) do self[k] = v + 1 end end",
        "function C:f(...) local t = check(...) end function C:g(...) local t = check(...) end",
        "function D:f(...) local t = check(...) end",
        "local function f(...) local t = check(...) end",
    ],
)
def test_arguments_that_stay_packed(taker: str) -> None:
    source = f"{MADE}{CHECK}{taker}\n".encode()
    assert written_out(source, "file.lua") == source


def test_packed_arguments_are_parameters() -> None:
    taker = "function C:f(...)\n  local t = check(...)\n  for k, v in pairs(t) do self[k] = v end\n  print(t, x)\nend\n"
    lines = written_out(f"{MADE}{CHECK}{taker}".encode(), "file.lua").decode().split("\n")
    rules = "{name = 'self', type = 'C'}, {name = 'x', type = 'number'}"
    assert lines[1:6] == [
        "",
        f"C.f = argcheck{{{rules}, call = function(self, x_)",
        "  local t = {x = x_}",
        "  self.x = x_",
        "  print(t, x)",
    ]
