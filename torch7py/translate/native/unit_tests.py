"""A program's tests, as ``desugar/testers.py`` leaves them: a suite of ``unittest``, comparisons of contents."""

from __future__ import annotations

from torch7py.translate.native import code
from torch7py.translate.native.analysis.unknown_values import described
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.integer_tensors import elements
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function, statement
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression

_PLAIN = ("number", "string", "boolean")
_OPAQUE = {
    "module",
    "criterion",
    "object",
    "class",
    "function",
    "storage",
}  # which have no contents in a page


@function("torch.Tester.newSuite")
def new_suite(t: Translation, node: Call) -> Py:
    t.imports.add("unittest")
    return atom("unittest.TestSuite()")


@statement("torch.Tester.addTest")
def add_test(t: Translation, node: Call) -> None:
    suite, name, test = (t.value(argument) for argument in node.arguments)
    t.emit(f"{suite}.addTest(unittest.FunctionTestCase({test}, description={name}))")


@statement("torch.Tester.addWanted")
def add_wanted(t: Translation, node: Call) -> None:
    """Of the tests those that are named, or all where none is."""
    suite, tests, wanted = (t.value(argument) for argument in node.arguments)
    if t.representation(node.arguments[1]) not in ("dict", "record"):
        raise Problem("T7-307", node.line, f"tests in {described(t, node.arguments[1])}")
    t.imports.add("unittest")
    name, test = t.fresh("name"), t.fresh("test")
    t.emit(f"for {name}, {test} in {t.need('wanted_tests')}({tests}, {wanted}).items():")
    with t.indented():
        t.emit(f"{suite}.addTest(unittest.FunctionTestCase({test}, description={name}))")


@statement("torch.Tester.runSuite")
def run_suite(t: Translation, node: Call) -> None:
    t.imports |= {"unittest", "sys"}
    t.emit(f"if not unittest.TextTestRunner().run({t.value(node.arguments[0])}).wasSuccessful():")
    with t.indented():
        t.emit("sys.exit(1)")


@statement("torch.Tester.checkEqual")
def check_equal(t: Translation, node: Call) -> None:
    """``assert_close`` of tensors, which looks at sizes and types too, and of tables of them."""
    a, b = node.arguments[:2]
    tolerance, message = _more(t, node)
    known = [operand for operand in (a, b) if _has_tensors(t, operand)]
    # beside a tensor, assert_close takes nothing but a tensor
    if len(known) == 2 or (known and t.kind(known[0]) == "tensor" and {None, "any"} & {*_kinds(t, a, b)}):
        text = "" if message is None else f", msg={message}"
        t.emit(
            f"torch.testing.assert_close({_tensors(t, a, b)}, {_tensors(t, b, a)}, rtol=0, atol={tolerance or 0}{text})"
        )
        return
    text = "" if message is None else f", {message}"
    if _kinds(t, a, b) == ("number", "number") and tolerance is not None:
        t.emit(f"assert {_difference(t, a, b)} <= {tolerance}{text}")
    elif _is_plain(t, a) and _is_plain(t, b) and tolerance is None:
        t.emit(f"assert {t.value(a).at(code.COMPARE + 1)} == {t.value(b).at(code.COMPARE + 1)}{text}")
    else:
        t.emit(f"assert {_same(t, node, tolerance)}{text}")


@statement("torch.Tester.checkDifferent")
def check_different(t: Translation, node: Call) -> None:
    a, b = node.arguments[:2]
    tolerance, message = _more(t, node)
    text = "" if message is None else f", {message}"
    if _kinds(t, a, b) == ("number", "number") and tolerance is not None:
        t.emit(f"assert {_difference(t, a, b)} > {tolerance}{text}")
    elif _is_plain(t, a) and _is_plain(t, b) and tolerance is None:
        t.emit(f"assert {t.value(a).at(code.COMPARE + 1)} != {t.value(b).at(code.COMPARE + 1)}{text}")
    elif _kinds(t, a, b) == ("tensor", "tensor") and tolerance is None:
        t.emit(f"assert not torch.equal({t.value(a)}, {t.value(b)}){text}")
    else:
        t.emit(f"assert not {_same(t, node, tolerance)}{text}")


def _same(t: Translation, node: Call, tolerance: Py | None) -> str:
    """A comparison of two things of which the program does not tell what they are, or that are tables of tables."""
    a, b = node.arguments[:2]
    for operand in (a, b):
        if t.type(operand).find().kinds & _OPAQUE or elements(t, operand) == "mask":
            raise Problem("T7-307", node.line, f"a comparison of the contents of {described(t, operand)}")
    return f"{t.need('same_contents')}({t.value(a)}, {t.value(b)}, {tolerance or 0})"


def _difference(t: Translation, a: Expression, b: Expression) -> str:
    return f"abs({t.value(a).at(code.ADD)} - {t.value(b).at(code.ADD + 1)})"


def _kinds(t: Translation, a: Expression, b: Expression) -> tuple[str | None, str | None]:
    return t.kind(a), t.kind(b)


def _more(t: Translation, node: Call) -> tuple[Py | None, Py | None]:
    """The tolerance and the message, in either order; a tolerance of 0 is none."""
    tolerance = message = None
    for argument in node.arguments[2:]:
        kind = t.kind(argument)
        if kind == "string" and message is None:
            message = t.value(argument)
        elif kind == "number" and tolerance is None:
            tolerance = t.value(argument)
        else:
            raise Problem("T7-307", node.line, "a tolerance or a message of unknown kind")
    return (None if tolerance is not None and tolerance.text == "0" else tolerance), message


def _is_plain(t: Translation, node: Expression) -> bool:
    """Whether ``==`` of Python compares two of these as the tester does: numbers, texts, and lists of them."""
    return t.kind(node) in _PLAIN or _entries(t, node) in _PLAIN


def _has_tensors(t: Translation, node: Expression) -> bool:
    return t.kind(node) == "tensor" or _entries(t, node) == "tensor"


def _entries(t: Translation, node: Expression) -> str | None:
    """The kind of the entries of a list."""
    if t.kind(node) != "table" or t.representation(node) != "list":
        return None
    element = t.type(node).find().element
    return None if element is None else element.kind


def _tensors(t: Translation, node: Expression, other: Expression) -> str:
    """A tensor as it is in Lua, where truth values are compared with a tensor of bytes."""
    mask = elements(t, node) == "mask" and elements(t, other) != "mask"
    return f"{t.value(node).at(code.ATOM)}.byte()" if mask else t.value(node).text
