"""torch.CmdLine as argparse: options, arguments, and what is parsed."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.library import option_name
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import method_statements, methods
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Expression, Invoke, String

__all__ = ["options"]


def options(t: Translation) -> dict[str, Expression]:
    """The options and arguments of all parsers of a program, with their defaults (of an argument its name)."""
    defaults: dict[str, Expression] = {}
    for node in tree.every(t.program, Invoke):
        name = node.arguments[0] if node.arguments else None
        if (
            node.method not in ("option", "argument")
            or not isinstance(name, String)
            or not name.value.split()
        ):
            continue
        if t.kind(node.receiver) == "cmdline":
            default = node.arguments[1] if node.method == "option" and len(node.arguments) > 1 else name
            defaults[option_name(name.value)] = default
    return defaults


def _text(t: Translation, node: Invoke) -> None:
    """A line of the help."""


def _option(t: Translation, node: Invoke) -> None:
    name, default = node.arguments[0], node.arguments[1]
    text = f", help={_percent(t.value(node.arguments[2]).text)}" if len(node.arguments) > 2 else ""
    if not isinstance(name, String):
        raise Problem("T7-261", node.line, "an option whose name is not a literal")
    parser = t.value(node.receiver).at(code.ATOM)
    *short, long = name.value.split()  # the short name is lapp's
    plain = option_name(name.value)
    flags = [*short, f"{'--' if long.startswith('--') else '-'}{plain}"]
    flag = ", ".join(map(code.quoted, flags))
    if plain != plain.replace("-", "_"):  # as argparse would have it
        flag += f", dest={code.quoted(plain)}"
    kind = t.kind(default)
    if kind == "boolean":
        negated = isinstance(default, tree.Boolean) and default.value
        action = "store_false" if negated else "store_true"
        t.emit(f"{parser}.add_argument({flag}, action={code.quoted(action)}{text})")
    elif kind == "number":
        type_ = "int" if t.whole(default) and not t.integers.option_is_real(plain) else "float"
        t.emit(f"{parser}.add_argument({flag}, type={type_}, default={t.value(default)}{text})")
    elif kind == "string":
        t.emit(f"{parser}.add_argument({flag}, default={t.value(default)}{text})")
    else:
        raise Problem("T7-261", node.line, "an option with a default of unknown kind")


def _percent(text: str) -> str:
    return text.replace("%", "%%")


def _parse(t: Translation, node: Invoke) -> Py:
    return atom(f"{t.value(node.receiver).at(code.ATOM)}.parse_args()")


def _string(t: Translation, node: Invoke) -> Py:
    if any(isinstance(n, Invoke) and n.method == "argument" for n in tree.walk(t.program)):
        raise Problem("T7-261", node.line, "the name of a run with arguments beside options")
    t.helpers["run_name"] = None
    arguments = [t.value(argument).text for argument in node.arguments]
    return atom(
        f"run_name({', '.join([t.value(node.receiver).text, *arguments, *['{}'][: 3 - len(arguments)]])})"
    )


def _argument(t: Translation, node: Invoke) -> None:
    name = node.arguments[0]
    if not isinstance(name, String):
        raise Problem("T7-261", node.line, "an argument whose name is not a literal")
    text = f", help={_percent(t.value(node.arguments[1]).text)}" if len(node.arguments) > 1 else ""
    plain = name.value.lstrip("-")
    t.emit(f"{t.value(node.receiver).at(code.ATOM)}.add_argument({code.quoted(plain)}{text})")


def _log(t: Translation, node: Invoke) -> None:
    path, values = node.arguments[0], node.arguments[-1]
    asked = {n.method for n in tree.every(t.program, Invoke) if t.kind(n.receiver) == "cmdline"}
    if values is path or t.kind(path) != "string" or asked & {"silent", "addTime"}:
        raise Problem("T7-261", node.line, "a log of a file that is open, of no options, or with times")
    t.imports |= {"sys", "time"}
    options = t.value(values)
    shown = f"vars({options})" if t.representation(values) == "options" else options.text
    t.emit(f"{t.need('log_prints')}({t.value(path)}, {shown})")


methods["cmdline", "string"] = _string
method_statements["cmdline", "log"] = _log
method_statements["cmdline", "argument"] = _argument
method_statements["cmdline", "text"] = _text
method_statements["cmdline", "option"] = _option
methods["cmdline", "parse"] = _parse
methods["cmdline", "error"] = lambda t, node: atom(
    f"{t.value(node.receiver).at(code.ATOM)}.error({t.value(node.arguments[0])})"
)
