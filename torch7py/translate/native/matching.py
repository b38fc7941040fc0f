"""Lua's find, match, gmatch and gsub, by methods of str where the pattern is plain text, else by ``re``."""

from __future__ import annotations

from torch7py.translate import quoting, tree
from torch7py.translate.native import code
from torch7py.translate.native.analysis.pattern_calls import matched
from torch7py.translate.native.code import Py, atom, quoted
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.patterns import as_regex, captures, is_plain
from torch7py.translate.native.problem import Undecided
from torch7py.translate.native.text import text as written_text
from torch7py.translate.patching import altered
from torch7py.translate.scopes import Scope
from torch7py.translate.tree import Call, Expression, Invoke, Name, Number, String

__all__ = ["condition", "over_matches", "several", "substitution", "value"]


def _plain(arguments: tuple[Expression, ...]) -> bool:
    """Whether find is given text to be found as it is."""
    if len(arguments) == 3:
        last = arguments[2]
        return isinstance(last, tree.Boolean) and last.value
    first = arguments[0]
    return isinstance(first, String) and is_plain(first.value)


def _start(t: Translation, arguments: tuple[Expression, ...]) -> Py | None:
    """Where to begin, from 0; None for the beginning."""
    if len(arguments) < 2:
        return None
    start = arguments[1]
    if isinstance(start, Number) and start.value == 1:
        return None
    if isinstance(start, tree.Unary) or not t.whole(start):
        raise Undecided(
            "T7-233", start.line, "a search from a place that is counted from the end, or not whole"
        )
    return t.expressions.position(start)


def _search(t: Translation, subject: Expression, arguments: tuple[Expression, ...]) -> str:
    """``re.search(pattern, text)``"""
    t.imports.add("re")
    text = t.value(subject)
    start = _start(t, arguments)
    pattern, _ = as_regex(t, arguments[0])
    function = "search"
    if isinstance(arguments[0], String) and arguments[0].value.startswith("^"):
        function, pattern = "match", pattern.replace("\\A", "", 1)
        if "\\" not in pattern:
            pattern = pattern.removeprefix("r")
    if start is None:
        return f"re.{function}({pattern}, {text})"
    return f"re.compile({pattern}).{function}({text}, {start})"


def condition(t: Translation, node: Expression) -> Py | None:
    """Whether something is found."""
    string_call = matched(t, node)
    if string_call is None or string_call[0] not in ("find", "match") or not string_call[2]:
        return None
    name, subject, arguments = string_call
    if name == "find" and _plain(arguments) and _start(t, arguments) is None:
        text = t.value(subject).at(code.ADD)
        return Py(f"{t.value(arguments[0]).at(code.ADD)} in {text}", code.COMPARE)
    if name == "match" and len(arguments) == 1 and _plain(arguments):
        text = t.value(subject).at(code.ADD)
        return Py(f"{t.value(arguments[0]).at(code.ADD)} in {text}", code.COMPARE)
    return atom(_search(t, subject, arguments))


def value(t: Translation, name: str, subject: Expression, arguments: tuple[Expression, ...], line: int) -> Py:
    """The first value."""
    if name == "gsub":
        return _gsub(t, subject, arguments, line)
    if name == "find" and _plain(arguments):
        start = _start(t, arguments)
        more = "" if start is None else f", {start}"
        index = f"{t.value(subject).at(code.ATOM)}.find({t.value(arguments[0])}{more})"
        return Py(f"{index} + 1 or None", code.OR)
    if name == "gmatch":  # kept or returned: like Lua's function it gives each match once
        expression, groups = as_regex(t, arguments[0], in_gmatch=True)
        if groups > 1:
            raise Undecided("T7-233", line, "gmatch with several captures, elsewhere than in a loop")
        t.imports.add("re")
        return atom(f"iter(re.findall({expression}, {t.value(subject)}))")
    m = t.fresh("m")
    search = _search(t, subject, arguments)
    result = f"{m}.start() + 1" if name == "find" else f"{m}[{min(captures(t, arguments[0]), 1)}]"
    return Py(f"{result} if ({m} := {search}) else None", code.TERNARY)


def several(
    t: Translation,
    string_call: tuple[str, Expression, tuple[Expression, ...]],
    targets: tuple[Expression, ...],
    line: int,
) -> bool:
    """``a, b = s:find(p)`` and its like."""
    name, subject, arguments = string_call
    names = [t.unread(target) or t.target(target) for target in targets]
    if name == "gsub":
        _substituted(t, subject, arguments, names, line)
        return True
    if name == "gmatch":
        return False
    if name == "find" and _plain(arguments):
        t.imports.add("re")
        start = _start(t, arguments)
        needle = arguments[0]
        text = quoted(needle.value) if isinstance(needle, String) else t.value(needle).text
        at = "" if start is None else f", {start}"
        position = t.fresh("place")
        t.emit(f"{position} = {t.value(subject).at(code.ATOM)}.find({text}{at})")
        size = str(len(needle.value)) if isinstance(needle, String) else f"len({text})"
        values = [f"{position} + 1", f"{position} + {size}"] + ["None"] * (len(names) - 2)
        t.emit(f"{', '.join(names)} = ({', '.join(values)}) if {position} >= 0 else ({_nones(names)})")
        return True
    groups = captures(t, arguments[0])
    m = t.fresh("m")
    t.emit(f"{m} = {_search(t, subject, arguments)}")
    if name == "match":
        whole = max(groups, 1)
        if groups == len(names):
            t.emit(f"{', '.join(names)} = {m}.groups() if {m} else ({_nones(names)})")
            return True
        values = [f"{m}[{i}]" for i in (range(1, groups + 1) if groups else [0])][: len(names)]
        values += ["None"] * (len(names) - whole)
    else:
        values = [f"{m}.start() + 1", f"{m}.end()", *(f"{m}[{i}]" for i in range(1, groups + 1))][
            : len(names)
        ]
        values += ["None"] * (len(names) - len(values))
    t.emit(f"{', '.join(names)} = ({', '.join(values)}) if {m} else ({_nones(names)})")
    return True


def _nones(names: list[str]) -> str:
    return ", ".join(["None"] * len(names))


# gsub


def over_matches(t: Translation, node: Call | Invoke) -> bool:
    """``s:gsub(pattern, function(piece) table.insert(pieces, piece) end)`` is a loop; whether it was written."""
    string_call = matched(t, node)
    if t.plain_values or string_call is None or string_call[0] != "gsub" or len(string_call[2]) != 2:
        return False
    _, subject, (pattern, function) = string_call
    if not isinstance(function, tree.Function) or function.vararg or len(function.body.statements) != 1:
        return False
    (only,) = function.body.statements
    targets = only.targets if isinstance(only, tree.Assign) else ()
    is_inner = any(isinstance(n, (tree.Function, tree.Vararg)) for n in tree.walk(only))
    if not isinstance(only, (tree.Assign, tree.Run)) or is_inner or any(isinstance(x, Name) for x in targets):
        return False
    source, groups = as_regex(t, pattern)
    wanted = max(groups, 1)
    if len(function.parameters) > wanted:
        return False
    t.imports.add("re")
    scope = t.scopes.of_function[function]
    around: Scope | None = t.scope
    taken: set[str] = set()
    while around is not None:
        taken |= {t.names.of_variable(variable) for variable in around.variables}
        around = around.parent
    for parameter in function.parameters:
        if t.names.of(parameter) in taken:
            t.names.chosen[t.scopes.of_name[parameter]] = t.fresh(parameter.name)
    names = [t.names.of(parameter) for parameter in function.parameters]
    names += ["_"] * (wanted - len(names))
    t.emit(f"for {', '.join(names)} in re.findall({source}, {t.value(subject)}):")
    with altered(t, scope=scope), t.indented():
        t.block(function.body)
    return True


def _gsub(t: Translation, subject: Expression, arguments: tuple[Expression, ...], line: int) -> Py:
    pattern, new = arguments[0], arguments[1]
    text = t.value(subject)
    count = t.expressions.whole_number(arguments[2]).text if len(arguments) > 2 else ""
    plain = isinstance(pattern, String) and is_plain(pattern.value)
    if plain and isinstance(new, String) and "%" not in new.value:
        more = f", {count}" if count else ""
        return atom(f"{text.at(code.ATOM)}.replace({t.value(pattern)}, {t.value(new)}{more})")
    t.imports.add("re")
    source, groups = as_regex(t, pattern)
    more = f", count={count}" if count else ""
    return atom(f"re.sub({source}, {_replacement(t, new, groups, line)}, {text}{more})")


def _substituted(
    t: Translation, subject: Expression, arguments: tuple[Expression, ...], names: list[str], line: int
) -> None:
    """``new, count = s:gsub(pattern, replacement)``"""
    t.emit(f"{', '.join(names[:2])} = {substitution(t, subject, arguments, line)}")
    for name in names[2:]:
        t.emit(f"{name} = None")


def substitution(t: Translation, subject: Expression, arguments: tuple[Expression, ...], line: int) -> str:
    """The call that gives the new text, and how often something was replaced."""
    t.imports.add("re")
    source, groups = as_regex(t, arguments[0])
    count = f", count={t.expressions.whole_number(arguments[2])}" if len(arguments) > 2 else ""
    return f"re.subn({source}, {_replacement(t, arguments[1], groups, line)}, {t.value(subject)}{count})"


def _replacement(t: Translation, new: Expression, groups: int, line: int) -> str:
    if isinstance(new, String):
        return _template(new, groups, line)
    kind = t.kind(new)
    first = "m[1]" if groups else "m[0]"
    if kind == "string":
        value = t.value(new).at(code.ATOM)
        raise Undecided("T7-233", line, f"gsub with {value}, text that may have % in it")
    if kind == "table":
        if t.representation(new) not in ("dict", "record") or t.type(new).of_elements().kind == "table":
            raise Undecided("T7-233", line, "gsub with a table that is no dict of texts")
        return f"lambda m: {t.value(new).at(code.ATOM)}.get({first}, m[0])"
    if kind == "function" and isinstance(new, tree.Function):
        return _inline(t, new, groups, line)
    raise Undecided("T7-233", line, "gsub with a replacement of unknown kind")


def _inline(t: Translation, new: tree.Function, groups: int, line: int) -> str:
    """A function of one expression, as one of the match."""
    statements = new.body.statements
    only = statements[0] if len(statements) == 1 else None
    if not isinstance(only, tree.Return) or len(only.values) != 1 or new.vararg:
        raise Undecided("T7-233", line, "gsub with a function that is more than one expression")
    if t.kind(only.values[0]) not in ("string", "number") or t.type(only.values[0]).nil:
        raise Undecided("T7-233", line, "gsub with a function that may give nil")
    variables = [t.scopes.of_name[parameter] for parameter in new.parameters]
    chosen = dict(t.names.chosen)
    for index, variable in enumerate(variables):
        group = index + 1 if groups else 0
        chosen[variable] = f"m[{group}]" if group <= groups else "None"
    with altered(t, scope=t.scopes.of_function[new]), altered(t.names, chosen=chosen):
        return f"lambda m: {written_text(t, only.values[0])}"


def _template(new: String, groups: int, line: int) -> str:
    """A replacement with %1 as one of ``re``; of a pattern without captures %1 is all of it."""
    out = ""
    at = 0
    special = False
    value = new.value
    while at < len(value):
        c = value[at]
        if c == "%" and at + 1 < len(value):
            following = value[at + 1]
            if following.isdigit():
                if int(following) > max(groups, 1):
                    raise Undecided(
                        "T7-233", line, f"a replacement with %{following}, which its pattern has not"
                    )
                out += f"\\g<{int(following) if groups else 0}>"
                special = True
            else:
                out += following
            at += 2
            continue
        if c == "\\":
            out += "\\\\"
            special = True
        else:
            out += c
        at += 1
    if not special:
        return quoted(out)
    return quoting.raw(quoting.decoded(out))
