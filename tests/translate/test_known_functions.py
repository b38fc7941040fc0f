"""Functions that programs have for unrolling by hand, in the forms in which they wrote them, and what is none."""

from __future__ import annotations

import pytest

from torch7py.translate import tree
from torch7py.translate.known_functions import known_function
from torch7py.translate.parse import parse

CLONES = """function f(net, T)
   local clones = {{}}
   for t = 1, T do {body} end
   return clones
end"""
SHARED = "clones[t] = net:clone('weight', 'bias', 'gradWeight', 'gradBias')"
TOGETHER = """function f(...)
   local all = {made}
   for _, net in ipairs{{...}} do {step} end
   return all:getParameters()
end"""


@pytest.mark.parametrize(
    ("source", "known"),
    [
        (CLONES.format(body=SHARED), "clones"),
        (
            CLONES.format(body="table.insert(clones, net:clone('weight', 'bias', 'gradWeight', 'gradBias'))"),
            "clones",
        ),
        (CLONES.format(body=f"if net.parameters then {SHARED} else clones[t] = net:clone() end"), "clones"),
        (
            CLONES.format(
                body=f"if net.parameters and net:parameters() then {SHARED} else clones[t] = net:clone() end"
            ),
            "clones",
        ),
        # copies that share nothing, of what may have parameters
        (CLONES.format(body="clones[t] = net:clone()"), ""),
        (CLONES.format(body=f"if t > 1 then {SHARED} else clones[t] = net:clone() end"), ""),
        (CLONES.format(body=f"if other.parameters then {SHARED} else clones[t] = net:clone() end"), ""),
        (CLONES.format(body=f"if net.parameters then clones[t] = net:clone() else {SHARED} end"), ""),
        (CLONES.format(body=f"if net.parameters then {SHARED} else clones[t] = net end"), ""),
        (TOGETHER.format(made="nn.Container()", step="all:add(net)"), "flattens"),
        (TOGETHER.format(made="nn.Sequential()", step="all:add(net)"), "flattens"),
        (TOGETHER.format(made="nn.Sequential()", step="all:add(net:clone())"), ""),
        (TOGETHER.format(made="given", step="all:add(net)"), ""),
        (TOGETHER.format(made="nn.Container()", step="all:add(net) net:reset()"), ""),
    ],
)
def test_what_a_function_does(source: str, known: str) -> None:
    (statement,) = parse(source.encode(), "f.lua").statements
    assert isinstance(statement, tree.FunctionStatement)
    assert known_function(statement.function) == known
