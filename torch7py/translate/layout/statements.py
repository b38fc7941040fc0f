"""The documents of statements, and of the lines that open blocks."""

from __future__ import annotations

from torch7py.translate.layout.document import SOFT, Doc, Either, Group, Indent, Inside
from torch7py.translate.layout.expressions import (
    BRACKETS,
    arguments,
    bare,
    expression,
    if_too_long,
    in_optional,
    lambda_body,
    lambda_head,
    listed,
    sequence,
    value,
)
from torch7py.translate.layout.needs import (
    BEST,
    can_do_without,
    has_brackets,
    has_own_brackets,
    need_of,
)
from torch7py.translate.layout.syntax import Node, Parser

__all__ = ["document_of"]

_AUGMENTED = frozenset("+= -= *= /= //= %= @= **= &= |= ^= <<= >>=".split())


def document_of(line: str) -> Doc:
    """The document of one logical line without its comment; NotPython where it is no complete one.

    A line that ends with a comma is an entry of brackets around it.
    """
    parser = Parser(line)
    if parser.texts[-2:-1] == [","]:
        return _entry(parser)
    write = _STATEMENTS.get(parser.text)
    if write is not None and parser.kinds[0] in ("name", "operator"):
        parser.at += 1
        document = write(parser)
    else:
        document = _expression_statement(parser)
    parser.end()
    return document


def _entry(parser: Parser) -> Doc:
    node = parser.entry() if parser.text == "**" else parser.argument()
    if parser.take(":"):
        node = Node("pair", parts=[node, parser.expression()])
    parser.need(",")
    parser.end()
    return [expression(node, BRACKETS), ","]


# Assignments


def _expression_statement(parser: Parser) -> Doc:
    first = parser.expressions()
    if parser.text in _AUGMENTED:
        operator = parser.text
        parser.at += 1
        return _assigned(first, operator, parser.expressions())
    if parser.take(":"):
        return _annotated(first, parser)
    if parser.text != "=":
        if first.kind == "binary" and first.text in "+-|^<<>>":
            return value(first, "expression", kept=True)
        return expression(first, None)
    targets = [first]
    while parser.take("="):
        targets.append(parser.expressions())
    source = targets.pop()
    if len(targets) == 1:
        return _assigned(first, "=", source)
    parts: list[Doc] = [expression(first, None), " = "]
    for target in targets[1:-1]:
        parts += [
            if_too_long(bare(target, BRACKETS)) if _is_bare_target(target) else bare(target, None),
            " = ",
        ]
    return [*parts, _right_first(targets[-1], "=", source)]


def _assigned(target: Node, operator: str, source: Node) -> Doc:
    if (target.kind == "tuple" or has_own_brackets(target)) and not target.enclosed:
        return _right_first(target, operator, source)
    return [expression(target, None), f" {operator} ", _last(source, "assignment")]


def _annotated(target: Node, parser: Parser) -> Doc:
    annotation = parser.expression()
    start: list[Doc] = [expression(target, None), ": "]
    if not parser.take("="):
        return [*start, _last(annotation, "assignment")]
    source = parser.expressions()
    if annotation.kind in ("subscript", "binary"):
        return [*start, _right_first(annotation, "=", source)]
    return [*start, bare(annotation, None), " = ", _last(source, "assignment")]


def _last(node: Node, parent: str) -> Doc:
    """The last value of a statement."""
    if node.kind == "lambda":
        inside = Group()
        content: Doc = [lambda_head(node), Inside(inside, lambda_body(node.parts[-1], BRACKETS))]
        return if_too_long(content, inside)
    return value(node, parent)


def _is_bare_target(node: Node) -> bool:
    """Whether a target gets parentheses where it is too long: it has no brackets that could be broken."""
    if node.kind == "tuple" or has_own_brackets(node):
        return False
    while node.kind == "attribute":
        node = node.parts[0]
        if has_brackets(node):
            return False
    return True


def _right_first(target: Node, operator: str, source: Node) -> Doc:
    """An assignment to something with brackets: these are broken only if nothing else helps."""
    if _is_bare_target(target):
        left = in_optional(target) if can_do_without(target) else if_too_long(bare(target, BRACKETS))
    else:
        left = bare(target, None)
    middle = f" {operator} "
    is_chain = source.kind in ("attribute", "call", "subscript")
    is_atom = source.kind in ("name", "number", "constant", "string")
    if not (is_atom or is_chain) or need_of(source, "assignment") != BEST:
        return [left, middle, _last(source, "assignment")]
    shown = bare(source, None)
    choices: list[Doc] = [[left, middle, shown]]
    if is_chain:
        choices.append([left, middle, Group(shown, expand=True)])
    choices.append([left, middle, "(", Group([Indent([SOFT, shown]), SOFT], expand=True), ")"])
    choices.append([Group(left, expand=True), middle, shown])
    return Either(choices)


# Other statements


def _return(parser: Parser) -> Doc:
    node = parser.expressions()
    if node.kind != "tuple" or node.own or len(node.parts) < 2:
        return ["return ", _last(node, "return")]
    if len(node.parts) == 2:
        return ["return ", in_optional(node.parts)]
    return ["return ", if_too_long(sequence(node.parts, BRACKETS))]


def _assert(parser: Parser) -> Doc:
    found: list[Doc] = ["assert ", value(parser.expression(), "assert")]
    if parser.take(","):
        found += [", ", value(parser.expression(), "assert", late=True)]
    return found


def _delete(parser: Parser) -> Doc:
    node = parser.expressions()
    if node.kind == "tuple" and not node.own:
        return ["del ", if_too_long(sequence(node.parts, BRACKETS))]
    return ["del ", value(node, "del")]


def _raise(parser: Parser) -> Doc:
    found: list[Doc] = ["raise ", value(parser.expression(), "raise", kept=True)]
    if parser.take("from"):
        found += [" from ", value(parser.expression(), "raise", kept=True)]
    return found


def _import_from(parser: Parser) -> Doc:
    module = ""
    while not parser.take("import"):
        module += parser.text
        parser.at += 1
    parser.take("(")
    names: list[Doc] = []
    while parser.kinds[parser.at] == "name":
        name = parser.name()
        names.append(f"{name} as {parser.name()}" if parser.take("as") else name)
        parser.take(",")
    parser.take(")")
    return [f"from {module} import ", if_too_long(listed(names, comma=True))]


# Headers of blocks


def _condition(word: str, parser: Parser) -> Doc:
    node = parser.item()
    parser.need(":")
    return [f"{word} ", value(node, word), ":"]


def _for(parser: Parser) -> Doc:
    target = parser.targets()
    parser.need("in")
    source = parser.expressions()
    parser.need(":")
    several = target.kind == "tuple" and len(target.parts) > 1
    left = in_optional(target.parts) if several else value(target, "for")
    return ["for ", left, " in ", value(source, "for"), ":"]


def _with(parser: Parser) -> Doc:
    items: list[tuple[Node, Node | None]] = []
    while not items or parser.take(","):
        node = parser.expression()
        items.append((node, parser.targets() if parser.take("as") else None))
    parser.need(":")
    if len(items) == 1:
        node, name = items[0]
        if name is None:
            return ["with ", value(node, "with"), ":"]
        if node.enclosed:
            return ["with ", value(node, "with"), " as ", expression(name, None), ":"]
        if can_do_without(node):
            group = Group()
            return ["with ", if_too_long([bare(node, group), " as ", expression(name, group)], group), ":"]
    shown: list[Doc] = [
        [bare(node, BRACKETS), *([] if name is None else [" as ", expression(name, BRACKETS)])]
        for node, name in items
    ]
    return ["with ", if_too_long(listed(shown)), ":"]


def _define(parser: Parser) -> Doc:
    start = f"def {parser.name()}"
    parser.need("(")
    found: list[Doc] = []
    while not parser.take(")"):
        found.append(_parameter(parser))
        if parser.text != ")":
            parser.need(",")
    inside = listed(found, comma=True)
    if len(found) > 1:
        inside = Group(inside)
    shown: list[Doc] = ["(", Indent([SOFT, inside]), SOFT, ")"] if found else ["()"]
    if parser.take("->"):
        shown += [" -> ", value(parser.expression(), "def", late=not found)]
    parser.need(":")
    return [start, Group(shown), ":"]


def _parameter(parser: Parser) -> Doc:
    name = next((star for star in ("**", "*", "/") if parser.take(star)), "")
    if parser.kinds[parser.at] == "name":
        name += parser.name()
    shown: list[Doc] = [name]
    equals = "="
    if parser.take(":"):
        shown += [": ", expression(parser.expression(), BRACKETS)]
        equals = " = "
    if parser.take("="):
        shown += [equals, expression(parser.expression(), BRACKETS)]
    return shown


def _class(parser: Parser) -> Doc:
    start = f"class {parser.name()}"
    bases = arguments(parser.arguments(), None) if parser.take("(") else ""
    parser.need(":")
    return [start, bases, ":"]


def _decorator(parser: Parser) -> Doc:
    return ["@", value(parser.expression(), "decorator", kept=True)]


_STATEMENTS = {
    "return": _return,
    "assert": _assert,
    "del": _delete,
    "raise": _raise,
    "from": _import_from,
    "if": lambda parser: _condition("if", parser),
    "elif": lambda parser: _condition("elif", parser),
    "while": lambda parser: _condition("while", parser),
    "for": _for,
    "with": _with,
    "def": _define,
    "class": _class,
    "@": _decorator,
}
