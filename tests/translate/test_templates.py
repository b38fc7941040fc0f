"""Lua that is looked for in a program, written as Lua."""

from __future__ import annotations

import pytest

from torch7py.translate import tree
from torch7py.translate.parse import parse
from torch7py.translate.templates import Template
from torch7py.translate.tree_queries import dotted

LOOP = "for I = 1, N do T[I] = net:clone('weight', X) end"


@pytest.mark.parametrize(
    ("template", "source", "found"),
    [
        (LOOP, "for i = 1, #x do list[i] = net:clone('weight', true) end", {"I": "i", "T": "list"}),
        (LOOP, "for i = 1, 3 do (list)[(i)] = net:clone('weight', f(x)) end -- all", {"I": "i", "T": "list"}),
        (LOOP, "for i = 1, #x do list[j] = net:clone('weight', true) end", None),  # another name
        (LOOP, "for i = 2, #x do list[i] = net:clone('weight', true) end", None),  # another number
        (LOOP, "for i = 1, #x, 2 do list[i] = net:clone('weight', true) end", None),  # and a step
        (LOOP, "for i = 1, #x do list[i] = net:share('weight', true) end", None),  # another method
        (LOOP, "for i = 1, #x do list[i] = other:clone('weight', true) end", None),
        (LOOP, "for i = 1, #x do list[i] = net:clone('weight', true) print(i) end", None),  # and more
        ("local A = B", "local x = y.z", {"A": "x", "B": "y.z"}),
        ("local A = B", "local x, y", None),
        ("local A = {}", "local x = {1}", None),
        ("A.train = A.train", "self.net.train = self.net['train']", {"A": "self.net"}),
        ("local function F(...) end", "local function f() end", None),
        ("if A then B() end", "if a then b() else c() end", None),
        ("f{a = X, Y}", "f{a = one, two}", {"X": "one", "Y": "two"}),
        ("f{a = X, Y}", "f{b = one, two}", None),
    ],
)
def test_statements(template: str, source: str, found: dict[str, str] | None) -> None:
    matched = Template(template).match(parse(source))
    assert (matched is not None) == (found is not None)
    for name, text in (found or {}).items():
        assert matched is not None
        assert dotted(matched[name]) == text


def test_expressions_with_a_name_that_is_known() -> None:
    (statement,) = parse("return a == b").statements
    assert isinstance(statement, tree.Return)
    (equal,) = statement.values
    assert isinstance(equal, tree.Binary)
    template = Template("return X == Y")
    assert template.match(equal, X=equal.left) == {"X": equal.left, "Y": equal.right}
    assert template.match(equal, X=equal.right) is None
    assert template.match(equal.left) is None
