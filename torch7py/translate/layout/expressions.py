"""The documents of expressions: where the formatter breaks them, and in which order.

What may be broken depends on what is around. Within brackets (``BRACKETS``) every operator is a possible line end;
within parentheses that are there only if the line is too long (their ``Group``) it is one if they are; with neither
(None) only the brackets of the expression itself may be broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from torch7py.translate.layout.document import (
    HARD,
    SOFT,
    SPACE,
    Break,
    Doc,
    Either,
    Group,
    GroupIf,
    IfBroken,
    IfFlat,
    Indent,
    IndentIf,
    Inside,
    Wrapped,
)
from torch7py.translate.layout.needs import (
    ALWAYS,
    BEST,
    CHAIN,
    COMPARISON,
    MULTILINE,
    NEVER,
    PRECEDENCE,
    can_do_without,
    has_own_brackets,
    is_fluent,
    need_of,
)
from torch7py.translate.layout.syntax import Node

__all__ = [
    "BRACKETS",
    "Around",
    "arguments",
    "bare",
    "bracketed",
    "expression",
    "if_too_long",
    "in_optional",
    "listed",
    "sequence",
    "value",
]

BRACKETS = Group()
Around: TypeAlias = "Group | Wrapped | None"

_OPERATIONS = frozenset({"bool", "compare", "binary"})


# Pieces


def line_end(around: Around, flat: Break = SPACE) -> Doc:
    """A possible line end where there are brackets around."""
    if around is None:
        return flat.flat
    if around is BRACKETS:
        return flat
    return [IfBroken(flat, around), IfFlat(flat.flat, around)] if flat.flat else IfBroken(flat, around)


def together(content: Doc, around: Around) -> Doc:
    """A group where there are brackets around."""
    if around is None:
        return content
    return Group(content) if around is BRACKETS else GroupIf(around, content)


def bracketed(opener: str, content: Doc, closer: str, around: Around) -> Doc:
    """Brackets that are there anyway, their content indented on lines of its own where it does not fit."""
    inside: Doc = Group([Indent([SOFT, content]), SOFT])
    if around is not None and around is not BRACKETS:
        inside = Inside(around, inside)
    return [opener, inside, closer]


def in_optional(make: Sequence[Node] | Node) -> Doc:
    """In parentheses if it does not fit even when its own brackets are broken; those of a tuple are its own then."""
    group = Group()
    if isinstance(make, Node):
        return _fill(group, bare(make, group))
    return _fill(group, [IfBroken(sequence(make, BRACKETS), group), IfFlat(sequence(make, group), group)])


def if_too_long(content: Doc, group: Group | None = None) -> Doc:
    """In parentheses if it does not fit; the content is made for brackets, or for the ``group`` that these are."""
    return _fill(Group() if group is None else group, content)


def _fill(group: Group, content: Doc) -> Doc:
    group.content = [IfBroken("("), IndentIf(group, [SOFT, content]), SOFT, IfBroken(")")]
    return group


def listed(items: list[Doc], comma: bool = False) -> Doc:
    """Items with commas; behind the last one if they are broken, and are several or a ``comma`` is wanted."""
    found: list[Doc] = []
    for at, item in enumerate(items):
        if at:
            found += [",", SPACE]
        found.append(item)
    if comma or len(items) > 1:
        found.append(IfBroken(","))
    return found


def sequence(nodes: Sequence[Node], around: Around) -> Doc:
    return listed([expression(node, around) for node in nodes])


def value(node: Node, parent: str, around: Around = None, late: bool = False, kept: bool = False) -> Doc:
    """A value that may get parentheses; ``late``: of several in a line, one that is broken before those left of it.

    ``kept``: parentheses that it has stay.
    """
    if kept and node.enclosed:
        return expression(node, around)
    need = need_of(node, parent)
    if need == ALWAYS:
        return bracketed("(", bare(node, BRACKETS), ")", around)
    if around is not None or need == NEVER:
        return bare(node, around)
    if need == BEST and not late:
        wrapped = Wrapped()
        wrapped.content = bare(node, wrapped)
        return wrapped
    return in_optional(node) if can_do_without(node) else if_too_long(bare(node, BRACKETS))


# Documents


def expression(node: Node, around: Around) -> Doc:
    """An expression with the parentheses that it has."""
    if node.enclosed:
        return bracketed("(", bare(node, BRACKETS), ")", around)
    return bare(node, around)


def bare(node: Node, around: Around) -> Doc:
    """An expression without the parentheses around it."""
    kind = node.kind
    if kind in ("name", "number", "string", "constant"):
        return node.text
    if kind in CHAIN:
        return _chain(node, around, None)
    if kind in _OPERATIONS:
        return together(_operation(_flat(node), around), around)
    make = _MAKERS.get(kind)
    return make(node, around) if make is not None else _comprehension(node, around)


def _chain(node: Node, around: Around, fluent: bool | None) -> Doc:
    """Calls, subscripts and attributes; ``fluent``: as part of a longer chain, whether that has a call a line."""
    chosen = around is not None and is_fluent(node) if fluent is None else fluent
    inner = node.parts[0]
    if inner.enclosed or (inner.kind == "number" and node.kind == "attribute"):
        start = bracketed("(", bare(inner, BRACKETS), ")", around)
    elif inner.kind in CHAIN and (chosen or node.kind != "attribute"):
        start = _chain(inner, around, chosen)
    else:
        start = bare(inner, around)
    parts: list[Doc] = [start]
    if node.kind == "attribute":
        if chosen and (inner.enclosed or inner.kind in ("number", "call", "subscript")):
            parts.append(SOFT)
        parts.append(f".{node.text}")
    elif node.kind == "call":
        parts.append(arguments(node.parts[1:], around))
    else:
        index = node.parts[1]
        inside = (
            _index(index) if index.kind == "tuple" and not index.enclosed else expression(index, BRACKETS)
        )
        parts.append(bracketed("[", inside, "]", around))
    return Group(parts) if chosen and fluent is None else parts


def arguments(nodes: list[Node], around: Around) -> Doc:
    """The brackets of a call."""
    if not nodes:
        return "()"
    return bracketed("(", Group(listed([expression(node, BRACKETS) for node in nodes])), ")", around)


def _index(node: Node) -> Doc:
    if node.own:
        return bare(node, BRACKETS)
    if len(node.parts) == 1:
        return [expression(node.parts[0], BRACKETS), ","]
    return Group(sequence(node.parts, BRACKETS))


def _flat(node: Node) -> list[Node | str]:
    """Operands and operators by turns, of all operations that have no parentheses."""
    words = node.words if node.kind == "compare" else [node.text] * (len(node.parts) - 1)
    found: list[Node | str] = []
    for at, part in enumerate(node.parts):
        if at:
            found.append(words[at - 1])
        if part.kind in _OPERATIONS and not part.enclosed:
            found += _flat(part)
        else:
            found.append(part)
    return found


def _operation(items: list[Node | str], around: Around) -> Doc:
    """Operands with operators between them, broken at those that bind least; a line begins with its operator."""
    if len(items) == 1:
        return expression(_operand(items[0]), around)
    precedences = [PRECEDENCE.get(str(word), COMPARISON) for word in items[1::2]]
    least = max(precedences)
    places = [2 * at + 1 for at, precedence in enumerate(precedences) if precedence == least]
    found: list[Doc] = []
    start = 0
    for place in [*places, len(items)]:
        inner = items[start:place]
        operand = _operation(inner, around)
        found.append(operand if len(inner) == 1 else together(operand, around))
        start = place + 1
        if place < len(items):
            word = str(items[place])
            if word == "**" and _is_simple_power(_operand(items[place - 1]), _operand(items[place + 1])):
                found += [line_end(around, SOFT), word]
                if around is not None:
                    found.append(IfBroken(" ", None if around is BRACKETS else around))
            else:
                found += [line_end(around), f"{word} "]
    return found


def _operand(item: Node | str) -> Node:
    assert isinstance(item, Node)
    return item


def _is_simple_power(left: Node, right: Node) -> bool:
    """Whether no blanks stand around ``**``."""

    def simple(node: Node) -> bool:
        if node.kind == "unary":
            return node.text != "not" and simple(node.parts[0])
        return node.kind in ("name", "number", "constant") or (
            node.kind == "attribute" and simple(node.parts[0])
        )

    return not left.enclosed and not right.enclosed and simple(left) and simple(right)


def _unary(node: Node, around: Around) -> Doc:
    operand = node.parts[0]
    word = "not " if node.text == "not" else node.text
    if operand.kind == "binary" and operand.text == "**":
        return [word, bracketed("(", bare(operand, BRACKETS), ")", around)]
    return [word, expression(operand, around)]


def _choice(node: Node, around: Around) -> Doc:
    parts: list[Doc] = []
    while True:
        body, test, otherwise = node.parts
        parts += [expression(body, around), line_end(around), "if ", expression(test, around)]
        parts += [line_end(around), "else "]
        if otherwise.kind != "if" or otherwise.enclosed:
            return together([*parts, together(expression(otherwise, around), around)], around)
        node = otherwise


def _lambda(node: Node, around: Around) -> Doc:
    return [lambda_head(node), lambda_body(node.parts[-1], around)]


def lambda_head(node: Node) -> str:
    """``lambda`` with its parameters, which are never broken."""
    shown = []
    for parameter in node.parts[:-1]:
        default = "".join(f"={plain(part)}" for part in parameter.parts)
        shown.append(f"{parameter.text}{default}")
    return f"lambda {', '.join(shown)}: " if shown else "lambda: "


def lambda_body(body: Node, around: Around) -> Doc:
    need = need_of(body, "lambda")
    if need == ALWAYS:
        return bracketed("(", bare(body, BRACKETS), ")", around)
    if need != MULTILINE:
        if body.kind in ("call", "subscript"):
            content = bare(body, around)
            return Either([content, Group(content, expand=True), ["(", Indent([HARD, content]), HARD, ")"]])
        if has_own_brackets(body):
            return expression(body, around)
    return if_too_long(bare(body, BRACKETS))


def _tuple(node: Node, around: Around) -> Doc:
    if not node.parts:
        return "()"
    if len(node.parts) == 1:
        return bracketed("(", [expression(node.parts[0], BRACKETS), ","], ")", around)
    if node.own:
        return bracketed("(", sequence(node.parts, BRACKETS), ")", around)
    return if_too_long(sequence(node.parts, BRACKETS))


def _display(node: Node, around: Around) -> Doc:
    opener, closer = "[]" if node.kind == "list" else "{}"
    if not node.parts:
        return opener + closer
    return bracketed(opener, sequence(node.parts, BRACKETS), closer, around)


def _pair(node: Node, around: Around) -> Doc:
    key, item = node.parts
    return Group([expression(key, around), ": ", expression(item, around)])


def _spread(node: Node, around: Around) -> Doc:
    return Group(["**", expression(node.parts[0], around)])


def _comprehension(node: Node, around: Around) -> Doc:
    own = node.kind != "generator" or node.own
    inside: Doc = [Group(expression(node.parts[0], BRACKETS)), *(_clause(part) for part in node.parts[1:])]
    if not own:
        return inside
    opener, closer = "[]" if node.kind[0] == "l" else "()" if node.kind == "generator" else "{}"
    return bracketed(opener, Group(inside), closer, around)


def _clause(node: Node) -> Doc:
    target, source, *tests = node.parts
    if target.kind == "tuple" and not target.own:
        shown: Doc = [
            [", " if at else "", expression(part, BRACKETS)] for at, part in enumerate(target.parts)
        ]
    else:
        shown = expression(target, BRACKETS)
    found: list[Doc] = [SPACE, "for ", shown, " in ", expression(source, BRACKETS)]
    for test in tests:
        found += [SPACE, "if ", expression(test, BRACKETS)]
    return found


def _slice(node: Node, around: Around) -> Doc:
    first, *others = node.parts
    blank = "" if all(_is_simple_end(end) for end in node.parts) else " "
    found: list[Doc] = [expression(first, around), blank if _is_there(first) else ""]
    for at, end in enumerate(others):
        if at and (_is_there(others[0]) or not _is_there(end)):
            found.append(blank)
        found += [":", blank if _is_there(end) else "", expression(end, around)]
    return found


def _is_there(node: Node) -> bool:
    return node.kind != "name" or bool(node.text)


def _is_simple_end(node: Node) -> bool:
    """Whether no blanks stand around the colon of a slice for this end of it."""
    if node.kind == "unary" and node.text != "not":
        return _is_simple_end(node.parts[0])
    return node.kind in ("name", "number", "string", "strings", "constant")


def _named(node: Node, around: Around) -> Doc:
    target, item = node.parts
    return [Group([expression(target, around), line_end(around)]), ":= ", expression(item, around)]


def _yield(node: Node, around: Around) -> Doc:
    if not node.parts:
        return node.kind
    return [node.kind, " ", value(node.parts[0], node.kind, around, kept=True)]


def _strings(node: Node, around: Around) -> Doc:
    return together(
        [[line_end(around) if at else "", part.text] for at, part in enumerate(node.parts)], around
    )


def _prefixed(node: Node, around: Around) -> Doc:
    word = {"starred": "*", "await": "await "}.get(node.kind, node.text)
    return [word, expression(node.parts[0], around)]


_MAKERS = {
    "unary": _unary,
    "if": _choice,
    "lambda": _lambda,
    "tuple": _tuple,
    "list": _display,
    "set": _display,
    "dict": _display,
    "pair": _pair,
    "spread": _spread,
    "slice": _slice,
    "named": _named,
    "yield": _yield,
    "yield from": _yield,
    "strings": _strings,
    "starred": _prefixed,
    "await": _prefixed,
    "keyword": _prefixed,
}


def plain(node: Node) -> str:
    """An expression on one line."""
    return _joined(expression(node, None))


def _joined(doc: Doc) -> str:
    if isinstance(doc, str):
        return doc
    if isinstance(doc, list):
        return "".join(map(_joined, doc))
    if isinstance(doc, Break):
        return doc.flat
    if isinstance(doc, Either):
        return _joined(doc.choices[0])
    return "" if isinstance(doc, IfBroken) else _joined(doc.content)
