"""Options that Penlight's lapp reads from the text of a program's help.

``local opt = lapp [[ -r,--rate (default 0.1) learning rate ]]`` is taken for the same options of a ``torch.CmdLine``
before anything else looks at the program. A text with more than options and their defaults stays as it is.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch7py.translate import tree
from torch7py.translate.scopes import resolve
from torch7py.translate.tree import Around, Block, Call, Expression, Invoke, Name, Span, Statement, String

__all__ = ["write_options"]

_LINE = re.compile(
    r"-(?P<short>\w),\s*--(?P<long>[a-zA-Z][\w-]*)(?P<rest>.*)"
    r"|--(?P<alone>[a-zA-Z][\w-]*)(?P<rest_of_alone>.*)|-(?P<letter>\w)(?P<rest_of_letter>.*)"
)
_SPEC = re.compile(r"\(\s*(?:(?P<type>string|number)\s+)?default\s+(?P<default>.*?)\s*\)\s*(?P<help>.*)")


@dataclass
class _Option:
    flags: str  # "-r --rate"
    default: str | float | bool
    help: str


def write_options(program: Block) -> None:
    """Write out the calls of lapp in a program that was just parsed."""
    if not any(node.name == "lapp" for node in tree.every(program, Name)):
        return
    used = {node.name for node in tree.every(program, Name)}
    name = next(n for n in ("parser", "cmd", "command_line", "options_parser") if n not in used)
    texts = _named_texts(program)
    written: dict[Statement, list[Statement]] = {
        statement: _written(statement, options, name)
        for statement in tree.every(program, tree.Assignment)
        if (options := _options_of(statement, texts)) is not None
    }
    if not written:
        return
    _replace(program, written)
    if sum(node.name == "lapp" for node in tree.every(program, Name)) == 1:  # what requires it
        _replace(program, {s: [] for s in tree.every(program, tree.Assignment) if _requires(s)})


def _replace(program: Block, statements: Mapping[Statement, list[Statement]]) -> None:
    """Put others in the places of statements."""
    for node in [*tree.walk(program)]:
        if isinstance(node, Block) and not statements.keys().isdisjoint(node.statements):
            others = [other for s in node.statements for other in statements.get(s, [s])]
            object.__setattr__(node, "statements", tuple(others))
        for kept in ("below", "all_below", "by_class", "node_cache", "block_cache", "return_cache"):
            if hasattr(node, kept):
                object.__setattr__(node, kept, None)


def _named_texts(program: Block) -> dict[Expression, str]:
    """The names of variables that are given a text and nothing else, with it."""
    of_name = resolve(program).of_name
    values = {
        of_name[target]: value
        for node in tree.every(program, tree.Assignment)
        for target, value in zip(node.targets, node.values, strict=False)
        if isinstance(target, Name) and len(of_name[target].writes) <= of_name[target].is_global
    }
    texts = {variable: value.value for variable, value in values.items() if isinstance(value, String)}
    return {name: texts[variable] for name, variable in of_name.items() if variable in texts}


def _requires(statement: Statement) -> bool:
    """``local lapp = require 'pl.lapp'``"""
    call = _value(statement)
    return (
        isinstance(statement, tree.Assignment)
        and isinstance(call, Call)
        and isinstance(call.callee, Name)
        and call.callee.name == "require"
        and len(call.arguments) == 1
        and isinstance(call.arguments[0], String)
        and call.arguments[0].value == "pl.lapp"
    )


def _value(statement: Statement) -> Expression | None:
    values = statement.values if isinstance(statement, tree.Assignment) else ()
    return values[0] if len(values) == 1 else None


def _options_of(statement: Statement, texts: Mapping[Expression, str]) -> list[_Option] | None:
    call = _value(statement)
    if not isinstance(call, Call) or not isinstance(call.callee, Name) or call.callee.name != "lapp":
        return None
    text = _text(call.arguments[0], texts) if len(call.arguments) == 1 else None
    return None if text is None else _parsed(text)


def _text(node: Expression, texts: Mapping[Expression, str]) -> str | None:
    """What a text says that is put together of literals and of names for such; None of another one."""
    if isinstance(node, tree.Binary) and node.operator == "..":
        first, second = _text(node.left, texts), _text(node.right, texts)
        return None if first is None or second is None else first + second
    if isinstance(node, Name):
        return texts.get(node)
    return node.value if isinstance(node, String) else None


def _parsed(text: str) -> list[_Option] | None:
    """The options of a help text; None where it has something else, as arguments without a name."""
    options = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("<"):
            return None
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        group = {name: value or "" for name, value in match.groupdict().items()}
        rest = (group["rest"] or group["rest_of_alone"] or group["rest_of_letter"]).strip()
        long = group["long"] or group["alone"]
        short = group["short"] or group["letter"]
        flags = " ".join([*([f"-{short}"] if short else []), *([f"--{long}"] if long else [])])
        if rest.startswith("("):
            spec = _SPEC.fullmatch(rest)
            if spec is None:
                return None
            options.append(_Option(flags, _default(spec["default"], spec["type"]), spec["help"]))
        elif rest.startswith("..."):
            return None
        else:
            options.append(_Option(flags, False, rest))
    return options


def _default(text: str, kind: str | None) -> str | float | bool:
    if kind != "string":
        try:
            number = float(text)
            return int(number) if re.fullmatch(r"[-+]?\d+", text) else number
        except ValueError:
            pass
    if text == "true" and kind is None:
        return True
    return text[1:-1] if text[:1] in ("'", '"') else text


def _written(statement: Statement, options: list[_Option], name: str) -> list[Statement]:
    """``parser = torch.CmdLine()``, its options, and the statement with what it parses."""
    position = statement.span._replace(end=statement.span.start)  # of what does not stand in the text
    parser, here = Name(position, name), Around(before=statement.around.before)
    maker = Call(
        position, tree.Index(position, Name(position, "torch"), String(position, "CmdLine"), True), ()
    )
    statements: list[Statement] = [tree.Local(position, here, (parser,), (maker,))]
    for option in options:
        arguments = [String(position, option.flags), _literal(position, option.default)]
        if option.help:
            arguments.append(String(position, option.help))
        call = Invoke(position, Name(position, name), "option", tuple(arguments), position)
        statements.append(tree.Run(position, Around(), call))
    parsed = Invoke(position, Name(position, name), "parse", (Name(position, "arg"),), position)
    around = statement.around._replace(before=())
    assert isinstance(statement, (tree.Local, tree.Assign))
    return [*statements, dataclasses.replace(statement, values=(parsed,), around=around)]


def _literal(position: Span, value: str | float | bool) -> Expression:
    if isinstance(value, bool):
        return tree.Boolean(position, value)
    if isinstance(value, str):
        return String(position, value)
    positive = tree.Number(position, abs(value), f"{abs(value)!r}")
    return tree.Unary(position, "-", positive) if value < 0 else positive
