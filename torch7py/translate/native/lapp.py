"""Options that Penlight's lapp reads from the text of a program's help.

``local opt = lapp [[ -r,--rate (default 0.1) learning rate ]]`` is taken for the same options of a ``torch.CmdLine``
before anything else looks at the program. A text with more than options and their defaults stays as it is.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from torch7py.translate import tree
from torch7py.translate.tree import Around, Block, Call, Expression, Invoke, Name, Span, Statement, String

__all__ = ["with_options"]

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


def with_options(program: Block) -> Block:
    """The program with lapp's calls at its top level written out."""
    used = {node.name for node in tree.every(program, Name)}
    name = next(n for n in ("parser", "cmd", "command_line", "options_parser") if n not in used)
    local = next((s for s in program.statements if _requires(s)), None)
    statements: list[Statement] = []
    dropped = False
    for statement in program.statements:
        options = _options_of(statement)
        if options is None:
            statements.append(statement)
            continue
        dropped = True
        statements += _written(statement, options, name)
    if not dropped:
        return program
    calls = [s for s in statements if s is not local and _mentions(s, "lapp")]
    return dataclasses.replace(program, statements=tuple(s for s in statements if s is not local or calls))


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


def _mentions(statement: Statement, name: str) -> bool:
    return any(isinstance(node, Name) and node.name == name for node in tree.walk(statement))


def _options_of(statement: Statement) -> list[_Option] | None:
    call = _value(statement)
    if not isinstance(call, Call) or not isinstance(call.callee, Name) or call.callee.name != "lapp":
        return None
    text = call.arguments[0] if len(call.arguments) == 1 else None
    return _parsed(text.value) if isinstance(text, String) else None


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
