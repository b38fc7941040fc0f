"""Functions made by argcheck, in Python: parameters with defaults, and calls that name what they give."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from torch7py.translate import quoting, tree
from torch7py.translate.argument_checks import ArgumentChecks, Rule, named_arguments
from torch7py.translate.native import code
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Function, Invoke, Name, String

__all__ = ["arguments", "docstring", "lines", "parameter"]

_CONSTANTS = (tree.Number, String, tree.Boolean)


def parameter(t: Translation, function: Function, name: Name) -> str | None:
    """A parameter with its default; None where the function has no rules."""
    checks = t.types.checks.get(function)
    if checks is None:
        return None
    at = function.parameters.index(name)
    rule, text = checks.rules[at], t.names.of(name)
    if rule.default is not None and not _may_be_nil(t, function, at):
        return f"{text}={_default(t, rule)}"
    # Python wants a default for all after the first.
    before = any(r.may_be_left_out for r in checks.rules[:at])
    return f"{text}=None" if rule.may_be_left_out or before else text


def lines(t: Translation, function: Function) -> list[str]:
    """What a function begins with: what arguments are that are given as nil, or are like others."""
    checks = t.types.checks.get(function)
    source_lines: list[str] = []
    for at, name in enumerate(function.parameters) if checks is not None else ():
        assert checks is not None
        rule, text = checks.rules[at], t.names.of(name)
        value = ""
        if rule.default is not None and _may_be_nil(t, function, at):
            if isinstance(rule.default, tree.Boolean) and not rule.default.value:
                raise Problem(
                    "T7-242", function.line, f"nil for {rule.name}, which argcheck then takes for nil"
                )
            value = _default(t, rule)
        elif rule.default is None and not rule.optional and rule.like:
            other = next(i for i, r in enumerate(checks.rules) if r.name == rule.like)
            if other >= at:
                raise Problem("T7-242", function.line, f"the default of {rule.name}, which comes after it")
            value = t.names.of(function.parameters[other])
        if value:
            source_lines += [f"if {text} is None:", f"{code.INDENT}{text} = {value}"]
    return source_lines


def _default(t: Translation, rule: Rule) -> str:
    value = rule.default
    inner = value.operand if isinstance(value, tree.Unary) and value.operator == "-" else value
    if value is not None and isinstance(inner, _CONSTANTS):
        return t.value(value).text
    raise Problem(
        "T7-242", rule.default.line if rule.default else 0, f"the default of the argument {rule.name}"
    )


def _may_be_nil(t: Translation, function: Function, at: int) -> bool:
    """Whether a call gives nil for an argument, or what may be nil."""
    checks = t.types.checks[function]
    for call in t.types.calls_of.get(function, []):
        first = t.types.before(function, call)
        table = named_arguments(checks, call.arguments, first)
        arguments_by_index: dict[int, Expression]
        if table is not None:
            names = [rule.name for rule in checks.rules]
            arguments_by_index = {
                names.index(i.key.value): i.value for i in table.fields if isinstance(i.key, String)
            }
        else:
            places = checks.places(call.arguments, t.kind, first)
            if places is None:
                continue
            arguments_by_index = dict(zip((first + index for index in places), call.arguments, strict=True))
        value = arguments_by_index.get(at)
        if value is not None and (isinstance(value, tree.Nil) or t.type(value).nil):
            return True
    return False


def docstring(checks: ArgumentChecks | None) -> list[str]:
    """What rules say of their function, as the lines of a docstring; none where that cannot be written as one."""
    if checks is None or not checks.doc:
        return []
    kept = [
        line.strip().lstrip("#").strip() if line.strip().startswith("#") else line.rstrip()
        for line in checks.doc.split("\n")
        if "@ARG" not in line and not line.strip().startswith("<a ")
    ]
    text = textwrap.dedent("\n".join(kept)).strip()
    if not text:
        return []
    return quoting.docstring(text, closed_below=True).split("\n")


def arguments(t: Translation, node: Call | Invoke, functions: Sequence[Function], first: int) -> str | None:
    """The arguments of a call of functions made by argcheck; None where one of them is not."""
    all_checks = [t.types.checks[function] for function in functions if function in t.types.checks]
    if not all_checks:
        return None
    if len(all_checks) != len(functions):
        in_order = list(range(len(node.arguments)))
        named = any(named_arguments(checks, node.arguments, first) is not None for checks in all_checks)
        if named or any(checks.places(node.arguments, t.kind, first) != in_order for checks in all_checks):
            raise Problem("T7-242", node.line, "arguments that are checked by one of several functions")
        return None  # all in their places
    tables = {named_arguments(checks, node.arguments, first) for checks in all_checks}
    if len(tables) != 1:
        raise Problem("T7-242", node.line, "arguments by name for one of several functions")
    table = tables.pop()
    if table is not None:
        return _by_name(t, node, functions, table)
    mappings = {tuple(checks.places(node.arguments, t.kind, first) or ()) for checks in all_checks}
    places = mappings.pop()
    if mappings or len(places) != len(node.arguments):
        raise Problem("T7-242", node.line, "arguments of which it is not known for which parameters they are")
    texts = []
    for number, (position, argument) in enumerate(zip(places, node.arguments, strict=True)):
        names = {_parameter(t, f, first + position) for f in functions}
        if names == {None}:
            continue  # Lua drops what the function does not take
        text = t.value(argument).text
        if position != number:
            if len(names) != 1:
                raise Problem("T7-242", node.line, "arguments left out of a call of one of several functions")
            text = f"{names.pop()}={text}"
        texts.append(text)
    return ", ".join(texts)


def _by_name(t: Translation, node: Call | Invoke, functions: Sequence[Function], table: tree.Table) -> str:
    texts = []
    for item in table.fields:
        assert isinstance(item.key, String)
        key = item.key.value
        names = set()
        for function in functions:
            rules = t.types.checks[function].rules
            names.add(_parameter(t, function, next(i for i, r in enumerate(rules) if r.name == key)))
        if names == {None}:
            continue
        if len(names) != 1:
            raise Problem("T7-242", node.line, f"the argument {key}, which several functions call otherwise")
        for comment in [*item.before, *([item.trailing] if item.trailing is not None else [])]:
            t.comment(comment)
        texts.append(f"{names.pop()}={t.value(item.value)}")
    return ", ".join(texts)


def _parameter(t: Translation, function: Function, at: int) -> str | None:
    return t.names.of(function.parameters[at]) if at < len(function.parameters) else None
