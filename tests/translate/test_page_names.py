"""The names of a page: comprehensions have scopes, whatever the Python."""

from __future__ import annotations

import symtable

from torch7py.translate.native.page_names import table_of, with_generators
from torch7py.translate.native.program import translate_script

PAGE = """
import math

def f(v, é, w):
    found = {
        k: [math.sqrt(v[x]) for x in é]
        for k in {a for a in w}
    }
    return found, ["é", *[v for v in "é"]]
"""


def free(table: symtable.SymbolTable) -> set[str]:
    found = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_free()}
    return found.union(*(free(inner) for inner in table.get_children()))


def test_what_comprehensions_read_is_known():
    function = table_of(PAGE).get_children()[0]
    assert free(function) == {"v", "é"}  # w is what the outermost one goes through, outside of it
    assert function.lookup("w").is_referenced()


def test_as_generators_they_are_on_the_same_lines():
    page = with_generators(PAGE)
    assert page.count("\n") == PAGE.count("\n")
    function = symtable.symtable(page, "page", "exec").get_children()[0]
    assert free(function) == {"v", "é"}
    assert sorted(inner.get_lineno() for inner in function.get_children()) == [5, 7, 9]


def test_functions_of_python_that_no_page_may_name() -> None:
    """A variable of such a name is another one, also where the statement that makes it is not translated."""
    page = translate_script(
        b"eval = require(arg[1]).create()\nlocal a, b = eval:eval(1)\nprint(a, b)", "p.lua"
    )
    assert 'method_all(eval_, "eval", 1)' in page.code
    assert page.problems
