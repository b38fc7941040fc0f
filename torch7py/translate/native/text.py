"""Text: concatenation and ``string.format`` as f-strings, and numbers as Lua writes them."""

from __future__ import annotations

import ast
import re

from torch7py.ops.rounding import format_number
from torch7py.translate import quoting, tree
from torch7py.translate.library import COLORS
from torch7py.translate.native import code
from torch7py.translate.native.analysis import pattern_calls
from torch7py.translate.native.code import Py, atom, quoted
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.patterns import may_be_no_number
from torch7py.translate.native.problem import Undecided
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Function, Index, Invoke, Number, String
from torch7py.translate.tree_queries import bare, returns_of

__all__ = [
    "concatenation",
    "f_string",
    "format",
    "is_message",
    "may_be_missing",
    "may_be_nil",
    "needs_one_value",
    "number_format",
    "text",
    "written_plain",
]

_FORMAT = re.compile(r"%([-+ #0]*)(\d*)(?:\.(\d*))?([a-zA-Z%])")


def concatenation(t: Translation, node: Binary) -> Py:
    parts: list[Expression] = []
    rest: Expression = node
    while isinstance(rest, Binary) and rest.operator == "..":
        parts += _operands(t, rest.left)
        rest = rest.right
    parts += _operands(t, rest)
    if all(t.kind(part) == "string" for part in parts) and not any(
        isinstance(part, String) for part in parts
    ):
        return Py(" + ".join(t.value(part).at(code.ADD) for part in parts), code.ADD)
    pieces = [piece for part in parts for piece in pieces_of(t, part)]
    if any(quoting.cannot_be_inside(piece[0]) for piece in map(_plain, pieces) if not isinstance(piece, str)):
        return Py(" + ".join(_added(t, part).at(code.ADD) for part in parts), code.ADD)
    return f_string(pieces)


def _added(t: Translation, node: Expression) -> Py:
    """A part of a text that is put together with +."""
    if t.kind(node) == "number" and not isinstance(bare(node), Number) and written_plain(t, node):
        return atom(f"str({t.value(node)})")
    return text(t, node, nil=False)


def _operands(t: Translation, node: Expression) -> list[Expression]:
    node = bare(node)
    if isinstance(node, Binary) and node.operator == "..":
        return [*_operands(t, node.left), *_operands(t, node.right)]
    return [node]


def number_format(t: Translation, node: Expression) -> str:
    """How Lua writes this value in text: %.14g for numbers that may not be whole."""
    if t.kind(node) == "number" and not written_plain(t, node):
        return ".14g"
    return ""


def written_plain(t: Translation, node: Expression) -> bool:
    """Whether Lua writes a number as Python writes the int that it is."""
    return t.whole(node) and t.intervals.plain(node)


def is_message(t: Translation, node: Expression) -> bool:
    """Whether a number may be the message of an error instead, as ``pcall`` gives it."""
    return t.kind(node) == "number" and t.type(node).has("message")


def may_be_nil(
    t: Translation,
    node: Expression,
    seen: set[Variable | Function] | None = None,
    of_all_kinds: bool = False,
) -> bool:
    """Whether a number, text or truth value may be nil, or something may be one of several kinds.

    ``of_all_kinds``: whether anything may be, a table or a tensor, too.
    ``seen``: the variables and functions looked at, once each, as values go round through parameters on many ways.
    """
    node, seen = bare(node), set() if seen is None else seen
    kind, type_ = t.kind(node), t.type(node)
    if isinstance(node, tree.Nil) or kind == "any" or is_message(t, node):
        return True
    if isinstance(node, Index) and t.is_object(node.base):
        return True  # a field that a module need not have
    if kind is None and isinstance(node, (Call, Invoke)):
        return type_.nil  # and is never anything else
    is_scalar = kind in ("number", "string", "boolean")
    if not is_scalar and not of_all_kinds:
        return False
    if isinstance(node, Call) and t.kind(node.callee) == "class":
        return False  # but a new object
    if isinstance(node, (Call, Invoke)):
        known = pattern_calls.matched(t, node)
        is_found = known is not None and known[0] in ("find", "match")
        count = t.counts.of(node)
        return (
            type_.nil
            or is_found
            or (count is not None and count[0] < 1)
            or _gives_nil(t, node, seen, of_all_kinds)
        )
    if isinstance(node, Binary):
        if node.operator == "and":
            return t.kind(node.left) != "boolean" or may_be_nil(t, node.right, seen, of_all_kinds)
        truth = (
            kind != "boolean" and t.kind(node.left) == "boolean" and not isinstance(node.left, tree.Boolean)
        )
        return node.operator == "or" and (truth or may_be_nil(t, node.right, seen, of_all_kinds))
    if isinstance(node, tree.Name):
        variable = t.scopes.of_name[node]
        if variable in seen:
            return False
        seen.add(variable)
        return _variable_may_be_nil(t, variable, seen, of_all_kinds)
    if not isinstance(node, tree.Index) or node in t.present:
        return False
    if not is_scalar:
        return type_.nil or _is_no_entry(t, node) or _is_no_item(t, node)
    return type_.nil or not t.tables.has_key(node) or _is_no_item(t, node)


def may_be_no_entry(t: Translation, table: Expression, value: Expression) -> bool:
    """Whether what a dict is given may be nil, which is no entry where the program goes through all of them."""
    if t.kind(table) != "table" or not t.type(table).has("pairs"):
        return False
    if t.representation(table) not in ("dict", "record"):
        return False
    if isinstance(value, Call) and t.path(value.callee) == "tonumber":
        return may_be_no_number(t, value)
    return may_be_missing(t, value)


def may_be_missing(t: Translation, value: Expression) -> bool:
    """Whether what a table is given may be nil, which is no entry of a dict and ends a list."""
    return _is_no_entry(t, value) or may_be_nil(t, value, of_all_kinds=True)


def _is_no_entry(t: Translation, node: Expression) -> bool:
    """Whether an expression may be an entry that a dict has not, and that is handed on as nil then."""
    return isinstance(node, Index) and node in t.looked_for and not t.tables.has_key(node)


def _is_no_item(t: Translation, node: Expression) -> bool:
    """Whether an expression may be an item that a list has not."""
    return (
        isinstance(node, tree.Index)
        and t.kind(node.base) == "table"
        and t.representation(node.base) == "list"
        and (t.list_bounds.may_be_nil(node) or t.counts.may_lack(node))
    )


def _gives_nil(
    t: Translation, call: Call | Invoke, seen: set[Variable | Function], of_all_kinds: bool
) -> bool:
    """Whether a function of the program may return nil: an item that a list has not, or another value that may be."""
    functions = [function for function in t.types.function_called(call) if function not in seen]
    seen.update(functions)
    firsts = [node.values[0] for function in functions for node in returns_of(function) if node.values]
    return any(
        _is_no_item(t, first)
        or _is_no_entry(t, first)
        or (isinstance(bare(first), (Call, Invoke, tree.Name)) and may_be_nil(t, first, seen, of_all_kinds))
        for first in firsts
    )


def _variable_may_be_nil(
    t: Translation, variable: Variable, seen: set[Variable | Function], of_all_kinds: bool
) -> bool:
    if variable.of_entries and not variable.writes:
        return False
    sources = t.integers.sources(variable)
    if not sources or variable in t.integers.without_value:
        return t.types.version(variable.declaration).nil if variable.declaration else False
    function = variable.scope.function if variable.scope is not None else None
    declared = variable.declaration
    if function is not None and declared is not None and t.training.may_be_missing(function, declared):
        return True
    if variable in t.unpacking.perhaps_nil:
        return True
    one_of_several = any(isinstance(source, bool) for source in sources)
    return (one_of_several and declared is not None and t.types.version(declared).nil) or any(
        isinstance(source, tree.Nil)
        or (not isinstance(source, bool) and may_be_nil(t, source, seen, of_all_kinds))
        for source in sources
    )


def literal(node: Expression) -> str | None:
    """How Lua writes a number that is written out in the program, perhaps with a sign. None for anything else."""
    node = bare(node)
    if isinstance(node, Number):
        return format_number("%.14g", float(node.value))
    if isinstance(node, tree.Unary) and node.operator == "-":
        number = bare(node.operand)
        return (
            format_number("%.14g", -float(number.value))
            if isinstance(number, Number) and number.value
            else None
        )
    return None


def pieces_of(t: Translation, node: Expression) -> list[tuple[str, str] | str]:
    """An expression within a text: what it is put together of itself, as far as that can be seen."""
    node = bare(node)
    if isinstance(node, String):
        return [node.value]
    number = literal(node)
    if number is not None:
        return [number]
    if isinstance(node, Binary) and node.operator == "..":
        return [*pieces_of(t, node.left), *pieces_of(t, node.right)]
    if isinstance(node, Invoke) and node.method == "format" and isinstance(bare(node.receiver), String):
        return formatted(t, bare(node.receiver), node.arguments)
    if isinstance(node, Call) and t.path(node.callee) == "string.format" and node.arguments:
        return formatted(t, node.arguments[0], node.arguments[1:])
    colored = colored_pieces(t, node)
    if colored is not None:
        return colored
    if isinstance(node, Call) and t.path(node.callee) == "tostring" and len(node.arguments) == 1:
        inner = node.arguments[0]
        if t.kind(inner) in ("string", "number") and not may_be_nil(t, inner):
            return pieces_of(t, inner)
        return [(text(t, inner).text, "")]
    if t.kind(node) in ("boolean", "any", None) or is_message(t, node):  # nil is no part of a text
        return [(text(t, node).text, "")]
    return [(t.value(node).text, number_format(t, node))]


def colored_pieces(t: Translation, node: Expression) -> list[tuple[str, str] | str] | None:
    """``c.blue 'text'`` of trepl.colorize, and the code ``sys.COLORS.blue`` by itself."""
    path = (
        t.path(node.callee if isinstance(node, Call) else node)
        if isinstance(node, (Call, tree.Index))
        else None
    )
    package, _, name = (path or "").rpartition(".")
    if name not in COLORS:
        return None
    if isinstance(node, Call) and package == "trepl.colorize" and len(node.arguments) == 1:
        return [COLORS[name], *pieces_of(t, node.arguments[0]), COLORS["none"]]
    return (
        [COLORS[name]] if package in ("sys.COLORS", "trepl.colors") and not isinstance(node, Call) else None
    )


def joined(t: Translation, nodes: tuple[Expression, ...]) -> Py:
    """Several values, one behind the other, as a text."""
    if nodes and isinstance(nodes[-1], tree.Vararg):
        raise Undecided("T7-218", nodes[-1].line, "as many texts as ... holds")
    if len(nodes) == 1 and t.kind(nodes[0]) == "string" and not isinstance(nodes[0], Binary):
        return t.value(nodes[0])
    return f_string([piece for node in nodes for piece in pieces_of(t, node)])


def text(t: Translation, node: Expression, nil: bool = True) -> Py:
    """A value as ``tostring`` writes it. ``nil``: it may be that, as no part of a text can."""
    kind = t.kind(node)
    if isinstance(node, tree.Nil):
        return atom('"nil"')
    if kind in (None, "any", "file") or is_message(t, node) or (nil and may_be_nil(t, node)):
        return atom(f"{t.need('lua_text')}({t.conditions.maybe(node)})")
    if kind == "string":
        return t.value(node)
    if kind == "boolean":
        value = t.value(node).text
        return atom(quoted(value.lower()) if value in ("True", "False") else f"str({value}).lower()")
    number = literal(node)
    if number is not None:
        return atom(quoted(number))
    if kind == "number":
        return f_string([(t.value(node).text, number_format(t, node))])
    if nil and may_be_nil(t, node, of_all_kinds=True):
        return atom(f"{t.need('lua_text')}({t.conditions.maybe(node)})")
    return atom(f"str({t.value(node)})")


def format(t: Translation, pattern: Expression, arguments: tuple[Expression, ...]) -> Py:
    """``string.format``: with a literal pattern as an f-string."""
    if not isinstance(pattern, String) or (arguments and _are_several(t, arguments[-1])):
        return atom(_at_run_time(t, pattern, arguments))
    return f_string(formatted(t, pattern, arguments))


def _are_several(t: Translation, node: Expression) -> bool:
    """Whether the last argument stands for as many as there are."""
    return isinstance(node, tree.Vararg) or t.is_unpacked(node)


def _at_run_time(t: Translation, pattern: Expression, arguments: tuple[Expression, ...]) -> str:
    """``string.format`` whose pattern, or whose values, are known only when the program runs."""
    kinds = {
        kind
        for argument in arguments
        for kind in t.type(argument).find().kinds
        if not t.is_unpacked(argument)
    }
    if t.kind(pattern) != "string" or not kinds <= {"number", "string", "boolean"}:
        raise Undecided("T7-231", pattern.line, "string.format with a pattern that is not a literal")
    t.imports.add("re")
    t.need("lua_text")
    args_text = t.calls.arguments(Call(pattern.span, pattern, (pattern, *arguments)), [])
    return f"{t.need('lua_format')}({args_text})"


def needs_one_value(t: Translation, node: tree.Node | tree.Block) -> bool:
    """Whether a call of ``string.format`` needs but one value of its last argument, if that is a call."""
    if isinstance(node, Invoke) and node.method == "format":
        pattern, arguments = bare(node.receiver), node.arguments
    elif isinstance(node, Call) and node.arguments and t.path(node.callee) == "string.format":
        pattern, arguments = node.arguments[0], node.arguments[1:]
    else:
        return False
    if not isinstance(pattern, String) or not arguments or _are_several(t, arguments[-1]):
        return False
    wanted = sum(kind != "%" for *_, kind in _FORMAT.findall(pattern.value))
    count = t.counts.of(arguments[-1])
    return wanted <= len(arguments) and (count is None or count[0] > 0)


def formatted(
    t: Translation, pattern: Expression, arguments: tuple[Expression, ...]
) -> list[tuple[str, str] | str]:
    """The pieces of the text that string.format makes."""
    if not isinstance(pattern, String) or (arguments and _are_several(t, arguments[-1])):
        return [(_at_run_time(t, pattern, arguments), "")]
    pieces: list[tuple[str, str] | str] = []
    at, used = 0, 0
    for match in _FORMAT.finditer(pattern.value):
        pieces.append(pattern.value[at : match.start()])
        at = match.end()
        flags, width, precision, kind = match.groups()
        if kind == "%":
            pieces.append("%")
            continue
        if used >= len(arguments):
            raise Undecided("T7-231", pattern.line, "string.format with too few arguments")
        argument = arguments[used]
        used += 1
        pieces.append(_formatted(t, argument, flags, width, precision, kind))
    pieces.append(pattern.value[at:])
    return pieces


def _formatted(
    t: Translation, node: Expression, flags: str, width: str, precision: str | None, kind: str
) -> tuple[str, str]:
    if "#" in flags:
        raise Undecided("T7-231", node.line, f"string.format with %{flags}{kind}")
    sign = "+" if "+" in flags else (" " if " " in flags else "")
    zero = "0" if "0" in flags and "-" not in flags else ""
    left = "<" if "-" in flags and width else ""
    dot = "" if precision is None else f".{precision or 0}"
    if kind in ("d", "i"):
        text = t.value(node).text if t.whole(node) else f"int({t.value(node)})"
        if t.kind(node) == "string":
            text = f"int({t.value(node)})"
        spec = f"{left}{sign}{zero}{width}"
        return text, f"{spec}d" if spec else ""
    if kind in ("f", "g", "e", "G", "E"):
        text = t.value(node).text
        if t.kind(node) == "string":
            text = f"float({text})"
        return text, f"{left}{sign}{zero}{width}{dot}{kind}"
    if kind in ("x", "X", "o"):
        whole = t.value(node) if t.whole(node) else atom(f"int({t.value(node)})")
        if not t.intervals.natural(node):  # Lua shows all 64 bits
            whole = Py(f"{whole.at(code.BIT_AND)} & 0xFFFFFFFFFFFFFFFF", code.BIT_AND)
        return whole.text, f"{left}{zero}{width}{kind}"
    if kind == "s" and may_be_nil(t, node):
        spec = f"{left or ('>' if width else '')}{width}{dot}"
        return f"{t.need('lua_text')}({t.value(node)})", spec
    if kind == "s":
        text = t.value(node).text
        format_ = number_format(t, node)
        if t.kind(node) == "boolean":
            text = f"str({text}).lower()"
        if format_ and (width or precision is not None):
            raise Undecided("T7-231", node.line, "a number written by %s with a width")
        spec = f"{left or ('>' if width else '')}{width}{dot}"
        return text, format_ or spec
    if kind == "c" and not width:
        return f"chr({t.expressions.whole_number(node)})", ""
    raise Undecided("T7-231", node.line, f"string.format with %{kind}")


def f_string(pieces: list[tuple[str, str] | str]) -> Py:
    """Text with expressions in it; a piece is text, or an expression and its format."""
    return atom(quoting.f_string([_plain(piece) for piece in pieces]))


def _plain(piece: tuple[str, str] | str) -> tuple[str, str] | str:
    """A literal among the expressions is text, and ``str(x)`` is x with a flag."""
    if isinstance(piece, str):
        return quoting.decoded(piece)
    expression, format_ = piece
    if format_ or not expression.startswith(("str(", '"', "'")):
        return piece
    try:
        node = ast.parse(expression, mode="eval").body
    except SyntaxError:
        return piece
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1
    return (f"{expression[4:-1]}!s", "") if called and expression.startswith("str(") else piece
