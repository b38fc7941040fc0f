"""The functions of Lua's table library, on lists."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kind_rules import HELD
from torch7py.translate.native import code, plain_calls, text
from torch7py.translate.native.analysis.unknown_values import is_open, undecided
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function, statement
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.templates import Template
from torch7py.translate.tree import Call, Expression, Name


def _problem(t: Translation, table: Expression) -> type[Problem]:
    """What a table that is no list is: undecided, unless it is written with holes, or is no table."""
    constructors = t.tables.uses.constructors.get(t.type(table).find(), ())
    has_holes = any(isinstance(item.value, tree.Nil) for made in constructors for item in made.fields)
    is_table = t.kind(table) == "table" or is_open(t, table)
    return Undecided if is_table and not has_holes else Problem


_ORDERS = {
    sign: [Template(f"return function(A, B) return {text} end") for text in texts]
    for sign, texts in {"<": ("A < B", "B > A"), ">": ("A > B", "B < A")}.items()
}


@statement("table.insert")
def table_insert(t: Translation, node: Call) -> None:
    table, rest = node.arguments[0], node.arguments[1:]
    representation = t.representation(table) if t.kind(table) == "table" else ""
    numbered = representation == "dict" and len(rest) == 1 and t.tables.may_have_numbers(table)
    if representation != "list" and not numbered:
        raise _problem(t, table)("T7-306", node.line, "table.insert into a table that is no list")
    t.tables.refuse_call_site_table(table)
    base = t.value(table).at(code.ATOM)
    if numbered:
        if not isinstance(table, Name):  # it is computed once
            name = t.fresh("items")
            t.emit(f"{name} = {base}")
            base = name
        t.emit(
            f"{base}[{t.need('border')}({base}) + 1] = {t.training.carried.cut(table, rest[0], t.value(rest[0]))}"
        )
        return
    if len(rest) == 1:
        value = t.training.carried.cut(table, rest[0], t.value(rest[0]))
        t.emit(f"{base}.append({value})")
    else:
        t.emit(f"{base}.insert({t.expressions.position(rest[0])}, {t.value(rest[1])})")


@function("table.remove")
def table_remove(t: Translation, node: Call) -> Py:
    of = node.arguments[0]
    representation = t.representation(of) if t.kind(of) == "table" else ""
    if representation == "dict" and t.tables.may_have_numbers(of):
        place = "".join(f", {t.expressions.whole_number(argument)}" for argument in node.arguments[1:])
        t.need("border")
        return atom(f"{t.need('remove_item')}({t.value(of)}{place})")
    if representation != "list":
        raise _problem(t, of)("T7-306", node.line, "table.remove from a table that is no list")
    t.tables.refuse_call_site_table(node.arguments[0])
    base = t.value(node.arguments[0]).at(code.ATOM)
    index = "-1" if t.type(of).has(HELD) else ""
    if len(node.arguments) > 1:
        index = t.expressions.position(node.arguments[1]).text
    if t.type(node).nil or t.type(node).has("tested"):
        return Py(f"{base}.pop({index}) if {base} else None", code.TERNARY)
    return atom(f"{base}.pop({index})")


@function("table.getn")
def table_getn(t: Translation, node: Call) -> Py:
    return t.expressions.length(tree.Unary(node.span, "#", node.arguments[0]))


@function("table.concat")
def table_concat(t: Translation, node: Call) -> Py:
    """``table.concat(t, separator, first, last)``"""
    if isinstance(node.arguments[-1], tree.Vararg):
        raise Undecided("T7-306", node.line, "table.concat of what a function is given, however much that is")
    table, part = node.arguments[0], node.arguments[2:]
    separator = text.text(t, node.arguments[1], nil=False).at(code.ATOM) if len(node.arguments) > 1 else '""'
    representation = t.representation(table)
    if representation not in ("list", "dict") or (part and representation == "dict"):
        raise undecided(
            t, table, "T7-306", node.line, "table.concat of a part, or of a table that is no list"
        )
    element = t.type(table).of_elements().kind
    items, loop_target = t.value(table).at(code.OR), "x"
    if part:
        first = t.expressions.position(part[0]).text
        last = t.expressions.whole_number(part[1]).text if len(part) > 1 else ""
        items = f"{t.value(table).at(code.ATOM)}[{code.stretch(first, last)}]"
    if representation == "dict":
        items, loop_target = f"{t.need('numbered')}({items})", "_, x"
    if element == "string":
        return atom(f"{separator}.join({items if loop_target == 'x' else f'x for {loop_target} in {items}'})")
    if element == "number":
        first_item = tree.Index(node.span, table, tree.Number(node.span, 1, "1"), False)
        plain = t.tables.holds_whole(first_item) and t.intervals.plain(first_item)
        item = "str(x)" if plain else 'f"{x:.14g}"'
        return atom(f"{separator}.join({item} for {loop_target} in {items})")
    item = f"{t.need('entry_text')}(x)"
    return atom(f"{separator}.join({item} for {loop_target} in {items})")


@statement("table.sort")
def table_sort(t: Translation, node: Call) -> None:
    if t.kind(node.arguments[0]) != "table" or t.representation(node.arguments[0]) != "list":
        if not t.plainly:
            of = node.arguments[0]
            raise _problem(t, of)("T7-306", node.line, "table.sort of a table that is no list")
        args = plain_calls.arguments(t, node.arguments)
        t.emit(plain_calls.library_call(t, "sort_table", [t.need("lua_sort"), *args]).text)
        return
    t.tables.refuse_call_site_table(node.arguments[0])
    table = t.value(node.arguments[0]).at(code.ATOM)
    plain = t.type(node.arguments[0]).of_elements().kind in ("number", "string")
    if len(node.arguments) == 1:
        if plain:
            t.emit(f"{table}.sort()")
        else:  # equal objects can be told apart
            t.emit(f"{t.need('lua_sort')}({table}, lambda a, b: a < b)")
        return
    order = node.arguments[1]
    direction = _direction(order) if plain else None
    if direction is not None:
        t.emit(f"{table}.sort({'reverse=True' if direction == '>' else ''})")
        return
    written = t.expressions.value(order)
    t.emit(f"{t.need('lua_sort')}({table}, {written})")


def _direction(order: Expression) -> str | None:
    """``<`` or ``>`` of a function that compares the items themselves, the first with the second."""
    return next(
        (sign for sign, (one, other) in _ORDERS.items() if one.match(order) or other.match(order)), None
    )


@statement("table.print")
def table_print(t: Translation, node: Call) -> None:
    """What dataload adds to the library."""
    if t.representation(node.arguments[0]) not in ("options", "list", "dict", "record"):
        raise Problem("T7-203", node.line, "table.print of something unknown")
    t.emit(f"{t.need('show_table')}({t.value(node.arguments[0])})")
