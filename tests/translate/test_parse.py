"""The tree of a program: its statements, its places, and where its comments go."""

from __future__ import annotations

import pytest

from torch7py.translate import tree
from torch7py.translate.parse import LuaSyntaxError, parse


def only(source: str, kind: type) -> tree.Node:
    """The one node of a kind."""
    (found,) = [node for node in tree.walk(parse(source)) if isinstance(node, kind)]
    assert isinstance(found, tree.Node)
    return found


def test_every_statement():
    source = """
    local a, b = 1
    a.x, b[1] = f(), 2
    f(a)
    do end
    while a do break end
    repeat local z until z
    if a then f() elseif b then else g() end
    for i = 1, 2 do end
    for k, v in pairs(t) do end
    function m.a:b(x, ...) end
    local function g() end
    goto done
    ::done::
    return a, b
    """
    kinds = [type(statement).__name__ for statement in parse(source).statements]
    assert kinds == (
        "Local Assign Run Do While Repeat If NumericFor GenericFor FunctionStatement LocalFunction"
        " Goto Label Return".split()
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\n\65\x41\z   b"', "a\nAAb"),
        (r"'\'q\''", "'q'"),
        ("[[\nlong]]", "long"),
        ("[==[a]]b]==]", "a]]b"),
        (r"'\u{e9}'", "Ã©"),
        ("'\\\nx'", "\nx"),
    ],
)
def test_strings_have_their_bytes(text, value):
    node = only(f"x = {text}", tree.String)
    assert isinstance(node, tree.String)
    assert node.value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("0x1F", 31), ("3.0", 3.0), ("1e3", 1000.0), (".5", 0.5), ("0x.8p1", 1.0), ("5LL", 5)],
)
def test_numbers(text, value):
    node = only(f"x = {text}", tree.Number)
    assert isinstance(node, tree.Number)
    assert node.value == value
    assert type(node.value) is type(value)


def shape(node: tree.Node) -> object:
    if isinstance(node, tree.Binary):
        return [shape(node.left), node.operator, shape(node.right)]
    if isinstance(node, tree.Unary):
        return [node.operator, shape(node.operand)]
    assert isinstance(node, tree.Name)
    return node.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-x^y", ["-", ["x", "^", "y"]]),
        ("a^-b^c", ["a", "^", ["-", ["b", "^", "c"]]]),
        ("a..b..c", ["a", "..", ["b", "..", "c"]]),
        ("a-b-c", [["a", "-", "b"], "-", "c"]),
        ("not a == b", [["not", "a"], "==", "b"]),
        ("a or b and c", ["a", "or", ["b", "and", "c"]]),
        ("a < b .. c", ["a", "<", ["b", "..", "c"]]),
        ("a .. b + c", ["a", "..", ["b", "+", "c"]]),
    ],
)
def test_precedence(text, expected):
    """As the reference manual of Lua 5.1 has it, section 2.5.6."""
    (statement,) = parse(f"v = {text}").statements
    assert isinstance(statement, tree.Assign)
    assert shape(statement.values[0]) == expected


def test_calls():
    named = only("f 'x'", tree.Call)
    assert isinstance(named, tree.Call)
    assert isinstance(named.arguments[0], tree.String)
    method = only("a.b:c {1}", tree.Invoke)
    assert isinstance(method, tree.Invoke)
    assert (method.method, len(method.arguments)) == ("c", 1)


def test_a_method_has_self():
    function = only("function a:m(x, ...) end", tree.Function)
    assert isinstance(function, tree.Function)
    assert [name.name for name in function.parameters] == ["self", "x"]
    assert function.vararg
    assert function.name == "a:m"


def test_places_are_those_of_the_source():
    source = "#!/usr/bin/th\nlocal x = 'ä'\n  print(x)"
    first, second = parse(source).statements
    assert (first.line, second.line, second.span.column) == (2, 3, 3)
    assert source.encode()[second.span.start : second.span.end] == b"print(x)"


def test_comments():
    source = """-- first
-- second
local a = 1 -- on its line

-- of the call
f(a, -- inside
  b)

if a then -- opening
   -- of g
   g()
   -- closing
else
   -- alone
end
-- the end
"""
    program = parse(source)
    local, call, branch = program.statements
    assert [comment.text for comment in local.around.before] == [" first", " second"]
    assert local.around.trailing is not None
    assert local.around.trailing.text == " on its line"
    assert not local.around.before[0].blank
    assert call.around.before[0].blank
    assert [comment.text for comment in call.around.inside] == [" inside"]
    assert isinstance(branch, tree.If)
    body = branch.branches[0][1]
    assert body.opening is not None
    assert body.opening.text == " opening"
    assert [comment.text for comment in body.statements[0].around.before] == [" of g"]
    assert [comment.text for comment in body.closing] == [" closing"]
    assert branch.otherwise is not None
    assert [comment.text for comment in branch.otherwise.closing] == [" alone"]
    assert [comment.text for comment in program.closing] == [" the end"]


def test_comments_of_table_fields():
    source = """t = { -- open
   -- of a
   a = 1, -- on a
   b = function() -- body
      return 1
   end,
}"""
    table = only(source, tree.Table)
    assert isinstance(table, tree.Table)
    a, b = table.fields
    assert [comment.text for comment in a.before] == [" open", " of a"]
    assert a.trailing is not None
    assert a.trailing.text == " on a"
    assert isinstance(b.value, tree.Function)
    assert b.value.body.opening is not None


@pytest.mark.parametrize(
    ("source", "line"),
    [("x = \n\n= 1", 3), ("a = 1\nfor do", 2), ("local x <const> = 1", 1), ("\ngoto = 1", 2)],
)
def test_errors_name_file_and_line(source, line):
    with pytest.raises(LuaSyntaxError, match=rf"^prog.lua:{line}: ") as error:
        parse(source, "prog.lua")
    assert error.value.line == line
